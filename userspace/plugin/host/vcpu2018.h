// SPDX-License-Identifier: MIT
// Between a vCPU's session and a plugin of February 2018: every event has to be asked for, a resume is answered, each message is a
// packet.  Packets in, packets out; no I/O here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/wire/delimited.h"

namespace mv::plugin {

class Vcpu2018 {
 public:
  using Packets = std::vector<std::string>;

  // What the session wrote: responses go to the plugin, an event waits for being asked for.
  void said(std::string_view bytes, Packets& to_plugin);
  // A packet from the plugin.  What the session has to see of it; nothing if it was answered here.
  std::optional<std::string> heard(std::string_view packet, Packets& to_plugin);
  // The session has let the guest go on.
  void resumed(Packets& to_plugin);

 private:
  wire::Delimited stream_;
  std::optional<std::string> event_;
};

}  // namespace mv::plugin
