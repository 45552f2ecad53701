// SPDX-License-Identifier: MIT
// A plugin in namespaces of its own, made by bubblewrap: user, mount, process, network, IPC and host name.
#pragma once

#include <string>
#include <vector>

namespace mv::plugin {

struct SandboxMount {
  std::string source, target;  // absolute
  bool writable = false;
};

struct SandboxConfig {
  // A directory that becomes /, read-only; it has /dev and /proc.  Empty: a root with the system's programs and libraries alone, the plugin
  // at its own path, and 64 MiB in /tmp.
  std::string root;
  std::vector<SandboxMount> mounts;
};

// The words that start `program`, a path inside, in a sandbox; the first is looked for in PATH.
std::vector<std::string> sandbox_command(const SandboxConfig& config, const std::string& program, const std::vector<std::string>& arguments);

// Throws std::invalid_argument with one sentence if bubblewrap is missing, or this system does not let it make namespaces.
void check_sandbox();

}  // namespace mv::plugin
