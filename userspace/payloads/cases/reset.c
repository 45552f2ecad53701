/* SPDX-License-Identifier: MIT */
/* Asks for a reset: port 0xCF9, or PSCI SYSTEM_RESET. */
#include "../guest.h"

int guest(unsigned int vcpu)
{
	(void)vcpu;
#ifdef __aarch64__
	register u64 x0 __asm__("x0") = 0x84000009u;

	__asm__ volatile("hvc #0" : "+r"(x0) : : "memory");
#else
	out8(0xcf9, 0x06);
#endif
	for (;;)
		relax();
}
