// SPDX-License-Identifier: MIT
// Device accesses: each arrives once, in order, with its size, address and value; replies reach the right register.
#include "conformance.h"

namespace mv::test {

using testing::InSequence;
using testing::Return;

class AccessTest : public Conformance {};

TEST_P(AccessTest, EverySizeAndDirectionInOrder) {
  Bench b(guest_config("sizes", target()));
  auto& d = add_mock(b, target());
  {
    InSequence order;
    EXPECT_CALL(d, write(0, 1, 0x81));
    EXPECT_CALL(d, read(0, 1)).WillOnce(Return(0x5a));
    EXPECT_CALL(d, write(1, 1, 0x5a));
    EXPECT_CALL(d, write(2, 2, 0x8182));
    EXPECT_CALL(d, read(2, 2)).WillOnce(Return(0x5a5b));
    EXPECT_CALL(d, write(4, 2, 0x5a5b));
    EXPECT_CALL(d, write(8, 4, 0x81828384));
    EXPECT_CALL(d, read(8, 4)).WillOnce(Return(0x5a5b5c5d));
    EXPECT_CALL(d, write(12, 4, 0x5a5b5c5d));
    if (target().pointer_bytes() == 8) {
      EXPECT_CALL(d, write(16, 8, 0x8182838485868788));
      EXPECT_CALL(d, read(16, 8)).WillOnce(Return(0x5a5b5c5d5e5f6061));
      EXPECT_CALL(d, write(24, 8, 0x5a5b5c5d5e5f6061));
    }
  }
  EXPECT_EQ(exit_code(b.run()), 0);
}

// The device answers with garbage above the access's size; loads extend the low bytes, as their form says.
TEST_P(AccessTest, LoadsExtend) {
  Bench b(guest_config("extend", target()));
  auto& d = add_mock(b, target());
  const unsigned w = target().pointer_bytes();
  const uint64_t reply = 0xdeadbeef80818283;
  const uint64_t mask = size_mask(w);
  {
    InSequence order;
    EXPECT_CALL(d, read(0, 1)).WillOnce(Return(reply));
    EXPECT_CALL(d, write(64, w, 0xffffffffffffff83 & mask));
    EXPECT_CALL(d, read(0, 2)).WillOnce(Return(reply));
    EXPECT_CALL(d, write(72, w, 0xffffffffffff8283 & mask));
    EXPECT_CALL(d, read(0, 4)).WillOnce(Return(reply));
    EXPECT_CALL(d, write(80, w, 0xffffffff80818283 & mask));
    EXPECT_CALL(d, read(0, 1)).WillOnce(Return(reply));
    EXPECT_CALL(d, write(88, w, 0x83));
    EXPECT_CALL(d, read(0, 2)).WillOnce(Return(reply));
    EXPECT_CALL(d, write(96, w, 0x8283));
    EXPECT_CALL(d, read(0, 4)).WillOnce(Return(reply));
    EXPECT_CALL(d, write(104, w, 0x80818283));
  }
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(AccessTest, StormOfAccessesKeepsItsSum) {
  Bench b(guest_config("storm", target()));
  EXPECT_EQ(exit_code(b.run()), 0);
  EXPECT_EQ(b.output(), "storm: every access arrived\n");
}

TEST_P(AccessTest, NobodyThere) {
  Bench b(guest_config("nowhere", target()));
  // x86 reads all ones and says 16; AArch64 aborts with fault status 0x10
  EXPECT_EQ(exit_code(b.run()), 16);
}

TEST_P(AccessTest, ReadModifyWriteHappensOnce) {
  if (target().port != "x86_64") GTEST_SKIP() << "read-modify-write on memory is an x86 form";
  Bench b(guest_config("rmw", target()));
  auto& d = add_mock(b, target());
  {
    InSequence order;
    EXPECT_CALL(d, read(0, 4)).WillOnce(Return(10));
    EXPECT_CALL(d, write(0, 4, 15));
    EXPECT_CALL(d, read(8, 1)).WillOnce(Return(1));
    EXPECT_CALL(d, write(8, 1, 0x81));
    EXPECT_CALL(d, read(12, 4)).WillOnce(Return(0x0f0f0f0f));
    EXPECT_CALL(d, write(12, 4, 0xf0f0f0f0));
    EXPECT_CALL(d, read(16, 4)).WillOnce(Return(7));
    EXPECT_CALL(d, write(16, 4, 0x1234));
    EXPECT_CALL(d, read(20, 4)).WillOnce(Return(41));
    EXPECT_CALL(d, write(20, 4, 42));
    EXPECT_CALL(d, read(24, 8)).WillOnce(Return(0x1122334455667788));
    EXPECT_CALL(d, write(32, 8, 0x1122334455667788));
  }
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(AccessTest, StringInstructions) {
  if (target().port != "x86_64") GTEST_SKIP() << "string instructions are x86's";
  Bench b(guest_config("string", target()));
  auto& d = add_mock(b, target());
  {
    InSequence order;
    for (uint64_t i = 0; i < 4; ++i) EXPECT_CALL(d, write(4 * i, 4, i + 1));
    for (uint64_t i = 0; i < 4; ++i) EXPECT_CALL(d, read(4 * i, 4)).WillOnce(Return(10 + i));
  }
  EXPECT_EQ(exit_code(b.run()), 23);
}

TEST_P(AccessTest, WalkNamesEveryWord) {
  MachineConfig c = guest_config("hello", target());
  c.vm.walk = true;
  Bench b(std::move(c));
  EXPECT_EQ(exit_code(b.run()), 0);
  const auto lines = b.walk_lines();
  ASSERT_EQ(lines.size(), b.accesses().size());
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    for (const char* word : {"step", "exit", "post", "deliver", "serve", "complete", "resume"}) {
      const std::string missing = std::string(" ") + word + " -";
      EXPECT_NE(lines[i].find(std::string(" ") + word + " "), std::string::npos) << lines[i];
      EXPECT_EQ(lines[i].find(missing), std::string::npos) << "no time for " << word << ": " << lines[i];
    }
  }
}

MV_CONFORMANCE(AccessTest);

}  // namespace mv::test
