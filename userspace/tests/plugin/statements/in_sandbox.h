// SPDX-License-Identifier: MIT
// A test that is a plugin in a sandbox: `mvmm --plugin` with options, this very program and this very test.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/plugin/statements/under_host.h"

namespace mv::test {

namespace fs = std::filesystem;

inline std::string this_program() { return fs::read_symlink("/proc/self/exe"); }

inline std::vector<std::string> this_test_with(std::initializer_list<std::string> options) {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const fs::path program = this_program(), libraries = program.parent_path().parent_path() / "lib";
  std::vector<std::string> words = {"--plugin", program, "--params", std::string("--gtest_filter=") + info->test_suite_name() + "." + info->name(),
                                    "--plugin-mount", libraries};
  words.insert(words.end(), options);
  return words;
}

inline HostRun run_in_sandbox(std::initializer_list<std::string> options = {}) { return run_mvmm(this_test_with(options)); }

inline void expect_passed(const HostRun& run) {
  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_THAT(run.output, testing::HasSubstr("plugin: [  PASSED  ] 1 test")) << "captured";
}

// A directory of the test's own, gone with it; another run of the same test has another.
class Scratch {
 public:
  Scratch() : path_(fs::path(testing::TempDir()) / ("mv-plugin-" + std::to_string(getpid()))) { fs::create_directory(path_); }
  ~Scratch() { fs::remove_all(path_); }
  fs::path write(const char* name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace mv::test
