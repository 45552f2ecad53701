// SPDX-License-Identifier: MIT
// Time as devices see it.  Tests bring a clock of their own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace mv {

constexpr uint64_t kNever = ~uint64_t{0};
constexpr uint64_t kNsPerSecond = 1000000000;

// What clocks of the guest start from: nanoseconds since 1970.
inline uint64_t utc_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

// now: nanoseconds, never backwards.  wake_at: the device wants its expire() called at that time or soon after, with the
// devices' lock held; a later call replaces an earlier one, kNever cancels.
struct Timing {
  std::function<uint64_t()> now;
  std::function<void(uint64_t)> wake_at;
};

// Whole periods of `hz` in `ns`, and the first nanosecond at which that many have passed.
constexpr uint64_t ticks_in(uint64_t ns, uint64_t hz) { return static_cast<uint64_t>(static_cast<unsigned __int128>(ns) * hz / kNsPerSecond); }
constexpr uint64_t ns_of(uint64_t ticks, uint64_t hz) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(ticks) * kNsPerSecond + hz - 1) / hz);
}

}  // namespace mv
