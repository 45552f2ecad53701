// SPDX-License-Identifier: MIT
#include "plugin/wire/packet.h"

#include <sys/socket.h>

#include <cstring>

namespace mv::wire {

namespace {

constexpr size_t kControlBytes = CMSG_SPACE(kMostFds * sizeof(int));

struct alignas(cmsghdr) Control {
  char bytes[kControlBytes];
};

void put_fds(msghdr& m, Control& control, std::span<const int> fds) {
  if (fds.empty()) return;
  m.msg_control = control.bytes;
  m.msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(c), fds.data(), fds.size_bytes());
}

void take_fds(msghdr& m, std::vector<Fd>& fds) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    for (size_t at = 0; at + CMSG_LEN(sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
      fds.emplace_back(fd);
    }
  }
}

}  // namespace

int send_packet(int socket, std::string_view bytes, std::span<const int> fds) {
  if (fds.size() > kMostFds) return -EINVAL;
  Control control = {};
  iovec piece = {const_cast<char*>(bytes.data()), bytes.size()};
  msghdr m = {};
  m.msg_iov = &piece;
  m.msg_iovlen = 1;
  put_fds(m, control, fds);
  ssize_t n;
  do {
    n = ::sendmsg(socket, &m, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : 0;
}

int receive_packet(int socket, size_t most, Packet& packet) {
  Control control;
  packet.bytes.resize(most);
  packet.fds.clear();
  iovec piece = {packet.bytes.data(), most};
  msghdr m = {};
  m.msg_iov = &piece;
  m.msg_iovlen = 1;
  m.msg_control = control.bytes;
  m.msg_controllen = sizeof(control.bytes);
  ssize_t n;
  do {
    n = ::recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return -errno;
  packet.bytes.resize(static_cast<size_t>(n));
  take_fds(m, packet.fds);
  packet.truncated = m.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
  return 0;
}

}  // namespace mv::wire
