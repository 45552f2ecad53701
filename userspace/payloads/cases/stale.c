/* SPDX-License-Identifier: MIT */
/*
 * AArch64: an instruction that is changed between NOP and B, which are among those that may be changed while they run (Arm ARM
 * B2.2.5).  Without IC IVAU the old or the new one runs, nothing else; with it (B2.4.4), and a context synchronization on the
 * vCPU that runs it, only the new one may, whoever changed it.  Returns the number of the first thing that was not so.
 */
#include "../guest.h"

#define NOP 0xd503201fu
#define SKIP 0x14000003u	/* b . + 12 */

static volatile u32 code[8] __attribute__((aligned(64))) = {
	NOP,
	0x52800000u | 1 << 5, 0xd65f03c0u,	/* mov w0, #1; ret */
	0x52800000u | 2 << 5, 0xd65f03c0u,	/* mov w0, #2; ret */
};
static volatile u32 asked, done;

static void clean(void) { __asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" : : "r"(code) : "memory"); }

static u32 run(void) { return ((u32 (*)(void))(unsigned long)code)(); }

/* What the code returns then. */
static u32 change(u32 step)
{
	code[0] = step % 2 ? SKIP : NOP;
	return 1 + step % 2;
}

static int odd(u32 seen) { return seen != 1 && seen != 2; }

int guest(unsigned int vcpu)
{
	u32 i, wanted;

	if (vcpu) {
		for (i = 1; i <= 200; i++) {
			while (asked != i)
				relax();
			change(i);
			clean();
			done = i;
		}
		for (;;)
			__asm__ volatile("wfi");
	}
	if (run() != 1)
		return 1;
	for (i = 1; i <= 200; i++) {
		wanted = change(i);
		if (odd(run()))
			return 2;
		clean();
		if (run() != wanted)
			return 3;
	}
	start_second();
	for (i = 1; i <= 200; i++) {
		asked = i;
		while (done != i) {
			if (odd(run()))
				return 4;
			relax();	/* or one processor for both takes a tick for each change */
		}
		__asm__ volatile("dmb ish; isb" : : : "memory");
		if (run() != 1 + i % 2)
			return 5;
	}
	return 0;
}
