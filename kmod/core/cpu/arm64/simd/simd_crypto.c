// SPDX-License-Identifier: GPL-2.0 OR MIT
/* AES rounds (FIPS 197), SHA-1 and SHA-256 steps (FIPS 180-4), carry-less multiplication (J1, PolynomialMult()). */
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

static u8 turn8(u8 v, u32 n)
{
	return (u8)(v << n | v >> (8 - n));
}

/* x^254: the inverse, and 0 for 0; by powers 2, 3, 12, 15, 240, 252 */
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

	return (u8)(v ^ turn8(v, 1) ^ turn8(v, 2) ^ turn8(v, 3) ^ turn8(v, 4) ^ 0x63);
}

static u8 substitute_back(u8 x)
{
	return inverse((u8)(turn8(x, 1) ^ turn8(x, 3) ^ turn8(x, 6) ^ 0x05));
}

/* AESE, AESD: add the key, then rows move and bytes are substituted; byte 4c + r is row r of column c. */
static void aes_round(union arm64_v *d, const union arm64_v *key, bool back)
{
	union arm64_v s;
	u32 n;

	s.d[0] = d->d[0] ^ key->d[0];
	s.d[1] = d->d[1] ^ key->d[1];
	for (n = 0; n < 16; n++) {
		u8 v = s.b[(n + (back ? 16 - 4 * (n & 3) : 4 * (n & 3))) & 15];

		d->b[n] = back ? substitute_back(v) : substitute(v);
	}
}

static void mix_columns(union arm64_v *d, const union arm64_v *s, bool back)
{
	static const u8 forward[4] = { 2, 3, 1, 1 }, inverse_[4] = { 14, 11, 13, 9 };
	const u8 *factor = back ? inverse_ : forward;
	u32 n, i;

	for (n = 0; n < 16; n++) {
		u8 v = 0;

		for (i = 0; i < 4; i++)
			v ^= times(s->b[(n & ~3u) + ((n + i) & 3)], factor[i]);
		d->b[n] = v;
	}
}

static u32 rol(u32 v, u32 n)
{
	return v << n | v >> (32 - n);
}

static u32 ror(u32 v, u32 n)
{
	return v >> n | v << (32 - n);
}

/* Four SHA-1 rounds; e is element 0 of Vn. */
static void sha1_rounds(union arm64_v *d, u32 e, const union arm64_v *w, u32 fn)
{
	u32 a = d->s[0], b = d->s[1], c = d->s[2], x = d->s[3], n, f, t;

	for (n = 0; n < 4; n++) {
		f = fn == ARM64_V_SHA1C ? (b & c) | (~b & x) : fn == ARM64_V_SHA1P ? b ^ c ^ x : (b & c) | (b & x) | (c & x);
		t = e + rol(a, 5) + f + w->s[n];
		e = x;
		x = c;
		c = rol(b, 30);
		b = a;
		a = t;
	}
	d->s[0] = a;
	d->s[1] = b;
	d->s[2] = c;
	d->s[3] = x;
}

/* Four SHA-256 rounds on abcd and efgh; both are changed. */
static void sha256_rounds(u32 *x, u32 *y, const union arm64_v *w)
{
	u32 n, t1, t2;

	for (n = 0; n < 4; n++) {
		t1 = y[3] + (ror(y[0], 6) ^ ror(y[0], 11) ^ ror(y[0], 25)) + ((y[0] & y[1]) ^ (~y[0] & y[2])) + w->s[n];
		t2 = (ror(x[0], 2) ^ ror(x[0], 13) ^ ror(x[0], 22)) + ((x[0] & x[1]) ^ (x[0] & x[2]) ^ (x[1] & x[2]));
		y[3] = y[2];
		y[2] = y[1];
		y[1] = y[0];
		y[0] = x[3] + t1;
		x[3] = x[2];
		x[2] = x[1];
		x[1] = x[0];
		x[0] = t1 + t2;
	}
}

static u32 sigma0(u32 v)
{
	return ror(v, 7) ^ ror(v, 18) ^ v >> 3;
}

static u32 sigma1(u32 v)
{
	return ror(v, 17) ^ ror(v, 19) ^ v >> 10;
}

static void sha1(union arm64_v *d, const union arm64_v *n, const union arm64_v *m, u32 fn)
{
	union arm64_v o = *d;
	u32 i, t;

	switch (fn) {
	case ARM64_V_SHA1H:
		d->d[0] = rol(n->s[0], 30);
		d->d[1] = 0;
		break;
	case ARM64_V_SHA1SU0:
		for (i = 0; i < 4; i++)
			d->s[i] = o.s[i] ^ m->s[i] ^ (i < 2 ? o.s[i + 2] : n->s[i - 2]);
		break;
	case ARM64_V_SHA1SU1:
		for (i = 0; i < 3; i++)
			d->s[i] = rol(o.s[i] ^ n->s[i + 1], 1);
		t = rol(o.s[3], 1);
		d->s[3] = t ^ rol(d->s[0], 1);
		break;
	default:
		sha1_rounds(d, n->s[0], m, fn);
		break;
	}
}

static void sha256(union arm64_v *d, const union arm64_v *n, const union arm64_v *m, u32 fn)
{
	union arm64_v o = *d, other = *n;
	u32 i;

	switch (fn) {
	case ARM64_V_SHA256H:
		sha256_rounds(o.s, other.s, m);
		*d = o;
		break;
	case ARM64_V_SHA256H2:
		sha256_rounds(other.s, o.s, m);
		*d = o;
		break;
	case ARM64_V_SHA256SU0:
		for (i = 0; i < 4; i++)
			d->s[i] = o.s[i] + sigma0(i < 3 ? o.s[i + 1] : n->s[0]);
		break;
	default:	/* SHA256SU1: the last two need the first two */
		for (i = 0; i < 4; i++)
			d->s[i] = o.s[i] + (i < 3 ? n->s[i + 1] : m->s[0]) + sigma1(i < 2 ? m->s[i + 2] : d->s[i - 2]);
		break;
	}
}

void arm64_vec_crypto(struct arm64_cpu *cpu, u32 fn, u32 w)
{
	union arm64_v *d = &cpu->vr[arm64_rd(w)], n = cpu->vr[arm64_rn(w)], m = cpu->vr[arm64_rm(w)];

	switch (fn) {
	case ARM64_V_AESE:
	case ARM64_V_AESD:
		aes_round(d, &n, fn == ARM64_V_AESD);
		break;
	case ARM64_V_AESMC:
	case ARM64_V_AESIMC:
		mix_columns(d, &n, fn == ARM64_V_AESIMC);
		break;
	case ARM64_V_SHA256H:
	case ARM64_V_SHA256H2:
	case ARM64_V_SHA256SU0:
	case ARM64_V_SHA256SU1:
		sha256(d, &n, &m, fn);
		break;
	default:
		sha1(d, &n, &m, fn);
		break;
	}
}

void arm64_polynomial64(u64 a, u64 b, u64 *low, u64 *high)
{
	u64 l = 0, h = 0;
	u32 n;

	for (n = 0; n < 64; n++) {
		u64 take = 0 - ((b >> n) & 1);

		l ^= (a << n) & take;
		h ^= (n ? a >> (64 - n) : 0) & take;
	}
	*low = l;
	*high = h;
}
