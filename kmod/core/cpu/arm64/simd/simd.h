/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Floating point, AdvSIMD and crypto: rows of simd_list.h and what the files of this directory share. */
#ifndef MV_ARM64_SIMD_H
#define MV_ARM64_SIMD_H

#include "../internal.h"
#include "../../fp/fp_arm.h"
#include "simd_list.h"

/* How an operand's elements go through an operation. */
enum arm64_vec_kind {
	VK_ABSENT,
	VK_INT3, VK_SHIFT3, VK_FP3, VK_BITS, VK_PAIR3,	/* element by element; by neighbours in Vn:Vm */
	VK_LONG, VK_WIDE, VK_NARROW3,			/* 2n = n op n; 2n = 2n op n; n = high half of 2n op 2n */
	VK_INT2, VK_INT_0, VK_0_INT, VK_FP2, VK_FP_0, VK_0_FP, VK_REVERSE, VK_ADDLP, VK_NARROW2, VK_SHLL, VK_FPCONV,
	VK_ACROSS, VK_PAIR1, VK_ELEMENT,
	VK_SHR, VK_SRA, VK_SHL, VK_INSERT, VK_SHRN, VK_SHLL_I, VK_FIXED,
	VK_MOVI, VK_COPY, VK_PERMUTE, VK_EXT, VK_TABLE, VK_CRYPTO,
	VK_FPFIXED, VK_FPINT, VK_FMOV, VK_FP1, VK_FCVT, VK_FCMP, VK_FMOV_I, VK_FCCMP, VK_FCSEL, VK_FPR, VK_FMADD
};

/* Features that rows of kind VK_ABSENT belong to: all have a field of zero in their ID register. */
#define ARM64_ABSENT_FEATURES(X) \
	X(FP16) X(FHM) X(RDM) X(DOTPROD) X(FCMA) X(JSCVT) X(FRINTTS) X(BF16) X(SHA512) X(SHA3) X(SM3) X(SM4)

enum arm64_vec {
	ARM64_V_NONE,
#define X(name, ...) ARM64_V_##name,
#define G(group, title) ARM64_VEC_##group(X)
	ARM64_VEC_GROUPS(G)
	ARM64_ABSENT_FEATURES(X)
#undef G
#undef X
	ARM64_VECS
};

enum arm64_vec_group {
#define G(group, title) ARM64_G_##group,
	ARM64_VEC_GROUPS(G)
#undef G
	ARM64_GROUPS
};

struct arm64_vec_row {
	const char *name;
	u32 value;
	u32 mask;
	u8 sizes;
	u8 scalar;
	u8 kind;
	u8 group;
	u16 base;
};

extern const struct arm64_vec_row arm64_vec_rows[ARM64_VECS];

/* Row of an allocated encoding, which may be of kind VK_ABSENT; 0: unallocated. */
u32 arm64_vec_find(u32 w);

/**
 * struct arm64_vec_op - an instruction on vectors, decoded
 * @fn: enum arm64_vec of the operation (a row's base)
 * @size: log2 of an element's bytes
 * @bytes: of the vector, 8 or 16; @count: elements, 1 for scalar forms
 */
struct arm64_vec_op {
	struct arm64_cpu *cpu;
	u32 w;
	u32 fn;
	u8 size;
	u8 count;
	u8 q;
	u8 scalar;
};

static __always_inline u32 arm64_rd(u32 w) { return w & 31; }
static __always_inline u32 arm64_rn(u32 w) { return (w >> 5) & 31; }
static __always_inline u32 arm64_rm(u32 w) { return (w >> 16) & 31; }

static __always_inline u64 arm64_v_get(const union arm64_v *v, u32 size, u32 n)
{
	switch (size) {
	case 0:
		return v->b[n];
	case 1:
		return v->h[n];
	case 2:
		return v->s[n];
	default:
		return v->d[n];
	}
}

static __always_inline void arm64_v_put(union arm64_v *v, u32 size, u32 n, u64 x)
{
	switch (size) {
	case 0:
		v->b[n] = (u8)x;
		break;
	case 1:
		v->h[n] = (u16)x;
		break;
	case 2:
		v->s[n] = (u32)x;
		break;
	default:
		v->d[n] = x;
		break;
	}
}

/* Saturate; sets FPSR.QC. */
u64 arm64_saturate(struct arm64_cpu *cpu, __int128 v, u32 bits, bool is_signed);
/* FPCR for the library, and the library's flags for FPSR. */
struct fp_env arm64_fp_env(const struct arm64_cpu *cpu);
void arm64_fp_flags(struct arm64_cpu *cpu, const struct fp_env *env);

/* simd_fast.c; false: not one of those */
bool arm64_vec_fast(struct arm64_cpu *cpu, u32 row, u32 w);
/* simd_int.c: one element; values come zero-extended, what is above the element in a result is cut off */
u64 arm64_int3(struct arm64_cpu *cpu, u32 fn, u32 bits, u64 a, u64 b, u64 d);
u64 arm64_int2(struct arm64_cpu *cpu, u32 fn, u32 bits, u64 a, u64 d);
u64 arm64_narrow(struct arm64_cpu *cpu, u32 fn, u32 bits, u64 wide);
/* simd_shift.c */
u64 arm64_shift3(struct arm64_cpu *cpu, u32 fn, u32 bits, u64 a, s32 by);
void arm64_vec_shift(const struct arm64_vec_op *o, u32 kind, union arm64_v *d, const union arm64_v *n);
/* simd_wide.c: VK_LONG, VK_WIDE, VK_NARROW3 */
void arm64_vec_long(const struct arm64_vec_op *o, u32 kind, union arm64_v *d, const union arm64_v *n, const union arm64_v *m);
/* simd_float.c */
u64 arm64_fp3(struct fp_env *env, u32 fn, u32 bits, u64 a, u64 b, u64 d);
u64 arm64_fp2(struct fp_env *env, u32 fn, u32 bits, u64 a, u32 fraction);
void arm64_vec_fp_convert(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n);
/* simd_scalar.c: the floating-point group */
void arm64_fp_scalar(struct arm64_cpu *cpu, u32 row, u32 w);
/* VFPExpandImm() (J1) for @bits 32 or 64 */
u64 arm64_fp_immediate(u32 imm8, u32 bits);
/* simd_move.c */
void arm64_vec_copy(struct arm64_cpu *cpu, u32 fn, u32 w);
void arm64_vec_permute(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n, const union arm64_v *m);
void arm64_vec_extract(struct arm64_cpu *cpu, u32 w);
void arm64_vec_table(struct arm64_cpu *cpu, u32 w);
void arm64_vec_immediate(struct arm64_cpu *cpu, u32 w);
/* simd_crypto.c */
void arm64_vec_crypto(struct arm64_cpu *cpu, u32 fn, u32 w);
void arm64_polynomial64(u64 a, u64 b, u64 *low, u64 *high);

#endif
