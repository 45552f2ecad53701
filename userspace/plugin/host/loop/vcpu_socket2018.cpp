// SPDX-License-Identifier: MIT
// A vCPU's socket as plugins of February 2018 have it.
#include <sys/socket.h>

#include "plugin/host/loop/vcpu_channel.h"
#include "plugin/host/vcpu2018.h"
#include "plugin/wire/packet.h"

namespace mv::plugin {

namespace {

constexpr size_t kMostRequest = 256 << 10;

class Socket2018 final : public VcpuChannel {
 public:
  Socket2018() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) throw_errno("a vCPU's socket");
    ours_ = Fd(fds[0]);
    theirs_ = Fd(fds[1]);
  }

  std::vector<int> plugin_fds() const override { return {theirs_.get()}; }

  bool write(std::string_view bytes) override {
    adapter_.said(bytes, packets_);
    return send();
  }

  bool read(std::string_view& bytes) override {
    for (;;) {
      if (wire::receive_packet(ours_.get(), kMostRequest, packet_) || packet_.bytes.empty()) return false;
      const auto request = adapter_.heard(packet_.bytes, packets_);
      if (!send()) return false;
      if (!request) continue;
      request_ = *request;
      bytes = request_;
      return true;
    }
  }

  bool resumed() override {
    adapter_.resumed(packets_);
    return send();
  }

  void tell() override { ::shutdown(ours_.get(), SHUT_RDWR); }

 private:
  bool send() {
    bool all = true;
    for (const std::string& p : packets_) all = all && !wire::send_packet(ours_.get(), p, {});
    packets_.clear();
    return all;
  }

  Fd ours_, theirs_;
  Vcpu2018 adapter_;
  Vcpu2018::Packets packets_;
  wire::Packet packet_;
  std::string request_;
};

}  // namespace

std::unique_ptr<VcpuChannel> make_vcpu_socket_2018() { return std::make_unique<Socket2018>(); }

}  // namespace mv::plugin
