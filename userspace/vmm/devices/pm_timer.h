// SPDX-License-Identifier: MIT
// ACPI PM timer: 24 bits at 3.579545 MHz, read-only, port 0x408.  ACPI 6.5, section 4.8.3.3.
#pragma once

#include "vmm/devices/device.h"
#include "vmm/devices/timing.h"

namespace mv {

class PmTimer : public Device {
 public:
  static constexpr uint64_t kBase = 0x408;
  static constexpr uint64_t kPorts = 4;
  static constexpr uint64_t kHz = 3579545;

  explicit PmTimer(std::function<uint64_t()> now) : now_(std::move(now)) {}

  std::string_view name() const override { return "acpi-pm-timer"; }
  uint64_t read(uint64_t offset, unsigned) override { return (ticks_in(now_(), kHz) & 0xffffff) >> (8 * offset); }
  void write(uint64_t, unsigned, uint64_t) override {}

 private:
  std::function<uint64_t()> now_;
};

}  // namespace mv
