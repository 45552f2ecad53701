// SPDX-License-Identifier: MIT
// Which accesses the plugin serves.  No I/O, no lock: the caller has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace mv::plugin {

enum class Space { ioport, mmio };

class Ranges {
 public:
  struct Found {
    bool async_write;
  };
  // Of each space.
  static constexpr size_t kMost = 65536;

  // 0, -EPERM (overlaps another), -EINVAL (reaches the end of the address space), -ENOSPC (there are kMost).  length 0 gives the range back that has
  // this start, or -ENOENT.
  int reserve(Space space, uint64_t start, uint64_t length, bool async_write);
  // The range that an access at `address` begins in; its length does not matter.
  std::optional<Found> find(Space space, uint64_t address) const;

 private:
  struct Range {
    uint64_t length;
    bool async_write;
  };
  using Map = std::map<uint64_t, Range>;
  Map& map(Space space) { return space == Space::mmio ? mmio_ : ioport_; }
  const Map& map(Space space) const { return space == Space::mmio ? mmio_ : ioport_; }

  Map ioport_, mmio_;
};

}  // namespace mv::plugin
