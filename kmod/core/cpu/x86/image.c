// SPDX-License-Identifier: GPL-2.0 OR MIT
/* See image.h. */
#include "image.h"

static const u16 lapic_words[] = { LAPIC_TPR, LAPIC_LDR, LAPIC_DFR, LAPIC_SVR, LAPIC_ESR, LAPIC_ICR_LOW, LAPIC_ICR_HIGH,
				   LAPIC_TIMER_INITIAL, LAPIC_TIMER_DIVIDE };

static u32 *lapic_word(struct lapic *l, u32 n)
{
	u32 *const word[] = { &l->tpr, &l->ldr, &l->dfr, &l->svr, &l->esr, &l->icr_low, &l->icr_high,
			      &l->timer_initial, &l->timer_divide };

	return word[n];
}

static void lapic_image_get(struct lapic *l, struct mockvisor_x86_state *to)
{
	u32 i;

	for (i = 0; i < sizeof(lapic_words) / sizeof(lapic_words[0]); i++)
		to->lapic[lapic_words[i] / 16] = *lapic_word(l, i);
	for (i = 0; i < LVTS; i++)
		to->lapic[LAPIC_LVT_TIMER / 16 + i] = l->lvt[i];
	for (i = 0; i < 8; i++) {
		to->lapic[LAPIC_ISR / 16 + i] = l->isr[i];
		to->lapic[LAPIC_TMR / 16 + i] = env_read_once(l->tmr[i]);
		to->lapic[LAPIC_IRR / 16 + i] = env_read_once(l->irr[i]);
	}
	to->apic_base = l->base;
	to->timer_on = l->timer_on;
	to->timer_start = l->timer_start;
}

static void lapic_image_set(struct lapic *l, const struct mockvisor_x86_state *from)
{
	u32 i;

	for (i = 0; i < sizeof(lapic_words) / sizeof(lapic_words[0]); i++)
		*lapic_word(l, i) = from->lapic[lapic_words[i] / 16];
	for (i = 0; i < LVTS; i++)
		l->lvt[i] = from->lapic[LAPIC_LVT_TIMER / 16 + i];
	for (i = 0; i < 8; i++) {
		l->isr[i] = from->lapic[LAPIC_ISR / 16 + i];
		env_write_once(l->tmr[i], from->lapic[LAPIC_TMR / 16 + i]);
		env_write_once(l->irr[i], from->lapic[LAPIC_IRR / 16 + i]);
	}
	l->base = from->apic_base;
	l->timer_on = !!from->timer_on;
	l->timer_start = from->timer_start;
}

static void fpu_image_get(const struct x86_cpu *cpu, struct mockvisor_x86_state *to)
{
	const struct x86_fpu *f = &cpu->fpu;
	u32 i;

	memcpy(to->xmm, f->xmm, sizeof(to->xmm));
	for (i = 0; i < 8; i++) {
		to->st[i].significand = f->st[i].sig;
		to->st[i].sign_exponent = f->st[i].se;
	}
	to->fcw = f->fcw;
	to->fsw = f->fsw;
	to->fop = f->fop;
	to->used = f->used;
	to->mxcsr = f->mxcsr;
	to->fip = f->fip;
	to->fdp = f->fdp;
	to->xcr0 = f->xcr0;
}

static void fpu_image_set(struct x86_cpu *cpu, const struct mockvisor_x86_state *from)
{
	struct x86_fpu *f = &cpu->fpu;	/* in place: one more is too large for a kernel stack */
	u32 i;

	memcpy(f->xmm, from->xmm, sizeof(f->xmm));
	for (i = 0; i < 8; i++) {
		f->st[i].sig = from->st[i].significand;
		f->st[i].se = from->st[i].sign_exponent;
	}
	f->fcw = from->fcw;
	f->fsw = from->fsw;
	f->fop = from->fop;
	f->used = (u8)from->used;
	f->mxcsr = from->mxcsr;
	f->fip = from->fip;
	f->fdp = from->fdp;
	f->xcr0 = from->xcr0;
	x86_fpu_set(cpu, f);
}

/* Fields that both structures have under the same name. */
#define SAME(X) X(rip) X(rflags) X(cr0) X(cr2) X(cr3) X(cr4) X(efer) X(star) X(lstar) X(cstar) X(sfmask) X(kernel_gs_base) X(pat)

void x86_image_get(struct x86_cpu *cpu, struct lapic *l, struct x86_state *s, struct mockvisor_x86_state *to)
{
	u32 i;

	x86_state_get(cpu, s);
	memcpy(to->gpr, s->gpr, sizeof(to->gpr));
	memcpy(to->dr, s->dr, sizeof(to->dr));
#define X(name) to->name = s->name;
	SAME(X)
#undef X
	for (i = 0; i < X86_SEGMENTS; i++) {
		to->segment[i].base = s->seg[i].base;
		to->segment[i].limit = s->seg[i].limit;
		to->segment[i].selector = s->seg[i].selector;
		to->segment[i].attributes = s->seg[i].attributes;
	}
	to->gdt_base = s->gdt.base;
	to->gdt_limit = s->gdt.limit;
	to->idt_base = s->idt.base;
	to->idt_limit = s->idt.limit;
	to->sysenter[0] = s->sysenter_cs;
	to->sysenter[1] = s->sysenter_esp;
	to->sysenter[2] = s->sysenter_eip;
	to->cr8 = l->tpr >> 4 & 15;
	to->tsc_offset = cpu->tsc_offset;
	to->tsc_aux = cpu->tsc_aux;
	to->misc_enable = cpu->misc_enable;
	to->spec_ctrl = cpu->spec_ctrl;
	to->pending = cpu->pending;
	to->shadow = cpu->shadow;
	to->nmi_blocked = cpu->nmi_blocked;
	to->nmi_pending = !!(env_read_once(cpu->hv.request) & HV_REQ_NMI);
	to->idle = !!cpu->hv.idle;
	to->hyperv_synic = cpu->synic;
	fpu_image_get(cpu, to);
	lapic_image_get(l, to);
}

static void state_image_set(struct x86_cpu *cpu, struct x86_state *s, const struct mockvisor_x86_state *from)
{
	u32 i;

	x86_state_get(cpu, s);
	memcpy(s->gpr, from->gpr, sizeof(s->gpr));
	memcpy(s->dr, from->dr, sizeof(s->dr));
#define X(name) s->name = from->name;
	SAME(X)
#undef X
	for (i = 0; i < X86_SEGMENTS; i++) {
		s->seg[i].base = from->segment[i].base;
		s->seg[i].limit = from->segment[i].limit;
		s->seg[i].selector = from->segment[i].selector;
		s->seg[i].attributes = from->segment[i].attributes;
	}
	s->gdt.base = from->gdt_base;
	s->gdt.limit = from->gdt_limit;
	s->idt.base = from->idt_base;
	s->idt.limit = from->idt_limit;
	s->sysenter_cs = from->sysenter[0];
	s->sysenter_esp = from->sysenter[1];
	s->sysenter_eip = from->sysenter[2];
	s->cr8 = from->cr8;
	x86_state_set(cpu, s);
}

void x86_image_set(struct x86_cpu *cpu, struct lapic *l, struct x86_state *scratch, const struct mockvisor_x86_state *from)
{
	bool stays = cpu->rip == from->rip;
	struct hv_replay replay = cpu->hv.replay;
	struct hv_exit exit = cpu->hv.exit;

	state_image_set(cpu, scratch, from);
	if (stays) {
		cpu->hv.exit = exit;
		cpu->hv.replay = replay;
	}
	cpu->tsc_offset = from->tsc_offset;
	cpu->tsc_aux = from->tsc_aux;
	cpu->misc_enable = from->misc_enable;
	cpu->spec_ctrl = from->spec_ctrl;
	cpu->pending = from->pending <= 256 ? from->pending : 0;
	cpu->shadow = from->shadow ? 1 : 0;
	cpu->nmi_blocked = !!from->nmi_blocked;
	cpu->hv.idle = !!from->idle;
	cpu->synic = !!from->hyperv_synic;
	fpu_image_set(cpu, from);
	lapic_image_set(l, from);
	if (!from->nmi_pending)
		env_fetch_and(&cpu->hv.request, ~HV_REQ_NMI);
	hv_cpu_request(&cpu->hv, HV_REQ_IRQ | (from->nmi_pending ? HV_REQ_NMI : 0));
}
