// SPDX-License-Identifier: MIT
// What can be said about a plugin's sandbox.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mv::plugin {

struct SandboxMount {
  std::string source, target;  // absolute
  bool writable = false;
};

// Groups from `inner` on, inside, are those from `outer` on.
struct GidMap {
  uint32_t inner, outer, count;
};

struct SandboxConfig {
  // A directory that becomes /, read-only; it has /dev and /proc.  Empty: a root with the system's programs and libraries alone, the plugin
  // at its own path, and 64 MiB in /tmp.
  std::string root;
  std::vector<SandboxMount> mounts;
  std::vector<GidMap> gid_maps;
  // Where crosvm's plugin.bpf or plugin.policy is (seccomp.h); empty: a filter of ours.
  std::string seccomp_policy_dir;
  bool log_seccomp_failures = false;
};

}  // namespace mv::plugin
