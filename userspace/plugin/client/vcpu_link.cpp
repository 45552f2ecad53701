// SPDX-License-Identifier: MIT
// Two pipes for each vCPU: requests go as they are, responses come behind their length.
#include "plugin/client/vcpu_link.h"

#include <unistd.h>

#include <cerrno>

#include "plugin/client/pipe.h"
#include "plugin/wire/delimited.h"

namespace mv::plugin {

namespace {

constexpr size_t kReadSize = 16 << 10;

class Pipes final : public VcpuLink {
 public:
  Pipes(Fd write, Fd read) : write_(std::move(write)), read_(std::move(read)) {}

  int send(const wire::VcpuRequest& request) override {
    request.SerializeToString(&out_);
    return write_quietly(write_.get(), out_);
  }

  int receive(wire::VcpuResponse& response) override {
    for (;;) {
      if (const auto message = in_.next()) return response.ParseFromArray(message->data(), static_cast<int>(message->size())) ? 0 : -EPROTO;
      if (in_.broken()) return -EPROTO;
      char chunk[kReadSize];
      const ssize_t n = ::read(read_.get(), chunk, sizeof(chunk));
      if (n == 0) return -EPIPE;
      if (n > 0) {
        in_.feed({chunk, static_cast<size_t>(n)});
      } else if (errno != EINTR) {
        return -errno;
      }
    }
  }

  bool of_2018() const override { return false; }

 private:
  Fd write_, read_;
  wire::Delimited in_;
  std::string out_;
};

}  // namespace

std::vector<std::unique_ptr<VcpuLink>> make_vcpu_links(std::vector<Fd> fds) {
  std::vector<std::unique_ptr<VcpuLink>> links;
  if (fds.size() % 2) return links;
  for (size_t i = 0; i < fds.size(); i += 2) links.push_back(std::make_unique<Pipes>(std::move(fds[i]), std::move(fds[i + 1])));
  return links;
}

std::string main_request_bytes(const wire::MainRequest& request) { return request.SerializeAsString(); }

bool read_main_response(std::string_view bytes, wire::MainResponse& response) {
  return response.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace mv::plugin
