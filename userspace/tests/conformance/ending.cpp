// SPDX-License-Identifier: MIT
// How machines end: by the guest, by a fault, from outside, at any moment.
#include <thread>

#include "conformance.h"

namespace mv::test {

class EndingTest : public Conformance {};

TEST_P(EndingTest, PowerOff) {
  Bench b(guest_config("off", target()));
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
}

TEST_P(EndingTest, Reset) {
  Bench b(guest_config("reset", target()));
  EXPECT_EQ(b.run().kind, OutcomeKind::reset);
}

// Each life begins with the image as it was loaded, its second vCPU stopped.
TEST_P(EndingTest, ResetsAndThenPowerOff) {
  MachineConfig config = guest_config("again", target(), 2);
  config.on_reset = OnReset::restart;
  Bench b(std::move(config));
  b.type("rrro");
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_EQ(b.output(), "0r0r0r0o");
}

// x86: a triple fault, which ACRN turns into a write of S5 to PM1a control.
TEST_P(EndingTest, Fault) {
  Bench b(guest_config("fault", target()));
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_EQ(b.output(), "about to fault\n");
  if (target().x86()) {
    const Access last = b.accesses().back();
    EXPECT_EQ(last, (Access{Space::pio, Direction::write, 2, 0x404, 0x3400, 0}));
  }
}

TEST_P(EndingTest, StoppedWhileTheGuestSpins) {
  Bench b(guest_config("spin", target()));
  std::thread stopper([&] {
    while (b.output() != "spinning\n") std::this_thread::yield();
    b.machine().stop();
  });
  EXPECT_EQ(b.run().kind, OutcomeKind::stopped);
  stopper.join();
}

TEST_P(EndingTest, StoppedWhileTheGuestPolls) {
  Bench b(guest_config("echo", target()));
  std::thread stopper([&] {
    while (b.accesses().size() < 100) std::this_thread::yield();
    b.machine().stop();
  });
  EXPECT_EQ(b.run().kind, OutcomeKind::stopped);
  stopper.join();
}

TEST_P(EndingTest, StoppedBeforeTheStart) {
  Bench b(guest_config("spin", target()));
  b.machine().stop();
  EXPECT_EQ(b.run().kind, OutcomeKind::stopped);
}

TEST_P(EndingTest, NeverRun) { Bench b(guest_config("spin", target(), 2)); }

MV_CONFORMANCE(EndingTest);

}  // namespace mv::test
