// SPDX-License-Identifier: MIT
// A host that does what a test's script says, in raw bytes: it shares no code with ours.
#pragma once

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/plugin/hex.h"

namespace mv::test {

// The host's ends of one vCPU's pipes, and the plugin's.
struct FakeVcpu {
  FakeVcpu() {
    EXPECT_EQ(pipe2(to_host, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(to_plugin, O_CLOEXEC), 0);
  }
  FakeVcpu(const FakeVcpu&) = delete;
  ~FakeVcpu() { hang_up(); }
  void hang_up() {
    for (int* fd : {&to_host[0], &to_host[1], &to_plugin[0], &to_plugin[1]}) {
      if (*fd >= 0) close(*fd);
      *fd = -1;
    }
  }
  std::string read_request() {
    char buffer[4096];
    const ssize_t n = read(to_host[0], buffer, sizeof(buffer));
    return n < 0 ? "error" : to_hex({buffer, static_cast<size_t>(n)});
  }
  void say(std::string_view hex) {
    const std::string bytes = from_hex(hex);
    EXPECT_EQ(write(to_plugin[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  int to_host[2], to_plugin[2];
};

class FakeHost {
 public:
  explicit FakeHost(unsigned vcpus = 1) : vcpus_(vcpus) {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    socket_ = pair[0];
    setenv("CROSVM_SOCKET", std::to_string(pair[1]).c_str(), 1);
  }
  ~FakeHost() {
    if (script_.joinable()) script_.join();
    hang_up();
    unsetenv("CROSVM_SOCKET");
  }
  FakeVcpu& vcpu(unsigned n) { return vcpus_.at(n); }
  // The script runs beside the test.
  void run(std::function<void(FakeHost&)> script) {
    if (script_.joinable()) script_.join();
    script_ = std::thread([this, script = std::move(script)] { script(*this); });
  }
  // Receives one request; its descriptors are closed.
  std::string request() {
    char buffer[8192];
    char control[CMSG_SPACE(sizeof(int) * 16)];
    iovec piece = {buffer, sizeof(buffer)};
    msghdr m = {};
    m.msg_iov = &piece;
    m.msg_iovlen = 1;
    m.msg_control = control;
    m.msg_controllen = sizeof(control);
    const ssize_t n = recvmsg(socket_, &m, 0);
    fds_received_ = 0;
    for (cmsghdr* c = CMSG_FIRSTHDR(&m); n >= 0 && c; c = CMSG_NXTHDR(&m, c)) {
      for (size_t at = CMSG_LEN(0); at < c->cmsg_len; at += sizeof(int), ++fds_received_) {
        int fd;
        std::memcpy(&fd, reinterpret_cast<char*>(c) + at, sizeof(fd));
        close(fd);
      }
    }
    return n < 0 ? "error" : to_hex({buffer, static_cast<size_t>(n)});
  }
  void reply(std::string_view hex, const std::vector<int>& fds = {}) {
    std::string bytes = from_hex(hex);
    std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
    iovec piece = {bytes.data(), bytes.size()};
    msghdr m = {};
    m.msg_iov = &piece;
    m.msg_iovlen = 1;
    if (!fds.empty()) {
      m.msg_control = control.data();
      m.msg_controllen = control.size();
      cmsghdr* c = CMSG_FIRSTHDR(&m);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
      std::memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
    }
    EXPECT_EQ(sendmsg(socket_, &m, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void answer(std::string_view expected, std::string_view response, const std::vector<int>& fds = {}) {
    EXPECT_EQ(request(), expected);
    reply(response, fds);
  }
  void answer_get_vcpus() {
    std::vector<int> fds;
    for (FakeVcpu& v : vcpus_) fds.insert(fds.end(), {v.to_host[1], v.to_plugin[0]});
    answer("8a0100", "920100", fds);
  }
  void hang_up() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }
  void join() { script_.join(); }
  size_t fds_received() const { return fds_received_; }

 private:
  std::vector<FakeVcpu> vcpus_;
  int socket_ = -1;
  size_t fds_received_ = 0;
  std::thread script_;
};

}  // namespace mv::test
