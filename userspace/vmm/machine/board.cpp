// SPDX-License-Identifier: MIT
#include "vmm/machine/board.h"

#include "vmm/backend/device_tree.h"
#include "vmm/devices/timing.h"

namespace mv {

Board::Board(const PcWorld& world)
    : world_(world),
      uart_(world.console, line(Arm64Layout::kSpiPl011)),
      rtc_(utc_ns),
      debug_exit_([this](uint64_t code) { world_.end({OutcomeKind::exited, code, {}}); }) {
  Bus& bus = world_.bus;
  bus.claim(Space::mmio, Arm64Layout::kPl011, Pl011::kSize, uart_);
  bus.claim(Space::mmio, Arm64Layout::kPl031, Pl031::kSize, rtc_);
  bus.claim(Space::mmio, Arm64Layout::kDebugExit, DebugExit::kSize, debug_exit_);
  bus.claim(Space::mmio, Arm64Layout::kScratch, Scratch::kSize, scratch_);
}

IrqLine Board::line(uint32_t spi) const {
  return IrqLine([this, spi](bool high) { world_.backend.irq_line(spi, high); });
}

}  // namespace mv
