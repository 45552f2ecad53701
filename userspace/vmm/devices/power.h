// SPDX-License-Identifier: MIT
// What a PC guest powers itself off and resets itself with: ACPI PM1a control, reset control (0xCF9), keyboard controller.
#pragma once

#include <functional>

#include "vmm/devices/device.h"

namespace mv {

// ACPI 6.5, section 4.8.3.2.1: SLP_EN bit 13, SLP_TYP bits 12:10.  S5 is type 5, as in ACRN's tables.  Ports 0x400..0x405.
class Pm1Block : public Device {
 public:
  static constexpr uint64_t kBase = 0x400;
  static constexpr uint64_t kPorts = 6;
  enum Register : uint64_t { PM1A_STS = 0, PM1A_EN = 2, PM1A_CNT = 4 };
  static constexpr uint16_t kSleepEnable = 1 << 13;
  static constexpr uint16_t kTypeS5 = 5 << 10;
  static constexpr uint16_t kTypeMask = 7 << 10;

  explicit Pm1Block(std::function<void()> power_off) : power_off_(std::move(power_off)) {}

  std::string_view name() const override { return "acpi-pm1"; }
  uint64_t read(uint64_t offset, unsigned) override { return offset == PM1A_CNT ? control_ : offset == PM1A_EN ? enable_ : 0u; }
  void write(uint64_t offset, unsigned, uint64_t value) override {
    if (offset == PM1A_EN) enable_ = static_cast<uint16_t>(value);
    if (offset != PM1A_CNT) return;
    control_ = static_cast<uint16_t>(value) & ~kSleepEnable;
    if ((value & kSleepEnable) && (value & kTypeMask) == kTypeS5) power_off_();
  }

 private:
  std::function<void()> power_off_;
  uint16_t enable_ = 0;
  uint16_t control_ = 1;  // SCI_EN
};

// Port 0xCF9: bit 2 resets the CPU.  Intel ICH data sheets, RST_CNT.
class ResetControl : public Device {
 public:
  static constexpr uint64_t kPort = 0xcf9;
  static constexpr uint8_t kResetCpu = 1 << 2;

  explicit ResetControl(std::function<void()> reset) : reset_(std::move(reset)) {}

  std::string_view name() const override { return "reset-control"; }
  uint64_t read(uint64_t, unsigned) override { return value_; }
  void write(uint64_t, unsigned, uint64_t value) override {
    value_ = static_cast<uint8_t>(value);
    if (value_ & kResetCpu) reset_();
  }

 private:
  std::function<void()> reset_;
  uint8_t value_ = 0;
};

}  // namespace mv
