// SPDX-License-Identifier: MIT
#include "vmm/loop/quit_keys.h"

#include <gtest/gtest.h>

#include <string_view>

static std::span<const uint8_t> bytes(std::string_view s) { return {reinterpret_cast<const uint8_t*>(s.data()), s.size()}; }
static std::string text(const mv::QuitKeys::Result& r) { return {r.typed.begin(), r.typed.end()}; }

TEST(QuitKeys, OrdinaryBytesPass) {
  mv::QuitKeys k;
  EXPECT_EQ(text(k.feed(bytes("ab\x03"))), "ab\x03");
}

TEST(QuitKeys, EscapeXQuitsAndDropsTheRest) {
  mv::QuitKeys k;
  const auto r = k.feed(bytes("ab\x01xcd"));
  EXPECT_TRUE(r.quit);
  EXPECT_EQ(text(r), "ab");
}

TEST(QuitKeys, EscapeMaySplitAcrossReads) {
  mv::QuitKeys k;
  EXPECT_FALSE(k.feed(bytes("\x01")).quit);
  EXPECT_TRUE(k.feed(bytes("X")).quit);
}

TEST(QuitKeys, EscapeTwiceTypesOne) {
  mv::QuitKeys k;
  EXPECT_EQ(text(k.feed(bytes("\x01\x01z"))), "\x01z");
}

TEST(QuitKeys, UnknownCommandTypesNothing) {
  mv::QuitKeys k;
  const auto r = k.feed(bytes("\x01qz"));
  EXPECT_FALSE(r.quit);
  EXPECT_EQ(text(r), "z");
}
