// SPDX-License-Identifier: MIT
// What carries a vCPU's conversation: two pipes, or, in 2018, a socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/backend/fd.h"

namespace mv::plugin {

enum class Wire { today, y2018 };

// Called on the vCPU's thread, but for tell().
class VcpuChannel {
 public:
  virtual ~VcpuChannel() = default;
  // The plugin's ends: borrowed.
  virtual std::vector<int> plugin_fds() const = 0;
  // What the session said; waits while the plugin does not read.  False: it is over.
  virtual bool write(std::string_view bytes) = 0;
  // What the plugin says next, valid until the next call; waits for it.  False: it is over.
  virtual bool read(std::string_view& bytes) = 0;
  // The guest goes on because the plugin said so.
  virtual bool resumed() { return true; }
  // From any thread: read() and write() end, now and later.  A thread that may be in read() is then interrupted (kick.h).
  virtual void tell() = 0;
};

std::unique_ptr<VcpuChannel> make_vcpu_pipes();
std::unique_ptr<VcpuChannel> make_vcpu_socket_2018();

}  // namespace mv::plugin
