/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The interrupt controllers of one x86 VM and how they are wired: 8259 pair and I/O APIC get lines, local APICs get messages,
 * CPUs ask for vectors.
 *
 * Messages (irqchip_send, irqchip_msi) may come from any context, interrupts included: they take no lock.  Everything that
 * touches the 8259s or the I/O APIC takes the chip's lock and must come from a context that may be preempted.
 */
#ifndef MV_IRQCHIP_H
#define MV_IRQCHIP_H

#include "../exit.h"
#include "ioapic.h"
#include "lapic.h"
#include "pic.h"

#define IRQCHIP_CPUS 32u

/**
 * struct irqchip_ends - inputs that are let go when the guest has finished with their interrupt
 * @pic, @ioapic: such inputs: the end of interrupt takes their line low
 * @pic_ended, @ioapic_ended: those that it happened to
 * @tell: there are new ones.  With the chip's lock held; may be NULL.
 *
 * A level that a device takes back only afterwards would be an interrupt too many.  All under the chip's lock.
 */
struct irqchip_ends {
	u64 pic;
	u64 ioapic;
	u64 pic_ended;
	u64 ioapic_ended;
	void (*tell)(void *context);
};

/**
 * struct irqchip
 * @kick: vCPU @n has something new to look at: wake its thread.  Any context; may be NULL.
 */
struct irqchip {
	struct env_lock lock;
	struct pic_pair pic;
	struct ioapic ioapic;
	u32 cpus;
	struct lapic *lapic[IRQCHIP_CPUS];
	struct irqchip_ends ends;
	void (*kick)(void *context, u32 n);
	void *context;
};

void irqchip_init(struct irqchip *chip, u32 ioapic_pins);
void irqchip_add(struct irqchip *chip, struct lapic *l, struct x86_cpu *cpu, u32 id);

/* Drive line @gsi: the I/O APIC's pin, and below 16 the 8259's input too (2 is wired to its input 0). */
void irqchip_line(struct irqchip *chip, u32 gsi, bool asserted);
/* A message of @from (NULL: a device).  Return: whether somebody took it. */
bool irqchip_send(struct irqchip *chip, const struct apic_message *m, const struct lapic *from);
/* A device's memory write to FEExxxxxh.  Return: false if @address is not in that range. */
bool irqchip_msi(struct irqchip *chip, u64 address, u64 data);

/*
 * An access of a vCPU to one of the controllers' registers.  Return: false if it is to something else.
 * @value: what a read gives
 */
bool irqchip_access(struct lapic *l, const struct hv_exit *access, u64 *value);

/* What the files of this directory call among themselves. */
void irqchip_kick(struct irqchip *chip, u32 n);
/* @level: as the local APIC took it; others have an end for those only who asked for it */
void irqchip_eoi(struct irqchip *chip, u8 vector, bool level);
bool irqchip_pic_pending(struct lapic *l);
/* hv_irq_source.acknowledge of a CPU: its next vector, or -1 */
int irqchip_acknowledge(void *lapic);

#endif
