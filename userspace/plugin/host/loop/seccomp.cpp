// SPDX-License-Identifier: MIT
#include "plugin/host/loop/seccomp.h"

#include <fcntl.h>
#include <seccomp.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

namespace mv::plugin {

namespace {

constexpr int kMostErrno = 4095;

// Those whose effect is the machine's or another process's; a call that this kernel or architecture lacks needs no rule.
constexpr const char* kNeverNeeded[] = {
    "acct",          "add_key",       "bpf",           "chroot",        "clock_adjtime", "clock_settime", "delete_module",   "finit_module",
    "fsconfig",      "fsmount",       "fsopen",        "fspick",        "init_module",   "ioperm",        "iopl",            "kexec_file_load",
    "kexec_load",    "keyctl",        "lookup_dcookie", "mount",        "mount_setattr", "move_mount",    "move_pages",      "name_to_handle_at",
    "nfsservctl",    "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root",  "process_vm_readv", "process_vm_writev", "ptrace",
    "quotactl",      "reboot",        "request_key",   "setdomainname", "sethostname",   "setns",         "settimeofday",    "swapoff",
    "swapon",        "syslog",        "umount2",       "unshare",       "uselib",        "userfaultfd",   "vhangup",
};

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

Fd file_of(const Filter& filter) {
  Fd file(memfd_create("filter", MFD_CLOEXEC));
  if (!file) throw_errno("a filter of system calls");
  must(seccomp_export_bpf(filter.get(), file.get()), "libseccomp");
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
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
  std::ifstream in(path);
  if (!in) throw std::invalid_argument("--seccomp-policy-dir: " + path + " cannot be read");
  std::vector<Line> lines;
  unsigned number = 0;
  for (std::string text; std::getline(in, text);) {
    const std::string where = path + ":" + std::to_string(++number);
    text = trimmed(text.substr(0, text.find('#')));
    if (text.empty()) continue;
    const size_t mark = text.find(text[0] == '@' ? ' ' : ':');
    if (mark == std::string::npos) throw std::invalid_argument(where + ": valid is NAME: ACTION");
    lines.push_back({trimmed(text.substr(0, mark)), trimmed(text.substr(mark + 1)), where});
  }
  return lines;
}

Fd policy_of(const std::string& path, bool log) {
  const std::vector<Line> lines = lines_of(path);
  const auto action = [](const Line& line) {
    const auto known = action_of(line.action);
    if (!known) throw std::invalid_argument(line.where + ": valid are 1, return ERRNO and kill; arguments cannot be looked at");
    return *known;
  };
  uint32_t others = SCMP_ACT_KILL_PROCESS;
  for (const Line& line : lines) {
    if (line.name == "@default") others = action(line);
  }
  if (log) others = SCMP_ACT_LOG;
  const Filter filter = filter_with(others);
  for (const Line& line : lines) {
    if (line.name == "@default") continue;
    const int call = seccomp_syscall_resolve_name(line.name.c_str());
    if (call == __NR_SCMP_ERROR) throw std::invalid_argument(line.where + ": " + line.name + " is no system call");
    const uint32_t wanted = action(line);
    const uint32_t real = log && wanted != SCMP_ACT_ALLOW ? SCMP_ACT_LOG : wanted;
    if (real != others) must(seccomp_rule_add(filter.get(), real, call, 0), line.where);
  }
  return file_of(filter);
}

}  // namespace

Fd default_filter() {
  const Filter filter = filter_with(SCMP_ACT_ALLOW);
  for (const char* name : kNeverNeeded) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call >= 0) must(seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0), name);
  }
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
