// SPDX-License-Identifier: MIT
// The plugin's end of a vCPU's connection.  There are two of it, for the two protocols that the library is built for.
#pragma once

#include <memory>
#include <vector>

#include "vmm/backend/fd.h"
#include "plugin.pb.h"

namespace mv::plugin {

class VcpuLink {
 public:
  virtual ~VcpuLink() = default;
  // 0 or a negative errno; -EPIPE when the host is gone.
  virtual int send(const wire::VcpuRequest& request) = 0;
  virtual int receive(wire::VcpuResponse& response) = 0;
  // In 2018 every event was asked for, every resume was answered, and none took registers along.
  virtual bool of_2018() const = 0;
};

// Of the descriptors that came for all vCPUs; none if that is no such list.
std::vector<std::unique_ptr<VcpuLink>> make_vcpu_links(std::vector<Fd> fds);

// A main connection's bytes, as the protocol has them.
std::string main_request_bytes(const wire::MainRequest& request);
bool read_main_response(std::string_view bytes, wire::MainResponse& response);

}  // namespace mv::plugin
