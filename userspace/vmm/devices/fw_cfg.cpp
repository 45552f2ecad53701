// SPDX-License-Identifier: MIT
#include "vmm/devices/fw_cfg.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace mv {

namespace {

constexpr uint16_t kKeyMask = 0xbfff;  // bit 14 asks for writing; bit 15 is for items of one architecture
constexpr uint32_t kHasDma = 3;        // with the traditional interface
constexpr uint64_t kDmaSignature = 0x51454d5520434647;  // "QEMU CFG"

void put_be(FwCfg::Bytes& b, uint64_t v, unsigned bytes) {
  while (bytes--) b.push_back(static_cast<uint8_t>(v >> (8 * bytes)));
}

uint64_t get_be(std::span<const std::byte> b) {
  uint64_t v = 0;
  for (std::byte x : b) v = v << 8 | std::to_integer<uint8_t>(x);
  return v;
}

uint64_t swap(uint64_t value, unsigned size) { return __builtin_bswap64(value) >> (64 - 8 * size); }

}  // namespace

FwCfg::FwCfg(GuestRam ram) : ram_(ram) {
  add(SIGNATURE, {'Q', 'E', 'M', 'U'});
  add(ID, {kHasDma, 0, 0, 0});
}

void FwCfg::add_file(const std::string& name, Bytes bytes) {
  if (name.size() >= kNameBytes || files_.size() == kMostFiles) throw std::length_error("fw_cfg: no room for " + name);
  const auto item = static_cast<uint16_t>(FIRST_FILE + files_.size());
  files_[name] = item;
  items_[item] = {std::move(bytes), name};
}

// struct FWCfgFiles: the count, then size, item and name of each; big endian.
FwCfg::Bytes FwCfg::directory() const {
  Bytes b;
  put_be(b, files_.size(), 4);
  for (const auto& [name, item] : files_) {
    put_be(b, items_.at(item).bytes.size(), 4);
    put_be(b, item, 2);
    put_be(b, 0, 2);
    b.insert(b.end(), name.begin(), name.end());
    b.resize(b.size() + kNameBytes - name.size());
  }
  return b;
}

void FwCfg::select(uint16_t item) {
  selected_ = item & kKeyMask;
  position_ = 0;
  if (selected_ == DIRECTORY) items_[DIRECTORY] = {directory(), {}};
  if (selected_ >= FIRST_FILE && make_) make_();
}

// Beyond the end, and in an item that there is not: zero.
uint8_t FwCfg::next() {
  const auto at = items_.find(selected_);
  return at == items_.end() || position_ >= at->second.bytes.size() ? 0 : at->second.bytes[position_++];
}

uint64_t FwCfg::read(uint64_t offset, unsigned size) {
  if (offset == DATA) {
    uint64_t v = 0;
    for (unsigned i = 0; i < size; ++i) v |= uint64_t{next()} << (8 * i);
    return v;
  }
  if (offset >= DMA_HIGH) return swap(kDmaSignature >> (offset == DMA_HIGH && size == 4 ? 32 : 0), size);
  return offset == SELECTOR && size == 2 ? selected_ : 0;
}

void FwCfg::write(uint64_t offset, unsigned size, uint64_t value) {
  if (offset == SELECTOR && size == 2) select(static_cast<uint16_t>(value));
  if (offset == DMA_HIGH && size == 4) dma_high_ = swap(value, 4) << 32;
  if (offset == DMA_HIGH && size == 8) dma(swap(value, 8));
  if (offset == DMA_LOW && size == 4) dma(std::exchange(dma_high_, 0) | swap(value, 4));
}

// struct FWCfgDmaAccess: control, length, address; big endian.  Control is zero when done, or has the error bit.
void FwCfg::dma(uint64_t gpa) {
  const auto request = ram_.range(gpa, 16);
  if (!request) return;
  const auto control = static_cast<uint32_t>(get_be(request->subspan(0, 4)));
  const auto length = static_cast<uint32_t>(get_be(request->subspan(4, 4)));
  const uint64_t address = get_be(request->subspan(8, 8));
  if (control & DMA_SELECT) select(static_cast<uint16_t>(control >> 16));
  const uint32_t result = transfer(control, address, length) ? 0 : __builtin_bswap32(uint32_t{DMA_ERROR});
  std::memcpy(request->data(), &result, sizeof result);
}

bool FwCfg::transfer(uint32_t control, uint64_t gpa, uint32_t length) {
  if (control & DMA_WRITE) return false;
  if (control & DMA_READ) {
    const auto to = ram_.range(gpa, length);
    if (!to) return false;
    for (std::byte& b : *to) b = std::byte{next()};
  } else if (control & DMA_SKIP) {
    const auto at = items_.find(selected_);
    const size_t end = at == items_.end() ? 0 : at->second.bytes.size();
    position_ = std::min(end, position_ + length);
  }
  return true;
}

}  // namespace mv
