// SPDX-License-Identifier: MIT
#include "vmm/pci/function.h"

#include <stdexcept>

namespace mv {

PciFunction::PciFunction(const PciIdentity& i) {
  set(VENDOR, i.vendor, 2);
  set(DEVICE, i.device, 2);
  set(REVISION, i.revision, 1);
  set(CLASS, i.class_code, 3);
  set(SUBSYSTEM_VENDOR, i.subsystem_vendor, 2);
  set(SUBSYSTEM, i.subsystem, 2);
  set_writable(COMMAND, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_INTX_OFF, 2);
  set_writable(0x0c, 0xff, 1);  // cache line size: kept, without effect
  set_writable(INTERRUPT_LINE, 0xff, 1);
}

uint64_t PciFunction::get(unsigned reg, unsigned size) const {
  uint64_t v = 0;
  for (unsigned i = 0; i < size && reg + i < kSize; ++i) v |= uint64_t{bytes_[reg + i]} << (8 * i);
  return v;
}

void PciFunction::set(unsigned reg, uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size && reg + i < kSize; ++i) bytes_[reg + i] = static_cast<uint8_t>(value >> (8 * i));
}

void PciFunction::set_writable(unsigned reg, uint64_t mask, unsigned size) {
  for (unsigned i = 0; i < size; ++i) writable_.at(reg + i) = static_cast<uint8_t>(mask >> (8 * i));
}

uint64_t PciFunction::config_read(unsigned reg, unsigned size) { return get(reg, size); }

void PciFunction::config_write(unsigned reg, unsigned size, uint64_t value) {
  for (unsigned i = 0; i < size && reg + i < kSize; ++i) {
    const uint8_t mask = writable_[reg + i];
    bytes_[reg + i] = static_cast<uint8_t>((bytes_[reg + i] & ~mask) | ((value >> (8 * i)) & mask));
  }
  const bool windows = reg < BAR0 + 4 * kBars && reg + size > BAR0;
  const bool command = reg < COMMAND + 2 && reg + size > COMMAND;
  if (command) drive_intx();
  if ((windows || command) && windows_changed_) windows_changed_();
  config_written(reg, size);
}

uint64_t PciFunction::bar_address(unsigned index) const {
  if (!bars_.at(index).size || !(command() & COMMAND_MEMORY)) return 0;
  return get(BAR0 + 4 * index, 4) & ~uint64_t{0xf};
}

void PciFunction::add_bar(unsigned index, uint32_t size, Device& device) {
  if (size < 16 || (size & (size - 1))) throw std::invalid_argument("a PCI window's size is a power of two");
  bars_.at(index) = {index, size, &device};
  set_writable(BAR0 + 4 * index, ~(size - 1), 4);
}

unsigned PciFunction::add_capability(uint8_t id, const std::vector<uint8_t>& body) {
  const unsigned at = free_;
  if (at + 2 + body.size() > kSize) throw std::length_error("PCI capabilities do not fit");
  set(at, id, 1);
  for (size_t i = 0; i < body.size(); ++i) set(at + 2 + static_cast<unsigned>(i), body[i], 1);
  set(last_capability_ ? last_capability_ + 1 : CAPABILITIES, at, 1);
  set(STATUS, get(STATUS, 2) | STATUS_CAPABILITIES, 2);
  last_capability_ = at;
  free_ = (at + 2 + static_cast<unsigned>(body.size()) + 3) & ~3u;
  return at;
}

void PciFunction::connect(IrqLine intx, std::function<void()> windows_changed) {
  line_ = std::move(intx);
  windows_changed_ = std::move(windows_changed);
}

void PciFunction::set_intx(bool high) {
  intx_ = high;
  set(STATUS, (get(STATUS, 2) & ~uint64_t{STATUS_INTERRUPT}) | (high ? STATUS_INTERRUPT : 0), 2);
  drive_intx();
}

void PciFunction::drive_intx() { line_.set(intx_ && !(command() & COMMAND_INTX_OFF)); }

}  // namespace mv
