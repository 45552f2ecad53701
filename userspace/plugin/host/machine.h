// SPDX-License-Identifier: MIT
// What the host asks of whatever runs the guest.  Structures of state are the kernel's, byte for byte; errors are negative
// errno values, those that KVM's ioctls would give.
#pragma once

#include <linux/kvm.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "plugin/host/ranges.h"

namespace mv::plugin {

enum class MachineState { pic0, pic1, ioapic, pit, clock };
enum class VcpuState { regs, sregs, fpu, debugregs, lapic, mp, xcrs, events };

// Size of the state's structure.
size_t state_size(MachineState set);
size_t state_size(VcpuState set);

struct GuestAccess {
  Space space;
  uint64_t address;
  bool write;
  unsigned size;  // 1 to 8
  uint64_t data;  // written, zero-extended
};

// What a guest asks of Hyper-V.  A call: input and two parameters, answered with complete(); the synthetic interrupt controller: MSR,
// control, the pages of events and messages.
using HypervWords = std::array<uint64_t, 4>;

struct VcpuExit {
  enum Kind { again, accessed, hyperv_call, hyperv_synic, shut_down } kind = again;
  GuestAccess access = {};
  HypervWords words = {};
};

// Called on the vCPU's thread, but for kick().
class MachineVcpu {
 public:
  virtual ~MachineVcpu() = default;
  // Runs until there is something for the host; sleeps with the guest.  After an access: complete() first.
  virtual VcpuExit run() = 0;
  virtual void complete(uint64_t data) = 0;
  // From any thread: run() returns soon, or at once when it is called next.
  virtual void kick() = 0;
  // `state` has the structure's size.
  virtual int get_state(VcpuState set, std::span<std::byte> state) = 0;
  virtual int set_state(VcpuState set, std::span<const std::byte> state) = 0;
  virtual bool get_msr(uint32_t index, uint64_t& value) = 0;
  virtual bool set_msr(uint32_t index, uint64_t value) = 0;
  virtual int set_cpuid(const std::vector<kvm_cpuid_entry2>& entries) = 0;
  // KVM_GET_SUPPORTED_HV_CPUID and KVM_ENABLE_CAP.
  virtual int hyperv_cpuid(std::vector<kvm_cpuid_entry2>& entries) = 0;
  virtual int enable_capability(uint32_t capability) = 0;
};

struct IoEventSpec {
  Space space;
  uint64_t address;
  uint32_t length;  // 0: writes of any length and value
  uint64_t datamatch;
};

// From any thread.  Keys are the host's: one for each object.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual unsigned vcpus() const = 0;
  virtual MachineVcpu& vcpu(unsigned n) = 0;
  // `memory` stays mapped until remove_memory() has returned.
  virtual int add_memory(uint32_t key, uint64_t start, std::span<std::byte> memory, bool read_only, bool dirty_log) = 0;
  virtual int remove_memory(uint32_t key) = 0;
  // Fills one bit a page and forgets them; -ENOENT: the memory was added without a log.
  virtual int dirty_log(uint32_t key, std::string& bitmap) = 0;
  // Descriptors are borrowed until the removal.
  virtual int add_io_event(uint32_t key, const IoEventSpec& spec, int eventfd) = 0;
  virtual int remove_io_event(uint32_t key) = 0;
  virtual int add_irq_event(uint32_t key, uint32_t gsi, int trigger, int resample) = 0;
  virtual int remove_irq_event(uint32_t key) = 0;
  virtual int irq_line(uint32_t gsi, bool high) = 0;
  virtual int set_routes(const std::vector<kvm_irq_routing_entry>& routes) = 0;
  virtual int get_state(MachineState set, std::span<std::byte> state) = 0;
  virtual int set_state(MachineState set, std::span<const std::byte> state) = 0;
  virtual int set_identity_map_address(uint32_t address) = 0;
  virtual bool check_extension(uint32_t extension) = 0;
  virtual int supported_cpuid(std::vector<kvm_cpuid_entry2>& entries) = 0;
  virtual int emulated_cpuid(std::vector<kvm_cpuid_entry2>& entries) = 0;
  virtual int msr_index_list(std::vector<uint32_t>& indices) = 0;
};

// The software CPU in this process.
std::unique_ptr<Machine> make_inproc_machine(unsigned vcpus);
// The one behind /dev/acrn_hsm, with what only /dev/mockvisor tells.  Throws std::system_error without them.
std::unique_ptr<Machine> make_acrn_machine(unsigned vcpus);
// KVM's.  Throws std::invalid_argument with why KVM cannot be used here (kvm_probe.h), or std::system_error.
std::unique_ptr<Machine> make_kvm_machine(unsigned vcpus);

}  // namespace mv::plugin
