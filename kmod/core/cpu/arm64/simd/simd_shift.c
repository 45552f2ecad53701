// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Shifts, by register and by immediate (C7.2, SSHL and its like; C4.1.97 shift by immediate). */
#include "simd.h"

/* @by: to the left, or negative to the right: -128 to 127 */
static __int128 shifted(__int128 v, s32 by, bool round)
{
	u32 n = (u32)-by;

	if (by >= 0)
		return (__int128)((unsigned __int128)v << by);
	if (n > 64)
		return round || v >= 0 ? 0 : -1;	/* all values have 64 bits at most */
	return (v + (round ? (__int128)1 << (n - 1) : 0)) >> n;
}

u64 arm64_shift3(struct arm64_cpu *cpu, u32 fn, u32 bits, u64 a, s32 by)
{
	bool is_signed = fn == ARM64_V_SSHL || fn == ARM64_V_SRSHL || fn == ARM64_V_SQSHL || fn == ARM64_V_SQRSHL || fn == ARM64_V_SQSHLU;
	bool round = fn == ARM64_V_SRSHL || fn == ARM64_V_URSHL || fn == ARM64_V_SQRSHL || fn == ARM64_V_UQRSHL;
	__int128 v = is_signed ? (__int128)(s64)arm64_sext(a, bits) : (__int128)a;

	switch (fn) {
	case ARM64_V_SQSHL:
	case ARM64_V_SQRSHL:
	case ARM64_V_UQSHL:
	case ARM64_V_UQRSHL:
	case ARM64_V_SQSHLU:
		/* what leaves the element altogether saturates like a shift by its size */
		if (!is_signed && by >= (s32)bits)
			v = v != 0;
		return arm64_saturate(cpu, shifted(v, by > (s32)bits ? (s32)bits : by, round), bits,
				      is_signed && fn != ARM64_V_SQSHLU);
	default:
		return by >= (s32)bits ? 0 : (u64)shifted(v, by, round);
	}
}

static void by_immediate(const struct arm64_vec_op *o, u32 kind, union arm64_v *d, const union arm64_v *n)
{
	u32 i, bits = 8u << o->size, immediate = ARM64_BITS(o->w, 22, 16);
	s32 by = kind == VK_SHL ? (s32)(immediate - bits) : (s32)immediate - (s32)(2 * bits);

	for (i = 0; i < o->count; i++) {
		u64 v = arm64_shift3(o->cpu, o->fn, bits, arm64_v_get(n, o->size, i), by);

		if (kind == VK_SRA)
			v += arm64_v_get(d, o->size, i);
		arm64_v_put(d, o->size, i, v);
	}
}

static void insert(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	u32 i, bits = 8u << o->size, immediate = ARM64_BITS(o->w, 22, 16), by;
	u64 mask, v, all = ~0ull >> (64 - bits);

	for (i = 0; i < o->count; i++) {
		v = arm64_v_get(n, o->size, i);
		if (o->fn == ARM64_V_SLI) {
			by = immediate - bits;
			mask = all << by;
			v <<= by;
		} else {
			by = 2 * bits - immediate;
			mask = by >= 64 ? 0 : all >> by;
			v = by >= 64 ? 0 : v >> by;
		}
		arm64_v_put(d, o->size, i, (arm64_v_get(d, o->size, i) & ~mask) | (v & mask));
	}
}

/* Right shift of elements of twice the size, then as XTN and its saturating forms do. */
static void narrow(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	bool round = ARM64_BIT(o->w, 11), is_signed = o->fn != ARM64_V_UQXTN;
	u32 i, bits = 8u << o->size, by = 2 * bits - ARM64_BITS(o->w, 22, 16);
	u32 count = o->scalar ? 1 : 8u >> o->size, base = o->q && !o->scalar ? count : 0;
	union arm64_v r = { .d = { 0, 0 } };

	if (base)
		r.d[0] = d->d[0];
	for (i = 0; i < count; i++) {
		u64 v = arm64_v_get(n, o->size + 1u, i);
		__int128 wide = is_signed ? (__int128)(s64)arm64_sext(v, 2 * bits) : (__int128)v;

		wide = shifted(wide, -(s32)by, round);
		/* the rounded value has one bit more than its source at most, and by is 1 at least: 64 bits hold it */
		arm64_v_put(&r, o->size, base + i, arm64_narrow(o->cpu, o->fn, bits, (u64)wide & (~0ull >> (64 - 2 * bits))));
	}
	*d = r;
}

static void lengthen(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	u32 i, bits = 8u << o->size, by = ARM64_BITS(o->w, 22, 16) - bits, count = 8u >> o->size, base = o->q ? count : 0;
	union arm64_v r;

	for (i = 0; i < count; i++) {
		u64 v = arm64_v_get(n, o->size, base + i);

		arm64_v_put(&r, o->size + 1u, i, (o->fn == ARM64_V_SSHLL ? arm64_sext(v, bits) : v) << by);
	}
	*d = r;
}

static void fixed(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n)
{
	u32 i, bits = 8u << o->size, fraction = 2 * bits - ARM64_BITS(o->w, 22, 16);
	struct fp_env env = arm64_fp_env(o->cpu);

	for (i = 0; i < o->count; i++)
		arm64_v_put(d, o->size, i, arm64_fp2(&env, o->fn, bits, arm64_v_get(n, o->size, i), fraction));
	arm64_fp_flags(o->cpu, &env);
}

void arm64_vec_shift(const struct arm64_vec_op *o, u32 kind, union arm64_v *d, const union arm64_v *n)
{
	switch (kind) {
	case VK_INSERT:
		insert(o, d, n);
		break;
	case VK_SHRN:
		narrow(o, d, n);
		break;
	case VK_SHLL_I:
		lengthen(o, d, n);
		break;
	case VK_FIXED:
		fixed(o, d, n);
		break;
	default:
		by_immediate(o, kind, d, n);
		break;
	}
}
