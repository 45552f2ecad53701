// SPDX-License-Identifier: MIT
// Messages of today as those of 2018, and back.
#include "plugin/wire/wire2018.h"

#include <gtest/gtest.h>

#include "tests/plugin/hex.h"

namespace mv::test {
namespace {

struct Pair {
  const char *today, *then;
};

// Both directions.
void expect_pairs(std::initializer_list<Pair> pairs, std::string (*of_2018)(std::string_view), std::string (*for_2018)(std::string_view)) {
  for (const Pair& p : pairs) {
    EXPECT_EQ(to_hex(of_2018(from_hex(p.then))), p.today);
    EXPECT_EQ(to_hex(for_2018(from_hex(p.today))), p.then);
  }
}

TEST(PluginWire2018, MainRequests) {
  expect_pairs({{"0a06080122021001", "0a06080122021001"},
                {"520510f8071801", "320510f8071801"},
                {"5a020801", "3a020801"},
                {"6200", "4200"},
                {"7a020801", "4a020801"},
                {"8201020801", "52020801"},
                {"8a0100", "5a00"},
                {"920100", "6200"},
                {"aa0600", "aa0600"},
                {"", ""}},
               wire::main_request_of_2018, wire::main_request_for_2018);
}

TEST(PluginWire2018, MainResponses) {
  expect_pairs({{"32020801", "32020801"}, {"082c9a0100", "082b6a00"}, {"08025a00", "08013a00"}, {"920100", "6200"}, {"aa06040a020001", "aa06040a020001"}},
               wire::main_response_of_2018, wire::main_response_for_2018);
}

TEST(PluginWire2018, VcpuMessages) {
  expect_pairs({{"0a00", "0a00"}, {"12030a0100", "12030a0100"}, {"1a020801", "1a020801"}}, wire::vcpu_request_of_2018, wire::vcpu_request_for_2018);
  expect_pairs({{"12020a00", "12020a00"}, {"120a120810f80718012a0139", "120a120810f8071801220139"}, {"088e01", "088d01"}}, wire::vcpu_response_of_2018,
               wire::vcpu_response_for_2018);
}

TEST(PluginWire2018, WhatItDoesNotHaveIsLeftOut) {
  EXPECT_EQ(to_hex(wire::main_request_of_2018(from_hex("320710800a18012001"))), "520510800a1801") << "no asynchronous writes";
  EXPECT_EQ(to_hex(wire::vcpu_request_for_2018(from_hex("12060a0107120101"))), "12030a0107") << "no registers";
  EXPECT_EQ(to_hex(wire::main_request_of_2018(from_hex("6a00"))), "fa0700") << "an unknown request stays one";
  EXPECT_EQ(to_hex(wire::vcpu_request_of_2018(from_hex("4200"))), "fa0700") << "nobody shuts the host down";
}

TEST(PluginWire2018, WhatCannotBeReadStaysSo) {
  for (const char* bad : {"32", "3205", "320510", "0a05080110", "ffffffffff", "0b00"}) {
    EXPECT_EQ(to_hex(wire::main_request_of_2018(from_hex(bad))), "ffffffffff") << bad;
  }
}

}  // namespace
}  // namespace mv::test
