/* SPDX-License-Identifier: MIT */
/* String instructions between memory and a device: one access an element, in order. */
#include "../guest.h"

static u32 buffer[4] = { 1, 2, 3, 4 };

int guest(unsigned int vcpu)
{
	const u32 *from = buffer;
	u32 *to = (u32 *)(u64)TEST_DEVICE;
	u64 n = 4;

	(void)vcpu;
	__asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
	from = (u32 *)(u64)TEST_DEVICE;
	to = buffer;
	n = 4;
	__asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
	return (int)(buffer[0] + buffer[3]);
}
