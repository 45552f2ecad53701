/* SPDX-License-Identifier: MIT */
#include "guest.h"

int guest(unsigned int vcpu)
{
	(void)vcpu;
	say("Hello from the guest\n");
	return 0;
}
