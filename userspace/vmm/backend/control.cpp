// SPDX-License-Identifier: MIT
#include "vmm/backend/control.h"

#include <fcntl.h>

#include <algorithm>

namespace mv {

Control::Control() : fd_(::open("/dev/mockvisor", O_RDWR | O_CLOEXEC)) {}

void Control::walk_switch(int vm_fd, bool on) const {
  mockvisor_walk_switch arg{.vm_fd = vm_fd, .on = on};
  if (fd_) ::ioctl(fd_.get(), MOCKVISOR_WALK_SWITCH, &arg);
}

std::optional<WalkStamps> Control::walk(int vm_fd, unsigned vcpu) const {
  mockvisor_walk arg{};
  arg.vm_fd = vm_fd;
  arg.vcpu = vcpu;
  if (!fd_ || ::ioctl(fd_.get(), MOCKVISOR_WALK_GET, &arg) < 0) return std::nullopt;
  WalkStamps s{.cookie = arg.cookie, .end = arg.end};
  std::copy(std::begin(arg.start), std::end(arg.start), s.start);
  return s;
}

std::optional<mockvisor_counters> Control::counters(int vm_fd, unsigned vcpu) const {
  mockvisor_counters arg{};
  arg.vm_fd = vm_fd;
  arg.vcpu = vcpu;
  if (!fd_ || ::ioctl(fd_.get(), MOCKVISOR_COUNTERS, &arg) < 0) return std::nullopt;
  return arg;
}

Fd open_node(const char* path) {
  Fd fd(::open(path, O_RDWR | O_CLOEXEC));
  if (fd) return fd;
  const std::string node = path;
  if (errno == ENOENT) throw_errno(node + " is missing: load the module first (insmod mockvisor.ko), or use --backend inproc");
  if (errno == EACCES || errno == EPERM) throw_errno(node + " may not be opened by this user: run as root, or give access with a udev rule");
  throw_errno("cannot open " + node);
}

}  // namespace mv
