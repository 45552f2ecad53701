// SPDX-License-Identifier: MIT
// A device access of the guest and its reply: all that a device and the dispatcher know of the world.
#pragma once

#include <cstdint>
#include <string_view>

namespace mv {

enum class Arch { x86_64, arm64 };
enum class Space : uint8_t { pio, mmio, config };
enum class Direction : uint8_t { read, write };

// size: bytes, 1 to 8.  data: value of a write, zero-extended.  address: port, GPA, or for Space::config
// bus << 20 | device << 15 | function << 12 | register, as in ECAM.
struct Access {
  Space space = Space::mmio;
  Direction direction = Direction::read;
  unsigned size = 0;
  uint64_t address = 0;
  uint64_t data = 0;
  unsigned vcpu = 0;

  friend bool operator==(const Access&, const Access&) = default;
};

// What becomes of the access.  fault: the guest gets a bus error where the hypervisor can give one (Gunyah), else all ones.
struct Reply {
  uint64_t data = 0;
  bool fault = false;

  friend bool operator==(const Reply&, const Reply&) = default;
};

constexpr uint64_t size_mask(unsigned size) { return size >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * size)) - 1; }

constexpr std::string_view name(Space s) { return s == Space::pio ? "pio" : s == Space::mmio ? "mmio" : "config"; }
constexpr std::string_view name(Direction d) { return d == Direction::read ? "read" : "write"; }
constexpr std::string_view name(Arch a) { return a == Arch::x86_64 ? "x86-64" : "arm64"; }

}  // namespace mv
