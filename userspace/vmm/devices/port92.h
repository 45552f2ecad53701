// SPDX-License-Identifier: MIT
// Port 0x92: bit 0 resets the machine, bit 1 is the gate of address line 20, which is kept without effect: the line is always
// open, as it is on processors since 2013.  Source: IBM PS/2 technical reference, "System control port A".
#pragma once

#include <functional>

#include "vmm/devices/device.h"

namespace mv {

class Port92 : public Device {
 public:
  static constexpr uint64_t kPort = 0x92;
  enum Bit : uint8_t { RESET = 1, A20 = 2 };

  explicit Port92(std::function<void()> reset) : reset_(std::move(reset)) {}

  std::string_view name() const override { return "port-92"; }
  uint64_t read(uint64_t, unsigned) override { return value_; }
  void write(uint64_t, unsigned, uint64_t value) override {
    value_ = static_cast<uint8_t>(value & ~uint64_t{RESET});
    if (value & RESET) reset_();
  }

 private:
  std::function<void()> reset_;
  uint8_t value_ = A20;
};

}  // namespace mv
