// SPDX-License-Identifier: MIT
// A firmware image in a PC's memory: a ROM that ends at 4 GiB, where the processor starts, and its last 128 KiB once more below
// 1 MiB, in memory that can be written.
#pragma once

#include <vector>

#include "vmm/backend/backend.h"

namespace mv {

constexpr uint64_t kMostFirmware = 16 << 20;

// Throws std::invalid_argument with one sentence: an image of no firmware's size, or more memory than there is room for.
std::vector<Image> firmware_images(const std::vector<std::byte>& file, uint64_t memory_bytes);

}  // namespace mv
