/* SPDX-License-Identifier: MIT */
/*
 * AArch64 guests with paging: the first GiB is devices, memory is where it is, and a window of pages at WINDOW leads wherever
 * the guest says.  A translation fault in the window is retried.  Arm ARM, D8.3.
 */
#ifndef MV_GUEST_MMU_ARM64_H
#define MV_GUEST_MMU_ARM64_H

#include "guest.h"
#include "stage1_arm64.h"

#define WINDOW 0xc0000000ul
#define PAGE 4096ul

static volatile u64 level1[512] __attribute__((aligned(4096))), level2[512] __attribute__((aligned(4096))),
	level3[512] __attribute__((aligned(4096)));

static inline u64 page_entry(const volatile void *page) { return (u64)page | LEAF | NORMAL | NOT_GLOBAL; }

/* Once, by the first vCPU. */
static inline void tables_build(void)
{
	level1[0] = 0ull << 30 | BLOCK | DEVICE_MEMORY | ACCESSED;
	level1[2] = 2ull << 30 | BLOCK | NORMAL;
	level1[3] = (u64)level2 | TABLE;
	level2[0] = (u64)level3 | TABLE;
}

/* Vectors, and paging with 39-bit addresses; ASID 1. */
static inline void paging_on(void)
{
	u64 sctlr;

	__asm__ volatile("adr %0, vectors" : "=r"(sctlr));
	SYSREG_WRITE(vbar_el1, sctlr);
	SYSREG_WRITE(mair_el1, MEMORY_KINDS);
	SYSREG_WRITE(tcr_el1, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 1ull << 32);
	SYSREG_WRITE(ttbr0_el1, (u64)level1 | 1ull << 48);
	__asm__ volatile("dsb ish; isb; mrs %0, sctlr_el1" : "=r"(sctlr) : : "memory");
	SYSREG_WRITE(sctlr_el1, sctlr | 0x1005);
	__asm__ volatile("isb" : : : "memory");
}

/*
 * Vector 4 (this level, own stack, synchronous): level 3 translation faults of loads and fetches start over, anything else
 * ends the machine with code 99.  Registers go to below the stack: the interrupted code keeps nothing there.
 */
__asm__(".balign 2048\n"
	"vectors: .skip 0x200\n"
	"	stp x0, x1, [sp, #-16]!\n"
	"	mrs x0, esr_el1\n"
	"	and w1, w0, #0x3f\n"
	"	cmp w1, #7\n"
	"	b.ne 1f\n"
	"	lsr w0, w0, #26\n"
	"	and w0, w0, #0xfffffffb\n"		/* 0x25 data abort, 0x21 instruction abort */
	"	cmp w0, #0x21\n"
	"	b.ne 1f\n"
	"	ldp x0, x1, [sp], #16\n"
	"	eret\n"
	"1:	mov x1, #0x09010000\n"
	"	mov w0, #99\n"
	"	str w0, [x1]\n"
	"2:	b 2b\n"
	".balign 2048\n");

#endif
