// SPDX-License-Identifier: MIT
// PAUSE: many in a row leave step(), and nothing else about them is to be seen.
#include <gtest/gtest.h>

#include "x86_machine.h"

namespace {

using namespace x86_test;

class Pause : public testing::TestWithParam<hv_exit_kind (*)(x86_cpu*, u64)> {
 protected:
  hv_exit_kind step(u64 budget) { return GetParam()(m.cpu, budget); }
  Machine m;
};

TEST_P(Pause, AWaitingLoopGivesWay) {
  m.code({0x48, 0xff, 0xc0, 0xf3, 0x90, 0xeb, 0xf9});  // again: inc rax; pause; jmp again
  int times = 0;
  while (m.cpu->hv.retired < 3000) {
    const hv_exit_kind kind = step(3000 - m.cpu->hv.retired);
    if (kind == HV_EXIT_PAUSE) {
      EXPECT_EQ(m.state().rip, kCode + 5) << "behind it";
      EXPECT_EQ(m.cpu->hv.retired % 3, 2u);
      times++;
    }
  }
  EXPECT_GT(times, 50);
  EXPECT_LT(times, 500) << "not at every one";
  EXPECT_EQ(m.reg(X86_RAX), 1000u);
}

TEST_P(Pause, WhoWaitsForLongSleeps) {
  m.code({0xf3, 0x90, 0xeb, 0xfc});  // again: pause; jmp again
  for (int n = 0; n < 20; n++) {
    ASSERT_EQ(step(1000), HV_EXIT_PAUSE);
    ASSERT_EQ(x86_pause_ns(m.cpu, 20), 0u) << n;
  }
  ASSERT_EQ(step(1000), HV_EXIT_PAUSE);
  EXPECT_GT(x86_pause_ns(m.cpu, 20), 0u);
  EXPECT_LE(x86_pause_ns(m.cpu, 20), 100000u);
  EXPECT_EQ(x86_pause_ns(m.cpu, 200), 0u);
  for (int n = 0; n < 1000; n++) ASSERT_EQ(step(1000), HV_EXIT_PAUSE);
  EXPECT_GT(x86_pause_ns(m.cpu, 254), 0u);
  EXPECT_EQ(x86_pause_ns(m.cpu, 255), 0u);
  m.code(Bytes(300, 0x90), kCode + 4);
  x86_state s = m.state();
  s.rip = kCode + 4;
  m.set(s);
  ASSERT_EQ(step(300), HV_EXIT_BUDGET);
  s.rip = kCode;
  m.set(s);
  ASSERT_EQ(step(1000), HV_EXIT_PAUSE);
  EXPECT_EQ(x86_pause_ns(m.cpu, 20), 0u) << "another wait";
}

TEST_P(Pause, AMaskedInterruptDoesNotCall) {
  EXPECT_FALSE(x86_called(m.cpu));
  hv_cpu_request(&m.cpu->hv, HV_REQ_IRQ);
  EXPECT_FALSE(x86_called(m.cpu));
  x86_state s = m.state();
  s.rflags |= X86_FLAG_IF;
  m.set(s);
  EXPECT_TRUE(x86_called(m.cpu));
  hv_cpu_request(&m.cpu->hv, HV_REQ_STOP);
  m.cpu->rflags &= ~u64{X86_FLAG_IF};
  EXPECT_TRUE(x86_called(m.cpu));
}

TEST_P(Pause, SomeAreOnlySlowNops) {
  m.code(Bytes(30, 0x90));
  for (int n = 0; n < 15; n++) m.code({0xf3, 0x90}, kCode + 2 * n);
  EXPECT_EQ(step(15), HV_EXIT_BUDGET);
  EXPECT_EQ(m.state().rip, kCode + 30);
}

TEST_P(Pause, FarFromEachOtherTheyNeverGiveWay) {
  // again: mov ecx, 300; loop itself; pause; jmp again
  m.code({0xb9, 0x2c, 1, 0, 0, 0xe2, 0xfe, 0xf3, 0x90, 0xeb, 0xf5});
  EXPECT_EQ(step(100000), HV_EXIT_BUDGET);
}

TEST_P(Pause, ASingleStepIsNotLost) {
  for (int n = 0; n < 20; n++) m.code({0xf3, 0x90}, kCode + 2 * n);
  m.gate64(1, 0x20000);
  m.code({0xf4}, 0x20000);
  x86_state s = m.state();
  s.rflags |= X86_FLAG_TF;
  m.set(s);
  EXPECT_EQ(step(100), HV_EXIT_IDLE);
  EXPECT_EQ(m.read(m.reg(X86_RSP)), kCode + 2) << "#DB behind the first";
}

INSTANTIATE_TEST_SUITE_P(By, Pause, testing::Values(x86_step, x86_step_switch));

}  // namespace
