// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Vector instructions on the general path: availability, operands, moves; what they compute is in simd_*.c. */
#include "simd.h"

#define TRY(call)                                                                                                        \
	do {                                                                                                              \
		enum x86_leave leave_ = (call);                                                                           \
		if (leave_)                                                                                               \
			return leave_;                                                                                    \
	} while (0)

struct operands {
	const struct x86_vec_row *row;
	u32 fn;
	u32 column;
	bool mmx;	/* MMX registers */
	u32 bytes;	/* width of a register: 8 or 16 */
	union x86_v s;	/* source */
};

/* 3A table 2-2 and 13.1: #UD before #NM before pending x87 errors. */
static enum x86_leave available(struct x86_cpu *cpu, const struct operands *o)
{
	u32 has = o->row->has;

	if (!o->mmx && (has == X86_HAS_MMX || (has == X86_HAS_SSE && (o->column == X86_VEC_66 || o->column == X86_VEC_F2))))
		has = X86_HAS_SSE2;
	if (!x86_has(cpu, has) || (cpu->cr0 & CR0_EM) || (!o->mmx && !(cpu->cr4 & CR4_OSFXSR)))
		return x86_raise(cpu, X86_UD);
	if (cpu->cr0 & CR0_TS)
		return x86_raise(cpu, X86_NM);
	return o->mmx ? x87_pending(cpu) : X86_NEXT;
}

/* 1 11.5.4: #XM, or #UD if the operating system does not expect it. */
static enum x86_leave trap(struct x86_cpu *cpu)
{
	return x86_raise(cpu, cpu->cr4 & CR4_OSXMMEXCPT ? X86_XM : X86_UD);
}

static enum x86_leave aligned(struct x86_cpu *cpu, struct x86_insn *i, const struct operands *o, u32 size)
{
	u64 lin;

	if (size != 16 || (o->row->flags & VF_ANY) ||
	    ((o->fn == X86_V_MOVDQ || o->fn == X86_V_MOVDQ_ST) && o->column == X86_VEC_F3))
		return X86_NEXT;
	TRY(x86_linear(cpu, i->seg, x86_ea(cpu, i), 16, 0, &lin));
	return lin & 15 ? x86_raise_error(cpu, X86_GP, 0) : X86_NEXT;
}

static u32 memory_size(const struct operands *o)
{
	if (o->row->flags & VF_M2)
		return 2;
	if (o->row->flags & VF_M4)
		return 4;
	if ((o->row->flags & VF_M8) || o->mmx)
		return 8;
	if (o->row->kind == VC_FP && o->column >= X86_VEC_F3)
		return o->column == X86_VEC_F3 ? 4 : 8;
	return 16;
}

static enum x86_leave load(struct x86_cpu *cpu, struct x86_insn *i, struct operands *o, u32 size)
{
	memset(&o->s, 0, sizeof(o->s));
	if (i->flags & X86_I_MEM) {
		TRY(aligned(cpu, i, o, size));
		return x86_read_block(cpu, i->seg, x86_ea(cpu, i), &o->s, size);
	}
	if (o->mmx)
		o->s.q[0] = cpu->fpu.st[i->rm & 7].sig;
	else
		o->s = *x86_xmm(cpu, i->rm);
	return X86_NEXT;
}

static enum x86_leave store(struct x86_cpu *cpu, struct x86_insn *i, struct operands *o, const void *v, u32 size)
{
	TRY(aligned(cpu, i, o, size));
	return x86_write_block(cpu, i->seg, x86_ea(cpu, i), v, size);
}

static union x86_v mm_get(struct x86_cpu *cpu, u32 n)
{
	union x86_v v;

	v.q[0] = cpu->fpu.st[n & 7].sig;
	v.q[1] = 0;
	return v;
}

static void mm_put(struct x86_cpu *cpu, u32 n, u64 v)
{
	cpu->fpu.st[n & 7].sig = v;
	cpu->fpu.st[n & 7].se = 0xffff;
}

/* A general register or memory of @size bytes. */
static enum x86_leave load_general(struct x86_cpu *cpu, struct x86_insn *i, u32 size, u64 *v)
{
	if (i->flags & X86_I_MEM)
		return x86_read(cpu, i->seg, x86_ea(cpu, i), size, v);
	*v = x86_reg_get(cpu, i->rm * 8u, size);
	return X86_NEXT;
}

/* ... as destination; a register is written whole. */
static enum x86_leave store_general(struct x86_cpu *cpu, struct x86_insn *i, u32 size, u64 v)
{
	if (i->flags & X86_I_MEM)
		return x86_write(cpu, i->seg, x86_ea(cpu, i), size, v);
	cpu->r[i->rm] = size == 8 ? v : size == 4 ? (u32)v : size == 2 ? (u16)v : (u8)v;
	return X86_NEXT;
}

static enum x86_leave move(struct x86_cpu *cpu, struct x86_insn *i, struct operands *o)
{
	union x86_v *d = x86_xmm(cpu, i->reg), *rm = x86_xmm(cpu, i->rm & 15);
	bool mem = i->flags & X86_I_MEM;
	u32 size = o->column == X86_VEC_F3 ? 4 : 8, wide = i->size == 8 ? 8 : 4;
	u64 v;

	switch (o->fn) {
	case X86_V_MOVU: case X86_V_MOVA: case X86_V_MOVDQ: case X86_V_LDDQU: case X86_V_MOVNTDQA:
		TRY(load(cpu, i, o, 16));
		*d = o->s;
		return X86_NEXT;
	case X86_V_MOVU_ST: case X86_V_MOVA_ST: case X86_V_MOVDQ_ST: case X86_V_MOVNTP: case X86_V_MOVNTDQ:
		if (mem)
			return store(cpu, i, o, d, 16);
		*rm = *d;
		return X86_NEXT;
	case X86_V_MOVS_LD:
		TRY(load(cpu, i, o, size));
		if (mem)
			d->q[1] = 0;
		if (size == 8)
			d->q[0] = o->s.q[0];
		else if (mem)
			d->q[0] = o->s.d[0];
		else
			d->d[0] = o->s.d[0];
		return X86_NEXT;
	case X86_V_MOVS_ST:
		if (mem)
			return store(cpu, i, o, d, size);
		if (size == 8)
			rm->q[0] = d->q[0];
		else
			rm->d[0] = d->d[0];
		return X86_NEXT;
	case X86_V_MOVL: case X86_V_MOVLPD:
		TRY(load(cpu, i, o, 8));
		d->q[0] = mem ? o->s.q[0] : o->s.q[1];	/* the register form is MOVHLPS */
		return X86_NEXT;
	case X86_V_MOVH: case X86_V_MOVHPD:
		TRY(load(cpu, i, o, 8));
		d->q[1] = o->s.q[0];
		return X86_NEXT;
	case X86_V_MOVL_ST:
		return store(cpu, i, o, &d->q[0], 8);
	case X86_V_MOVH_ST:
		return store(cpu, i, o, &d->q[1], 8);
	case X86_V_MOVD:
		TRY(load_general(cpu, i, wide, &v));
		if (o->mmx) {
			mm_put(cpu, i->reg, v);
		} else {
			d->q[0] = v;
			d->q[1] = 0;
		}
		return X86_NEXT;
	case X86_V_MOVD_ST:
		return store_general(cpu, i, wide, o->mmx ? cpu->fpu.st[i->reg & 7].sig : d->q[0]);
	case X86_V_MOVQ_MM:
		TRY(load(cpu, i, o, 8));
		mm_put(cpu, i->reg, o->s.q[0]);
		return X86_NEXT;
	case X86_V_MOVQ_MM_ST: case X86_V_MOVNTQ:
		v = cpu->fpu.st[i->reg & 7].sig;
		if (mem)
			return store(cpu, i, o, &v, 8);
		mm_put(cpu, i->rm, v);
		return X86_NEXT;
	case X86_V_MOVQ:
		TRY(load(cpu, i, o, 8));
		d->q[0] = o->s.q[0];
		d->q[1] = 0;
		return X86_NEXT;
	case X86_V_MOVQ_ST:
		if (mem)
			return store(cpu, i, o, d, 8);
		rm->q[0] = d->q[0];
		rm->q[1] = 0;
		return X86_NEXT;
	case X86_V_MOVQ2DQ:
		d->q[0] = cpu->fpu.st[i->rm & 7].sig;
		d->q[1] = 0;
		return X86_NEXT;
	default:	/* MOVDQ2Q */
		mm_put(cpu, i->reg, rm->q[0]);
		return X86_NEXT;
	}
}

static u32 mask_bits(const union x86_v *v, u32 lanes, u32 size)
{
	u32 n, r = 0;

	for (n = 0; n < lanes; n++)
		r |= (u32)(v->b[n * size + size - 1] >> 7) << n;
	return r;
}

/* PINSR*, PEXTR*, MOVMSK and the like: vector to and from general registers. */
static enum x86_leave element(struct x86_cpu *cpu, struct x86_insn *i, struct operands *o)
{
	u32 imm = (u8)i->imm, wide = i->size == 8 ? 8 : 4;
	union x86_v *d = x86_xmm(cpu, i->reg), *rm = x86_xmm(cpu, i->rm & 15), v;
	bool mem = i->flags & X86_I_MEM;
	u64 x;

	switch (o->fn) {
	case X86_V_PINSRW:
		TRY(load_general(cpu, i, 2, &x));
		if (!o->mmx) {
			d->w[imm & 7] = (u16)x;
			return X86_NEXT;
		}
		v = mm_get(cpu, i->reg);
		v.w[imm & 3] = (u16)x;
		mm_put(cpu, i->reg, v.q[0]);
		return X86_NEXT;
	case X86_V_PINSRB:
		TRY(load_general(cpu, i, 1, &x));
		d->b[imm & 15] = (u8)x;
		return X86_NEXT;
	case X86_V_PINSRD:
		TRY(load_general(cpu, i, wide, &x));
		if (wide == 8)
			d->q[imm & 1] = x;
		else
			d->d[imm & 3] = (u32)x;
		return X86_NEXT;
	case X86_V_INSERTPS:
		TRY(load(cpu, i, o, 4));
		d->d[(imm >> 4) & 3] = o->s.d[mem ? 0 : imm >> 6];
		for (x = 0; x < 4; x++) {
			if (imm & (1u << x))
				d->d[x] = 0;
		}
		return X86_NEXT;
	case X86_V_PEXTRW:
		if (o->mmx) {
			v = mm_get(cpu, i->rm);
			cpu->r[i->reg] = v.w[imm & 3];
		} else {
			cpu->r[i->reg] = rm->w[imm & 7];
		}
		return X86_NEXT;
	case X86_V_PEXTRB:
		return store_general(cpu, i, 1, d->b[imm & 15]);
	case X86_V_PEXTRW_ST:
		return store_general(cpu, i, 2, d->w[imm & 7]);
	case X86_V_PEXTRD:
		return store_general(cpu, i, wide, wide == 8 ? d->q[imm & 1] : d->d[imm & 3]);
	case X86_V_EXTRACTPS:
		return store_general(cpu, i, 4, d->d[imm & 3]);
	case X86_V_MOVMSKP:
		cpu->r[i->reg] = o->column == X86_VEC_NP ? mask_bits(rm, 4, 4) : mask_bits(rm, 2, 8);
		return X86_NEXT;
	default:	/* PMOVMSKB */
		v = o->mmx ? mm_get(cpu, i->rm) : *rm;
		cpu->r[i->reg] = mask_bits(&v, o->bytes, 1);
		return X86_NEXT;
	}
}

static const u16 shift_digits[3][8] = {
	{ 0, 0, X86_V_PSRLW, 0, X86_V_PSRAW, 0, X86_V_PSLLW, 0 },
	{ 0, 0, X86_V_PSRLD, 0, X86_V_PSRAD, 0, X86_V_PSLLD, 0 },
	{ 0, 0, X86_V_PSRLQ, X86_V_NONE, 0, 0, X86_V_PSLLQ, X86_V_NONE },
};

static enum x86_leave shift_immediate(struct x86_cpu *cpu, struct x86_insn *i, struct operands *o)
{
	union x86_v v = o->mmx ? mm_get(cpu, i->rm) : *x86_xmm(cpu, i->rm), count, r;
	u32 imm = (u8)i->imm, digit = i->reg & 7, n;

	memset(&count, 0, sizeof(count));
	count.q[0] = imm;
	if (o->fn == X86_V_SHIFTQ && (digit & 3) == 3) {	/* PSRLDQ, PSLLDQ */
		for (n = 0; n < 16; n++) {
			if (digit == 3)
				r.b[n] = n + imm < 16 ? v.b[n + imm] : 0;
			else
				r.b[n] = n >= imm ? v.b[n - imm] : 0;
		}
		v = r;
	} else {
		x86_vec_int(shift_digits[o->fn - X86_V_SHIFTW][digit], &v, &count, o->bytes, 0, 0);
	}
	if (o->mmx)
		mm_put(cpu, i->rm, v.q[0]);
	else
		*x86_xmm(cpu, i->rm) = v;
	return X86_NEXT;
}

/* MASKMOVQ, MASKMOVDQU: the bytes whose mask has its top bit set go to DS:(E/R)DI. */
static enum x86_leave masked_store(struct x86_cpu *cpu, struct x86_insn *i, struct operands *o)
{
	union x86_v v = o->mmx ? mm_get(cpu, i->reg) : *x86_xmm(cpu, i->reg);
	union x86_v m = o->mmx ? mm_get(cpu, i->rm) : *x86_xmm(cpu, i->rm);
	u64 to = x86_reg_get(cpu, X86_RDI * 8, i->asize), lin;
	u32 n, how = X86_WRITE | (cpu->cpl == 3 ? X86_USER : 0), last = 16;
	u8 *host;
	u64 gpa;

	/* every page is looked at first, so that a fault leaves memory alone; no mask bit: no access */
	for (n = 0; n < o->bytes; n++) {
		if (!(m.b[n] & 0x80))
			continue;
		TRY(x86_linear(cpu, i->seg, (to + n) & x86_size_mask(i->asize), 1, X86_WRITE, &lin));
		if (last == 16 || !(lin & ~HV_PAGE_MASK))
			TRY(x86_translate(cpu, lin, how, &host, &gpa));
		last = n;
	}
	for (n = 0; n < o->bytes; n++) {
		if (m.b[n] & 0x80)
			TRY(x86_write(cpu, i->seg, (to + n) & x86_size_mask(i->asize), 1, v.b[n]));
	}
	return X86_NEXT;
}

static void blend_by_mask(struct x86_cpu *cpu, u32 n, const struct operands *o)
{
	u32 size = o->fn == X86_V_PBLENDVB ? 1 : o->fn == X86_V_BLENDVPS ? 4 : 8, k;
	union x86_v mask = *x86_xmm(cpu, 0), *d = x86_xmm(cpu, n);

	for (k = 0; k < 16; k++) {
		if (mask.b[k | (size - 1)] & 0x80)
			d->b[k] = o->s.b[k];
	}
}

/* Between floating point and integers, single values and MMX registers. */
static enum x86_leave convert(struct x86_cpu *cpu, struct x86_insn *i, struct operands *o)
{
	bool narrow = o->column == X86_VEC_F3, truncate = o->fn == X86_V_CVTTS2SI;
	union x86_v *d = x86_xmm(cpu, i->reg), r;
	u32 wide = i->size == 8 ? 8 : 4;
	u64 v;

	switch (o->fn) {
	case X86_V_CVTSI2S:
		TRY(load_general(cpu, i, wide, &v));
		if (!x86_vec_from_int(cpu, x86_sign_extend(v, wide), narrow, &v))
			return trap(cpu);
		if (narrow)
			d->d[0] = (u32)v;
		else
			d->q[0] = v;
		return X86_NEXT;
	case X86_V_CVTTS2SI: case X86_V_CVTS2SI:
		TRY(load(cpu, i, o, narrow ? 4 : 8));
		if (!x86_vec_to_int(cpu, o->s.q[0], narrow, truncate, wide * 8, &v))
			return trap(cpu);
		cpu->r[i->reg] = wide == 8 ? v : (u32)v;
		return X86_NEXT;
	case X86_V_CVTPI2P:
		TRY(i->flags & X86_I_MEM ? X86_NEXT : x87_pending(cpu));
		TRY(load(cpu, i, o, 8));
		if (!(i->flags & X86_I_MEM)) {
			o->s = mm_get(cpu, i->rm);
			x87_to_mmx(cpu);
		}
		return x86_vec_convert(cpu, o->fn, d, &o->s, o->column) ? X86_NEXT : trap(cpu);
	case X86_V_CVTTP2PI: case X86_V_CVTP2PI:
		TRY(x87_pending(cpu));
		TRY(load(cpu, i, o, o->column == X86_VEC_NP ? 8 : 16));
		x87_to_mmx(cpu);
		r = mm_get(cpu, i->reg);
		if (!x86_vec_convert(cpu, o->fn, &r, &o->s, o->column))
			return trap(cpu);
		mm_put(cpu, i->reg, r.q[0]);
		return X86_NEXT;
	default:
		TRY(load(cpu, i, o, o->fn == X86_V_CVTS2S ? (narrow ? 4 : 8) : memory_size(o)));
		return x86_vec_convert(cpu, o->fn, d, &o->s, o->column) ? X86_NEXT : trap(cpu);
	}
}

static enum x86_leave misc(struct x86_cpu *cpu, struct x86_insn *i, struct operands *o)
{
	union x86_v *d = x86_xmm(cpu, i->reg), a;
	u32 column = o->column;

	switch (o->fn) {
	case X86_V_SHIFTW: case X86_V_SHIFTD: case X86_V_SHIFTQ:
		return shift_immediate(cpu, i, o);
	case X86_V_MASKMOV:
		return masked_store(cpu, i, o);
	case X86_V_PINSRW: case X86_V_PINSRB: case X86_V_PINSRD: case X86_V_INSERTPS: case X86_V_PEXTRW: case X86_V_PEXTRB:
	case X86_V_PEXTRW_ST: case X86_V_PEXTRD: case X86_V_EXTRACTPS: case X86_V_MOVMSKP: case X86_V_PMOVMSKB:
		return element(cpu, i, o);
	case X86_V_CVTPI2P: case X86_V_CVTSI2S: case X86_V_CVTTP2PI: case X86_V_CVTTS2SI: case X86_V_CVTP2PI: case X86_V_CVTS2SI:
	case X86_V_CVTPS2PD: case X86_V_CVTPD2PS: case X86_V_CVTS2S: case X86_V_CVTDQ2PS: case X86_V_CVTPS2DQ:
	case X86_V_CVTTPS2DQ: case X86_V_CVTTPD2DQ: case X86_V_CVTDQ2PD: case X86_V_CVTPD2DQ:
		return convert(cpu, i, o);
	case X86_V_UCOMI: case X86_V_COMI:
		TRY(load(cpu, i, o, column == X86_VEC_NP ? 4 : 8));
		return x86_vec_order(cpu, d->q[0], o->s.q[0], column == X86_VEC_NP, o->fn == X86_V_UCOMI) ? X86_NEXT : trap(cpu);
	case X86_V_PBLENDVB: case X86_V_BLENDVPS: case X86_V_BLENDVPD:
		TRY(load(cpu, i, o, 16));
		blend_by_mask(cpu, i->reg, o);
		return X86_NEXT;
	case X86_V_PTEST:
		TRY(load(cpu, i, o, 16));
		x86_flags_put(&cpu->fl, ((d->q[0] & o->s.q[0]) | (d->q[1] & o->s.q[1]) ? 0 : X86_FLAG_ZF) |
						((~d->q[0] & o->s.q[0]) | (~d->q[1] & o->s.q[1]) ? 0 : X86_FLAG_CF));
		return X86_NEXT;
	case X86_V_PCMPESTRI: case X86_V_PCMPESTRM: case X86_V_PCMPISTRI: case X86_V_PCMPISTRM:
		TRY(load(cpu, i, o, 16));
		a = *d;
		x86_vec_string(cpu, o->fn, &a, &o->s, (u8)i->imm, i->size == 8);
		return X86_NEXT;
	case X86_V_ROUNDPS: case X86_V_ROUNDPD: case X86_V_ROUNDSS: case X86_V_ROUNDSD:
		column = o->fn == X86_V_ROUNDPS ? X86_VEC_NP : o->fn == X86_V_ROUNDPD ? X86_VEC_66 : o->fn == X86_V_ROUNDSS ? X86_VEC_F3 : X86_VEC_F2;
		fallthrough;
	case X86_V_HADDP: case X86_V_HSUBP: case X86_V_ADDSUBP: case X86_V_DPPS: case X86_V_DPPD:
		TRY(load(cpu, i, o, memory_size(o)));
		return x86_vec_float(cpu, o->fn, d, &o->s, (u8)i->imm, column) ? X86_NEXT : trap(cpu);
	default:
		return move(cpu, i, o);
	}
}

static enum x86_leave compute(struct x86_cpu *cpu, struct x86_insn *i, struct operands *o)
{
	union x86_v *d = x86_xmm(cpu, i->reg), v;

	if (o->row->kind == VC_MISC)
		return misc(cpu, i, o);
	TRY(load(cpu, i, o, memory_size(o)));
	if (o->row->kind == VC_FP)
		return x86_vec_float(cpu, o->fn, d, &o->s, (u8)i->imm, o->column) ? X86_NEXT : trap(cpu);
	if (!o->mmx) {
		x86_vec_int(o->fn, d, &o->s, 16, (u8)i->imm, o->column);
		return X86_NEXT;
	}
	v = mm_get(cpu, i->reg);
	x86_vec_int(o->fn, &v, &o->s, 8, (u8)i->imm, o->column);
	mm_put(cpu, i->reg, v.q[0]);
	return X86_NEXT;
}

enum x86_leave x86_vector(struct x86_cpu *cpu, struct x86_insn *i)
{
	struct operands o;
	enum x86_leave e;

	o.fn = i->sem - X86_SEM_VECTOR;
	o.row = &x86_vec_rows[o.fn];
	o.column = i->sub;
	o.mmx = (o.row->flags & VF_MMX) && o.column == X86_VEC_NP;
	o.bytes = o.mmx ? 8 : 16;
	TRY(available(cpu, &o));
	/* MOVQ2DQ and MOVDQ2Q touch an MMX register as well */
	if (o.fn == X86_V_MOVQ2DQ || o.fn == X86_V_MOVDQ2Q)
		TRY(x87_pending(cpu));
	e = compute(cpu, i, &o);
	if (!e && (o.mmx || o.fn == X86_V_MOVQ2DQ || o.fn == X86_V_MOVDQ2Q))
		x87_to_mmx(cpu);
	return e;
}
