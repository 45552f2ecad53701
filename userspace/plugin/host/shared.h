// SPDX-License-Identifier: MIT
// What main connections decide and vCPUs look at, all under one reader-writer lock.
#pragma once

#include <optional>
#include <shared_mutex>
#include <vector>

#include "plugin/host/ranges.h"

namespace mv::plugin {

struct HintDetail {
  bool match[4];  // RAX, RBX, RCX, RDX
  uint64_t value[4];
  bool send_sregs, send_debugregs;
};

struct Hint {
  Space space;
  uint64_t address;
  bool on_write;
  std::vector<HintDetail> details;
};

struct Shared {
  mutable std::shared_mutex mutex;
  Ranges ranges;
  std::optional<Hint> hint;
};

}  // namespace mv::plugin
