// SPDX-License-Identifier: MIT
// Guest memory as a device uses it: every address is the guest's claim and is checked; every value is read once, because
// the guest may change it at any moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace mv {

class GuestRam {
 public:
  GuestRam() = default;
  GuestRam(std::span<std::byte> bytes, uint64_t base) : bytes_(bytes), base_(base) {}

  // The host's view of [gpa, gpa + length), or nothing if some byte of it is no RAM.
  std::optional<std::span<std::byte>> range(uint64_t gpa, uint64_t length) const {
    if (gpa < base_ || gpa - base_ > bytes_.size() || length > bytes_.size() - (gpa - base_)) return std::nullopt;
    return bytes_.subspan(gpa - base_, length);
  }

 private:
  std::span<std::byte> bytes_;
  uint64_t base_ = 0;
};

// One access each, as the guest's CPUs see them; the place is aligned to its size.
template <typename T>
T ram_load(const std::byte* at) {
  return __atomic_load_n(reinterpret_cast<const T*>(at), __ATOMIC_ACQUIRE);
}
template <typename T>
void ram_store(std::byte* at, T value) {
  __atomic_store_n(reinterpret_cast<T*>(at), value, __ATOMIC_RELEASE);
}

}  // namespace mv
