// SPDX-License-Identifier: MIT
#include "vmm/pci/msix.h"

#include <stdexcept>

namespace mv {

Msix::Msix(unsigned vectors, MessageRouter router) : router_(std::move(router)), entries_(vectors) {
  if (vectors < 1 || vectors > kMost) throw std::invalid_argument("MSI-X: 1 to 128 vectors");
}

std::vector<uint8_t> Msix::capability(unsigned bar) const {
  const uint32_t last = vectors() - 1, table = bar, pending = kPending | bar;
  std::vector<uint8_t> body;
  const auto put = [&](uint32_t v, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) body.push_back(static_cast<uint8_t>(v >> (8 * i)));
  };
  put(last, 2);
  put(table, 4);
  put(pending, 4);
  return body;
}

void Msix::control(uint16_t value) {
  control_ = value & (CONTROL_ENABLE | CONTROL_MASK);
  send_pending();
}

void Msix::fire(unsigned vector) {
  if (!enabled() || vector >= entries_.size()) return;
  Vector& v = entries_[vector];
  v.pending = true;
  if ((control_ & CONTROL_MASK) || (v.word[3] & kMasked)) return;
  v.pending = false;
  if (!v.route) v.route = router_(uint64_t{v.word[1]} << 32 | v.word[0], v.word[2]);
  if (v.route) v.route->send();
}

void Msix::send_pending() {
  for (unsigned i = 0; i < entries_.size(); ++i) {
    if (entries_[i].pending) fire(i);
  }
}

uint32_t Msix::word(uint64_t offset) const {
  const uint64_t entry = offset / kEntry;
  if (entry < entries_.size()) return entries_[entry].word[offset % kEntry / 4];
  if (offset < kPending) return 0;
  uint32_t bits = 0;
  for (uint64_t i = 0; i < 32; ++i) {
    const uint64_t n = (offset - kPending) / 4 * 32 + i;
    if (n < entries_.size() && entries_[n].pending) bits |= uint32_t{1} << i;
  }
  return bits;
}

void Msix::set_word(uint64_t offset, uint32_t value) {
  const uint64_t entry = offset / kEntry, field = offset % kEntry / 4;
  if (entry >= entries_.size()) return;
  Vector& v = entries_[entry];
  if (field != VECTOR_CONTROL / 4 && v.word[field] != value) v.route.reset();
  v.word[field] = field == ADDRESS / 4 ? value & ~uint32_t{3} : field == VECTOR_CONTROL / 4 ? value & kMasked : value;
  if (v.pending) fire(static_cast<unsigned>(entry));
}

// Aligned double and quad words only, as the specification asks of drivers; the rest reads as zero and is not written.
uint64_t Msix::read(uint64_t offset, unsigned size) {
  if ((size != 4 && size != 8) || offset % size) return 0;
  const uint64_t low = word(offset);
  return size == 8 ? low | uint64_t{word(offset + 4)} << 32 : low;
}

void Msix::write(uint64_t offset, unsigned size, uint64_t value) {
  if ((size != 4 && size != 8) || offset % size) return;
  set_word(offset, static_cast<uint32_t>(value));
  if (size == 8) set_word(offset + 4, static_cast<uint32_t>(value >> 32));
}

}  // namespace mv
