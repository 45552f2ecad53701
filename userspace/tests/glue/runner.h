// SPDX-License-Identifier: MIT
// One call in a thread of its own: does it block, what wakes it, what does it return.
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "glue/result.h"

namespace mv::glue {

using namespace std::chrono_literals;

// What is not to happen would have happened by then; also how long threads are left to disturb each other.
constexpr auto kWhile = 20ms, kStorm = 200ms;

// Polls until it is true; false after a time that even an emulated machine does not need.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = 20s);

class Runner {
 public:
  explicit Runner(std::function<Result()> call);
  // A call that is still inside is brought out by SIGUSR1, again and again.
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // SIGUSR1, whose handler does nothing and restarts no call.  One that comes before the thread is in its call is nobody's:
  // result() repeats it now and then.
  void signal();
  bool done() const { return done_; }
  // True if the call was begun and is still inside after a while.
  bool blocks();
  // The call's result; a call that does not end is a failure and gives -ETIMEDOUT.
  Result result();

 private:
  std::atomic<bool> begun_ = false;
  std::atomic<bool> done_ = false;
  bool signalled_ = false;
  Result result_;
  std::thread thread_;
};

}  // namespace mv::glue
