// SPDX-License-Identifier: MIT
// serve: one access in, one reply out.  A pure function of the access and the devices; no system call, no clock.
#pragma once

#include "vmm/bus/bus.h"
#include "vmm/dispatch/access.h"

namespace mv {

// An address that nobody claims reads as all ones and swallows writes.
inline Reply dispatch(const Bus& bus, const Access& access) {
  const Bus::Hit hit = bus.find(access.space, access.address, access.size);
  if (!hit.device) return {.data = size_mask(access.size), .fault = true};
  if (access.direction == Direction::write) {
    hit.device->write(hit.offset, access.size, access.data & size_mask(access.size));
    return {};
  }
  return {.data = hit.device->read(hit.offset, access.size) & size_mask(access.size)};
}

}  // namespace mv
