// SPDX-License-Identifier: MIT
// /dev/gunyah call by call.  Nothing here checks: the tests do.
#pragma once

#include <linux/gunyah.h>

#include <deque>
#include <optional>
#include <span>

#include "support/a64_code.h"
#include "glue/result.h"
#include "vmm/backend/device_tree.h"
#include "vmm/backend/fd.h"

namespace mv::glue {

using test::A64Code;
using test::kPsciCpuOff;
using test::kPsciCpuOn;
using test::kPsciOff;
using test::kPsciReset;
using test::kPsciReset2;

constexpr uint32_t kRwx = GUNYAH_MEM_ALLOW_RWX;
constexpr uint32_t kLend = GUNYAH_MEM_FORCE_LEND;
constexpr uint32_t kShare = GUNYAH_MEM_FORCE_SHARE;

class GunyahDevice {
 public:
  GunyahDevice();
  int fd() const { return fd_.get(); }
  Result create_vm(unsigned long argument = 0) { return call(fd(), GUNYAH_CREATE_VM, argument); }
  Result create_memory(uint64_t size, uint64_t flags = GHMF_CLOEXEC);

 private:
  Fd fd_;
};

// A guest memory file.
class GuestMemory {
 public:
  GuestMemory(GunyahDevice& device, uint64_t size);
  int fd() const { return fd_.get(); }
  uint64_t size() const { return size_; }
  void close() { fd_.reset(); }
  Mapping map(uint64_t offset, uint64_t size) const { return Mapping(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd(), offset, "guest memory"); }
  // Through a mapping that is gone afterwards.
  void write(uint64_t offset, std::span<const std::byte> bytes) const;
  uint64_t word(uint64_t offset) const;

 private:
  Fd fd_;
  uint64_t size_;
};

struct MmioExit {
  uint64_t address;
  unsigned size;
  bool is_write;
  uint64_t data;  // of a write
  friend bool operator==(const MmioExit&, const MmioExit&) = default;
  friend void PrintTo(const MmioExit& e, std::ostream* out);
};
inline MmioExit store(uint64_t address, unsigned size, uint64_t data) { return {address, size, true, data}; }
inline MmioExit load(uint64_t address, unsigned size) { return {address, size, false, 0}; }

// A vCPU function's fd and its page.
class GunyahVcpu {
 public:
  explicit GunyahVcpu(Fd fd);
  int fd() const { return fd_.get(); }
  gunyah_vcpu_run& page() const { return *page_.as<gunyah_vcpu_run>(); }
  uint8_t& immediate_exit() const { return page().immediate_exit; }
  // VCPU_RUN; a guest that never comes back is interrupted in the end, and that is EINTR.
  Result run();
  // Runs, and what it stopped at if it was an MMIO exit.
  std::optional<MmioExit> mmio();
  // The data of the read it stopped at, then run.
  std::optional<MmioExit> mmio_after(uint64_t data);
  // Runs; 0 and GUNYAH_VM_STATUS_EXITED give the exit type.
  std::optional<unsigned> ended();
  void close() { fd_.reset(); }
  Mapping& mapping() { return page_; }

 private:
  Fd fd_;
  Mapping page_;
};

class GunyahVm {
 public:
  explicit GunyahVm(GunyahDevice& device);
  int fd() const { return fd_.get(); }
  void close() { fd_.reset(); }

  Result map(const gunyah_map_mem_args& a) { return call(fd(), GUNYAH_VM_MAP_MEM, &a); }
  Result map(const GuestMemory& m, uint64_t gpa, uint32_t flags, uint64_t offset, uint64_t size);
  Result map(const GuestMemory& m, uint64_t gpa, uint32_t flags) { return map(m, gpa, flags, 0, m.size()); }
  Result function(unsigned long number, uint32_t type, const void* argument, uint32_t size);
  Result add_vcpu(uint32_t id) { return function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_VCPU, &id, sizeof id); }
  Result remove_vcpu(uint32_t id) { return function(GUNYAH_VM_REMOVE_FUNCTION, GUNYAH_FN_VCPU, &id, sizeof id); }
  Result set_dtb(uint64_t gpa, uint64_t size);
  Result boot_context(uint32_t set, uint32_t index, uint64_t value);
  Result start() { return call(fd(), GUNYAH_VM_START, 0); }

 private:
  Fd fd_;
};

// A VM with 2 MiB at 0x80000000, a device tree at their end, and its vCPUs; not started.
class GunyahGuest {
 public:
  static constexpr uint64_t kBase = Arm64Layout::kMemoryBase;
  static constexpr uint64_t kMemory = 2 << 20;
  static constexpr uint64_t kTree = kMemory - Arm64Layout::kTreeSize;
  static constexpr uint64_t kVectors = 0x800;

  explicit GunyahGuest(unsigned vcpus = 1, uint32_t access = kLend, std::span<const TreeDoorbell> doorbells = {});
  GunyahDevice& device() { return device_; }
  GunyahVm& vm() { return vm_; }
  GuestMemory& memory() { return memory_; }
  GunyahVcpu& vcpu(unsigned id = 0) { return vcpus_[id]; }
  void load(const A64Code& code, uint64_t at = 0) { memory_.write(at, std::as_bytes(std::span(code.get()))); }
  // An exception handler that stores ESR to kReport and FAR to kReport + 8, as device accesses.  Needs VBAR.
  void load_vectors();
  static constexpr uint64_t kReport = 0x5000;
  Result start() { return vm_.start(); }
  // load() at the entry point and start, which must succeed.
  void boot(const A64Code& code);

 private:
  GunyahDevice device_;
  GunyahVm vm_;
  GuestMemory memory_;
  std::deque<GunyahVcpu> vcpus_;
};

}  // namespace mv::glue
