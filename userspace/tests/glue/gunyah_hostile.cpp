// SPDX-License-Identifier: MIT
// Gunyah: guests that mean no good.  Whatever they do, a signal and immediate_exit bring VCPU_RUN out, and the death of the VMM ends them.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <random>
#include <string_view>
#include <thread>

#include "glue/gunyah_vm.h"
#include "glue/hostile.h"
#include "glue/system.h"

namespace mv::glue {

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kSeed = 20261122;
using Guest = HostileGuest<GunyahGuest>;

constexpr uint32_t kUdf = 0, kMsrSctlr = 0xd5181000, kMsrTcr = 0xd5182040, kMsrTtbr0 = 0xd5182000;

// Every vector begins with the instruction; the boot code ends with one that is undefined.
void vectors_of(GunyahGuest& g, uint32_t word) {
  for (unsigned v = 0; v < 16; ++v) g.load(A64Code().word(word), GunyahGuest::kVectors + 0x80 * v);
  g.boot(A64Code().mov(9, GunyahGuest::kBase + GunyahGuest::kVectors).msr_vbar(9).isb().word(kUdf));
}

void execute_garbage(GunyahGuest& g) {
  std::mt19937 random(kSeed);
  A64Code code;
  for (int i = 0; i < 16384; ++i) code.word(static_cast<uint32_t>(random()));
  g.load(code, 0x10000);
  // what faults is left out
  g.load(A64Code().word(0xd5384020).add(0, 0, 4).word(0xd5184020).eret(), GunyahGuest::kVectors + 0x200);
  g.boot(A64Code().mov(9, GunyahGuest::kBase + GunyahGuest::kVectors).msr_vbar(9).isb().mov(1, GunyahGuest::kBase + 0x10000).branch_register(1));
}

void vectors_at(GunyahGuest& g, uint64_t where) { g.boot(A64Code().mov(9, where).msr_vbar(9).isb().word(kUdf)); }

// 39 bits, tables at `where`, then the MMU on.
void tables_at(GunyahGuest& g, uint64_t where) {
  g.boot(A64Code().mov(1, where).word(kMsrTtbr0 | 1).mov(1, 25 | 25 << 16 | uint64_t{5} << 32).word(kMsrTcr | 1).isb().mov(1, 0x30d00801).word(kMsrSctlr | 1).isb().spin());
}

const Guest kGuests[] = {
    {"Loop", [](GunyahGuest& g) { g.boot(A64Code().spin()); }},
    {"Sleep", [](GunyahGuest& g) { g.boot(A64Code().wfi().jump_to_start()); }},
    {"WaitForEvent", [](GunyahGuest& g) { g.boot(A64Code().word(0xd503205f).jump_to_start()); }},
    {"VectorsAreNoInstructions", [](GunyahGuest& g) { vectors_of(g, kUdf); }},
    {"VectorsCall", [](GunyahGuest& g) { vectors_of(g, 0xd4000001); }},
    {"VectorsNowhere", [](GunyahGuest& g) { vectors_at(g, 0x4000000000); }},
    {"VectorsInADevice", [](GunyahGuest& g) { vectors_at(g, 0x09000000); }},
    {"JumpIntoADevice", [](GunyahGuest& g) { g.boot(A64Code().mov(1, 0x09000000).branch_register(1)); }},
    {"TablesInADevice", [](GunyahGuest& g) { tables_at(g, 0x09000000); }},
    {"TablesNowhere", [](GunyahGuest& g) { tables_at(g, 0x4000000000); }},
    {"TablesAreCode", [](GunyahGuest& g) { tables_at(g, GunyahGuest::kBase); }},
    {"Calls", [](GunyahGuest& g) { g.boot(A64Code().psci(0xdeadbeef).jump_to_start()); }},
    {"Garbage", execute_garbage},
};

class GunyahHostile : public testing::TestWithParam<Guest> {};

// What a VMM does whose devices answer nothing: accesses fault, everything else ends it.
Result keep_running(int fd, gunyah_vcpu_run& page) {
  for (;;) {
    const Result r = call(fd, GUNYAH_VCPU_RUN, 0);
    if (r != ok || page.exit_reason != static_cast<uint32_t>(GUNYAH_VCPU_EXIT_MMIO)) return r;
    page.mmio.resume_action = GUNYAH_VCPU_RESUME_FAULT;
  }
}

// Garbage may end its VM: then there is nothing left to stop.
TEST_P(GunyahHostile, ComesOut) {
  GunyahGuest g;
  GetParam().boot(g);
  for (bool by_flag : {true, false}) {
    Runner r([&] { return keep_running(g.vcpu().fd(), g.vcpu().page()); });
    std::this_thread::sleep_for(kWhile / 2);
    const auto start = Clock::now();
    if (by_flag) g.vcpu().immediate_exit() = 1;
    // a signal that comes between two calls is nobody's
    EXPECT_TRUE(eventually([&] { return r.signal(), r.done(); }));
    const Result result = r.result();
    const auto took = Clock::now() - start;
    g.vcpu().immediate_exit() = 0;
    const bool may_end = std::string_view(GetParam().name) == "Garbage";
    EXPECT_TRUE(result == fails(EINTR) || (may_end && result == ok)) << testing::PrintToString(result);
    EXPECT_LT(took, kHang);
    std::printf("%s: out after %.2f ms by %s\n", GetParam().name, milliseconds(took), by_flag ? "flag and signal" : "signal");
  }
  EXPECT_EQ(g.vm().remove_vcpu(0), ok);
}

TEST_P(GunyahHostile, DiesWithItsVmm) {
  const Baseline before;
  Child child([] {
    auto* g = new GunyahGuest;
    GetParam().boot(*g);
    new Runner([g] { return keep_running(g->vcpu().fd(), g->vcpu().page()); });
    std::this_thread::sleep_for(kWhile / 2);
    return true;
  });
  ASSERT_NO_FATAL_FAILURE(kill_vmm(child, GetParam().name));
  EXPECT_TRUE(before.restored());
}

INSTANTIATE_TEST_SUITE_P(Guest, GunyahHostile, testing::ValuesIn(kGuests), [](const auto& info) { return std::string(info.param.name); });

}  // namespace

}  // namespace mv::glue
