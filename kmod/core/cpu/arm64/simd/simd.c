// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Execution of floating point, AdvSIMD and crypto: finds operands, takes elements through an operation, writes the result.
 * Whatever a result does not fill of a register becomes zero.
 */
#include "simd.h"

u64 arm64_saturate(struct arm64_cpu *cpu, __int128 v, u32 bits, bool is_signed)
{
	__int128 max = ((__int128)1 << (is_signed ? bits - 1 : bits)) - 1, min = is_signed ? -max - 1 : 0;

	if (likely(v >= min && v <= max))
		return (u64)v;
	cpu->fpsr |= ARM64_FPSR_QC;
	return (u64)(v < min ? min : max);
}

struct fp_env arm64_fp_env(const struct arm64_cpu *cpu)
{
	static const u8 rounding[4] = { FP_NEAREST, FP_UP, FP_DOWN, FP_TRUNCATE };
	u8 flush = !!(cpu->fpcr & ARM64_FPCR_FZ);
	struct fp_env env = { .round = rounding[(cpu->fpcr >> 22) & 3], .nan = FP_NAN_ARM, .default_nan = !!(cpu->fpcr & ARM64_FPCR_DN),
			      .flush = flush, .flush_inputs = flush, .tiny_before = 1 };

	return env;
}

/* C5.2.8: IOC, DZC, OFC, UFC, IXC in 4:0, IDC 7 */
void arm64_fp_flags(struct arm64_cpu *cpu, const struct fp_env *env)
{
	u32 f = env->flags;

	if (unlikely(f))
		cpu->fpsr |= (f & FP_INVALID) | (f & 0x3c) >> 1 | (f & FP_FLUSHED) << 1;
}

static void finish(const struct arm64_vec_op *o, union arm64_v *d)
{
	u32 bytes = (u32)o->count << o->size;

	if (bytes < 8)
		d->d[0] &= (1ull << (bytes * 8)) - 1;
	if (bytes <= 8)
		d->d[1] = 0;
}

static void bitwise(u32 fn, union arm64_v *d, const union arm64_v *n, const union arm64_v *m)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		u64 a = n->d[i], b = m->d[i], r = d->d[i];

		switch (fn) {
		case ARM64_V_AND:
			r = a & b;
			break;
		case ARM64_V_BIC:
			r = a & ~b;
			break;
		case ARM64_V_ORR:
			r = a | b;
			break;
		case ARM64_V_ORN:
			r = a | ~b;
			break;
		case ARM64_V_EOR:
			r = a ^ b;
			break;
		case ARM64_V_BSL:
			r = ((a ^ b) & r) ^ b;
			break;
		case ARM64_V_BIT:
			r ^= (r ^ a) & b;
			break;
		default:
			r ^= (r ^ a) & ~b;
			break;
		}
		d->d[i] = r;
	}
}

/* Three operands, element by element. */
static void three(const struct arm64_vec_op *o, u32 kind, union arm64_v *d, const union arm64_v *n, const union arm64_v *m)
{
	u32 i, bits = 8u << o->size, size = o->size;
	struct fp_env env;

	switch (kind) {
	case VK_BITS:
		bitwise(o->fn, d, n, m);
		break;
	case VK_INT3:
		for (i = 0; i < o->count; i++)
			arm64_v_put(d, size, i, arm64_int3(o->cpu, o->fn, bits, arm64_v_get(n, size, i), arm64_v_get(m, size, i),
							   arm64_v_get(d, size, i)));
		break;
	case VK_SHIFT3:
		for (i = 0; i < o->count; i++)
			arm64_v_put(d, size, i, arm64_shift3(o->cpu, o->fn, bits, arm64_v_get(n, size, i),
							     (s8)arm64_v_get(m, size, i)));
		break;
	case VK_FP3:
		env = arm64_fp_env(o->cpu);
		for (i = 0; i < o->count; i++)
			arm64_v_put(d, size, i, arm64_fp3(&env, o->fn, bits, arm64_v_get(n, size, i), arm64_v_get(m, size, i),
							  arm64_v_get(d, size, i)));
		arm64_fp_flags(o->cpu, &env);
		break;
	default:
		arm64_vec_long(o, kind, d, n, m);
		return;
	}
	finish(o, d);
}

/* The operation of a pairwise form. */
static u32 pair_operation(u32 fn)
{
	switch (fn) {
	case ARM64_V_SMAXP:
		return ARM64_V_SMAX;
	case ARM64_V_SMINP:
		return ARM64_V_SMIN;
	case ARM64_V_UMAXP:
		return ARM64_V_UMAX;
	case ARM64_V_UMINP:
		return ARM64_V_UMIN;
	case ARM64_V_ADDP:
		return ARM64_V_ADD;
	case ARM64_V_FADDP:
		return ARM64_V_FADD;
	case ARM64_V_FMAXP:
		return ARM64_V_FMAX;
	case ARM64_V_FMINP:
		return ARM64_V_FMIN;
	case ARM64_V_FMAXNMP:
		return ARM64_V_FMAXNM;
	case ARM64_V_FMINNMP:
		return ARM64_V_FMINNM;
	default:
		return fn;
	}
}

/* One result from two elements, of integers or floating point. */
static u64 combine(const struct arm64_vec_op *o, struct fp_env *env, u32 fn, u64 a, u64 b)
{
	u32 bits = 8u << o->size;

	switch (fn) {
	case ARM64_V_FADD:
	case ARM64_V_FMAX:
	case ARM64_V_FMIN:
	case ARM64_V_FMAXNM:
	case ARM64_V_FMINNM:
		return arm64_fp3(env, fn, bits, a, b, 0);
	default:
		return arm64_int3(o->cpu, fn, bits, a, b, 0);
	}
}

static void pairwise(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n, const union arm64_v *m)
{
	u32 i, half = o->count / 2u, fn = pair_operation(o->fn);
	struct fp_env env = arm64_fp_env(o->cpu);
	union arm64_v r;

	for (i = 0; i < o->count; i++) {
		const union arm64_v *s = i < half ? n : m;
		u32 at = 2 * (i < half ? i : i - half);

		arm64_v_put(&r, o->size, i, combine(o, &env, fn, arm64_v_get(s, o->size, at), arm64_v_get(s, o->size, at + 1)));
	}
	arm64_fp_flags(o->cpu, &env);
	*d = r;
	finish(o, d);
}

/* Reduce() (J1): halves first; for the integer operations the order does not show. */
static void across(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	bool is_long = o->fn == ARM64_V_SADDL || o->fn == ARM64_V_UADDL, is_signed = o->fn == ARM64_V_SADDL;
	struct fp_env env = arm64_fp_env(o->cpu);
	u32 i, width = o->count, bits = 8u << o->size;
	union arm64_v r = *n;
	u64 sum = 0;

	if (is_long) {
		for (i = 0; i < o->count; i++) {
			u64 v = arm64_v_get(n, o->size, i);

			sum += is_signed ? arm64_sext(v, bits) : v;
		}
		memset(d, 0, sizeof(*d));
		arm64_v_put(d, o->size + 1u, 0, sum);
		return;
	}
	/* neighbours: the pairs of Reduce() on the lower and upper half, joined at the end */
	for (; width > 1; width /= 2) {
		for (i = 0; i < width / 2; i++)
			arm64_v_put(&r, o->size, i, combine(o, &env, o->fn, arm64_v_get(&r, o->size, 2 * i),
							    arm64_v_get(&r, o->size, 2 * i + 1)));
	}
	arm64_fp_flags(o->cpu, &env);
	memset(d, 0, sizeof(*d));
	arm64_v_put(d, o->size, 0, arm64_v_get(&r, o->size, 0));
}

/* Scalar pairwise: both elements of a vector. */
static void pair_scalar(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	struct fp_env env = arm64_fp_env(o->cpu);
	u64 v = combine(o, &env, o->fn, arm64_v_get(n, o->size, 0), arm64_v_get(n, o->size, 1));

	arm64_fp_flags(o->cpu, &env);
	memset(d, 0, sizeof(*d));
	arm64_v_put(d, o->size, 0, v);
}

/* Elements of 1 << size bytes change places within containers of 1 << box bytes. */
static void reverse(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	u32 box = o->fn == ARM64_V_REV64 ? 3 : o->fn == ARM64_V_REV32 ? 2 : 1, swap = (1u << (box - o->size)) - 1, i;
	union arm64_v r = *n;

	for (i = 0; i < o->count; i++)
		arm64_v_put(&r, o->size, i ^ swap, arm64_v_get(n, o->size, i));
	*d = r;
	finish(o, d);
}

/* SADDLP and its like: neighbours added into elements of twice the size. */
static void add_long_pairs(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	bool is_signed = o->fn == ARM64_V_SADDLP || o->fn == ARM64_V_SADALP;
	bool add = o->fn == ARM64_V_SADALP || o->fn == ARM64_V_UADALP;
	u32 i, bits = 8u << o->size;

	for (i = 0; i < o->count / 2u; i++) {
		u64 a = arm64_v_get(n, o->size, 2 * i), b = arm64_v_get(n, o->size, 2 * i + 1);

		if (is_signed) {
			a = arm64_sext(a, bits);
			b = arm64_sext(b, bits);
		}
		arm64_v_put(d, o->size + 1u, i, a + b + (add ? arm64_v_get(d, o->size + 1u, i) : 0));
	}
	finish(o, d);
}

/* Elements of half the size, in the lower half of the register, or with Q in the upper one. */
static void narrow(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	u32 i, count = o->scalar ? 1 : 8u >> o->size, base = o->q && !o->scalar ? count : 0, bits = 8u << o->size;
	union arm64_v r = { .d = { 0, 0 } };

	if (base)
		r.d[0] = d->d[0];
	for (i = 0; i < count; i++)
		arm64_v_put(&r, o->size, base + i, arm64_narrow(o->cpu, o->fn, bits, arm64_v_get(n, o->size + 1u, i)));
	*d = r;
}

static void shift_left_long(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	u32 i, count = 8u >> o->size, base = o->q ? count : 0;
	union arm64_v r;

	for (i = 0; i < count; i++)
		arm64_v_put(&r, o->size + 1u, i, arm64_v_get(n, o->size, base + i) << (8u << o->size));
	*d = r;
}

/* Two operands, element by element. */
static void two(const struct arm64_vec_op *o, u32 kind, union arm64_v *d, const union arm64_v *n)
{
	u32 i, bits = 8u << o->size;
	struct fp_env env = arm64_fp_env(o->cpu);

	for (i = 0; i < o->count; i++) {
		u64 a = arm64_v_get(n, o->size, i), r;

		switch (kind) {
		case VK_INT2:
			r = arm64_int2(o->cpu, o->fn, bits, a, arm64_v_get(d, o->size, i));
			break;
		case VK_INT_0:
			r = arm64_int3(o->cpu, o->fn, bits, a, 0, 0);
			break;
		case VK_0_INT:
			r = arm64_int3(o->cpu, o->fn, bits, 0, a, 0);
			break;
		case VK_FP_0:
			r = arm64_fp3(&env, o->fn, bits, a, 0, 0);
			break;
		case VK_0_FP:
			r = arm64_fp3(&env, o->fn, bits, 0, a, 0);
			break;
		default:
			r = arm64_fp2(&env, o->fn, bits, a, 0);
			break;
		}
		arm64_v_put(d, o->size, i, r);
	}
	arm64_fp_flags(o->cpu, &env);
	finish(o, d);
}

/* The repeated element: index H:L:M, H:L or H, and M belongs to the register number if the index leaves it free. */
static void element(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	u32 w = o->w, m = arm64_rm(w), index = ARM64_BIT(w, 11) << 1 | ARM64_BIT(w, 21), i;
	union arm64_v repeated;
	u64 v;

	if (o->size == 1) {
		index = index << 1 | ARM64_BIT(w, 20);
		m &= 15;
	} else if (o->size == 3) {
		index >>= 1;
	}
	v = arm64_v_get(&o->cpu->vr[m], o->size, index);
	for (i = 0; i < 16u >> o->size; i++)
		arm64_v_put(&repeated, o->size, i, v);
	three(o, arm64_vec_rows[o->fn].kind, d, n, &repeated);
}

static void vector(const struct arm64_vec_op *o, u32 row)
{
	struct arm64_cpu *cpu = o->cpu;
	union arm64_v *d = &cpu->vr[arm64_rd(o->w)], n = cpu->vr[arm64_rn(o->w)], m = cpu->vr[arm64_rm(o->w)];
	u32 kind = arm64_vec_rows[row].kind;

	switch (kind) {
	case VK_PAIR3:
		pairwise(o, d, &n, &m);
		break;
	case VK_REVERSE:
		reverse(o, d, &n);
		break;
	case VK_ADDLP:
		add_long_pairs(o, d, &n);
		break;
	case VK_NARROW2:
		narrow(o, d, &n);
		break;
	case VK_SHLL:
		shift_left_long(o, d, &n);
		break;
	case VK_FPCONV:
		arm64_vec_fp_convert(o, d, &n);
		break;
	case VK_ACROSS:
		across(o, d, &n);
		break;
	case VK_PAIR1:
		pair_scalar(o, d, &n);
		break;
	case VK_ELEMENT:
		element(o, d, &n);
		break;
	case VK_PERMUTE:
		arm64_vec_permute(o, d, &n, &m);
		finish(o, d);
		break;
	case VK_INT2:
	case VK_INT_0:
	case VK_0_INT:
	case VK_FP2:
	case VK_FP_0:
	case VK_0_FP:
		two(o, kind, d, &n);
		break;
	case VK_SHR:
	case VK_SRA:
	case VK_SHL:
	case VK_INSERT:
	case VK_SHRN:
	case VK_SHLL_I:
	case VK_FIXED:
		arm64_vec_shift(o, kind, d, &n);
		if (kind != VK_SHRN && kind != VK_SHLL_I)
			finish(o, d);
		break;
	default:
		three(o, kind, d, &n, &m);
		break;
	}
}

static u8 element_size(const struct arm64_vec_row *r, u32 w)
{
	switch (r->kind) {
	case VK_INT2:
		/* RBIT: size is part of the operation, which is on bytes */
		return r->base == ARM64_V_RBIT ? 0 : (u8)ARM64_BITS(w, 23, 22);
	case VK_FP3:
	case VK_FP2:
	case VK_FP_0:
	case VK_0_FP:
		return r->base == ARM64_V_URECPE || r->base == ARM64_V_URSQRTE ? 2 : 2 + ARM64_BIT(w, 22);
	case VK_PAIR3:
	case VK_ACROSS:
	case VK_PAIR1:
		/* FMAXNM and the like: size<1> is part of the operation */
		if (arm64_vec_rows[pair_operation(r->base)].kind == VK_FP3)
			return 2 + ARM64_BIT(w, 22);
		break;
	case VK_SHR:
	case VK_SRA:
	case VK_SHL:
	case VK_INSERT:
	case VK_SHRN:
	case VK_SHLL_I:
	case VK_FIXED:
		return (u8)(31 - __builtin_clz(ARM64_BITS(w, 22, 19)));
	default:
		break;
	}
	return (u8)ARM64_BITS(w, 23, 22);
}

void arm64_vec_run(struct arm64_cpu *cpu, u32 row, u32 w)
{
	const struct arm64_vec_row *r = &arm64_vec_rows[row];
	struct arm64_vec_op o;

	if (arm64_vec_fast(cpu, row, w))
		return;
	switch (r->kind) {
	case VK_MOVI:
		arm64_vec_immediate(cpu, w);
		return;
	case VK_COPY:
		arm64_vec_copy(cpu, row, w);
		return;
	case VK_EXT:
		arm64_vec_extract(cpu, w);
		return;
	case VK_TABLE:
		arm64_vec_table(cpu, w);
		return;
	case VK_CRYPTO:
		arm64_vec_crypto(cpu, row, w);
		return;
	case VK_FPFIXED:
	case VK_FPINT:
	case VK_FMOV:
	case VK_FP1:
	case VK_FCVT:
	case VK_FCMP:
	case VK_FMOV_I:
	case VK_FCCMP:
	case VK_FCSEL:
	case VK_FPR:
	case VK_FMADD:
		arm64_fp_scalar(cpu, row, w);
		return;
	default:
		break;
	}
	o.cpu = cpu;
	o.w = w;
	o.fn = r->base;
	o.size = element_size(r, w);
	o.scalar = ARM64_BIT(w, 28);
	o.q = ARM64_BIT(w, 30);
	o.count = o.scalar ? 1 : (u8)((o.q ? 16u : 8u) >> o.size);
	if (r->kind == VK_BITS) {
		/* bitwise operations have no elements */
		o.size = 3;
		o.count = 1u + o.q;
	}
	vector(&o, row);
}

bool arm64_fp_enabled(const struct arm64_cpu *cpu)
{
	u32 fpen = (u32)(cpu->sys.cpacr_el1 >> 20) & 3;

	return fpen == 3 || (fpen == 1 && cpu->el);
}

enum arm64_leave arm64_fp_trap(struct arm64_cpu *cpu)
{
	return arm64_raise(cpu, ARM64_EC_FP, 0x1e << 20);	/* CV 1, COND 0b1110 */
}

u32 arm64_vec_decode(u32 w)
{
	u32 row = arm64_vec_find(w);

	return arm64_vec_rows[row].kind == VK_ABSENT ? 0 : row;
}

enum arm64_leave arm64_vec(struct arm64_cpu *cpu, u32 w)
{
	u32 row = arm64_vec_decode(w);

	if (!row)
		return arm64_undefined(cpu);
	if (!arm64_fp_enabled(cpu))
		return arm64_fp_trap(cpu);
	arm64_vec_run(cpu, row, w);
	return ARM64_NEXT;
}
