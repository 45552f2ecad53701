// SPDX-License-Identifier: MIT
// A test device: bytes that keep what is written, and a running sum over every access, so that a guest can prove that
// each of its accesses arrived once, in order, with the right size and value.
#pragma once

#include <array>

#include "vmm/devices/device.h"

namespace mv {

class Scratch : public Device {
 public:
  static constexpr uint64_t kSize = 64;
  static constexpr uint64_t kBytes = 48;  // offsets below keep bytes
  enum Register : uint64_t { SUM = 48, COUNT = 56 };  // read-only, 32 bits each; reading them is not summed up

  std::string_view name() const override { return "scratch"; }

  uint64_t read(uint64_t offset, unsigned size) override {
    if (offset >= SUM) return offset < COUNT ? sum_ : count_;
    uint64_t value = 0;
    for (unsigned i = 0; i < size && offset + i < kBytes; ++i) value |= uint64_t{bytes_[offset + i]} << (8 * i);
    add(offset, size, value);
    return value;
  }

  void write(uint64_t offset, unsigned size, uint64_t value) override {
    for (unsigned i = 0; i < size && offset + i < kBytes; ++i) bytes_[offset + i] = static_cast<uint8_t>(value >> (8 * i));
    add(offset + 128, size, value);
  }

 private:
  // Must be what payloads/storm.c computes.
  void add(uint64_t offset, unsigned size, uint64_t value) {
    sum_ = (sum_ << 5 | sum_ >> 27) ^ static_cast<uint32_t>(value) ^ static_cast<uint32_t>(value >> 32);
    sum_ += static_cast<uint32_t>(offset * 16 + size);
    ++count_;
  }

  std::array<uint8_t, kBytes> bytes_{};
  uint32_t sum_ = 0;
  uint32_t count_ = 0;
};

}  // namespace mv
