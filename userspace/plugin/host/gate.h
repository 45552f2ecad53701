// SPDX-License-Identifier: MIT
// vCPUs are inside while they run; whoever changes memory under them waits until all are out, and keeps them out.
#pragma once

#include <condition_variable>
#include <mutex>

namespace mv::plugin {

class Gate {
 public:
  void enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !closed_; });
    ++inside_;
  }
  void leave() {
    std::lock_guard lock(mutex_);
    if (!--inside_ && closed_) changed_.notify_all();
  }
  // `kick` makes those inside leave soon.
  template <typename Kick, typename Body>
  auto alone(Kick kick, Body body) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !closed_; });
    closed_ = true;
    kick();
    changed_.wait(lock, [&] { return !inside_; });
    lock.unlock();
    const Opening opening(*this);
    return body();
  }

 private:
  struct Opening {
    explicit Opening(Gate& g) : gate(g) {}
    ~Opening() {
      std::lock_guard lock(gate.mutex_);
      gate.closed_ = false;
      gate.changed_.notify_all();
    }
    Gate& gate;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned inside_ = 0;
  bool closed_ = false;
};

}  // namespace mv::plugin
