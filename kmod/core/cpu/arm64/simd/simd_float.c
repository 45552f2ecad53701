// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Floating-point operations on one element of 32 or 64 bits, and conversions between sizes of vectors. */
#include "simd.h"

static u64 truth(bool holds)
{
	return holds ? ~0ull : 0;
}

u64 arm64_fp3(struct fp_env *env, u32 fn, u32 bits, u64 a, u64 b, u64 d)
{
	u64 sign = FP_ARM_SIGN(bits);

	switch (fn) {
	case ARM64_V_FADD:
		return fp_arm_add(env, bits, a, b);
	case ARM64_V_FSUB:
		return fp_arm_sub(env, bits, a, b);
	case ARM64_V_FMUL:
		return fp_arm_mul(env, bits, a, b);
	case ARM64_V_FNMUL_R:
		return fp_arm_mul(env, bits, a, b) ^ sign;
	case ARM64_V_FDIV:
		return fp_arm_div(env, bits, a, b);
	case ARM64_V_FMULX:
		return fp_arm_mulx(env, bits, a, b);
	case ARM64_V_FABD:
		return fp_arm_sub(env, bits, a, b) & ~sign;
	case ARM64_V_FMLA:
		return fp_arm_fma(env, bits, d, a, b);
	case ARM64_V_FMLS:
		return fp_arm_fma(env, bits, d, a ^ sign, b);
	case ARM64_V_FMAX:
	case ARM64_V_FMIN:
		return fp_arm_max(env, bits, a, b, fn == ARM64_V_FMIN, false);
	case ARM64_V_FMAXNM:
	case ARM64_V_FMINNM:
		return fp_arm_max(env, bits, a, b, fn == ARM64_V_FMINNM, true);
	case ARM64_V_FRECPS:
	case ARM64_V_FRSQRTS:
		return fp_arm_step(env, bits, a, b, fn == ARM64_V_FRSQRTS);
	case ARM64_V_FCMEQ:
		return truth(fp_arm_compare(env, bits, a, b, true) == FP_EQUAL);
	case ARM64_V_FACGE:
	case ARM64_V_FACGT:
		a &= ~sign;
		b &= ~sign;
		break;
	default:
		break;
	}
	switch (fp_arm_compare(env, bits, a, b, false)) {
	case FP_GREATER:
		return ~0ull;
	case FP_EQUAL:
		return truth(fn == ARM64_V_FCMGE || fn == ARM64_V_FACGE);
	default:
		return 0;
	}
}

/* To an integer of the same size, or to an integral value, with a rounding mode of the instruction's own. */
static u64 directed(struct fp_env *env, u32 fn, u32 bits, u64 a, u32 fraction, u8 round)
{
	u8 before = env->round;
	u64 v;

	env->round = round;
	switch (fn) {
	case ARM64_V_FRINTN:
	case ARM64_V_FRINTP:
	case ARM64_V_FRINTM:
	case ARM64_V_FRINTZ:
	case ARM64_V_FRINTA:
		v = fp_arm_round_integral(env, bits, a, false);
		break;
	case ARM64_V_FCVTNS:
	case ARM64_V_FCVTPS:
	case ARM64_V_FCVTMS:
	case ARM64_V_FCVTZS:
	case ARM64_V_FCVTAS:
		v = fp_arm_to_int(env, bits, a, bits, true, fraction);
		break;
	default:
		v = fp_arm_to_int(env, bits, a, bits, false, fraction);
		break;
	}
	env->round = before;
	return v;
}

u64 arm64_fp2(struct fp_env *env, u32 fn, u32 bits, u64 a, u32 fraction)
{
	u64 sign = FP_ARM_SIGN(bits);

	switch (fn) {
	case ARM64_V_FABS:
		return a & ~sign;
	case ARM64_V_FNEG:
		return a ^ sign;
	case ARM64_V_FSQRT:
		return fp_arm_sqrt(env, bits, a);
	case ARM64_V_FRECPE:
		return fp_arm_recip_estimate(env, bits, a);
	case ARM64_V_FRSQRTE:
		return fp_arm_root_estimate(env, bits, a);
	case ARM64_V_FRECPX:
		return fp_arm_recip_exponent(env, bits, a);
	case ARM64_V_URECPE:
		return fp_arm_recip_fixed((u32)a);
	case ARM64_V_URSQRTE:
		return fp_arm_root_fixed((u32)a);
	case ARM64_V_SCVTF:
	case ARM64_V_UCVTF:
		return fp_arm_from_int(env, bits, a, bits, fn == ARM64_V_SCVTF, fraction);
	case ARM64_V_FRINTX:
	case ARM64_V_FRINTI:
		return fp_arm_round_integral(env, bits, a, fn == ARM64_V_FRINTX);
	case ARM64_V_FRINTN:
	case ARM64_V_FCVTNS:
	case ARM64_V_FCVTNU:
		return directed(env, fn, bits, a, fraction, FP_NEAREST);
	case ARM64_V_FRINTP:
	case ARM64_V_FCVTPS:
	case ARM64_V_FCVTPU:
		return directed(env, fn, bits, a, fraction, FP_UP);
	case ARM64_V_FRINTM:
	case ARM64_V_FCVTMS:
	case ARM64_V_FCVTMU:
		return directed(env, fn, bits, a, fraction, FP_DOWN);
	case ARM64_V_FRINTA:
	case ARM64_V_FCVTAS:
	case ARM64_V_FCVTAU:
		return directed(env, fn, bits, a, fraction, FP_AWAY);
	case ARM64_V_FRINTZ:
	case ARM64_V_FCVTZS:
	case ARM64_V_FCVTZU:
		return directed(env, fn, bits, a, fraction, FP_TRUNCATE);
	default:
		return a;
	}
}

/* FCVTL, FCVTN, FCVTXN: the narrow elements have 16 << size bits. */
void arm64_vec_fp_convert(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	u32 i, size = 1u + (o->size & 1), count = o->scalar ? 1 : 8u >> size, base = o->q && !o->scalar ? count : 0, bits = 8u << size;
	bool alternative = !!(o->cpu->fpcr & ARM64_FPCR_AHP);
	struct fp_env env = arm64_fp_env(o->cpu);
	union arm64_v r = { .d = { 0, 0 } };

	if (o->fn == ARM64_V_FCVTL) {
		for (i = 0; i < count; i++)
			arm64_v_put(&r, size + 1, i, fp_arm_convert(&env, bits, 2 * bits, arm64_v_get(n, size, base + i), alternative));
	} else {
		if (o->fn == ARM64_V_FCVTXN)
			env.round = FP_ODD;
		if (base)
			r.d[0] = d->d[0];
		for (i = 0; i < count; i++)
			arm64_v_put(&r, size, base + i, fp_arm_convert(&env, 2 * bits, bits, arm64_v_get(n, size + 1, i), alternative));
	}
	arm64_fp_flags(o->cpu, &env);
	*d = r;
}
