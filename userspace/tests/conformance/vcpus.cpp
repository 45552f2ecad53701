// SPDX-License-Identifier: MIT
// Several vCPUs, several machines.
#include <thread>

#include "conformance.h"

namespace mv::test {

class Vcpus : public Conformance {};

TEST_P(Vcpus, PingPongOnSharedMemory) {
  Bench b(guest_config("pingpong", target(), 2));
  EXPECT_EQ(exit_code(b.run()), 0);
  EXPECT_EQ(b.output(), "ping-pong: 400 passes\n");
}

TEST_P(Vcpus, AccessesOfTwoDoNotMix) {
  Bench b(guest_config("two", target(), 2));
  EXPECT_EQ(exit_code(b.run()), 0);
  unsigned seen[2] = {};
  for (const Access& a : b.accesses()) {
    if (a.size == 4 && a.vcpu < 2) ++seen[a.vcpu];
  }
  EXPECT_GE(seen[0], 2000u);
  EXPECT_GE(seen[1], 2000u);
}

TEST_P(Vcpus, SecondaryIsSilentUntilStarted) {
  Bench b(guest_config("hello", target(), 2));
  EXPECT_EQ(exit_code(b.run()), 0);
  for (const Access& a : b.accesses()) EXPECT_EQ(a.vcpu, 0u);
}

TEST_P(Vcpus, FourMachinesAtOnce) {
  std::vector<std::thread> threads;
  std::vector<std::string> outputs(4);
  for (size_t i = 0; i < outputs.size(); ++i) {
    threads.emplace_back([&, i] {
      Bench b(guest_config("storm", target()));
      b.run();
      outputs[i] = b.output();
    });
  }
  for (auto& t : threads) t.join();
  for (const std::string& o : outputs) EXPECT_EQ(o, "storm: every access arrived\n");
}

MV_CONFORMANCE(Vcpus);

class Code : public Conformance {};

TEST_P(Code, WrittenCodeRuns) {
  Bench b(guest_config("code", target()));
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(Code, SameGuestSameInstructionCount) {
  uint64_t counts[2];
  for (uint64_t& n : counts) {
    Bench b(guest_config("hello", target()));
    EXPECT_EQ(exit_code(b.run()), 0);
    const auto count = b.machine().backend().instructions(0);
    ASSERT_TRUE(count.has_value());
    n = *count;
  }
  EXPECT_GT(counts[0], 50u);
  EXPECT_EQ(counts[0], counts[1]);
}

MV_CONFORMANCE(Code);

}  // namespace mv::test
