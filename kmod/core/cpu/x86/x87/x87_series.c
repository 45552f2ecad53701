// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * 128-bit arithmetic and the series behind the transcendental instructions.  Each operation is off by less than 2^-125
 * relative, a whole function by less than 2^-118: after rounding to 64 bits that is 0.5 ulp in all but one of 2^53 cases.
 */
#include "x87_wide.h"

const struct x87_wide wide_pi = X87_WIDE(0xc90fdaa22168c234ull, 0xc4c6628b80dc1cd1ull, 1);
const struct x87_wide wide_half_pi = X87_WIDE(0xc90fdaa22168c234ull, 0xc4c6628b80dc1cd1ull, 0);
const struct x87_wide wide_ln2 = X87_WIDE(0xb17217f7d1cf79abull, 0xc9e3b39803f2f6afull, -1);
static const struct x87_wide log2_e = X87_WIDE(0xb8aa3b295c17f0bbull, 0xbe87fed0691d3e88ull, 0);

/* atan(k / 8) */
static const struct x87_wide atan_eighths[9] = {
	{ 0, 0, 0 },
	X87_WIDE(0xfeadd4d5617b6e32ull, 0xc897989f3e888ef7ull, -4), X87_WIDE(0xfadbafc96406eb15ull, 0x6dc79ef5f7a217e5ull, -3),
	X87_WIDE(0xb7b0ca0f26f78473ull, 0x8aa32122dcfe4483ull, -2), X87_WIDE(0xed63382b0dda7b45ull, 0x6fe445ecbc3a8d03ull, -2),
	X87_WIDE(0x8f005d5ef7f59f9bull, 0x5c835e1665c43747ull, -1), X87_WIDE(0xa4bc7d1934f70924ull, 0x19a87f2a457dac9eull, -1),
	X87_WIDE(0xb8053e2bc2319e73ull, 0xcb2da55210a4443dull, -1), X87_WIDE(0xc90fdaa22168c234ull, 0xc4c6628b80dc1cd1ull, -1),
};

/* 2 / pi, 320 bits after the point, most significant word first */
static const u64 two_over_pi[5] = { 0xa2f9836e4e441529ull, 0xfc2757d1f534ddc0ull, 0xdb6295993c439041ull, 0xfe5163abdebbc561ull,
				    0xb7246e3a424dd2e0ull };

struct x87_wide wide_mul(struct x87_wide a, struct x87_wide b)
{
	u64 ah = (u64)(a.m >> 64), al = (u64)a.m, bh = (u64)(b.m >> 64), bl = (u64)b.m;
	wide m1 = (wide)ah * bl, m2 = (wide)al * bh;
	struct x87_wide r;

	r.m = (wide)ah * bh + (m1 >> 64) + (m2 >> 64) + (((u64)m1 > ~(u64)m2) ? 1 : 0);
	r.exp = a.exp + b.exp + 1;
	r.sign = a.sign ^ b.sign;
	return wide_normal(r);
}

struct x87_wide wide_add(struct x87_wide a, struct x87_wide b)
{
	struct x87_wide t;
	s32 gap;

	if (!a.m)
		return b;
	if (!b.m)
		return a;
	if (a.exp < b.exp || (a.exp == b.exp && a.m < b.m)) {
		t = a;
		a = b;
		b = t;
	}
	gap = a.exp - b.exp;
	b.m = gap > 127 ? 0 : b.m >> gap;
	if (a.sign != b.sign) {
		a.m -= b.m;
		return wide_normal(a);
	}
	t.m = a.m + b.m;
	if (t.m < a.m) {
		a.m = t.m >> 1 | (wide)1 << 127;
		a.exp++;
	} else {
		a.m = t.m;
	}
	return a;
}

struct x87_wide wide_sub(struct x87_wide a, struct x87_wide b)
{
	b.sign ^= 1;
	return wide_add(a, b);
}

struct x87_wide wide_div(struct x87_wide a, struct x87_wide b)
{
	wide rest = a.m >> 1, by = b.m >> 1, q = 0;
	int n;

	for (n = 0; n < 128; n++) {
		q <<= 1;
		if (rest >= by) {
			rest -= by;
			q |= 1;
		}
		rest <<= 1;
	}
	return wide_normal((struct x87_wide){ q, a.exp - b.exp, a.sign ^ b.sign });
}

struct x87_wide wide_div_small(struct x87_wide a, u32 by)
{
	u64 rest = 0, part;
	wide q = 0;
	int n;

	for (n = 96; n >= 0; n -= 32) {
		part = rest << 32 | (u32)(a.m >> n);
		q = q << 32 | (u32)(part / by);
		rest = part % by;
	}
	a.m = q;
	return wide_normal(a);
}

struct fp_num wide_round(struct fp_env *e, struct x87_wide a)
{
	/* none of these functions gives an exact result where it is called, so something follows the last bit */
	return fp_round(e, &fp_format80, a.sign, a.exp, (u64)(a.m >> 64), (u64)a.m | 1);
}

/* Is t too small to matter beside s? */
static bool vanishes(struct x87_wide t, struct x87_wide s)
{
	return !t.m || t.exp < s.exp - 126;
}

/* |x| <= pi / 4 */
struct x87_wide wide_sin(struct x87_wide x)
{
	struct x87_wide s = x, t = x, x2 = wide_mul(x, x);
	u32 k;

	for (k = 2; !vanishes(t, s); k += 2) {
		t = wide_div_small(wide_mul(t, x2), k * (k + 1));
		t.sign ^= 1;
		s = wide_add(s, t);
	}
	return s;
}

struct x87_wide wide_cos(struct x87_wide x)
{
	struct x87_wide s = wide_int(1), t = s, x2 = wide_mul(x, x);
	u32 k;

	for (k = 1; !vanishes(t, s); k += 2) {
		t = wide_div_small(wide_mul(t, x2), k * (k + 1));
		t.sign ^= 1;
		s = wide_add(s, t);
	}
	return s;
}

/* |x| <= ln 2 */
struct x87_wide wide_exp_minus_1(struct x87_wide x)
{
	struct x87_wide s = x, t = x;
	u32 k;

	for (k = 2; !vanishes(t, s); k++) {
		t = wide_div_small(wide_mul(t, x), k);
		s = wide_add(s, t);
	}
	return s;
}

/* x + x^3/3 + x^5/5 ..., signs alternating for atan; |x| <= 1/5 or so */
static struct x87_wide odd_series(struct x87_wide x, u8 flip)
{
	struct x87_wide s = x, t = x, u = x, x2 = wide_mul(x, x);
	u32 k;

	for (k = 3; !vanishes(u, s); k += 2) {
		t = wide_mul(t, x2);
		t.sign ^= flip;
		u = wide_div_small(t, k);
		s = wide_add(s, u);
	}
	return s;
}

struct x87_wide wide_atanh(struct x87_wide x)
{
	return odd_series(x, 0);
}

/* 0 <= x <= 1: atan(x) = atan(k/8) + atan((x - k/8) / (1 + x k/8)) with the nearest k */
struct x87_wide wide_atan(struct x87_wide x)
{
	struct x87_wide c, u;
	u32 k = 0;

	if (x.exp >= -4)
		k = (u32)(((u64)(x.m >> 64) >> 60 >> (u32)(0 - x.exp)) + 1) / 2;
	if (!k)
		return odd_series(x, 1);
	c = wide_int(k);
	c.exp -= 3;
	u = wide_sub(x, c);
	if (u.m)
		u = odd_series(wide_div(u, wide_add(wide_int(1), wide_mul(x, c))), 1);
	return wide_add(atan_eighths[k], u);
}

struct x87_wide wide_quadrant(struct fp_num x, u32 *k)
{
	struct x87_wide f = { 0, 0, 0 };
	u64 w[7] = { 0 }, carry = 0;
	wide p;
	int n, shift = x.exp + 1;

	x.sign = 0;
	*k = 0;
	if (x.exp < -1)
		return wide_from(x);
	/* w: x * 2 / pi, first 384 bits after the point in w[5] to w[0], whole part in w[6] */
	for (n = 0; n < 5; n++) {
		p = (wide)x.sig * two_over_pi[4 - n] + carry;
		w[n] = (u64)p;
		carry = (u64)(p >> 64);
	}
	w[5] = carry;
	for (n = 6; shift && n >= 0; n--)
		w[n] = w[n] << shift | (n ? w[n - 1] >> (64 - shift) : 0);
	*k = (u32)w[6] & 3;
	if (w[5] >> 63) {
		*k = (*k + 1) & 3;
		f.sign = 1;
		for (n = 0; n < 6; n++)
			w[n] = ~w[n];
	}
	for (n = 5; n > 2 && !w[n]; n--)
		;
	f.exp = (n - 5) * 64 - 1;
	f.m = (wide)w[n] << 64 | w[n - 1];
	shift = __builtin_clzll(w[n] | 1);
	f.m <<= shift;
	f.m |= shift ? w[n - 2] >> (64 - shift) : 0;
	f.exp -= shift;
	return wide_mul(f, wide_half_pi);
}

struct x87_wide wide_log2(struct fp_num x)
{
	struct x87_wide m = wide_from(x), one = wide_int(1), whole, s;
	s32 e = x.exp;

	/* m between 3/4 and 3/2 */
	m.exp = 0;
	if (m.m >> 126 == 3) {
		m.exp = -1;
		e++;
	}
	s = wide_sub(m, one);
	s = wide_mul(wide_atanh(wide_div(s, wide_add(m, one))), log2_e);
	s.exp++;
	whole = wide_int(e < 0 ? (u64)-(s64)e : (u64)e);
	whole.sign = e < 0;
	return wide_add(whole, s);
}

struct x87_wide wide_log2_plus_1(struct fp_num x)
{
	struct x87_wide v = wide_from(x), s;

	s = wide_mul(wide_atanh(wide_div(v, wide_add(v, wide_int(2)))), log2_e);
	s.exp++;
	return s;
}
