// SPDX-License-Identifier: MIT
#include "plugin/host/loop/plugin_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <csignal>

extern char** environ;

namespace mv::plugin {

namespace {

constexpr int kSocket = STDERR_FILENO + 1;
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

}  // namespace

pid_t spawn_plugin(const PluginConfig& config, int socket, int output) {
  std::vector<std::string> arguments = config.arguments, environment = environment_with(kSocket);
  if (config.sandbox) arguments = sandbox_command(*config.sandbox, config.program, config.arguments);
  else arguments.insert(arguments.begin(), config.program);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (config.sandbox) {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  }
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  // the one descriptor that survives exec: what the host itself was started with is not the plugin's
  posix_spawn_file_actions_adddup2(&actions, socket, kSocket);
  posix_spawn_file_actions_addclosefrom_np(&actions, kSocket + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid;
  const auto start = config.sandbox ? posix_spawnp : posix_spawn;  // a plugin is a path
  const int error = start(&pid, arguments[0].c_str(), &actions, &attributes, pointers(arguments).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error) throw std::system_error(error, std::generic_category(), "--plugin " + config.program);
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
