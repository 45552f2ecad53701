/* SPDX-License-Identifier: MIT */
/* Reads where no device is.  x86: all ones.  AArch64: a bus error; the vector says so through the debug exit. */
#include "../guest.h"

int guest(unsigned int vcpu)
{
	(void)vcpu;
#ifdef __aarch64__
	extern char vectors[];

	__asm__ volatile("msr vbar_el1, %0; isb" : : "r"(vectors));
	(void)ld32(NOWHERE);
	return 1;	/* not reached */
}
/* Current EL with SP_ELx, synchronous: offset 0x200.  Exit code: ESR_EL1's fault status code. */
__asm__(".align 11\nvectors: .skip 0x200\n mrs x0, esr_el1\n and w0, w0, #0x3f\n mov x1, #0x09010000\n str w0, [x1]\n wfi\n");
#else
	return ld32(NOWHERE) == 0xffffffffu && ld8(NOWHERE) == 0xff ? 16 : 1;
}
#endif
