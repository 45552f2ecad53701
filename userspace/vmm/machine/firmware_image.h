// SPDX-License-Identifier: MIT
// A firmware image in the machine's memory.  A PC: a ROM that ends at 4 GiB, where the processor starts, and its last 128 KiB once
// more below 1 MiB, in memory that can be written.  AArch64: flash from 0 on, where the processor starts, and a second bank that is
// erased.
#pragma once

#include <vector>

#include "vmm/backend/backend.h"

namespace mv {

constexpr uint64_t kMostFirmware = 16 << 20;

// Throws std::invalid_argument with one sentence: an image of no firmware's size, or more memory than there is room for.
std::vector<Image> firmware_images(const std::vector<std::byte>& file, uint64_t memory_bytes);
// The same for AArch64; the file's size matters less.
std::vector<Image> firmware_images_arm64(const std::vector<std::byte>& file);
// What VmConfig::rom_bytes is for a file.
constexpr uint64_t firmware_room(uint64_t file_bytes) { return (file_bytes + 4095) & ~uint64_t{4095}; }

}  // namespace mv
