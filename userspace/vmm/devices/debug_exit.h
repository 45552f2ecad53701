// SPDX-License-Identifier: MIT
// A write ends the guest with the value written as its exit code.
#pragma once

#include <functional>

#include "vmm/devices/device.h"

namespace mv {

class DebugExit : public Device {
 public:
  static constexpr uint64_t kSize = 8;

  explicit DebugExit(std::function<void(uint64_t)> exit) : exit_(std::move(exit)) {}

  std::string_view name() const override { return "debug-exit"; }
  uint64_t read(uint64_t, unsigned) override { return 0; }
  void write(uint64_t, unsigned, uint64_t value) override { exit_(value); }

 private:
  std::function<void(uint64_t)> exit_;
};

}  // namespace mv
