// SPDX-License-Identifier: MIT
// A driver's side of virtio for tests: guest memory, one split ring in it.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "vmm/virtio/virtqueue.h"

namespace mv::test {

struct Ring {
  static constexpr uint64_t kBase = 0x100000, kDescriptors = kBase + 0x1000, kAvailable = kBase + 0x2000, kUsed = kBase + 0x3000, kBuffers = kBase + 0x8000;
  static constexpr uint64_t kBytes = 0x20000;
  static constexpr uint16_t kSize = 8;

  alignas(16) std::byte memory[kBytes] = {};
  GuestRam ram{memory, kBase};

  Ring() = default;
  Ring(const Ring&) = delete;

  template <typename T>
  void put(uint64_t gpa, T v) {
    std::memcpy(memory + (gpa - kBase), &v, sizeof v);
  }
  template <typename T>
  T get(uint64_t gpa) const {
    T v;
    std::memcpy(&v, memory + (gpa - kBase), sizeof v);
    return v;
  }
  void descriptor(uint64_t table, unsigned i, uint64_t address, uint32_t length, uint16_t flags = 0, uint16_t next = 0) {
    put(table + 16 * i, address);
    put(table + 16 * i + 8, length);
    put(table + 16 * i + 12, flags);
    put(table + 16 * i + 14, next);
  }
  void offer(uint16_t head) {
    const auto index = get<uint16_t>(kAvailable + 2);
    put<uint16_t>(kAvailable + 4 + 2 * (index % kSize), head);
    put<uint16_t>(kAvailable + 2, static_cast<uint16_t>(index + 1));
  }
  void clear() { std::memset(memory, 0, sizeof memory); }
  uint16_t used_index() const { return get<uint16_t>(kUsed + 2); }
  uint32_t used_id(unsigned i) const { return get<uint32_t>(kUsed + 4 + 8 * i); }
  uint32_t used_length(unsigned i) const { return get<uint32_t>(kUsed + 8 + 8 * i); }
  static Virtqueue::Place place(bool event_idx = false, bool indirect = true) { return {kSize, kDescriptors, kAvailable, kUsed, event_idx, indirect}; }
};

}  // namespace mv::test
