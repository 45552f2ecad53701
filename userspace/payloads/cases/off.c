/* SPDX-License-Identifier: MIT */
/* Powers the machine off: ACPI S5, or PSCI SYSTEM_OFF. */
#include "../guest.h"

int guest(unsigned int vcpu)
{
	(void)vcpu;
#ifdef __aarch64__
	register u64 x0 __asm__("x0") = 0x84000008u;

	__asm__ volatile("hvc #0" : "+r"(x0) : : "memory");
#else
	out16(0x404, 0x3400);
#endif
	for (;;)
		relax();
}
