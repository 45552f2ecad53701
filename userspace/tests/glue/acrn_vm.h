// SPDX-License-Identifier: MIT
// /dev/acrn_hsm call by call.  Nothing here checks: the tests do.
#pragma once

#include <linux/acrn.h>

#include <optional>
#include <string>

#include "glue/result.h"
#include "support/x86_code.h"
#include "vmm/backend/fd.h"

namespace mv::glue {

using test::Flat32;
using test::X86Code;

// Zero-filled pages of this process.
class Pages {
 public:
  explicit Pages(size_t bytes, int protection = PROT_READ | PROT_WRITE, int flags = 0)
      : map_(bytes, protection, MAP_SHARED | MAP_ANONYMOUS | flags, -1, 0, "pages") {}
  uint8_t* bytes() const { return map_.as<uint8_t>(); }
  uint64_t address() const { return reinterpret_cast<uint64_t>(map_.as<void>()); }
  size_t size() const { return map_.size(); }

 private:
  Mapping map_;
};

// An open /dev/acrn_hsm, without a VM at first.
class AcrnDevice {
 public:
  AcrnDevice();
  int fd() const { return fd_.get(); }
  void close() { fd_.reset(); }

  Result create(acrn_vm_creation& c) { return call(fd(), ACRN_IOCTL_CREATE_VM, &c); }
  Result destroy() { return call(fd(), ACRN_IOCTL_DESTROY_VM, 0); }
  Result start() { return call(fd(), ACRN_IOCTL_START_VM, 0); }
  Result pause() { return call(fd(), ACRN_IOCTL_PAUSE_VM, 0); }
  Result reset() { return call(fd(), ACRN_IOCTL_RESET_VM, 0); }
  Result set_regs(const acrn_vcpu_regs& r) { return call(fd(), ACRN_IOCTL_SET_VCPU_REGS, &r); }
  Result set_memseg(const acrn_vm_memmap& m) { return call(fd(), ACRN_IOCTL_SET_MEMSEG, &m); }
  Result create_client() { return call(fd(), ACRN_IOCTL_CREATE_IOREQ_CLIENT, 0); }
  Result attach() { return call(fd(), ACRN_IOCTL_ATTACH_IOREQ_CLIENT, 0); }
  Result destroy_client() { return call(fd(), ACRN_IOCTL_DESTROY_IOREQ_CLIENT, 0); }
  Result notify(const acrn_ioreq_notify& n) { return call(fd(), ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &n); }
  Result notify(uint32_t vcpu = 0) { return notify({.vmid = 0, .reserved = 0, .vcpu = vcpu}); }
  Result inject_msi(uint64_t address, uint64_t data) {
    const acrn_msi_entry m{.msi_addr = address, .msi_data = data};
    return call(fd(), ACRN_IOCTL_INJECT_MSI, &m);
  }
  Result set_irqline(uint32_t gsi, uint32_t op) { return call(fd(), ACRN_IOCTL_SET_IRQLINE, uint64_t{op} << 32 | gsi); }
  Result intr_monitor(const void* page) { return call(fd(), ACRN_IOCTL_VM_INTR_MONITOR, page); }
  Result unset_memseg(const acrn_vm_memmap& m) { return call(fd(), ACRN_IOCTL_UNSET_MEMSEG, &m); }
  Result ioeventfd(const acrn_ioeventfd& e) { return call(fd(), ACRN_IOCTL_IOEVENTFD, &e); }
  Result irqfd(int eventfd, uint32_t vector, uint32_t flags = 0) {
    const acrn_irqfd f{.fd = eventfd, .flags = flags, .msi = {.msi_addr = 0xfee00000, .msi_data = vector}};
    return call(fd(), ACRN_IOCTL_IRQFD, &f);
  }
  Result pm(void* word) { return call(fd(), ACRN_IOCTL_PM_GET_CPU_STATE, word); }
  Result clear_requests() { return call(fd(), ACRN_IOCTL_CLEAR_VM_IOREQ, 0); }

 private:
  Fd fd_;
};

acrn_vm_creation creation(const Pages& requests, const std::string& name = "glue", uint64_t affinity = 1, uint64_t flags = 0);
acrn_vm_memmap ram(uint64_t gpa, uint64_t vma_base, uint64_t len, uint32_t attr = ACRN_MEM_ACCESS_RWX);
// Real mode, every segment at 0, the next instruction at `rip`.
acrn_vcpu_regs real_mode(uint16_t rip, uint16_t vcpu = 0);

// A request as the VMM finds it in a slot.
struct Request {
  uint32_t type, direction;
  uint64_t address, size, value;
  friend bool operator==(const Request&, const Request&) = default;
  friend void PrintTo(const Request& r, std::ostream* out);
};
inline Request pio(uint32_t direction, uint64_t port, uint64_t size, uint64_t value = 0) { return {ACRN_IOREQ_TYPE_PORTIO, direction, port, size, value}; }
inline Request mmio(uint32_t direction, uint64_t gpa, uint64_t size, uint64_t value = 0) { return {ACRN_IOREQ_TYPE_MMIO, direction, gpa, size, value}; }

// A created VM with 1 MiB of RAM at 0.  Throws if that much does not work.
class AcrnVm : public AcrnDevice {
 public:
  static constexpr uint64_t kMemory = 1 << 18;
  static constexpr uint16_t kCode = 0x1000;

  explicit AcrnVm(const std::string& name = "glue", uint64_t affinity = 1, uint64_t flags = 0);

  uint8_t* memory() const { return memory_.bytes(); }
  acrn_io_request& slot(unsigned vcpu = 0) const { return reinterpret_cast<acrn_io_request_buffer*>(requests_.bytes())->req_slot[vcpu]; }
  uint32_t processed(unsigned vcpu = 0) const;
  unsigned vcpus() const { return vcpus_; }

  void load(const X86Code& code, uint16_t at = kCode);
  // Loads, sets vCPU 0 up in real mode, creates the client, starts.
  void boot(const X86Code& code);
  // The request that vCPU has out, waited for; none if it does not come.
  std::optional<Request> request(unsigned vcpu = 0);
  bool slot_becomes(uint32_t state, unsigned vcpu = 0) const;
  // Answers the request that is out and waits until the vCPU took the answer.
  bool reply(uint64_t value = 0, unsigned vcpu = 0);

 private:
  Pages memory_{kMemory};
  Pages requests_{4096};
  unsigned vcpus_ = 0;
};

}  // namespace mv::glue
