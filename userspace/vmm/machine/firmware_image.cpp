// SPDX-License-Identifier: MIT
#include "vmm/machine/firmware_image.h"

#include <algorithm>
#include <stdexcept>

namespace mv {

std::vector<Image> firmware_images(const std::vector<std::byte>& file, uint64_t memory_bytes) {
  constexpr uint64_t kShadow = 128 << 10, kLowEnd = 1 << 20, kPage = 4096, kMostMemory = uint64_t{2} << 30;
  if (file.size() % kPage || file.size() < kLowEnd / 16 || file.size() > kMostFirmware) {
    throw std::invalid_argument("--firmware: an image has 64 KiB to 16 MiB, a multiple of 4 KiB; this one has " + std::to_string(file.size()) + " bytes");
  }
  if (memory_bytes > kMostMemory) throw std::invalid_argument("a machine with firmware has at most 2 GiB of memory: above that is the PCI window");
  const auto shadow = static_cast<ptrdiff_t>(std::min<uint64_t>(file.size(), kShadow));
  return {{kRomEnd - file.size(), file}, {kLowEnd - static_cast<uint64_t>(shadow), {file.end() - shadow, file.end()}}};
}

std::vector<Image> firmware_images_arm64(const std::vector<std::byte>& file) {
  if (file.empty() || file.size() > kMostFirmware) throw std::invalid_argument("--firmware: an image for arm64 has at most 16 MiB; this one has " + std::to_string(file.size()) + " bytes");
  return {{Arm64Layout::kFlashCode, file}, {Arm64Layout::kFlashVariables, std::vector(Arm64Layout::kFlashVariablesSize, std::byte{0xff})}};
}

}  // namespace mv
