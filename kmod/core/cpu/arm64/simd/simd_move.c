// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Copies between elements and registers, permutations, extraction, table look-up, immediates (C4.1.97). */
#include "simd.h"

void arm64_vec_copy(struct arm64_cpu *cpu, u32 fn, u32 w)
{
	u32 imm5 = ARM64_BITS(w, 20, 16), size = (u32)__builtin_ctz(imm5 | 0x10), index = imm5 >> (size + 1), i;
	u32 rd = arm64_rd(w), rn = arm64_rn(w), count;
	union arm64_v *d = &cpu->vr[rd];
	u64 v;

	switch (fn) {
	case ARM64_V_SMOV:
		v = arm64_sext(arm64_v_get(&cpu->vr[rn], size, index), 8u << size);
		cpu->x[arm64_dst(rd)] = ARM64_BIT(w, 30) ? v : (u32)v;
		return;
	case ARM64_V_UMOV:
		cpu->x[arm64_dst(rd)] = arm64_v_get(&cpu->vr[rn], size, index);
		return;
	case ARM64_V_INS_GEN:
		arm64_v_put(d, size, index, cpu->x[rn]);
		return;
	case ARM64_V_INS_EL:
		arm64_v_put(d, size, index, arm64_v_get(&cpu->vr[rn], size, ARM64_BITS(w, 14, 11) >> size));
		return;
	default:
		break;
	}
	v = fn == ARM64_V_DUP_GEN ? cpu->x[rn] : arm64_v_get(&cpu->vr[rn], size, index);
	count = fn == ARM64_V_DUP_SCALAR ? 1 : (ARM64_BIT(w, 30) ? 16u : 8u) >> size;
	memset(d, 0, sizeof(*d));
	for (i = 0; i < count; i++)
		arm64_v_put(d, size, i, v);
}

void arm64_vec_permute(const struct arm64_vec_op *o, union arm64_v *d, const union arm64_v *n, const union arm64_v *m)
{
	u32 i, part = ARM64_BIT(o->w, 14), count = o->count, half = count / 2, size = o->size;

	for (i = 0; i < count; i++) {
		const union arm64_v *s;
		u32 at;

		switch (ARM64_BITS(o->w, 13, 12)) {
		case 1:		/* UZP: the even or odd elements of Vm:Vn */
			s = i < half ? n : m;
			at = 2 * (i < half ? i : i - half) + part;
			break;
		case 2:		/* TRN */
			s = i & 1 ? m : n;
			at = (i & ~1u) + part;
			break;
		default:	/* ZIP: halves interleaved */
			s = i & 1 ? m : n;
			at = i / 2 + part * half;
			break;
		}
		arm64_v_put(d, size, i, arm64_v_get(s, size, at));
	}
}

void arm64_vec_extract(struct arm64_cpu *cpu, u32 w)
{
	u32 bytes = ARM64_BIT(w, 30) ? 16 : 8, from = ARM64_BITS(w, 14, 11), i;
	const union arm64_v *n = &cpu->vr[arm64_rn(w)], *m = &cpu->vr[arm64_rm(w)];
	union arm64_v r = { .d = { 0, 0 } };

	for (i = 0; i < bytes; i++)
		r.b[i] = from + i < bytes ? n->b[from + i] : m->b[from + i - bytes];
	cpu->vr[arm64_rd(w)] = r;
}

void arm64_vec_table(struct arm64_cpu *cpu, u32 w)
{
	u32 bytes = ARM64_BIT(w, 30) ? 16 : 8, size = 16 * (ARM64_BITS(w, 14, 13) + 1), rn = arm64_rn(w), i;
	const union arm64_v *m = &cpu->vr[arm64_rm(w)];
	union arm64_v r = { .d = { 0, 0 } };

	if (ARM64_BIT(w, 12))	/* TBX */
		r = cpu->vr[arm64_rd(w)];
	for (i = 0; i < bytes; i++) {
		u32 at = m->b[i];

		if (at < size)
			r.b[i] = cpu->vr[(rn + at / 16) & 31].b[at & 15];
		else if (!ARM64_BIT(w, 12))
			r.b[i] = 0;
	}
	if (bytes == 8)
		r.d[1] = 0;
	cpu->vr[arm64_rd(w)] = r;
}

static u64 repeat(u64 v, u32 bits)
{
	for (; bits < 64; bits *= 2)
		v |= v << bits;
	return v;
}

/* AdvSIMDExpandImm() (J1) */
static u64 expand(u32 op, u32 cmode, u32 imm8)
{
	u64 v = 0;
	u32 i;

	switch (cmode >> 1) {
	case 0:
	case 1:
	case 2:
	case 3:
		return repeat((u64)imm8 << (8 * (cmode >> 1)), 32);
	case 4:
	case 5:
		return repeat((u64)imm8 << (8 * ((cmode >> 1) & 1)), 16);
	case 6:
		return repeat(cmode & 1 ? (u64)imm8 << 16 | 0xffff : (u64)imm8 << 8 | 0xff, 32);
	default:
		break;
	}
	if (cmode & 1)
		return op ? arm64_fp_immediate(imm8, 64) : repeat(arm64_fp_immediate(imm8, 32), 32);
	if (!op)
		return repeat(imm8, 8);
	for (i = 0; i < 8; i++)
		v |= (imm8 >> i) & 1 ? 0xffull << (8 * i) : 0;
	return v;
}

void arm64_vec_immediate(struct arm64_cpu *cpu, u32 w)
{
	u32 op = ARM64_BIT(w, 29), cmode = ARM64_BITS(w, 15, 12);
	u64 v = expand(op, cmode, ARM64_BITS(w, 18, 16) << 5 | ARM64_BITS(w, 9, 5));
	union arm64_v *d = &cpu->vr[arm64_rd(w)];

	if (cmode < 12 && (cmode & 1)) {
		/* ORR, BIC */
		d->d[0] = op ? d->d[0] & ~v : d->d[0] | v;
		d->d[1] = op ? d->d[1] & ~v : d->d[1] | v;
	} else {
		if (op && cmode < 14)
			v = ~v;		/* MVNI */
		d->d[0] = v;
		d->d[1] = v;
	}
	if (!ARM64_BIT(w, 30))
		d->d[1] = 0;
}
