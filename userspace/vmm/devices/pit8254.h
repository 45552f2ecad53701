// SPDX-License-Identifier: MIT
// Intel 8254 interval timer, ports 0x40..0x43, and port 0x61, which gates its channel 2.
// Source: Intel 82C54 data sheet (231244), sections "Programming" and "Mode definitions".
//
// Counting is computed from the clock when somebody looks.  Channel 0 alone has an interrupt; one that comes late is
// delivered once, however many periods have passed.
#pragma once

#include <array>
#include <optional>

#include "vmm/devices/device.h"
#include "vmm/devices/irq_line.h"
#include "vmm/devices/timing.h"

namespace mv {

class Pit8254 : public Device {
 public:
  static constexpr uint64_t kBase = 0x40;
  static constexpr uint64_t kPorts = 4;
  static constexpr uint64_t kHz = 1193182;
  // A guest may ask for a million interrupts a second; it does not get them from the host.
  static constexpr uint64_t kShortestAlarmNs = 50000;

  enum Port : uint64_t { COUNTER0 = 0, COUNTER1 = 1, COUNTER2 = 2, CONTROL = 3 };
  enum Access : uint8_t { LATCH = 0, LOW = 1, HIGH = 2, LOW_HIGH = 3 };
  static constexpr uint8_t READ_BACK = 0xc0;
  static constexpr uint8_t READ_BACK_NO_COUNT = 0x20;
  static constexpr uint8_t READ_BACK_NO_STATUS = 0x10;
  static constexpr uint8_t STATUS_OUTPUT = 0x80;
  static constexpr uint8_t STATUS_NULL_COUNT = 0x40;

  Pit8254(Timing timing, IrqLine irq) : timing_(std::move(timing)), irq_(std::move(irq)) {}

  std::string_view name() const override { return "8254"; }
  uint64_t read(uint64_t offset, unsigned size) override;
  void write(uint64_t offset, unsigned size, uint64_t value) override;

  // The alarm that was asked for.
  void expire();

  void gate2(bool high);
  bool gate2() const { return channels_[2].gate; }
  bool output2() const { return output(channels_[2]); }
  uint64_t now() const { return timing_.now(); }

 private:
  struct Channel {
    uint8_t mode = 0;
    Access access = LOW_HIGH;
    bool bcd = false;
    bool gate = true;
    bool loaded = false;       // a count was written since the control word
    bool high_next = false;    // of a count that is written or read in two halves
    uint8_t low = 0;           // the half that came first
    uint32_t count = 0x10000;  // as loaded, 1 to 65536
    uint64_t start_ns = 0;     // when it was loaded or triggered
    uint64_t held = 0;         // ticks counted before the gate went low
    uint64_t delivered = 0;    // channel 0: periods whose interrupt was given
    std::optional<uint16_t> latched;
    std::optional<uint8_t> latched_status;
  };

  uint64_t ticks(const Channel& c) const;
  bool periodic(const Channel& c) const { return c.mode == 2 || c.mode == 3; }
  bool output(const Channel& c) const;
  uint16_t value(const Channel& c) const;
  uint8_t status(const Channel& c) const;
  uint8_t read_counter(Channel& c);
  void write_counter(Channel& c, uint8_t value);
  void control(uint8_t value);
  void load(Channel& c, uint16_t value);
  void start(Channel& c);
  void arm();

  Timing timing_;
  IrqLine irq_;
  std::array<Channel, 3> channels_;
};

// Bit 0: gate of channel 2; bit 1: speaker; bit 4: toggles with each refresh; bit 5: output of channel 2.
class Port61 : public Device {
 public:
  static constexpr uint64_t kPort = 0x61;
  static constexpr uint64_t kRefreshNs = 15085;

  explicit Port61(Pit8254& pit) : pit_(pit) { pit_.gate2(false); }

  std::string_view name() const override { return "port-61"; }
  uint64_t read(uint64_t, unsigned) override {
    return written_ | (pit_.now() / kRefreshNs & 1 ? 0x10u : 0u) | (pit_.output2() ? 0x20u : 0u);
  }
  void write(uint64_t, unsigned, uint64_t value) override {
    written_ = static_cast<uint8_t>(value & 0x0f);
    pit_.gate2(value & 1);
  }

 private:
  Pit8254& pit_;
  uint8_t written_ = 0;
};

}  // namespace mv
