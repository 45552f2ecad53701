/* SPDX-License-Identifier: MIT */
/*
 * AArch64: breakpoints, watchpoints and software step of EL1 itself, and BRK.  Arm ARM D2.  Returns the number of the first thing
 * that is not so.
 */
#include "../trap_arm64.h"

#define BRK 0x3c
#define BREAKPOINT 0x31		/* from the level that takes it, as the two below */
#define STEP 0x33
#define WATCHPOINT 0x35
#define DEBUG_FAULT 0x22	/* DFSC of all three */
#define KDE (1u << 13)
#define MDE (1u << 15)
#define SS 1u
#define SPSR_SS (1ull << 21)
#define BCR (0xfu << 5 | 1u << 1 | 1u)			/* EL1 */
#define WCR(what) (0xffu << 5 | (what) << 3 | 1u << 1 | 1u)	/* 1 loads, 2 stores */

extern char stop_here[], step_begin[], step_end[];
static volatile u64 words[3] __attribute__((aligned(64)));

__attribute__((noinline)) static u64 run(void)
{
	u64 v = 0;

	__asm__ volatile("add %0, %0, #1\n .globl stop_here\n stop_here: add %0, %0, #2\n add %0, %0, #4" : "+r"(v) : : "memory");
	return v;
}

/* Debug exceptions from EL1 need PSTATE.D clear. */
static void debug(u64 mdscr)
{
	SYSREG_WRITE(oslar_el1, 0);
	SYSREG_WRITE(mdscr_el1, mdscr);
	ISB();
	__asm__ volatile("msr daifclr, #8; isb" : : : "memory");
}

static int points(void)
{
	MUST(run() == 7);
	SYSREG_WRITE(dbgbvr0_el1, (u64)stop_here);
	SYSREG_WRITE(dbgbcr0_el1, BCR);
	SYSREG_WRITE(dbgwvr0_el1, (u64)&words[1]);
	SYSREG_WRITE(dbgwcr0_el1, WCR(2));
	MUST(run() == 7);	/* not yet */
	debug(KDE | MDE);
	trap.count = 0;
	MUST(run() == 5);	/* the handler leaves it out */
	MUST(trap.count == 1 && trap.esr == EC(BREAKPOINT, DEBUG_FAULT) && trap.elr == (u64)stop_here);
	__asm__ volatile("msr daifset, #8" : : : "memory");
	MUST(run() == 7);
	__asm__ volatile("msr daifclr, #8" : : : "memory");
	MUST(run() == 5);
	SYSREG_WRITE(dbgbcr0_el1, 0);
	ISB();
	MUST(run() == 7);
	MUST(RAISES(EC(WATCHPOINT, WRITE | DEBUG_FAULT), "str %0, [%0]", "r"(&words[1])) && trap.far == (u64)&words[1] && !words[1]);
	MUST(RAISES(EC(WATCHPOINT, WRITE | DEBUG_FAULT), "stp %0, %0, [%0, #-8]", "r"(&words[1])) && !words[0] && !words[1]);
	MUST(WORKS("ldr x8, [%0]", "r"(&words[1])));
	MUST(WORKS("str %0, [%0, #8]", "r"(&words[1])));
	SYSREG_WRITE(dbgwcr0_el1, WCR(1));
	ISB();
	MUST(RAISES(EC(WATCHPOINT, DEBUG_FAULT), "ldr x8, [%0]", "r"(&words[1])));
	MUST(WORKS("str %0, [%0]", "r"(&words[1])));
	SYSREG_WRITE(dbgwcr0_el1, 0);
	debug(0);
	MUST(RAISES(EC(BRK, 7), "brk #7", "r"(0)));
	return 0;
}

/* Seven instructions, one of them taken twice: eight steps; and the one that ends it. */
static int steps(void)
{
	u64 v;

	trap.count = 0;
	trap.skip = 0;
	trap.set = SPSR_SS;
	/* masked until ERET: a step's exception would overwrite what that needs */
	__asm__ volatile("msr daifset, #8" : : : "memory");
	SYSREG_WRITE(mdscr_el1, KDE | MDE | SS);
	ISB();
	__asm__ volatile("adr %0, step_begin\n msr elr_el1, %0\n mov %0, #0x1c5\n movk %0, #0x20, lsl #16\n msr spsr_el1, %0\n eret\n"
			 ".globl step_begin\n step_begin: mov %0, #2\n"
			 "1: subs %0, %0, #1\n b.ne 1b\n"
			 "add %0, %0, #5\n add %0, %0, #6\n"
			 ".globl step_end\n step_end: msr mdscr_el1, xzr\n isb" : "=&r"(v) : : "memory", "cc");
	trap.skip = 4;
	trap.set = 0;
	MUST(v == 11);
	MUST(trap.count >= 7 && trap.count <= 8);
	MUST((trap.esr & ~0x3full) == EC(STEP, 1u << 24) && (trap.esr & 0x3f) == DEBUG_FAULT);
	MUST(trap.elr == (u64)step_end || trap.elr == (u64)step_end + 4);
	return 0;
}

int guest(unsigned int vcpu)
{
	int r;

	(void)vcpu;
	traps_on();
	r = points();
	return r ? r : steps();
}
