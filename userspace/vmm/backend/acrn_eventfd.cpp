// SPDX-License-Identifier: MIT
#include "vmm/backend/acrn_eventfd.h"

#include <linux/acrn.h>
#include <sys/eventfd.h>

namespace mv {

static Fd new_eventfd() {
  Fd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) throw_errno("eventfd");
  return fd;
}

AcrnDoorbell::AcrnDoorbell(int device, uint64_t gpa, unsigned size) : device_(device), event_(new_eventfd()) {
  acrn_ioeventfd e{.fd = static_cast<uint32_t>(event_.get()), .flags = 0, .addr = gpa, .len = size, .reserved = 0, .data = 0};
  must_ioctl("IOEVENTFD", device_, ACRN_IOCTL_IOEVENTFD, &e);
}

AcrnDoorbell::~AcrnDoorbell() {
  acrn_ioeventfd e{.fd = static_cast<uint32_t>(event_.get()), .flags = ACRN_IOEVENTFD_FLAG_DEASSIGN, .addr = 0, .len = 0, .reserved = 0, .data = 0};
  ::ioctl(device_, ACRN_IOCTL_IOEVENTFD, &e);
}

AcrnMessageRoute::AcrnMessageRoute(int device, uint64_t address, uint32_t data) : device_(device), event_(new_eventfd()) {
  acrn_irqfd f{.fd = event_.get(), .flags = 0, .msi = {.msi_addr = address, .msi_data = data}};
  must_ioctl("IRQFD", device_, ACRN_IOCTL_IRQFD, &f);
}

AcrnMessageRoute::~AcrnMessageRoute() {
  acrn_irqfd f{.fd = event_.get(), .flags = ACRN_IRQFD_FLAG_DEASSIGN, .msi = {}};
  ::ioctl(device_, ACRN_IOCTL_IRQFD, &f);
}

// Nobody reads the counter; it would take 2^64 messages to fill it.
void AcrnMessageRoute::send() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(event_.get(), &one, sizeof one);
}

}  // namespace mv
