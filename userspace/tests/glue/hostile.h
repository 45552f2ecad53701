// SPDX-License-Identifier: MIT
// What tests of guests that mean no good have in common, whichever driver runs them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <ostream>

#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

// A hang is what fails; how long it takes is printed, for a busy machine adds to it as it likes.
constexpr auto kHang = 5s;

template <typename Vm>
struct HostileGuest {
  const char* name;
  void (*boot)(Vm&);
  friend void PrintTo(const HostileGuest& g, std::ostream* out) { *out << g.name; }
};

inline double milliseconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// The child is a VMM with such a guest.
inline void kill_vmm(Child& child, const char* name) {
  ASSERT_TRUE(child.ready());
  const auto start = std::chrono::steady_clock::now();
  child.kill();
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(took, kHang);
  std::printf("%s: gone after %.2f ms\n", name, milliseconds(took));
}

}  // namespace mv::glue
