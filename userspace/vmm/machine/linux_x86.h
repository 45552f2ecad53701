// SPDX-License-Identifier: MIT
// Linux's x86 boot protocol, 64-bit entry: what lies where in guest memory when a bzImage starts.
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

// RAM is [0, memory_bytes), at most 2 GiB: above is the PCI window.  Throws std::invalid_argument with one sentence: not a
// bzImage, one without 64-bit entry, or too little memory.
LinuxStart linux_x86(const LinuxImages& files, uint64_t memory_bytes, uint64_t acpi_rsdp);

}  // namespace mv
