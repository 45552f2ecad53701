// SPDX-License-Identifier: MIT
#include "vmm/bus/bus.h"

#include <string>

namespace mv {

bool Bus::try_claim(Space space, uint64_t base, uint64_t length, Device& device) {
  if (length == 0 || base + length < base) return false;
  auto& all = ranges(space);
  auto after = all.lower_bound(base);
  const bool meets_next = after != all.end() && after->first < base + length;
  const bool meets_previous = after != all.begin() && std::prev(after)->first + std::prev(after)->second.length > base;
  if (meets_next || meets_previous) return false;
  all.emplace(base, Range{length, &device});
  return true;
}

void Bus::claim(Space space, uint64_t base, uint64_t length, Device& device) {
  if (try_claim(space, base, length, device)) return;
  throw std::invalid_argument("bus: the range of " + std::string(device.name()) + " is empty, wraps or overlaps another device's");
}

Bus::Hit Bus::find(Space space, uint64_t address, unsigned size) const {
  const auto& all = ranges(space);
  auto at = all.upper_bound(address);
  if (at == all.begin()) return {};
  --at;
  const uint64_t offset = address - at->first;
  if (offset >= at->second.length || size > at->second.length - offset) return {};
  return {at->second.device, offset};
}

}  // namespace mv
