// SPDX-License-Identifier: MIT
// The board: which devices an arm64 guest finds, and where.  Interrupts are shared ones (SPI).
//
//   GIC and timers: the hypervisor's
//   0x09000000   PL011, SPI 1              0x09010000   debug exit
//   0x09020000   scratch device            0x09050000   PL031, SPI 2
#pragma once

#include "vmm/devices/pl011.h"
#include "vmm/devices/pl031.h"
#include "vmm/machine/pc.h"

namespace mv {

class Board {
 public:
  explicit Board(const PcWorld& world);

 private:
  IrqLine line(uint32_t spi) const;

  PcWorld world_;
  Pl011 uart_;
  Pl031 rtc_;
  DebugExit debug_exit_;
  Scratch scratch_;
};

}  // namespace mv
