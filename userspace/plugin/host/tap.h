// SPDX-License-Identifier: MIT
// A TAP device that the plugin is given.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "vmm/backend/fd.h"

namespace mv::plugin {

// As the host's side of the device has it.
struct NetConfig {
  std::array<uint8_t, 6> mac = {};
  uint32_t address = 0, netmask = 0;  // IPv4, in network byte order
};

class Tap {
 public:
  // An open one.  Throws std::invalid_argument if `fd` is none.
  explicit Tap(Fd fd);
  // A new one with this configuration, up.  Throws std::system_error: it takes CAP_NET_ADMIN.
  explicit Tap(const NetConfig& config);

  int fd() const { return fd_.get(); }
  const std::string& name() const { return name_; }
  // As it is now.  A negative errno if that cannot be asked: -EADDRNOTAVAIL means without an address.
  int config(NetConfig& out) const;

 private:
  Fd fd_;
  std::string name_;
};

// "a.b.c.d" and "01:02:03:04:05:06"; throw std::invalid_argument that says `what`.
uint32_t parse_ipv4(const std::string& text, const std::string& what);
std::array<uint8_t, 6> parse_mac(const std::string& text, const std::string& what);

}  // namespace mv::plugin
