// SPDX-License-Identifier: MIT
// What a plugin writes to standard error: as lines, and to the host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "plugin/host/lines.h"
#include "plugin/host/loop/plugin_host.h"

namespace mv::test {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

std::vector<std::string> lines_of(std::initializer_list<std::string> pieces) {
  std::vector<std::string> out;
  plugin::Lines lines([&](std::string_view line) { out.emplace_back(line); });
  for (const std::string& p : pieces) lines.feed(p);
  lines.finish();
  return out;
}

TEST(PluginLines, ComeWholeHoweverTheyAreCut) {
  EXPECT_THAT(lines_of({"on", "e\ntwo\n\nth", "ree"}), ElementsAre("one", "two", "", "three"));
  EXPECT_THAT(lines_of({}), ElementsAre());
}

TEST(PluginLines, HaveNothingThatATerminalObeys) {
  EXPECT_THAT(lines_of({std::string("\x1b[2J\r\a\0tab\tü\x7f\n", 15)}), ElementsAre("?[2J???tab\tü?"));
}

TEST(PluginLines, AreOfBoundedLength) {
  const auto lines = lines_of({std::string(2500, 'x')});
  EXPECT_THAT(lines, ElementsAre(SizeIs(plugin::Lines::kLongest), SizeIs(plugin::Lines::kLongest), SizeIs(2500 - 2 * plugin::Lines::kLongest)));
}

struct ShellRun {
  std::string error;
  std::vector<std::string> lines;
};

ShellRun run_shell(const std::string& script) {
  ShellRun run;
  const auto machine = plugin::make_inproc_machine(1);
  run.error = plugin::run_plugin(*machine, {"/bin/sh", {"-c", script}, plugin::Wire::today, [&](std::string_view line) { run.lines.emplace_back(line); }});
  return run;
}

TEST(PluginOutput, IsTheHostsEvenTheLastWord) {
  const ShellRun run = run_shell("echo first >&2; printf last >&2; exit 3");
  EXPECT_EQ(run.error, "the plugin exited with code 3");
  EXPECT_THAT(run.lines, ElementsAre("first", "last"));
}

// A megabyte before it exits: nobody waits for anybody, and nothing is lost.
TEST(PluginOutput, MayBeLong) {
  const ShellRun run = run_shell("i=0; while [ $i -lt 20000 ]; do echo \"$i and so on until a megabyte is full\" >&2; i=$((i+1)); done");
  EXPECT_EQ(run.error, "");
  ASSERT_THAT(run.lines, SizeIs(20000));
  EXPECT_EQ(run.lines.back(), "19999 and so on until a megabyte is full");
}

// A descendant that keeps the pipe, and writes to it without end, does not keep the host.
TEST(PluginOutput, OfALeftOverProcessIsNotWaitedFor) {
  const auto start = std::chrono::steady_clock::now();
  const ShellRun run = run_shell("(sleep 2; echo late >&2) & timeout 2 yes >&2 & sleep 0.1; echo mine >&2");
  EXPECT_EQ(run.error, "");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(1800));
  EXPECT_GT(run.lines.size(), 100u);
}

}  // namespace
}  // namespace mv::test
