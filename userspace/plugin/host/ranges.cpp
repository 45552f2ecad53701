// SPDX-License-Identifier: MIT
#include "plugin/host/ranges.h"

#include <cerrno>

namespace mv::plugin {

int Ranges::reserve(Space space, uint64_t start, uint64_t length, bool async_write) {
  Map& ranges = map(space);
  if (!length) return ranges.erase(start) ? 0 : -ENOENT;
  if (start + length < start) return -EINVAL;
  const auto next = ranges.lower_bound(start);
  if (next != ranges.end() && next->first - start < length) return -EPERM;
  if (find(space, start)) return -EPERM;
  if (ranges.size() >= kMost) return -ENOSPC;
  ranges.emplace(start, Range{length, async_write});
  return 0;
}

std::optional<Ranges::Found> Ranges::find(Space space, uint64_t address) const {
  const Map& ranges = map(space);
  auto at = ranges.upper_bound(address);
  if (at == ranges.begin()) return std::nullopt;
  --at;
  if (address - at->first >= at->second.length) return std::nullopt;
  return Found{at->second.async_write};
}

}  // namespace mv::plugin
