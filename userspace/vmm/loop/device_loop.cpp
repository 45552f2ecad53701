// SPDX-License-Identifier: MIT
#include "vmm/loop/device_loop.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <utility>  // this Asio uses std::exchange without naming it

#include <boost/asio.hpp>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

namespace mv {

namespace asio = boost::asio;

struct DeviceLoop::State {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
  std::thread thread;
};

DeviceLoop::DeviceLoop() : state_(std::make_unique<State>()) {
  state_->thread = std::thread([this] { state_->context.run(); });
}

DeviceLoop::~DeviceLoop() { stop(); }

void DeviceLoop::stop() {
  state_->context.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

void DeviceLoop::post(Job job) { asio::post(state_->context, std::move(job)); }

// Timers and descriptors are touched on the loop's thread only; handlers keep what they need alive, and are told by `gone`
// that nobody wants them any more.
struct DeviceLoop::Alarm::State {
  State(asio::io_context& context, Job job) : context(context), timer(context), job(std::move(job)) {}
  asio::io_context& context;
  asio::steady_timer timer;
  Job job;
  bool gone = false;
};

DeviceLoop::Alarm::Alarm(DeviceLoop& loop, Job job) : state_(std::make_shared<State>(loop.state_->context, std::move(job))) {}

DeviceLoop::Alarm::~Alarm() {
  asio::post(state_->context, [s = state_] {
    s->gone = true;
    s->timer.cancel();
  });
}

void DeviceLoop::Alarm::set(uint64_t at) {
  asio::post(state_->context, [s = state_, at] {
    s->timer.cancel();
    if (at == ~uint64_t{0} || s->gone) return;
    s->timer.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(at)));
    s->timer.async_wait([s](const boost::system::error_code& error) {
      if (!error && !s->gone) s->job();
    });
  });
}

namespace {

// Others have the descriptor too: they may take the count, and make reads wait.
bool take_count(int eventfd) {
  uint64_t count;
  const iovec place = {&count, sizeof count};
  ssize_t n = ::preadv2(eventfd, &place, 1, -1, RWF_NOWAIT);
  if (n < 0 && errno == EOPNOTSUPP) n = ::read(eventfd, &count, sizeof count);  // Linux before 5.8
  return n == sizeof count;
}

}  // namespace

struct DeviceLoop::Watch::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, int fd, Job rung) : descriptor(context, fd), rung(std::move(rung)) {}
  void wait() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->gone) return;
      if (take_count(self->descriptor.native_handle())) self->rung();
      if (!self->gone) self->wait();
    });
  }
  asio::posix::stream_descriptor descriptor;
  Job rung;
  bool gone = false;
};

namespace {

// std::system_error, unlike Asio's own: whoever ran out of descriptors may have a client to tell.
int duplicate(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw std::system_error(errno, std::generic_category(), "watching an eventfd");
  return copy;
}

}  // namespace

DeviceLoop::Watch::Watch(DeviceLoop& loop, int eventfd, Job rung)
    : state_(std::make_shared<State>(loop.state_->context, duplicate(eventfd), std::move(rung))) {
  asio::post(loop.state_->context, [s = state_] { s->wait(); });
}

DeviceLoop::Watch::~Watch() {
  asio::post(state_->descriptor.get_executor(), [s = state_] {
    s->gone = true;
    s->descriptor.cancel();
  });
}

}  // namespace mv
