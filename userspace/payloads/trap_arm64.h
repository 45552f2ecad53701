/* SPDX-License-Identifier: MIT */
/*
 * AArch64 guests that take exceptions on purpose: vectors that note what was taken and go on behind the instruction, and stage 1
 * tables that the guest fills.  Arm ARM, D1.3, D8.3.
 */
#ifndef MV_GUEST_TRAP_ARM64_H
#define MV_GUEST_TRAP_ARM64_H

#include "guest.h"
#include "stage1_arm64.h"

/* The handler's: its offsets are in the code below.  skip: bytes that it leaves out; set: bits for SPSR_EL1. */
struct trap {
	u64 count, esr, far, elr, skip, set, spsr;
};
volatile struct trap trap __attribute__((used)) = { .skip = 4 };

#define EC(class, iss) ((u64)(class) << 26 | 1u << 25 | (iss))
#define DATA_ABORT(iss) EC(0x25, iss)
#define WRITE (1u << 6)

#define SYSREG_READ(name) ({ u64 v_; __asm__ volatile("mrs %0, " #name : "=r"(v_) : : "memory"); v_; })
#define ISB() __asm__ volatile("isb" : : : "memory")
/* Returns the number of the first thing that is not so. */
#define MUST(condition) do { enum { number = __COUNTER__ + 1 }; if (!(condition)) return number; } while (0)
/* An instruction: was it taken to EL1 with this syndrome?  What it does to registers is told to nobody but those that are named. */
#define RAISES(syndrome, code, ...) ({ trap.count = 0; __asm__ volatile(code : : __VA_ARGS__ : "memory", "cc", "x8", "x9", "x10", "x11"); \
	trap.count == 1 && trap.esr == (syndrome); })
#define WORKS(code, ...) ({ trap.count = 0; __asm__ volatile(code : : __VA_ARGS__ : "memory", "cc", "x8", "x9", "x10", "x11"); !trap.count; })

__asm__(".text\n"
	".balign 2048\n"
	"trap_vectors: .skip 0x200\n"
	"	stp x0, x1, [sp, #-16]!\n"
	"	stp x2, x3, [sp, #-16]!\n"
	"	adrp x0, trap\n"
	"	add x0, x0, :lo12:trap\n"
	"	ldp x1, x2, [x0, #32]\n"
	"	mrs x3, elr_el1\n"
	"	str x3, [x0, #24]\n"
	"	add x3, x3, x1\n"
	"	msr elr_el1, x3\n"
	"	mrs x3, spsr_el1\n"
	"	str x3, [x0, #48]\n"
	"	orr x3, x3, x2\n"
	"	msr spsr_el1, x3\n"
	"	mrs x2, esr_el1\n"
	"	mrs x3, far_el1\n"
	"	stp x2, x3, [x0, #8]\n"
	"	ldr x1, [x0]\n"
	"	add x1, x1, #1\n"
	"	str x1, [x0]\n"
	"	ldp x2, x3, [sp], #16\n"
	"	ldp x0, x1, [sp], #16\n"
	"	eret\n"
	".balign 2048\n");

static inline void traps_on(void)
{
	u64 v;

	__asm__ volatile("adrp %0, trap_vectors; add %0, %0, :lo12:trap_vectors" : "=r"(v));
	SYSREG_WRITE(vbar_el1, v);
	SYSREG_WRITE(cpacr_el1, 3u << 20);
	ISB();
}

#define TCR(t0sz, t1sz) ((u64)(t0sz) | 1 << 8 | 1 << 10 | 3 << 12 | (u64)(t1sz) << 16 | 1 << 24 | 1 << 26 | 3 << 28 | 2ull << 30 | 5ull << 32)
#define EPD0 (1ull << 7)
#define EPD1 (1ull << 23)
#define SCTLR_M 1ull
#define SCTLR_A 2ull
#define SCTLR_SPAN (1ull << 23)

static inline void forget(void) { __asm__ volatile("dsb ish; tlbi vmalle1; dsb ish; isb" : : : "memory"); }

/* Other tables: the MMU is off in between. */
static inline void paging(u64 tcr, const volatile void *low, const volatile void *high, u64 asid)
{
	SYSREG_WRITE(sctlr_el1, SYSREG_READ(sctlr_el1) & ~SCTLR_M);
	ISB();
	SYSREG_WRITE(mair_el1, MEMORY_KINDS);
	SYSREG_WRITE(tcr_el1, tcr);
	SYSREG_WRITE(ttbr0_el1, (u64)low | asid << 48);
	SYSREG_WRITE(ttbr1_el1, (u64)high);
	forget();
	SYSREG_WRITE(sctlr_el1, SYSREG_READ(sctlr_el1) | SCTLR_M);
	ISB();
}

/* The first GiB is devices, memory is where it is. */
static inline void map_machine(volatile u64 *level1)
{
	level1[0] = 0ull << 30 | BLOCK | DEVICE_MEMORY | ACCESSED;
	level1[2] = 2ull << 30 | BLOCK | NORMAL;
}

#endif
