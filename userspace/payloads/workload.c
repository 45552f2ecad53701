/* SPDX-License-Identifier: MIT */
/*
 * Runs the workload's kernels: reads the scale from TEST_DEVICE, writes TEST_DEVICE + 4 before each kernel and its
 * checksum to TEST_DEVICE + 8 after it.  The benchmark takes the time between the two.
 */
#include "guest.h"
#include "workload.h"

int guest(unsigned int vcpu)
{
	u32 scale = ld32(TEST_DEVICE), k;

	(void)vcpu;
	for (k = 0; k < WORKLOAD_KERNELS; k++) {
		st32(TEST_DEVICE + 4, k);
		st32(TEST_DEVICE + 8, workload_run(k, scale));
	}
	return 0;
}
