// SPDX-License-Identifier: MIT
// Hyper-V's interface as KVM offers it to a guest, for CPUs that are not KVM's: MSRs, the part of the hypercalls that the hypervisor
// answers itself, and the synthetic interrupt controller's registers.  Messages, events and everything else is the plugin's.
// Source: Hyper-V Top Level Functional Specification (TLFS), chapters 3 and 11, appendices A and B.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <optional>

#include "plugin/host/machine.h"

extern "C" {
#include "core/cpu/x86/x86.h"
}

namespace mv::plugin {

// What all vCPUs of a machine share.
struct HypervPartition {
  std::atomic<uint64_t> guest_os_id = 0, hypercall = 0;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

// What of Hyper-V there is, for CPUID.
std::vector<kvm_cpuid_entry2> hyperv_cpuid();

// Bytes that the guest finds in its memory from now on; all zero if there are none.
struct HypervStore {
  uint64_t address;
  size_t size;
  std::array<uint8_t, 4> bytes;
};

class HypervVcpu {
 public:
  HypervVcpu(HypervPartition& partition, unsigned id) : partition_(partition), id_(id) {}

  // KVM_CAP_HYPERV_SYNIC, or the one that leaves the guest's pages as they are.
  void enable_synic(bool zero_pages);
  static bool is_msr(uint32_t index) { return index - X86_HYPERV_MSR_BASE < 0x100; }
  // False: there is none.
  bool get_msr(uint32_t index, uint64_t& value) const;
  bool set_msr(uint32_t index, uint64_t value);
  // The guest's own writes do more: what they bring into memory; and for some the plugin is told.
  std::optional<HypervStore> store_of(uint32_t index, uint64_t value) const;
  std::optional<HypervWords> told_of(uint32_t index) const;
  // Input and parameters of a call that is about to be made; the result, if it is not the plugin's to give.
  static HypervWords call_of(const x86_state& s);
  std::optional<uint64_t> result_of(const HypervWords& call) const;

 private:
  uint64_t* register_of(uint32_t index);

  HypervPartition& partition_;
  unsigned id_;
  bool synic_ = false, zero_pages_ = false;
  uint64_t control_ = 0, event_page_ = 0, message_page_ = 0;
  std::array<uint64_t, 16> sint_ = {};
};

}  // namespace mv::plugin
