// SPDX-License-Identifier: MIT
// The PC: which devices an x86-64 guest finds, and where.
//
//   ports 0x20, 0xa0, I/O APIC and local APICs: the hypervisor's
//   port 0x40..43, 0x61   8254, GSI 2 (its pin of the 8259 is 0)      port 0x60, 0x64   i8042 without keyboard, GSI 1
//   port 0x70, 0x71       RTC and CMOS memory                          port 0x80, 0xed   delay
//   port 0x3f8            16550, GSI 4                                 port 0x400..405   ACPI PM1 block
//   port 0x408            ACPI PM timer                                port 0xcf9        reset control
//   port 0xf4             debug exit                                   port 0x500, GPA 0xd0000000   scratch device
// With a ROM (--firmware) the scratch devices and the fixed PM blocks make room for what firmware looks for (firmware_board.h):
//   port 0x402, 0xe9   debug console            port 0x404   shutdown             port 0x510   fw_cfg       port 0x92   reset, A20
//   Q35's host bridge is device 0 and may move ECAM; ICH9's LPC bridge is device 31 and places the PM block.
//
//   PCI bus 0 (pci_devices.h): ports 0xcf8 and 0xcfc, ECAM at GPA 0xe0000000, windows from 0x80000000, GSIs 16 to 23
#pragma once

#include "vmm/backend/backend.h"
#include "vmm/bus/bus.h"
#include "vmm/devices/console_port.h"
#include "vmm/devices/debug_exit.h"
#include "vmm/devices/delay_port.h"
#include "vmm/devices/i8042.h"
#include "vmm/devices/pit8254.h"
#include "vmm/devices/pm_timer.h"
#include "vmm/devices/power.h"
#include "vmm/devices/rtc146818.h"
#include "vmm/devices/scratch.h"
#include "vmm/devices/uart16550.h"
#include "vmm/loop/device_loop.h"
#include "vmm/machine/firmware_board.h"
#include "vmm/machine/pci_devices.h"
#include "vmm/machine/outcome.h"

namespace mv {

// What the devices are given of the world.  devices: the lock that serve() holds.
struct PcWorld {
  Backend& backend;
  Bus& bus;
  std::mutex& devices;
  DeviceLoop& loop;
  ConsolePort& console;
  std::function<void(Outcome)> end;
  std::function<void(uint8_t)> debug;  // a byte written to firmware's debug ports
};

class Pc {
 public:
  static constexpr uint32_t kGsiKeyboard = 1, kGsiTimer = 2, kGsiCom1 = 4;

  Pc(const PcWorld& world, const VmConfig& vm, const VirtioPlan& plan);
  ~Pc();

  // Before destruction, without the devices' lock, and when the loop has stopped.
  void stop() { pci_.stop(); }
  VirtioConsole* virtio_console() { return pci_.console(); }

 private:
  IrqLine line(uint32_t gsi) const;
  void expire_pit();
  void wake_pit(uint64_t at);
  std::unique_ptr<FirmwareBoard> make_firmware(const VmConfig& vm);

  PcWorld world_;
  DeviceLoop::Alarm pit_alarm_;
  Uart16550 com1_;
  Pit8254 pit_;
  Port61 port61_;
  Rtc146818 rtc_;
  I8042 keyboard_;
  DelayPort post_, delay_;
  Pm1Block pm1_;
  PmTimer pm_timer_;
  ResetControl reset_;
  DebugExit debug_exit_;
  Scratch scratch_ports_, scratch_;
  std::unique_ptr<FirmwareBoard> firmware_;  // with a ROM only
  PciDevices pci_;
};

}  // namespace mv
