// SPDX-License-Identifier: MIT
// Packets with descriptors on a SOCK_SEQPACKET connection.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/backend/fd.h"

namespace mv::wire {

// The kernel's SCM_MAX_FD.
constexpr size_t kMostFds = 253;

struct Packet {
  std::string bytes;  // empty: the other side hung up, or sent an empty packet, which means the same here
  std::vector<Fd> fds;
  bool truncated = false;  // bytes or descriptors were lost
};

// 0 or a negative errno; never a signal.  Waits while the socket is full, unless it is non-blocking.
int send_packet(int socket, std::string_view bytes, std::span<const int> fds);
// 0 or a negative errno.  Takes up to `most` bytes; descriptors that come along are closed on exec.
int receive_packet(int socket, size_t most, Packet& packet);

}  // namespace mv::wire
