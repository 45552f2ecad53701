// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Reset, get and set of the architectural state; the mode that decoded code depends on. */
#include "internal.h"

void x86_generation_next(struct x86_cpu *cpu)
{
	cpu->generation++;
	cpu->hv.key = cpu->generation << 16 | cpu->mode;
}

static bool flat(const struct x86_segment *s)
{
	return !s->base && s->limit == 0xffffffff;
}

/* Present, data, writable, expand-up */
static bool flat_data(const struct x86_segment *s)
{
	return flat(s) && (s->attributes & 0x9e) == 0x92;
}

void x86_mode_update(struct x86_cpu *cpu)
{
	const struct x86_segment *cs = &cpu->seg[X86_CS];
	bool lma = cpu->efer & X86_EFER_LMA;
	u32 mode;

	if (lma && (cs->attributes & 0x2000)) {
		mode = X86_MODE_64 | X86_MODE_FLAT_CS | X86_MODE_FLAT_DATA;
	} else {
		mode = cs->attributes & 0x4000 ? X86_MODE_32 : X86_MODE_16;
		if (flat(cs))
			mode |= X86_MODE_FLAT_CS;
		if (flat_data(&cpu->seg[X86_DS]) && flat_data(&cpu->seg[X86_ES]) && flat_data(&cpu->seg[X86_SS]))
			mode |= X86_MODE_FLAT_DATA;
		if (cpu->seg[X86_SS].attributes & 0x4000)
			mode |= X86_MODE_STACK32;
	}
	if ((cpu->cr4 & CR4_OSFXSR) && !(cpu->cr0 & (CR0_EM | CR0_TS)) && x86_has(cpu, X86_HAS_SSE2))
		mode |= X86_MODE_SSE;
	if (lma)
		mode |= X86_MODE_LONG;
	if (cpu->cpl == 3)
		mode |= X86_MODE_USER;
	if (cpu->dr[7] & 0xff)
		mode |= X86_MODE_DEBUG;
	if (cpu->rflags & X86_FLAG_TF)
		mode |= X86_MODE_TRAP;
	cpu->mode = mode;
	cpu->hv.key = cpu->generation << 16 | mode;
}

static void set_segment(struct x86_cpu *cpu, u32 n, u16 selector, u64 base, u32 limit, u16 attributes)
{
	struct x86_segment *s = &cpu->seg[n];

	s->selector = selector;
	s->base = base;
	s->limit = limit;
	s->attributes = attributes;
}

void x86_reset(struct x86_cpu *cpu)
{
	u32 i;

	memset(cpu->r, 0, sizeof(cpu->r));
	for (i = 0; i < 6; i++)
		set_segment(cpu, i, 0, 0, 0xffff, 0x93);
	set_segment(cpu, X86_CS, 0xf000, 0xffff0000, 0xffff, 0x9f);
	set_segment(cpu, X86_LDTR, 0, 0, 0xffff, 0x82);
	set_segment(cpu, X86_TR, 0, 0, 0xffff, 0x8b);
	cpu->gdt.base = 0;
	cpu->gdt.limit = 0xffff;
	cpu->idt = cpu->gdt;
	cpu->rip = 0xfff0;
	x86_flags_load(cpu, 2);
	cpu->cr0 = CR0_ET | CR0_NE;
	cpu->cr2 = 0;
	cpu->cr3 = 0;
	cpu->cr4 = 0;
	cpu->cr8 = 0;
	cpu->efer = 0;
	memset(cpu->dr, 0, sizeof(cpu->dr));
	cpu->dr[6] = 0xffff0ff0;
	cpu->dr[7] = 0x400;
	cpu->star = 0;
	cpu->lstar = 0;
	cpu->cstar = 0;
	cpu->sfmask = 0;
	cpu->kernel_gs_base = 0;
	cpu->sysenter_cs = 0;
	cpu->sysenter_esp = 0;
	cpu->sysenter_eip = 0;
	cpu->pat = 0x0007040600070406ull;
	cpu->tsc_aux = 0;
	cpu->spec_ctrl = 0;
	cpu->misc_enable = 1;		/* fast strings */
	memset(cpu->mtrr, 0, sizeof(cpu->mtrr));
	x86_fpu_init(&cpu->fpu);
	cpu->fpu.fcw = 0x40;		/* RESET, unlike FNINIT, leaves exceptions unmasked (3A table 9-1) */
	memset(cpu->pdpte, 0, sizeof(cpu->pdpte));
	cpu->cpl = 0;
	cpu->shadow = 0;
	cpu->trap = 0;
	cpu->debug_hit = 0;
	cpu->shutdown = 0;
	cpu->nmi_blocked = 0;
	cpu->block = NULL;
	cpu->hv.idle = 0;
	cpu->hv.epoch++;
	hv_cpu_forget(&cpu->hv);
	x86_mode_update(cpu);
	x86_tlb_flush(cpu);
}

void x86_cpu_init(struct x86_cpu *cpu, struct hv_memmap *map, u32 id, void *arena, size_t arena_size, size_t arena_limit)
{
	hv_blocks_init(&cpu->hv.blocks, arena, arena_size, arena_limit, X86_TLBS * sizeof(struct hv_tlb));
	cpu->hv.map = map;
	cpu->hv.id = id;
	cpu->tsc_khz = 1000000;
	cpu->generation = 1;
	cpu->features = (1ull << X86_FEATURES) - 1;
	cpu->random = 0x9e3779b97f4a7c15ull * (id + 1);
	x86_reset(cpu);
}

void x86_fpu_get(const struct x86_cpu *cpu, struct x86_fpu *fpu)
{
	*fpu = cpu->fpu;
}

void x86_fpu_set(struct x86_cpu *cpu, const struct x86_fpu *fpu)
{
	cpu->fpu = *fpu;
	cpu->fpu.mxcsr &= 0xffff;
	cpu->fpu.xcr0 = (fpu->xcr0 & 3) | 1;
	x87_control_put(cpu, fpu->fcw);
}

void x86_state_get(const struct x86_cpu *cpu, struct x86_state *s)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->gpr, cpu->r, sizeof(s->gpr));
	s->rip = cpu->rip;
	s->rflags = x86_flags_get(cpu);
	memcpy(s->seg, cpu->seg, sizeof(s->seg));
	s->gdt = cpu->gdt;
	s->idt = cpu->idt;
	s->cr0 = cpu->cr0;
	s->cr2 = cpu->cr2;
	s->cr3 = cpu->cr3;
	s->cr4 = cpu->cr4;
	s->cr8 = cpu->cr8;
	s->efer = cpu->efer;
	memcpy(s->dr, cpu->dr, sizeof(s->dr));
	s->star = cpu->star;
	s->lstar = cpu->lstar;
	s->cstar = cpu->cstar;
	s->sfmask = cpu->sfmask;
	s->kernel_gs_base = cpu->kernel_gs_base;
	s->sysenter_cs = cpu->sysenter_cs;
	s->sysenter_esp = cpu->sysenter_esp;
	s->sysenter_eip = cpu->sysenter_eip;
	s->pat = cpu->pat;
	s->tsc = x86_tsc((struct x86_cpu *)cpu);
}

void x86_state_set(struct x86_cpu *cpu, const struct x86_state *s)
{
	memcpy(cpu->r, s->gpr, sizeof(s->gpr));
	cpu->rip = s->rip;
	x86_flags_load(cpu, s->rflags);
	memcpy(cpu->seg, s->seg, sizeof(s->seg));
	cpu->gdt = s->gdt;
	cpu->idt = s->idt;
	cpu->cr0 = s->cr0;
	cpu->cr2 = s->cr2;
	cpu->cr3 = s->cr3;
	cpu->cr4 = s->cr4;
	cpu->cr8 = s->cr8;
	cpu->efer = s->efer;
	memcpy(cpu->dr, s->dr, sizeof(s->dr));
	cpu->star = s->star;
	cpu->lstar = s->lstar;
	cpu->cstar = s->cstar;
	cpu->sfmask = s->sfmask;
	cpu->kernel_gs_base = s->kernel_gs_base;
	cpu->sysenter_cs = s->sysenter_cs;
	cpu->sysenter_esp = s->sysenter_esp;
	cpu->sysenter_eip = s->sysenter_eip;
	cpu->pat = s->pat;
	cpu->tsc_offset = 0;
	cpu->tsc_offset = s->tsc - x86_tsc(cpu);
	/* the privilege level is the stack segment's (3C 24.4.1 keeps it there too) */
	cpu->cpl = cpu->cr0 & CR0_PE ? (cpu->seg[X86_SS].attributes >> 5) & 3 : 0;
	cpu->shadow = 0;
	cpu->trap = 0;
	cpu->debug_hit = 0;
	cpu->shutdown = 0;
	cpu->nmi_blocked = 0;
	cpu->block = NULL;
	cpu->hv.idle = 0;
	cpu->hv.epoch++;
	hv_cpu_forget(&cpu->hv);
	x86_mode_update(cpu);
	x86_tlb_flush(cpu);
	if ((cpu->cr0 & CR0_PG) && (cpu->cr4 & CR4_PAE) && !x86_long(cpu))
		x86_load_pdptes(cpu, cpu->cr3);
}
