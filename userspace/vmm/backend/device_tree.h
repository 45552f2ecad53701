// SPDX-License-Identifier: MIT
// The device tree of the arm64 machine, written with libfdt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mv {

struct Arm64Layout {
  static constexpr uint64_t kMemoryBase = 0x80000000;
  static constexpr uint64_t kPl011 = 0x09000000;
  static constexpr uint64_t kDebugExit = 0x09010000;
  static constexpr uint64_t kScratch = 0x09020000;
  static constexpr uint64_t kPl031 = 0x09050000;
  static constexpr uint64_t kVirtio = 0x0a000000;  // kVirtioStep bytes each
  static constexpr uint64_t kVirtioStep = 0x1000;
  static constexpr uint64_t kGicDistributor = 0x3fff0000;
  static constexpr uint64_t kGicRedistributor = 0x3f000000;
  static constexpr uint64_t kTreeSize = 0x10000;  // at the end of memory
  // Firmware finds what QEMU's machine virt has: flash in two banks, for code and for variables, memory, and the tree at its start.
  static constexpr uint64_t kFlashCode = 0;
  static constexpr uint64_t kFlashVariables = 0x04000000;
  static constexpr uint64_t kFlashVariablesSize = 0x40000;
  static constexpr uint64_t kFirmwareMemoryBase = 0x40000000;
  // SPI numbers; a virtio device has kSpiVirtio and its place.
  static constexpr uint32_t kSpiPl011 = 1, kSpiPl031 = 2, kSpiVirtio = 16;
};

// An irqfd with this label raises that shared interrupt (SPI number, from 0) of the guest.
struct TreeDoorbell {
  uint32_t label;
  uint32_t spi;
};

// What a kernel is told beside the machine itself.
struct TreeChosen {
  std::string command_line;
  uint64_t initrd = 0;  // GPA
  uint64_t initrd_size = 0;
  unsigned virtio = 0;  // devices from kVirtio on
  uint64_t pool_size = 0;  // bytes behind the rest of memory: the only ones that virtio devices see; 0: they see all
  bool firmware = false;   // the machine starts in flash, and memory is at kFirmwareMemoryBase
};

constexpr uint64_t arm64_memory_base(const TreeChosen& c) { return c.firmware ? Arm64Layout::kFirmwareMemoryBase : Arm64Layout::kMemoryBase; }
// Where the tree lies.
constexpr uint64_t arm64_tree(const TreeChosen& c, uint64_t memory_bytes) {
  return c.firmware ? Arm64Layout::kFirmwareMemoryBase : Arm64Layout::kMemoryBase + memory_bytes - Arm64Layout::kTreeSize;
}

// A tree of kTreeSize bytes.  All device interrupts are edges: a doorbell is one.  Throws std::runtime_error if it does not fit.
std::vector<std::byte> make_device_tree(uint64_t memory_bytes, unsigned vcpus, std::span<const TreeDoorbell> doorbells = {},
                                        const TreeChosen& chosen = {});

}  // namespace mv
