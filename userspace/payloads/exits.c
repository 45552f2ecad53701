/* SPDX-License-Identifier: MIT */
/* Nothing but device writes, for ever: what an exit costs. */
#include "guest.h"

int guest(unsigned int vcpu)
{
	(void)vcpu;
	for (;;)
		st32(TEST_DEVICE, 1);
}
