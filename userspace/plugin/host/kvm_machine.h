// SPDX-License-Identifier: MIT
// A plugin's machine on the kernel's KVM: CPUs, interrupt controllers and timer are the kernel's, and its errors are passed on.
#pragma once

#include <sys/ioctl.h>

#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <set>

#include "plugin/host/machine.h"
#include "vmm/backend/fd.h"

struct kvm_run;

namespace mv::plugin {

class KvmMachine;

class KvmVcpu final : public MachineVcpu {
 public:
  KvmVcpu(KvmMachine& machine, unsigned id) : machine_(machine), id_(id) {}

  VcpuExit run() override;
  void complete(uint64_t data) override;
  void kick() override;
  int get_state(VcpuState set, std::span<std::byte> state) override;
  int set_state(VcpuState set, std::span<const std::byte> state) override;
  bool get_msr(uint32_t index, uint64_t& value) override;
  bool set_msr(uint32_t index, uint64_t value) override;
  int set_cpuid(const std::vector<kvm_cpuid_entry2>& entries) override;
  int hyperv_cpuid(std::vector<kvm_cpuid_entry2>& entries) override;
  int enable_capability(uint32_t capability) override;

  // Called once, by the machine.  A negative errno on failure.
  int create(int vm, size_t run_bytes);

 private:
  // One of what KVM brings at once: `rep ins` is a single exit.
  struct Batch {
    std::byte* data = nullptr;
    unsigned left = 0, size = 0;
    bool write = false;
    uint64_t address = 0;
  };
  VcpuExit next_of_batch();
  VcpuExit mmio();
  VcpuExit hyperv();
  void enter();
  int call(unsigned long number, const void* argument);

  KvmMachine& machine_;
  unsigned id_;
  Fd fd_;
  Mapping mapping_;
  std::atomic<kvm_run*> run_ = nullptr;  // kick() looks at it from other threads
  std::atomic<bool> kicked_ = false;
  std::atomic<int> thread_ = 0;  // the one inside run(), 0: none is
  Batch batch_;
  std::byte* answer_ = nullptr;  // where complete() puts its data
  unsigned answer_size_ = 0;
};

class KvmMachine final : public Machine {
 public:
  explicit KvmMachine(unsigned vcpus);

  unsigned vcpus() const override { return static_cast<unsigned>(vcpus_.size()); }
  MachineVcpu& vcpu(unsigned n) override { return *vcpus_.at(n); }
  int add_memory(uint32_t key, uint64_t start, std::span<std::byte> memory, bool read_only, bool dirty_log) override;
  int remove_memory(uint32_t key) override;
  int dirty_log(uint32_t key, std::string& bitmap) override;
  int add_io_event(uint32_t key, const IoEventSpec& spec, int eventfd) override;
  int remove_io_event(uint32_t key) override;
  int add_irq_event(uint32_t key, uint32_t gsi, int trigger, int resample) override;
  int remove_irq_event(uint32_t key) override;
  int irq_line(uint32_t gsi, bool high) override;
  int set_routes(const std::vector<kvm_irq_routing_entry>& routes) override;
  int get_state(MachineState set, std::span<std::byte> state) override;
  int set_state(MachineState set, std::span<const std::byte> state) override;
  int set_identity_map_address(uint32_t address) override;
  bool check_extension(uint32_t extension) override;
  int supported_cpuid(std::vector<kvm_cpuid_entry2>& entries) override;
  int emulated_cpuid(std::vector<kvm_cpuid_entry2>& entries) override;
  int msr_index_list(std::vector<uint32_t>& indices) override;

  // For the vCPUs: all are made when the first is asked for something, so that what must come before them can.  A negative errno if that
  // failed, now or earlier.
  int make_vcpus();

 private:
  struct Memory {
    uint32_t slot;
    uint64_t start;
    std::span<std::byte> host;
    bool logged;
  };
  int call(unsigned long number, const void* argument) const;
  int set_memory(const Memory& memory, uint32_t flags, uint64_t size) const;
  int io_event(const IoEventSpec& spec, int eventfd, uint32_t flags) const;

  Fd kvm_, vm_;
  std::vector<std::unique_ptr<KvmVcpu>> vcpus_;
  std::once_flag made_;
  int make_error_ = 0;
  std::mutex mutex_;  // everything below
  std::map<uint32_t, Memory> memory_;
  std::map<uint32_t, std::pair<IoEventSpec, int>> io_events_;
  std::map<uint32_t, kvm_irqfd> irq_events_;
};

// A list of CPUID leaves that a call gives; room is made until they fit.  A negative errno on failure.
int cpuid_of(int fd, unsigned long number, std::vector<kvm_cpuid_entry2>& entries);

// Structures of KVM end with arrays of no length, which some kernel headers give a size in C++, and with it another number to the call.
// This is the number in C, where the size is that of the `head` alone.
constexpr unsigned long number_in_c(unsigned long number, size_t head) {
  return (number & ~(static_cast<unsigned long>(_IOC_SIZEMASK) << _IOC_SIZESHIFT)) | head << _IOC_SIZESHIFT;
}

// Such a structure: count, a word of something else, entries.
template <typename Entry>
class KvmList {
 public:
  static constexpr size_t kHead = 8;
  explicit KvmList(size_t entries) : words_((kHead + entries * sizeof(Entry) + 7) / 8) { put_count(static_cast<uint32_t>(entries)); }
  explicit KvmList(const std::vector<Entry>& entries) : KvmList(entries.size()) {
    if (!entries.empty()) std::memcpy(words_.data() + 1, entries.data(), entries.size() * sizeof(Entry));
  }
  int call(int fd, unsigned long number) { return ::ioctl(fd, number_in_c(number, kHead), words_.data()); }
  uint32_t count() const { return static_cast<uint32_t>(words_[0]); }
  Entry entry(size_t at) const {
    Entry e;
    std::memcpy(&e, reinterpret_cast<const char*>(words_.data() + 1) + at * sizeof(Entry), sizeof(Entry));
    return e;
  }

 private:
  void put_count(uint32_t count) { words_[0] = count; }
  std::vector<uint64_t> words_;
};

}  // namespace mv::plugin
