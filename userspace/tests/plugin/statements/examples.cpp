// SPDX-License-Identifier: MIT
// The example plugins, on whichever backend the statements run.
#include "tests/plugin/statements/under_host.h"

namespace mv::test {
namespace {

struct Example {
  const char *name, *vcpus, *output;
};

class PluginExample : public testing::TestWithParam<Example> {};

TEST_P(PluginExample, Runs) {
  if (under_host()) GTEST_SKIP();
  std::string program = MV_EXAMPLES "/plugin_";
  program += GetParam().name;
  const auto run = run_mvmm({"--plugin", program, "--cpus", GetParam().vcpus});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.output, GetParam().output);
}

INSTANTIATE_TEST_SUITE_P(All, PluginExample,
                         testing::Values(Example{"serial", "1", "Hello from a plugin's machine.\n"}, Example{"disk", "1", "Hello from sector 0.\n"},
                                         Example{"monitor", "2",
                                                 "vCPU 0: jump at 1003h made NOPs\nvCPU 1: moved to 1105h\nboth vCPUs are done\n"}),
                         [](const auto& example) { return example.param.name; });

}  // namespace
}  // namespace mv::test
