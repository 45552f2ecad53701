/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Arm's floating-point operations (Arm ARM J1, shared/functions/float) on packed values of 32 or 64 bits.
 *
 * The struct fp_env has nan FP_NAN_ARM, tiny_before, and flush and flush_inputs from FPCR.FZ.  Arm unpacks all operands
 * first: one that is flushed sets FP_FLUSHED whatever else happens.
 */
#ifndef MV_FP_ARM_H
#define MV_FP_ARM_H

#include "fp.h"

#define FP_ARM_SIGN(bits) (1ull << ((bits) - 1))

/* FPUnpack(): a subnormal number is zero if env->flush_inputs. */
struct fp_num fp_arm_unpack(struct fp_env *env, u32 bits, u64 v);
u64 fp_arm_pack(u32 bits, struct fp_num n);

u64 fp_arm_add(struct fp_env *env, u32 bits, u64 a, u64 b);
u64 fp_arm_sub(struct fp_env *env, u32 bits, u64 a, u64 b);
u64 fp_arm_mul(struct fp_env *env, u32 bits, u64 a, u64 b);
u64 fp_arm_div(struct fp_env *env, u32 bits, u64 a, u64 b);
/* Zero times infinity is 2. */
u64 fp_arm_mulx(struct fp_env *env, u32 bits, u64 a, u64 b);
/* @number: FMAXNM and FMINNM, where a quiet NaN loses against a number */
u64 fp_arm_max(struct fp_env *env, u32 bits, u64 a, u64 b, bool smaller, bool number);
/* a * b + c, rounded once */
u64 fp_arm_fma(struct fp_env *env, u32 bits, u64 c, u64 a, u64 b);
/* FRECPS: 2 - a * b; FRSQRTS: (3 - a * b) / 2 */
u64 fp_arm_step(struct fp_env *env, u32 bits, u64 a, u64 b, bool root);
u64 fp_arm_sqrt(struct fp_env *env, u32 bits, u64 a);
/* FRECPE, FRSQRTE, FRECPX */
u64 fp_arm_recip_estimate(struct fp_env *env, u32 bits, u64 a);
u64 fp_arm_root_estimate(struct fp_env *env, u32 bits, u64 a);
u64 fp_arm_recip_exponent(struct fp_env *env, u32 bits, u64 a);
/* URECPE, URSQRTE: numbers below 1 with 32 fraction bits */
u32 fp_arm_recip_fixed(u32 a);
u32 fp_arm_root_fixed(u32 a);

enum fp_order fp_arm_compare(struct fp_env *env, u32 bits, u64 a, u64 b, bool quiet);
/* With env->round and FPCR's rounding as the caller sets it; @exact: signal inexact (FRINTX). */
u64 fp_arm_round_integral(struct fp_env *env, u32 bits, u64 a, bool exact);
/* @fraction: the integer has that many fraction bits.  The result is cut to @width bits. */
u64 fp_arm_to_int(struct fp_env *env, u32 bits, u64 a, u32 width, bool is_signed, u32 fraction);
u64 fp_arm_from_int(struct fp_env *env, u32 bits, u64 v, u32 width, bool is_signed, u32 fraction);
/* Between formats of 16, 32 and 64 bits; @alternative: FPCR.AHP, 16-bit values have no infinities and no NaNs. */
u64 fp_arm_convert(struct fp_env *env, u32 from, u32 to, u64 a, bool alternative);

#endif
