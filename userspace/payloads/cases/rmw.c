/* SPDX-License-Identifier: MIT */
/* Read-modify-write on a device: one read and one write each, whatever had to be replayed. */
#include "../guest.h"

int guest(unsigned int vcpu)
{
	(void)vcpu;
	__asm__ volatile("addl $5, (%0); orb $0x80, 8(%0); notl 12(%0); xchg %%ecx, 16(%0); lock incl 20(%0); pushq 24(%0); popq 32(%0)"
			 : : "r"((u64)TEST_DEVICE), "c"(0x1234) : "memory");
	return 0;
}
