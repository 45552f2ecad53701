// SPDX-License-Identifier: MIT
// Linux's arm64 boot protocol: what lies where in guest memory when an Image starts.
// Source: Documentation/arch/arm64/booting.rst in the kernel tree.
#pragma once

#include "vmm/machine/linux_x86.h"

namespace mv {

// RAM is [Arm64Layout::kMemoryBase, + memory_bytes); its end is the device tree's, whose GPA the kernel finds in x0.
// chosen: the command line and where the initrd lies.  Throws std::invalid_argument with one sentence: no Image, a
// compressed or big-endian one, or too little memory.
LinuxStart linux_arm64(const LinuxImages& files, uint64_t memory_bytes, TreeChosen& chosen);

}  // namespace mv
