// SPDX-License-Identifier: MIT
// The host inside a process that goes on: nothing of a plugin's machine stays.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "plugin/host/loop/plugin_host.h"

namespace mv::test {
namespace {

size_t entries(const char* directory) {
  size_t n = 0;
  for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator(directory)) ++n;
  return n;
}

std::string run_killed(unsigned microseconds, unsigned vcpus) {
  setenv("MV_UNDER_HOST", "1", 1);
  setenv("MV_MICROSECONDS", std::to_string(microseconds).c_str(), 1);
  const auto machine = plugin::make_inproc_machine(vcpus);
  return plugin::run_plugin(*machine, {MV_STATEMENTS, {"--gtest_filter=Plugin.Statement29_APluginThatIsKilledEndsTheHost"}});
}

TEST(PluginHost, APluginThatIsKilledLeavesNeitherDescriptorsNorThreads) {
  const char* given = getenv("MV_SEED");
  const unsigned seed = given ? static_cast<unsigned>(atoi(given)) : std::random_device{}();
  std::mt19937 random(seed);
  run_killed(5000, 2);
  const size_t fds = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(run_killed(random() % 12000, 1 + i % 2), "the plugin was ended by signal 9") << "MV_SEED=" << seed << ", run " << i;
    ASSERT_EQ(entries("/proc/self/fd"), fds) << "MV_SEED=" << seed << ", run " << i;
    ASSERT_EQ(entries("/proc/self/task"), threads) << "MV_SEED=" << seed << ", run " << i;
  }
}

TEST(PluginHost, APluginThatCannotBeStartedLeavesNothing) {
  const size_t fds = entries("/proc/self/fd");
  for (int i = 0; i < 5; ++i) {
    const auto machine = plugin::make_inproc_machine(4);
    EXPECT_THROW(plugin::run_plugin(*machine, {"/no/such/program", {}}), std::system_error);
  }
  EXPECT_EQ(entries("/proc/self/fd"), fds);
}

}  // namespace
}  // namespace mv::test
