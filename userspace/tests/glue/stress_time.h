// SPDX-License-Identifier: MIT
// How long a stress test goes on: MV_STRESS_SECONDS; without it just long enough to see that it works.
#pragma once

#include <chrono>
#include <cstdlib>

#include "glue/runner.h"

namespace mv::glue {

inline std::chrono::milliseconds stress_time() {
  const char* s = std::getenv("MV_STRESS_SECONDS");
  return s ? std::chrono::seconds(std::atoi(s)) : std::chrono::milliseconds(kStorm);
}

}  // namespace mv::glue
