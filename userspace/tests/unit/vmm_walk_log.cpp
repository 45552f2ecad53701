// SPDX-License-Identifier: MIT
// --walk's lines.
#include "vmm/machine/walk_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using mv::Direction, mv::Space;

const mv::WalkLine kWrite{{Space::pio, Direction::write, 1, 0x3f8, 'H', 2}, {}, 5000, 6500};

TEST(WalkLine, HasTheSevenWordsAndTheirTimes) {
  mv::WalkStamps s;
  // step, exit, post, deliver, serve, complete, resume
  const uint64_t starts[] = {1000, 2000, 3000, 4000, 0, 7000, 9000};
  std::copy(std::begin(starts), std::end(starts), s.start);
  s.end = 2009000;
  EXPECT_EQ(mv::format_walk_line(kWrite, &s),
            "vcpu2 pio write 0x3f8/1 = 0x48  step 1.0us exit 1.0us post 1.0us deliver 1.0us serve 1.5us complete 2.0us resume 2.0ms");
}

TEST(WalkLine, WithoutStampsOnlyServeIsKnown) {
  EXPECT_EQ(mv::format_walk_line(kWrite, nullptr),
            "vcpu2 pio write 0x3f8/1 = 0x48  step - exit - post - deliver - serve 1.5us complete - resume -");
}

TEST(WalkLine, ReadShowsTheReply) {
  const mv::WalkLine read{{Space::config, Direction::read, 4, 0x1000, 7, 0}, {.data = 0xabc}, 1, 2};
  EXPECT_THAT(mv::format_walk_line(read, nullptr), testing::StartsWith("vcpu0 config read 0x1000/4 = 0xabc "));
}

}  // namespace
