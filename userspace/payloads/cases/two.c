/* SPDX-License-Identifier: MIT */
/* Two vCPUs at one device at once: each writes its own register and reads it back. */
#include "../guest.h"

static volatile u32 finished[2];

int guest(unsigned int vcpu)
{
	u32 i, wrong = 0;

	if (!vcpu)
		start_second();
	for (i = 0; i < 1000; i++) {
		st32(SCRATCH + 4 * vcpu, i ^ (vcpu << 16));
		wrong |= ld32(SCRATCH + 4 * vcpu) ^ i ^ (vcpu << 16);
	}
	finished[vcpu] = wrong ? 2 : 1;
	while (vcpu || !finished[1])
		relax();
	return wrong || finished[1] != 1;
}
