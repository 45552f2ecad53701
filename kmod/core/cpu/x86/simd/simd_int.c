// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Integer operations on MMX and XMM registers: logic, comparisons, sums, shifts, shuffles (2A, 2B: each instruction's page). */
#include "simd.h"

/* Every lane of the @bytes: @lane is the union's member, x the destination's, y the source's element. */
#define LANES(lane, type, expr)                                                                                          \
	for (n = 0; n < bytes / sizeof(d->lane[0]); n++) {                                                                \
		type x = d->lane[n], y = s->lane[n];                                                                      \
                                                                                                                          \
		(void)x;                                                                                                  \
		d->lane[n] = (expr);                                                                                      \
	}                                                                                                                 \
	return

static s32 bounded(s32 v, s32 low, s32 high)
{
	return v < low ? low : v > high ? high : v;
}

/* Interleave elements of @size bytes from the low (or high) halves. */
static void unpack(union x86_v *d, const union x86_v *s, u32 bytes, u32 size, bool high)
{
	u32 half = bytes / 2, n, k;
	union x86_v r;

	for (n = 0; n < half; n += size) {
		for (k = 0; k < size; k++) {
			r.b[n * 2 + k] = d->b[n + k + (high ? half : 0)];
			r.b[n * 2 + size + k] = s->b[n + k + (high ? half : 0)];
		}
	}
	memcpy(d, &r, bytes);
}

static void pack(u32 fn, union x86_v *d, const union x86_v *s, u32 bytes)
{
	u32 half, n;
	union x86_v r;
	s32 v;

	if (fn == X86_V_PACKSSWB || fn == X86_V_PACKUSWB) {
		half = bytes / 2;
		for (n = 0; n < bytes; n++) {
			v = n < half ? d->sw[n] : s->sw[n - half];
			r.b[n] = (u8)(fn == X86_V_PACKSSWB ? bounded(v, -128, 127) : bounded(v, 0, 255));
		}
	} else {
		half = bytes / 4;
		for (n = 0; n < half * 2; n++) {
			v = n < half ? d->sd[n] : s->sd[n - half];
			r.w[n] = (u16)(fn == X86_V_PACKSSDW ? bounded(v, -32768, 32767) : bounded(v, 0, 65535));
		}
	}
	memcpy(d, &r, bytes);
}

/* Shifts by one count for all elements; counts of the width and more clear, or fill with the sign. */
static void shift(u32 fn, union x86_v *d, u64 count, u32 bytes)
{
	u32 n;

	for (n = 0; n < bytes / 2; n++) {
		switch (fn) {
		case X86_V_PSRLW:
			d->w[n] = count > 15 ? 0 : (u16)(d->w[n] >> count);
			break;
		case X86_V_PSLLW:
			d->w[n] = count > 15 ? 0 : (u16)(d->w[n] << count);
			break;
		case X86_V_PSRAW:
			d->sw[n] = (s16)(d->sw[n] >> (count > 15 ? 15 : count));
			break;
		case X86_V_PSRLD:
			if (n < bytes / 4)
				d->d[n] = count > 31 ? 0 : d->d[n] >> count;
			break;
		case X86_V_PSLLD:
			if (n < bytes / 4)
				d->d[n] = count > 31 ? 0 : d->d[n] << count;
			break;
		case X86_V_PSRAD:
			if (n < bytes / 4)
				d->sd[n] = d->sd[n] >> (count > 31 ? 31 : count);
			break;
		case X86_V_PSRLQ:
			if (n < bytes / 8)
				d->q[n] = count > 63 ? 0 : d->q[n] >> count;
			break;
		default:
			if (n < bytes / 8)
				d->q[n] = count > 63 ? 0 : d->q[n] << count;
		}
	}
}

static void shuffle(u32 fn, union x86_v *d, const union x86_v *s, u32 imm)
{
	union x86_v r = *s;
	u32 n;

	for (n = 0; n < 4; n++) {
		u32 from = (imm >> (n * 2)) & 3;

		if (fn == X86_V_PSHUFD)
			r.d[n] = s->d[from];
		else if (fn == X86_V_PSHUFHW)
			r.w[n + 4] = s->w[from + 4];
		else
			r.w[n] = s->w[from];
	}
	if (fn == X86_V_PSHUFW)
		d->q[0] = r.q[0];
	else
		*d = r;
}

void x86_vec_int(u32 fn, union x86_v *d, const union x86_v *s, u32 bytes, u32 imm, u32 column)
{
	u32 n;

	switch (fn) {
	case X86_V_PXOR: case X86_V_XORP:
		d->q[0] ^= s->q[0];
		if (bytes == 16)
			d->q[1] ^= s->q[1];
		return;
	case X86_V_POR: case X86_V_ORP:
		d->q[0] |= s->q[0];
		if (bytes == 16)
			d->q[1] |= s->q[1];
		return;
	case X86_V_PAND: case X86_V_ANDP:
		d->q[0] &= s->q[0];
		if (bytes == 16)
			d->q[1] &= s->q[1];
		return;
	case X86_V_PANDN: case X86_V_ANDNP:
		d->q[0] = ~d->q[0] & s->q[0];
		if (bytes == 16)
			d->q[1] = ~d->q[1] & s->q[1];
		return;
	case X86_V_PCMPEQB: LANES(b, u8, x == y ? 0xff : 0);
	case X86_V_PCMPEQW: LANES(w, u16, x == y ? 0xffff : 0);
	case X86_V_PCMPEQD: LANES(d, u32, x == y ? ~0u : 0);
	case X86_V_PCMPGTB: LANES(sb, s8, (s8)(x > y ? -1 : 0));
	case X86_V_PCMPGTW: LANES(sw, s16, (s16)(x > y ? -1 : 0));
	case X86_V_PCMPGTD: LANES(sd, s32, x > y ? -1 : 0);
	case X86_V_PADDB: LANES(b, u8, (u8)(x + y));
	case X86_V_PADDW: LANES(w, u16, (u16)(x + y));
	case X86_V_PADDD: LANES(d, u32, x + y);
	case X86_V_PADDQ: LANES(q, u64, x + y);
	case X86_V_PSUBB: LANES(b, u8, (u8)(x - y));
	case X86_V_PSUBW: LANES(w, u16, (u16)(x - y));
	case X86_V_PSUBD: LANES(d, u32, x - y);
	case X86_V_PSUBQ: LANES(q, u64, x - y);
	case X86_V_PMINUB: LANES(b, u8, x < y ? x : y);
	case X86_V_PMAXUB: LANES(b, u8, x > y ? x : y);
	case X86_V_PMINSW: LANES(sw, s16, x < y ? x : y);
	case X86_V_PMAXSW: LANES(sw, s16, x > y ? x : y);
	case X86_V_PADDUSB: LANES(b, u8, x + y > 255 ? 255 : (u8)(x + y));
	case X86_V_PADDUSW: LANES(w, u16, x + y > 65535 ? 65535 : (u16)(x + y));
	case X86_V_PADDSB: LANES(sb, s8, (s8)bounded(x + y, -128, 127));
	case X86_V_PADDSW: LANES(sw, s16, (s16)bounded(x + y, -32768, 32767));
	case X86_V_PSUBUSB: LANES(b, u8, x < y ? 0 : (u8)(x - y));
	case X86_V_PSUBUSW: LANES(w, u16, x < y ? 0 : (u16)(x - y));
	case X86_V_PSUBSB: LANES(sb, s8, (s8)bounded(x - y, -128, 127));
	case X86_V_PSUBSW: LANES(sw, s16, (s16)bounded(x - y, -32768, 32767));
	case X86_V_PAVGB: LANES(b, u8, (u8)((x + y + 1) >> 1));
	case X86_V_PAVGW: LANES(w, u16, (u16)((x + y + 1) >> 1));
	case X86_V_PMULLW: LANES(w, u16, (u16)((u32)x * y));
	case X86_V_PMULHW: LANES(sw, s16, (s16)((s32)x * y >> 16));
	case X86_V_PMULHUW: LANES(w, u16, (u16)((u32)x * y >> 16));
	case X86_V_PMULUDQ: LANES(q, u64, (u64)(u32)x * (u32)y);
	case X86_V_PUNPCKLBW: case X86_V_PUNPCKHBW:
		unpack(d, s, bytes, 1, fn == X86_V_PUNPCKHBW);
		return;
	case X86_V_PUNPCKLWD: case X86_V_PUNPCKHWD:
		unpack(d, s, bytes, 2, fn == X86_V_PUNPCKHWD);
		return;
	case X86_V_PUNPCKLDQ: case X86_V_PUNPCKHDQ:
		unpack(d, s, bytes, 4, fn == X86_V_PUNPCKHDQ);
		return;
	case X86_V_UNPCKL: case X86_V_UNPCKH:
		unpack(d, s, 16, column == X86_VEC_66 ? 8 : 4, fn == X86_V_UNPCKH);
		return;
	case X86_V_PUNPCKLQDQ:
		d->q[1] = s->q[0];
		return;
	case X86_V_PUNPCKHQDQ:
		d->q[0] = d->q[1];
		d->q[1] = s->q[1];
		return;
	case X86_V_PACKSSWB: case X86_V_PACKUSWB: case X86_V_PACKSSDW: case X86_V_PACKUSDW:
		pack(fn, d, s, bytes);
		return;
	case X86_V_PSRLW: case X86_V_PSLLW: case X86_V_PSRAW: case X86_V_PSRLD: case X86_V_PSLLD: case X86_V_PSRAD:
	case X86_V_PSRLQ: case X86_V_PSLLQ:
		shift(fn, d, s->q[0], bytes);
		return;
	case X86_V_PSHUFD: case X86_V_PSHUFW: case X86_V_PSHUFHW: case X86_V_PSHUFLW:
		shuffle(fn, d, s, imm);
		return;
	default:
		x86_vec_int2(fn, d, s, bytes, imm, column);
	}
}
