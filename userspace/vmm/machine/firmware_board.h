// SPDX-License-Identifier: MIT
// What a PC has for firmware's sake (--firmware): the two chips of its bridges, whose registers move configuration space and the
// power management block, the firmware configuration device, the debug ports and port 0x92.
#pragma once

#include "vmm/bus/bus.h"
#include "vmm/devices/debug_console.h"
#include "vmm/devices/fw_cfg.h"
#include "vmm/devices/ich9_pm.h"
#include "vmm/devices/port92.h"
#include "vmm/machine/acpi_x86.h"
#include "vmm/pci/pci_bus.h"
#include "vmm/pci/q35.h"

namespace mv {

struct FirmwareBoardConfig {
  GuestRam ram;
  uint64_t memory_bytes = 0;
  unsigned vcpus = 1;
  std::function<void(uint8_t)> debug;
  std::function<uint64_t()> now;  // nanoseconds
  std::function<void()> power_off, reset;
};

class FirmwareBoard {
 public:
  FirmwareBoard(Bus& bus, const FirmwareBoardConfig& config);
  ~FirmwareBoard();

  PciFunction& bridge() { return host_; }
  // Once; the bus goes before this.
  void plug(PciBus& pci);

 private:
  void fill();
  void tell_tables();
  void move_pm(uint16_t base);
  AcpiConfig acpi() const;

  Bus& bus_;
  FirmwareBoardConfig config_;
  PciBus* pci_ = nullptr;
  Q35Host host_;
  Ich9Lpc lpc_;
  Ich9Pm pm_;
  ShutdownPort shutdown_;
  FwCfg fw_cfg_;
  DebugConsole debug_, bochs_;
  Port92 port92_;
  uint16_t pm_base_ = 0;
};

}  // namespace mv
