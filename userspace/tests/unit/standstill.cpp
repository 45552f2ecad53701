// SPDX-License-Identifier: MIT
// Guests whose exceptions follow each other for ever, without an instruction between them: step() comes back all the same, and whoever
// runs the CPU can stop it.
#include <gtest/gtest.h>

#include "arm64_machine.h"
#include "x86_machine.h"

namespace {

using namespace x86_test;

constexpr u64 kNowhere = 0x40000000000, kHandler = 0x20000, kTss = 0xa000;

struct X86Guest {
  const char* name;
  void (*prepare)(Machine&);
};
void PrintTo(const X86Guest& g, std::ostream* out) { *out << g.name; }

// every delivery begins at the same top of stack, or the stack would end at some time
void gate_on_own_stack(Machine& m, int vector, u64 to) {
  m.gate64(vector, to & 0xffffffff);
  m.qword(kIdt + vector * 16, m.read(kIdt + vector * 16) | u64{1} << 32);
  m.qword(kIdt + vector * 16 + 8, to >> 32);
  m.qword(kTss + 0x24, 0xc000);
  x86_state s = m.state();
  s.seg[X86_TR] = {0x18, 0x8b, 0xffff, kTss};
  m.set(s);
}

const X86Guest kX86Guests[] = {
    {"HandlerIsNotMapped", [](Machine& m) { gate_on_own_stack(m, 14, kNowhere); }},
    {"HandlerFaultsAtOnce",
     [](Machine& m) {
       gate_on_own_stack(m, 14, kHandler);
       m.code({0x48, 0xa1, 0, 0, 0, 0, 0, 4, 0, 0}, kHandler);
     }},
    {"HandlerIsNoInstruction",
     [](Machine& m) {
       gate_on_own_stack(m, 6, kHandler);
       m.code({0x0f, 0x0b}, kHandler);
       m.code({0x0f, 0x0b});
     }},
    {"BreakpointAtTheHandlerOfBreakpoints",
     [](Machine& m) {
       gate_on_own_stack(m, 1, kHandler);
       m.code({0x90}, kHandler);
       m.code({0xf1});
       x86_state s = m.state();
       s.dr[0] = kHandler;
       s.dr[7] = 2;
       m.set(s);
     }},
};

class X86Standstill : public testing::TestWithParam<X86Guest> {};

TEST_P(X86Standstill, StepReturnsAndStops) {
  for (auto* step : {x86_step, x86_step_switch}) {
    Machine m(64);
    m.code({0x48, 0xa1, 0, 0, 0, 0, 0, 4, 0, 0});  // mov rax, [nowhere]
    GetParam().prepare(m);
    for (int n = 0; n < 100; n++) ASSERT_EQ(step(m.cpu, 1000), HV_EXIT_BUDGET);
    EXPECT_LE(m.cpu->hv.retired, 1u) << "the test is of guests that do nothing";
    hv_cpu_request(&m.cpu->hv, HV_REQ_STOP);
    EXPECT_EQ(step(m.cpu, 1000), HV_EXIT_KICK);
  }
}

INSTANTIATE_TEST_SUITE_P(With, X86Standstill, testing::ValuesIn(kX86Guests), [](const auto& info) { return std::string(info.param.name); });

struct Arm64Guest {
  const char* name;
  uint64_t vectors;
  uint32_t first;
};
void PrintTo(const Arm64Guest& g, std::ostream* out) { *out << g.name; }

class Arm64Standstill : public testing::TestWithParam<Arm64Guest> {};

TEST_P(Arm64Standstill, StepReturnsAndStops) {
  for (auto* step : {arm64_step, arm64_step_switch}) {
    arm64::Machine m;
    m.s.vbar_el1 = GetParam().vectors;
    if (GetParam().first) {
      for (int vector = 0; vector < 16; vector++) memcpy(m.host(arm64::vectors + 128 * vector), &GetParam().first, 4);
    }
    m.set();
    for (int n = 0; n < 100; n++) ASSERT_EQ(step(m.cpu.get(), 1000), HV_EXIT_BUDGET);
    hv_cpu_request(&m.cpu->hv, HV_REQ_STOP);
    EXPECT_EQ(step(m.cpu.get(), 1000), HV_EXIT_KICK);
  }
}

INSTANTIATE_TEST_SUITE_P(With, Arm64Standstill,
                         testing::Values(Arm64Guest{"NoVectors", 0x1000, 0}, Arm64Guest{"VectorsInADevice", arm64::device_at, 0},
                                         Arm64Guest{"VectorsAreNoInstructions", arm64::vectors, 0},
                                         Arm64Guest{"VectorsFault", arm64::vectors, arm64::ldr_x(0, 31, 8)},
                                         Arm64Guest{"VectorsCall", arm64::vectors, arm64::svc}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
