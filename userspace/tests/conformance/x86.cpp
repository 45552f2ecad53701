// SPDX-License-Identifier: MIT
// What x86-64 guests with four vCPUs show: locked instructions, code that another vCPU changes, translations forgotten by interrupt.
#include "conformance.h"

namespace mv::test {

class X86Guest : public Conformance {};

TEST_P(X86Guest, LockedInstructionsLoseNothing) {
  Bench b(guest_config("locks", target(), 4));
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(X86Guest, CodeChangedByAnotherVcpu) {
  Bench b(guest_config("patch", target(), 4));
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(X86Guest, NobodySeesAPageAfterTheInterruptThatForgetsIt) {
  Bench b(guest_config("remap", target(), 4));
  EXPECT_EQ(exit_code(b.run()), 0);
}

INSTANTIATE_TEST_SUITE_P(On, X86Guest, testing::Values(Target{"inproc", "x86_64"}, Target{"acrn", "x86_64"}),
                         [](const auto& info) { return info.param.backend + "_" + info.param.port; });

}  // namespace mv::test
