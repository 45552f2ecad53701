// SPDX-License-Identifier: MIT
// How a machine ended, and the process exit code that says so.
#pragma once

#include <cstdint>
#include <string>

namespace mv {

enum class OutcomeKind { exited, powered_off, reset, crashed, stopped };

struct Outcome {
  OutcomeKind kind = OutcomeKind::stopped;
  uint64_t code = 0;   // exited: what the guest wrote to the debug exit device
  std::string detail;  // crashed: one sentence
};

// Documented in --help and in README.md.
constexpr int kExitUsage = 2;
constexpr int kExitCrashed = 100;
constexpr int kExitReset = 101;
constexpr int kExitStopped = 102;
constexpr int kExitFailed = 103;
constexpr int kExitGuestMax = 99;

constexpr int exit_code(const Outcome& o) {
  switch (o.kind) {
    case OutcomeKind::exited:
      return o.code > kExitGuestMax ? kExitGuestMax : static_cast<int>(o.code);
    case OutcomeKind::powered_off:
      return 0;
    case OutcomeKind::reset:
      return kExitReset;
    case OutcomeKind::crashed:
      return kExitCrashed;
    case OutcomeKind::stopped:
      return kExitStopped;
  }
  return kExitFailed;
}

}  // namespace mv
