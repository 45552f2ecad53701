// SPDX-License-Identifier: MIT
// The plugin's end of a main connection: one request, one response.
#pragma once

#include <span>
#include <vector>

#include "plugin/wire/packet.h"
#include "plugin.pb.h"

namespace mv::plugin {

class MainLink {
 public:
  explicit MainLink(Fd socket) : socket_(std::move(socket)) {}
  // Sends the request, waits for the response.  0 or a negative errno: the host's, or -EPIPE when it is gone, or -EPROTO
  // when it said something else.  `received` gets the descriptors that came along.
  int ask(const wire::MainRequest& request, wire::MainRequest::MessageCase kind, wire::MainResponse& response, std::span<const int> sent = {},
          std::vector<Fd>* received = nullptr);

 private:
  Fd socket_;
};

// An errno from the wire, of either sign, as the C functions return it.
int returned_error(int from_wire);

}  // namespace mv::plugin
