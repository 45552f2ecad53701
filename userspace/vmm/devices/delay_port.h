// SPDX-License-Identifier: MIT
// Ports 0x80 (POST codes) and 0xED: guests write there to wait a microsecond.  What is written last can be read back.
#pragma once

#include "vmm/devices/device.h"

namespace mv {

class DelayPort : public Device {
 public:
  static constexpr uint64_t kPost = 0x80;
  static constexpr uint64_t kOther = 0xed;

  std::string_view name() const override { return "delay-port"; }
  uint64_t read(uint64_t, unsigned) override { return value_; }
  void write(uint64_t, unsigned, uint64_t value) override { value_ = value; }

 private:
  uint64_t value_ = 0;
};

}  // namespace mv
