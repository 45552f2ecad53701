// SPDX-License-Identifier: MIT
// Linux's x86 boot protocol, 64- and 32-bit entry: what lies where in guest memory when a bzImage starts.
// Source: Documentation/arch/x86/boot.rst and zero-page.rst in the kernel tree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vmm/backend/backend.h"

namespace mv {

struct LinuxImages {
  std::vector<std::byte> kernel;  // a bzImage
  std::vector<std::byte> initrd;  // may be empty
  std::string command_line;
};

struct LinuxStart {
  uint64_t entry = 0;
  uint64_t argument = 0;  // the zero page
  std::vector<Image> images;
};

// A kernel that has a 64-bit entry is started there, others (for 32-bit machines) at their 32-bit entry.
bool linux_x86_has_entry64(const std::vector<std::byte>& kernel);

// RAM is [0, memory_bytes), at most 2 GiB: above is the PCI window.  entry64: which entry; StartMode::linux64 or linux32 goes with
// it.  Throws std::invalid_argument with one sentence: not a bzImage, one without 64-bit entry, or too little memory.
LinuxStart linux_x86(const LinuxImages& files, uint64_t memory_bytes, uint64_t acpi_rsdp, bool entry64 = true);

}  // namespace mv
