// SPDX-License-Identifier: MIT
// ACRN: guests that mean no good.  Whatever they do, PAUSE_VM comes back, and so does the death of their VMM.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <thread>

#include "glue/acrn_irq_vm.h"
#include "glue/hostile.h"
#include "glue/system.h"

namespace mv::glue {

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kSeed = 20261121;
using Guest = HostileGuest<AcrnIrqVm>;

// In real mode the stack pointer wraps: the handler of invalid opcodes is one, for ever.
void fault_for_ever(AcrnIrqVm& vm) {
  const uint32_t vector = 0x1100;
  std::memcpy(vm.memory() + 4 * 6, &vector, sizeof vector);
  vm.load(X86Code().bytes({0x0f, 0x0b}), 0x1100);
  vm.boot(X86Code().mov_ax(0x4000).bytes({0x8e, 0xd0, 0x0f, 0x0b}));  // mov ss, ax; ud2
}

void execute_garbage(AcrnIrqVm& vm) {
  std::mt19937 random(kSeed);
  for (uint64_t at = 0x10000; at < AcrnVm::kMemory; ++at) vm.memory()[at] = static_cast<uint8_t>(random());
  vm.boot_flat(Flat32().mov_eax(0x10000).bytes({0xff, 0xe0}));
}

const Guest kGuests[] = {
    {"Loop", [](AcrnIrqVm& vm) { vm.boot_flat(Flat32().bytes({0xeb, 0xfe})); }},
    {"FaultForEver", fault_for_ever},
    {"TripleFault", [](AcrnIrqVm& vm) { vm.boot_flat(Flat32().bytes({0x31, 0xe4, 0x0f, 0x01, 0x1d, 0, 0, 0, 0, 0x0f, 0x0b})); }},  // lidt [0]; ud2
    {"JumpIntoMmio", [](AcrnIrqVm& vm) { vm.boot_flat(Flat32().mov_eax(0xd0000000).bytes({0xff, 0xe0})); }},
    // mov cr3, eax; mov eax, cr0; bts eax, 31; mov cr0, eax
    {"PageTablesOverDevices", [](AcrnIrqVm& vm) { vm.boot_flat(Flat32().mov_eax(0xfec00000).bytes({0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xc0, 0x0f, 0xba, 0xe8, 31, 0x0f, 0x22, 0xc0})); }},
    // the source is RAM, the count 4 GiB, the end beyond all of it
    {"EndlessString", [](AcrnIrqVm& vm) { vm.boot_flat(Flat32().bytes({0x31, 0xf6, 0x31, 0xff, 0x31, 0xc9, 0x49, 0xf3, 0xa6, 0xf3, 0xac, 0xeb, 0xf4})); }},
    {"Garbage", execute_garbage},
};

class AcrnHostile : public testing::TestWithParam<Guest> {};

TEST_P(AcrnHostile, Pauses) {
  AcrnIrqVm vm("hostile");
  GetParam().boot(vm);
  std::this_thread::sleep_for(kWhile / 2);
  const auto start = Clock::now();
  EXPECT_EQ(vm.pause(), ok);
  const auto took = Clock::now() - start;
  EXPECT_LT(took, kHang);
  std::printf("%s: PAUSE_VM took %.2f ms\n", GetParam().name, milliseconds(took));
}

TEST_P(AcrnHostile, DiesWithItsVmm) {
  const Baseline before;
  Child child([] {
    auto* vm = new AcrnIrqVm("hostile");
    GetParam().boot(*vm);
    std::this_thread::sleep_for(kWhile / 2);
    return true;
  });
  ASSERT_NO_FATAL_FAILURE(kill_vmm(child, GetParam().name));
  EXPECT_NO_THROW(AcrnVm("hostile"));
  EXPECT_TRUE(before.restored());
}

INSTANTIATE_TEST_SUITE_P(Guest, AcrnHostile, testing::ValuesIn(kGuests), [](const auto& info) { return std::string(info.param.name); });

}  // namespace

}  // namespace mv::glue
