// SPDX-License-Identifier: MIT
#include "plugin/host/loop/plugin_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <tuple>

#include "plugin/host/loop/gid_map.h"

extern char** environ;

namespace mv::plugin {

namespace {

constexpr int kSocket = STDERR_FILENO + 1;
// Bubblewrap leaves the last one open: as standard input it does no harm, for it is at its end when the plugin runs.
constexpr SandboxFds kSandboxFds = {kSocket + 1, kSocket + 2, STDIN_FILENO};
constexpr int kBehindThem = kSocket + 3;
constexpr rlim_t kDescriptors = 32768;
constexpr size_t kChunk = 4096;
constexpr int kMostChunksAtTheEnd = 256;  // a full pipe has 16

// Everything but the environment's own CROSVM_SOCKET, and ours.
std::vector<std::string> environment_with(int socket) {
  std::vector<std::string> all;
  for (char** e = environ; *e; ++e) {
    if (std::string_view(*e).substr(0, 14) != "CROSVM_SOCKET=") all.emplace_back(*e);
  }
  all.push_back("CROSVM_SOCKET=" + std::to_string(socket));
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (std::string& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

// As many as crosvm gives a plugin, or what this process may have: for the child that is started meanwhile.
class MoreDescriptors {
 public:
  MoreDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit wanted = {std::min<rlim_t>(kDescriptors, before_.rlim_max), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &wanted);
  }
  ~MoreDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_ = {};
};

std::pair<Fd, Fd> make_pipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC)) throw_errno("--sandbox");
  return {Fd(fds[0]), Fd(fds[1])};
}

// What bubblewrap needs of its parent: a filter to read, and users and groups once its child is there.
class Preparations {
 public:
  explicit Preparations(const SandboxConfig& config) : config_(config), filter_(sandbox_filter(config)) {
    if (config.gid_maps.empty()) return;
    std::tie(info_, tells_) = make_pipe();
    std::tie(waits_, go_) = make_pipe();
  }
  void hand_over(posix_spawn_file_actions_t& actions) {
    give(actions, filter_, kSandboxFds.filter);
    if (tells_) give(actions, tells_, kSandboxFds.info);
    else posix_spawn_file_actions_addclose(&actions, kSandboxFds.info);  // whatever the host has there
    if (waits_) give(actions, waits_, kSandboxFds.block);
  }
  void started(pid_t pid) {
    if (config_.gid_maps.empty()) return;
    tells_.reset();
    copies_.clear();
    try {
      map_ids(info_.get(), config_.gid_maps);
      if (::write(go_.get(), "", 1) != 1) throw_errno("--plugin-gid-map");
    } catch (...) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      throw;
    }
  }

 private:
  // from where no dup2() before it lands
  void give(posix_spawn_file_actions_t& actions, const Fd& fd, int number) {
    copies_.emplace_back(fcntl(fd.get(), F_DUPFD_CLOEXEC, kBehindThem));
    if (!copies_.back()) throw_errno("--sandbox");
    posix_spawn_file_actions_adddup2(&actions, copies_.back().get(), number);
  }

  const SandboxConfig& config_;
  Fd filter_, info_, tells_, waits_, go_;
  std::vector<Fd> copies_;
};

}  // namespace

pid_t spawn_plugin(const PluginConfig& config, int socket, int output) {
  std::vector<std::string> arguments = config.arguments, environment = environment_with(kSocket);
  std::optional<Preparations> sandbox;
  if (config.sandbox) {
    arguments = sandbox_command(*config.sandbox, kSandboxFds, config.program, config.arguments);
    sandbox.emplace(*config.sandbox);
  } else {
    arguments.insert(arguments.begin(), config.program);
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (config.sandbox) {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  }
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  // the one descriptor that survives exec: what the host itself was started with is not the plugin's
  posix_spawn_file_actions_adddup2(&actions, socket, kSocket);
  if (sandbox) sandbox->hand_over(actions);  // bubblewrap closes them
  posix_spawn_file_actions_addclosefrom_np(&actions, sandbox ? kBehindThem : kSocket + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid;
  const auto start = config.sandbox ? posix_spawnp : posix_spawn;  // a plugin is a path
  int error;
  {
    const MoreDescriptors more;
    error = start(&pid, arguments[0].c_str(), &actions, &attributes, pointers(arguments).data(), pointers(environment).data());
  }
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error) throw std::system_error(error, std::generic_category(), "--plugin " + config.program);
  if (sandbox) sandbox->started(pid);
  return pid;
}

PluginOutput::PluginOutput(boost::asio::io_context& context, std::function<void(std::string_view)> line) : read_(context), lines_(std::move(line)) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC)) throw_errno("the plugin's standard error");
  read_.assign(fds[0]);
  write_ = Fd(fds[1]);
  fcntl(fds[0], F_SETFL, O_NONBLOCK);  // the other end's description is the program's, and blocks
}

void PluginOutput::program_runs() {
  write_.reset();
  listen();
}

void PluginOutput::listen() {
  read_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (!error && read_chunk()) listen();
  });
}

// False: there is nothing, now or for ever.
bool PluginOutput::read_chunk() {
  char bytes[kChunk];
  const ssize_t n = ::read(read_.native_handle(), bytes, sizeof(bytes));
  if (n > 0) lines_.feed({bytes, static_cast<size_t>(n)});
  return n > 0 || (n < 0 && errno == EINTR);
}

void PluginOutput::finish() {
  for (int i = 0; i < kMostChunksAtTheEnd && read_chunk(); ++i) continue;
  lines_.finish();
}

}  // namespace mv::plugin
