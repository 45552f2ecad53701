/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Lazy arithmetic flags.  An operation keeps its result and operands, sign-extended to 64 bits, and a kind.
 *
 * Sign extension keeps both orders of n-bit numbers, signed and unsigned.  So after a subtraction every condition of
 * Jcc is one 64-bit comparison of the operands, for all operand sizes: CF is a < b unsigned, SF^OF is a < b signed.
 * A logical operation is the comparison of its result with 0.  ZF is result == 0 in every kind.
 */
#ifndef MV_X86_FLAGS_H
#define MV_X86_FLAGS_H

#include "x86.h"

enum x86_flags_kind {
	X86_FL_SUB,		/* a - b; logic: result - 0 */
	X86_FL_ADD,		/* a + b */
	X86_FL_INC,		/* a + 1, b is the old CF */
	X86_FL_DEC,		/* a - 1, b is the old CF */
	X86_FL_SHL,		/* a << (u8)b, operand bits in b >> 8 */
	X86_FL_SHR,
	X86_FL_SAR,
	X86_FL_BITS,		/* CF, AF, OF in bits; SF, PF from the result */
	X86_FL_ALL		/* all in bits, ZF in result as well */
};

static __always_inline u64 x86_parity(u64 result)
{
	u32 x = (u8)result;

	x ^= x >> 4;
	return (0x9669u >> (x & 15)) & 1 ? X86_FLAG_PF : 0;
}

/* All six flags. */
static noinline __attribute__((unused)) u64 x86_flags_work_out(const struct x86_flags *f)
{
	u64 zspf = (f->result ? 0 : X86_FLAG_ZF) | ((s64)f->result < 0 ? X86_FLAG_SF : 0) | x86_parity(f->result);
	u64 a = f->a, b = f->b, r = f->result;
	u32 n = (u8)b, bits = (u32)(b >> 8);
	bool cf, of;
	u64 af = 0;

	switch (f->kind) {
	case X86_FL_SUB:
		cf = a < b;
		of = (s64)((a ^ b) & (a ^ r)) < 0;
		af = (a ^ b ^ r) & X86_FLAG_AF;
		break;
	case X86_FL_ADD:
		cf = r < a;
		of = (s64)(~(a ^ b) & (a ^ r)) < 0;
		af = (a ^ b ^ r) & X86_FLAG_AF;
		break;
	case X86_FL_INC:
		cf = b;
		of = (s64)(~a & r) < 0;
		af = (a ^ r ^ 1) & X86_FLAG_AF;
		break;
	case X86_FL_DEC:
		cf = b;
		of = (s64)(a & ~r) < 0;
		af = (a ^ r ^ 1) & X86_FLAG_AF;
		break;
	case X86_FL_SHL:	/* OF is defined for a count of 1 only; the formula of 1 serves all */
		cf = n <= bits && ((a >> (bits - n)) & 1);
		of = ((s64)r < 0) ^ cf;
		break;
	case X86_FL_SHR:
		cf = (a >> (n - 1)) & 1;	/* a is zero-extended here */
		of = (a >> (bits - 1)) & 1;
		break;
	case X86_FL_SAR:
		cf = ((s64)a >> (n - 1)) & 1;
		of = false;
		break;
	case X86_FL_BITS:
		return zspf | f->bits;
	default:
		return f->bits;
	}
	return zspf | af | (cf ? X86_FLAG_CF : 0) | (of ? X86_FLAG_OF : 0);
}

static __always_inline bool x86_cf(const struct x86_flags *f)
{
	if (likely(f->kind == X86_FL_SUB))
		return f->a < f->b;
	if (f->kind == X86_FL_ADD)
		return f->result < f->a;
	if (f->kind == X86_FL_DEC || f->kind == X86_FL_INC)
		return f->b;
	if (f->kind >= X86_FL_BITS)
		return f->bits & X86_FLAG_CF;
	return x86_flags_work_out(f) & X86_FLAG_CF;
}

/* Make the flags explicit: what is in @bits, of the six. */
static __always_inline void x86_flags_put(struct x86_flags *f, u64 bits)
{
	f->bits = (u32)(bits & X86_FLAGS_ARITH);
	f->result = bits & X86_FLAG_ZF ? 0 : 1;
	f->kind = X86_FL_ALL;
}

/* Slow and complete evaluation of condition cc (the low four bits of Jcc's opcode, 1 appendix B.1). */
static noinline __attribute__((unused)) bool x86_condition_slow(const struct x86_flags *f, u32 cc)
{
	u64 fl = x86_flags_work_out(f);
	bool sf_of = !(fl & X86_FLAG_SF) != !(fl & X86_FLAG_OF);
	bool t;

	switch (cc >> 1) {
	case 0:
		t = fl & X86_FLAG_OF;
		break;
	case 1:
		t = fl & X86_FLAG_CF;
		break;
	case 2:
		t = fl & X86_FLAG_ZF;
		break;
	case 3:
		t = fl & (X86_FLAG_CF | X86_FLAG_ZF);
		break;
	case 4:
		t = fl & X86_FLAG_SF;
		break;
	case 5:
		t = fl & X86_FLAG_PF;
		break;
	case 6:
		t = sf_of;
		break;
	default:
		t = sf_of || (fl & X86_FLAG_ZF);
		break;
	}
	return t != (cc & 1);
}

/* With a constant cc this is a test or two. */
static __always_inline bool x86_condition(const struct x86_flags *f, const u32 cc)
{
	if (cc >> 1 == 2)
		return (f->result == 0) != (cc & 1);
	if (cc >> 1 == 4) {
		if (likely(f->kind != X86_FL_ALL))
			return ((s64)f->result < 0) != (cc & 1);
	} else if (likely(f->kind == X86_FL_SUB)) {
		switch (cc) {
		case 2:
			return f->a < f->b;
		case 3:
			return f->a >= f->b;
		case 6:
			return f->a <= f->b;
		case 7:
			return f->a > f->b;
		case 12:
			return (s64)f->a < (s64)f->b;
		case 13:
			return (s64)f->a >= (s64)f->b;
		case 14:
			return (s64)f->a <= (s64)f->b;
		case 15:
			return (s64)f->a > (s64)f->b;
		default:
			break;
		}
	}
	return x86_condition_slow(f, cc);
}

#endif
