// SPDX-License-Identifier: MIT
#include "plugin/host/signal.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <ctime>

#include "vmm/backend/fd.h"

namespace mv::plugin {

namespace {

// Asynchronous I/O tells an eventfd of its end, from within the kernel.  The I/O here is a read of an empty file, which ends at once.
class Signals {
 public:
  Signals() : empty_(memfd_create("signals", MFD_CLOEXEC)) {
    if (empty_ && ::syscall(SYS_io_setup, kMostEnds, &context_)) context_ = 0;
  }
  // The context goes with the process.

  bool send(int eventfd) {
    if (!context_) return false;
    iocb read = {};
    read.aio_lio_opcode = IOCB_CMD_PREAD;
    read.aio_fildes = static_cast<uint32_t>(empty_.get());
    read.aio_buf = reinterpret_cast<uintptr_t>(&context_);  // never written
    read.aio_flags = IOCB_FLAG_RESFD;
    read.aio_resfd = static_cast<uint32_t>(eventfd);
    iocb* one[] = {&read};
    while (::syscall(SYS_io_submit, context_, 1L, one) != 1) {
      if (errno != EAGAIN) return false;
      forget_ends();  // they are kept until somebody takes them
    }
    return true;
  }

 private:
  static constexpr long kMostEnds = 64;

  void forget_ends() {
    std::array<io_event, kMostEnds> ends;
    timespec none = {};
    ::syscall(SYS_io_getevents, context_, 0L, kMostEnds, ends.data(), &none);
  }

  const Fd empty_;
  aio_context_t context_ = 0;
};

}  // namespace

void signal_eventfd(int eventfd) {
  static Signals signals;
  if (signals.send(eventfd)) return;
  // a kernel without asynchronous I/O
  pollfd room = {eventfd, POLLOUT, 0};
  const uint64_t one = 1;
  if (::poll(&room, 1, 0) == 1) [[maybe_unused]] const ssize_t n = ::write(eventfd, &one, sizeof(one));
}

}  // namespace mv::plugin
