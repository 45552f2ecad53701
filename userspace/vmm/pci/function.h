// SPDX-License-Identifier: MIT
// Configuration space of one PCI function, header type 0.  PCI Local Bus Specification 3.0, chapter 6.
//
// A byte array with a mask of the bits that the guest may write; that alone makes base addresses sizable.  What the write
// means is looked at afterwards: config_written().
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "vmm/devices/device.h"
#include "vmm/devices/irq_line.h"

namespace mv {

struct PciIdentity {
  uint16_t vendor = 0, device = 0;
  uint8_t revision = 0;
  uint32_t class_code = 0;  // class, subclass, interface: 24 bits
  uint16_t subsystem_vendor = 0, subsystem = 0;
};

class PciFunction {
 public:
  enum Register : unsigned {
    VENDOR = 0x00, DEVICE = 0x02, COMMAND = 0x04, STATUS = 0x06, REVISION = 0x08, CLASS = 0x09, HEADER_TYPE = 0x0e, BAR0 = 0x10,
    SUBSYSTEM_VENDOR = 0x2c, SUBSYSTEM = 0x2e, CAPABILITIES = 0x34, INTERRUPT_LINE = 0x3c, INTERRUPT_PIN = 0x3d, FIRST_FREE = 0x40
  };
  enum Command : uint16_t { COMMAND_IO = 1 << 0, COMMAND_MEMORY = 1 << 1, COMMAND_MASTER = 1 << 2, COMMAND_INTX_OFF = 1 << 10 };
  enum Status : uint16_t { STATUS_INTERRUPT = 1 << 3, STATUS_CAPABILITIES = 1 << 4 };
  static constexpr unsigned kSize = 256;
  static constexpr unsigned kBars = 6;

  explicit PciFunction(const PciIdentity& identity);
  virtual ~PciFunction() = default;

  // reg: 0 to 255; size: 1 to 8 bytes, any alignment.  What lies beyond the 256 bytes reads as zero.
  virtual uint64_t config_read(unsigned reg, unsigned size);
  virtual void config_write(unsigned reg, unsigned size, uint64_t value);

  // A memory window that the guest may move.
  struct Bar {
    unsigned index = 0;
    uint64_t size = 0;  // a power of two, at least 16; 0: there is none
    Device* device = nullptr;
  };
  const std::array<Bar, kBars>& bars() const { return bars_; }
  // GPA at which the window is decoded now, 0 if it is not.
  uint64_t bar_address(unsigned index) const;
  void place_bar(unsigned index, uint32_t address) { set(BAR0 + 4 * index, address, 4); }

  // Set by the bus: the pin's wire, and whom to tell that windows may have moved.
  void connect(IrqLine intx, std::function<void()> windows_changed);
  uint16_t command() const { return static_cast<uint16_t>(get(COMMAND, 2)); }
  void set_command(uint16_t value) { config_write(COMMAND, 2, value); }
  // The bus has told the windows to the world.
  virtual void windows_placed() {}

 protected:
  uint64_t get(unsigned reg, unsigned size) const;
  void set(unsigned reg, uint64_t value, unsigned size);
  void set_writable(unsigned reg, uint64_t mask, unsigned size);

  // Windows are 32-bit memory, not prefetchable.
  void add_bar(unsigned index, uint32_t size, Device& device);
  // Puts a capability's bytes after id and link; returns the register of its id.  Throws std::length_error if there is no room.
  unsigned add_capability(uint8_t id, const std::vector<uint8_t>& body);
  void use_intx_pin() { set(INTERRUPT_PIN, 1, 1); }
  // The level of INTA, seen in the status register; the command register may keep it from the wire.
  void set_intx(bool high);
  // After a write that touched [reg, reg + size).
  virtual void config_written(unsigned, unsigned) {}

 private:
  void drive_intx();

  std::array<uint8_t, kSize> bytes_{};
  std::array<uint8_t, kSize> writable_{};
  std::array<Bar, kBars> bars_{};
  unsigned last_capability_ = 0;
  unsigned free_ = FIRST_FREE;
  bool intx_ = false;
  IrqLine line_;
  std::function<void()> windows_changed_;
};

}  // namespace mv
