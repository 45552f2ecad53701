// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The wiring of the interrupt controllers: see irqchip.h. */
#include "irqchip.h"

#define MSI_WINDOW 0xfeeu	/* address bits 31:20 */

void irqchip_init(struct irqchip *chip, u32 ioapic_pins)
{
	env_lock_init(&chip->lock);
	pic_reset(&chip->pic);
	ioapic_init(&chip->ioapic, ioapic_pins);
	chip->cpus = 0;
	memset(&chip->ends, 0, sizeof(chip->ends));
	chip->kick = NULL;
}

void irqchip_add(struct irqchip *chip, struct lapic *l, struct x86_cpu *cpu, u32 id)
{
	lapic_init(l, chip, chip->cpus, cpu, id);
	chip->lapic[chip->cpus++] = l;
}

void irqchip_kick(struct irqchip *chip, u32 n)
{
	if (chip->kick)
		chip->kick(chip->context, n);
}

/* Tell the boot processor, which is the one wired to the 8259s, if they have something. */
static void show_pic(struct irqchip *chip)
{
	if (!chip->cpus || !pic_output(&chip->pic))
		return;
	hv_cpu_request(&chip->lapic[0]->cpu->hv, HV_REQ_IRQ);
	irqchip_kick(chip, 0);
}

void irqchip_line(struct irqchip *chip, u32 gsi, bool asserted)
{
	env_lock_take(&chip->lock);
	if (gsi < 16) {
		pic_line(&chip->pic, gsi == 2 ? 0 : gsi, asserted);
		show_pic(chip);
	}
	ioapic_line(chip, gsi, asserted);
	env_lock_drop(&chip->lock);
}

static bool send_to_lowest(struct irqchip *chip, const struct apic_message *m, const struct lapic *from)
{
	struct lapic *l, *best = NULL;
	u32 i;

	for (i = 0; i < chip->cpus; i++) {
		l = chip->lapic[i];
		if (!lapic_matches(l, from, m) || !(env_read_once(l->svr) & LAPIC_SVR_ENABLED))
			continue;
		if (!best || (lapic_priority(l) & 0xf0) < (lapic_priority(best) & 0xf0))
			best = l;
	}
	return best && lapic_accept(best, m);
}

bool irqchip_send(struct irqchip *chip, const struct apic_message *m, const struct lapic *from)
{
	bool taken = false;
	u32 i;

	if (m->mode == APIC_LOWEST)
		return send_to_lowest(chip, m, from);
	for (i = 0; i < chip->cpus; i++) {
		if (lapic_matches(chip->lapic[i], from, m))
			taken |= lapic_accept(chip->lapic[i], m);
	}
	return taken;
}

/* Intel SDM volume 3, section 11.11.  The redirection hint asks for one of the targets. */
bool irqchip_msi(struct irqchip *chip, u64 address, u64 data)
{
	struct apic_message m;

	if ((address >> 20 & 0xfff) != MSI_WINDOW)
		return false;
	memset(&m, 0, sizeof(m));
	m.destination = address >> 12 & 0xff;
	m.logical = address >> 2 & 1;
	m.vector = (u8)data;
	m.mode = data >> 8 & 7;
	m.assert = 1;
	if (m.mode == APIC_FIXED && m.logical && (address >> 3 & 1))
		m.mode = APIC_LOWEST;
	if (m.mode == APIC_FIXED || m.mode == APIC_LOWEST || m.mode == APIC_EXTINT)
		irqchip_send(chip, &m, NULL);
	return true;
}

static void tell_ends(struct irqchip *chip)
{
	if (chip->ends.tell)
		chip->ends.tell(chip->context);
}

/* Before ioapic_eoi(), which asks again for what is high. */
static void end_ioapic(struct irqchip *chip, u8 vector)
{
	u64 ended = 0;
	u32 pin;

	for (pin = 0; pin < chip->ioapic.pins; pin++) {
		if ((u8)chip->ioapic.rte[pin] == vector)
			ended |= 1ull << pin;
	}
	ended &= chip->ends.ioapic;
	if (!ended)
		return;
	chip->ioapic.lines &= ~ended;
	chip->ends.ioapic_ended |= ended;
	tell_ends(chip);
}

/* @before: inputs in service before what the guest wrote */
static void end_pic(struct irqchip *chip, u32 before)
{
	u64 ended = before & ~pic_in_service(&chip->pic) & chip->ends.pic;
	u32 input;

	if (!ended)
		return;
	for (input = 0; input < 16; input++) {
		if (ended >> input & 1)
			pic_line(&chip->pic, input, false);
	}
	chip->ends.pic_ended |= ended;
	tell_ends(chip);
}

/* The lock is not worth taking for an edge that nobody wants to hear of. */
void irqchip_eoi(struct irqchip *chip, u8 vector, bool level)
{
	if (!level && !env_read_once(chip->ends.ioapic))
		return;
	env_lock_take(&chip->lock);
	end_ioapic(chip, vector);
	if (level)
		ioapic_eoi(chip, vector);
	env_lock_drop(&chip->lock);
}

bool irqchip_pic_pending(struct lapic *l)
{
	bool pending;

	if (!lapic_passes_pic(l))
		return false;
	env_lock_take(&l->chip->lock);
	pending = pic_output(&l->chip->pic);
	env_lock_drop(&l->chip->lock);
	return pending;
}

/* The 8259s go first: their interrupt is not subject to the local APIC's priorities (3A 11.8.4). */
int irqchip_acknowledge(void *context)
{
	struct lapic *l = context;
	int vector = -1;

	if (lapic_passes_pic(l)) {
		env_lock_take(&l->chip->lock);
		env_write_once(l->extint, 0);
		if (pic_output(&l->chip->pic))
			vector = pic_acknowledge(&l->chip->pic);
		env_lock_drop(&l->chip->lock);
		if (vector >= 0)
			return vector;
	}
	return lapic_take(l);
}

static bool pic_access(struct irqchip *chip, const struct hv_exit *e, u64 *value)
{
	u32 i, before;

	if (!pic_has_port(e->address))
		return false;
	/* a wider access is one to each port, as on the bus */
	*value = 0;
	env_lock_take(&chip->lock);
	before = pic_in_service(&chip->pic);
	for (i = 0; i < e->size && pic_has_port(e->address + i); i++) {
		if (e->direction == HV_WRITE)
			pic_port_write(&chip->pic, (u32)e->address + i, (u8)(e->data >> (8 * i)));
		else
			*value |= (u64)pic_port_read(&chip->pic, (u32)e->address + i) << (8 * i);
	}
	end_pic(chip, before);
	show_pic(chip);
	env_lock_drop(&chip->lock);
	return true;
}

static void ioapic_access(struct irqchip *chip, const struct hv_exit *e, u64 *value)
{
	u32 offset = (u32)(e->address - IOAPIC_BASE);

	*value = 0;
	if (e->size != 4)
		return;
	env_lock_take(&chip->lock);
	if (e->direction == HV_WRITE)
		ioapic_write(chip, offset, (u32)e->data);
	else
		*value = ioapic_read(&chip->ioapic, offset);
	env_lock_drop(&chip->lock);
}

/* Registers are 32 bits at multiples of 16 (3A 11.4.1); what else a guest does there is undefined: nothing. */
static void lapic_access(struct lapic *l, const struct hv_exit *e, u64 *value)
{
	u32 offset = (u32)(e->address - LAPIC_BASE);

	*value = 0;
	if (e->direction == HV_WRITE) {
		if (!(offset & 15) && e->size >= 4)
			lapic_write(l, offset, (u32)e->data);
	} else if ((offset & 15) + e->size <= 4) {
		*value = lapic_read(l, offset & ~15u) >> (8 * (offset & 15));
	}
}

bool irqchip_access(struct lapic *l, const struct hv_exit *e, u64 *value)
{
	u64 mode = l->base & 0xc00;

	if (e->space == HV_SPACE_PIO)
		return pic_access(l->chip, e, value);
	if (e->address - IOAPIC_BASE < IOAPIC_SIZE) {
		ioapic_access(l->chip, e, value);
		return true;
	}
	/* only in xAPIC mode is there anything at the address */
	if (e->address - LAPIC_BASE >= LAPIC_SIZE || mode != 0x800)
		return false;
	lapic_access(l, e, value);
	return true;
}
