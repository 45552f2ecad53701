// SPDX-License-Identifier: MIT
// The board: which devices an arm64 guest finds, and where.  Interrupts are shared ones (SPI).
//
//   GIC and timers: the hypervisor's
//   0x09000000   PL011, SPI 1              0x09010000   debug exit
//   0x09020000   scratch device            0x09050000   PL031, SPI 2
//   0x0a000000   virtio devices, 0x1000 each, SPI 16 and up: disks in their order, the console, the source of entropy
#pragma once

#include "vmm/devices/pl011.h"
#include "vmm/devices/pl031.h"
#include "vmm/machine/pc.h"
#include "vmm/virtio/virtio_mmio.h"

namespace mv {

class Board {
 public:
  Board(const PcWorld& world, const VirtioPlan& plan);

  // Before destruction, without the devices' lock, and when the loop has stopped.
  void stop() { virtio_.stop(); }
  VirtioConsole* virtio_console() { return virtio_.console(); }

 private:
  IrqLine line(uint32_t spi) const;
  void plug(VirtioWorld world, std::unique_ptr<VirtioDevice> device);

  PcWorld world_;
  Pl011 uart_;
  Pl031 rtc_;
  DebugExit debug_exit_;
  Scratch scratch_;
  VirtioDevices virtio_;
  std::list<VirtioMmio> slots_;
};

}  // namespace mv
