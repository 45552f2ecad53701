// SPDX-License-Identifier: GPL-2.0 OR MIT
/* D9 E8..FF: constants, transcendental functions and their special operands (2A; 1 8.3.7 to 8.3.9). */
#include "x87.h"
#include "x87_wide.h"

#define TOP (1ull << 63)

static struct fp_num infinite(u8 sign) { return (struct fp_num){ TOP, 0, sign, FP_INF_NUM, 0 }; }
static struct fp_num zero(u8 sign) { return (struct fp_num){ 0, 0, sign, FP_ZERO_NUM, 0 }; }
static struct fp_num one(void) { return (struct fp_num){ TOP, 0, 0, FP_FINITE, 0 }; }

static struct fp_num invalid(struct fp_env *e)
{
	e->flags |= FP_INVALID;
	return fp_default_nan(e);
}

static bool is_one(struct fp_num n)
{
	return n.kind == FP_FINITE && n.sig == TOP && !n.exp;
}

/* FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: rounded as RC says */
void x87_constant(struct x86_cpu *cpu, u32 n)
{
	static const struct x87_wide value[] = {
		X87_WIDE(TOP, 0, 0), X87_WIDE(0xd49a784bcd1b8afeull, 0x492bf6ff4dafdb4cull, 1),
		X87_WIDE(0xb8aa3b295c17f0bbull, 0xbe87fed0691d3e88ull, 0), X87_WIDE(0xc90fdaa22168c234ull, 0xc4c6628b80dc1cd1ull, 1),
		X87_WIDE(0x9a209a84fbcff798ull, 0x8f8959ac0b7c9178ull, -2), X87_WIDE(0xb17217f7d1cf79abull, 0xc9e3b39803f2f6afull, -1),
	};
	struct fp_num v = zero(0);
	struct fp_env e;

	if (!x87_room(cpu))
		return;
	x87_begin(cpu, &e, false);
	if (n < 6)
		v = fp_round(&e, &fp_format80, 0, value[n].exp, (u64)(value[n].m >> 64), (u64)value[n].m);
	x87_c1(cpu, false);
	x87_push(cpu, fp_pack80(v));
}

static struct fp_num exponential(struct fp_env *e, struct fp_num x)
{
	if (x.kind == FP_INF_NUM)
		return x.sign ? (struct fp_num){ TOP, 0, 1, FP_FINITE, 0 } : x;
	fp_input(e, &x);
	/* beyond 1 the result is undefined (2A F2XM1): the operand */
	if (x.kind != FP_FINITE || x.exp >= 0) {
		if (is_one(x) || (x.sign && x.exp == 0 && x.sig == TOP))
			x.exp = x.sign ? -1 : 0;
		return x;
	}
	return wide_round(e, wide_exp_minus_1(wide_mul(wide_from(x), wide_ln2)));
}

/* y * log2(x) */
static struct fp_num logarithm(struct fp_env *e, struct fp_num x, struct fp_num y)
{
	if (x.sign && x.kind != FP_ZERO_NUM)
		return invalid(e);
	if (x.kind == FP_INF_NUM)
		return y.kind == FP_ZERO_NUM ? invalid(e) : infinite(y.sign);
	if (x.kind == FP_ZERO_NUM) {
		if (y.kind == FP_ZERO_NUM)
			return invalid(e);
		if (y.kind != FP_INF_NUM)
			e->flags |= FP_DIVZERO;
		return infinite(!y.sign);
	}
	if (y.kind == FP_INF_NUM) {
		if (is_one(x))
			return invalid(e);
		fp_input(e, &x);
		return infinite(y.sign ^ (x.exp < 0));
	}
	fp_input(e, &x);
	fp_input(e, &y);
	if (is_one(x))
		return zero(y.sign);
	if (y.kind == FP_ZERO_NUM)
		return zero(y.sign ^ (x.exp < 0));
	if (x.sig == TOP)
		return fp_mul(e, &fp_format80, y, fp_from_int(e, &fp_format80, (u64)(s64)x.exp, true));
	return wide_round(e, wide_mul(wide_from(y), wide_log2(x)));
}

/* y * log2(x + 1) */
static struct fp_num logarithm_plus_1(struct fp_env *e, struct fp_num x, struct fp_num y)
{
	if (x.kind == FP_INF_NUM)
		return x.sign || y.kind == FP_ZERO_NUM ? invalid(e) : infinite(y.sign);
	if (y.kind == FP_INF_NUM)
		return x.kind == FP_ZERO_NUM ? invalid(e) : infinite(y.sign ^ x.sign);
	fp_input(e, &x);
	fp_input(e, &y);
	if (x.kind == FP_ZERO_NUM || y.kind == FP_ZERO_NUM)
		return zero(x.sign ^ y.sign);
	/* outside of 1 - sqrt(1/2) undefined (2A FYL2XP1); -1 and below have no logarithm at all */
	if (x.exp >= 0)
		return x.sign ? invalid(e) : wide_round(e, wide_mul(wide_from(y), wide_log2(fp_add(e, &fp_format80, x, one()))));
	return wide_round(e, wide_mul(wide_from(y), wide_log2_plus_1(x)));
}

/* The angle of (x, y) */
static struct fp_num arctangent(struct fp_env *e, struct fp_num x, struct fp_num y)
{
	struct x87_wide a = { 0, 0, 0 };
	bool steep;

	if (x.kind != FP_INF_NUM || y.kind != FP_INF_NUM) {
		fp_input(e, &x);
		fp_input(e, &y);
	}
	if (y.kind == FP_ZERO_NUM || (x.kind == FP_INF_NUM && y.kind != FP_INF_NUM)) {
		if (!x.sign)
			return zero(y.sign);
		a = wide_pi;
	} else if (x.kind == FP_ZERO_NUM || (y.kind == FP_INF_NUM && x.kind != FP_INF_NUM)) {
		a = wide_half_pi;
	} else if (x.kind == FP_INF_NUM) {
		a = wide_half_pi;
		a.exp--;
		if (x.sign)
			a = wide_sub(wide_pi, a);
	} else {
		struct x87_wide p = wide_from(x), q = wide_from(y), t;
		u8 left = x.sign;

		p.sign = q.sign = 0;
		steep = q.exp > p.exp || (q.exp == p.exp && q.m > p.m);
		t = steep ? wide_div(p, q) : wide_div(q, p);
		a = wide_atan(t);
		if (steep)
			a = wide_sub(wide_half_pi, a);
		if (left)
			a = wide_sub(wide_pi, a);
	}
	a.sign = y.sign;
	return wide_round(e, a);
}

enum { SINE = 1, COSINE = 2, TANGENT = 4 };

/* sine, cosine or tangent of a finite x that is not zero */
static struct fp_num trigonometric(struct fp_env *e, struct fp_num x, u32 which)
{
	struct x87_wide r, y, s, c;
	u32 k;

	y = wide_quadrant(x, &k);
	if (which == TANGENT) {
		s = wide_sin(y);
		c = wide_cos(y);
		r = k & 1 ? wide_div(c, s) : wide_div(s, c);
		r.sign ^= (u8)(k & 1) ^ x.sign;
	} else if (which == SINE) {
		r = k & 1 ? wide_cos(y) : wide_sin(y);
		r.sign ^= (u8)(k >> 1) ^ x.sign;
	} else {
		r = k & 1 ? wide_sin(y) : wide_cos(y);
		r.sign ^= (k == 1 || k == 2);
	}
	return wide_round(e, r);
}

/* FPTAN, FSIN, FCOS, FSINCOS; C2: the operand is out of range and stays */
static void circular(struct x86_cpu *cpu, u32 which)
{
	bool two = which & TANGENT || which == (SINE | COSINE);
	struct fp_num x = fp_unpack80(*x87_st(cpu, 0)), first, second = one();
	struct fp_env e;

	if (x87_empty(cpu, 0) || (two && !x87_empty(cpu, 7))) {
		if (x87_stack_fault(cpu, !x87_empty(cpu, 0))) {
			x87_put(cpu, 0, X87_INDEFINITE);
			if (two)
				x87_push(cpu, X87_INDEFINITE);
		}
		cpu->fpu.fsw &= (u16)~SW_C2;
		return;
	}
	x87_begin(cpu, &e, false);
	if (x.kind == FP_FINITE && x.exp >= 63) {
		x87_cc(cpu, (cpu->fpu.fsw & (SW_C0 | SW_C3)) | SW_C2);
		return;
	}
	cpu->fpu.fsw &= (u16)~SW_C2;
	if (x.kind == FP_FINITE || x.kind == FP_ZERO_NUM) {
		fp_input(&e, &x);
		if (x.kind == FP_ZERO_NUM) {
			first = which == COSINE ? one() : x;
		} else {
			if (which & (SINE | COSINE) && two)
				second = trigonometric(&e, x, COSINE);
			first = trigonometric(&e, x, which == (SINE | COSINE) ? SINE : which);
		}
	} else {
		first = fp_is_nan(x) ? fp_nan_of(&e, x, x) : invalid(&e);
		second = first;
	}
	if (!x87_end(cpu, &e))
		return;
	x87_put(cpu, 0, fp_pack80(first));
	if (two)
		x87_push(cpu, fp_pack80(second));
}

/* Functions of ST(0), or of ST(1) and ST(0) with a pop */
static void function(struct x86_cpu *cpu, u32 n)
{
	bool two = n == 1 || n == 3 || n == 9;
	struct fp_num x = fp_unpack80(*x87_st(cpu, 0)), y = fp_unpack80(*x87_st(cpu, 1)), r;
	struct fp_env e;

	if (x87_empty(cpu, 0) || (two && x87_empty(cpu, 1))) {
		if (!x87_stack_fault(cpu, false))
			return;
		x87_put(cpu, two, X87_INDEFINITE);
		if (two)
			x87_pop(cpu);
		return;
	}
	x87_begin(cpu, &e, n == 10);
	if (n == 10)
		r = fp_sqrt(&e, &fp_format80, x);
	else if (n == 12)
		r = fp_round_integral(&e, &fp_format80, x, true);
	else if (fp_is_nan(x) || (two && fp_is_nan(y)))
		r = two ? fp_nan_of(&e, y, x) : fp_nan_of(&e, x, x);
	else if (n == 0)
		r = exponential(&e, x);
	else if (n == 1)
		r = logarithm(&e, x, y);
	else if (n == 3)
		r = arctangent(&e, x, y);
	else
		r = logarithm_plus_1(&e, x, y);
	if (!x87_end(cpu, &e))
		return;
	x87_put(cpu, two, fp_pack80(r));
	if (two)
		x87_pop(cpu);
}

void x87_transcendental(struct x86_cpu *cpu, u32 n)
{
	switch (n) {
	case 2:
		circular(cpu, TANGENT);
		break;
	case 4:
		x87_extract(cpu);
		break;
	case 5: case 8:
		x87_remainder(cpu, n == 5);
		break;
	case 6: case 7:
		x87_top_put(cpu, x87_top(cpu) + (n == 6 ? 7 : 1));
		x87_c1(cpu, false);
		break;
	case 11:
		circular(cpu, SINE | COSINE);
		break;
	case 13:
		x87_scale(cpu);
		break;
	case 14:
		circular(cpu, SINE);
		break;
	case 15:
		circular(cpu, COSINE);
		break;
	default:
		function(cpu, n);
	}
}
