// SPDX-License-Identifier: MIT
// Arm PL031 real-time clock: seconds since 1970.  Source: Arm PrimeCell RTC (PL031) Technical Reference Manual, DDI 0224,
// chapter 3.  The alarm is compared when a register is accessed: nobody is woken by it.
#pragma once

#include <functional>
#include <utility>

#include "vmm/devices/device.h"

namespace mv {

class Pl031 : public Device {
 public:
  static constexpr uint64_t kSize = 0x1000;
  enum Register : uint64_t { DR = 0x00, MR = 0x04, LR = 0x08, CR = 0x0c, IMSC = 0x10, RIS = 0x14, MIS = 0x18, ICR = 0x1c, ID = 0xfe0 };

  // utc_ns: nanoseconds since 1970.
  explicit Pl031(std::function<uint64_t()> utc_ns) : utc_ns_(std::move(utc_ns)) {}

  std::string_view name() const override { return "PL031"; }
  uint64_t read(uint64_t offset, unsigned) override {
    // RTCPeriphID and RTCPCellID: PL031 revision r1p0 by Arm
    static constexpr uint8_t kIdentification[8] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    if (offset >= ID && offset < kSize) return kIdentification[(offset - ID) / 4];
    match();
    switch (offset & ~uint64_t{3}) {
      case DR:
        return now();
      case MR:
        return match_;
      case LR:
        return load_;
      case CR:
        return 1;  // it runs from the start, and cannot be stopped (section 3.3.4)
      case IMSC:
        return mask_;
      case RIS:
        return matched_;
      case MIS:
        return matched_ & mask_;
      default:
        return 0;
    }
  }
  void write(uint64_t offset, unsigned, uint64_t value) override {
    const auto word = static_cast<uint32_t>(value);
    match();
    switch (offset & ~uint64_t{3}) {
      case MR:
        match_ = word;
        armed_ = word > now();
        break;
      case LR:
        load_ = word;
        offset_ += word - now();
        break;
      case IMSC:
        mask_ = word & 1;
        break;
      case ICR:
        matched_ &= ~word;
        break;
      default:
        break;  // read-only, or not there
    }
  }

 private:
  uint32_t now() const { return static_cast<uint32_t>(utc_ns_() / 1000000000) + offset_; }
  void match() {
    if (!armed_ || now() < match_) return;
    armed_ = false;
    matched_ = 1;
  }

  std::function<uint64_t()> utc_ns_;
  uint32_t offset_ = 0;  // the guest's clock minus the host's
  uint32_t match_ = 0, load_ = 0, mask_ = 0, matched_ = 0;
  bool armed_ = false;
};

}  // namespace mv
