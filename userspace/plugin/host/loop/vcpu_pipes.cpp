// SPDX-License-Identifier: MIT
// A vCPU's two pipes.
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "plugin/host/loop/vcpu_channel.h"

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

class Pipes final : public VcpuChannel {
 public:
  Pipes() : abandoned_(eventfd(0, EFD_CLOEXEC)), in_(kPipeBytes, '\0') {
    make_pipe(to_host_);
    make_pipe(to_plugin_);
    // The plugin shares the description of the end it writes to; this is another.
    const std::string path = "/proc/self/fd/" + std::to_string(to_host_[1].get());
    to_self_ = Fd(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (!to_self_ || !abandoned_) throw_errno("a vCPU's pipe");
    fcntl(to_plugin_[1].get(), F_SETFL, O_NONBLOCK);
  }

  std::vector<int> plugin_fds() const override { return {to_host_[1].get(), to_plugin_[0].get()}; }

  bool write(std::string_view rest) override {
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
    return true;
  }

  bool read(std::string_view& bytes) override {
    ssize_t n;
    do {
      n = ::read(to_host_[0].get(), in_.data(), in_.size());
    } while (n < 0 && errno == EINTR);
    if (n <= 0) return false;
    bytes = {in_.data(), static_cast<size_t>(n)};
    return true;
  }

  void tell() override {
    const uint64_t one = 1;
    // whoever else opens the pipe may take the word away: then the reader, interrupted, finds nothing to wait for
    fcntl(to_host_[0].get(), F_SETFL, O_NONBLOCK);
    [[maybe_unused]] ssize_t n = ::write(to_self_.get(), kShutdown.data(), kShutdown.size());
    n = ::write(abandoned_.get(), &one, sizeof(one));
  }

 private:
  Fd to_host_[2], to_plugin_[2];
  Fd to_self_;    // the first pipe's write end once more: it must not block
  Fd abandoned_;  // an eventfd
  std::string in_;
};

}  // namespace

std::unique_ptr<VcpuChannel> make_vcpu_pipes() { return std::make_unique<Pipes>(); }

}  // namespace mv::plugin
