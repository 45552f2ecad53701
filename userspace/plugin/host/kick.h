// SPDX-License-Identifier: MIT
// A signal to one thread that does nothing but interrupt what it waits for: KVM_RUN ends, reads look again at what they wait for.
#pragma once

#include <csignal>
#include <mutex>

namespace mv::plugin {

inline int kick_signal() { return SIGRTMIN; }

// To be called before the first is sent.
inline void catch_kicks() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    sigaction(kick_signal(), &action, nullptr);
  });
}

}  // namespace mv::plugin
