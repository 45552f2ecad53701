// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Arithmetic, comparison and conversions by Arm's rules. */
#include "fp_arm.h"

#define TOP (1ull << 63)

static const struct fp_format *format(u32 bits)
{
	return bits == 32 ? &fp_format32 : &fp_format64;
}

struct fp_num fp_arm_unpack(struct fp_env *env, u32 bits, u64 v)
{
	struct fp_num n = bits == 32 ? fp_unpack32((u32)v) : fp_unpack64(v);

	if (unlikely(n.subnormal)) {
		if (env->flush_inputs) {
			n.kind = FP_ZERO_NUM;
			env->flags |= FP_FLUSHED;
		}
		n.subnormal = 0;
	}
	return n;
}

u64 fp_arm_pack(u32 bits, struct fp_num n)
{
	return bits == 32 ? fp32_pack(n) : fp64_pack(n);
}

#define BINARY(name)                                                                                                     \
	u64 fp_arm_##name(struct fp_env *env, u32 bits, u64 a, u64 b)                                                     \
	{                                                                                                                 \
		struct fp_num x = fp_arm_unpack(env, bits, a), y = fp_arm_unpack(env, bits, b);                           \
                                                                                                                          \
		return fp_arm_pack(bits, fp_##name(env, format(bits), x, y));                                             \
	}
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
#undef BINARY

static bool zero_times_infinity(struct fp_num a, struct fp_num b)
{
	return (a.kind == FP_ZERO_NUM && b.kind == FP_INF_NUM) || (a.kind == FP_INF_NUM && b.kind == FP_ZERO_NUM);
}

/* sig / 2^63 * 2^exp */
static struct fp_num constant(u8 sign, s32 exp, u64 sig)
{
	return (struct fp_num){ sig, exp, sign, FP_FINITE, 0 };
}

u64 fp_arm_mulx(struct fp_env *env, u32 bits, u64 a, u64 b)
{
	struct fp_num x = fp_arm_unpack(env, bits, a), y = fp_arm_unpack(env, bits, b);

	if (zero_times_infinity(x, y))
		return fp_arm_pack(bits, constant(x.sign ^ y.sign, 1, TOP));
	return fp_arm_pack(bits, fp_mul(env, format(bits), x, y));
}

u64 fp_arm_max(struct fp_env *env, u32 bits, u64 a, u64 b, bool smaller, bool number)
{
	struct fp_num x = fp_arm_unpack(env, bits, a), y = fp_arm_unpack(env, bits, b);
	enum fp_order order;

	if (number && x.kind == FP_QNAN && y.kind != FP_QNAN)
		x = (struct fp_num){ TOP, 0, !smaller, FP_INF_NUM, 0 };
	else if (number && y.kind == FP_QNAN && x.kind != FP_QNAN)
		y = (struct fp_num){ TOP, 0, !smaller, FP_INF_NUM, 0 };
	if (fp_is_nan(x) || fp_is_nan(y))
		return fp_arm_pack(bits, fp_nan_of(env, x, y));
	order = fp_compare(env, x, y, true);
	/* of two zeros the maximum is positive if one is, the minimum negative */
	if (x.kind == FP_ZERO_NUM && y.kind == FP_ZERO_NUM)
		x.sign = smaller ? x.sign | y.sign : x.sign & y.sign;
	else if (order == (smaller ? FP_GREATER : FP_LESS))
		x = y;
	return fp_arm_pack(bits, x);
}

u64 fp_arm_fma(struct fp_env *env, u32 bits, u64 c, u64 a, u64 b)
{
	struct fp_num x = fp_arm_unpack(env, bits, a), y = fp_arm_unpack(env, bits, b), z = fp_arm_unpack(env, bits, c);

	return fp_arm_pack(bits, fp_fma(env, format(bits), x, y, z));
}

u64 fp_arm_step(struct fp_env *env, u32 bits, u64 a, u64 b, bool root)
{
	/* the sign goes first, also that of a NaN */
	struct fp_num x = fp_arm_unpack(env, bits, a ^ FP_ARM_SIGN(bits)), y = fp_arm_unpack(env, bits, b);
	struct fp_num sum = constant(0, root ? 0 : 1, root ? 3ull << 62 : TOP);

	if (fp_is_nan(x) || fp_is_nan(y))
		return fp_arm_pack(bits, fp_nan_of(env, x, y));
	if (zero_times_infinity(x, y))
		return fp_arm_pack(bits, sum);
	/* (3 - ab) / 2 is 1.5 - (a / 2) b: exponents of unpacked numbers have no limits */
	if (root && x.kind == FP_FINITE)
		x.exp--;
	return fp_arm_pack(bits, fp_fma(env, format(bits), x, y, sum));
}

u64 fp_arm_sqrt(struct fp_env *env, u32 bits, u64 a)
{
	return fp_arm_pack(bits, fp_sqrt(env, format(bits), fp_arm_unpack(env, bits, a)));
}

enum fp_order fp_arm_compare(struct fp_env *env, u32 bits, u64 a, u64 b, bool quiet)
{
	struct fp_num x = fp_arm_unpack(env, bits, a), y = fp_arm_unpack(env, bits, b);

	return fp_compare(env, x, y, quiet);
}

u64 fp_arm_round_integral(struct fp_env *env, u32 bits, u64 a, bool exact)
{
	struct fp_num n = fp_arm_unpack(env, bits, a);
	u8 flush = env->flush_inputs;

	env->flush_inputs = 0;
	n = fp_round_integral(env, format(bits), n, exact);
	env->flush_inputs = flush;
	return fp_arm_pack(bits, n);
}

u64 fp_arm_to_int(struct fp_env *env, u32 bits, u64 a, u32 width, bool is_signed, u32 fraction)
{
	struct fp_num n = fp_arm_unpack(env, bits, a);

	n.exp += (s32)fraction;
	return fp_to_int(env, n, width, is_signed) & (~0ull >> (64 - width));
}

u64 fp_arm_from_int(struct fp_env *env, u32 bits, u64 v, u32 width, bool is_signed, u32 fraction)
{
	struct fp_num n;

	v <<= 64 - width;
	v = is_signed ? (u64)((s64)v >> (64 - width)) : v >> (64 - width);
	n = fp_from_int(env, format(bits), v, is_signed);
	/* 2^64 and 2^-64 are far from the limits of both formats: what was rounded stays so */
	n.exp -= (s32)fraction;
	return fp_arm_pack(bits, n);
}

/* The alternative half precision: exponent 31 is a number like the others (A1.4.2). */
static const struct fp_format alternative_format = { -14, 16, 11 };

static struct fp_num unpack_half(u16 v, bool alternative)
{
	struct fp_num n = fp_unpack16(v);

	if (alternative && (v & 0x7c00) == 0x7c00)
		n = constant((u8)(v >> 15), 16, TOP | (u64)(v & 0x3ff) << 53);
	n.subnormal = 0;
	return n;
}

static u64 pack_half(struct fp_num n)
{
	if (n.kind == FP_FINITE && n.exp == 16)
		return (u64)n.sign << 15 | 0x7c00 | ((n.sig >> 53) & 0x3ff);
	return fp_pack(&fp_format16, n);
}

static u64 to_half(struct fp_env *env, struct fp_num n, bool alternative)
{
	struct fp_env e = *env;

	/* FPCR.FZ is not for 16 bits */
	e.flush = 0;
	e.flush_inputs = 0;
	if (alternative && (fp_is_nan(n) || n.kind == FP_INF_NUM)) {
		env->flags |= FP_INVALID;
		return (u64)n.sign << 15 | (n.kind == FP_INF_NUM ? 0x7fff : 0);
	}
	e.flags = 0;
	n = fp_convert(&e, alternative ? &alternative_format : &fp_format16, n);
	if (alternative && (e.flags & FP_OVERFLOW)) {
		env->flags |= FP_INVALID;
		return (u64)n.sign << 15 | 0x7fff;
	}
	env->flags |= e.flags;
	return pack_half(n);
}

u64 fp_arm_convert(struct fp_env *env, u32 from, u32 to, u64 a, bool alternative)
{
	struct fp_num n = from == 16 ? unpack_half((u16)a, alternative) : fp_arm_unpack(env, from, a);

	if (to == 16)
		return to_half(env, n, alternative);
	return fp_arm_pack(to, fp_convert(env, format(to), n));
}
