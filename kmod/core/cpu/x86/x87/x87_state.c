// SPDX-License-Identifier: GPL-2.0 OR MIT
/* State in memory: FNSTENV and FNSAVE in four formats, FXSAVE, XSAVE (1 8.1.10, 10.5, chapter 13). */
#include "x87.h"

#define TRY(call)                                                                                                        \
	do {                                                                                                              \
		enum x86_leave leave_ = (call);                                                                           \
		if (leave_)                                                                                               \
			return leave_;                                                                                    \
	} while (0)

/* The full tag word: 0 valid, 1 zero, 2 special, 3 empty (1 8.1.7). */
static u16 full_tags(const struct x86_cpu *cpu)
{
	u32 n, tag, r = 0;

	for (n = 0; n < 8; n++) {
		struct fp80 v = cpu->fpu.st[n];

		if (!(cpu->fpu.used & (1u << n)))
			tag = 3;
		else if (!(v.se & 0x7fff) && !v.sig)
			tag = 1;
		else if (!(v.se & 0x7fff) || (v.se & 0x7fff) == 0x7fff || !(v.sig >> 63))
			tag = 2;
		else
			tag = 0;
		r |= tag << (n * 2);
	}
	return (u16)r;
}

static void put16(u8 *to, u64 v) { to[0] = (u8)v; to[1] = (u8)(v >> 8); }
static void put32(u8 *to, u64 v) { put16(to, v); put16(to + 2, v >> 16); }
static void put64(u8 *to, u64 v) { put32(to, v); put32(to + 4, v >> 32); }
static u16 get16(const u8 *from) { return (u16)(from[0] | from[1] << 8); }
static u32 get32(const u8 *from) { return get16(from) | (u32)get16(from + 2) << 16; }
static u64 get64(const u8 *from) { return get32(from) | (u64)get32(from + 4) << 32; }

static void register_put(u8 *to, struct fp80 v)
{
	put64(to, v.sig);
	put16(to + 8, v.se);
}

static struct fp80 register_get(const u8 *from)
{
	return (struct fp80){ get64(from), get16(from + 8) };
}

/* Segments are not kept: CPUID.7.0:EBX[13] says that FCS and FDS are deprecated. */
static void environment_put(const struct x86_cpu *cpu, u8 *b, u32 step, bool real)
{
	u32 linear_ip = (u32)cpu->fpu.fip, linear_dp = (u32)cpu->fpu.fdp;

	if (step == 4)
		memset(b, 0xff, 28);
	put16(b, cpu->fpu.fcw);
	put16(b + step, cpu->fpu.fsw);
	put16(b + 2 * step, full_tags(cpu));
	if (step == 2) {
		put16(b + 6, linear_ip);
		put16(b + 8, real ? (cpu->fpu.fop & 0x7ff) | ((linear_ip >> 4) & 0xf000) : 0);
		put16(b + 10, linear_dp);
		put16(b + 12, real ? (linear_dp >> 4) & 0xf000 : 0);
	} else if (real) {
		put16(b + 12, linear_ip);
		put32(b + 16, (cpu->fpu.fop & 0x7ff) | ((linear_ip >> 4) & 0x0ffff000));
		put16(b + 20, linear_dp);
		put32(b + 24, (linear_dp >> 4) & 0x0ffff000);
	} else {
		put32(b + 12, linear_ip);
		put32(b + 16, (u32)cpu->fpu.fop << 16);
		put32(b + 20, linear_dp);
		put16(b + 24, 0);
	}
}

static void environment_get(struct x86_cpu *cpu, const u8 *b, u32 step, bool real)
{
	u32 n, tags = get16(b + 2 * step);

	cpu->fpu.fsw = get16(b + step);
	x87_control_put(cpu, get16(b));
	cpu->fpu.used = 0;
	for (n = 0; n < 8; n++) {
		if (((tags >> (n * 2)) & 3) != 3)
			cpu->fpu.used |= (u8)(1u << n);
	}
	if (step == 2) {
		cpu->fpu.fip = get16(b + 6) | (real ? (u32)(get16(b + 8) & 0xf000) << 4 : 0);
		cpu->fpu.fdp = get16(b + 10) | (real ? (u32)(get16(b + 12) & 0xf000) << 4 : 0);
		cpu->fpu.fop = real ? get16(b + 8) & 0x7ff : 0;
	} else if (real) {
		cpu->fpu.fip = get16(b + 12) | (get32(b + 16) & 0x0ffff000) << 4;
		cpu->fpu.fdp = get16(b + 20) | (get32(b + 24) & 0x0ffff000) << 4;
		cpu->fpu.fop = get32(b + 16) & 0x7ff;
	} else {
		cpu->fpu.fip = get32(b + 12);
		cpu->fpu.fop = (get32(b + 16) >> 16) & 0x7ff;
		cpu->fpu.fdp = get32(b + 20);
	}
}

/* FLDENV, FNSTENV; @all: FRSTOR, FNSAVE with the eight registers */
enum x86_leave x87_environment(struct x86_cpu *cpu, struct x86_insn *i, bool load, bool all)
{
	bool real = x86_real(cpu) || (cpu->rflags & X86_FLAG_VM);
	u32 step = i->size == 2 ? 2 : 4, head = step * 7, size = head + (all ? 80 : 0), n;
	u64 ea = x86_ea(cpu, i);
	u8 b[108];

	if (load) {
		TRY(x86_read_block(cpu, i->seg, ea, b, size));
		environment_get(cpu, b, step, real);
		for (n = 0; all && n < 8; n++)
			*x87_st(cpu, n) = register_get(b + head + n * 10);
		return X86_NEXT;
	}
	environment_put(cpu, b, step, real);
	for (n = 0; all && n < 8; n++)
		register_put(b + head + n * 10, *x87_st(cpu, n));
	TRY(x86_write_block(cpu, i->seg, ea, b, size));
	if (all) {
		cpu->fpu.fcw = 0x37f;
		cpu->fpu.fsw = 0;
		cpu->fpu.used = 0;
		cpu->fpu.fip = cpu->fpu.fdp = cpu->fpu.fop = 0;
	} else {
		/* 2A FSTENV: all exceptions are masked behind it */
		x87_control_put(cpu, cpu->fpu.fcw | 0x3f);
	}
	return X86_NEXT;
}

void x86_fpu_init(struct x86_fpu *f)
{
	memset(f, 0, sizeof(*f));
	f->fcw = 0x37f;
	f->mxcsr = 0x1f80;
	f->xcr0 = 1;
}

static void legacy_put(const struct x86_cpu *cpu, u8 *b, bool wide)
{
	const struct x86_fpu *f = &cpu->fpu;
	u32 n;

	put16(b, f->fcw);
	put16(b + 2, f->fsw);
	b[4] = f->used;
	b[5] = 0;
	put16(b + 6, f->fop & 0x7ff);
	put64(b + 8, wide ? f->fip : (u32)f->fip);
	put64(b + 16, wide ? f->fdp : (u32)f->fdp);
	for (n = 0; n < 8; n++) {
		memset(b + 32 + n * 16, 0, 16);
		register_put(b + 32 + n * 16, f->st[((f->fsw >> 11) + n) & 7]);
	}
}

static void legacy_get(struct x86_cpu *cpu, const u8 *b, bool wide)
{
	struct x86_fpu *f = &cpu->fpu;
	u32 n;

	f->fsw = get16(b + 2);
	f->used = b[4];
	f->fop = get16(b + 6) & 0x7ff;
	f->fip = wide ? get64(b + 8) : get32(b + 8);
	f->fdp = wide ? get64(b + 16) : get32(b + 16);
	x87_control_put(cpu, get16(b));
	for (n = 0; n < 8; n++)
		f->st[((f->fsw >> 11) + n) & 7] = register_get(b + 32 + n * 16);
}

static enum x86_leave aligned(struct x86_cpu *cpu, struct x86_insn *i, u64 mask)
{
	u64 lin;

	TRY(x86_linear(cpu, i->seg, x86_ea(cpu, i), 1, 0, &lin));
	return lin & mask ? x86_raise_error(cpu, X86_GP, 0) : X86_NEXT;
}

static u32 xmm_bytes(const struct x86_cpu *cpu)
{
	return x86_code64(cpu) ? 256 : 128;
}

/* The area goes through the CPU's own buffer: 512 bytes do not belong on a kernel stack. */
static enum x86_leave fxsave(struct x86_cpu *cpu, struct x86_insn *i)
{
	u8 *b = cpu->fx_area;
	bool sse = cpu->cr4 & CR4_OSFXSR;

	TRY(aligned(cpu, i, 15));
	/* bytes of XMM registers that this mode does not have, and the last 48, stay what they were in memory: not written */
	legacy_put(cpu, b, i->size == 8);
	put32(b + 24, cpu->fpu.mxcsr);
	put32(b + 28, 0xffff);
	memcpy(b + 160, cpu->fpu.xmm, 256);
	return x86_write_block(cpu, i->seg, x86_ea(cpu, i), b, sse ? 160 + xmm_bytes(cpu) : 160);
}

static enum x86_leave fxrstor(struct x86_cpu *cpu, struct x86_insn *i)
{
	bool sse = cpu->cr4 & CR4_OSFXSR;
	u8 *b = cpu->fx_area;

	TRY(aligned(cpu, i, 15));
	TRY(x86_read_block(cpu, i->seg, x86_ea(cpu, i), b, sse ? 160 + xmm_bytes(cpu) : 160));
	if (sse && get32(b + 24) & ~0xffffu)
		return x86_raise_error(cpu, X86_GP, 0);
	legacy_get(cpu, b, i->size == 8);
	if (sse) {
		cpu->fpu.mxcsr = get32(b + 24);
		memcpy(cpu->fpu.xmm, b + 160, xmm_bytes(cpu));
	}
	return X86_NEXT;
}

static u64 asked_for(const struct x86_cpu *cpu)
{
	return cpu->fpu.xcr0 & ((u32)cpu->r[X86_RAX] | cpu->r[X86_RDX] << 32);
}

/* 1 13.7: legacy area and header, standard format; every component counts as in use */
static enum x86_leave xsave(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 ask = asked_for(cpu), ea = x86_ea(cpu, i), old;
	u8 *b = cpu->fx_area;

	TRY(aligned(cpu, i, 63));
	/* the header first: should its page be missing, nothing is written */
	TRY(x86_read(cpu, i->seg, ea + 512, 8, &old));
	TRY(x86_write(cpu, i->seg, ea + 512, 8, (old & ~ask) | ask));
	legacy_put(cpu, b, i->size == 8);
	if (ask & 1) {
		TRY(x86_write_block(cpu, i->seg, ea, b, 24));
		TRY(x86_write_block(cpu, i->seg, ea + 32, b + 32, 128));
	}
	if (ask & 2) {
		put32(b + 24, cpu->fpu.mxcsr);
		put32(b + 28, 0xffff);
		TRY(x86_write_block(cpu, i->seg, ea + 24, b + 24, 8));
		memcpy(b + 160, cpu->fpu.xmm, 256);
		TRY(x86_write_block(cpu, i->seg, ea + 160, b + 160, xmm_bytes(cpu)));
	}
	return X86_NEXT;
}

static enum x86_leave xrstor(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 ask = asked_for(cpu), ea = x86_ea(cpu, i), have, compact, zero;
	u8 *b = cpu->fx_area;

	TRY(aligned(cpu, i, 63));
	TRY(x86_read(cpu, i->seg, ea + 512, 8, &have));
	TRY(x86_read(cpu, i->seg, ea + 520, 8, &compact));
	TRY(x86_read(cpu, i->seg, ea + 528, 8, &zero));
	if ((have & ~cpu->fpu.xcr0) || compact || zero)
		return x86_raise_error(cpu, X86_GP, 0);
	TRY(x86_read_block(cpu, i->seg, ea, b, 160 + xmm_bytes(cpu)));
	/* MXCSR is looked at even if the SSE registers take their initial values (1 13.8.1) */
	if ((ask & 2) && (get32(b + 24) & ~0xffffu))
		return x86_raise_error(cpu, X86_GP, 0);
	if (ask & 1) {
		if (have & 1) {
			legacy_get(cpu, b, i->size == 8);
		} else {
			memset(cpu->fpu.st, 0, sizeof(cpu->fpu.st));
			cpu->fpu.fcw = 0x37f;
			cpu->fpu.fsw = 0;
			cpu->fpu.used = 0;
			cpu->fpu.fip = cpu->fpu.fdp = cpu->fpu.fop = 0;
		}
	}
	if (ask & 2) {
		cpu->fpu.mxcsr = get32(b + 24);
		if (have & 2)
			memcpy(cpu->fpu.xmm, b + 160, xmm_bytes(cpu));
		else
			memset(cpu->fpu.xmm, 0, xmm_bytes(cpu));
	}
	return X86_NEXT;
}

/* 0F AE group and XGETBV, XSETBV */
enum x86_leave x86_extended_state(struct x86_cpu *cpu, struct x86_insn *i)
{
	bool xsave_kind = i->sem >= X86_SEM_XSAVE && i->sem <= X86_SEM_XSETBV, mxcsr = i->sem == X86_SEM_LDMXCSR || i->sem == X86_SEM_STMXCSR;
	u64 v;

	if (xsave_kind ? !x86_has(cpu, X86_HAS_XSAVE) || !(cpu->cr4 & CR4_OSXSAVE) :
			 !x86_has(cpu, mxcsr ? X86_HAS_SSE : X86_HAS_FXSR))
		return x86_raise(cpu, X86_UD);
	if (i->sem == X86_SEM_XSAVEOPT && !x86_has(cpu, X86_HAS_XSAVEOPT))
		return x86_raise(cpu, X86_UD);
	if (i->sem == X86_SEM_XGETBV || i->sem == X86_SEM_XSETBV) {
		if ((u32)cpu->r[X86_RCX] || (i->sem == X86_SEM_XSETBV && cpu->cpl))
			return x86_raise_error(cpu, X86_GP, 0);
		if (i->sem == X86_SEM_XGETBV) {
			cpu->r[X86_RAX] = cpu->fpu.xcr0;
			cpu->r[X86_RDX] = 0;
			return X86_NEXT;
		}
		v = (u32)cpu->r[X86_RAX] | cpu->r[X86_RDX] << 32;
		if (!(v & 1) || (v & ~3ull))
			return x86_raise_error(cpu, X86_GP, 0);
		cpu->fpu.xcr0 = v;
		return X86_NEXT;
	}
	if (mxcsr ? (cpu->cr0 & CR0_EM) || !(cpu->cr4 & CR4_OSFXSR) : false)
		return x86_raise(cpu, X86_UD);
	if ((cpu->cr0 & CR0_TS) || (!mxcsr && !xsave_kind && (cpu->cr0 & CR0_EM)))
		return x86_raise(cpu, X86_NM);
	switch (i->sem) {
	case X86_SEM_FXSAVE:
		return fxsave(cpu, i);
	case X86_SEM_FXRSTOR:
		return fxrstor(cpu, i);
	case X86_SEM_XSAVE: case X86_SEM_XSAVEOPT:
		return xsave(cpu, i);
	case X86_SEM_XRSTOR:
		return xrstor(cpu, i);
	case X86_SEM_LDMXCSR:
		TRY(x86_read(cpu, i->seg, x86_ea(cpu, i), 4, &v));
		if (v & ~0xffffull)
			return x86_raise_error(cpu, X86_GP, 0);
		cpu->fpu.mxcsr = (u32)v;
		return X86_NEXT;
	default:
		return x86_write(cpu, i->seg, x86_ea(cpu, i), 4, cpu->fpu.mxcsr);
	}
}
