// SPDX-License-Identifier: GPL-2.0 OR MIT
/* SSE floating point: lanes through the integer library, MXCSR, SIMD exceptions (1 11.5). */
#include "simd.h"

static void begin(struct x86_cpu *cpu, struct fp_env *e)
{
	memset(e, 0, sizeof(*e));
	e->round = (cpu->fpu.mxcsr >> 13) & 3;
	e->flush = (cpu->fpu.mxcsr >> 15) & 1;
	e->flush_inputs = (cpu->fpu.mxcsr >> 6) & 1;
	e->unmasked = ~(cpu->fpu.mxcsr >> 7) & 0x3f;
}

/* Flags into MXCSR; false: one of them is unmasked. */
static bool end(struct x86_cpu *cpu, struct fp_env *e)
{
	u32 flags = e->flags & 0x3f;

	/* an exception detected before computing leaves no results that could be inexact (1 11.5.4) */
	if (flags & e->unmasked & (FP_INVALID | FP_DENORMAL | FP_DIVZERO))
		flags &= FP_INVALID | FP_DENORMAL | FP_DIVZERO;
	cpu->fpu.mxcsr |= flags;
	return !(flags & e->unmasked);
}

static struct fp_num take(u64 v, bool narrow)
{
	return narrow ? fp_unpack32((u32)v) : fp_unpack64(v);
}

static u64 give(struct fp_num n, bool narrow)
{
	return narrow ? fp32_pack(n) : fp64_pack(n);
}

static const struct fp_format *format(bool narrow)
{
	return narrow ? &fp_format32 : &fp_format64;
}

/* 2B MAXPS, MINPS: the second operand wins if one is a NaN or both are zero. */
static struct fp_num extreme(struct fp_env *e, struct fp_num a, struct fp_num b, bool max)
{
	if (fp_is_nan(a) || fp_is_nan(b)) {
		e->flags |= FP_INVALID;
		if (b.subnormal && e->flush_inputs)
			b.kind = FP_ZERO_NUM;
		return b;
	}
	if (e->flush_inputs && a.subnormal)
		a.kind = FP_ZERO_NUM;
	if (e->flush_inputs && b.subnormal)
		b.kind = FP_ZERO_NUM;
	return fp_compare(e, a, b, true) == (max ? FP_GREATER : FP_LESS) ? a : b;
}

/* 2A CMPPS: the eight predicates; LT, LE and their negations signal for quiet NaNs. */
static bool predicate(struct fp_env *e, struct fp_num a, struct fp_num b, u32 imm)
{
	enum fp_order o = fp_compare(e, a, b, !(imm & 2 && (imm & 3) != 3) && (imm & 3) != 1);
	bool r;

	switch (imm & 3) {
	case 0:
		r = o == FP_EQUAL;
		break;
	case 1:
		r = o == FP_LESS;
		break;
	case 2:
		r = o == FP_LESS || o == FP_EQUAL;
		break;
	default:
		r = o == FP_UNORDERED;
	}
	return r != !!(imm & 4);
}

/* RCPPS, RSQRTPS: twelve bits; subnormal operands and results are zero, no flags (1 10.4.1.1 allows 1.5 * 2^-12). */
static u32 approximate(u32 v, bool root)
{
	struct fp_env e = { .round = FP_NEAREST };
	struct fp_num n = fp_unpack32(v), one = { 1ull << 63, 0, 0, FP_FINITE, 0 };

	if (n.subnormal)
		n.kind = FP_ZERO_NUM;
	if (fp_is_nan(n))
		return v | 0x400000;
	if (n.kind == FP_ZERO_NUM)
		return (u32)n.sign << 31 | 0x7f800000;
	if (root && n.sign)
		return 0xffc00000;
	if (n.kind == FP_INF_NUM)
		return (u32)n.sign << 31;
	if (root)
		n = fp_sqrt(&e, &fp_format64, n);
	v = fp32_pack(fp_div(&e, &fp_format32, one, n));
	if (!(v & 0x7f800000))
		return v & 0x80000000;
	return (v + 0x400) & 0xfffff800;
}

static u64 lane(struct fp_env *e, u32 fn, u64 a, u64 b, u32 imm, bool narrow)
{
	const struct fp_format *f = format(narrow);
	struct fp_num x = take(a, narrow), y = take(b, narrow);

	switch (fn) {
	case X86_V_ADD:
		return give(fp_add(e, f, x, y), narrow);
	case X86_V_SUB:
		return give(fp_sub(e, f, x, y), narrow);
	case X86_V_MUL:
		return give(fp_mul(e, f, x, y), narrow);
	case X86_V_DIV:
		return give(fp_div(e, f, x, y), narrow);
	case X86_V_SQRT:
		return give(fp_sqrt(e, f, y), narrow);
	case X86_V_MIN: case X86_V_MAX:
		return give(extreme(e, x, y, fn == X86_V_MAX), narrow);
	case X86_V_CMPP:
		return predicate(e, x, y, imm) ? ~0ull : 0;
	case X86_V_RCP: case X86_V_RSQRT:
		return approximate((u32)b, fn == X86_V_RSQRT);
	default:	/* the ROUND family */
		if (!(imm & 4))
			e->round = imm & 3;
		return give(fp_round_integral(e, f, y, !(imm & 8)), narrow);
	}
}

/* Sums or differences of neighbours (HADDP, HSUBP) and alternating ones (ADDSUBP). */
static void neighbours(struct fp_env *e, u32 fn, union x86_v *d, const union x86_v *s, bool narrow)
{
	union x86_v r;
	u32 n;

	for (n = 0; n < 4; n++) {
		const union x86_v *from = n < 2 ? d : s;

		if (!narrow && n > 1)
			break;
		if (fn == X86_V_ADDSUBP && narrow)
			r.d[n] = (u32)lane(e, n & 1 ? X86_V_ADD : X86_V_SUB, d->d[n], s->d[n], 0, true);
		else if (fn == X86_V_ADDSUBP)
			r.q[n] = lane(e, n & 1 ? X86_V_ADD : X86_V_SUB, d->q[n], s->q[n], 0, false);
		else if (narrow)
			r.d[n] = (u32)lane(e, fn == X86_V_HADDP ? X86_V_ADD : X86_V_SUB, from->d[n * 2 & 3], from->d[(n * 2 & 3) + 1], 0,
					   true);
		else
			r.q[n] = lane(e, fn == X86_V_HADDP ? X86_V_ADD : X86_V_SUB, (n ? s : d)->q[0], (n ? s : d)->q[1], 0, false);
	}
	*d = r;
}

/* One of several computations is done: its flags stand, whatever the next one raises. */
static bool step(struct x86_cpu *cpu, struct fp_env *e)
{
	if (e->flags & e->unmasked)
		return false;
	cpu->fpu.mxcsr |= e->flags & 0x3f;
	e->flags = 0;
	return true;
}

/* 2A DPPS: products where the high nibble asks for them, summed in pairs, stored where the low nibble does. */
static bool dot_product(struct x86_cpu *cpu, struct fp_env *e, union x86_v *d, const union x86_v *s, u32 imm, bool narrow)
{
	u64 p[4], sum;
	u32 n, lanes = narrow ? 4 : 2;

	for (n = 0; n < lanes; n++) {
		p[n] = 0;
		if (imm & (16u << n))
			p[n] = narrow ? lane(e, X86_V_MUL, d->d[n], s->d[n], 0, true) : lane(e, X86_V_MUL, d->q[n], s->q[n], 0, false);
	}
	if (!step(cpu, e))
		return false;
	sum = lane(e, X86_V_ADD, p[0], p[1], 0, narrow);
	if (narrow) {
		p[2] = lane(e, X86_V_ADD, p[2], p[3], 0, true);
		if (!step(cpu, e))
			return false;
		sum = lane(e, X86_V_ADD, sum, p[2], 0, true);
	}
	for (n = 0; n < lanes; n++) {
		p[0] = imm & (1u << n) ? sum : 0;
		if (narrow)
			d->d[n] = (u32)p[0];
		else
			d->q[n] = p[0];
	}
	return true;
}

bool x86_vec_float(struct x86_cpu *cpu, u32 fn, union x86_v *d, const union x86_v *s, u32 imm, u32 column)
{
	bool narrow = column == X86_VEC_NP || column == X86_VEC_F3, scalar = column >= X86_VEC_F3;
	union x86_v r = *d;
	struct fp_env e;
	u32 n;

	begin(cpu, &e);
	if (fn == X86_V_DPPS || fn == X86_V_DPPD) {
		dot_product(cpu, &e, &r, s, imm, fn == X86_V_DPPS);
	} else if (fn == X86_V_HADDP || fn == X86_V_HSUBP || fn == X86_V_ADDSUBP) {
		neighbours(&e, fn, &r, s, column == X86_VEC_F2);
	} else if (narrow) {
		for (n = 0; n < (scalar ? 1u : 4u); n++)
			r.d[n] = (u32)lane(&e, fn, d->d[n], s->d[n], imm, true);
	} else {
		for (n = 0; n < (scalar ? 1u : 2u); n++)
			r.q[n] = lane(&e, fn, d->q[n], s->q[n], imm, false);
	}
	if (!end(cpu, &e))
		return false;
	*d = r;
	return true;
}

static u64 convert(struct fp_env *e, u64 v, bool to_narrow)
{
	return give(fp_convert(e, format(to_narrow), take(v, !to_narrow)), to_narrow);
}

bool x86_vec_convert(struct x86_cpu *cpu, u32 fn, union x86_v *d, const union x86_v *s, u32 column)
{
	union x86_v r = *d;
	struct fp_env e;
	u32 n;

	begin(cpu, &e);
	if (fn == X86_V_CVTTPS2DQ || fn == X86_V_CVTTPD2DQ || fn == X86_V_CVTTP2PI)
		e.round = FP_TRUNCATE;
	switch (fn) {
	case X86_V_CVTPS2PD:
		r.q[0] = convert(&e, s->d[0], false);
		r.q[1] = convert(&e, s->d[1], false);
		break;
	case X86_V_CVTPD2PS:
		r.d[0] = (u32)convert(&e, s->q[0], true);
		r.d[1] = (u32)convert(&e, s->q[1], true);
		r.q[1] = 0;
		break;
	case X86_V_CVTS2S:
		if (column == X86_VEC_F3)
			r.q[0] = convert(&e, s->d[0], false);
		else
			r.d[0] = (u32)convert(&e, s->q[0], true);
		break;
	case X86_V_CVTDQ2PS:
		for (n = 0; n < 4; n++)
			r.d[n] = fp32_pack(fp_from_int(&e, &fp_format32, (u64)(s64)s->sd[n], true));
		break;
	case X86_V_CVTPS2DQ: case X86_V_CVTTPS2DQ:
		for (n = 0; n < 4; n++)
			r.d[n] = (u32)fp_to_int(&e, fp_unpack32(s->d[n]), 32, true);
		break;
	case X86_V_CVTDQ2PD:
		r.q[0] = fp64_pack(fp_from_int(&e, &fp_format64, (u64)(s64)s->sd[0], true));
		r.q[1] = fp64_pack(fp_from_int(&e, &fp_format64, (u64)(s64)s->sd[1], true));
		break;
	case X86_V_CVTPI2P:
		for (n = 0; n < 2; n++) {
			if (column == X86_VEC_NP)
				r.d[n] = fp32_pack(fp_from_int(&e, &fp_format32, (u64)(s64)s->sd[n], true));
			else
				r.q[n] = fp64_pack(fp_from_int(&e, &fp_format64, (u64)(s64)s->sd[n], true));
		}
		break;
	default:	/* doubles, or two singles for MMX, to dwords */
		for (n = 0; n < 2; n++)
			r.d[n] = (u32)fp_to_int(&e, take(column == X86_VEC_NP ? s->d[n] : s->q[n], column == X86_VEC_NP), 32, true);
		r.q[1] = 0;
	}
	if (!end(cpu, &e))
		return false;
	*d = r;
	return true;
}

bool x86_vec_to_int(struct x86_cpu *cpu, u64 v, bool narrow, bool truncate, u32 bits, u64 *out)
{
	struct fp_env e;

	begin(cpu, &e);
	if (truncate)
		e.round = FP_TRUNCATE;
	*out = fp_to_int(&e, take(v, narrow), bits, true);
	return end(cpu, &e);
}

bool x86_vec_from_int(struct x86_cpu *cpu, u64 v, bool narrow, u64 *out)
{
	struct fp_env e;

	begin(cpu, &e);
	*out = give(fp_from_int(&e, format(narrow), v, true), narrow);
	return end(cpu, &e);
}

/* 2A COMISS: ZF PF CF, the others cleared. */
bool x86_vec_order(struct x86_cpu *cpu, u64 a, u64 b, bool narrow, bool quiet)
{
	static const u64 flags[] = { X86_FLAG_CF, X86_FLAG_ZF, 0, X86_FLAG_ZF | X86_FLAG_PF | X86_FLAG_CF };
	enum fp_order o;
	struct fp_env e;

	begin(cpu, &e);
	o = fp_compare(&e, take(a, narrow), take(b, narrow), quiet);
	if (!end(cpu, &e))
		return false;
	x86_flags_put(&cpu->fl, flags[o]);
	return true;
}
