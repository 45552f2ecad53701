// SPDX-License-Identifier: MIT
// The part of the command line that --plugin brings along: its sandbox and its TAP device.
#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugin/host/loop/sandbox_config.h"

namespace mv {

// --host_ip, --netmask, --mac
struct PluginNet {
  std::string address, netmask, mac;
};

// --plugin, --params, --plugin-wire and the above
struct PluginSpec {
  std::string program;
  std::vector<std::string> arguments;
  bool wire_2018 = false;
  std::optional<plugin::SandboxConfig> sandbox;
  std::string vcpu_cgroup;
  int tap_fd = -1;
  std::optional<PluginNet> net;
};

void add_plugin_options(boost::program_options::options_description& all);
// Throws std::invalid_argument with one sentence that holds the valid form.
PluginSpec parse_plugin(const boost::program_options::variables_map& given);
// Throws if one of them was given, for there is no --plugin.
void refuse_plugin_options(const boost::program_options::variables_map& given);

}  // namespace mv
