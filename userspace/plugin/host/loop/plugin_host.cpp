// SPDX-License-Identifier: MIT
#include "plugin/host/loop/plugin_host.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <utility>  // this Asio uses std::exchange without naming it

#include <boost/asio.hpp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <list>

#include "plugin/host/lifecycle.h"
#include "plugin/host/loop/plugin_process.h"
#include "plugin/host/loop/vcpu_thread.h"
#include "plugin/host/main_session.h"
#include "plugin/host/signal.h"
#include "plugin/wire/packet.h"
#include "plugin/wire/wire2018.h"

namespace mv::plugin {

namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

constexpr size_t kMostRequest = 4096;

uint64_t now_ns() { return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()); }

std::pair<Fd, Fd> packet_pair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) throw_errno("a connection to the plugin");
  return {Fd(fds[0]), Fd(fds[1])};
}

void write_line(std::string_view line) { std::fprintf(stderr, "plugin: %.*s\n", static_cast<int>(line.size()), line.data()); }

// Readable when `fd` is.  Asio makes what it watches non-blocking, and the plugin has the same eventfd.
int readiness_of(int fd) {
  Fd watch(epoll_create1(EPOLL_CLOEXEC));
  epoll_event readable = {};
  readable.events = EPOLLIN;
  if (!watch || epoll_ctl(watch.get(), EPOLL_CTL_ADD, fd, &readable)) throw_errno("the shutdown eventfd");
  return watch.release();
}

Fd open_cgroup(const std::string& path) {
  if (path.empty()) return Fd();
  for (const char* file : {"/tasks", "/cgroup.threads"}) {
    if (Fd fd(::open((path + file).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)); fd) return fd;
  }
  throw_errno("--vcpu-cgroup-path " + path);
}

// The thread that calls it.  Where that is refused it stays where it was, and says so.
void join_cgroup(const Fd& cgroup) {
  if (!cgroup) return;
  const std::string thread = std::to_string(gettid()) + "\n";
  if (::write(cgroup.get(), thread.data(), thread.size()) < 0) std::fprintf(stderr, "mvmm: --vcpu-cgroup-path: %s\n", std::strerror(errno));
}

class Host {
 public:
  Host(Machine& machine, const PluginConfig& config);
  std::string run();

 private:
  struct Connection {
    Connection(asio::io_context& context, Fd fd) : descriptor(context, fd.get()), socket(std::move(fd)) {}
    ~Connection() { descriptor.release(); }
    Descriptor descriptor;
    Fd socket;
  };
  using Connections = std::list<Connection>;

  int new_connection();
  void listen(Connections::iterator connection);
  bool serve(Connection& connection);
  std::vector<int> vcpu_fds() const;
  void start();
  void pause(uint64_t mask, uint64_t user);
  void watch_shutdown();
  void watch_plugin();
  void follow(Lifecycle::Step step);
  void tell();
  void plugin_gone();

  const Wire wire_;
  const Fd cgroup_;
  asio::io_context context_;
  Lifecycle life_;
  Shared shared_;
  Fd shutdown_;
  StartLine line_;
  std::list<VcpuThread> vcpus_;
  MainSession session_;
  Connections connections_;
  PluginOutput output_;
  Descriptor shutdown_watch_, plugin_watch_;
  asio::steady_timer deadline_;
  asio::signal_set signals_;
  pid_t pid_ = -1;
};

Host::Host(Machine& machine, const PluginConfig& config)
    : wire_(config.wire),
      cgroup_(open_cgroup(config.vcpu_cgroup)),
      shutdown_(eventfd(0, EFD_CLOEXEC)),
      line_(machine.vcpus()),
      session_(machine, shared_,
               {[this] { return new_connection(); }, [this] { return vcpu_fds(); }, [this] { return shutdown_.get(); }, [this] { start(); },
                [this](uint64_t mask, uint64_t user) { pause(mask, user); }, config.tap}),
      output_(context_, config.said ? config.said : write_line),
      shutdown_watch_(context_),
      plugin_watch_(context_),
      deadline_(context_),
      signals_(context_, SIGINT, SIGTERM) {
  for (unsigned i = 0; i < machine.vcpus(); ++i) {
    auto channel = wire_ == Wire::y2018 ? make_vcpu_socket_2018() : make_vcpu_pipes();
    vcpus_.emplace_back(machine.vcpu(i), shared_, line_, std::move(channel), [this] { join_cgroup(cgroup_); },
                        [this] { asio::post(context_, [this] { follow(life_.end(now_ns())); }); });
  }
  auto [ours, theirs] = packet_pair();
  connections_.emplace_back(context_, std::move(ours));
  pid_ = spawn_plugin(config, theirs.get(), output_.writing_end());
  output_.program_runs();
  join_cgroup(cgroup_);
  plugin_watch_.assign(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  shutdown_watch_.assign(readiness_of(shutdown_.get()));
}

std::string Host::run() {
  listen(connections_.begin());
  watch_shutdown();
  watch_plugin();
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) follow(life_.end(now_ns(), "stopped by a signal"));
  });
  context_.run();
  line_.over();
  for (VcpuThread& v : vcpus_) v.tell();
  for (VcpuThread& v : vcpus_) v.stop();
  return life_.error();
}

int Host::new_connection() {
  auto [ours, theirs] = packet_pair();
  const int fd = fcntl(theirs.get(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return -errno;
  connections_.emplace_back(context_, std::move(ours));
  listen(std::prev(connections_.end()));
  return fd;
}

void Host::listen(Connections::iterator connection) {
  connection->descriptor.async_wait(Descriptor::wait_read, [this, connection](const boost::system::error_code& error) {
    if (error) return;
    if (serve(*connection)) {
      listen(connection);
    } else {
      connections_.erase(connection);
    }
  });
}

// One request.  What cannot be read, or is answered faster than it is listened to, costs this connection and nothing else.
bool Host::serve(Connection& connection) {
  wire::Packet packet;
  if (wire::receive_packet(connection.socket.get(), kMostRequest, packet) || packet.bytes.empty() || packet.truncated) return false;
  MainReply reply;
  const bool old = wire_ == Wire::y2018;
  if (!session_.serve(old ? wire::main_request_of_2018(packet.bytes) : packet.bytes, std::move(packet.fds), reply)) return false;
  if (old) reply.bytes = wire::main_response_for_2018(reply.bytes);
  return !wire::send_packet(connection.socket.get(), reply.bytes, reply.fds);
}

std::vector<int> Host::vcpu_fds() const {
  std::vector<int> fds;
  for (const VcpuThread& v : vcpus_) {
    for (const int fd : v.channel().plugin_fds()) fds.push_back(fd);
  }
  return fds;
}

void Host::start() {
  if (life_.dying()) return;
  for (VcpuThread& v : vcpus_) v.start();
}

void Host::pause(uint64_t mask, uint64_t user) {
  unsigned bit = 0;
  for (VcpuThread& v : vcpus_) {
    if (bit < 64 && mask >> bit & 1 && v.running()) v.pause(user);
    ++bit;
  }
}

void Host::watch_shutdown() {
  shutdown_watch_.async_wait(Descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (!error) follow(life_.end(now_ns()));
  });
}

void Host::watch_plugin() {
  plugin_watch_.async_wait(Descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (!error) plugin_gone();
  });
}

void Host::plugin_gone() {
  int status = 0;
  waitpid(pid_, &status, 0);
  output_.finish();
  follow(WIFEXITED(status) ? life_.plugin_exited(WEXITSTATUS(status)) : life_.plugin_killed(WTERMSIG(status)));
}

void Host::tell() {
  signal_eventfd(shutdown_.get());
  line_.over();
  for (VcpuThread& v : vcpus_) v.tell();
  deadline_.expires_after(std::chrono::nanoseconds(kGraceNs));
  deadline_.async_wait([this](const boost::system::error_code& error) {
    if (!error) follow(life_.tick(now_ns()));
  });
}

void Host::follow(Lifecycle::Step step) {
  switch (step) {
    case Lifecycle::Step::tell:
      tell();
      break;
    case Lifecycle::Step::kill:
      ::kill(pid_, SIGKILL);  // and its end comes the usual way
      break;
    case Lifecycle::Step::leave:
      context_.stop();
      break;
    case Lifecycle::Step::wait:
      break;
  }
}

}  // namespace

std::string run_plugin(Machine& machine, const PluginConfig& config) { return Host(machine, config).run(); }

}  // namespace mv::plugin
