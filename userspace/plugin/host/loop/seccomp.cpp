// SPDX-License-Identifier: MIT
#include "plugin/host/loop/seccomp.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "plugin/host/loop/argument_filter.h"
#include "vmm/text_lines.h"

namespace mv::plugin {

namespace {

constexpr int kMostErrno = 4095;

// Those whose effect is the machine's or another process's; a call that this kernel or architecture lacks needs no rule.
constexpr const char* kNeverNeeded[] = {
    "acct",          "add_key",       "bpf",           "chroot",        "clock_adjtime", "clock_settime", "delete_module",   "finit_module",
    "fsconfig",      "fsmount",       "fsopen",        "fspick",        "init_module",   "ioperm",        "iopl",            "kexec_file_load",
    "kexec_load",    "keyctl",        "lookup_dcookie", "mount",        "mount_setattr", "move_mount",    "move_pages",      "name_to_handle_at",
    "nfsservctl",    "open_by_handle_at", "open_tree", "perf_event_open", "pidfd_getfd", "pivot_root",  "process_vm_readv", "process_vm_writev", "ptrace",
    "quotactl",      "reboot",        "request_key",   "setdomainname", "sethostname",   "setns",         "settimeofday",    "swapoff",
    "swapon",        "syslog",        "umount2",       "unshare",       "uselib",        "userfaultfd",   "vhangup",
};

constexpr uint64_t kNamespaces[] = {CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP};

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};
using Filter = std::unique_ptr<void, Release>;

Filter filter_with(uint32_t others) {
  Filter filter(seccomp_init(others));
  if (!filter) throw std::runtime_error("libseccomp: no memory");
  return filter;
}

// libseccomp's functions give -errno.
void must(int result, const std::string& what) {
  if (result < 0) throw std::invalid_argument(what + ": " + std::strerror(-result));
}

// `before` decides first.
Fd file_of(const Filter& filter, const std::vector<sock_filter>& before = {}) {
  Fd file(memfd_create("filter", MFD_CLOEXEC));
  const size_t bytes = before.size() * sizeof(sock_filter);
  if (!file || ::write(file.get(), before.data(), bytes) != static_cast<ssize_t>(bytes)) throw_errno("a filter of system calls");
  must(seccomp_export_bpf(filter.get(), file.get()), "libseccomp");
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::optional<int> errno_of(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 0 && number <= kMostErrno) return number;
  for (number = 1; number < 134; ++number) {
    if (const char* name = strerrorname_np(number); name && text == name) return number;
  }
  return std::nullopt;
}

std::optional<uint32_t> action_of(const std::string& text) {
  if (text == "1" || text == "allow") return SCMP_ACT_ALLOW;
  if (text == "kill") return SCMP_ACT_KILL_PROCESS;
  if (text.rfind("return ", 0) != 0) return std::nullopt;
  const auto number = errno_of(trimmed(text.substr(7)));
  return number ? std::optional<uint32_t>(SCMP_ACT_ERRNO(static_cast<uint32_t>(*number))) : std::nullopt;
}

struct Line {
  std::string name, action, where;
};

std::vector<Line> lines_of(const std::string& path) {
  std::vector<Line> lines;
  for (const auto& [text, where] : text_lines("--seccomp-policy-dir: ", path)) {
    const size_t mark = text.find(text[0] == '@' ? ' ' : ':');
    if (mark == std::string::npos) throw std::invalid_argument(where + ": valid is NAME: ACTION");
    lines.push_back({trimmed(text.substr(0, mark)), trimmed(text.substr(mark + 1)), where});
  }
  return lines;
}

uint32_t action_of(const Line& line) {
  const auto known = action_of(line.action);
  if (!known) throw std::invalid_argument(line.where + ": valid are 1, return ERRNO and kill");
  return *known;
}

// A policy while it is read: libseccomp's rules, and in front of them what they cannot say.
class Policy {
 public:
  // `others`: what happens to calls that are not named.
  Policy(uint32_t others, bool log) : log_(log), others_(real(others)), filter_(filter_with(others_)) {}

  void add(const Line& line) {
    const int call = seccomp_syscall_resolve_name(line.name.c_str());
    if (call == __NR_SCMP_ERROR) throw std::invalid_argument(line.where + ": " + line.name + " is no system call");
    if (line.action.rfind("arg", 0) == 0) return add_condition(line, call);
    const uint32_t wanted = real(action_of(line));
    if (wanted != others_) must(seccomp_rule_add(filter_.get(), wanted, call, 0), line.where);
  }

  Fd file() const { return file_of(filter_, conditions_); }

 private:
  uint32_t real(uint32_t wanted) const { return log_ && wanted != SCMP_ACT_ALLOW ? SCMP_ACT_LOG : wanted; }

  // `CONDITION` or `CONDITION; return ERRNO`.  A call that this architecture lacks has a number below 0.
  void add_condition(const Line& line, int call) {
    const size_t mark = line.action.find(';');
    const Condition condition = parse_condition(trimmed(line.action.substr(0, mark)), line.where);
    const uint32_t otherwise = mark == std::string::npos ? others_ : real(action_of({line.name, trimmed(line.action.substr(mark + 1)), line.where}));
    if (call >= 0) add_conditional_call(conditions_, static_cast<uint32_t>(call), condition, SCMP_ACT_ALLOW, otherwise, line.where);
  }

  const bool log_;
  const uint32_t others_;
  Filter filter_;
  std::vector<sock_filter> conditions_;
};

Fd policy_of(const std::string& path, bool log) {
  const std::vector<Line> lines = lines_of(path);
  uint32_t others = SCMP_ACT_KILL_PROCESS;
  for (const Line& line : lines) {
    if (line.name == "@default") others = action_of(line);
  }
  Policy policy(others, log);
  for (const Line& line : lines) {
    if (line.name != "@default") policy.add(line);
  }
  return policy.file();
}

}  // namespace

Fd default_filter() {
  const Filter filter = filter_with(SCMP_ACT_ALLOW);
  for (const char* name : kNeverNeeded) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call >= 0) must(seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0), name);
  }
  for (const uint64_t kind : kNamespaces) {
    must(seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, kind, kind)), "clone");
  }
  // its flags are in memory, where no filter looks; C libraries go on with clone
  must(seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3");
  return file_of(filter);
}

Fd policy_filter(const std::string& directory, bool log) {
  const std::filesystem::path binary = std::filesystem::path(directory) / "plugin.bpf", policy = std::filesystem::path(directory) / "plugin.policy";
  if (!std::filesystem::exists(binary)) return policy_of(policy, log);
  if (log) throw std::invalid_argument("--seccomp-log-failures: not with " + binary.string() + ", which decides itself");
  Fd file(::open(binary.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw_errno(binary.string());
  return file;
}

}  // namespace mv::plugin
