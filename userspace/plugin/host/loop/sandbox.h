// SPDX-License-Identifier: MIT
// A plugin in namespaces of its own, made by bubblewrap: user, mount, process, network, IPC and host name; and behind a filter of system calls.
#pragma once

#include <string>
#include <vector>

#include "plugin/host/loop/sandbox_config.h"
#include "vmm/backend/fd.h"

namespace mv::plugin {

// What bubblewrap is to find at these numbers.
struct SandboxFds {
  int filter, info, block;  // the latter two only with maps of groups
};

// The words that start `program`, a path inside, in a sandbox; the first is looked for in PATH.
std::vector<std::string> sandbox_command(const SandboxConfig& config, const SandboxFds& fds, const std::string& program,
                                         const std::vector<std::string>& arguments);

// Which system calls there are inside.
Fd sandbox_filter(const SandboxConfig& config);

// Throws std::invalid_argument with one sentence if bubblewrap is missing, or this system does not let it make namespaces.
void check_sandbox();

}  // namespace mv::plugin
