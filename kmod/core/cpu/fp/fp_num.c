// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Encodings of the formats, and rounding to them. */
#include "fp.h"

const struct fp_format fp_format16 = { -14, 15, 11 };
const struct fp_format fp_format32 = { -126, 127, 24 };
const struct fp_format fp_format64 = { -1022, 1023, 53 };
const struct fp_format fp_format80 = { -16382, 16383, 64 };

#define TOP (1ull << 63)
#define QUIET (1ull << 62)

/* @fraction: left-aligned below the integer bit */
static struct fp_num unpack(const struct fp_format *f, u8 sign, u32 biased, u64 fraction)
{
	struct fp_num n = { 0, 0, sign, FP_ZERO_NUM, 0 };
	int shift;

	if (biased == (u32)f->emax * 2 + 1) {
		n.kind = !fraction ? FP_INF_NUM : fraction & QUIET ? FP_QNAN : FP_SNAN;
		n.sig = fraction | TOP;
	} else if (biased) {
		n.kind = FP_FINITE;
		n.sig = fraction | TOP;
		n.exp = (s32)biased - f->emax;
	} else if (fraction) {
		shift = __builtin_clzll(fraction);
		n.kind = FP_FINITE;
		n.sig = fraction << shift;
		n.exp = f->emin - shift;
		n.subnormal = 1;
	}
	return n;
}

struct fp_num fp_unpack16(u16 v)
{
	return unpack(&fp_format16, v >> 15, (v >> 10) & 0x1f, (u64)(v & 0x3ff) << 53);
}

struct fp_num fp_unpack32(u32 v)
{
	return unpack(&fp_format32, (u8)(v >> 31), (v >> 23) & 0xff, (u64)(v & 0x7fffff) << 40);
}

struct fp_num fp_unpack64(u64 v)
{
	return unpack(&fp_format64, (u8)(v >> 63), (v >> 52) & 0x7ff, (v & 0xfffffffffffffull) << 11);
}

struct fp_num fp_unpack80(struct fp80 v)
{
	u32 biased = v.se & 0x7fff;
	struct fp_num n = { v.sig, (s32)biased - 16383, (u8)(v.se >> 15), FP_FINITE, 0 };

	/* 1 8.2.2: unnormals, pseudo-infinities and pseudo-NaNs are not supported; pseudo-denormals are */
	if (biased && !(v.sig & TOP)) {
		n.kind = FP_BAD;
	} else if (biased == 0x7fff) {
		n.kind = v.sig == TOP ? FP_INF_NUM : v.sig & QUIET ? FP_QNAN : FP_SNAN;
	} else if (!v.sig) {
		n.kind = FP_ZERO_NUM;
	} else if (!biased) {
		n.subnormal = 1;
		n.sig <<= __builtin_clzll(v.sig);
		n.exp = -16382 - __builtin_clzll(v.sig);
	}
	return n;
}

/* The significand as stored, its integer bit at 63, and the biased exponent. */
static u64 encode(const struct fp_format *f, struct fp_num n, u32 *biased)
{
	*biased = 0;
	switch (n.kind) {
	case FP_ZERO_NUM:
		return 0;
	case FP_FINITE:
		if (n.exp < f->emin)
			return f->emin - n.exp > 63 ? 0 : n.sig >> (f->emin - n.exp);
		*biased = (u32)(n.exp + f->emax);
		return n.sig;
	case FP_INF_NUM:
		*biased = (u32)f->emax * 2 + 1;
		return TOP;
	default:
		*biased = (u32)f->emax * 2 + 1;
		return n.sig | TOP;
	}
}

u64 fp_pack(const struct fp_format *f, struct fp_num n)
{
	u32 biased, low = f->precision - 1u, width = f == &fp_format16 ? 16 : f == &fp_format32 ? 32 : 64;
	u64 sig = encode(f, n, &biased);

	return (u64)n.sign << (width - 1) | (u64)biased << low | (sig & ~TOP) >> (63 - low);
}

struct fp80 fp_pack80(struct fp_num n)
{
	u32 biased;
	u64 sig = encode(&fp_format80, n, &biased);

	return (struct fp80){ sig, (u16)(n.sign << 15 | biased) };
}

struct fp_num fp_default_nan(const struct fp_env *env)
{
	return (struct fp_num){ TOP | QUIET, 0, env->nan != FP_NAN_ARM, FP_QNAN, 0 };
}

void fp_input(struct fp_env *env, struct fp_num *n)
{
	if (likely(!n->subnormal))
		return;
	if (env->flush_inputs) {
		n->kind = FP_ZERO_NUM;
		env->flags |= FP_FLUSHED;
	} else {
		env->flags |= FP_DENORMAL;
	}
}

/* Does the discarded part (@half: its first bit, @rest: anything behind it) move the magnitude up? */
static bool away(const struct fp_env *env, u8 sign, bool odd, bool half, bool rest)
{
	switch (env->round) {
	case FP_NEAREST:
		return half && (rest || odd);
	case FP_DOWN:
		return sign && (half || rest);
	case FP_UP:
		return !sign && (half || rest);
	case FP_AWAY:
		return half;
	default:
		return false;
	}
}

/*
 * Drop the last @drop bits of sig:low's upper word.  Returns the kept bits at their place; *carry: 1.0 came out, as 0;
 * *lost: the result is not exact.
 */
static u64 drop_bits(const struct fp_env *env, u8 sign, u64 sig, u64 low, u32 drop, bool *carry, bool *lost, bool *up)
{
	bool half, rest;
	u64 kept, one;

	if (!drop) {
		half = low >> 63;
		rest = low << 1;
		kept = sig;
		one = 1;
	} else if (drop < 64) {
		half = (sig >> (drop - 1)) & 1;
		rest = (sig & ((1ull << (drop - 1)) - 1)) || low;
		one = 1ull << drop;
		kept = sig & ~(one - 1);
	} else {
		half = drop == 64 && (sig >> 63);
		rest = drop == 64 ? (sig << 1) || low : true;
		kept = 0;
		one = 0;	/* the caller asks for the carry */
	}
	*lost = half || rest;
	*up = away(env, sign, kept & one, half, rest);
	*carry = false;
	if (env->round == FP_ODD && *lost) {
		if (one)
			kept |= one;
		else
			*carry = true;
	} else if (*up) {
		kept += one;
		*carry = !one || !kept;
	}
	return kept;
}

/* Overflow: infinity, or the largest number where the mode rounds towards zero on this side (1 4.9.1.4). */
static struct fp_num overflow(struct fp_env *env, const struct fp_format *f, u8 sign, u32 precision)
{
	bool largest = env->round == FP_TRUNCATE || env->round == FP_ODD || env->round == (sign ? FP_UP : FP_DOWN);
	struct fp_num n = { TOP, f->emax, sign, FP_INF_NUM, 0 };

	env->flags |= FP_OVERFLOW | FP_INEXACT;
	env->up = !largest;
	if (largest) {
		n.kind = FP_FINITE;
		n.sig = ~0ull << (64 - precision);
	}
	return n;
}

/* Below emin: the bits that subnormal numbers lack are dropped too. */
static struct fp_num round_tiny(struct fp_env *env, const struct fp_format *f, struct fp_num n, u64 low, u32 precision)
{
	u32 gap = (u32)(f->emin - n.exp), drop = 64 - precision;
	bool carry, lost, up, tiny = true;
	u64 sig;

	if (!env->tiny_before && gap == 1) {
		drop_bits(env, n.sign, n.sig, low, drop, &carry, &lost, &up);
		tiny = !carry;	/* with unbounded exponent it would round up to the smallest normal number */
	}
	if (tiny && env->flush && !(env->unmasked & FP_UNDERFLOW)) {
		env->flags |= env->tiny_before ? FP_UNDERFLOW : FP_UNDERFLOW | FP_INEXACT;
		n.kind = FP_ZERO_NUM;
		return n;
	}
	if (tiny && (env->unmasked & FP_UNDERFLOW)) {
		env->flags |= FP_UNDERFLOW;
		/* what the moved exponent cannot hold either gets the masked response (1 8.5.5) */
		if (env->wrap && n.exp + 24576 >= f->emin) {
			sig = drop_bits(env, n.sign, n.sig, low, drop, &carry, &lost, &up);
			n.exp += 24576 + carry;
			n.sig = carry ? TOP : sig;
			env->up = up;
			if (lost)
				env->flags |= FP_INEXACT;
			return n;
		}
	}
	drop = gap > 200 ? 200 : drop + gap;
	sig = drop_bits(env, n.sign, n.sig, low, drop, &carry, &lost, &up);
	env->up = up;
	if (lost)
		env->flags |= tiny ? FP_INEXACT | FP_UNDERFLOW : FP_INEXACT;
	if (carry) {
		/* the last place of subnormals, or the smallest normal number */
		n.sig = TOP;
		n.exp = drop >= 64 ? f->emin - (s32)precision + 1 : n.exp + 1;
	} else if (!sig) {
		n.kind = FP_ZERO_NUM;
	} else {
		n.sig = sig;
	}
	return n;
}

struct fp_num fp_round(struct fp_env *env, const struct fp_format *f, u8 sign, s32 exp, u64 sig, u64 low)
{
	struct fp_num n = { sig, exp, sign, FP_FINITE, 0 };
	u32 precision = f->precision == 64 && env->precision ? env->precision : f->precision;
	bool carry, lost, up;

	env->up = 0;
	if (unlikely(exp < f->emin))
		return round_tiny(env, f, n, low, precision);
	n.sig = drop_bits(env, sign, sig, low, 64 - precision, &carry, &lost, &up);
	if (carry) {
		n.sig = TOP;
		n.exp++;
	}
	env->up = up;
	if (unlikely(n.exp > f->emax)) {
		if (!env->wrap || !(env->unmasked & FP_OVERFLOW) || n.exp - 24576 > f->emax)
			return overflow(env, f, sign, precision);
		env->flags |= FP_OVERFLOW;
		n.exp -= 24576;
	}
	if (lost)
		env->flags |= FP_INEXACT;
	return n;
}
