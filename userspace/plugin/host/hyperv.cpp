// SPDX-License-Identifier: MIT
#include "plugin/host/hyperv.h"

namespace mv::plugin {

namespace {

enum Msr : uint32_t {
  kGuestOsId = 0x40000000,
  kHypercall,
  kVpIndex,
  kReferenceCount = 0x40000020,
  kScontrol = 0x40000080,
  kSversion,
  kSiefp,
  kSimp,
  kEom,
  kSint0 = 0x40000090,
  kSint15 = 0x4000009f,
};

constexpr uint64_t kEnable = 1;
constexpr uint64_t kPageMask = ~uint64_t{0xfff};
constexpr uint64_t kSintMasked = 1 << 16;
// The call's input: TLFS 3.7.3.
constexpr uint64_t kCodeMask = 0xffff, kVariableMask = uint64_t{0x3ff} << 17, kRepMask = uint64_t{0xfff0fff} << 32;
constexpr uint64_t kSuccess = 0, kInvalidCode = 2, kInvalidInput = 3;
enum Call : uint64_t { kLongSpinWait = 0x08, kPostMessage = 0x5c, kSignalEvent = 0x5d };

}  // namespace

std::vector<kvm_cpuid_entry2> hyperv_cpuid() {
  constexpr uint32_t kCounter = 1 << 1, kSynic = 1 << 2, kHypercallMsrs = 1 << 5, kIndex = 1 << 6, kPost = 1 << 4, kSignal = 1 << 5;
  constexpr uint32_t kMostVcpus = 32;
  return {{0x40000000, 0, 0, 0x40000005, 0x6b636f4d, 0x6f736976, 0x76482072, {}},  // "Mockvisor Hv"
          {0x40000001, 0, 0, 0x31237648, 0, 0, 0, {}},                             // "Hv#1"
          {0x40000002, 0, 0, 0, 0, 0, 0, {}},
          {0x40000003, 0, 0, kCounter | kSynic | kHypercallMsrs | kIndex, kPost | kSignal, 0, 0, {}},
          {0x40000004, 0, 0, 0, ~0u, 0, 0, {}},  // no spin lock is worth a call
          {0x40000005, 0, 0, kMostVcpus, 0, 0, 0, {}}};
}

// As KVM has it: enabled from the start, and all sources masked.
void HypervVcpu::enable_synic(bool zero_pages) {
  if (!synic_) sint_.fill(kSintMasked);
  synic_ = true;
  zero_pages_ = zero_pages;
  control_ = kEnable;
}

uint64_t* HypervVcpu::register_of(uint32_t index) {
  if (!synic_) return nullptr;
  if (index == kScontrol) return &control_;
  if (index == kSiefp) return &event_page_;
  if (index == kSimp) return &message_page_;
  return index >= kSint0 && index <= kSint15 ? &sint_[index - kSint0] : nullptr;
}

bool HypervVcpu::get_msr(uint32_t index, uint64_t& value) const {
  value = 0;
  if (const uint64_t* at = const_cast<HypervVcpu*>(this)->register_of(index)) value = *at;
  else if (index == kGuestOsId) value = partition_.guest_os_id;
  else if (index == kHypercall) value = partition_.hypercall;
  else if (index == kVpIndex) value = id_;
  else if (index == kReferenceCount) value = static_cast<uint64_t>((std::chrono::steady_clock::now() - partition_.start).count()) / 100;
  else if (index == kSversion && synic_) value = 1;
  else return index == kEom && synic_;
  return true;
}

// Without an operating system's name there are no hypercalls (TLFS 3.13).
bool HypervVcpu::set_msr(uint32_t index, uint64_t value) {
  if (uint64_t* at = register_of(index)) {
    *at = value;
  } else if (index == kGuestOsId) {
    partition_.guest_os_id = value;
    if (!value) partition_.hypercall.fetch_and(~kEnable);
  } else if (index == kHypercall) {
    if (partition_.guest_os_id) partition_.hypercall = value;
  } else {
    return index == kEom && synic_;
  }
  return true;
}

// The hypercall page: vmcall; ret.
std::optional<HypervStore> HypervVcpu::store_of(uint32_t index, uint64_t value) const {
  if (!(value & kEnable)) return std::nullopt;
  if (index == kHypercall && partition_.guest_os_id) return HypervStore{value & kPageMask, 4, {0x0f, 0x01, 0xc1, 0xc3}};
  if ((index == kSiefp || index == kSimp) && zero_pages_) return HypervStore{value & kPageMask, 4096, {}};
  return std::nullopt;
}

std::optional<HypervWords> HypervVcpu::told_of(uint32_t index) const {
  if (index != kScontrol && index != kSiefp && index != kSimp) return std::nullopt;
  return HypervWords{index, control_, event_page_, message_page_};
}

HypervWords HypervVcpu::call_of(const x86_state& s) {
  constexpr u16 kLong = 1 << 13;
  if ((s.efer & X86_EFER_LMA) && (s.seg[X86_CS].attributes & kLong)) return {s.gpr[X86_RCX], s.gpr[X86_RDX], s.gpr[X86_R8], 0};
  const auto pair = [&](unsigned high, unsigned low) { return s.gpr[high] << 32 | static_cast<u32>(s.gpr[low]); };
  return {pair(X86_RDX, X86_RAX), pair(X86_RBX, X86_RCX), pair(X86_RDI, X86_RSI), 0};
}

std::optional<uint64_t> HypervVcpu::result_of(const HypervWords& call) const {
  if (!partition_.guest_os_id) return kInvalidCode;
  const bool simple = !(call[0] & (kRepMask | kVariableMask));
  switch (call[0] & kCodeMask) {
    case kLongSpinWait:
      return simple ? kSuccess : kInvalidInput;
    case kPostMessage:
    case kSignalEvent:
      return simple && synic_ ? std::nullopt : std::optional(kInvalidInput);
    default:
      return kInvalidCode;
  }
}

}  // namespace mv::plugin
