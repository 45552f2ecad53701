// SPDX-License-Identifier: MIT
// The power management block of ICH9, wherever firmware puts it: PM1 at 0, the PM timer at 8, SMI_EN at 0x30.
// Source: Intel ICH9 data sheet, section 13.8.3.
#pragma once

#include "vmm/devices/pm_timer.h"
#include "vmm/devices/power.h"

namespace mv {

class Ich9Pm : public Device {
 public:
  static constexpr uint64_t kPorts = 0x80;
  enum Register : uint64_t { PM1 = 0x00, TIMER = 0x08, SMI_EN = 0x30 };
  // SMIs by port 0xB2 are enabled already: firmware takes that for "system management mode is set up, or not to be".
  static constexpr uint32_t kSmiByPort = 1 << 5;

  Ich9Pm(std::function<void()> power_off, std::function<uint64_t()> now) : power_off_(power_off), pm1_(std::move(power_off)), timer_(std::move(now)) {}

  std::string_view name() const override { return "ich9-pm"; }
  uint64_t read(uint64_t offset, unsigned size) override {
    if (offset < Pm1Block::kPorts) return pm1_.read(offset, size);
    if (offset >= TIMER && offset < TIMER + PmTimer::kPorts) return timer_.read(offset - TIMER, size);
    return offset == SMI_EN ? kSmiByPort : 0;
  }
  void write(uint64_t offset, unsigned size, uint64_t value) override {
    // OVMF powers off by type 0, as QEMU's chips want it
    if (offset == Pm1Block::PM1A_CNT && (value & Pm1Block::kSleepEnable) && !(value & Pm1Block::kTypeMask)) return power_off_();
    if (offset < Pm1Block::kPorts) pm1_.write(offset, size, value);
  }

 private:
  std::function<void()> power_off_;
  Pm1Block pm1_;
  PmTimer timer_;
};

// What the hypervisor writes when a vCPU has shut down (a triple fault): S5 to port 0x404, wherever the block is.
class ShutdownPort : public Device {
 public:
  static constexpr uint64_t kPort = Pm1Block::kBase + Pm1Block::PM1A_CNT, kPorts = 2;

  explicit ShutdownPort(std::function<void()> power_off) : pm1_(std::move(power_off)) {}
  std::string_view name() const override { return "shutdown"; }
  uint64_t read(uint64_t, unsigned size) override { return pm1_.read(Pm1Block::PM1A_CNT, size); }
  void write(uint64_t, unsigned size, uint64_t value) override { pm1_.write(Pm1Block::PM1A_CNT, size, value); }

 private:
  Pm1Block pm1_;
};

}  // namespace mv
