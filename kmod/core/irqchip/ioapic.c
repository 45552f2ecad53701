// SPDX-License-Identifier: GPL-2.0 OR MIT
/* I/O APIC: see ioapic.h. */
#include "irqchip.h"

#define REG_ID 0
#define REG_VERSION 1
#define REG_ARBITRATION 2
#define REG_RTE 0x10

#define RTE_READ_ONLY ((1ull << 12) | IOAPIC_RTE_REMOTE_IRR)	/* delivery status, remote IRR */
#define RTE_WRITABLE (0xff0000000001afffull)

void ioapic_init(struct ioapic *io, u32 pins)
{
	memset(io, 0, sizeof(*io));
	io->pins = pins;
	ioapic_reset(io);
}

void ioapic_reset(struct ioapic *io)
{
	u32 i;

	for (i = 0; i < io->pins; i++)
		io->rte[i] = IOAPIC_RTE_MASKED;
	io->select = 0;
	io->id = 0;
}

static bool send(struct irqchip *chip, u64 rte)
{
	struct apic_message m;

	memset(&m, 0, sizeof(m));
	m.vector = (u8)rte;
	m.mode = (rte >> 8) & 7;
	m.logical = (rte >> 11) & 1;
	m.level = !!(rte & IOAPIC_RTE_LEVEL);
	m.assert = 1;
	m.destination = (u32)(rte >> 56);
	return irqchip_send(chip, &m, NULL);
}

/* A level pin that is asserted, unmasked and not in service somewhere: tell somebody. */
static void fire_level(struct irqchip *chip, u32 pin)
{
	struct ioapic *io = &chip->ioapic;
	u64 rte = io->rte[pin];

	if (!(rte & IOAPIC_RTE_LEVEL) || (rte & (IOAPIC_RTE_MASKED | IOAPIC_RTE_REMOTE_IRR)) || !(io->lines >> pin & 1))
		return;
	/* set before the message leaves: the EOI may come at once */
	io->rte[pin] |= IOAPIC_RTE_REMOTE_IRR;
	if (!send(chip, rte))
		io->rte[pin] &= ~IOAPIC_RTE_REMOTE_IRR;
}

void ioapic_line(struct irqchip *chip, u32 pin, bool asserted)
{
	struct ioapic *io = &chip->ioapic;
	u64 bit = 1ull << pin, before = io->lines;

	if (pin >= io->pins)
		return;
	io->lines = asserted ? before | bit : before & ~bit;
	if (!asserted)
		return;
	if (io->rte[pin] & IOAPIC_RTE_LEVEL)
		fire_level(chip, pin);
	else if (!(before & bit) && !(io->rte[pin] & IOAPIC_RTE_MASKED))
		send(chip, io->rte[pin]);
}

void ioapic_eoi(struct irqchip *chip, u8 vector)
{
	struct ioapic *io = &chip->ioapic;
	u32 pin;

	for (pin = 0; pin < io->pins; pin++) {
		if (!(io->rte[pin] & IOAPIC_RTE_REMOTE_IRR) || (u8)io->rte[pin] != vector)
			continue;
		io->rte[pin] &= ~IOAPIC_RTE_REMOTE_IRR;
		fire_level(chip, pin);
	}
}

static u32 rte_of(const struct ioapic *io)
{
	return (io->select - REG_RTE) / 2;
}

u32 ioapic_read(struct ioapic *io, u32 offset)
{
	if (offset == 0)
		return io->select;
	if (offset != 0x10)
		return 0;
	switch (io->select) {
	case REG_ID:
	case REG_ARBITRATION:
		return io->id << 24;
	case REG_VERSION:
		return (io->pins - 1) << 16 | IOAPIC_VERSION;
	default:
		if (io->select < REG_RTE || rte_of(io) >= io->pins)
			return 0;
		return (u32)(io->rte[rte_of(io)] >> (io->select & 1 ? 32 : 0));
	}
}

static void rte_write(struct irqchip *chip, u32 pin, bool high, u32 v)
{
	struct ioapic *io = &chip->ioapic;
	u64 old = io->rte[pin], rte;

	if (high)
		rte = (old & 0xffffffffull) | (u64)v << 32;
	else
		rte = (old & ~0xffffffffull) | v;
	rte = (rte & RTE_WRITABLE) | (old & RTE_READ_ONLY);
	/* a pin turned to edge forgets that it was in service: how operating systems get rid of a stuck one */
	if (!(rte & IOAPIC_RTE_LEVEL))
		rte &= ~IOAPIC_RTE_REMOTE_IRR;
	io->rte[pin] = rte;
	fire_level(chip, pin);
}

void ioapic_write(struct irqchip *chip, u32 offset, u32 v)
{
	struct ioapic *io = &chip->ioapic;

	if (offset == 0) {
		io->select = v & 0xff;
	} else if (offset == 0x10) {
		if (io->select == REG_ID)
			io->id = (v >> 24) & 0xf;
		else if (io->select >= REG_RTE && rte_of(io) < io->pins)
			rte_write(chip, rte_of(io), io->select & 1, v);
	}
}
