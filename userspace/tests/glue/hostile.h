// SPDX-License-Identifier: MIT
// What tests of guests that mean no good have in common, whichever driver runs them.
#pragma once

#include <chrono>
#include <ostream>

#include "glue/runner.h"

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

}  // namespace mv::glue
