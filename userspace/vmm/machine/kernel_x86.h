// SPDX-License-Identifier: MIT
// Kernels for PCs that are no bzImage: ELF files, with multiboot or without.
//
// The rule by which --kernel finds out: a bzImage has "HdrS" at 0x202; a multiboot kernel has its magic in the first 8 KiB, on a
// 4-byte boundary; any other file that begins with ELF's magic is loaded as it says and entered flat, 32-bit for ELFCLASS32 and
// in long mode for ELFCLASS64.
// Sources: Multiboot specification 0.6.96; System V ABI, chapter 5 "Program loading", with physical addresses (p_paddr).
#pragma once

#include "vmm/backend/x86_start.h"
#include "vmm/machine/linux_x86.h"

namespace mv {

enum class KernelKind { bzimage, multiboot, elf32, elf64 };

// Throws std::invalid_argument if it is none of them.
KernelKind kernel_kind(const std::vector<std::byte>& file);

// Where multiboot's information and what it points to are put.
constexpr uint64_t kMultibootInfo = kX86TablesEnd;

// RAM is [0, memory_bytes).  A flat ELF kernel is told nothing and takes neither command line nor initrd.  Throws
// std::invalid_argument with one sentence for what is malformed or does not fit.
LinuxStart load_elf(const LinuxImages& files, uint64_t memory_bytes);
// The initrd is the one module, after the kernel; its command line is empty.
LinuxStart load_multiboot(const LinuxImages& files, uint64_t memory_bytes);

}  // namespace mv
