// SPDX-License-Identifier: MIT
#include "glue/runner.h"

#include <algorithm>
#include <csignal>

namespace mv::glue {

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  // mostly what is waited for is near
  for (auto nap = 20us; !condition(); nap = std::min(nap * 2, 1000us)) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(nap);
  }
  return true;
}

static void install_handler() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &action, nullptr);
}

Runner::Runner(std::function<Result()> call) {
  install_handler();
  thread_ = std::thread([this, call = std::move(call)] {
    begun_ = true;
    result_ = call();
    done_ = true;
  });
}

Runner::~Runner() {
  while (!done_) {
    signal();
    std::this_thread::sleep_for(5ms);
  }
  thread_.join();
}

void Runner::signal() {
  signalled_ = true;
  ::pthread_kill(thread_.native_handle(), SIGUSR1);
}

bool Runner::blocks() {
  if (!eventually([this] { return begun_.load(); })) return false;
  std::this_thread::sleep_for(kWhile);
  return !done_;
}

Result Runner::result() {
  const auto out = [this] { return done_.load(); };
  for (int i = 0; i < 200; ++i) {
    if (eventually(out, 100ms)) return result_;
    if (signalled_) signal();
  }
  return fails(ETIMEDOUT);
}

}  // namespace mv::glue
