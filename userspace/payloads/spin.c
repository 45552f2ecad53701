/* SPDX-License-Identifier: MIT */
/* Never ends and never exits: what a VMM must be able to stop. */
#include "guest.h"

int guest(unsigned int vcpu)
{
	(void)vcpu;
	say("spinning\n");
	for (;;)
		__asm__ volatile("" ::: "memory");
}
