// SPDX-License-Identifier: MIT
// The two functions by which PC firmware knows the machine: the host bridge of Intel's Q35 at device 0, and the LPC bridge of
// ICH9 at device 31.  Sources: Intel 3 Series Express Chipset and ICH9 data sheets; the subsystem number is QEMU's, without
// which SeaBIOS looks no further.
#pragma once

#include <functional>

#include "vmm/pci/function.h"

namespace mv {

class Q35Host : public PciFunction {
 public:
  enum Register : unsigned { PCIEXBAR = 0x60, PAM0 = 0x90, SMRAM = 0x9d };
  static constexpr uint64_t kEnable = 1, kBaseMask = 0xff0000000;  // windows of 256 MiB only

  // ecam: where the window to configuration space is now, 0 for nowhere.
  explicit Q35Host(std::function<void(uint64_t)> ecam)
      : PciFunction({.vendor = 0x8086, .device = 0x29c0, .revision = 2, .class_code = 0x060000, .subsystem_vendor = 0x1af4, .subsystem = 0x1100}),
        ecam_(std::move(ecam)) {
    set_writable(PCIEXBAR, kBaseMask | kEnable, 8);
    // kept, without effect: the BIOS area is always memory that can be written, and there is no system management mode
    set_writable(PAM0, 0xffffffffffffff, 7);
    set_writable(SMRAM, 0x4f, 1);
  }
  uint64_t ecam() const { return get(PCIEXBAR, 8) & kEnable ? get(PCIEXBAR, 8) & kBaseMask : 0; }

 private:
  void config_written(unsigned reg, unsigned size) override {
    if (reg < PCIEXBAR + 8 && reg + size > PCIEXBAR) ecam_(ecam());
  }

  std::function<void(uint64_t)> ecam_;
};

class Ich9Lpc : public PciFunction {
 public:
  static constexpr unsigned kDevice = 31;
  enum Register : unsigned { PMBASE = 0x40, ACPI_CNTL = 0x44, PIRQA = 0x60, PIRQE = 0x68, RCBA = 0xf0 };
  static constexpr uint16_t kPmMask = 0xff80;
  static constexpr uint8_t kAcpiEnable = 0x80;

  // pm_base: first port of the power management block now, 0 for none.
  explicit Ich9Lpc(std::function<void(uint16_t)> pm_base)
      : PciFunction({.vendor = 0x8086, .device = 0x2918, .revision = 2, .class_code = 0x060100, .subsystem_vendor = 0x1af4, .subsystem = 0x1100}),
        pm_base_(std::move(pm_base)) {
    // OVMF looks for a UART only behind a bridge that may be told to pass ports
    set_writable(COMMAND, COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_INTX_OFF, 2);
    set(PMBASE, 1, 4);
    set_writable(PMBASE, kPmMask, 4);
    set_writable(ACPI_CNTL, 0x87, 1);
    // kept, without effect: interrupts are wired as the ACPI tables tell
    set_writable(PIRQA, 0x8f8f8f8f, 4);
    set_writable(PIRQE, 0x8f8f8f8f, 4);
    set_writable(RCBA, 0xffffc001, 4);
  }
  uint16_t pm_base() const { return get(ACPI_CNTL, 1) & kAcpiEnable ? static_cast<uint16_t>(get(PMBASE, 2) & kPmMask) : uint16_t{0}; }

 private:
  void config_written(unsigned reg, unsigned size) override {
    if (reg < ACPI_CNTL + 1 && reg + size > PMBASE) pm_base_(pm_base());
  }

  std::function<void(uint16_t)> pm_base_;
};

}  // namespace mv
