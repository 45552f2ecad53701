// SPDX-License-Identifier: MIT
// The protocol of February 2018: a socket for each vCPU, a packet for each message.
#include "plugin/client/vcpu_link.h"

#include <cerrno>

#include "plugin/wire/packet.h"
#include "plugin/wire/wire2018.h"

namespace mv::plugin {

namespace {

constexpr size_t kMostResponse = 256 << 10;
constexpr std::string_view kResumed("\x1a\x00", 2);  // the answer to a resume: today nobody's number

class Socket final : public VcpuLink {
 public:
  explicit Socket(Fd socket) : socket_(std::move(socket)) {}

  int send(const wire::VcpuRequest& request) override {
    const int error = wire::send_packet(socket_.get(), wire::vcpu_request_for_2018(request.SerializeAsString()), {});
    if (error || !request.has_resume()) return error;
    if (const int gone = next()) return gone;
    return packet_.bytes == kResumed ? 0 : -EPROTO;
  }

  int receive(wire::VcpuResponse& response) override {
    const int error = next();
    if (error) return error;
    return response.ParseFromString(wire::vcpu_response_of_2018(packet_.bytes)) ? 0 : -EPROTO;
  }

  bool of_2018() const override { return true; }

 private:
  int next() {
    if (const int error = wire::receive_packet(socket_.get(), kMostResponse, packet_)) return error == -ECONNRESET ? -EPIPE : error;
    return packet_.bytes.empty() ? -EPIPE : 0;
  }

  Fd socket_;
  wire::Packet packet_;
};

}  // namespace

std::vector<std::unique_ptr<VcpuLink>> make_vcpu_links(std::vector<Fd> fds) {
  std::vector<std::unique_ptr<VcpuLink>> links;
  for (Fd& fd : fds) links.push_back(std::make_unique<Socket>(std::move(fd)));
  return links;
}

std::string main_request_bytes(const wire::MainRequest& request) { return wire::main_request_for_2018(request.SerializeAsString()); }

bool read_main_response(std::string_view bytes, wire::MainResponse& response) {
  return response.ParseFromString(wire::main_response_of_2018(bytes));
}

}  // namespace mv::plugin
