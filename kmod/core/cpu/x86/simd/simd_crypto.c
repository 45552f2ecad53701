// SPDX-License-Identifier: GPL-2.0 OR MIT
/* AES rounds (FIPS 197; 1 12.13) and carry-less multiplication (1 12.13.4). */
#include "simd.h"

/* Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
static u8 times(u8 a, u8 b)
{
	u8 p = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			p ^= a;
		a = (u8)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
	}
	return p;
}

static u8 turn(u8 v, u32 n)
{
	return (u8)(v << n | v >> (8 - n));
}

/* x^254 is the inverse, and 0 stays 0: worked out instead of 512 bytes of tables. */
static u8 inverse(u8 x)
{
	u8 x2 = times(x, x), x3 = times(x2, x), x12 = times(times(x3, x3), times(x3, x3)), r = times(x12, x3), n;

	for (n = 0; n < 4; n++)
		r = times(r, r);
	return times(times(r, x12), x2);
}

static u8 substitute(u8 x)
{
	u8 v = inverse(x);

	return (u8)(v ^ turn(v, 1) ^ turn(v, 2) ^ turn(v, 3) ^ turn(v, 4) ^ 0x63);
}

static u8 substitute_back(u8 x)
{
	return inverse((u8)(turn(x, 1) ^ turn(x, 3) ^ turn(x, 6) ^ 0x05));
}

/* Row r of the state moves by r columns; byte c * 4 + r is row r of column c. */
static void shift_rows(union x86_v *v, bool back)
{
	union x86_v o = *v;
	u32 n;

	for (n = 0; n < 16; n++)
		v->b[n] = o.b[(n + (back ? 16 - 4 * (n & 3) : 4 * (n & 3))) & 15];
}

static void substitute_all(union x86_v *v, bool back)
{
	u32 n;

	for (n = 0; n < 16; n++)
		v->b[n] = back ? substitute_back(v->b[n]) : substitute(v->b[n]);
}

static void mix_columns(union x86_v *v, bool back)
{
	static const u8 forth_row[4] = { 2, 3, 1, 1 }, back_row[4] = { 14, 11, 13, 9 };
	const u8 *row = back ? back_row : forth_row;
	union x86_v o = *v;
	u32 n, k;

	for (n = 0; n < 16; n++) {
		v->b[n] = 0;
		for (k = 0; k < 4; k++)
			v->b[n] ^= times(o.b[(n & 12) | ((n + k) & 3)], row[k]);
	}
}

static u32 substitute_word(u32 v)
{
	return substitute((u8)v) | (u32)substitute((u8)(v >> 8)) << 8 | (u32)substitute((u8)(v >> 16)) << 16 |
	       (u32)substitute((u8)(v >> 24)) << 24;
}

static void key_assist(union x86_v *d, const union x86_v *s, u32 imm)
{
	u32 x1 = substitute_word(s->d[1]), x3 = substitute_word(s->d[3]);

	d->d[0] = x1;
	d->d[1] = (x1 >> 8 | x1 << 24) ^ (imm & 0xff);
	d->d[2] = x3;
	d->d[3] = (x3 >> 8 | x3 << 24) ^ (imm & 0xff);
}

static void multiply_carryless(union x86_v *d, const union x86_v *s, u32 imm)
{
	u64 a = d->q[imm & 1], b = s->q[(imm >> 4) & 1], low = 0, high = 0;
	u32 n;

	for (n = 0; n < 64; n++) {
		if (b >> n & 1) {
			low ^= a << n;
			high ^= n ? a >> (64 - n) : 0;
		}
	}
	d->q[0] = low;
	d->q[1] = high;
}

void x86_vec_crypto(u32 fn, union x86_v *d, const union x86_v *s, u32 imm)
{
	bool back = fn == X86_V_AESDEC || fn == X86_V_AESDECLAST;
	union x86_v v = *d;

	switch (fn) {
	case X86_V_AESKEYGENASSIST:
		key_assist(d, s, imm);
		return;
	case X86_V_PCLMULQDQ:
		multiply_carryless(d, s, imm);
		return;
	case X86_V_AESIMC:
		v = *s;
		mix_columns(&v, true);
		break;
	default:
		shift_rows(&v, back);
		substitute_all(&v, back);
		if (fn == X86_V_AESENC || fn == X86_V_AESDEC)
			mix_columns(&v, back);
		v.q[0] ^= s->q[0];
		v.q[1] ^= s->q[1];
	}
	*d = v;
}
