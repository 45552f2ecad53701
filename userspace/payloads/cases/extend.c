/* SPDX-License-Identifier: MIT */
/* Loads that extend: the register's whole value is reported, so that a wrong extension or a dirty upper part shows. */
#include "../guest.h"

static void report(u32 at, unsigned long value)
{
#ifdef __i386__
	st32(TEST_DEVICE + at, value);
#else
	st64(TEST_DEVICE + at, value);
#endif
}

int guest(unsigned int vcpu)
{
	(void)vcpu;
	report(64, (unsigned long)(long)MMIO(signed char, TEST_DEVICE));
	report(72, (unsigned long)(long)MMIO(short, TEST_DEVICE));
	report(80, (unsigned long)(long)MMIO(int, TEST_DEVICE));
	report(88, MMIO(u8, TEST_DEVICE));
	report(96, MMIO(u16, TEST_DEVICE));
	report(104, MMIO(u32, TEST_DEVICE));
	return 0;
}
