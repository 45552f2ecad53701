// SPDX-License-Identifier: GPL-2.0 OR MIT
/* x87 arithmetic, comparison, remainders, scaling, classification. */
#include "x87.h"

typedef unsigned __int128 wide;

bool x87_arith(struct x86_cpu *cpu, u32 op, u32 to, struct fp_num n, bool empty)
{
	const struct fp_format *f = &fp_format80;
	struct fp_num d = fp_unpack80(*x87_st(cpu, to)), r;
	struct fp_env e;

	if (empty || x87_empty(cpu, to)) {
		if (!x87_stack_fault(cpu, false))
			return false;
		x87_put(cpu, to, X87_INDEFINITE);
		return true;
	}
	x87_begin(cpu, &e, true);
	switch (op) {
	case X87_ADD:
		r = fp_add(&e, f, d, n);
		break;
	case X87_MUL:
		r = fp_mul(&e, f, d, n);
		break;
	case X87_SUB:
		r = fp_sub(&e, f, d, n);
		break;
	case X87_SUBR:
		r = fp_sub(&e, f, n, d);
		break;
	case X87_DIV:
		r = fp_div(&e, f, d, n);
		break;
	default:
		r = fp_div(&e, f, n, d);
	}
	if (!x87_end(cpu, &e))
		return false;
	x87_put(cpu, to, fp_pack80(r));
	return true;
}

/* ST(0) with @n: C3 C2 C0, or ZF PF CF.  True if pops are due. */
bool x87_compare(struct x86_cpu *cpu, struct fp_num n, bool empty, bool quiet, bool to_flags)
{
	static const u16 codes[] = { SW_C0, SW_C3, 0, SW_C0 | SW_C2 | SW_C3 };
	static const u64 flags[] = { X86_FLAG_CF, X86_FLAG_ZF, 0, X86_FLAG_ZF | X86_FLAG_PF | X86_FLAG_CF };
	enum fp_order o = FP_UNORDERED;
	struct fp_env e;
	bool done;

	if (empty || x87_empty(cpu, 0)) {
		done = x87_stack_fault(cpu, false);
		if (!done && to_flags)
			return false;
	} else {
		x87_begin(cpu, &e, false);
		o = fp_compare(&e, fp_unpack80(*x87_st(cpu, 0)), n, quiet);
		/* encodings without meaning are invalid even for FUCOM */
		done = x87_end(cpu, &e);
		if (!done && to_flags)
			return false;
	}
	if (to_flags) {
		x86_flags_put(&cpu->fl, flags[o]);
		x87_c1(cpu, false);
	} else {
		x87_cc(cpu, codes[o]);
	}
	return done;
}

/*
 * Shift and subtract: (a * 2^steps) mod b; *q gets the quotient's low bits.  Both have their top bit set.
 */
static u64 reduce(u64 a, u64 b, u32 steps, u64 *q)
{
	wide rest = a;
	u32 n;

	*q = 0;
	for (n = 0;; n++) {
		*q <<= 1;
		if (rest >= b) {
			rest -= b;
			*q |= 1;
		}
		if (n == steps)
			return (u64)rest;
		rest <<= 1;
	}
}

/* 2A FPREM, FPREM1: exact; in steps of 32 to 63 bits while the exponents are far apart. */
void x87_remainder(struct x86_cpu *cpu, bool nearest)
{
	struct fp_num a = fp_unpack80(*x87_st(cpu, 0)), b = fp_unpack80(*x87_st(cpu, 1)), r;
	s32 gap, steps, exp;
	struct fp_env e;
	u64 rest, q;
	u32 cc = 0;
	u8 sign;

	cpu->fpu.fsw &= (u16)~SW_C2;
	if (x87_empty(cpu, 0) || x87_empty(cpu, 1)) {
		if (x87_stack_fault(cpu, false))
			x87_put(cpu, 0, X87_INDEFINITE);
		return;
	}
	x87_begin(cpu, &e, false);
	r = a;
	if (fp_is_nan(a) || fp_is_nan(b)) {
		r = fp_nan_of(&e, a, b);
	} else if (a.kind == FP_INF_NUM || b.kind == FP_ZERO_NUM) {
		e.flags |= FP_INVALID;
		r = fp_default_nan(&e);
	} else {
		fp_input(&e, &a);
		fp_input(&e, &b);
	}
	if (fp_is_nan(r) || r.kind == FP_BAD) {
		if (x87_end(cpu, &e))
			x87_put(cpu, 0, fp_pack80(r));
		return;
	}
	if (a.kind == FP_FINITE && b.kind == FP_FINITE) {
		gap = a.exp - b.exp;
		sign = a.sign;
		if (gap >= 64) {
			steps = (gap & 31) | 32;
			cc = SW_C2;
			rest = reduce(a.sig, b.sig, (u32)steps, &q);
			exp = a.exp - steps;
			q = 0;
		} else if (gap >= 0) {
			rest = reduce(a.sig, b.sig, (u32)gap, &q);
			exp = b.exp;
		} else {
			rest = a.sig;
			exp = a.exp;
			q = 0;
		}
		if (nearest && !cc && rest) {
			/* more than half of b, or half and an odd quotient: one more, and the other sign */
			if (gap >= 0 && (rest > b.sig - rest || (rest == b.sig - rest && (q & 1)))) {
				rest = b.sig - rest;
				sign ^= 1;
				q++;
			} else if (gap == -1 && a.sig > b.sig) {	/* a is more than b / 2 */
				wide w = ((wide)b.sig << 1) - a.sig;

				q = 1;
				sign ^= 1;
				/* less than b.sig, in units of a's last place */
				rest = (u64)w;
			}
		}
		if (!rest) {
			r = (struct fp_num){ 0, 0, a.sign, FP_ZERO_NUM, 0 };
		} else {
			int n = __builtin_clzll(rest);

			r = fp_round(&e, &fp_format80, sign, exp - n, rest << n, 0);
		}
		if (!cc)
			cc = (q & 4 ? SW_C0 : 0) | (q & 2 ? SW_C3 : 0) | (q & 1 ? SW_C1 : 0);
	}
	if (!x87_end(cpu, &e))
		return;
	x87_cc(cpu, cc);
	x87_put(cpu, 0, fp_pack80(r));
}

void x87_scale(struct x86_cpu *cpu)
{
	struct fp_num a = fp_unpack80(*x87_st(cpu, 0)), b = fp_unpack80(*x87_st(cpu, 1)), r;
	struct fp_env e, t;
	s64 n;

	if (x87_empty(cpu, 0) || x87_empty(cpu, 1)) {
		if (x87_stack_fault(cpu, false))
			x87_put(cpu, 0, X87_INDEFINITE);
		return;
	}
	x87_begin(cpu, &e, false);
	r = a;
	if (fp_is_nan(a) || fp_is_nan(b)) {
		r = fp_nan_of(&e, a, b);
	} else if (b.kind == FP_INF_NUM) {
		if ((b.sign && a.kind == FP_INF_NUM) || (!b.sign && a.kind == FP_ZERO_NUM)) {
			e.flags |= FP_INVALID;
			r = fp_default_nan(&e);
		} else {
			fp_input(&e, &a);
			r.kind = b.sign ? FP_ZERO_NUM : FP_INF_NUM;
			r.sig = 1ull << 63;
			r.subnormal = 0;
		}
	} else if (a.kind == FP_FINITE || a.kind == FP_ZERO_NUM || a.kind == FP_INF_NUM) {
		fp_input(&e, &a);
		fp_input(&e, &b);
		if (a.kind == FP_FINITE) {
			t = e;
			t.round = FP_TRUNCATE;
			n = b.kind == FP_FINITE && b.exp > 16 ? (b.sign ? -100000 : 100000) : (s64)fp_to_int(&t, b, 32, true);
			r = fp_round(&e, &fp_format80, a.sign, a.exp + (s32)n, a.sig, 0);
			/* too far even for a moved exponent: infinity or zero, whatever RC says */
			if ((e.unmasked & FP_OVERFLOW) && a.exp + n - 24576 > 16383) {
				r.kind = FP_INF_NUM;
				r.sig = 1ull << 63;
				e.up = 1;
			} else if ((e.unmasked & FP_UNDERFLOW) && a.exp + n + 24576 < -16382) {
				r.kind = FP_ZERO_NUM;
				e.up = 0;
			}
		}
	}
	if (x87_end(cpu, &e))
		x87_put(cpu, 0, fp_pack80(r));
}

void x87_extract(struct x86_cpu *cpu)
{
	struct fp_num a = fp_unpack80(*x87_st(cpu, 0)), exponent;
	struct fp_env e;

	if (x87_empty(cpu, 0) || !x87_empty(cpu, 7)) {
		if (x87_stack_fault(cpu, !x87_empty(cpu, 0))) {
			x87_put(cpu, 0, X87_INDEFINITE);
			x87_push(cpu, X87_INDEFINITE);
		}
		return;
	}
	x87_begin(cpu, &e, false);
	exponent = a;
	if (fp_is_nan(a)) {
		exponent = a = fp_nan_of(&e, a, a);
	} else if (a.kind == FP_INF_NUM) {
		exponent.sign = 0;
	} else if (a.kind == FP_ZERO_NUM) {
		e.flags |= FP_DIVZERO;
		exponent = (struct fp_num){ 1ull << 63, 0, 1, FP_INF_NUM, 0 };
	} else {
		fp_input(&e, &a);
		exponent = fp_from_int(&e, &fp_format80, (u64)(s64)a.exp, true);
		a.exp = 0;
	}
	if (!x87_end(cpu, &e))
		return;
	x87_put(cpu, 0, fp_pack80(exponent));
	x87_push(cpu, fp_pack80(a));
}

void x87_examine(struct x86_cpu *cpu)
{
	struct fp80 v = *x87_st(cpu, 0);
	struct fp_num n = fp_unpack80(v);
	u32 cc = v.se & 0x8000 ? SW_C1 : 0;

	if (x87_empty(cpu, 0))
		cc |= SW_C3 | SW_C0;
	else if (n.kind == FP_ZERO_NUM)
		cc |= SW_C3;
	else if (n.kind == FP_INF_NUM)
		cc |= SW_C2 | SW_C0;
	else if (n.kind == FP_QNAN || n.kind == FP_SNAN)
		cc |= SW_C0;
	else if (n.kind == FP_FINITE)
		cc |= n.subnormal ? SW_C3 | SW_C2 : SW_C2;
	x87_cc(cpu, cc);
}
