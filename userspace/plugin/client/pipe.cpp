// SPDX-License-Identifier: MIT
#include "plugin/client/pipe.h"

#include <pthread.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>

namespace mv::plugin {

namespace {

// Pipes have no MSG_NOSIGNAL.  A SIGPIPE that a write causes goes to the thread that wrote, so it can be caught here; one that
// was pending already stays.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE);
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeBlocked() {
    if (caused_ && !was_pending_) {
      const timespec now = {};
      while (sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  void caused() { caused_ = true; }

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false, caused_ = false;
};

// RWF_NOSIGNAL of Linux 6.18 saves the three calls that the mask costs.
constexpr int kNoSignal = 0x100;

// Nothing: this kernel does not know the flag.
std::optional<int> write_without_signal(int pipe, std::string_view& bytes) {
  static std::atomic<bool> known = true;
  while (known && !bytes.empty()) {
    const iovec piece = {const_cast<char*>(bytes.data()), bytes.size()};
    const ssize_t n = ::pwritev2(pipe, &piece, 1, -1, kNoSignal);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) {
      known = false;
    } else if (errno != EINTR) {
      return -errno;
    }
  }
  return bytes.empty() ? std::optional(0) : std::nullopt;
}

}  // namespace

int write_quietly(int pipe, std::string_view bytes) {
  const auto done = write_without_signal(pipe, bytes);
  return done ? *done : write_masked(pipe, bytes);
}

int write_masked(int pipe, std::string_view bytes) {
  SigpipeBlocked blocked;
  while (!bytes.empty()) {
    const ssize_t n = ::write(pipe, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EPIPE) {
      blocked.caused();
      return -EPIPE;
    } else if (errno != EINTR) {
      return -errno;
    }
  }
  return 0;
}

}  // namespace mv::plugin
