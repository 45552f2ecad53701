/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Floating point with 128-bit significands, truncating: what the transcendental instructions compute in. */
#ifndef MV_X86_X87_WIDE_H
#define MV_X86_X87_WIDE_H

#include "../../fp/fp.h"

typedef unsigned __int128 wide;

/* value = m / 2^127 * 2^exp; m has its top bit set or is zero */
struct x87_wide {
	wide m;
	s32 exp;
	u8 sign;
};

#define X87_WIDE(high, low, exp) ((struct x87_wide){ (wide)(high) << 64 | (low), (exp), 0 })

static inline struct x87_wide wide_normal(struct x87_wide a)
{
	int n;

	if (!a.m)
		return a;
	n = a.m >> 64 ? __builtin_clzll((u64)(a.m >> 64)) : 64 + __builtin_clzll((u64)a.m);
	a.m <<= n;
	a.exp -= n;
	return a;
}

static inline struct x87_wide wide_from(struct fp_num n)
{
	return (struct x87_wide){ (wide)n.sig << 64, n.exp, n.sign };
}

static inline struct x87_wide wide_int(u64 v)
{
	return wide_normal((struct x87_wide){ (wide)v << 64, 63, 0 });
}

struct x87_wide wide_mul(struct x87_wide a, struct x87_wide b);
struct x87_wide wide_add(struct x87_wide a, struct x87_wide b);
struct x87_wide wide_sub(struct x87_wide a, struct x87_wide b);
struct x87_wide wide_div(struct x87_wide a, struct x87_wide b);
/* by a small number */
struct x87_wide wide_div_small(struct x87_wide a, u32 by);
struct fp_num wide_round(struct fp_env *e, struct x87_wide a);

/* Series; see x87_series.c for the ranges. */
struct x87_wide wide_sin(struct x87_wide x);
struct x87_wide wide_cos(struct x87_wide x);
struct x87_wide wide_exp_minus_1(struct x87_wide x);
struct x87_wide wide_atanh(struct x87_wide x);
struct x87_wide wide_atan(struct x87_wide x);
/* |x| = (k + f) * pi / 2 with |f| <= 1/2: returns f * pi / 2 and k mod 4; exact reduction, pi to 320 bits */
struct x87_wide wide_quadrant(struct fp_num x, u32 *k);
/* log2 of a positive number that is no power of two; @one_plus: of 1 + x */
struct x87_wide wide_log2(struct fp_num x);
struct x87_wide wide_log2_plus_1(struct fp_num x);
extern const struct x87_wide wide_pi, wide_half_pi, wide_ln2;

#endif
