// SPDX-License-Identifier: MIT
// Statements about state: lists, MSRs, round trips, what is refused.
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "tests/plugin/hex.h"
#include "tests/plugin/statements/under_host.h"

namespace mv::test {
namespace {

// Upstream's library loses all but 16 without a word.
PLUGIN_TEST(Statement28_AllVcpusRunThirtyTwoOfThem, most_vcpus()) {
  Vm vm({0x88, 0x9f, 0x00, 0x30, END});  // mov [bx+3000h], bl
  const unsigned most = most_vcpus();
  crosvm* other = nullptr;
  ASSERT_EQ(crosvm_new_connection(vm.get(), &other), 0);
  crosvm_vcpu *a = nullptr, *b = nullptr;
  ASSERT_EQ(crosvm_get_vcpu(vm.get(), most - 1, &a), 0);
  ASSERT_EQ(crosvm_get_vcpu(other, most - 1, &b), 0);
  EXPECT_EQ(a, b);
  EXPECT_EQ(crosvm_get_vcpu(vm.get(), most, &b), -ENOENT);
  EXPECT_EQ(a, b) << "untouched";
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  std::memset(vm.memory + 0x3000, 0xee, most);
  for (unsigned n = 0; n < most; ++n) {
    vm.init(n, [&](kvm_regs& regs, auto&) {
      kvm_mp_state runs = {KVM_MP_STATE_RUNNABLE};
      EXPECT_EQ(crosvm_vcpu_set_mp_state(vm.vcpu(n), &runs), 0);
      regs.rbx = n;
    });
  }
  for (unsigned n = 0; n < most; ++n) EXPECT_EQ(vm.wait(n).io_access.address, Vm::kEnd) << n;
  for (unsigned n = 0; n < most; ++n) EXPECT_EQ(vm.memory[0x3000 + n], n);
}

TEST(Plugin, Statement28_MoreVcpusThanThereCanBeAreRefused) {
  const HostRun run = run_mvmm({"--plugin", "/bin/true", "--cpus", "33"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.output, testing::HasSubstr("1 to 32"));
  if (getenv("MV_PLUGIN_BACKEND")) return;
  const HostRun acrn = run_mvmm({"--plugin", "/bin/true", "--backend", "acrn", "--cpus", "17"});
  EXPECT_EQ(acrn.code, 2);
  EXPECT_THAT(acrn.output, testing::HasSubstr("--cpus: ACRN has 1 to 16"));
}

PLUGIN_TEST(Statement30_ListsSayHowLongTheyAre, 1) {
  Vm vm;
  constexpr uint32_t kRoom = 256;
  kvm_cpuid_entry2 leaves[kRoom];
  uint32_t count = 0, all = 0, msrs[kRoom];
  EXPECT_EQ(crosvm_get_supported_cpuid(vm.get(), 1, leaves, &count), -E2BIG);
  EXPECT_GT(count, 10u);
  EXPECT_EQ(crosvm_get_supported_cpuid(vm.get(), kRoom, leaves, &all), 0);
  EXPECT_EQ(all, count);
  EXPECT_EQ(crosvm_get_emulated_cpuid(vm.get(), 0, nullptr, &count), -E2BIG);
  EXPECT_EQ(crosvm_get_msr_index_list(vm.get(), 0, nullptr, &count), -E2BIG);
  ASSERT_EQ(crosvm_get_msr_index_list(vm.get(), kRoom, msrs, &all), 0);
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

// What setting a state begins anew, and what only one vendor's processors tell apart.
template <typename State>
void without_what_differs(State& state) {
  if constexpr (std::is_same_v<State, kvm_pit_state2>) {
    for (auto& channel : state.channels) channel.count_load_time = 0;
  } else if constexpr (std::is_same_v<State, kvm_vcpu_events>) {
    if (on_kvm()) state.interrupt.shadow = state.interrupt.shadow != 0;  // after STI or MOV SS: AMD has one bit for both
  }
}

// The CPU that the host offers: what it does not have cannot be set.
void set_supported_cpuid(Vm& vm) {
  std::vector<kvm_cpuid_entry2> leaves(256);
  uint32_t count = 0;
  ASSERT_EQ(crosvm_get_supported_cpuid(vm.get(), static_cast<uint32_t>(leaves.size()), leaves.data(), &count), 0);
  ASSERT_EQ(crosvm_vcpu_set_cpuid(vm.vcpu(), count, leaves.data()), 0);
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
  without_what_differs(first);
  without_what_differs(second);
  EXPECT_EQ(std::memcmp(&first, &second, sizeof(first)), 0);
}

template <typename State, typename Get, typename Set, typename Change>
void changed(const char* name, Get get, Set set, Change change) {
  SCOPED_TRACE(name);
  State wanted, seen;
  ASSERT_EQ(get(&wanted), 0);
  change(wanted);
  ASSERT_EQ(set(&wanted), 0);
  ASSERT_EQ(get(&seen), 0);
  without_what_differs(wanted);
  without_what_differs(seen);
  const auto *w = reinterpret_cast<const uint8_t*>(&wanted), *s = reinterpret_cast<const uint8_t*>(&seen);
  EXPECT_EQ(std::mismatch(w, w + sizeof(State), s).first - w, static_cast<ptrdiff_t>(sizeof(State))) << "the first byte that differs";
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
  for (const char* kind : {"0800", "0801", "0802", "0803", "0804"}) {
    EXPECT_EQ(raw(raw_socket(), std::string("7205") + kind + "120100"), "082c7a00") << "one byte of " << kind;
  }
  EXPECT_EQ(raw(raw_socket(), "6a020863"), "082c7200") << "set 99";
  EXPECT_EQ(raw(raw_socket(), "72020863"), "082c7a00") << "set 99";
  const std::vector<int> pipes = fds_for(raw_socket(), "8a0100");
  ASSERT_EQ(pipes.size(), 2u);
  EXPECT_EQ(raw(raw_socket(), "920100"), "9a0100");
  const auto say = [&](const std::string& hex) {
    const std::string bytes = from_hex(hex);
    EXPECT_EQ(write(pipes[0], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    char buffer[64];
    const ssize_t n = read(pipes[1], buffer, sizeof(buffer));
    return n < 0 ? std::string("error") : to_hex({buffer, static_cast<size_t>(n)});
  };
  EXPECT_EQ(say("0a00"), "0412020a00");
  for (const char* kind : {"0800", "0801", "0802", "0803", "0804", "0805", "0806", "0807"}) {
    EXPECT_EQ(say(std::string("2205") + kind + "120100"), "04082c2a00") << "one byte of " << kind;
  }
  EXPECT_EQ(say("22020863"), "04082c2a00") << "set 99";
}

// What no machine has at power-on, so that a state which is only remembered by default is found.
PLUGIN_TEST(Statement31_WhatWasSetIsRead, 1) {
  Vm vm;
  crosvm* m = vm.get();
  for (const bool primary : {true, false}) {
    changed<kvm_pic_state>(
        "pic", [&](auto* s) { return crosvm_get_pic_state(m, primary, s); }, [&](auto* s) { return crosvm_set_pic_state(m, primary, s); },
        [](auto& s) {
          s.imr = 0x5a;
          s.irq_base = 0x20;
          s.elcr = 0x40;
          s.isr = 2;
          s.auto_eoi = 1;
          s.priority_add = 3;
        });
  }
  changed<kvm_ioapic_state>(
      "ioapic", [&](auto* s) { return crosvm_get_ioapic_state(m, s); }, [&](auto* s) { return crosvm_set_ioapic_state(m, s); },
      [](auto& s) {
        s.id = 7;
        s.ioregsel = 0x12;
        s.redirtbl[5].bits = 0x0300000000018733;
      });
  changed<kvm_pit_state2>(
      "pit", [&](auto* s) { return crosvm_get_pit_state(m, s); }, [&](auto* s) { return crosvm_set_pit_state(m, s); },
      [](auto& s) {
        s.channels[1].count = 0x1234;
        s.channels[1].mode = 2;
        s.channels[1].rw_mode = 3;
        s.flags = KVM_PIT_FLAGS_HPET_LEGACY;
      });
  ASSERT_EQ(crosvm_start(m), 0);
  vm.wait();
  crosvm_vcpu* v = vm.vcpu();
  set_supported_cpuid(vm);
#define CHANGED(type, name, change) \
  changed<type>(#name, [&](auto* s) { return crosvm_vcpu_get_##name(v, s); }, [&](auto* s) { return crosvm_vcpu_set_##name(v, s); }, [&](type& s) change)
  CHANGED(kvm_regs, regs, {
    s.r15 = 15;
    s.rsp = 0x1234567890abcdef;
    s.rflags = 0x246;
  });
  CHANGED(kvm_sregs, sregs, {
    s.fs.base = 0x123456789a;
    s.gs.selector = 0x33;
    s.ldt.limit = 0x77;
    s.idt.base = 0xfffff000;
    s.gdt.limit = 0x27;
    s.cr2 = 0xdeadbeef;
    s.cr8 = 5;
  });
  CHANGED(kvm_fpu, fpu, {
    s.fcw = 0x27f;
    s.fsw = 0x2800;
    s.ftwx = 0x21;
    s.last_ip = 0x1234;
    s.fpr[3][9] = 0x40;
    s.xmm[15][3] = 9;
  });
  CHANGED(kvm_debugregs, debugregs, {
    s.db[2] = 0x1000;
    s.dr7 = 0x430;
  });
  CHANGED(kvm_xcrs, xcrs, { s.xcrs[0].value = 3; });
  CHANGED(kvm_lapic_state, lapic_state, {
    s.regs[0xf1] = 1;   // SVR: enabled
    s.regs[0x80] = 0x30;  // TPR
    s.regs[0xa0] = 0x30;  // PPR follows
    s.regs[0x3e0] = 0xb;  // timer's divisor
    s.regs[0x321] = 0x01;
    s.regs[0x322] = 0x02;  // timer: vector 100h masked off, periodic
  });
  CHANGED(kvm_mp_state, mp_state, { s.mp_state = KVM_MP_STATE_HALTED; });
  CHANGED(kvm_vcpu_events, vcpu_events, {
    s.nmi.masked = 1;
    s.nmi.pending = 1;
    s.interrupt.shadow = 1;
  });
#undef CHANGED
}

PLUGIN_TEST(Statement31_TheClockGoesOnFromWhereItWasSet, 1) {
  Vm vm;
  kvm_clock_data clock, later;
  ASSERT_EQ(crosvm_get_clock(vm.get(), &clock), 0);
  ASSERT_EQ(crosvm_set_clock(vm.get(), &clock), 0) << "its own flags are taken back";
  clock = {};
  clock.clock = 5000000000000000;
  ASSERT_EQ(crosvm_set_clock(vm.get(), &clock), 0);
  usleep(2000);
  ASSERT_EQ(crosvm_get_clock(vm.get(), &later), 0);
  EXPECT_GE(later.clock, clock.clock + 2000000);
  EXPECT_LT(later.clock, clock.clock + 10000000000);
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
