// SPDX-License-Identifier: MIT
#include "vmm/machine/linux_arm64.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace mv {

namespace {

constexpr uint64_t kPage = 0x1000, kAlignment = 2 << 20, kMostMemory = uint64_t{64} << 30;
// The oldest kernels ask for this without saying so: their image_size is 0.
constexpr uint64_t kOldTextOffset = 0x80000;
constexpr size_t kMostCommandLine = 2047;  // COMMAND_LINE_SIZE of arm64

// Offsets in the header of 64 bytes.
constexpr size_t kTextOffset = 8, kImageSize = 16, kFlags = 24, kMagic = 56, kHeader = 64;
constexpr uint32_t kMagicValue = 0x644d5241;  // "ARM\x64"
constexpr uint64_t kBigEndian = 1, kPageSizeShift = 1, kPageSizeMask = 3, k4KiB = 1;

uint64_t get64(const std::vector<std::byte>& b, size_t at) {
  uint64_t v;
  std::memcpy(&v, b.data() + at, sizeof v);
  return v;
}

void check(const LinuxImages& files, uint64_t memory) {
  const auto& k = files.kernel;
  if (k.size() > 2 && k[0] == std::byte{0x1f} && k[1] == std::byte{0x8b}) throw std::invalid_argument("the kernel is compressed: unpack it with gunzip");
  if (k.size() > 6 && !std::memcmp(k.data(), "MZ", 2) && !std::memcmp(k.data() + 4, "zimg", 4)) {
    throw std::invalid_argument("the kernel is an EFI image that unpacks itself: give the plain Image");
  }
  if (k.size() < kHeader || static_cast<uint32_t>(get64(k, kMagic)) != kMagicValue) throw std::invalid_argument("the kernel is no arm64 Linux Image");
  const uint64_t flags = get64(k, kFlags);
  if (flags & kBigEndian) throw std::invalid_argument("the kernel is big-endian: there are little-endian CPUs only");
  if (const uint64_t pages = flags >> kPageSizeShift & kPageSizeMask; pages && pages != k4KiB) {
    throw std::invalid_argument("the kernel has pages of 16 or 64 KiB: the CPU has 4 KiB pages only");
  }
  if (memory > kMostMemory) throw std::invalid_argument("an arm64 guest has at most 64 GiB of memory");
  if (files.command_line.size() > kMostCommandLine) throw std::invalid_argument("the kernel's command line is too long");
}

}  // namespace

LinuxStart linux_arm64(const LinuxImages& files, uint64_t memory, TreeChosen& chosen) {
  check(files, memory);
  const uint64_t size = get64(files.kernel, kImageSize), offset = size ? get64(files.kernel, kTextOffset) : kOldTextOffset;
  const uint64_t needs = std::max<uint64_t>(size, files.kernel.size());
  const auto too_small = [] { return std::invalid_argument("guest memory is too small for this kernel and initrd"); };
  if (memory < Arm64Layout::kTreeSize) throw too_small();
  const uint64_t room = memory - Arm64Layout::kTreeSize;
  if (offset > room || needs > room - offset) throw too_small();
  // the initrd ends where the tree begins
  if (files.initrd.size() + kPage > room - offset - needs) throw too_small();
  const uint64_t initrd = (room - files.initrd.size()) & ~(kPage - 1);

  static_assert(Arm64Layout::kMemoryBase % kAlignment == 0);
  LinuxStart start{Arm64Layout::kMemoryBase + offset, 0, {}};
  start.images.push_back({start.entry, files.kernel});
  chosen.command_line = files.command_line;
  chosen.initrd_size = files.initrd.size();
  if (!files.initrd.empty()) {
    chosen.initrd = Arm64Layout::kMemoryBase + initrd;
    start.images.push_back({chosen.initrd, files.initrd});
  }
  return start;
}

}  // namespace mv
