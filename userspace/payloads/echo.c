/* SPDX-License-Identifier: MIT */
/* Sends back what is typed, until Ctrl-D. */
#include "guest.h"

int guest(unsigned int vcpu)
{
	u8 c;

	(void)vcpu;
	for (;;) {
		while (!typed())
			relax();
		c = get();
		if (c == 4)
			return 0;
		put((char)c);
	}
}
