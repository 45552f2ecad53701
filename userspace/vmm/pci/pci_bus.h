// SPDX-License-Identifier: MIT
// PCI bus 0: functions by device number, their configuration spaces, windows and interrupt pins.
//
// As a Device it is the whole configuration space as ECAM lays it out, bus << 20 | device << 15 | function << 12 | register:
// the range of ECAM, and that of Space::config, where requests by ports 0xCF8 and 0xCFC arrive.
#pragma once

#include <array>
#include <functional>
#include <map>

#include "vmm/bus/bus.h"
#include "vmm/pci/function.h"

namespace mv {

class PciBus : public Device {
 public:
  static constexpr uint64_t kEcam = 0xe0000000, kEcamSize = 0x10000000;
  static constexpr uint32_t kWindow = 0x80000000, kWindowEnd = 0xd0000000;
  static constexpr unsigned kDevices = 32, kPins = 8, kFirstGsi = 16;

  // drive: sets the level of an interrupt line.
  PciBus(Bus& bus, std::function<void(uint32_t gsi, bool high)> drive);
  ~PciBus() override;

  // As firmware would leave it: windows placed and decoded, interrupt line told.  The function stays its owner's, and goes
  // after the bus.  Throws std::length_error if the window is full, std::invalid_argument if the number is taken.
  void plug(unsigned device, PciFunction& function);
  // The memory window to configuration space: 0 for none; one that another device has is not decoded.
  void place_ecam(uint64_t base);
  // INTA of a device, as the ACPI tables tell it.
  static constexpr uint32_t gsi_of(unsigned device) { return kFirstGsi + device % kPins; }

  std::string_view name() const override { return "pci"; }
  uint64_t read(uint64_t offset, unsigned size) override;
  void write(uint64_t offset, unsigned size, uint64_t value) override;

 private:
  struct Slot {
    PciFunction* function = nullptr;
    std::array<uint64_t, PciFunction::kBars> claimed{};  // 0: not on the bus
  };
  PciFunction* function_at(uint64_t offset) const;
  void place(unsigned device);
  void release(Slot& slot);
  void claim(Slot& slot);
  void pin(uint32_t gsi, bool high);

  Bus& bus_;
  std::function<void(uint32_t, bool)> drive_;
  std::map<unsigned, Slot> slots_;
  std::array<unsigned, kPins> asserted_{};  // devices share pins
  uint64_t next_window_ = kWindow;
  uint64_t ecam_ = kEcam;
};

}  // namespace mv
