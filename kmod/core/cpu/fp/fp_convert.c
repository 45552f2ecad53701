// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Comparison, conversions between formats, to and from integers, rounding to integral values. */
#include "fp.h"

#define TOP (1ull << 63)

static enum fp_order magnitude(struct fp_num a, struct fp_num b)
{
	/* zero < finite < infinite in kind */
	if (a.kind != b.kind)
		return a.kind < b.kind ? FP_LESS : FP_GREATER;
	if (a.kind != FP_FINITE)
		return FP_EQUAL;
	if (a.exp != b.exp)
		return a.exp < b.exp ? FP_LESS : FP_GREATER;
	return a.sig < b.sig ? FP_LESS : a.sig > b.sig ? FP_GREATER : FP_EQUAL;
}

enum fp_order fp_compare(struct fp_env *env, struct fp_num a, struct fp_num b, bool quiet)
{
	enum fp_order o;

	env->up = 0;
	if (fp_is_nan(a) || fp_is_nan(b)) {
		if (!quiet || a.kind >= FP_SNAN || b.kind >= FP_SNAN)
			env->flags |= FP_INVALID;
		return FP_UNORDERED;
	}
	fp_input(env, &a);
	fp_input(env, &b);
	if (a.kind == FP_ZERO_NUM && b.kind == FP_ZERO_NUM)
		return FP_EQUAL;
	if (a.sign != b.sign)
		return a.sign ? FP_LESS : FP_GREATER;
	o = magnitude(a, b);
	if (!a.sign || o == FP_EQUAL)
		return o;
	return o == FP_LESS ? FP_GREATER : FP_LESS;
}

struct fp_num fp_convert(struct fp_env *env, const struct fp_format *f, struct fp_num a)
{
	u8 sign = a.sign;

	env->up = 0;
	if (fp_is_nan(a)) {
		a = fp_nan_of(env, a, a);
		/* what does not fit of the payload is cut off */
		a.sig &= ~0ull << (64 - f->precision);
		if (a.kind == FP_QNAN && !env->default_nan && env->nan == FP_NAN_ARM)
			a.sign = sign;
		return a;
	}
	fp_input(env, &a);
	if (a.kind != FP_FINITE)
		return a;
	return fp_round(env, f, a.sign, a.exp, a.sig, 0);
}

/*
 * |a| as an integer, rounded; false if it does not fit 64 bits.  *exact is whether nothing was lost.
 */
static bool integer(struct fp_env *env, struct fp_num a, u64 *v, bool *exact)
{
	static const struct fp_format wide_format = { -30000, 30000, 64 };
	u64 whole, rest;
	struct fp_num n;
	struct fp_env e;

	*exact = true;
	*v = 0;
	if (a.kind == FP_ZERO_NUM)
		return true;
	if (a.exp > 63)
		return false;
	if (a.exp == 63) {
		*v = a.sig;
		return true;
	}
	if (a.exp >= 0) {
		whole = a.sig >> (63 - a.exp);
		rest = a.sig << (a.exp + 1);
	} else {
		whole = 0;
		rest = a.exp == -1 ? a.sig : 1;
	}
	if (!rest) {
		*v = whole;
		return true;
	}
	*exact = false;
	/* whole has 63 bits at most: with bit 63 set in front of it the general rounding finds the last place */
	e = *env;
	e.precision = 0;
	n = fp_round(&e, &wide_format, a.sign, 63, whole | TOP, rest);
	env->up = e.up;
	*v = n.exp == 63 ? n.sig ^ TOP : TOP;
	return true;
}

struct fp_num fp_round_integral(struct fp_env *env, const struct fp_format *f, struct fp_num a, bool exact)
{
	bool same;
	int n;
	u64 v;

	(void)f;
	env->up = 0;
	if (fp_is_nan(a))
		return fp_nan_of(env, a, a);
	/* ROUNDSS and its like do not report subnormal operands, FRNDINT does */
	if (env->flush_inputs || env->nan == FP_NAN_X87)
		fp_input(env, &a);
	if (a.kind != FP_FINITE || a.exp >= 63)
		return a;
	integer(env, a, &v, &same);
	if (!same && exact)
		env->flags |= FP_INEXACT;
	if (!v) {
		a.kind = FP_ZERO_NUM;
		return a;
	}
	n = __builtin_clzll(v);
	a.sig = v << n;
	a.exp = 63 - n;
	a.subnormal = 0;
	return a;
}

u64 fp_to_int(struct fp_env *env, struct fp_num a, u32 bits, bool is_signed)
{
	u64 max = is_signed ? (1ull << (bits - 1)) - 1 : ~0ull >> (64 - bits), v;
	bool exact, fits;

	env->up = 0;
	if (!fp_is_nan(a) && a.subnormal && env->flush_inputs) {
		a.kind = FP_ZERO_NUM;
		env->flags |= FP_FLUSHED;
	}
	fits = !fp_is_nan(a) && a.kind != FP_INF_NUM && integer(env, a, &v, &exact);
	if (fits && a.sign)
		fits = v <= (is_signed ? max + 1 : 0);
	else if (fits)
		fits = v <= max;
	if (!fits) {
		env->up = 0;
		env->flags |= FP_INVALID;
		if (env->nan != FP_NAN_ARM)
			return is_signed ? ~max : max;
		return fp_is_nan(a) ? 0 : a.sign ? (is_signed ? ~max : 0) : max;
	}
	if (!exact)
		env->flags |= FP_INEXACT;
	return a.sign ? 0 - v : v;
}

struct fp_num fp_from_int(struct fp_env *env, const struct fp_format *f, u64 v, bool is_signed)
{
	struct fp_num n = { 0, 0, 0, FP_ZERO_NUM, 0 };
	int shift;

	env->up = 0;
	if (!v)
		return n;
	if (is_signed && v >> 63) {
		n.sign = 1;
		v = 0 - v;
	}
	shift = __builtin_clzll(v);
	return fp_round(env, f, n.sign, 63 - shift, v << shift, 0);
}
