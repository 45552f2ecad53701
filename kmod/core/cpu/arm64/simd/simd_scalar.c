// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The floating-point group: scalars, comparisons into NZCV, conversions to and from general registers (C4.1.97). */
#include "simd.h"

u64 arm64_fp_immediate(u32 imm8, u32 bits)
{
	u64 sign = imm8 >> 7, b = (imm8 >> 6) & 1, low = imm8 & 0x3f;

	if (bits == 32)
		return sign << 31 | (b ? 0x1full << 25 : 1ull << 30) | low << 19;
	return sign << 63 | (b ? 0xffull << 54 : 1ull << 62) | low << 48;
}

static u64 get(const struct arm64_cpu *cpu, u32 n, u32 bits)
{
	return bits == 16 ? cpu->vr[n].h[0] : bits == 32 ? cpu->vr[n].s[0] : cpu->vr[n].d[0];
}

static void put(struct arm64_cpu *cpu, u32 n, u64 v)
{
	cpu->vr[n].d[0] = v;
	cpu->vr[n].d[1] = 0;
}

/* C1.2.4 on the flags as they are */
static bool holds(const struct arm64_cpu *cpu, u32 cond)
{
	u32 f = arm64_nzcv(cpu), n = f >> 3, z = (f >> 2) & 1, c = (f >> 1) & 1, v = f & 1, r;

	switch (cond >> 1) {
	case 0:
		r = z;
		break;
	case 1:
		r = c;
		break;
	case 2:
		r = n;
		break;
	case 3:
		r = v;
		break;
	case 4:
		r = c && !z;
		break;
	case 5:
		r = n == v;
		break;
	case 6:
		r = n == v && !z;
		break;
	default:
		return true;
	}
	return r ^ (cond & 1);
}

static void compare(struct arm64_cpu *cpu, u32 bits, u64 a, u64 b, bool quiet)
{
	static const u8 flags[4] = { [FP_LESS] = 8, [FP_EQUAL] = 6, [FP_GREATER] = 2, [FP_UNORDERED] = 3 };
	struct fp_env env = arm64_fp_env(cpu);

	arm64_nzcv_put(cpu, flags[fp_arm_compare(&env, bits, a, b, quiet)]);
	arm64_fp_flags(cpu, &env);
}

/* Between general registers and floating point, with @fraction bits of fraction. */
static void convert(struct arm64_cpu *cpu, u32 fn, u32 w, u32 bits, u32 fraction)
{
	static const u8 rounding[4] = { FP_NEAREST, FP_UP, FP_DOWN, FP_TRUNCATE };
	u32 width = ARM64_BIT(w, 31) ? 64 : 32, rn = arm64_rn(w), rd = arm64_rd(w);
	struct fp_env env = arm64_fp_env(cpu);
	bool is_signed = !ARM64_BIT(w, 16);

	if (fn == ARM64_V_SCVTF || fn == ARM64_V_UCVTF) {
		put(cpu, rd, fp_arm_from_int(&env, bits, cpu->x[rn], width, is_signed, fraction));
	} else {
		env.round = fn == ARM64_V_FCVTAS || fn == ARM64_V_FCVTAU ? FP_AWAY : rounding[ARM64_BITS(w, 20, 19)];
		cpu->x[arm64_dst(rd)] = fp_arm_to_int(&env, bits, get(cpu, rn, bits), width, is_signed, fraction);
	}
	arm64_fp_flags(cpu, &env);
}

static void move(struct arm64_cpu *cpu, u32 fn, u32 w)
{
	u32 rd = arm64_rd(w), rn = arm64_rn(w);
	bool to_fp = ARM64_BIT(w, 16);

	if (fn == ARM64_V_FMOV_TOP) {
		if (to_fp)
			cpu->vr[rd].d[1] = cpu->x[rn];
		else
			cpu->x[arm64_dst(rd)] = cpu->vr[rn].d[1];
	} else if (to_fp) {
		put(cpu, rd, fn == ARM64_V_FMOV_SW ? (u32)cpu->x[rn] : cpu->x[rn]);
	} else {
		cpu->x[arm64_dst(rd)] = get(cpu, rn, fn == ARM64_V_FMOV_SW ? 32 : 64);
	}
}

/* FMADD, FMSUB, FNMADD, FNMSUB: o1 negates the addend and the product, o0 the product once more. */
static void multiply_add(struct arm64_cpu *cpu, u32 w, u32 bits)
{
	u64 sign = FP_ARM_SIGN(bits), a = get(cpu, arm64_rn(w), bits), c = get(cpu, ARM64_BITS(w, 14, 10), bits);
	bool o1 = ARM64_BIT(w, 21), o0 = ARM64_BIT(w, 15);
	struct fp_env env = arm64_fp_env(cpu);

	if (o1)
		c ^= sign;
	if (o1 != o0)
		a ^= sign;
	put(cpu, arm64_rd(w), fp_arm_fma(&env, bits, c, a, get(cpu, arm64_rm(w), bits)));
	arm64_fp_flags(cpu, &env);
}

static void one(struct arm64_cpu *cpu, const struct arm64_vec_row *r, u32 w, u32 bits)
{
	u64 a = get(cpu, arm64_rn(w), bits), v;
	struct fp_env env = arm64_fp_env(cpu);

	switch (r->kind) {
	case VK_FCVT:
		v = fp_arm_convert(&env, bits, r->base == ARM64_V_FCVT_S ? 32 : r->base == ARM64_V_FCVT_D ? 64 : 16, a,
				   !!(cpu->fpcr & ARM64_FPCR_AHP));
		break;
	case VK_FPR:
		v = arm64_fp3(&env, r->base, bits, a, get(cpu, arm64_rm(w), bits), 0);
		break;
	default:
		v = arm64_fp2(&env, r->base, bits, a, 0);
		break;
	}
	put(cpu, arm64_rd(w), v);
	arm64_fp_flags(cpu, &env);
}

void arm64_fp_scalar(struct arm64_cpu *cpu, u32 row, u32 w)
{
	static const u8 width[4] = { 32, 64, 64, 16 };
	const struct arm64_vec_row *r = &arm64_vec_rows[row];
	u32 bits = width[ARM64_BITS(w, 23, 22)], rn = arm64_rn(w), rm = arm64_rm(w);

	switch (r->kind) {
	case VK_FPFIXED:
		convert(cpu, r->base, w, bits, 64 - ARM64_BITS(w, 15, 10));
		break;
	case VK_FPINT:
		convert(cpu, r->base, w, bits, 0);
		break;
	case VK_FMOV:
		move(cpu, r->base, w);
		break;
	case VK_FCMP:
		compare(cpu, bits, get(cpu, rn, bits), ARM64_BIT(w, 3) ? 0 : get(cpu, rm, bits), !ARM64_BIT(w, 4));
		break;
	case VK_FMOV_I:
		put(cpu, arm64_rd(w), arm64_fp_immediate(ARM64_BITS(w, 20, 13), bits));
		break;
	case VK_FCCMP:
		if (holds(cpu, ARM64_BITS(w, 15, 12)))
			compare(cpu, bits, get(cpu, rn, bits), get(cpu, rm, bits), !ARM64_BIT(w, 4));
		else
			arm64_nzcv_put(cpu, w & 15);
		break;
	case VK_FCSEL:
		put(cpu, arm64_rd(w), get(cpu, holds(cpu, ARM64_BITS(w, 15, 12)) ? rn : rm, bits));
		break;
	case VK_FMADD:
		multiply_add(cpu, w, bits);
		break;
	default:
		one(cpu, r, w, bits);
		break;
	}
}
