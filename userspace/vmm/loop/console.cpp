// SPDX-License-Identifier: MIT
#include "vmm/loop/console.h"

#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <utility>  // this Asio uses std::exchange without naming it

#include <boost/asio.hpp>
#include <csignal>
#include <exception>
#include <thread>

#include "vmm/loop/quit_keys.h"

namespace mv {

namespace asio = boost::asio;

namespace {

constexpr uint8_t kEndOfTransmission = 0x04;

// Keys arrive one by one and unechoed; Ctrl-C stays a signal.
class RawTerminal {
 public:
  RawTerminal() {
    if (!::isatty(STDIN_FILENO) || ::tcgetattr(STDIN_FILENO, &saved_) != 0) return;
    termios raw = saved_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    is_terminal_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  }
  ~RawTerminal() {
    if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSANOW, &saved_);
  }
  bool is_terminal() const { return is_terminal_; }

 private:
  termios saved_{};
  bool is_terminal_ = false;
};

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  return set;
}

int open_signals() {
  const sigset_t set = stop_signals();
  const int fd = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  return fd;
}

class ConsoleLoop {
 public:
  explicit ConsoleLoop(Machine& machine)
      : machine_(machine), signals_(context_, open_signals()), input_(context_), guard_(context_.get_executor()) {}

  Outcome run() {
    open_input();
    wait_signal();
    Outcome outcome;
    std::exception_ptr failure;
    std::thread guest([&] {
      try {
        outcome = machine_.run();
      } catch (...) {
        failure = std::current_exception();
      }
      asio::post(context_, [this] { context_.stop(); });
    });
    context_.run();
    guest.join();
    if (failure) std::rethrow_exception(failure);
    return outcome;
  }

 private:
  // A duplicate, so that closing it leaves the process's own standard input alone.  A file cannot be waited for: it is
  // read to its end at once.
  void open_input() {
    boost::system::error_code error;
    const int fd = ::dup(STDIN_FILENO);
    if (fd < 0) return end_of_input();
    input_.assign(fd, error);
    if (!error) return read();
    ssize_t n;
    while ((n = ::read(fd, buffer_.data(), buffer_.size())) > 0) typed(static_cast<size_t>(n));
    ::close(fd);
    end_of_input();
  }

  void wait_signal() {
    signals_.async_read_some(asio::buffer(&signal_, sizeof signal_), [this](const boost::system::error_code& error, size_t) {
      if (!error) machine_.stop();
    });
  }

  void read() {
    input_.async_read_some(asio::buffer(buffer_), [this](const boost::system::error_code& error, size_t n) {
      if (n) typed(n);
      if (error) return end_of_input();
      read();
    });
  }

  void typed(size_t n) {
    const auto bytes = std::span<const uint8_t>(buffer_).first(n);
    if (!terminal_.is_terminal()) return machine_.type(bytes);
    const QuitKeys::Result r = keys_.feed(bytes);
    machine_.type(r.typed);
    if (r.quit) machine_.stop();
  }

  // A terminal that goes away takes the machine with it; the end of a file or pipe is told to the guest.
  void end_of_input() {
    if (terminal_.is_terminal()) return machine_.stop();
    machine_.type(std::span(&kEndOfTransmission, 1));
  }

  Machine& machine_;
  RawTerminal terminal_;
  asio::io_context context_;
  asio::posix::stream_descriptor signals_;
  signalfd_siginfo signal_{};
  asio::posix::stream_descriptor input_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::array<uint8_t, 4096> buffer_{};
  QuitKeys keys_;
};

}  // namespace

void hold_stop_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Outcome run_on_console(Machine& machine) { return ConsoleLoop(machine).run(); }

}  // namespace mv
