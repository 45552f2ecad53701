/* SPDX-License-Identifier: MIT */
/* Two vCPUs pass a ball through shared memory; each touches a device on the way. */
#include "guest.h"

#define ROUNDS 400u

static volatile u32 ball;
static volatile u32 done;

int guest(unsigned int vcpu)
{
	u32 i;

	if (vcpu == 0)
		start_second();
	for (i = vcpu; i < ROUNDS; i += 2) {
		while (ball != i)
			relax();
		if (i % 100 < 2)
			st32(SCRATCH + 4 * vcpu, i);
		ball = i + 1;
	}
	if (vcpu) {
		done = 1;
		for (;;)
			relax();
	}
	while (!done || ball != ROUNDS)
		relax();
	say("ping-pong: 400 passes\n");
	return 0;
}
