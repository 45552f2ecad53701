// SPDX-License-Identifier: MIT
// Which device answers which address.  Built before the guest runs, then only read: no lock.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>

#include "vmm/devices/device.h"
#include "vmm/dispatch/access.h"

namespace mv {

class Bus {
 public:
  // Claims [base, base + length) of a space.  Throws std::invalid_argument if it is empty, wraps or is taken already.
  void claim(Space space, uint64_t base, uint64_t length, Device& device);

  struct Hit {
    Device* device = nullptr;
    uint64_t offset = 0;
  };
  // The device that holds all `size` bytes at `address`, or none.
  Hit find(Space space, uint64_t address, unsigned size) const;

 private:
  struct Range {
    uint64_t length;
    Device* device;
  };
  using Ranges = std::map<uint64_t, Range>;

  Ranges& ranges(Space space) { return ranges_[static_cast<unsigned>(space)]; }
  const Ranges& ranges(Space space) const { return ranges_[static_cast<unsigned>(space)]; }

  Ranges ranges_[3];
};

}  // namespace mv
