/* SPDX-License-Identifier: MIT */
/*
 * Does what no guest should.  x86-64: an exception without a handler becomes a triple fault, which ACRN reports as a
 * power-off.  AArch64: an abort with VBAR 0 ends in an endless loop of aborts, so the guest powers itself off first.
 */
#include "guest.h"

int guest(unsigned int vcpu)
{
	(void)vcpu;
	say("about to fault\n");
#if defined(__x86_64__) || defined(__i386__)
	static const struct { u16 limit; u8 base[8]; } __attribute__((packed)) none;
	__asm__ volatile("lidt %0; int3" : : "m"(none));
#else
	register u64 x0 __asm__("x0") = 0x84000008u;
	__asm__ volatile("hvc #0" : "+r"(x0) : : "memory");
#endif
	return 1;
}
