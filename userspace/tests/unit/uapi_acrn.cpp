// SPDX-License-Identifier: MIT
// Our linux/acrn.h against the system's: every constant, every struct's size; and the proof at compile time, in C++.
#include <check.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <string>
#include <vector>

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

// The names that follow `before` at the start of a line of the system's header.
static std::vector<std::string> names_after(const std::string& before) {
  std::ifstream file("/usr/include/linux/acrn.h");
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(before)) continue;
    const auto first = std::find_if(line.begin() + static_cast<long>(before.size()), line.end(), [](char c) { return c != ' ' && c != '\t'; });
    const std::string name(first, std::find_if(first, line.end(), [](unsigned char c) { return !std::isalnum(c) && c != '_'; }));
    if (name.starts_with("ACRN_") || name.starts_with("PMCMD_") || name.starts_with("acrn_")) names.push_back(name);
  }
  return names;
}

TEST(UapiAcrn, ConstantsHaveTheSystemsValues) { EXPECT_EQ(table(our_constants), table(system_constants)); }

TEST(UapiAcrn, StructsHaveTheSystemsSizes) { EXPECT_EQ(table(our_structs), table(system_structs)); }

TEST(UapiAcrn, NoConstantOfTheSystemIsMissing) {
  const Table ours = table(our_constants);
  const auto defined = names_after("#define"), enumerated = names_after("\t");
  EXPECT_GT(defined.size(), 50u);
  EXPECT_GE(enumerated.size(), 4u) << "enum acrn_pm_cmd_type";
  for (const std::string& name : defined) EXPECT_TRUE(ours.contains(name)) << name;
  for (const std::string& name : enumerated) EXPECT_TRUE(ours.contains(name)) << name;
}

TEST(UapiAcrn, NoStructOfTheSystemIsMissing) {
  const Table ours = table(our_structs);
  const auto defined = names_after("struct");
  EXPECT_GT(defined.size(), 15u);
  for (const std::string& name : defined) EXPECT_TRUE(ours.contains(name)) << name;
}
