// SPDX-License-Identifier: MIT
#include "plugin/host/tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace mv::plugin {

namespace {

ifreq request_for(const std::string& name) {
  ifreq r = {};
  std::memcpy(r.ifr_name, name.data(), std::min<size_t>(name.size(), sizeof(r.ifr_name) - 1));
  return r;
}

// Any socket: the calls are about the device of that name.
Fd any_socket() { return Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }

int get_address(int socket, const std::string& name, unsigned long call, uint32_t& address) {
  ifreq r = request_for(name);
  if (::ioctl(socket, call, &r)) return -errno;
  sockaddr_in in;
  std::memcpy(&in, &r.ifr_addr, sizeof(in));
  address = in.sin_addr.s_addr;
  return 0;
}

void set_address(int socket, const std::string& name, unsigned long call, uint32_t address) {
  ifreq r = request_for(name);
  sockaddr_in in = {};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = address;
  std::memcpy(&r.ifr_addr, &in, sizeof(in));
  must_ioctl("the TAP device's address", socket, call, &r);
}

}  // namespace

Tap::Tap(Fd fd) : fd_(std::move(fd)) {
  ifreq r = {};
  if (::ioctl(fd_.get(), TUNGETIFF, &r) || !(r.ifr_flags & IFF_TAP)) throw std::invalid_argument("--tap-fd: this is no TAP device");
  name_ = r.ifr_name;
}

Tap::Tap(const NetConfig& config) : fd_(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)) {
  if (!fd_) throw_errno("/dev/net/tun");
  ifreq r = request_for("vmtap%d");
  r.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  must_ioctl("a new TAP device", fd_.get(), TUNSETIFF, &r);
  name_ = r.ifr_name;
  const Fd socket = any_socket();
  set_address(socket.get(), name_, SIOCSIFADDR, config.address);
  set_address(socket.get(), name_, SIOCSIFNETMASK, config.netmask);
  r = request_for(name_);
  r.ifr_hwaddr.sa_family = 1;  // ARPHRD_ETHER
  std::memcpy(r.ifr_hwaddr.sa_data, config.mac.data(), config.mac.size());
  must_ioctl("the TAP device's MAC address", socket.get(), SIOCSIFHWADDR, &r);
  r = request_for(name_);
  r.ifr_flags = IFF_UP | IFF_RUNNING;
  must_ioctl("the TAP device", socket.get(), SIOCSIFFLAGS, &r);
}

int Tap::config(NetConfig& out) const {
  const Fd socket = any_socket();
  if (!socket) return -errno;
  ifreq r = request_for(name_);
  if (::ioctl(socket.get(), SIOCGIFHWADDR, &r)) return -errno;
  std::memcpy(out.mac.data(), r.ifr_hwaddr.sa_data, out.mac.size());
  if (const int error = get_address(socket.get(), name_, SIOCGIFADDR, out.address)) return error;
  return get_address(socket.get(), name_, SIOCGIFNETMASK, out.netmask);
}

uint32_t parse_ipv4(const std::string& text, const std::string& what) {
  in_addr address;
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) throw std::invalid_argument(what + ": valid is an IPv4 address such as 10.0.0.1");
  return address.s_addr;
}

std::array<uint8_t, 6> parse_mac(const std::string& text, const std::string& what) {
  std::array<uint8_t, 6> mac;
  char rest;
  const int n = std::sscanf(text.c_str(), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5], &rest);
  if (n != 6 || (mac[0] & 1)) throw std::invalid_argument(what + ": valid is the MAC address of one device such as 02:00:00:00:00:01");
  return mac;
}

}  // namespace mv::plugin
