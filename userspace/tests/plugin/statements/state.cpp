// SPDX-License-Identifier: MIT
// Statements about state: lists, MSRs, round trips, what is refused.
#include <cstring>

#include "tests/plugin/statements/under_host.h"

namespace mv::test {
namespace {

PLUGIN_TEST(Statement28_SixteenVcpus, 16) {
  crosvm *vm = nullptr, *other = nullptr;
  ASSERT_EQ(crosvm_connect(&vm), 0);
  ASSERT_EQ(crosvm_new_connection(vm, &other), 0);
  crosvm_vcpu *a = nullptr, *b = nullptr;
  ASSERT_EQ(crosvm_get_vcpu(vm, 15, &a), 0);
  ASSERT_EQ(crosvm_get_vcpu(other, 15, &b), 0);
  EXPECT_EQ(a, b);
  EXPECT_EQ(crosvm_get_vcpu(vm, 16, &b), -ENOENT);
}

PLUGIN_TEST(Statement30_ListsSayHowLongTheyAre, 1) {
  Vm vm;
  kvm_cpuid_entry2 leaves[64];
  uint32_t count = 0, all = 0, msrs[64];
  EXPECT_EQ(crosvm_get_supported_cpuid(vm.get(), 1, leaves, &count), -E2BIG);
  EXPECT_GT(count, 10u);
  EXPECT_EQ(crosvm_get_supported_cpuid(vm.get(), 64, leaves, &all), 0);
  EXPECT_EQ(all, count);
  EXPECT_EQ(crosvm_get_emulated_cpuid(vm.get(), 0, nullptr, &count), -E2BIG);
  EXPECT_EQ(crosvm_get_msr_index_list(vm.get(), 0, nullptr, &count), -E2BIG);
  ASSERT_EQ(crosvm_get_msr_index_list(vm.get(), 64, msrs, &all), 0);
  EXPECT_EQ(all, count);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.wait();
  for (uint32_t i = 0; i < all; ++i) {
    kvm_msr_entry entry = {msrs[i], 0, 0};
    ASSERT_EQ(crosvm_vcpu_get_msrs(vm.vcpu(), 1, &entry, &count), 0);
    EXPECT_EQ(count, 1u) << std::hex << msrs[i] << " is in the list";
  }
  kvm_msr_entry three[3] = {{0x174, 0, 7}, {0x12345, 0, 7}, {0x175, 0, 7}};
  EXPECT_EQ(crosvm_vcpu_set_msrs(vm.vcpu(), 3, three), 0);
  for (auto& e : three) e.data = 0;
  ASSERT_EQ(crosvm_vcpu_get_msrs(vm.vcpu(), 3, three, &count), 0);
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(three[0].data, 7u);
}

template <typename State, typename Get, typename Set>
void round_trip(const char* name, Get get, Set set) {
  SCOPED_TRACE(name);
  State first, second;
  std::memset(&first, 0xee, sizeof(first));
  std::memset(&second, 0xdd, sizeof(second));
  ASSERT_EQ(get(&first), 0);
  ASSERT_EQ(set(&first), 0);
  ASSERT_EQ(get(&second), 0);
  EXPECT_EQ(std::memcmp(&first, &second, sizeof(first)), 0);
}

PLUGIN_TEST(Statement31_WhatWasReadCanBeSet, 1) {
  Vm vm;
  crosvm* m = vm.get();
  for (const bool primary : {true, false}) {
    round_trip<kvm_pic_state>("pic", [&](auto* s) { return crosvm_get_pic_state(m, primary, s); }, [&](auto* s) { return crosvm_set_pic_state(m, primary, s); });
  }
  round_trip<kvm_ioapic_state>("ioapic", [&](auto* s) { return crosvm_get_ioapic_state(m, s); }, [&](auto* s) { return crosvm_set_ioapic_state(m, s); });
  round_trip<kvm_pit_state2>("pit", [&](auto* s) { return crosvm_get_pit_state(m, s); }, [&](auto* s) { return crosvm_set_pit_state(m, s); });
  ASSERT_EQ(crosvm_start(m), 0);
  vm.wait();
  crosvm_vcpu* v = vm.vcpu();
#define ROUND_TRIP(type, name) round_trip<type>(#name, [&](auto* s) { return crosvm_vcpu_get_##name(v, s); }, [&](auto* s) { return crosvm_vcpu_set_##name(v, s); })
  ROUND_TRIP(kvm_regs, regs);
  ROUND_TRIP(kvm_sregs, sregs);
  ROUND_TRIP(kvm_fpu, fpu);
  ROUND_TRIP(kvm_debugregs, debugregs);
  ROUND_TRIP(kvm_xcrs, xcrs);
  ROUND_TRIP(kvm_lapic_state, lapic_state);
  ROUND_TRIP(kvm_mp_state, mp_state);
  ROUND_TRIP(kvm_vcpu_events, vcpu_events);
#undef ROUND_TRIP
  kvm_fpu fpu = {};
  fpu.fcw = 0x27f;
  fpu.fsw = 0x2800;
  fpu.ftwx = 0x21;
  for (unsigned i = 0; i < 10; ++i) fpu.fpr[3][i] = static_cast<uint8_t>(i + 1);
  fpu.xmm[15][3] = 9;
  kvm_fpu seen;
  ASSERT_EQ(crosvm_vcpu_set_fpu(v, &fpu), 0);
  ASSERT_EQ(crosvm_vcpu_get_fpu(v, &seen), 0);
  EXPECT_EQ(std::memcmp(&fpu, &seen, sizeof(fpu)), 0);
}

PLUGIN_TEST(Statement31_StateOfAnotherSizeOrKindIsRefused, 1) {
  EXPECT_EQ(raw(raw_socket(), "7203120100"), "082c7a00") << "PIC of one byte";
  EXPECT_EQ(raw(raw_socket(), "6a020863"), "082c7200") << "set 99";
}

PLUGIN_TEST(Statement31_PowerOnState, 1) {
  Vm vm;
  kvm_pic_state pic;
  ASSERT_EQ(crosvm_get_pic_state(vm.get(), true, &pic), 0);
  EXPECT_EQ(pic.elcr_mask, 0xf8);
  EXPECT_EQ(pic.imr | pic.irq_base | pic.isr, 0);
  kvm_ioapic_state io;
  ASSERT_EQ(crosvm_get_ioapic_state(vm.get(), &io), 0);
  EXPECT_EQ(io.base_address, 0xfec00000u);
  EXPECT_EQ(io.redirtbl[23].bits, 0x10000u);
  kvm_pit_state2 pit;
  ASSERT_EQ(crosvm_get_pit_state(vm.get(), &pit), 0);
  EXPECT_EQ(pit.channels[0].count, 65536u);
  EXPECT_EQ(pit.channels[0].mode, 255);
  EXPECT_EQ(pit.channels[2].gate, 0);
  kvm_clock_data clock;
  ASSERT_EQ(crosvm_get_clock(vm.get(), &clock), 0);
  EXPECT_NE(clock.clock, 0u);
}

PLUGIN_TEST(Statement32_ImpossibleStateIsRefused, 1) {
  Vm vm({0xba, 0x00, 0x06, 0xee, 0xf4});
  kvm_clock_data clock = {};
  clock.flags = ~0u;
  EXPECT_EQ(crosvm_set_clock(vm.get(), &clock), -EINVAL);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.wait();
  crosvm_vcpu* v = vm.vcpu();
  kvm_xcrs xcrs = {};
  xcrs.nr_xcrs = 1;
  EXPECT_EQ(crosvm_vcpu_set_xcrs(v, &xcrs), -EINVAL) << "XCR0 without x87";
  kvm_mp_state mp = {5};
  EXPECT_EQ(crosvm_vcpu_set_mp_state(v, &mp), -EINVAL);
  kvm_debugregs debug = {};
  debug.dr7 = 1ull << 40;
  ASSERT_EQ(crosvm_vcpu_set_debugregs(v, &debug), 0) << "deferred";
  EXPECT_EQ(crosvm_vcpu_get_debugregs(v, &debug), -EINVAL);
  kvm_sregs good, bad;
  ASSERT_EQ(crosvm_vcpu_get_sregs(v, &good), 0);
  bad = good;
  bad.cr0 = 0x80000010;
  ASSERT_EQ(crosvm_vcpu_set_sregs(v, &bad), 0);
  EXPECT_EQ(crosvm_vcpu_resume(v), 0);
  crosvm_vcpu_event event;
  EXPECT_EQ(crosvm_vcpu_wait(v, &event), -EINVAL) << "told by the next wait";
  good.cs.base = good.cs.selector = 0;
  ASSERT_EQ(crosvm_vcpu_set_sregs(v, &good), 0);
  kvm_regs regs = {};
  regs.rip = Vm::kEntry;
  regs.rflags = 2;
  ASSERT_EQ(crosvm_vcpu_set_regs(v, &regs), 0);
  vm.resume();
  vm.serve_until_end();
}

PLUGIN_TEST(CpuidIsWhatThePluginSays, 1) {
  // xor eax, eax; cpuid; mov [3000h], ebx; mov eax, 7; xor ecx, ecx; inc cx; cpuid; mov [3004h], ebx
  Vm vm({0x66, 0x31, 0xc0, 0x0f, 0xa2, 0x66, 0x89, 0x1e, 0x00, 0x30, 0x66, 0xb8, 0x07, 0x00, 0x00, 0x00, 0x66, 0x31, 0xc9, 0x41, 0x0f, 0xa2,
         0x66, 0x89, 0x1e, 0x04, 0x30, 0xba, 0x00, 0x06, 0xee, 0xf4});
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.wait();
  const kvm_cpuid_entry2 leaves[] = {{0, 0, 0, 7, 0x11223344, 0, 0, {}}, {7, 0, 1, 0, 5, 0, 0, {}}, {7, 1, 1, 0, 6, 0, 0, {}}};
  ASSERT_EQ(crosvm_vcpu_set_cpuid(vm.vcpu(), 3, leaves), 0);
  kvm_sregs sregs;
  ASSERT_EQ(crosvm_vcpu_get_sregs(vm.vcpu(), &sregs), 0);
  sregs.cs.base = sregs.cs.selector = 0;
  kvm_regs regs = {};
  regs.rip = Vm::kEntry;
  regs.rflags = 2;
  ASSERT_EQ(crosvm_vcpu_set_sregs(vm.vcpu(), &sregs), 0);
  ASSERT_EQ(crosvm_vcpu_set_regs(vm.vcpu(), &regs), 0);
  vm.resume();
  vm.serve_until_end();
  EXPECT_EQ(std::memcmp(vm.memory + 0x3000, "\x44\x33\x22\x11\x06\0\0\0", 8), 0);
}

}  // namespace
}  // namespace mv::test
