// SPDX-License-Identifier: MIT
// Registers and tables that put a vCPU at an entry point in real, protected or long mode, in SET_VCPU_REGS terms.
#pragma once

#include <linux/acrn.h>

#include <vector>

#include "vmm/backend/backend.h"

namespace mv {

// Where long mode's page tables and the GDT are put; images may not overlap [kX86Tables, kX86TablesEnd).
constexpr uint64_t kX86Tables = 0x70000;
constexpr uint64_t kX86TablesEnd = 0x78000;

// argument: goes to RSI; with StartMode::multiboot to EBX.  StartMode::reset has an entry of its own.
acrn_vcpu_regs x86_start_regs(StartMode mode, uint64_t entry, uint64_t argument = 0);
// A flat GDT (not for real mode) and, for long mode, page tables that map the first 4 GiB to themselves.
std::vector<Image> x86_start_tables(StartMode mode);

}  // namespace mv
