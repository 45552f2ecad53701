// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Privileged and system instructions: control registers, descriptor tables, MSRs, CPUID, SYSCALL, ports, interrupts. */
#include "internal.h"

#define TRY(call)                                                                                                        \
	do {                                                                                                              \
		enum x86_leave leave_ = (call);                                                                           \
		if (leave_)                                                                                               \
			return leave_;                                                                                    \
	} while (0)

#define CR4_KNOWN (0x1ull | 0x2ull | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE)

static enum x86_leave gp(struct x86_cpu *cpu)
{
	return x86_raise_error(cpu, X86_GP, 0);
}

static enum x86_leave next_block(struct x86_cpu *cpu, struct x86_insn *i)
{
	cpu->rip = x86_next_rip(cpu, i);
	return X86_JUMP;
}

/* The instruction serialises: code written by others is looked at again (3A 8.3). */
static enum x86_leave serialise(struct x86_cpu *cpu, struct x86_insn *i)
{
	cpu->hv.epoch++;
	return next_block(cpu, i);
}

u64 x86_tsc(struct x86_cpu *cpu)
{
	u64 ns;

	if (cpu->virtual_time)
		return cpu->hv.retired + cpu->tsc_offset;
	ns = env_now_ns();
	return ns / 1000000 * cpu->tsc_khz + ns % 1000000 * cpu->tsc_khz / 1000000 + cpu->tsc_offset;
}

u64 x86_ns_until_tsc(struct x86_cpu *cpu, u64 tsc)
{
	s64 left = (s64)(tsc - x86_tsc(cpu));

	if (left <= 0)
		return 0;
	return (u64)left / cpu->tsc_khz * 1000000 + (u64)left % cpu->tsc_khz * 1000000 / cpu->tsc_khz;
}

static enum x86_leave write_cr0(struct x86_cpu *cpu, u64 v)
{
	u64 old = cpu->cr0, changed, efer = cpu->efer;

	if (v >> 32)
		return gp(cpu);
	v = (v & 0xe005003full) | CR0_ET;
	if (((v & CR0_PG) && !(v & CR0_PE)) || ((v & CR0_NW) && !(v & CR0_CD)))
		return gp(cpu);
	changed = old ^ v;
	if (changed & CR0_PG) {
		if (v & CR0_PG) {
			/* 3A 9.8.5: entering IA-32e mode */
			if (efer & X86_EFER_LME) {
				if (!(cpu->cr4 & CR4_PAE) || (cpu->seg[X86_CS].attributes & 0x2000))
					return gp(cpu);
				efer |= X86_EFER_LMA;
			} else if (cpu->cr4 & CR4_PAE) {
				TRY(x86_load_pdptes(cpu, cpu->cr3));
			}
		} else {
			if (x86_code64(cpu))
				return gp(cpu);
			efer &= ~X86_EFER_LMA;
		}
	}
	cpu->efer = efer;
	cpu->cr0 = v;
	if (changed & (CR0_PG | CR0_PE | CR0_WP))
		x86_tlb_flush(cpu);
	if (changed & CR0_PE)
		cpu->cpl = 0;
	x86_mode_update(cpu);
	return X86_NEXT;
}

/* A bit whose feature is not there is reserved (3A 2.5). */
static u64 cr4_known(const struct x86_cpu *cpu)
{
	return CR4_KNOWN | (x86_has(cpu, X86_HAS_FXSR) ? CR4_OSFXSR : 0) | (x86_has(cpu, X86_HAS_SSE) ? CR4_OSXMMEXCPT : 0) |
	       (x86_has(cpu, X86_HAS_FSGSBASE) ? CR4_FSGSBASE : 0) | (x86_has(cpu, X86_HAS_XSAVE) ? CR4_OSXSAVE : 0) |
	       (x86_has(cpu, X86_HAS_SMEP) ? CR4_SMEP : 0) | (x86_has(cpu, X86_HAS_SMAP) ? CR4_SMAP : 0);
}

static enum x86_leave write_cr4(struct x86_cpu *cpu, u64 v)
{
	u64 changed = cpu->cr4 ^ v;

	if (v & ~cr4_known(cpu))
		return gp(cpu);
	if (x86_long(cpu) && !(v & CR4_PAE))
		return gp(cpu);
	if ((changed & (CR4_PAE | CR4_PGE | CR4_PSE)) && (cpu->cr0 & CR0_PG) && (v & CR4_PAE) &&
	    !x86_long(cpu))
		TRY(x86_load_pdptes(cpu, cpu->cr3));
	cpu->cr4 = v;
	if (changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP))
		x86_tlb_flush(cpu);
	x86_mode_update(cpu);
	return X86_NEXT;
}

static enum x86_leave move_to_control(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v = x86_reg_get(cpu, i->rm, i->size);

	if (cpu->cpl)
		return gp(cpu);
	switch (i->sub) {
	case 0:
		TRY(write_cr0(cpu, v));
		break;
	case 2:
		cpu->cr2 = v;
		break;
	case 3:
		if (x86_long(cpu) ? v & 0xfff0000000000000ull : false)
			return gp(cpu);
		if ((cpu->cr0 & CR0_PG) && (cpu->cr4 & CR4_PAE) && !x86_long(cpu))
			TRY(x86_load_pdptes(cpu, v));
		cpu->cr3 = v;
		x86_tlb_flush(cpu);
		break;
	case 4:
		TRY(write_cr4(cpu, v));
		break;
	case 8:
		if (v & ~15ull)
			return gp(cpu);
		cpu->cr8 = v;
		if (cpu->apic)
			cpu->apic->write_cr8(cpu->hv.irq.context, v);
		break;
	default:
		return x86_raise(cpu, X86_UD);
	}
	cpu->rip = cpu->block->va + i->off + i->len;
	if (i->sub == 2 || i->sub == 8)
		return X86_JUMP;
	cpu->hv.epoch++;
	return X86_JUMP;
}

static enum x86_leave move_from_control(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v;

	if (cpu->cpl)
		return gp(cpu);
	switch (i->sub) {
	case 0:
		v = cpu->cr0;
		break;
	case 2:
		v = cpu->cr2;
		break;
	case 3:
		v = cpu->cr3;
		break;
	case 4:
		v = cpu->cr4;
		break;
	case 8:
		v = cpu->apic ? cpu->apic->read_cr8(cpu->hv.irq.context) : cpu->cr8;
		break;
	default:
		return x86_raise(cpu, X86_UD);
	}
	x86_reg_put(cpu, i->rm, i->size, v);
	return X86_NEXT;
}

static enum x86_leave table(struct x86_cpu *cpu, struct x86_insn *i)
{
	struct x86_table *t = i->sem == X86_SEM_SGDT || i->sem == X86_SEM_LGDT ? &cpu->gdt : &cpu->idt;
	u32 size = x86_code64(cpu) ? 8 : 4;
	u64 ea = x86_ea(cpu, i), ea2 = (ea + 2) & x86_size_mask(i->asize), limit, base;

	if (i->sem == X86_SEM_SGDT || i->sem == X86_SEM_SIDT) {
		TRY(x86_write(cpu, i->seg, ea, 2, t->limit));
		return x86_write(cpu, i->seg, ea2, size, t->base);
	}
	if (cpu->cpl)
		return gp(cpu);
	TRY(x86_read(cpu, i->seg, ea, 2, &limit));
	TRY(x86_read(cpu, i->seg, ea2, size, &base));
	if (size == 8 && !x86_canonical(base))
		return gp(cpu);
	if (i->size == 2)
		base &= 0xffffff;
	t->limit = (u16)limit;
	t->base = base;
	return serialise(cpu, i);
}

static enum x86_leave read_rm16(struct x86_cpu *cpu, struct x86_insn *i, u64 *v)
{
	if (i->flags & X86_I_MEM)
		return x86_read(cpu, i->seg, x86_ea(cpu, i), 2, v);
	*v = X86_REG16(cpu, i->rm);
	return X86_NEXT;
}

static enum x86_leave store_word(struct x86_cpu *cpu, struct x86_insn *i, u64 v)
{
	if (i->flags & X86_I_MEM)
		return x86_write(cpu, i->seg, x86_ea(cpu, i), 2, v);
	x86_reg_put(cpu, i->rm, i->size, v);
	return X86_NEXT;
}

static enum x86_leave load_system_segment(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v;

	if (x86_real(cpu) || (cpu->rflags & X86_FLAG_VM))
		return x86_raise(cpu, X86_UD);
	if (cpu->cpl)
		return gp(cpu);
	TRY(read_rm16(cpu, i, &v));
	TRY(i->sem == X86_SEM_LTR ? x86_load_tr(cpu, (u16)v) : x86_load_ldtr(cpu, (u16)v));
	return serialise(cpu, i);
}

static enum x86_leave set_zf(struct x86_cpu *cpu, bool zf)
{
	u64 fl = x86_flags_work_out(&cpu->fl) & ~X86_FLAG_ZF;

	x86_flags_put(&cpu->fl, fl | (zf ? X86_FLAG_ZF : 0));
	return X86_NEXT;
}

/* VERR, VERW, LAR, LSL: a bad selector clears ZF and faults not. */
static enum x86_leave inspect(struct x86_cpu *cpu, struct x86_insn *i)
{
	struct x86_descriptor d;
	enum x86_leave e;
	u32 a, type, dpl;
	u64 v;

	if (x86_real(cpu) || (cpu->rflags & X86_FLAG_VM))
		return x86_raise(cpu, X86_UD);
	TRY(read_rm16(cpu, i, &v));
	if (!(v & 0xfffc))
		return set_zf(cpu, false);
	e = x86_descriptor_read(cpu, (u16)v, X86_GP, &d);
	if (e == X86_FAULT && cpu->vector == X86_GP)
		return set_zf(cpu, false);
	TRY(e);
	a = d.seg.attributes;
	type = a & 15;
	dpl = (a >> 5) & 3;
	if ((a & 0x1c) != 0x1c && (dpl < cpu->cpl || dpl < (v & 3)))
		return set_zf(cpu, false);
	if (i->sem == X86_SEM_VERR)
		return set_zf(cpu, (a & 0x10) && (a & 0x0a) != 0x08);
	if (i->sem == X86_SEM_VERW)
		return set_zf(cpu, (a & 0x1a) == 0x12);
	if (!(a & 0x10)) {	/* system types that LAR and LSL know (2A tables 3-53, 3-56) */
		bool gate = type == 4 || type == 5 || type == 12;
		bool known = x86_long(cpu) ? type == 2 || type == 9 || type == 11 || type == 12 :
					     type == 1 || type == 2 || type == 3 || type == 9 || type == 11 || gate;

		if (!known || (i->sem == X86_SEM_LSL && gate))
			return set_zf(cpu, false);
	}
	v = i->sem == X86_SEM_LSL ? d.seg.limit : (d.low >> 32) & 0xf0ff00;
	x86_reg_put(cpu, i->reg, i->size, v);
	return set_zf(cpu, true);
}

static enum x86_leave arpl(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v, rpl = X86_REG16(cpu, i->reg) & 3;

	if (x86_real(cpu) || (cpu->rflags & X86_FLAG_VM))
		return x86_raise(cpu, X86_UD);
	TRY(read_rm16(cpu, i, &v));
	if ((v & 3) >= rpl)
		return set_zf(cpu, false);
	v = (v & ~3ull) | rpl;
	if (i->flags & X86_I_MEM)
		TRY(x86_write(cpu, i->seg, x86_ea(cpu, i), 2, v));
	else
		X86_REG16(cpu, i->rm) = (u16)v;
	return set_zf(cpu, true);
}

static void flat_code(struct x86_cpu *cpu, u16 selector, u32 dpl, bool wide)
{
	struct x86_segment *s = &cpu->seg[X86_CS];

	s->selector = selector;
	s->base = 0;
	s->limit = 0xffffffff;
	s->attributes = (u16)(0x809b | dpl << 5 | (wide ? 0x2000 : 0x4000));
}

static void flat_stack(struct x86_cpu *cpu, u16 selector, u32 dpl)
{
	struct x86_segment *s = &cpu->seg[X86_SS];

	s->selector = selector;
	s->base = 0;
	s->limit = 0xffffffff;
	s->attributes = (u16)(0xc093 | dpl << 5);
}

static enum x86_leave syscall(struct x86_cpu *cpu, struct x86_insn *i)
{
	u16 selector = (u16)(cpu->star >> 32);
	u64 flags = x86_flags_get(cpu);

	/* 2B SYSCALL: 64-bit mode only, on Intel */
	if (!(cpu->efer & X86_EFER_SCE) || !x86_code64(cpu))
		return x86_raise(cpu, X86_UD);
	cpu->r[X86_RCX] = x86_next_rip(cpu, i);
	cpu->r[X86_R11] = flags & ~X86_FLAG_RF;
	cpu->rip = cpu->lstar;
	x86_flags_load(cpu, flags & ~(cpu->sfmask | X86_FLAG_RF));
	flat_code(cpu, selector & 0xfffc, 0, true);
	flat_stack(cpu, (u16)((selector & 0xfffc) + 8), 0);
	cpu->cpl = 0;
	x86_mode_update(cpu);
	return X86_JUMP;
}

static enum x86_leave sysret(struct x86_cpu *cpu, struct x86_insn *i)
{
	u16 selector = (u16)(cpu->star >> 48);
	bool wide = i->size == 8;

	if (!(cpu->efer & X86_EFER_SCE) || !x86_code64(cpu))
		return x86_raise(cpu, X86_UD);
	if (cpu->cpl || (wide && !x86_canonical(cpu->r[X86_RCX])))
		return gp(cpu);
	cpu->rip = wide ? cpu->r[X86_RCX] : (u32)cpu->r[X86_RCX];
	x86_flags_load(cpu, cpu->r[X86_R11] & 0x3c7fd7);
	flat_code(cpu, (u16)((selector + (wide ? 16 : 0)) | 3), 3, wide);
	flat_stack(cpu, (u16)((selector + 8) | 3), 3);
	cpu->cpl = 3;
	x86_mode_update(cpu);
	return X86_JUMP;
}

static enum x86_leave sysenter(struct x86_cpu *cpu)
{
	u16 selector = (u16)(cpu->sysenter_cs & 0xfffc);

	if (x86_real(cpu) || !selector)
		return gp(cpu);
	cpu->rflags &= ~(X86_FLAG_VM | X86_FLAG_IF | X86_FLAG_RF);
	cpu->r[X86_RSP] = x86_long(cpu) ? cpu->sysenter_esp : (u32)cpu->sysenter_esp;
	cpu->rip = x86_long(cpu) ? cpu->sysenter_eip : (u32)cpu->sysenter_eip;
	flat_code(cpu, selector, 0, x86_long(cpu));
	flat_stack(cpu, selector + 8, 0);
	cpu->cpl = 0;
	x86_mode_update(cpu);
	return X86_JUMP;
}

static enum x86_leave sysexit(struct x86_cpu *cpu, struct x86_insn *i)
{
	u16 selector = (u16)(cpu->sysenter_cs & 0xfffc);
	bool wide = i->size == 8;

	if (x86_real(cpu) || !selector || cpu->cpl)
		return gp(cpu);
	if (wide && (!x86_canonical(cpu->r[X86_RCX]) || !x86_canonical(cpu->r[X86_RDX])))
		return gp(cpu);
	cpu->rip = wide ? cpu->r[X86_RDX] : (u32)cpu->r[X86_RDX];
	cpu->r[X86_RSP] = wide ? cpu->r[X86_RCX] : (u32)cpu->r[X86_RCX];
	flat_code(cpu, (u16)((selector + (wide ? 32 : 16)) | 3), 3, wide);
	flat_stack(cpu, (u16)((selector + (wide ? 40 : 24)) | 3), 3);
	cpu->cpl = 3;
	x86_mode_update(cpu);
	return X86_JUMP;
}

static enum x86_leave software_interrupt(struct x86_cpu *cpu, u8 vector)
{
	cpu->vector = vector;
	cpu->has_error = 0;
	cpu->error = 0;
	cpu->soft = 1;
	return X86_FAULT;
}

static enum x86_leave in_out(struct x86_cpu *cpu, struct x86_insn *i)
{
	u32 port = i->flags & X86_I_IMM ? (u8)i->imm : (u16)cpu->r[X86_RDX], size = i->size == 8 ? 4 : i->size;
	u64 v = x86_reg_get(cpu, 0, size);

	TRY(x86_port(cpu, port, size, i->sem == X86_SEM_IN ? HV_READ : HV_WRITE, &v));
	if (i->sem == X86_SEM_IN)
		x86_reg_put(cpu, 0, size, v);
	return X86_NEXT;
}

static enum x86_leave interrupts_on(struct x86_cpu *cpu, struct x86_insn *i)
{
	if (cpu->cpl > (cpu->rflags & X86_FLAG_IOPL) >> 12)
		return gp(cpu);
	if (!(cpu->rflags & X86_FLAG_IF))
		cpu->shadow = 1;
	cpu->rflags |= X86_FLAG_IF;
	return next_block(cpu, i);
}

static enum x86_leave swapgs(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v = cpu->seg[X86_GS].base;

	if (!x86_code64(cpu))
		return x86_raise(cpu, X86_UD);
	if (cpu->cpl)
		return gp(cpu);
	cpu->seg[X86_GS].base = cpu->kernel_gs_base;
	cpu->kernel_gs_base = v;
	return next_block(cpu, i);
}

static bool privileged(u32 sem)
{
	return sem == X86_SEM_HLT || sem == X86_SEM_CLTS || sem == X86_SEM_LMSW || sem == X86_SEM_INVLPG || sem == X86_SEM_WBINVD;
}

/* Some of them end a block: 0F 01 does as a whole. */
static enum x86_leave x86_extension_last(struct x86_cpu *cpu, struct x86_insn *i)
{
	TRY(x86_extension(cpu, i));
	if (!(i->flags & X86_I_LAST))
		return X86_NEXT;
	x86_mode_update(cpu);
	return next_block(cpu, i);
}

enum x86_leave x86_system(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v;

	if (privileged(i->sem) && cpu->cpl)
		return gp(cpu);
	switch (i->sem) {
	case X86_SEM_IN: case X86_SEM_OUT:
		return in_out(cpu, i);
	case X86_SEM_INT:
		if (x86_sensitive_86(cpu))
			return gp(cpu);
		return software_interrupt(cpu, (u8)i->imm);
	case X86_SEM_INT3:
		return software_interrupt(cpu, X86_BP);
	case X86_SEM_INT1:
		return software_interrupt(cpu, X86_DB);
	case X86_SEM_INTO:
		if (x86_flags_work_out(&cpu->fl) & X86_FLAG_OF)
			return software_interrupt(cpu, X86_OF);
		return next_block(cpu, i);
	case X86_SEM_IRET:
		cpu->iret_next = x86_next_rip(cpu, i);
		return x86_iret(cpu, i->size);
	case X86_SEM_CLI:
		if (cpu->cpl > (cpu->rflags & X86_FLAG_IOPL) >> 12)
			return gp(cpu);
		cpu->rflags &= ~X86_FLAG_IF;
		return X86_NEXT;
	case X86_SEM_STI:
		return interrupts_on(cpu, i);
	case X86_SEM_HLT:
		cpu->hv.idle = 1;
		return next_block(cpu, i);
	case X86_SEM_MOV_CR_TO:
		return move_to_control(cpu, i);
	case X86_SEM_MOV_CR_FROM:
		return move_from_control(cpu, i);
	case X86_SEM_MOV_DR_TO: case X86_SEM_MOV_DR_FROM:
		TRY(x86_move_debug(cpu, i));
		return i->sem == X86_SEM_MOV_DR_TO ? next_block(cpu, i) : X86_NEXT;
	case X86_SEM_SGDT: case X86_SEM_SIDT: case X86_SEM_LGDT: case X86_SEM_LIDT:
		return table(cpu, i);
	case X86_SEM_SMSW:
		return store_word(cpu, i, cpu->cr0);
	case X86_SEM_LMSW:
		TRY(read_rm16(cpu, i, &v));
		/* PE can be set, never cleared */
		TRY(write_cr0(cpu, (cpu->cr0 & ~0xeull) | (v & 0xf)));
		cpu->hv.epoch++;
		cpu->rip = cpu->block->va + i->off + i->len;
		return X86_JUMP;
	case X86_SEM_CLTS:
		cpu->cr0 &= ~CR0_TS;
		x86_mode_update(cpu);
		return next_block(cpu, i);
	case X86_SEM_INVLPG:
		/* a large page may have left many 4 KiB entries: drop everything (3A 4.10.4.1 allows it) */
		x86_tlb_flush(cpu);
		return serialise(cpu, i);
	case X86_SEM_SLDT: case X86_SEM_STR:
		if (x86_real(cpu) || (cpu->rflags & X86_FLAG_VM))
			return x86_raise(cpu, X86_UD);
		return store_word(cpu, i, cpu->seg[i->sem == X86_SEM_STR ? X86_TR : X86_LDTR].selector);
	case X86_SEM_LLDT: case X86_SEM_LTR:
		return load_system_segment(cpu, i);
	case X86_SEM_VERR: case X86_SEM_VERW: case X86_SEM_LAR: case X86_SEM_LSL:
		return inspect(cpu, i);
	case X86_SEM_ARPL:
		return arpl(cpu, i);
	case X86_SEM_CPUID:
		x86_cpuid(cpu);
		return serialise(cpu, i);
	case X86_SEM_RDMSR:
		return x86_rdmsr(cpu);
	case X86_SEM_WRMSR:
		TRY(x86_wrmsr(cpu));
		return serialise(cpu, i);
	case X86_SEM_VMCALL:
		TRY(x86_hypercall(cpu));
		return serialise(cpu, i);
	case X86_SEM_RDTSC:
		if ((cpu->cr4 & CR4_TSD) && cpu->cpl)
			return gp(cpu);
		v = x86_tsc(cpu);
		cpu->r[X86_RAX] = (u32)v;
		cpu->r[X86_RDX] = v >> 32;
		return X86_NEXT;
	case X86_SEM_SYSCALL:
		return syscall(cpu, i);
	case X86_SEM_SYSRET:
		return sysret(cpu, i);
	case X86_SEM_SYSENTER:
		return sysenter(cpu);
	case X86_SEM_SYSEXIT:
		return sysexit(cpu, i);
	case X86_SEM_SWAPGS:
		return swapgs(cpu, i);
	case X86_SEM_WAIT:
		if ((cpu->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS))
			return x86_raise(cpu, X86_NM);
		return x87_pending(cpu);
	case X86_SEM_WBINVD:
		return serialise(cpu, i);
	case X86_SEM_RDPMC:	/* there are no counters */
		return gp(cpu);
	default:
		if (i->sem >= X86_SEM_X87)
			return x86_extension_last(cpu, i);
		return x86_raise(cpu, X86_UD);
	}
}
