// SPDX-License-Identifier: MIT
// Bare AArch64 machines that start at EL0 or EL1, with stop vectors and, if asked for, stage 1 tables.
#pragma once

#include "arm64_machine.h"

namespace arm64 {

// A user program at ram_at + 0x1000, entered by ERET; the vectors stop at an HVC.
struct User : Machine {
	User(std::initializer_list<uint32_t> program)
	{
		put(ram_at + 0x1000, program);
		for (uint64_t v = 0; v < 0x800; v += 0x80)
			put(vectors + v, {hvc});
		s.pc = ram_at + 0x1000;
		s.pstate = ARM64_MODE_EL0T | ARM64_PSTATE_Z;
		s.sp_el0 = ram_at + 0x8000;
		set();
	}
};

struct Kernel : User {
	Kernel(std::initializer_list<uint32_t> program) : User(program)
	{
		s.pstate = ARM64_MODE_EL1H | ARM64_PSTATE_DAIF;
		set();
	}
};

constexpr uint64_t table0 = ram_at + 0x100000, table1 = table0 + 0x1000, table2 = table0 + 0x2000, table3 = table0 + 0x3000;
constexpr uint64_t af = 1 << 10, user = 1 << 6, read_only = 1 << 7, not_global = 1 << 11, pxn = 1ull << 53, uxn = 1ull << 54, device_memory = 1 << 2;

// TTBR0: 39 bits; 0x40000000 as 2 MiB blocks onto itself, 0x200000 + n pages from table3.
struct Paged : Kernel {
	Paged(std::initializer_list<uint32_t> program) : Kernel(program)
	{
		put64(table1 + 0, table2 | 3);
		put64(table1 + 8, (table2 + 0x2000) | 3);
		put64(table2 + 8, table3 | 3);
		put64(table2 + 0x2000, ram_at | af | 1);
		put64(table2 + 0x2008, (ram_at + 0x200000) | af | 1);
		s.ttbr0_el1 = table1;
		s.tcr_el1 = 25 | 25 << 16 | 5ull << 32;
		s.mair_el1 = 0x04ff;	// index 0 Normal, index 1 Device-nGnRE
		s.sctlr_el1 |= 1;
		set();
	}
	void page(unsigned n, uint64_t gpa, uint64_t attributes) { put64(table3 + 8 * n, gpa | attributes | 3); }
};

constexpr uint64_t window = 0x200000, target = ram_at + 0x80000;
constexpr uint32_t tlbi_vae1 = 0xd5088720, tlbi_vmalle1 = 0xd508871f;

}
