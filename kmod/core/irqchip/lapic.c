// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Local APIC: registers, requests, priorities.  See lapic.h. */
#include "irqchip.h"
#include "lapic_bits.h"

#define VERSION_VALUE 0x00050014u	/* 6 local vector entries, version 14h; no suppression of EOI broadcasts */
#define ICR_WRITABLE 0xccfffu

static const u32 lvt_writable[LVTS] = { 0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff };

void lapic_init(struct lapic *l, struct irqchip *chip, u32 index, struct x86_cpu *cpu, u32 id)
{
	l->chip = chip;
	l->cpu = cpu;
	l->index = index;
	l->id = id;
	cpu->apic = &lapic_ops;
	cpu->hv.irq.acknowledge = irqchip_acknowledge;
	cpu->hv.irq.context = l;
	lapic_reset(l);
}

/* Section 11.4.7: what power-up and INIT have in common. */
static void reset_registers(struct lapic *l)
{
	u32 i;

	env_write_once(l->tpr, 0);
	env_write_once(l->ldr, 0);
	env_write_once(l->dfr, ~0u);
	env_write_once(l->svr, 0xff);
	l->esr = 0;
	env_write_once(l->esr_next, 0);
	l->icr_low = 0;
	l->icr_high = 0;
	l->timer_initial = 0;
	l->timer_divide = 0;
	l->timer_on = 0;
	for (i = 0; i < LVTS; i++)
		l->lvt[i] = LAPIC_LVT_MASKED;
	/* the boot processor gets the 8259's interrupts without asking, as firmware leaves it ("virtual wire") */
	if (!l->index)
		l->lvt[LVT_LINT0] = APIC_EXTINT << 8;
	for (i = 0; i < 8; i++) {
		env_write_once(l->isr[i], 0);
		env_write_once(l->irr[i], 0);
		env_write_once(l->tmr[i], 0);
	}
}

void lapic_reset(struct lapic *l)
{
	l->base = LAPIC_BASE | APIC_BASE_ENABLE | (l->index ? 0 : APIC_BASE_BSP);
	l->init = 0;
	l->sipi = 0;
	l->extint = 0;
	reset_registers(l);
}

bool lapic_take_init(struct lapic *l)
{
	if (!env_read_once(l->init))
		return false;
	/* a start-up IPI may be there already, for the state that follows */
	env_write_once(l->init, 0);
	reset_registers(l);
	if (lapic_x2(l))
		env_write_once(l->ldr, (l->id >> 4) << 16 | 1u << (l->id & 15));
	return true;
}

u32 lapic_priority(const struct lapic *l)
{
	int vector = bits_highest(l->isr);
	u32 in_service = vector < 0 ? 0 : (u32)vector & 0xf0, task = env_read_once(l->tpr);

	return (task & 0xf0) >= in_service ? task : in_service;
}

/* Something got deliverable: a request that waited for a lower priority. */
static void look_again(struct lapic *l)
{
	if (bits_highest(l->irr) >= 0 || irqchip_pic_pending(l))
		hv_cpu_request(&l->cpu->hv, HV_REQ_IRQ);
}

void lapic_error(struct lapic *l, u32 bit)
{
	if (env_fetch_or(&l->esr_next, bit) & bit)
		return;
	lapic_local(l, LVT_ERROR);
}

void lapic_local(struct lapic *l, enum lapic_lvt n)
{
	struct apic_message m;

	if (l->lvt[n] & LAPIC_LVT_MASKED)
		return;
	memset(&m, 0, sizeof(m));
	m.vector = (u8)l->lvt[n];
	/* timer and error entries have no delivery mode */
	m.mode = n == LVT_TIMER || n == LVT_ERROR ? APIC_FIXED : l->lvt[n] >> 8 & 7;
	m.assert = 1;
	if (m.vector < 16 && m.mode == APIC_FIXED)
		env_fetch_or(&l->esr_next, ESR_RECEIVE_VECTOR);
	else
		lapic_accept(l, &m);
}

bool lapic_matches(const struct lapic *l, const struct lapic *from, const struct apic_message *m)
{
	u32 ldr = env_read_once(l->ldr), d = m->destination;

	switch (m->shorthand) {
	case APIC_TO_SELF:
		return l == from;
	case APIC_TO_ALL:
		return true;
	case APIC_TO_OTHERS:
		return l != from;
	default:
		break;
	}
	if (d == (m->wide ? ~0u : 0xffu))
		return true;
	if (!m->logical)
		return d == l->id;
	if (lapic_x2(l))
		return d >> 16 == ldr >> 16 && (d & ldr & 0xffff);
	if (m->wide)
		return false;
	if (env_read_once(l->dfr) >> 28 == 0xf)
		return d & (ldr >> 24);
	return d >> 4 == ldr >> 28 && (d & (ldr >> 24) & 0xf);
}

bool lapic_accept(struct lapic *l, const struct apic_message *m)
{
	u32 word = m->vector / 32, bit = 1u << (m->vector & 31);

	if (!lapic_on(l))
		return false;
	switch (m->mode) {
	case APIC_FIXED:
	case APIC_LOWEST:
		if (!lapic_software_on(l))
			return false;
		if (m->vector < 16) {
			env_fetch_or(&l->esr_next, ESR_RECEIVE_VECTOR);
			return true;
		}
		/* the mode goes first: whoever takes the request finds it */
		if (m->level)
			env_fetch_or(&l->tmr[word], bit);
		else
			env_fetch_and(&l->tmr[word], ~bit);
		env_fetch_or(&l->irr[word], bit);
		hv_cpu_request(&l->cpu->hv, HV_REQ_IRQ);
		break;
	case APIC_NMI:
		hv_cpu_request(&l->cpu->hv, HV_REQ_NMI);
		break;
	case APIC_INIT:
		if (!m->assert)
			return true;
		env_write_once(l->sipi, 0);
		env_store_release(&l->init, 1);
		hv_cpu_request(&l->cpu->hv, HV_REQ_STOP);
		break;
	case APIC_STARTUP:
		/* the vCPU forgets it if it does not wait for one (section 9.4.3) */
		env_store_release(&l->sipi, 0x100u | m->vector);
		hv_cpu_request(&l->cpu->hv, HV_REQ_STOP);
		break;
	case APIC_EXTINT:
		env_store_release(&l->extint, 1);
		hv_cpu_request(&l->cpu->hv, HV_REQ_IRQ);
		break;
	default:
		return false;
	}
	irqchip_kick(l->chip, l->index);
	return true;
}

int lapic_take(struct lapic *l)
{
	int vector;
	u32 bit;

	if (!lapic_software_on(l))
		return -1;
	vector = bits_highest(l->irr);
	if (vector < 0 || ((u32)vector & 0xf0) <= (lapic_priority(l) & 0xf0))
		return -1;
	bit = 1u << (vector & 31);
	env_fetch_and(&l->irr[vector / 32], ~bit);
	env_write_once(l->isr[vector / 32], l->isr[vector / 32] | bit);
	return vector;
}

bool lapic_passes_pic(const struct lapic *l)
{
	u32 entry = l->lvt[LVT_LINT0];

	if (env_read_once(l->extint))
		return true;
	if (!lapic_on(l))
		return !l->index;
	return !(entry & LAPIC_LVT_MASKED) && (entry >> 8 & 7) == APIC_EXTINT;
}

static void end_of_interrupt(struct lapic *l)
{
	int vector = bits_highest(l->isr);

	if (vector < 0)
		return;
	env_write_once(l->isr[vector / 32], l->isr[vector / 32] & ~(1u << (vector & 31)));
	irqchip_eoi(l->chip, (u8)vector, env_read_once(l->tmr[vector / 32]) >> (vector & 31) & 1);
	look_again(l);
}

void lapic_write_tpr(struct lapic *l, u32 v)
{
	env_write_once(l->tpr, v & 0xff);
	look_again(l);
}

static void write_svr(struct lapic *l, u32 v)
{
	u32 i;

	env_write_once(l->svr, v & 0x1ff);
	if (!(v & LAPIC_SVR_ENABLED)) {
		for (i = 0; i < LVTS; i++)
			l->lvt[i] |= LAPIC_LVT_MASKED;
	}
}

static void write_lvt(struct lapic *l, u32 n, u32 v)
{
	v &= lvt_writable[n];
	if (!(l->svr & LAPIC_SVR_ENABLED))
		v |= LAPIC_LVT_MASKED;
	if (n == LVT_TIMER)
		lapic_timer_write_lvt(l, v);
	else
		l->lvt[n] = v;
	look_again(l);
}

void lapic_send_icr(struct lapic *l)
{
	struct apic_message m;

	memset(&m, 0, sizeof(m));
	m.vector = (u8)l->icr_low;
	m.mode = l->icr_low >> 8 & 7;
	m.logical = l->icr_low >> 11 & 1;
	m.assert = l->icr_low >> 14 & 1;
	m.shorthand = l->icr_low >> 18 & 3;
	m.wide = lapic_x2(l);
	m.destination = m.wide ? l->icr_high : l->icr_high >> 24;
	if ((m.mode == APIC_FIXED || m.mode == APIC_LOWEST) && m.vector < 16)
		lapic_error(l, ESR_SEND_VECTOR);
	else
		irqchip_send(l->chip, &m, l);
}

u32 lapic_read(struct lapic *l, u32 offset)
{
	u32 word = (offset & 0x7f) >> 4;

	if (offset >= LAPIC_ISR && offset < LAPIC_TMR)
		return l->isr[word];
	if (offset >= LAPIC_TMR && offset < LAPIC_IRR)
		return env_read_once(l->tmr[word]);
	if (offset >= LAPIC_IRR && offset < LAPIC_ESR)
		return env_read_once(l->irr[word]);
	if (offset >= LAPIC_LVT_TIMER && offset <= LAPIC_LVT_ERROR)
		return l->lvt[(offset - LAPIC_LVT_TIMER) >> 4];
	switch (offset) {
	case LAPIC_ID:
		return lapic_x2(l) ? l->id : l->id << 24;
	case LAPIC_VERSION:
		return VERSION_VALUE;
	case LAPIC_TPR:
		return l->tpr;
	case LAPIC_PPR:
		return lapic_priority(l);
	case LAPIC_LDR:
		return l->ldr;
	case LAPIC_DFR:
		return l->dfr;
	case LAPIC_SVR:
		return l->svr;
	case LAPIC_ESR:
		return l->esr;
	case LAPIC_ICR_LOW:
		return l->icr_low;
	case LAPIC_ICR_HIGH:
		return l->icr_high;
	case LAPIC_TIMER_INITIAL:
		return l->timer_initial;
	case LAPIC_TIMER_CURRENT:
		return lapic_timer_current(l);
	case LAPIC_TIMER_DIVIDE:
		return l->timer_divide;
	default:
		return 0;
	}
}

void lapic_write(struct lapic *l, u32 offset, u32 v)
{
	if (offset >= LAPIC_LVT_TIMER && offset <= LAPIC_LVT_ERROR) {
		write_lvt(l, (offset - LAPIC_LVT_TIMER) >> 4, v);
		return;
	}
	switch (offset) {
	case LAPIC_TPR:
		lapic_write_tpr(l, v);
		break;
	case LAPIC_EOI:
		end_of_interrupt(l);
		break;
	case LAPIC_LDR:
		env_write_once(l->ldr, v & 0xff000000u);
		break;
	case LAPIC_DFR:
		env_write_once(l->dfr, v | 0x0fffffffu);
		break;
	case LAPIC_SVR:
		write_svr(l, v);
		break;
	case LAPIC_ESR:		/* what was collected becomes visible */
		l->esr = env_xchg(&l->esr_next, 0);
		break;
	case LAPIC_ICR_HIGH:
		l->icr_high = v & 0xff000000u;
		break;
	case LAPIC_ICR_LOW:
		l->icr_low = v & ICR_WRITABLE;
		lapic_send_icr(l);
		break;
	case LAPIC_TIMER_INITIAL:
		lapic_timer_write_initial(l, v);
		break;
	case LAPIC_TIMER_DIVIDE:
		lapic_timer_write_divide(l, v);
		break;
	default:
		break;
	}
}
