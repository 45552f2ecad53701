// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Addition, multiplication, division, square root, fused multiply-add. */
#include "fp.h"

#define TOP (1ull << 63)
#define QUIET (1ull << 62)

typedef unsigned __int128 wide;

static struct fp_num invalid(struct fp_env *env)
{
	env->flags |= FP_INVALID;
	return fp_default_nan(env);
}

static struct fp_num quieted(struct fp_env *env, struct fp_num n)
{
	if (env->default_nan)
		return fp_default_nan(env);
	n.kind = FP_QNAN;
	n.sig |= QUIET;
	return n;
}

struct fp_num fp_nan_of(struct fp_env *env, struct fp_num a, struct fp_num b)
{
	if (a.kind == FP_BAD || b.kind == FP_BAD)
		return invalid(env);
	if (a.kind == FP_SNAN || b.kind == FP_SNAN)
		env->flags |= FP_INVALID;
	if (!fp_is_nan(b))
		return quieted(env, a);
	if (!fp_is_nan(a))
		return quieted(env, b);
	switch (env->nan) {
	case FP_NAN_SSE:
		return quieted(env, a);
	case FP_NAN_ARM:
		return quieted(env, a.kind == FP_QNAN && b.kind == FP_SNAN ? b : a);
	default:
		if (a.kind != b.kind)
			return quieted(env, a.kind == FP_QNAN ? a : b);
		if (a.sig != b.sig)
			return quieted(env, a.sig > b.sig ? a : b);
		return quieted(env, a.sign ? b : a);
	}
}

static struct fp_num zero(u8 sign)
{
	return (struct fp_num){ 0, 0, sign, FP_ZERO_NUM, 0 };
}

static struct fp_num infinite(u8 sign)
{
	return (struct fp_num){ TOP, 0, sign, FP_INF_NUM, 0 };
}

/* Operands that are no NaN; true if one is. */
static bool nan_or_inputs(struct fp_env *env, struct fp_num *a, struct fp_num *b, struct fp_num *result)
{
	env->up = 0;
	if (unlikely(fp_is_nan(*a) || fp_is_nan(*b))) {
		*result = fp_nan_of(env, *a, *b);
		return true;
	}
	return false;
}

/* Shift right; what falls out stays visible in the last bit. */
static wide shift_sticky(wide v, u32 n)
{
	if (!n)
		return v;
	if (n > 127)
		return v != 0;
	return v >> n | ((v << (128 - n)) != 0);
}

static int leading(wide v)
{
	return v >> 64 ? __builtin_clzll((u64)(v >> 64)) : 64 + __builtin_clzll((u64)v);
}

/* Sum of two signed numbers v / 2^126 * 2^exp; neither has bit 127 set. */
static struct fp_num add_wide(struct fp_env *env, const struct fp_format *f, u8 sa, s32 ea, wide va, u8 sb, s32 eb, wide vb)
{
	s32 exp;
	int n;

	if (ea >= eb) {
		vb = shift_sticky(vb, (u32)(ea - eb));
		exp = ea;
	} else {
		va = shift_sticky(va, (u32)(eb - ea));
		exp = eb;
	}
	if (sa == sb) {
		va += vb;
	} else if (va >= vb) {
		va -= vb;
	} else {
		va = vb - va;
		sa = sb;
	}
	if (!va)
		return zero(env->round == FP_DOWN);
	n = leading(va);
	va <<= n;
	return fp_round(env, f, sa, exp + 1 - n, (u64)(va >> 64), (u64)va);
}

/* What rounding would do to a number that is exact already: x87 precision control, or nothing. */
static struct fp_num rerounded(struct fp_env *env, const struct fp_format *f, struct fp_num n)
{
	return n.kind == FP_FINITE ? fp_round(env, f, n.sign, n.exp, n.sig, 0) : n;
}

static struct fp_num add(struct fp_env *env, const struct fp_format *f, struct fp_num a, struct fp_num b, u8 flip)
{
	struct fp_num r;

	if (nan_or_inputs(env, &a, &b, &r))
		return r;
	b.sign ^= flip;
	if (a.kind == FP_INF_NUM && b.kind == FP_INF_NUM && a.sign != b.sign)
		return invalid(env);
	fp_input(env, &a);
	fp_input(env, &b);
	if (a.kind == FP_INF_NUM)
		return a;
	if (b.kind == FP_INF_NUM)
		return b;
	if (a.kind == FP_ZERO_NUM && b.kind == FP_ZERO_NUM)
		return zero(a.sign == b.sign ? a.sign : env->round == FP_DOWN);
	if (a.kind == FP_ZERO_NUM)
		return rerounded(env, f, b);
	if (b.kind == FP_ZERO_NUM)
		return rerounded(env, f, a);
	return add_wide(env, f, a.sign, a.exp, (wide)a.sig << 63, b.sign, b.exp, (wide)b.sig << 63);
}

struct fp_num fp_add(struct fp_env *env, const struct fp_format *f, struct fp_num a, struct fp_num b)
{
	return add(env, f, a, b, 0);
}

struct fp_num fp_sub(struct fp_env *env, const struct fp_format *f, struct fp_num a, struct fp_num b)
{
	return add(env, f, a, b, 1);
}

struct fp_num fp_mul(struct fp_env *env, const struct fp_format *f, struct fp_num a, struct fp_num b)
{
	struct fp_num r;
	s32 exp;
	wide v;

	if (nan_or_inputs(env, &a, &b, &r))
		return r;
	r.sign = a.sign ^ b.sign;
	/* with flushed inputs infinity times a subnormal is invalid */
	if ((a.kind == FP_INF_NUM && (b.kind == FP_ZERO_NUM || (b.subnormal && env->flush_inputs))) ||
	    (b.kind == FP_INF_NUM && (a.kind == FP_ZERO_NUM || (a.subnormal && env->flush_inputs)))) {
		if (env->nan == FP_NAN_ARM) {
			fp_input(env, &a);
			fp_input(env, &b);
		}
		return invalid(env);
	}
	fp_input(env, &a);
	fp_input(env, &b);
	if (a.kind == FP_INF_NUM || b.kind == FP_INF_NUM)
		return infinite(r.sign);
	if (a.kind == FP_ZERO_NUM || b.kind == FP_ZERO_NUM)
		return zero(r.sign);
	v = (wide)a.sig * b.sig;
	exp = a.exp + b.exp + 1;
	if (!(v >> 127)) {
		v <<= 1;
		exp--;
	}
	return fp_round(env, f, r.sign, exp, (u64)(v >> 64), (u64)v);
}

/* One 32-bit digit of a quotient: (high:next) / by, high < by, by normalised (Knuth, 4.3.1 D). */
static u64 digit(u64 high, u32 next, u64 by, u64 *rest)
{
	u64 top = by >> 32, low = (u32)by, q = high / top, r = high % top;

	while (q >> 32 || q * low > (r << 32 | next)) {
		q--;
		r += top;
		if (r >> 32)
			break;
	}
	*rest = (high << 32 | next) - q * by;
	return q;
}

u64 fp_divide_wide(u64 high, u64 low, u64 by, u64 *remainder)
{
	u64 q = digit(high, (u32)(low >> 32), by, &high) << 32;

	return q | digit(high, (u32)low, by, remainder);
}

struct fp_num fp_div(struct fp_env *env, const struct fp_format *f, struct fp_num a, struct fp_num b)
{
	bool zero_a, zero_b, less;
	struct fp_num r;
	u64 q, rest, low;

	if (nan_or_inputs(env, &a, &b, &r))
		return r;
	r.sign = a.sign ^ b.sign;
	zero_a = a.kind == FP_ZERO_NUM || (a.subnormal && env->flush_inputs);
	zero_b = b.kind == FP_ZERO_NUM || (b.subnormal && env->flush_inputs);
	if ((zero_a && zero_b) || (a.kind == FP_INF_NUM && b.kind == FP_INF_NUM)) {
		if (env->nan == FP_NAN_ARM) {
			fp_input(env, &a);
			fp_input(env, &b);
		}
		return invalid(env);
	}
	/* a division by zero hides a subnormal dividend (1 4.9.2: one priority, and this one is reported) */
	if (zero_b && a.kind != FP_INF_NUM) {
		fp_input(env, &b);
		env->flags |= FP_DIVZERO;
		return infinite(r.sign);
	}
	fp_input(env, &a);
	fp_input(env, &b);
	if (a.kind == FP_INF_NUM)
		return infinite(r.sign);
	if (zero_a || b.kind == FP_INF_NUM)
		return zero(r.sign);
	less = a.sig < b.sig;
	q = less ? fp_divide_wide(a.sig, 0, b.sig, &rest) : fp_divide_wide(a.sig >> 1, a.sig << 63, b.sig, &rest);
	/* the next bit, and whether anything follows it */
	low = rest >= b.sig - rest ? TOP : 0;
	if (rest && rest != b.sig - rest)
		low |= 1;
	return fp_round(env, f, r.sign, a.exp - b.exp - less, q, low);
}

struct fp_num fp_sqrt(struct fp_env *env, const struct fp_format *f, struct fp_num a)
{
	wide rest = 0, trial;
	u64 root = 0, high, low;
	int n;

	env->up = 0;
	if (fp_is_nan(a))
		return fp_nan_of(env, a, a);
	if (a.sign && a.kind != FP_ZERO_NUM && !(a.subnormal && env->flush_inputs))
		return invalid(env);
	fp_input(env, &a);
	if (a.kind != FP_FINITE)
		return a;
	/* sig * 2^64 or 2^63, whichever leaves an even exponent; two bits of it per step give one of the root */
	high = a.exp & 1 ? a.sig : a.sig >> 1;
	low = a.exp & 1 ? 0 : a.sig << 63;
	for (n = 0; n < 64; n++) {
		rest = rest << 2 | high >> 62;
		high = high << 2 | low >> 62;
		low <<= 2;
		trial = (wide)root << 2 | 1;
		root <<= 1;
		if (rest >= trial) {
			rest -= trial;
			root |= 1;
		}
	}
	/* more than half a unit is left if rest > root; exactly half cannot be */
	return fp_round(env, f, 0, a.exp >> 1, root, (rest > root ? TOP : 0) | (rest != 0));
}

struct fp_num fp_fma(struct fp_env *env, const struct fp_format *f, struct fp_num a, struct fp_num b, struct fp_num c)
{
	bool zero_a, zero_b, infinite_p;
	u8 sign = a.sign ^ b.sign;
	struct fp_num r;
	wide v;

	env->up = 0;
	zero_a = a.kind == FP_ZERO_NUM || (a.subnormal && env->flush_inputs);
	zero_b = b.kind == FP_ZERO_NUM || (b.subnormal && env->flush_inputs);
	infinite_p = (a.kind == FP_INF_NUM && zero_b) || (zero_a && b.kind == FP_INF_NUM);
	if (fp_is_nan(a) || fp_is_nan(b) || fp_is_nan(c)) {
		if (env->nan == FP_NAN_ARM) {
			/* infinity times zero plus a quiet NaN: invalid, and the default NaN (FPMulAdd) */
			if (infinite_p && c.kind == FP_QNAN)
				return invalid(env);
			/* signalling ones first, in the order c, a, b */
			if (c.kind == FP_SNAN || (a.kind != FP_SNAN && b.kind != FP_SNAN && fp_is_nan(c)))
				return fp_nan_of(env, c, c);
			return fp_nan_of(env, a, b);
		}
		if (c.kind == FP_SNAN)
			env->flags |= FP_INVALID;
		return fp_is_nan(a) || fp_is_nan(b) ? fp_nan_of(env, a, b) : fp_nan_of(env, c, c);
	}
	if (infinite_p)
		return invalid(env);
	if ((a.kind == FP_INF_NUM || b.kind == FP_INF_NUM) && c.kind == FP_INF_NUM && c.sign != sign)
		return invalid(env);
	fp_input(env, &a);
	fp_input(env, &b);
	fp_input(env, &c);
	if (a.kind == FP_INF_NUM || b.kind == FP_INF_NUM)
		return infinite(sign);
	if (c.kind == FP_INF_NUM)
		return c;
	if (a.kind == FP_ZERO_NUM || b.kind == FP_ZERO_NUM) {
		if (c.kind == FP_ZERO_NUM)
			return zero(sign == c.sign ? sign : env->round == FP_DOWN);
		return rerounded(env, f, c);
	}
	v = (wide)a.sig * b.sig;	/* the last 22 bits are zero: both have 53 significant ones at most */
	r.exp = a.exp + b.exp + 1;
	if (c.kind == FP_ZERO_NUM) {
		int n = leading(v);

		v <<= n;
		return fp_round(env, f, sign, r.exp - n, (u64)(v >> 64), (u64)v);
	}
	return add_wide(env, f, sign, r.exp, v >> 1, c.sign, c.exp, (wide)c.sig << 63);
}
