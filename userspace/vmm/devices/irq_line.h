// SPDX-License-Identifier: MIT
// A device's interrupt wire: levels go out only when they change.
#pragma once

#include <functional>
#include <utility>

namespace mv {

class IrqLine {
 public:
  using Drive = std::function<void(bool high)>;

  IrqLine() = default;
  explicit IrqLine(Drive drive) : drive_(std::move(drive)) {}

  void set(bool high) {
    if (high == high_) return;
    high_ = high;
    if (drive_) drive_(high);
  }
  // A rising edge, whatever the level was; it stays high.
  void edge() {
    set(false);
    set(true);
  }
  bool high() const { return high_; }

 private:
  Drive drive_;
  bool high_ = false;
};

}  // namespace mv
