// SPDX-License-Identifier: MIT
// From start to exit code: when vCPUs are told to end, how long the plugin may take, what the host says about it.  No clock
// and no process in here: time and events are arguments.
#pragma once

#include <cstdint>
#include <string>

namespace mv::plugin {

// Plugin processes get this long after they were told, in nanoseconds.
constexpr uint64_t kGraceNs = 1000000000;

class Lifecycle {
 public:
  enum class Step {
    wait,   // nothing to do
    tell,   // say to the plugin and to every vCPU that this is the end; call tick() when deadline() has come
    leave,  // go: outcome() is known
    kill,   // the plugin did not listen
  };

  // A vCPU has ended, somebody wrote to the shutdown eventfd, or a signal came.
  Step end(uint64_t now, const std::string& why = {}) {
    if (dying_) return Step::wait;
    dying_ = true;
    deadline_ = now + kGraceNs;
    if (!why.empty()) error_ = why;
    return Step::tell;
  }
  Step tick(uint64_t now) {
    if (!dying_ || gone_ || now < deadline_) return Step::wait;
    gone_ = true;
    error_ = "the plugin did not exit in time";
    return Step::kill;
  }
  Step plugin_exited(int code) {
    if (code && !gone_) error_ = "the plugin exited with code " + std::to_string(code);
    return gone();
  }
  Step plugin_killed(int signal) {
    if (!gone_) error_ = "the plugin was ended by signal " + std::to_string(signal);
    return gone();
  }

  bool dying() const { return dying_; }
  uint64_t deadline() const { return deadline_; }
  // Empty: all is well.
  const std::string& error() const { return error_; }

 private:
  Step gone() {
    dying_ = gone_ = true;
    return Step::leave;
  }
  bool dying_ = false, gone_ = false;
  uint64_t deadline_ = ~uint64_t{0};
  std::string error_;
};

}  // namespace mv::plugin
