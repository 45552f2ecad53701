// SPDX-License-Identifier: MIT
// Keyboard controller without keyboard: enough for a guest's probe, and the reset pulse of PCs (0xFE to port 0x64).
// Source: Intel 8042/8742 as used in the IBM PC AT technical reference, section "Keyboard controller".
#pragma once

#include <functional>
#include <utility>

#include "vmm/devices/device.h"
#include "vmm/devices/irq_line.h"

namespace mv {

class I8042 {
 public:
  static constexpr uint64_t kDataPort = 0x60;
  static constexpr uint64_t kCommandPort = 0x64;
  enum Command : uint8_t {
    READ_CONTROL = 0x20, WRITE_CONTROL = 0x60, DISABLE_AUX = 0xa7, ENABLE_AUX = 0xa8, TEST_AUX = 0xa9, SELF_TEST = 0xaa, TEST_KEYBOARD = 0xab,
    DISABLE_KEYBOARD = 0xad, ENABLE_KEYBOARD = 0xae, READ_OUTPUT = 0xd0, WRITE_OUTPUT = 0xd1, PULSE_RESET = 0xfe
  };
  enum Status : uint8_t { OUTPUT_FULL = 0x01, SYSTEM = 0x04, LAST_WAS_COMMAND = 0x08, NOT_LOCKED = 0x10 };
  static constexpr uint8_t CONTROL_INTERRUPT = 0x01, CONTROL_SYSTEM = 0x04, CONTROL_KEYBOARD_OFF = 0x10, CONTROL_AUX_OFF = 0x20;
  static constexpr uint8_t OUTPUT_NO_RESET = 0x01, OUTPUT_A20 = 0x02;
  static constexpr uint8_t kSelfTestPassed = 0x55;
  static constexpr uint8_t kResend = 0xfe;

  I8042(std::function<void()> reset, IrqLine irq) : reset_(std::move(reset)), irq_(std::move(irq)) {}

  Device& data() { return data_; }
  Device& command() { return command_; }

 private:
  // Two single ports that are not neighbours: two claims on the bus.
  class Port : public Device {
   public:
    Port(I8042& owner, bool is_command) : owner_(owner), is_command_(is_command) {}
    std::string_view name() const override { return "i8042"; }
    uint64_t read(uint64_t, unsigned) override { return is_command_ ? owner_.status() : owner_.take(); }
    void write(uint64_t, unsigned, uint64_t value) override {
      const auto byte = static_cast<uint8_t>(value);
      is_command_ ? owner_.do_command(byte) : owner_.do_data(byte);
    }

   private:
    I8042& owner_;
    bool is_command_;
  };

  uint8_t status() const {
    return static_cast<uint8_t>(NOT_LOCKED | (full_ ? OUTPUT_FULL : 0) | (control_ & CONTROL_SYSTEM ? SYSTEM : 0) | (pending_ ? LAST_WAS_COMMAND : 0));
  }
  uint8_t take() {
    full_ = false;
    update();
    return output_;
  }
  void give(uint8_t byte) {
    output_ = byte;
    full_ = true;
    update();
  }
  void update() { irq_.set(full_ && (control_ & CONTROL_INTERRUPT)); }

  void do_command(uint8_t c) {
    pending_ = 0;
    switch (c) {
      case READ_CONTROL:
        return give(control_);
      case WRITE_CONTROL:
      case WRITE_OUTPUT:
        pending_ = c;
        return;
      case SELF_TEST:
        control_ |= CONTROL_SYSTEM;
        return give(kSelfTestPassed);
      case TEST_KEYBOARD:
        return give(0);
      case TEST_AUX:
        return give(0xff);  // there is none
      case DISABLE_KEYBOARD:
        control_ |= CONTROL_KEYBOARD_OFF;
        return;
      case ENABLE_KEYBOARD:
        control_ &= static_cast<uint8_t>(~CONTROL_KEYBOARD_OFF);
        return;
      case DISABLE_AUX:
        control_ |= CONTROL_AUX_OFF;
        return;
      case ENABLE_AUX:
        control_ &= static_cast<uint8_t>(~CONTROL_AUX_OFF);
        return;
      case READ_OUTPUT:
        return give(OUTPUT_NO_RESET | OUTPUT_A20);
      case PULSE_RESET:
        return reset_();
      default:
        return;
    }
  }

  void do_data(uint8_t byte) {
    const uint8_t c = std::exchange(pending_, uint8_t{0});
    if (c == WRITE_CONTROL) {
      control_ = byte;
      update();
    } else if (c == WRITE_OUTPUT) {
      if (!(byte & OUTPUT_NO_RESET)) reset_();
    } else {
      give(kResend);  // nobody at the other end: the driver gives up at once instead of waiting
    }
  }

  std::function<void()> reset_;
  IrqLine irq_;
  Port data_{*this, false};
  Port command_{*this, true};
  uint8_t control_ = CONTROL_SYSTEM;
  uint8_t output_ = 0;
  uint8_t pending_ = 0;
  bool full_ = false;
};

}  // namespace mv
