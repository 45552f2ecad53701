// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Integer operations that are rarer: multiply-add, absolute differences, SSE3, SSSE3, SSE4.1, SSE4.2. */
#include "simd.h"

#define LANES(lane, type, expr)                                                                                          \
	for (n = 0; n < bytes / sizeof(d->lane[0]); n++) {                                                                \
		type x = d->lane[n], y = s->lane[n];                                                                      \
                                                                                                                          \
		(void)x;                                                                                                  \
		d->lane[n] = (expr);                                                                                      \
	}                                                                                                                 \
	return

static s16 saturate(s32 v)
{
	return (s16)(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
}

/* Horizontal sums and differences: pairs of the destination, then pairs of the source. */
static void horizontal(u32 fn, union x86_v *d, const union x86_v *s, u32 bytes)
{
	bool dwords = fn == X86_V_PHADDD || fn == X86_V_PHSUBD;
	bool minus = fn == X86_V_PHSUBW || fn == X86_V_PHSUBD || fn == X86_V_PHSUBSW;
	bool clip = fn == X86_V_PHADDSW || fn == X86_V_PHSUBSW;
	u32 lanes = bytes / (dwords ? 4 : 2), n, k;
	const union x86_v *from;
	union x86_v r;
	s32 v;

	for (n = 0; n < lanes; n++) {
		from = n < lanes / 2 ? d : s;
		k = n * 2 % lanes;
		if (dwords) {
			r.d[n] = minus ? from->d[k] - from->d[k + 1] : from->d[k] + from->d[k + 1];
		} else {
			v = minus ? from->sw[k] - from->sw[k + 1] : from->sw[k] + from->sw[k + 1];
			r.sw[n] = clip ? saturate(v) : (s16)v;
		}
	}
	memcpy(d, &r, bytes);
}

static void sum_of_differences(union x86_v *d, const union x86_v *s, u32 bytes)
{
	u32 half, n, sum;

	for (half = 0; half < bytes; half += 8) {
		sum = 0;
		for (n = half; n < half + 8; n++)
			sum += d->b[n] > s->b[n] ? (u32)d->b[n] - s->b[n] : (u32)s->b[n] - d->b[n];
		d->q[half / 8] = sum;
	}
}

static void multiple_sums(union x86_v *d, const union x86_v *s, u32 imm)
{
	u32 block = imm & 4, from = (imm & 3) * 4, n, k, sum;
	union x86_v r;

	for (n = 0; n < 8; n++) {
		sum = 0;
		for (k = 0; k < 4; k++) {
			u8 x = d->b[block + n + k], y = s->b[from + k];

			sum += x > y ? (u32)x - y : (u32)y - x;
		}
		r.w[n] = (u16)sum;
	}
	*d = r;
}

/* PMOVSX, PMOVZX: elements of @from bytes become elements of @to bytes. */
static void extend(union x86_v *d, const union x86_v *s, u32 from, u32 to, bool sign)
{
	union x86_v r;
	u32 n, k;
	u8 fill;

	for (n = 0; n < 16 / to; n++) {
		fill = sign && s->b[n * from + from - 1] & 0x80 ? 0xff : 0;
		for (k = 0; k < to; k++)
			r.b[n * to + k] = k < from ? s->b[n * from + k] : fill;
	}
	*d = r;
}

static void align_right(union x86_v *d, const union x86_v *s, u32 bytes, u32 imm)
{
	union x86_v r;
	u32 n, k;

	for (n = 0; n < bytes; n++) {
		k = n + imm;
		r.b[n] = k < bytes ? s->b[k] : k < bytes * 2 ? d->b[k - bytes] : 0;
	}
	memcpy(d, &r, bytes);
}

static void shuffle_bytes(union x86_v *d, const union x86_v *s, u32 bytes)
{
	union x86_v r;
	u32 n;

	for (n = 0; n < bytes; n++)
		r.b[n] = s->b[n] & 0x80 ? 0 : d->b[s->b[n] & (bytes - 1)];
	memcpy(d, &r, bytes);
}

static void shuffle_floats(union x86_v *d, const union x86_v *s, u32 imm, u32 column)
{
	union x86_v r;

	if (column == X86_VEC_66) {
		r.q[0] = d->q[imm & 1];
		r.q[1] = s->q[(imm >> 1) & 1];
	} else {
		r.d[0] = d->d[imm & 3];
		r.d[1] = d->d[(imm >> 2) & 3];
		r.d[2] = s->d[(imm >> 4) & 3];
		r.d[3] = s->d[(imm >> 6) & 3];
	}
	*d = r;
}

static void minimum_position(union x86_v *d, const union x86_v *s)
{
	u32 n, at = 0;

	for (n = 1; n < 8; n++) {
		if (s->w[n] < s->w[at])
			at = n;
	}
	d->q[0] = s->w[at] | (u64)at << 16;
	d->q[1] = 0;
}

/* Elements of @size bytes come from the source where the immediate has a bit set. */
static void blend(union x86_v *d, const union x86_v *s, u32 size, u32 imm)
{
	u32 n;

	for (n = 0; n < 16; n++) {
		if (imm & (1u << (n / size)))
			d->b[n] = s->b[n];
	}
}

void x86_vec_int2(u32 fn, union x86_v *d, const union x86_v *s, u32 bytes, u32 imm, u32 column)
{
	u32 n;

	switch (fn) {
	case X86_V_PMADDWD:
		LANES(d, u32, (u32)((s32)(s16)x * (s16)y) + (u32)((s32)(s16)(x >> 16) * (s16)(y >> 16)));
	case X86_V_PMADDUBSW:
		LANES(w, u16, (u16)saturate((u8)x * (s8)y + (x >> 8) * (s8)(y >> 8)));
	case X86_V_PMULHRSW: LANES(sw, s16, (s16)((((s32)x * y >> 14) + 1) >> 1));
	case X86_V_PSIGNB: LANES(sb, s8, (s8)(y < 0 ? -x : y ? x : 0));
	case X86_V_PSIGNW: LANES(sw, s16, (s16)(y < 0 ? -x : y ? x : 0));
	case X86_V_PSIGND: LANES(d, u32, y >> 31 ? 0 - x : y ? x : 0);
	case X86_V_PABSB: LANES(b, u8, (u8)(y & 0x80 ? 0 - y : y));
	case X86_V_PABSW: LANES(w, u16, (u16)(y & 0x8000 ? 0 - y : y));
	case X86_V_PABSD: LANES(d, u32, y >> 31 ? 0 - y : y);
	case X86_V_PMULDQ: LANES(q, u64, (u64)((s64)(s32)x * (s32)y));
	case X86_V_PCMPEQQ: LANES(q, u64, x == y ? ~0ull : 0);
	case X86_V_PCMPGTQ: LANES(sq, s64, x > y ? -1 : 0);
	case X86_V_PMINSB: LANES(sb, s8, x < y ? x : y);
	case X86_V_PMINSD: LANES(sd, s32, x < y ? x : y);
	case X86_V_PMINUW: LANES(w, u16, x < y ? x : y);
	case X86_V_PMINUD: LANES(d, u32, x < y ? x : y);
	case X86_V_PMAXSB: LANES(sb, s8, x > y ? x : y);
	case X86_V_PMAXSD: LANES(sd, s32, x > y ? x : y);
	case X86_V_PMAXUW: LANES(w, u16, x > y ? x : y);
	case X86_V_PMAXUD: LANES(d, u32, x > y ? x : y);
	case X86_V_PMULLD: LANES(d, u32, x * y);
	case X86_V_PSADBW:
		sum_of_differences(d, s, bytes);
		return;
	case X86_V_MPSADBW:
		multiple_sums(d, s, imm);
		return;
	case X86_V_PHADDW: case X86_V_PHADDD: case X86_V_PHADDSW: case X86_V_PHSUBW: case X86_V_PHSUBD: case X86_V_PHSUBSW:
		horizontal(fn, d, s, bytes);
		return;
	case X86_V_PSHUFB:
		shuffle_bytes(d, s, bytes);
		return;
	case X86_V_PALIGNR:
		align_right(d, s, bytes, imm);
		return;
	case X86_V_SHUFP:
		shuffle_floats(d, s, imm, column);
		return;
	case X86_V_MOVSLDUP:
		d->d[2] = d->d[3] = s->d[2];
		d->d[0] = d->d[1] = s->d[0];
		return;
	case X86_V_MOVSHDUP:
		d->d[2] = d->d[3] = s->d[3];
		d->d[0] = d->d[1] = s->d[1];
		return;
	case X86_V_MOVDDUP:
		d->q[1] = d->q[0] = s->q[0];
		return;
	case X86_V_PHMINPOSUW:
		minimum_position(d, s);
		return;
	case X86_V_BLENDPS: case X86_V_BLENDPD: case X86_V_PBLENDW:
		blend(d, s, fn == X86_V_BLENDPS ? 4 : fn == X86_V_BLENDPD ? 8 : 2, imm);
		return;
	case X86_V_PMOVSXBW: case X86_V_PMOVZXBW:
		extend(d, s, 1, 2, fn == X86_V_PMOVSXBW);
		return;
	case X86_V_PMOVSXBD: case X86_V_PMOVZXBD:
		extend(d, s, 1, 4, fn == X86_V_PMOVSXBD);
		return;
	case X86_V_PMOVSXBQ: case X86_V_PMOVZXBQ:
		extend(d, s, 1, 8, fn == X86_V_PMOVSXBQ);
		return;
	case X86_V_PMOVSXWD: case X86_V_PMOVZXWD:
		extend(d, s, 2, 4, fn == X86_V_PMOVSXWD);
		return;
	case X86_V_PMOVSXWQ: case X86_V_PMOVZXWQ:
		extend(d, s, 2, 8, fn == X86_V_PMOVSXWQ);
		return;
	case X86_V_PMOVSXDQ: case X86_V_PMOVZXDQ:
		extend(d, s, 4, 8, fn == X86_V_PMOVSXDQ);
		return;
	default:
		x86_vec_crypto(fn, d, s, imm);
	}
}
