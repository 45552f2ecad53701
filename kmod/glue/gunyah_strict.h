/* SPDX-License-Identifier: GPL-2.0 */
/* Bugs of the v17 driver that a VMM's author may want to meet: docs/gunyah-differences.md. */
#ifndef MV_GUNYAH_STRICT_H
#define MV_GUNYAH_STRICT_H

#include <linux/types.h>

extern unsigned int gunyah_strict;

enum gunyah_bug { V17_Q1 = 1, V17_Q2 = 2, V17_Q7 = 7, V17_Q8 = 8, V17_Q9 = 9, V17_Q10 = 10, V17_Q11 = 11 };

/* Module parameter strict_v17: bit n reproduces bug Qn; bit 0 all of these. */
static inline bool strict(enum gunyah_bug q)
{
	return READ_ONCE(gunyah_strict) & (1u | 1u << q);
}

#endif
