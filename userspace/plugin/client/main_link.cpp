// SPDX-License-Identifier: MIT
#include "plugin/client/main_link.h"

#include "plugin/client/vcpu_link.h"

namespace mv::plugin {

namespace {

// A dirty log is the longest response.
constexpr size_t kMostResponse = 256 << 10;

// Responses carry the request's number plus one, but for the one that was added later.
bool answers(const wire::MainResponse& response, wire::MainRequest::MessageCase kind) {
  const int expected = kind == wire::MainRequest::kDirtyLog ? wire::MainResponse::kDirtyLog : kind + 1;
  return response.message_case() == expected;
}

}  // namespace

int returned_error(int from_wire) { return from_wire > 0 ? -from_wire : from_wire; }

int MainLink::ask(const wire::MainRequest& request, wire::MainRequest::MessageCase kind, wire::MainResponse& response, std::span<const int> sent,
                  std::vector<Fd>* received) {
  if (const int error = wire::send_packet(socket_.get(), main_request_bytes(request), sent)) return error;
  wire::Packet packet;
  if (const int error = wire::receive_packet(socket_.get(), kMostResponse, packet)) return error == -ECONNRESET ? -EPIPE : error;
  if (packet.bytes.empty()) return -EPIPE;
  if (packet.truncated || !read_main_response(packet.bytes, response)) return -EPROTO;
  if (response.error()) return returned_error(response.error());
  if (!answers(response, kind)) return -EPROTO;
  if (received) *received = std::move(packet.fds);
  return 0;
}

}  // namespace mv::plugin
