// SPDX-License-Identifier: MIT
// The UART: what guests say and what they are told.
#include "conformance.h"

namespace mv::test {

class Console : public Conformance {};

TEST_P(Console, Hello) {
  Bench b(guest_config("hello", target()));
  EXPECT_EQ(exit_code(b.run()), 0);
  EXPECT_EQ(b.output(), "Hello from the guest\n");
}

TEST_P(Console, EchoUntilEndOfTransmission) {
  Bench b(guest_config("echo", target()));
  b.type("typed before the start\n\x04");
  EXPECT_EQ(exit_code(b.run()), 0);
  EXPECT_EQ(b.output(), "typed before the start\n");
}

TEST_P(Console, Real16) {
  if (target().port != "i386") GTEST_SKIP() << "16-bit guests exist on x86 only, and once a backend is enough";
  const Target real{target().backend, "x86_16"};
  Bench b(guest_config("hello", real));
  EXPECT_EQ(exit_code(b.run()), 0);
  EXPECT_EQ(b.output(), "Hello from 16 bits\n");
}

MV_CONFORMANCE(Console);

}  // namespace mv::test
