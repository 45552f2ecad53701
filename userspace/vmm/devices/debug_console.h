// SPDX-License-Identifier: MIT
// A port to which firmware writes what it is doing, byte by byte: 0x402 and 0xE9.  It reads as 0xE9, by which SeaBIOS and OVMF
// find out that somebody listens.
#pragma once

#include <functional>

#include "vmm/devices/device.h"

namespace mv {

class DebugConsole : public Device {
 public:
  static constexpr uint64_t kFirmwarePort = 0x402, kBochsPort = 0xe9;
  static constexpr uint8_t kHere = 0xe9;

  explicit DebugConsole(std::function<void(uint8_t)> output) : output_(std::move(output)) {}

  std::string_view name() const override { return "debug-console"; }
  uint64_t read(uint64_t, unsigned) override { return kHere; }
  void write(uint64_t, unsigned, uint64_t value) override {
    if (output_) output_(static_cast<uint8_t>(value));
  }

 private:
  std::function<void(uint8_t)> output_;
};

}  // namespace mv
