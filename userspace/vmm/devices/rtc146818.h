// SPDX-License-Identifier: MIT
// MC146818 real-time clock with 128 bytes of CMOS memory, ports 0x70 and 0x71.  Source: Motorola MC146818A data sheet,
// sections "Registers" and "Update cycle"; memory sizes as firmware of PCs leaves them in CMOS.
// No interrupts: the flags of register C are there to be polled.
#pragma once

#include <array>
#include <ctime>
#include <functional>

#include "vmm/devices/device.h"

namespace mv {

class Rtc146818 : public Device {
 public:
  static constexpr uint64_t kBase = 0x70;
  static constexpr uint64_t kPorts = 2;

  enum Register : uint8_t {
    SECONDS = 0, SECONDS_ALARM = 1, MINUTES = 2, MINUTES_ALARM = 3, HOURS = 4, HOURS_ALARM = 5, WEEKDAY = 6, DAY = 7, MONTH = 8,
    YEAR = 9, A = 10, B = 11, C = 12, D = 13, SHUTDOWN = 0x0f, BASE_MEMORY = 0x15, EXTENDED_MEMORY = 0x17,
    EXTENDED_MEMORY_AGAIN = 0x30, CENTURY = 0x32, ABOVE_16M = 0x34, BOOT_ORDER = 0x3d, ABOVE_4G = 0x5b, MORE_CPUS = 0x5f
  };
  static constexpr uint8_t A_UPDATING = 0x80;
  static constexpr uint8_t B_SET = 0x80, B_BINARY = 0x04, B_24_HOURS = 0x02;
  static constexpr uint8_t C_UPDATED = 0x10;
  static constexpr uint8_t D_VALID = 0x80;
  // The time registers are not to be read this long before they change.
  static constexpr uint64_t kUpdateNs = 244000;

  struct Memory {
    uint64_t below_4g = 0;  // bytes of RAM from address 0
    uint64_t above_4g = 0;
    unsigned vcpus = 1;
  };

  // utc_ns: nanoseconds since 1970.
  Rtc146818(std::function<uint64_t()> utc_ns, const Memory& memory);

  std::string_view name() const override { return "rtc"; }
  uint64_t read(uint64_t offset, unsigned size) override;
  void write(uint64_t offset, unsigned size, uint64_t value) override;

 private:
  uint8_t read_register(uint8_t index);
  void write_register(uint8_t index, uint8_t value);
  static bool is_time(uint8_t index);
  uint8_t from_tm(uint8_t index, const std::tm& t) const;
  void into_tm(uint8_t index, std::tm& t, uint8_t value) const;
  uint8_t encode(unsigned value) const;
  unsigned decode(uint8_t value) const;
  std::tm time() const;
  void put16(uint8_t index, uint64_t value);

  std::function<uint64_t()> utc_ns_;
  std::array<uint8_t, 128> cmos_{};
  uint8_t index_ = 0;
  int64_t offset_s_ = 0;    // the guest's clock minus the host's
  std::tm frozen_{};        // while B_SET
  uint64_t seen_s_ = 0;     // the second at which C was last read
};

}  // namespace mv
