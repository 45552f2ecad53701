/* SPDX-License-Identifier: MIT */
/* A write and a read of each size the architecture has; what was read is written back one register further. */
#include "../guest.h"

int guest(unsigned int vcpu)
{
	(void)vcpu;
	st8(TEST_DEVICE, 0x81);
	st8(TEST_DEVICE + 1, ld8(TEST_DEVICE));
	st16(TEST_DEVICE + 2, 0x8182);
	st16(TEST_DEVICE + 4, ld16(TEST_DEVICE + 2));
	st32(TEST_DEVICE + 8, 0x81828384u);
	st32(TEST_DEVICE + 12, ld32(TEST_DEVICE + 8));
#if defined(__x86_64__) || defined(__aarch64__)
	st64(TEST_DEVICE + 16, 0x8182838485868788ull);
	st64(TEST_DEVICE + 24, ld64(TEST_DEVICE + 16));
#endif
	return 0;
}
