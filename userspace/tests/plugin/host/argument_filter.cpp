// SPDX-License-Identifier: MIT
// Conditions on arguments, as the kernel sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <random>

#include "plugin/host/loop/argument_filter.h"

namespace mv::test {
namespace {

using plugin::Comparison;
using Arguments = std::array<uint64_t, 6>;
constexpr uint32_t kCall = SYS_vhangup;  // nobody's while the test runs
constexpr int kMet = 100, kOtherwise = 101;

// In a child: the filter stays with the process.  What the kernel answers to each.
std::vector<int> answers(std::vector<sock_filter> program, const std::vector<Arguments>& calls) {
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  int fds[2];
  if (pipe(fds)) return {};
  const pid_t pid = fork();
  if (!pid) {
    const sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) _exit(1);
    for (const Arguments& a : calls) {
      errno = 0;
      syscall(kCall, a[0], a[1], a[2], a[3], a[4], a[5]);
      const int error = errno;
      if (write(fds[1], &error, sizeof(error)) != sizeof(error)) _exit(1);
    }
    _exit(0);
  }
  close(fds[1]);
  std::vector<int> all;
  for (int error; read(fds[0], &error, sizeof(error)) == sizeof(error);) all.push_back(error);
  close(fds[0]);
  waitpid(pid, nullptr, 0);
  return all;
}

struct Operator {
  const char* name;
  bool (*met)(uint64_t, uint64_t);
};
constexpr Operator kOperators[] = {{"==", [](uint64_t a, uint64_t b) { return a == b; }}, {"!=", [](uint64_t a, uint64_t b) { return a != b; }},
                                   {"<", [](uint64_t a, uint64_t b) { return a < b; }},   {"<=", [](uint64_t a, uint64_t b) { return a <= b; }},
                                   {">", [](uint64_t a, uint64_t b) { return a > b; }},   {">=", [](uint64_t a, uint64_t b) { return a >= b; }},
                                   {"&", [](uint64_t a, uint64_t b) { return (a & b) != 0; }},
                                   {"in", [](uint64_t a, uint64_t b) { return (a | b) == b; }}};

// Few values, so that comparisons are often close; both halves matter.
uint64_t any_value(std::mt19937_64& random) {
  const auto half = [&] { return std::array<uint64_t, 5>{0, 1, 2, 0x80000000, 0xffffffff}[random() % 5]; };
  return half() << 32 | half();
}

TEST(ArgumentFilter, TheKernelSeesConditionsAsTheyAreWritten) {
  const char* given = getenv("MV_SEED");
  const uint64_t seed = given ? strtoull(given, nullptr, 0) : std::random_device{}();
  std::mt19937_64 random(seed);
  size_t met = 0, compared = 0;
  for (int i = 0; i < 150; ++i) {
    std::vector<Arguments> calls(40);
    for (Arguments& a : calls) {
      for (uint64_t& value : a) value = any_value(random);
    }
    std::string text;
    std::vector<bool> expected(calls.size(), false);
    for (size_t alternatives = 1 + random() % 3, n = 0; n < alternatives; ++n) {
      std::vector<bool> all(calls.size(), true);
      for (size_t comparisons = 1 + random() % 3, m = 0; m < comparisons; ++m) {
        const Operator& o = kOperators[random() % std::size(kOperators)];
        const unsigned argument = random() % 6;
        const uint64_t value = any_value(random);
        text += std::string(text.empty() ? "" : m ? " && " : "||") + "arg" + std::to_string(argument) + " " + o.name + " " + std::to_string(value);
        for (size_t c = 0; c < calls.size(); ++c) all[c] = all[c] && o.met(calls[c][argument], value);
      }
      for (size_t c = 0; c < calls.size(); ++c) expected[c] = expected[c] || all[c];
    }
    std::vector<sock_filter> program;
    plugin::add_conditional_call(program, kCall, plugin::parse_condition(text, "here"), SECCOMP_RET_ERRNO | kMet, SECCOMP_RET_ERRNO | kOtherwise, "here");
    const std::vector<int> seen = answers(program, calls);
    ASSERT_EQ(seen.size(), calls.size()) << text;
    for (size_t c = 0; c < calls.size(); ++c) {
      ASSERT_EQ(seen[c], expected[c] ? kMet : kOtherwise) << "MV_SEED=" << seed << ": " << text << ", call " << c;
      met += expected[c];
      ++compared;
    }
  }
  EXPECT_GT(met, compared / 10);
  EXPECT_LT(met, compared * 9 / 10);
}

TEST(ArgumentFilter, NumbersAreWrittenInThreeWays) {
  const auto value = [](const char* text) { return plugin::parse_condition(text, "here").at(0).at(0).value; };
  EXPECT_EQ(value("arg0 == 0x10"), 16u);
  EXPECT_EQ(value("arg0==010"), 8u);
  EXPECT_EQ(value("arg0 == 10 | 0x1|04"), 15u);
  EXPECT_EQ(value("arg0 == 0xffffffffffffffff"), ~uint64_t{0});
  EXPECT_EQ(value("arg0 in 0xf"), ~uint64_t{0xf}) << "none of the others";
}

TEST(ArgumentFilter, WhatIsNoConditionIsASentence) {
  for (const char* text : {"", "arg0", "arg6 == 1", "arg == 1", "arg0 = 1", "arg0 == ", "arg0 == O_RDWR", "arg0 == 1 &&", "|| arg0 == 1", "arg0 == -1",
                           "arg0 == 0x1ffffffffffffffff", "arg0 == 1 and arg1 == 2", "(arg0 == 1)", "arg0 in"}) {
    EXPECT_THROW(plugin::parse_condition(text, "here"), std::invalid_argument) << text;
  }
  std::string many = "arg0 != 1";
  for (int i = 0; i < 100; ++i) many += " && arg0 != 1";
  std::vector<sock_filter> program;
  EXPECT_THROW(plugin::add_conditional_call(program, 1, plugin::parse_condition(many, "here"), 0, 0, "here"), std::invalid_argument);
  EXPECT_TRUE(program.empty());
}

}  // namespace
}  // namespace mv::test
