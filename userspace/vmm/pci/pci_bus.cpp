// SPDX-License-Identifier: MIT
#include "vmm/pci/pci_bus.h"

#include <stdexcept>

namespace mv {

PciBus::PciBus(Bus& bus, std::function<void(uint32_t, bool)> drive) : bus_(bus), drive_(std::move(drive)) {
  bus_.claim(Space::config, 0, kEcamSize, *this);
  bus_.claim(Space::mmio, kEcam, kEcamSize, *this);
}

PciBus::~PciBus() {
  for (auto& [device, slot] : slots_) {
    slot.function->connect({}, {});
    release(slot);
  }
  bus_.release(Space::config, 0);
  place_ecam(0);
}

void PciBus::place_ecam(uint64_t base) {
  if (ecam_) bus_.release(Space::mmio, ecam_);
  ecam_ = base && bus_.try_claim(Space::mmio, base, kEcamSize, *this) ? base : 0;
}

void PciBus::plug(unsigned device, PciFunction& function) {
  if (device >= kDevices || slots_.count(device)) throw std::invalid_argument("PCI device number " + std::to_string(device) + " is not free");
  for (const PciFunction::Bar& bar : function.bars()) {
    if (!bar.size) continue;
    next_window_ = (next_window_ + bar.size - 1) & ~(bar.size - 1);
    if (next_window_ + bar.size > kWindowEnd) throw std::length_error("no room in the PCI window");
    function.place_bar(bar.index, static_cast<uint32_t>(next_window_));
    next_window_ += bar.size;
  }
  slots_[device].function = &function;
  const uint32_t gsi = gsi_of(device);
  function.connect(IrqLine([this, gsi](bool high) { pin(gsi, high); }), [this, device] { place(device); });
  if (function.config_read(PciFunction::INTERRUPT_PIN, 1)) function.config_write(PciFunction::INTERRUPT_LINE, 1, gsi);
  function.set_command(PciFunction::COMMAND_MEMORY);
}

void PciBus::release(Slot& slot) {
  for (uint64_t& at : slot.claimed) {
    if (at) bus_.release(Space::mmio, at);
    at = 0;
  }
}

// A window that the guest has put upon another device's is not decoded until one of them moves.
void PciBus::claim(Slot& slot) {
  for (const PciFunction::Bar& bar : slot.function->bars()) {
    uint64_t& claimed = slot.claimed[bar.index];
    const uint64_t at = slot.function->bar_address(bar.index);
    if (at && !claimed && bar.device && bus_.try_claim(Space::mmio, at, bar.size, *bar.device)) claimed = at;
  }
}

void PciBus::place(unsigned device) {
  release(slots_.at(device));
  for (auto& [number, slot] : slots_) claim(slot);
  slots_.at(device).function->windows_placed();
}

void PciBus::pin(uint32_t gsi, bool high) {
  unsigned& n = asserted_.at(gsi - kFirstGsi);
  const bool before = n != 0;
  high ? ++n : --n;
  if ((n != 0) != before) drive_(gsi, n != 0);
}

PciFunction* PciBus::function_at(uint64_t offset) const {
  if (offset >> 20 || (offset >> 12 & 7)) return nullptr;  // bus 0, function 0
  const auto at = slots_.find(offset >> 15 & 0x1f);
  return at == slots_.end() ? nullptr : at->second.function;
}

// Nobody there: all ones.  An access across two functions' spaces is nobody's.
uint64_t PciBus::read(uint64_t offset, unsigned size) {
  PciFunction* f = function_at(offset);
  const unsigned reg = offset & 0xfff;
  if (!f || reg + size > 0x1000) return size_mask(size);
  return reg < PciFunction::kSize ? f->config_read(reg, size) : 0;
}

void PciBus::write(uint64_t offset, unsigned size, uint64_t value) {
  PciFunction* f = function_at(offset);
  const unsigned reg = offset & 0xfff;
  if (f && reg < PciFunction::kSize) f->config_write(reg, size, value);
}

}  // namespace mv
