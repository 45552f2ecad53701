// SPDX-License-Identifier: MIT
// Runs a plugin program and its machine until both have ended.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/host/loop/sandbox.h"
#include "plugin/host/loop/vcpu_channel.h"
#include "plugin/host/machine.h"
#include "plugin/host/tap.h"

namespace mv::plugin {

struct PluginConfig {
  std::string program;                 // a path
  std::vector<std::string> arguments;  // behind the program's name
  Wire wire = Wire::today;
  // A line that the plugin wrote to its standard error, without the newline and what terminals would obey; on the host's thread.
  // Without it the host writes them to its own, each behind "plugin: ".
  std::function<void(std::string_view)> said = {};
  // In a sandbox standard output goes where standard error does, and there is no standard input.
  std::optional<SandboxConfig> sandbox = {};
  const Tap* tap = nullptr;  // borrowed
  // The host, and each vCPU's thread when it begins, go into this control group: its `tasks`, or in a hierarchy of version 2 its
  // `cgroup.threads`.  Empty: where they are.
  std::string vcpu_cgroup = {};
};

// Empty when the plugin has ended with exit code 0; otherwise one sentence.  Throws std::system_error if it cannot be started.
std::string run_plugin(Machine& machine, const PluginConfig& config);

}  // namespace mv::plugin
