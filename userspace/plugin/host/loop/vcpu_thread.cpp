// SPDX-License-Identifier: MIT
#include "plugin/host/loop/vcpu_thread.h"

#include <pthread.h>

#include <cstdio>
#include <utility>

#include "plugin/host/kick.h"

namespace mv::plugin {

VcpuThread::VcpuThread(MachineVcpu& vcpu, const Shared& shared, StartLine& line, std::unique_ptr<VcpuChannel> channel, std::function<void()> begun,
                       std::function<void()> ended)
    : vcpu_(vcpu), session_(vcpu, shared), line_(line), begun_(std::move(begun)), ended_(std::move(ended)), channel_(std::move(channel)) {}

void VcpuThread::start() {
  catch_kicks();
  thread_ = std::thread([this] { run(); });
}

void VcpuThread::pause(uint64_t user) {
  {
    std::lock_guard lock(mutex_);
    pause_ = user;
  }
  vcpu_.kick();
}

std::optional<uint64_t> VcpuThread::take_pause() {
  std::lock_guard lock(mutex_);
  return std::exchange(pause_, std::nullopt);
}

void VcpuThread::tell() {
  dying_ = true;
  channel_->tell();
  if (thread_.joinable()) pthread_kill(thread_.native_handle(), kick_signal());  // it may wait for the plugin's next word
  vcpu_.kick();
}

void VcpuThread::stop() {
  if (!thread_.joinable()) return;
  tell();
  thread_.join();
}

bool VcpuThread::write_out() {
  if (out_.empty()) return true;
  const bool all = channel_->write(out_);
  out_.clear();
  return all;
}

bool VcpuThread::talk(VcpuSession::Next next) {
  if (!write_out()) return false;
  std::string_view bytes;  // first, what is left from before
  while (next == VcpuSession::Next::read && !dying_) {
    next = session_.take(std::exchange(bytes, {}), out_);
    if (!write_out()) return false;
    if (next == VcpuSession::Next::run && !channel_->resumed()) return false;
    if (next == VcpuSession::Next::read && !session_.has_more() && !channel_->read(bytes)) return false;
  }
  return next == VcpuSession::Next::run && !dying_;
}

void VcpuThread::run() {
  try {
    work();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "mvmm: a vCPU has ended: %s\n", e.what());
  }
  ended_();
}

void VcpuThread::work() {
  begun_();
  bool alive = talk(session_.post_init()) && line_.wait();
  while (alive && !dying_) {
    const VcpuExit exit = vcpu_.run();
    if (exit.kind == VcpuExit::accessed) {
      alive = talk(session_.post_access(exit.access, out_));
    } else if (exit.kind == VcpuExit::hyperv_call) {
      alive = talk(session_.post_hyperv_call(exit.words, out_));
    } else if (exit.kind == VcpuExit::hyperv_synic) {
      alive = talk(session_.post_hyperv_synic(exit.words, out_));
    } else if (exit.kind == VcpuExit::shut_down) {
      alive = false;
    } else if (const auto user = take_pause()) {
      alive = talk(session_.post_paused(*user, out_));
    }
  }
}

}  // namespace mv::plugin
