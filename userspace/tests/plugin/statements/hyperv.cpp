// SPDX-License-Identifier: MIT
// Hyper-V's interface: what the guest asks of it reaches the plugin, and the plugin's answer the guest.
#include <algorithm>
#include <cstring>

#include "tests/plugin/statements/protected_mode.h"

namespace mv::test {
namespace {

constexpr uint32_t kGuestOsId = 0x40000000, kHypercall = 0x40000001, kVpIndex = 0x40000002;
constexpr uint32_t kScontrol = 0x40000080, kSversion = 0x40000081, kSiefp = 0x40000082, kSimp = 0x40000083, kSint2 = 0x40000092;
constexpr uint64_t kPage = 0x4000, kEventPage = 0x5000, kMessagePage = 0x6000, kResults = 0x3000;
constexpr uint32_t kPostMessage = 0x5c, kSignalEvent = 0x5d, kFast = 1 << 16;

// The supported CPU, with Hyper-V's leaves in the place of the hypervisor's own.
std::vector<kvm_cpuid_entry2> leaves(Vm& vm) {
  std::vector<kvm_cpuid_entry2> own(256), all(256);
  uint32_t count = 0;
  EXPECT_EQ(crosvm_get_supported_cpuid(vm.get(), 256, all.data(), &count), 0);
  all.resize(count);
  std::erase_if(all, [](const auto& e) { return e.function >> 8 == 0x400000; });
  EXPECT_EQ(crosvm_vcpu_get_hyperv_cpuid(vm.vcpu(), 1, own.data(), &count), -E2BIG);
  EXPECT_GT(count, 4u);
  EXPECT_EQ(crosvm_vcpu_get_hyperv_cpuid(vm.vcpu(), 256, own.data(), &count), 0);
  own.resize(count);
  for (const auto& e : own) {
    EXPECT_TRUE(e.function != 0x40000001 || e.eax == 0x31237648) << "Hv#1";
  }
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

void begin(Vm& vm, const Code& code, bool wide) {
  code.put(vm);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  ASSERT_EQ(vm.wait().kind, CROSVM_VCPU_EVENT_KIND_INIT);
  const auto cpuid = leaves(vm);
  ASSERT_EQ(crosvm_vcpu_set_cpuid(vm.vcpu(), static_cast<uint32_t>(cpuid.size()), cpuid.data()), 0);
  uint64_t none[4] = {};
  ASSERT_EQ(crosvm_vcpu_enable_capability(vm.vcpu(), KVM_CAP_HYPERV_SYNIC, 0, none), 0);
  set_protected(vm, wide);
}

uint64_t msr(Vm& vm, uint32_t index) {
  kvm_msr_entry entry = {index, 0, 0};
  uint32_t count = 0;
  EXPECT_EQ(crosvm_vcpu_get_msrs(vm.vcpu(), 1, &entry, &count), 0);
  EXPECT_EQ(count, 1u) << std::hex << index;
  return entry.data;
}

uint64_t result(Vm& vm, unsigned n) {
  uint64_t v;
  std::memcpy(&v, vm.memory + kResults + n * 8, 8);
  return v;
}

Code& with_page(Code& code) { return code.wrmsr(kGuestOsId, 0x8100).wrmsr(kHypercall, kPage | 1); }

PLUGIN_TEST(HyperV_ACallIsAnEventAndItsResultIsThePlugins, 1) {
  Code code;
  with_page(code);
  code.eax(kPostMessage).edx(0).ebx(0x12).ecx(0x7000).edi(0x34).esi(0x7100).call(kPage).keep(kResults);
  code.eax(kSignalEvent | kFast).edx(0).ebx(0).ecx(0x42).edi(0).esi(0).call(kPage).keep(kResults + 8).end();
  Vm vm;
  begin(vm, code, false);
  std::vector<std::array<uint64_t, 3>> calls;
  vm.serve_until_end([&](crosvm_vcpu_event& e) {
    ASSERT_EQ(e.kind, CROSVM_VCPU_EVENT_KIND_HYPERV_HCALL);
    calls.push_back({e.hyperv_call.input, e.hyperv_call.params[0], e.hyperv_call.params[1]});
    const uint64_t answer = 0x1122334455667700 + calls.size();
    EXPECT_THAT(std::vector(e.hyperv_call.result, e.hyperv_call.result + 8), testing::Each(0));
    std::memcpy(e.hyperv_call.result, &answer, sizeof(answer));
    kvm_regs regs;
    EXPECT_EQ(crosvm_vcpu_get_regs(vm.vcpu(), &regs), 0);
    EXPECT_EQ(regs.rip, kPage) << "at the call";
  });
  using Call = std::array<uint64_t, 3>;
  EXPECT_THAT(calls, testing::ElementsAre(Call{kPostMessage, 0x1200007000, 0x3400007100}, Call{kSignalEvent | kFast, 0x42, 0}));
  EXPECT_EQ(result(vm, 0), 0x1122334455667701u);
  EXPECT_EQ(result(vm, 1), 0x1122334455667702u);
}

PLUGIN_TEST(HyperV_InLongModeArgumentsAndResultAreWholeRegisters, 1) {
  Code code;
  with_page(code);
  // mov r8d, 7100h; mov rdx, 1_00007000h; the result: mov rdx, rax; shr rdx, 32
  code.ecx(kPostMessage).bytes({0x41, 0xb8, 0, 0x71, 0, 0, 0x48, 0xba, 0, 0x70, 0, 0, 1, 0, 0, 0}).call(kPage);
  code.bytes({0x48, 0x89, 0xc2, 0x48, 0xc1, 0xea, 0x20}).keep(kResults).end();
  Vm vm;
  begin(vm, code, true);
  int calls = 0;
  vm.serve_until_end([&](crosvm_vcpu_event& e) {
    ASSERT_EQ(e.kind, CROSVM_VCPU_EVENT_KIND_HYPERV_HCALL);
    ++calls;
    EXPECT_EQ(e.hyperv_call.input, kPostMessage);
    EXPECT_EQ(e.hyperv_call.params[0], 0x100007000u);
    EXPECT_EQ(e.hyperv_call.params[1], 0x7100u);
    std::memcpy(e.hyperv_call.result, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(result(vm, 0), 0x1122334455667788u);
}

PLUGIN_TEST(HyperV_WhatTheHypervisorKnowsNoPluginIsAsked, 1) {
  Code code;
  with_page(code);
  code.eax(0x7fff).edx(0).ebx(0).ecx(0).edi(0).esi(0).call(kPage).keep(kResults);                           // no such call
  code.eax(kPostMessage).edx(1).ebx(0).ecx(0x7000).edi(0).esi(0).call(kPage).keep(kResults + 8);             // as a rep
  code.ecx(kVpIndex).bytes({0x0f, 0x32}).keep(kResults + 16).end();
  Vm vm;
  std::memset(vm.memory + kResults, 0xee, 24);
  begin(vm, code, false);
  vm.serve_until_end([&](crosvm_vcpu_event& e) { ADD_FAILURE() << "event " << e.kind << std::hex << ", " << e.hyperv_call.input; });
  EXPECT_EQ(result(vm, 0) & 0xffff, 2u) << "HV_STATUS_INVALID_HYPERCALL_CODE";
  EXPECT_EQ(result(vm, 1) & 0xffff, 3u) << "HV_STATUS_INVALID_HYPERCALL_INPUT";
  EXPECT_EQ(result(vm, 2), 0u);
}

PLUGIN_TEST(HyperV_WritesToTheSyntheticInterruptControllerAreEvents, 1) {
  Code code;
  code.wrmsr(kSint2, 0x20030).wrmsr(kSimp, kMessagePage | 1).wrmsr(kSiefp, kEventPage | 1).wrmsr(kScontrol, 0);
  code.ecx(kSversion).bytes({0x0f, 0x32}).keep(kResults).end();
  Vm vm;
  std::memset(vm.memory + kEventPage, 0xee, 0x2000);
  begin(vm, code, false);
  struct Seen {
    uint32_t msr;
    uint64_t control, events, messages;
    bool operator==(const Seen&) const = default;
  };
  std::vector<Seen> seen;
  std::vector<uint64_t> rips;
  vm.serve_until_end([&](crosvm_vcpu_event& e) {
    ASSERT_EQ(e.kind, CROSVM_VCPU_EVENT_KIND_HYPERV_SYNIC);
    seen.push_back({e.hyperv_synic.msr, e.hyperv_synic.control, e.hyperv_synic.evt_page, e.hyperv_synic.msg_page});
    kvm_regs regs;
    EXPECT_EQ(crosvm_vcpu_get_regs(vm.vcpu(), &regs), 0);
    rips.push_back(regs.rip);
    EXPECT_EQ(msr(vm, e.hyperv_synic.msr), seen.size() == 1 ? kMessagePage | 1 : seen.size() == 2 ? kEventPage | 1 : 0);
    EXPECT_EQ(msr(vm, kSint2), 0x20030u);
  });
  EXPECT_THAT(seen, testing::ElementsAre(Seen{kSimp, 1, 0, kMessagePage | 1}, Seen{kSiefp, 1, kEventPage | 1, kMessagePage | 1},
                                         Seen{kScontrol, 0, kEventPage | 1, kMessagePage | 1}));
  EXPECT_THAT(rips, testing::ElementsAre(Vm::kEntry + 2 * 17, Vm::kEntry + 3 * 17, Vm::kEntry + 4 * 17)) << "behind the WRMSR";
  EXPECT_EQ(result(vm, 0), 1u) << "the version";
  EXPECT_TRUE(std::all_of(vm.memory + kEventPage, vm.memory + kEventPage + 0x2000, [](uint8_t b) { return !b; })) << "pages are cleared";
}

// A pause that comes meanwhile is an event of its own, and nothing is lost or happens twice.
PLUGIN_TEST(HyperV_APauseComesBehindACallAndBehindASynicEvent, 1) {
  Code code;
  with_page(code);
  code.wrmsr(kSimp, kMessagePage | 1).eax(kPostMessage).edx(0).ebx(0).ecx(0x7000).edi(0).esi(0).call(kPage).keep(kResults).end();
  Vm vm;
  begin(vm, code, false);
  std::vector<uint32_t> kinds;
  vm.serve_until_end([&](crosvm_vcpu_event& e) {
    kinds.push_back(e.kind);
    if (e.kind == CROSVM_VCPU_EVENT_KIND_PAUSED) return;
    if (e.kind == CROSVM_VCPU_EVENT_KIND_HYPERV_HCALL) e.hyperv_call.result[0] = 9;
    EXPECT_EQ(crosvm_pause_vcpus(vm.get(), 1, &vm), 0);
  });
  EXPECT_THAT(kinds, testing::ElementsAre(CROSVM_VCPU_EVENT_KIND_HYPERV_SYNIC, CROSVM_VCPU_EVENT_KIND_PAUSED, CROSVM_VCPU_EVENT_KIND_HYPERV_HCALL,
                                          CROSVM_VCPU_EVENT_KIND_PAUSED));
  EXPECT_EQ(result(vm, 0), 9u);
}

// #GP leads to 0:2000h, which writes where the guest was to kResults and ends.
void end_at_gp(Vm& vm) {
  const uint8_t handler[] = {0x5b, 0x5b, 0x89, 0x1c, 0x25, 0x00, 0x30, 0, 0, 0xba, 0, 6, 0, 0, 0xee, 0xf4};  // pop ebx (error); pop ebx; mov [3000h], ebx
  std::memcpy(vm.memory + 0x2000, handler, sizeof(handler));
  const uint8_t gate[] = {0x00, 0x20, 0x08, 0, 0, 0x8e, 0, 0};
  std::memcpy(vm.memory + 0xb000 + 13 * 8, gate, sizeof(gate));
  const uint8_t gdt[] = {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0, 0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0};
  std::memcpy(vm.memory + 0xc000, gdt, sizeof(gdt));
}

void expect_gp_at(const Code& code, uint64_t offset, bool hyperv, bool synic) {
  Vm vm;
  code.put(vm);
  end_at_gp(vm);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  ASSERT_EQ(vm.wait().kind, CROSVM_VCPU_EVENT_KIND_INIT);
  auto cpuid = leaves(vm);
  if (!hyperv) std::erase_if(cpuid, [](const auto& e) { return e.function >> 8 == 0x400000; });
  ASSERT_EQ(crosvm_vcpu_set_cpuid(vm.vcpu(), static_cast<uint32_t>(cpuid.size()), cpuid.data()), 0);
  uint64_t none[4] = {};
  ASSERT_EQ(synic ? crosvm_vcpu_enable_capability(vm.vcpu(), KVM_CAP_HYPERV_SYNIC2, 0, none) : 0, 0);
  set_protected(vm, false, [](kvm_sregs& sregs) {
    sregs.idt = {0xb000, 0xff, {}};
    sregs.gdt = {0xc000, 23, {}};
  });
  vm.serve_until_end([&](crosvm_vcpu_event& e) { ADD_FAILURE() << "event " << e.kind; });
  EXPECT_EQ(result(vm, 0) & 0xffffffff, Vm::kEntry + offset);
}

constexpr uint64_t kWrmsrBytes = 17, kAtWrmsr = 15;

PLUGIN_TEST(HyperV_WithoutItsCpuidThereAreNoMsrs, 1) { expect_gp_at(Code().wrmsr(kGuestOsId, 1).end(), kAtWrmsr, false, false); }

PLUGIN_TEST(HyperV_WithoutTheCapabilityThereIsNoSynic, 1) {
  expect_gp_at(Code().wrmsr(kGuestOsId, 1).wrmsr(kSimp, kMessagePage | 1).end(), kWrmsrBytes + kAtWrmsr, true, false);
}

PLUGIN_TEST(HyperV_AVectorOfAnExceptionIsRefused, 1) {
  expect_gp_at(Code().wrmsr(kSint2, 0x10000).wrmsr(kSint2, 0x0f).end(), kWrmsrBytes + kAtWrmsr, true, true);
}

PLUGIN_TEST(HyperV_OtherCapabilitiesAreRefused, 1) {
  Vm vm;
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.wait();
  uint64_t none[4] = {}, some[4] = {0, 1, 0, 0};
  EXPECT_EQ(crosvm_vcpu_enable_capability(vm.vcpu(), KVM_CAP_SPLIT_IRQCHIP, 0, none), -EINVAL);
  EXPECT_EQ(crosvm_vcpu_enable_capability(vm.vcpu(), KVM_CAP_HYPERV_SYNIC2, 0, some), -EINVAL);
  EXPECT_EQ(crosvm_vcpu_enable_capability(vm.vcpu(), KVM_CAP_HYPERV_SYNIC2, 1, none), -EINVAL);
  EXPECT_EQ(crosvm_vcpu_enable_capability(vm.vcpu(), KVM_CAP_HYPERV_SYNIC2, 0, none), 0);
  EXPECT_EQ(crosvm_enable_capability(vm.get(), KVM_CAP_HYPERV_SYNIC2, 0, none), -EINVAL) << "of a machine: none";
}

}  // namespace
}  // namespace mv::test
