// SPDX-License-Identifier: MIT
// The thread of one vCPU: runs the guest, carries the session's bytes through its channel.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "plugin/host/loop/vcpu_channel.h"
#include "plugin/host/vcpu_session.h"

namespace mv::plugin {

// No guest code runs before every vCPU was resumed from its first event.
class StartLine {
 public:
  explicit StartLine(unsigned vcpus) : missing_(vcpus) {}
  // False: it is over before it began.
  bool wait() {
    std::unique_lock lock(mutex_);
    if (!--missing_) changed_.notify_all();
    changed_.wait(lock, [&] { return !missing_ || over_; });
    return !over_;
  }
  void over() {
    std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned missing_;
  bool over_ = false;
};

class VcpuThread {
 public:
  // The thread comes with start().  `begun` is called on it first, and `ended` last.
  VcpuThread(MachineVcpu& vcpu, const Shared& shared, StartLine& line, std::unique_ptr<VcpuChannel> channel, std::function<void()> begun,
             std::function<void()> ended);
  ~VcpuThread() { stop(); }

  const VcpuChannel& channel() const { return *channel_; }
  void start();
  bool running() const { return thread_.joinable(); }
  void pause(uint64_t user);
  // The thread will end soon, wherever it waits.
  void tell();
  void stop();

 private:
  void run();
  void work();
  // Writes what the session said and, if the plugin has the word, listens to it until the guest goes on.  False: it is over.
  bool talk(VcpuSession::Next next);
  bool write_out();
  std::optional<uint64_t> take_pause();

  MachineVcpu& vcpu_;
  VcpuSession session_;
  StartLine& line_;
  std::function<void()> begun_, ended_;
  std::unique_ptr<VcpuChannel> channel_;
  std::string out_;
  std::mutex mutex_;
  std::optional<uint64_t> pause_;
  std::atomic<bool> dying_ = false;
  std::thread thread_;
};

}  // namespace mv::plugin
