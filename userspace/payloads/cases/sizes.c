/* SPDX-License-Identifier: MIT */
/* A write and a read of each size the architecture has; what was read is written back one register further. */
#include "../guest.h"

int guest(unsigned int vcpu)
{
	(void)vcpu;
	MMIO(u8, TEST_DEVICE) = 0x81;
	MMIO(u8, TEST_DEVICE + 1) = MMIO(u8, TEST_DEVICE);
	MMIO(u16, TEST_DEVICE + 2) = 0x8182;
	MMIO(u16, TEST_DEVICE + 4) = MMIO(u16, TEST_DEVICE + 2);
	MMIO(u32, TEST_DEVICE + 8) = 0x81828384u;
	MMIO(u32, TEST_DEVICE + 12) = MMIO(u32, TEST_DEVICE + 8);
#if defined(__x86_64__) || defined(__aarch64__)
	MMIO(u64, TEST_DEVICE + 16) = 0x8182838485868788ull;
	MMIO(u64, TEST_DEVICE + 24) = MMIO(u64, TEST_DEVICE + 16);
#endif
	return 0;
}
