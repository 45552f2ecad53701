// SPDX-License-Identifier: MIT
// The thread on which devices do what no vCPU should wait for: alarms, file I/O, doorbells that come as descriptors.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace mv {

class DeviceLoop {
 public:
  using Job = std::function<void()>;

  DeviceLoop();
  ~DeviceLoop();
  // Waits for the job that runs; no other will run.  Whoever has given jobs calls this before what they use is gone.
  void stop();

  // From any thread: jobs run one after the other, in order.
  void post(Job job);

  // One alarm: `job` at steady-clock nanosecond `at` or soon after, instead of what was set before; ~0: never.
  class Alarm {
   public:
    Alarm(DeviceLoop& loop, Job job);
    ~Alarm();
    void set(uint64_t at);

   private:
    struct State;
    std::shared_ptr<State> state_;
  };

  // Calls `rung` whenever the eventfd is readable, after its counter was taken.  The descriptor is borrowed: it must stay
  // open until this is gone.
  class Watch {
   public:
    Watch(DeviceLoop& loop, int eventfd, Job rung);
    ~Watch();

   private:
    struct State;
    std::shared_ptr<State> state_;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mv
