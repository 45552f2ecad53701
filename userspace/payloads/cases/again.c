/* SPDX-License-Identifier: MIT */
/* Does what it is told by a character: r asks for a reset, anything else powers off.  What it finds in memory is told first. */
#include "../guest.h"

static volatile u32 lives;	/* 0 in the image */

static void leave(int reset)
{
#ifdef __aarch64__
	register u64 x0 __asm__("x0") = reset ? 0x84000009u : 0x84000008u;

	__asm__ volatile("hvc #0" : "+r"(x0) : : "memory");
#else
	if (reset)
		out8(0xcf9, 0x06);
	else
		out16(0x404, 0x3400);
#endif
	for (;;)
		relax();
}

int guest(unsigned int vcpu)
{
	char what;

	/* the second waits for ever, running */
	while (vcpu)
		relax();
	put((char)('0' + lives++));
	start_second();
	while (!typed())
		relax();
	what = (char)get();
	put(what);
	leave(what == 'r');
	return 1;
}
