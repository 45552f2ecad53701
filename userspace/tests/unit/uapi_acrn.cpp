// SPDX-License-Identifier: MIT
// Our linux/acrn.h against the system's: every constant, every struct's size; and the proof at compile time, in C++.
#include <check.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "uapi_acrn_names.h"

extern "C" {
extern const named_value system_constants[], system_structs[], our_constants[], our_structs[];
}

using Table = std::map<std::string, unsigned long long>;

static Table table(const named_value* v) {
  Table t;
  for (; v->name; ++v) t[v->name] = v->value;
  return t;
}

// The words that a pattern's first group finds in the system's header.
static std::vector<std::string> words_of_system_header(const char* pattern) {
  std::ifstream file("/usr/include/linux/acrn.h");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::regex regex(pattern, std::regex::ECMAScript | std::regex::multiline);
  std::vector<std::string> words;
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end; ++i) words.push_back((*i)[1]);
  return words;
}

TEST(UapiAcrn, ConstantsHaveTheSystemsValues) { EXPECT_EQ(table(our_constants), table(system_constants)); }

TEST(UapiAcrn, StructsHaveTheSystemsSizes) { EXPECT_EQ(table(our_structs), table(system_structs)); }

TEST(UapiAcrn, NoConstantOfTheSystemIsMissing) {
  const Table ours = table(our_constants);
  const auto defined = words_of_system_header(R"(^#define\s+((?:ACRN|PMCMD)_\w+)\s)");
  EXPECT_GT(defined.size(), 50u);
  for (const std::string& name : defined) EXPECT_TRUE(ours.contains(name)) << name;
  for (const std::string& name : words_of_system_header(R"(^\t(ACRN_\w+),)")) EXPECT_TRUE(ours.contains(name)) << name;
}

TEST(UapiAcrn, NoStructOfTheSystemIsMissing) {
  const Table ours = table(our_structs);
  const auto defined = words_of_system_header(R"(^struct (acrn_\w+) \{)");
  EXPECT_GT(defined.size(), 15u);
  for (const std::string& name : defined) EXPECT_TRUE(ours.contains(name)) << name;
}
