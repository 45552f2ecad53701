// SPDX-License-Identifier: MIT
#include "vmm/machine/board.h"

#include "vmm/backend/device_tree.h"
#include "vmm/devices/timing.h"

namespace mv {

constexpr unsigned kNotification = 4;  // bytes that a driver writes

Board::Board(const PcWorld& world, const VirtioPlan& plan)
    : world_(world),
      uart_(world.console, line(Arm64Layout::kSpiPl011)),
      rtc_(utc_ns),
      debug_exit_([this](uint64_t code) { world_.end({OutcomeKind::exited, code, {}}); }),
      virtio_({world.backend, world.bus, world.devices, world.loop}, kNotification) {
  virtio_.build(plan, [this](VirtioWorld w, std::unique_ptr<VirtioDevice> device) { plug(std::move(w), std::move(device)); });
  Bus& bus = world_.bus;
  bus.claim(Space::mmio, Arm64Layout::kPl011, Pl011::kSize, uart_);
  bus.claim(Space::mmio, Arm64Layout::kPl031, Pl031::kSize, rtc_);
  bus.claim(Space::mmio, Arm64Layout::kDebugExit, DebugExit::kSize, debug_exit_);
  bus.claim(Space::mmio, Arm64Layout::kScratch, Scratch::kSize, scratch_);
}

void Board::plug(VirtioWorld world, std::unique_ptr<VirtioDevice> device) {
  const auto n = static_cast<uint32_t>(slots_.size());
  const uint64_t gpa = Arm64Layout::kVirtio + n * Arm64Layout::kVirtioStep;
  slots_.emplace_back(std::move(world), std::move(device), line(Arm64Layout::kSpiVirtio + n), gpa);
  world_.bus.claim(Space::mmio, gpa, VirtioMmio::kSize, slots_.back());
}

IrqLine Board::line(uint32_t spi) const {
  return IrqLine([this, spi](bool high) { world_.backend.irq_line(spi, high); });
}

}  // namespace mv
