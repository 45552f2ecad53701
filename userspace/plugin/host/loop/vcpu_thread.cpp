// SPDX-License-Identifier: MIT
#include "plugin/host/loop/vcpu_thread.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

namespace mv::plugin {

namespace {

// As crosvm has them: also the longest request.
constexpr int kPipeBytes = 256 << 10;
constexpr std::string_view kShutdown("\x42\x00", 2);

void make_pipe(Fd (&ends)[2]) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC)) throw_errno("a vCPU's pipe");
  ends[0] = Fd(fds[0]);
  ends[1] = Fd(fds[1]);
  fcntl(fds[1], F_SETPIPE_SZ, kPipeBytes);  // a small one serves too
}

}  // namespace

VcpuThread::VcpuThread(MachineVcpu& vcpu, const Shared& shared, StartLine& line, std::function<void()> ended)
    : vcpu_(vcpu), session_(vcpu, shared), line_(line), ended_(std::move(ended)), abandoned_(eventfd(0, EFD_CLOEXEC)), in_(kPipeBytes, '\0') {
  make_pipe(to_host_);
  make_pipe(to_plugin_);
  // The plugin shares the description of the end it writes to; this is another.
  const std::string path = "/proc/self/fd/" + std::to_string(to_host_[1].get());
  to_self_ = Fd(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!to_self_ || !abandoned_) throw_errno("a vCPU's pipe");
  fcntl(to_plugin_[1].get(), F_SETFL, O_NONBLOCK);
}

void VcpuThread::start() {
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
  const uint64_t one = 1;
  // a full pipe wakes the reader as well
  [[maybe_unused]] ssize_t n = ::write(to_self_.get(), kShutdown.data(), kShutdown.size());
  n = ::write(abandoned_.get(), &one, sizeof(one));
  vcpu_.kick();
}

void VcpuThread::stop() {
  if (!thread_.joinable()) return;
  tell();
  thread_.join();
}

bool VcpuThread::write_out() {
  std::string_view rest = out_;
  while (!rest.empty()) {
    const ssize_t n = ::write(to_plugin_[1].get(), rest.data(), rest.size());
    if (n >= 0) {
      rest.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd either[2] = {{to_plugin_[1].get(), POLLOUT, 0}, {abandoned_.get(), POLLIN, 0}};
      ::poll(either, 2, -1);
      if (either[1].revents) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  out_.clear();
  return true;
}

bool VcpuThread::talk(VcpuSession::Next next) {
  if (!write_out()) return false;
  size_t bytes = 0;  // first, what is left from before
  while (next == VcpuSession::Next::read && !dying_) {
    next = session_.take({in_.data(), bytes}, out_);
    if (!write_out()) return false;
    if (next != VcpuSession::Next::read) break;
    const ssize_t n = ::read(to_host_[0].get(), in_.data(), in_.size());
    if (n == 0 || (n < 0 && errno != EINTR)) return false;
    bytes = n < 0 ? 0 : static_cast<size_t>(n);
  }
  return next == VcpuSession::Next::run && !dying_;
}

void VcpuThread::run() {
  bool alive = talk(session_.post_init()) && line_.wait();
  while (alive && !dying_) {
    const VcpuExit exit = vcpu_.run();
    if (exit.kind == VcpuExit::accessed) {
      alive = talk(session_.post_access(exit.access, out_));
    } else if (exit.kind == VcpuExit::shut_down) {
      alive = false;
    } else if (const auto user = take_pause()) {
      alive = talk(session_.post_paused(*user, out_));
    }
  }
  ended_();
}

}  // namespace mv::plugin
