// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Estimates of reciprocals and reciprocal square roots: eight bits, exact by definition (J1, RecipEstimate() and its like). */
#include "fp_arm.h"

#define TOP (1ull << 63)

/* @a: 256..511 for 0.5 to 1; result 256..511 for 1 to 2 */
static u32 reciprocal(u32 a)
{
	return ((1u << 19) / (2 * a + 1) + 1) / 2;
}

/* @a: 128..511 for 0.25 to 1; result 256..511 for 1 to 2 */
static u32 root(u32 a)
{
	u32 low = 512, high = 1024, middle;

	/* in units of 1/512, the middle of what the bits stand for */
	a = a < 256 ? 2 * a + 1 : (a | 1) * 2;
	/* the largest b with a b^2 < 2^28 */
	while (high - low > 1) {
		middle = (low + high) / 2;
		if ((u64)a * middle * middle < 1u << 28)
			low = middle;
		else
			high = middle;
	}
	return (low + 1) / 2;
}

u32 fp_arm_recip_fixed(u32 a)
{
	return a >> 31 ? reciprocal(a >> 23) << 23 : ~0u;
}

u32 fp_arm_root_fixed(u32 a)
{
	return a >> 30 ? root(a >> 23) << 23 : ~0u;
}

static u64 packed(u32 bits, u8 sign, u32 biased, u64 fraction)
{
	u32 low = bits == 32 ? 23 : 52;

	return (u64)sign << (bits - 1) | (u64)biased << low | fraction >> (64 - low);
}

static struct fp_num infinity(u8 sign)
{
	return (struct fp_num){ TOP, 0, sign, FP_INF_NUM, 0 };
}

/* 1 / a overflows: infinity or the largest number, as the rounding mode says. */
static u64 overflow(struct fp_env *env, u32 bits, u8 sign)
{
	bool infinite = env->round == FP_NEAREST || env->round == (sign ? FP_DOWN : FP_UP);

	env->flags |= FP_OVERFLOW | FP_INEXACT;
	if (infinite)
		return fp_arm_pack(bits, infinity(sign));
	return packed(bits, sign, bits == 32 ? 254 : 2046, ~0ull);
}

u64 fp_arm_recip_estimate(struct fp_env *env, u32 bits, u64 a)
{
	struct fp_num n = fp_arm_unpack(env, bits, a);
	s32 bias = bits == 32 ? 127 : 1023, exp;
	u64 fraction;

	if (fp_is_nan(n))
		return fp_arm_pack(bits, fp_nan_of(env, n, n));
	if (n.kind == FP_INF_NUM)
		return packed(bits, n.sign, 0, 0);
	if (n.kind == FP_ZERO_NUM) {
		env->flags |= FP_DIVZERO;
		return fp_arm_pack(bits, infinity(n.sign));
	}
	if (n.exp < -bias - 1)
		return overflow(env, bits, n.sign);
	if (env->flush && n.exp >= bias - 1) {
		env->flags |= FP_UNDERFLOW;
		return packed(bits, n.sign, 0, 0);
	}
	exp = bias - 1 - n.exp;
	fraction = (u64)reciprocal((u32)(n.sig >> 55)) << 56;
	if (exp <= 0) {
		/* subnormal: the integer bit moves into the fraction */
		fraction = TOP | fraction >> 1;
		fraction >>= -exp;
		exp = 0;
	}
	return packed(bits, n.sign, (u32)exp, fraction);
}

u64 fp_arm_root_estimate(struct fp_env *env, u32 bits, u64 a)
{
	struct fp_num n = fp_arm_unpack(env, bits, a);
	s32 bias = bits == 32 ? 127 : 1023, biased;

	if (fp_is_nan(n))
		return fp_arm_pack(bits, fp_nan_of(env, n, n));
	if (n.kind == FP_ZERO_NUM) {
		env->flags |= FP_DIVZERO;
		return fp_arm_pack(bits, infinity(n.sign));
	}
	if (n.sign) {
		env->flags |= FP_INVALID;
		return fp_arm_pack(bits, fp_default_nan(env));
	}
	if (n.kind == FP_INF_NUM)
		return 0;
	biased = n.exp + bias;
	return packed(bits, 0, (u32)(3 * bias - 1 - biased) / 2,
		      (u64)root((u32)(n.sig >> (biased & 1 ? 56 : 55))) << 56);
}

u64 fp_arm_recip_exponent(struct fp_env *env, u32 bits, u64 a)
{
	struct fp_num n = fp_arm_unpack(env, bits, a);
	u32 low = bits == 32 ? 23 : 52, max = bits == 32 ? 255 : 2047, exp = (u32)(a >> low) & max;

	if (fp_is_nan(n))
		return fp_arm_pack(bits, fp_nan_of(env, n, n));
	return packed(bits, n.sign, exp ? ~exp & max : max - 1, 0);
}
