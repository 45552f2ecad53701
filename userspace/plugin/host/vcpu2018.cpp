// SPDX-License-Identifier: MIT
#include "plugin/host/vcpu2018.h"

#include <cerrno>

#include "plugin/wire/wire2018.h"
#include "plugin.pb.h"

namespace mv::plugin {

using wire::VcpuRequest;
using wire::VcpuResponse;

namespace {

constexpr std::string_view kResumed("\x1a\x00", 2);  // the number 3 of responses: today nobody's

std::string refusal() {
  VcpuResponse response;
  response.set_error(EPROTO);
  return wire::vcpu_response_for_2018(response.SerializeAsString());
}

}  // namespace

void Vcpu2018::said(std::string_view bytes, Packets& to_plugin) {
  stream_.feed(bytes);
  while (const auto message = stream_.next()) {
    VcpuResponse response;
    if (!response.ParseFromArray(message->data(), static_cast<int>(message->size()))) continue;  // the session writes no such thing
    std::string packet = wire::vcpu_response_for_2018(*message);
    // the first event is the session's answer to a request, as all were then
    if (response.has_wait() && !response.wait().has_init()) {
      event_ = std::move(packet);
    } else {
      to_plugin.push_back(std::move(packet));
    }
  }
}

std::optional<std::string> Vcpu2018::heard(std::string_view packet, Packets& to_plugin) {
  std::string today = wire::vcpu_request_of_2018(packet);
  if (!event_) return today;
  VcpuRequest request;
  const bool asked = request.ParseFromString(today) && request.has_wait();
  to_plugin.push_back(asked ? std::move(*event_) : refusal());
  if (asked) event_.reset();
  return std::nullopt;
}

void Vcpu2018::resumed(Packets& to_plugin) { to_plugin.emplace_back(kResumed); }

}  // namespace mv::plugin
