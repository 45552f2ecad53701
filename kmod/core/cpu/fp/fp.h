/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * IEEE 754 arithmetic with integers only, for both software CPUs.
 *
 * Formats: binary16 (conversions), binary32, binary64 and the x87's 80-bit extended format.  Each operation takes a
 * struct fp_env: rounding, the architecture's choices where the standard leaves one, and the flags, which accumulate.
 * Nothing here touches the host's FPU, allocates, or keeps state.
 *
 * All formats pass through one unpacked form, struct fp_num: a significand of 64 bits whose top bit is the integer bit,
 * and an unbiased exponent.  An operation computes the exact result, or 128 bits of it whose last one is sticky, and
 * fp_round() makes that a value of the destination format.
 */
#ifndef MV_FP_H
#define MV_FP_H

#include "../../env.h"

enum fp_rounding {
	FP_NEAREST,	/* ties to even */
	FP_DOWN,
	FP_UP,
	FP_TRUNCATE,	/* so far the encoding of MXCSR.RC and the x87's RC */
	FP_AWAY,	/* ties away from zero: Arm's FCVTA, FRINTA */
	FP_ODD		/* Arm's FCVTXN: inexact results get an odd last bit */
};

/* Flags, at their x86 positions (1 4.9.1); Arm's FPSR has others. */
#define FP_INVALID 0x01u
#define FP_DENORMAL 0x02u	/* a subnormal operand that was not taken for zero */
#define FP_DIVZERO 0x04u
#define FP_OVERFLOW 0x08u
#define FP_UNDERFLOW 0x10u
#define FP_INEXACT 0x20u
#define FP_FLUSHED 0x40u	/* a subnormal operand was taken for zero: Arm's IDC */

/* Which NaN comes out of two: x86 1 4.8.3.5 (table 4-7), Arm ARM A1.5 FPProcessNaNs. */
enum fp_nan_rule {
	FP_NAN_SSE,	/* the first operand's if that is one */
	FP_NAN_X87,	/* quiet before signalling, then the larger significand */
	FP_NAN_ARM	/* the first signalling one, then the first quiet one */
};

/**
 * struct fp_env - how to compute; flags and up are results
 * @round: enum fp_rounding
 * @nan: enum fp_nan_rule; also decides the default NaN's sign (set on x86) and what an integer conversion out of range gives:
 *	x86 the "integer indefinite", Arm saturates
 * @default_nan: every NaN result is the default NaN (Arm FPCR.DN)
 * @flush: subnormal results become zero (MXCSR.FTZ, FPCR.FZ)
 * @flush_inputs: subnormal operands are zero (MXCSR.DAZ, FPCR.FZ)
 * @tiny_before: tininess is detected before rounding (Arm), not after (x86)
 * @unmasked: exceptions that trap, FP_*: underflow is then signalled for exact results too, and nothing is flushed
 * @wrap: x87: results of a trapping overflow or underflow keep their significand, exponent moved by 24576 (1 8.5.4, 8.5.5)
 * @precision: x87 precision control for 80-bit results: 24, 53 or 64 bits; 0 means 64
 * @flags: FP_*, accumulated
 * @up: the last rounding went away from zero (x87 C1)
 */
struct fp_env {
	u8 round;
	u8 nan;
	u8 default_nan;
	u8 flush;
	u8 flush_inputs;
	u8 tiny_before;
	u8 unmasked;
	u8 wrap;
	u8 precision;
	u8 flags;
	u8 up;
};

struct fp80 {
	u64 sig;	/* with its integer bit */
	u16 se;		/* sign and exponent */
};

enum fp_kind { FP_ZERO_NUM, FP_FINITE, FP_INF_NUM, FP_QNAN, FP_SNAN, FP_BAD /* x87 encodings without meaning */ };

/**
 * struct fp_num - a number of any format
 * @sig: top bit set for FP_FINITE; NaN: payload, left-aligned
 * @exp: the value is sig / 2^63 * 2^exp
 */
struct fp_num {
	u64 sig;
	s32 exp;
	u8 sign;
	u8 kind;
	u8 subnormal;	/* was encoded so */
};

struct fp_format {
	s16 emin, emax;
	u8 precision;
};

extern const struct fp_format fp_format16, fp_format32, fp_format64, fp_format80;

/* Result of a comparison. */
enum fp_order { FP_LESS, FP_EQUAL, FP_GREATER, FP_UNORDERED };

/* fp_num.c: encodings.  fp_unpack*() knows no flags; fp_input() applies flush_inputs and sets FP_DENORMAL. */
struct fp_num fp_unpack16(u16 v);
struct fp_num fp_unpack32(u32 v);
struct fp_num fp_unpack64(u64 v);
struct fp_num fp_unpack80(struct fp80 v);
u64 fp_pack(const struct fp_format *f, struct fp_num n);	/* not the 80-bit one */
struct fp80 fp_pack80(struct fp_num n);
struct fp_num fp_default_nan(const struct fp_env *env);
void fp_input(struct fp_env *env, struct fp_num *n);

/**
 * fp_round - the value of format @f next to (sig + low / 2^64) / 2^63 * 2^exp; sig has its top bit set
 *
 * Sets overflow, underflow, inexact and up.
 */
struct fp_num fp_round(struct fp_env *env, const struct fp_format *f, u8 sign, s32 exp, u64 sig, u64 low);

/* fp_arith.c.  @f is the result's format; operands may come from any. */
struct fp_num fp_add(struct fp_env *env, const struct fp_format *f, struct fp_num a, struct fp_num b);
struct fp_num fp_sub(struct fp_env *env, const struct fp_format *f, struct fp_num a, struct fp_num b);
struct fp_num fp_mul(struct fp_env *env, const struct fp_format *f, struct fp_num a, struct fp_num b);
struct fp_num fp_div(struct fp_env *env, const struct fp_format *f, struct fp_num a, struct fp_num b);
struct fp_num fp_sqrt(struct fp_env *env, const struct fp_format *f, struct fp_num a);
/* a * b + c, rounded once; for binary16, 32 and 64.  With FP_NAN_ARM NaNs are looked for in the order c, a, b. */
struct fp_num fp_fma(struct fp_env *env, const struct fp_format *f, struct fp_num a, struct fp_num b, struct fp_num c);
/* The NaN that comes out of operands of which one is a NaN or a bad encoding; sets FP_INVALID for signalling ones. */
struct fp_num fp_nan_of(struct fp_env *env, struct fp_num a, struct fp_num b);
/* 128 by 64 bits: quotient (must fit: high < by) and remainder; @by has its top bit set. */
u64 fp_divide_wide(u64 high, u64 low, u64 by, u64 *remainder);

/* fp_convert.c */
enum fp_order fp_compare(struct fp_env *env, struct fp_num a, struct fp_num b, bool quiet);
struct fp_num fp_convert(struct fp_env *env, const struct fp_format *f, struct fp_num a);
/* Round to an integral value with env->round; @exact: signal inexact (x86: imm8 bit 3 suppresses it; Arm: FRINTX). */
struct fp_num fp_round_integral(struct fp_env *env, const struct fp_format *f, struct fp_num a, bool exact);
/* To an integer of @bits (8 to 64) with env->round; returned zero- or sign-extended to 64 bits. */
u64 fp_to_int(struct fp_env *env, struct fp_num a, u32 bits, bool is_signed);
struct fp_num fp_from_int(struct fp_env *env, const struct fp_format *f, u64 v, bool is_signed);

static inline bool fp_is_nan(struct fp_num n)
{
	return n.kind >= FP_QNAN;
}

/* Packed forms of the usual operations. */
static inline u32 fp32_pack(struct fp_num n) { return (u32)fp_pack(&fp_format32, n); }
static inline u64 fp64_pack(struct fp_num n) { return fp_pack(&fp_format64, n); }

#define FP_PACKED(name)                                                                                                  \
	static inline u32 fp32_##name(struct fp_env *e, u32 a, u32 b)                                                     \
	{                                                                                                                 \
		return fp32_pack(fp_##name(e, &fp_format32, fp_unpack32(a), fp_unpack32(b)));                             \
	}                                                                                                                 \
	static inline u64 fp64_##name(struct fp_env *e, u64 a, u64 b)                                                     \
	{                                                                                                                 \
		return fp64_pack(fp_##name(e, &fp_format64, fp_unpack64(a), fp_unpack64(b)));                             \
	}                                                                                                                 \
	static inline struct fp80 fp80_##name(struct fp_env *e, struct fp80 a, struct fp80 b)                             \
	{                                                                                                                 \
		return fp_pack80(fp_##name(e, &fp_format80, fp_unpack80(a), fp_unpack80(b)));                             \
	}
FP_PACKED(add)
FP_PACKED(sub)
FP_PACKED(mul)
FP_PACKED(div)
#undef FP_PACKED

#endif
