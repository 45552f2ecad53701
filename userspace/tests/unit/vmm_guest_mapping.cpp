// SPDX-License-Identifier: MIT
// Guest memory: ordinary, and huge pages that are not there.
#include "vmm/backend/guest_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace {

using testing::AllOf, testing::HasSubstr;

std::string refusal(uint64_t bytes) {
  mv::VmConfig config;
  config.memory_bytes = bytes;
  config.huge_pages = true;
  try {
    mv::guest_mapping(config);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "(given)";
}

TEST(GuestMapping, OrdinaryPages) {
  mv::VmConfig config;
  config.memory_bytes = 5 << 12;
  const mv::Mapping m = mv::guest_mapping(config);
  EXPECT_EQ(m.size(), 5u << 12);
  m.as<char>()[(5 << 12) - 1] = 1;
}

TEST(GuestMapping, APoolThatIsTooSmallSaysWhatToDo) {
  EXPECT_THAT(refusal(uint64_t{1} << 43), AllOf(HasSubstr("needs 4194304 huge pages"), HasSubstr("echo 4194304 > /proc/sys/vm/nr_hugepages")));
  EXPECT_THAT(refusal(3 << 20), HasSubstr("multiple of 2m"));
}

}  // namespace
