/* SPDX-License-Identifier: MIT */
/*
 * Runs code that it has just written, then changes it and runs it again: the second run must not see the first's bytes.
 * x86 needs nothing for that; AArch64 cleans, invalidates and synchronises (Arm ARM B2.4.4).
 */
#include "../guest.h"

static u32 code[8];

static int run(u32 value)
{
	int (*call)(void) = (int (*)(void))(unsigned long)code;

#ifdef __aarch64__
	code[0] = 0x52800000u | value << 5;	/* mov w0, #value */
	code[1] = 0xd65f03c0u;			/* ret */
	__asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" : : "r"(code) : "memory");
#else
	u8 *b = (u8 *)code;

	b[0] = 0xb8;				/* mov $value, %eax */
	*(volatile u32 *)(b + 1) = value;
	b[5] = 0xc3;				/* ret */
	__asm__ volatile("" ::: "memory");
#endif
	return call();
}

int guest(unsigned int vcpu)
{
	u32 i;

	(void)vcpu;
	for (i = 1; i < 100; i++) {
		if (run(i) != (int)i)
			return (int)i;
	}
	return 0;
}
