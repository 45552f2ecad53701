// SPDX-License-Identifier: MIT
#include "plugin/host/loop/sandbox.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <filesystem>
#include <stdexcept>

#include "plugin/host/loop/seccomp.h"

extern char** environ;

namespace mv::plugin {

namespace {

constexpr const char* kTool = "bwrap";
constexpr const char* kScratchBytes = "67108864";

// What nobody outside is to be seen or reached by.
std::vector<std::string> namespaces() {
  return {kTool,   "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
          "--uid", "0",              "--gid",         "0",             "--cap-drop",    "ALL",           "--die-with-parent",
          "--new-session"};
}

void add(std::vector<std::string>& words, std::initializer_list<std::string> more) { words.insert(words.end(), more); }

// Since /usr was merged, the others are links into it.
void add_system(std::vector<std::string>& words) {
  namespace fs = std::filesystem;
  add(words, {"--ro-bind", "/usr", "/usr"});
  for (const char* name : {"/bin", "/sbin", "/lib", "/lib32", "/lib64"}) {
    if (fs::is_symlink(name)) add(words, {"--symlink", fs::read_symlink(name), name});
    else if (fs::is_directory(name)) add(words, {"--ro-bind", name, name});
  }
  add(words, {"--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--size", kScratchBytes, "--tmpfs", "/tmp"});
}

void add_devices(std::vector<std::string>& words) {
  add(words, {"--tmpfs", "/dev"});
  for (const char* name : {"/dev/full", "/dev/null", "/dev/urandom", "/dev/zero"}) add(words, {"--dev-bind", name, name});
  add(words, {"--remount-ro", "/dev"});
}

}  // namespace

Fd sandbox_filter(const SandboxConfig& config) {
  return config.seccomp_policy_dir.empty() ? default_filter() : policy_filter(config.seccomp_policy_dir, config.log_seccomp_failures);
}

std::vector<std::string> sandbox_command(const SandboxConfig& config, const SandboxFds& fds, const std::string& program,
                                         const std::vector<std::string>& arguments) {
  std::vector<std::string> words = namespaces();
  add(words, {"--seccomp", std::to_string(fds.filter)});
  if (!config.gid_maps.empty()) add(words, {"--info-fd", std::to_string(fds.info), "--userns-block-fd", std::to_string(fds.block)});
  std::string inside = program;
  if (config.root.empty()) {
    add_system(words);
    inside = std::filesystem::absolute(program);
    add(words, {"--ro-bind", inside, inside});
  } else {
    add(words, {"--ro-bind", config.root, "/"});
  }
  add(words, {"--proc", "/proc"});
  add_devices(words);
  for (const SandboxMount& m : config.mounts) add(words, {m.writable ? "--bind" : "--ro-bind", m.source, m.target});
  if (config.root.empty()) add(words, {"--remount-ro", "/"});
  add(words, {"--chdir", "/", "--", inside});
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

// Its own message is the best there is of what the system refuses.
void check_sandbox() {
  std::vector<std::string> words = namespaces();
  add(words, {"--ro-bind", "/", "/", "--proc", "/proc", "--", "/bin/true"});
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  int fds[2];
  if (pipe2(fds, O_CLOEXEC)) throw_errno("--sandbox");
  const Fd said(fds[0]);
  Fd says(fds[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, says.get(), STDERR_FILENO);
  pid_t pid;
  const int error = posix_spawnp(&pid, kTool, &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) throw std::invalid_argument("--sandbox: bubblewrap (bwrap) is not installed; without a sandbox: --disable-sandbox");
  if (error) throw std::system_error(error, std::generic_category(), "--sandbox: bwrap");
  says.reset();
  std::array<char, 512> text = {};
  [[maybe_unused]] const ssize_t n = ::read(said.get(), text.data(), text.size() - 1);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFEXITED(status) && !WEXITSTATUS(status)) return;
  const std::string first = text.data();
  throw std::invalid_argument("--sandbox: namespaces cannot be made here (" + first.substr(0, first.find('\n')) + ")");
}

}  // namespace mv::plugin
