// SPDX-License-Identifier: MIT
// Which device answers which address.  No lock of its own: once the guest runs, whoever uses it holds the devices' lock.
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

  // The same, but false if the range is empty, wraps or is taken: for ranges that the guest chooses.
  bool try_claim(Space space, uint64_t base, uint64_t length, Device& device);
  // Gives back what was claimed at `base`.
  void release(Space space, uint64_t base) { ranges(space).erase(base); }

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
