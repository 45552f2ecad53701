// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Operations whose result has elements of twice or half the operands' size (C4.1.97 three different). */
#include "simd.h"

static u64 polynomial(u64 a, u64 b)
{
	u64 r = 0;
	u32 n;

	for (n = 0; n < 8; n++)
		r ^= (a << n) & (0 - ((b >> n) & 1));
	return r;
}

static bool is_signed(u32 fn)
{
	switch (fn) {
	case ARM64_V_UADDL:
	case ARM64_V_UADDW:
	case ARM64_V_USUBL:
	case ARM64_V_USUBW:
	case ARM64_V_UABAL:
	case ARM64_V_UABDL:
	case ARM64_V_UMLAL:
	case ARM64_V_UMLSL:
	case ARM64_V_UMULL:
	case ARM64_V_PMULL:
		return false;
	default:
		return true;
	}
}

/* @bits: of the result; @a, @b: extended to 64 bits */
static u64 long_one(struct arm64_cpu *cpu, u32 fn, u32 bits, u64 a, u64 b, u64 d)
{
	bool less = is_signed(fn) ? (s64)a < (s64)b : a < b;
	u64 p;

	switch (fn) {
	case ARM64_V_SADDL:
	case ARM64_V_UADDL:
	case ARM64_V_SADDW:
	case ARM64_V_UADDW:
		return a + b;
	case ARM64_V_SSUBL:
	case ARM64_V_USUBL:
	case ARM64_V_SSUBW:
	case ARM64_V_USUBW:
		return a - b;
	case ARM64_V_SABAL:
	case ARM64_V_UABAL:
		return d + (less ? b - a : a - b);
	case ARM64_V_SABDL:
	case ARM64_V_UABDL:
		return less ? b - a : a - b;
	case ARM64_V_SMLAL:
	case ARM64_V_UMLAL:
		return d + a * b;
	case ARM64_V_SMLSL:
	case ARM64_V_UMLSL:
		return d - a * b;
	case ARM64_V_PMULL:
		return polynomial(a, b);
	case ARM64_V_SQDMULL:
	case ARM64_V_SQDMLAL:
	case ARM64_V_SQDMLSL:
		p = arm64_saturate(cpu, 2 * (__int128)(s64)a * (s64)b, bits, true);
		if (fn == ARM64_V_SQDMULL)
			return p;
		p = arm64_sext(p, bits);
		d = arm64_sext(d, bits);
		return arm64_saturate(cpu, fn == ARM64_V_SQDMLAL ? (__int128)(s64)d + (s64)p : (__int128)(s64)d - (s64)p, bits, true);
	default:
		return a * b;
	}
}

static u64 extended(const struct arm64_vec_op *o, u64 v, u32 bits)
{
	return is_signed(o->fn) ? arm64_sext(v, bits) : v;
}

/* The upper half of a sum or difference of wide elements. */
static void high_half(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n, const union arm64_v *m)
{
	u32 i, bits = 8u << o->size, count = 8u >> o->size, base = o->q ? count : 0;
	bool round = o->fn == ARM64_V_RADDHN || o->fn == ARM64_V_RSUBHN;
	union arm64_v r = { .d = { 0, 0 } };

	if (base)
		r.d[0] = d->d[0];
	for (i = 0; i < count; i++) {
		u64 a = arm64_v_get(n, o->size + 1u, i), b = arm64_v_get(m, o->size + 1u, i);
		u64 v = o->fn == ARM64_V_ADDHN || o->fn == ARM64_V_RADDHN ? a + b : a - b;

		arm64_v_put(&r, o->size, base + i, (v + (round ? 1ull << (bits - 1) : 0)) >> bits);
	}
	*d = r;
}

void arm64_vec_long(const struct arm64_vec_op *o, u32 kind, union arm64_v *d, const union arm64_v *n, const union arm64_v *m)
{
	u32 i, bits = 8u << o->size, count = o->scalar ? 1 : 8u >> o->size, base = o->q && !o->scalar ? count : 0;
	union arm64_v r = { .d = { 0, 0 } };

	if (kind == VK_NARROW3) {
		high_half(o, d, n, m);
		return;
	}
	if (o->size == 3) {
		arm64_polynomial64(n->d[o->q], m->d[o->q], &d->d[0], &d->d[1]);
		return;
	}
	for (i = 0; i < count; i++) {
		u64 b = extended(o, arm64_v_get(m, o->size, base + i), bits), a;

		if (kind == VK_WIDE)
			a = extended(o, arm64_v_get(n, o->size + 1u, i), 2 * bits);
		else
			a = extended(o, arm64_v_get(n, o->size, base + i), bits);
		arm64_v_put(&r, o->size + 1u, i, long_one(o->cpu, o->fn, 2 * bits, a, b, arm64_v_get(d, o->size + 1u, i)));
	}
	*d = r;
}
