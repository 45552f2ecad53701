// SPDX-License-Identifier: MIT
#include "vmm/machine/linux_x86.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace mv {

namespace {

constexpr uint64_t kZeroPage = 0x10000, kCommandLine = 0x20000, kEcam = 0xe0000000, kEcamEnd = 0xf0000000;
constexpr uint64_t kLowRamEnd = 0x9fc00, kBios = 0xe0000, kHigh = 0x100000, kMostMemory = uint64_t{2} << 30;
constexpr uint64_t kEntry64 = 0x200;

// Offsets in the setup header, which has the same place in the zero page.
constexpr size_t kSetupSectors = 0x1f1, kHeaderLength = 0x201, kMagic = 0x202, kVersion = 0x206, kLoader = 0x210, kInitrd = 0x218, kInitrdSize = 0x21c,
                 kCommandLinePointer = 0x228, kInitrdMax = 0x22c, kLoadFlags64 = 0x236, kCommandLineMax = 0x238, kPreferred = 0x258, kInitSize = 0x260;
constexpr size_t kAcpiRsdp = 0x070, kE820Count = 0x1e8, kE820 = 0x2d0, kSmallest = 0x268;
constexpr uint32_t kMagicValue = 0x53726448;
constexpr uint16_t kOldest = 0x20c;
constexpr uint32_t kE820Ram = 1, kE820Reserved = 2;

template <typename T>
T get(const std::vector<std::byte>& b, size_t at) {
  T v;
  std::memcpy(&v, b.data() + at, sizeof v);
  return v;
}

template <typename T>
void put(std::vector<std::byte>& b, size_t at, T v) {
  std::memcpy(b.data() + at, &v, sizeof v);
}

void check(const LinuxImages& files, uint64_t memory, bool entry64) {
  if (files.kernel.size() < 0x1000 || get<uint32_t>(files.kernel, kMagic) != kMagicValue) throw std::invalid_argument("the kernel is no Linux bzImage");
  if (get<uint16_t>(files.kernel, kVersion) < kOldest) throw std::invalid_argument("the kernel is older than Linux 3.8");
  if (entry64 && !linux_x86_has_entry64(files.kernel)) throw std::invalid_argument("the kernel has no 64-bit entry: it is for 32-bit machines");
  if (memory > kMostMemory) throw std::invalid_argument("a Linux guest has at most 2 GiB of memory: above that is the PCI window");
  if (files.command_line.size() > get<uint32_t>(files.kernel, kCommandLineMax)) throw std::invalid_argument("the kernel's command line is too long");
}

std::vector<std::byte> setup_part(const std::vector<std::byte>& kernel) {
  std::vector<std::byte> zero(4096);
  const size_t end = std::min<size_t>({kMagic + std::to_integer<size_t>(kernel[kHeaderLength]), zero.size(), kE820});
  std::copy(kernel.begin() + kSetupSectors, kernel.begin() + static_cast<ptrdiff_t>(end), zero.begin() + kSetupSectors);
  return zero;
}

void add_range(std::vector<std::byte>& zero, uint64_t from, uint64_t to, uint32_t type) {
  const auto n = std::to_integer<uint8_t>(zero[kE820Count]);
  const size_t at = kE820 + 20 * size_t{n};
  put(zero, at, from);
  put(zero, at + 8, to - from);
  put(zero, at + 16, type);
  zero[kE820Count] = static_cast<std::byte>(n + 1);
}

// As high as the kernel takes it, so that it does not lie where the kernel unpacks itself.
uint64_t place_initrd(const LinuxImages& files, uint64_t memory, uint64_t kernel_end) {
  const uint64_t top = std::min(memory, uint64_t{get<uint32_t>(files.kernel, kInitrdMax)} + 1);
  if (kernel_end > memory || top < files.initrd.size() + kernel_end + 0x1000) throw std::invalid_argument("guest memory is too small for this kernel and initrd");
  return (top - files.initrd.size()) & ~uint64_t{0xfff};
}

}  // namespace

bool linux_x86_has_entry64(const std::vector<std::byte>& kernel) { return kernel.size() > kLoadFlags64 + 2 && (get<uint16_t>(kernel, kLoadFlags64) & 1); }

LinuxStart linux_x86(const LinuxImages& files, uint64_t memory, uint64_t acpi_rsdp, bool entry64) {
  check(files, memory, entry64);
  const size_t sectors = std::to_integer<size_t>(files.kernel[kSetupSectors]);
  const size_t protected_part = ((sectors ? sectors : 4) + 1) * 512;
  const uint64_t load = get<uint64_t>(files.kernel, kPreferred);
  const uint64_t end = load + std::max<uint64_t>(files.kernel.size() - std::min(protected_part, files.kernel.size()), get<uint32_t>(files.kernel, kInitSize));
  if (protected_part >= files.kernel.size()) throw std::invalid_argument("the kernel is cut off");
  if (load < kHigh || load > memory) throw std::invalid_argument("guest memory is too small for this kernel, which loads where there is none");
  const uint64_t initrd = place_initrd(files, memory, end);

  LinuxStart start{load + (entry64 ? kEntry64 : 0), kZeroPage, {}};
  std::vector<std::byte> zero = setup_part(files.kernel);
  zero[kLoader] = std::byte{0xff};
  put(zero, kCommandLinePointer, static_cast<uint32_t>(kCommandLine));
  put(zero, kAcpiRsdp, acpi_rsdp);
  if (!files.initrd.empty()) {
    put(zero, kInitrd, static_cast<uint32_t>(initrd));
    put(zero, kInitrdSize, static_cast<uint32_t>(files.initrd.size()));
    start.images.push_back({initrd, files.initrd});
  }
  add_range(zero, 0, kLowRamEnd, kE820Ram);
  add_range(zero, kLowRamEnd, 0xa0000, kE820Reserved);
  add_range(zero, kBios, kHigh, kE820Reserved);
  add_range(zero, kHigh, memory, kE820Ram);
  add_range(zero, kEcam, kEcamEnd, kE820Reserved);

  std::vector<std::byte> line(files.command_line.size() + 1);
  std::memcpy(line.data(), files.command_line.data(), files.command_line.size());
  start.images.push_back({kCommandLine, std::move(line)});
  start.images.push_back({kZeroPage, std::move(zero)});
  start.images.push_back({load, {files.kernel.begin() + static_cast<ptrdiff_t>(protected_part), files.kernel.end()}});
  return start;
}

}  // namespace mv
