/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * I/O APIC: pins become messages to local APICs.  Source of the rules: Intel 82093AA data sheet (order 290566), and for the
 * EOI of level interrupts Intel SDM volume 3, section 11.8.5.  Callers serialise.
 */
#ifndef MV_IOAPIC_H
#define MV_IOAPIC_H

#include "message.h"

#define IOAPIC_BASE 0xfec00000ull
#define IOAPIC_SIZE 0x1000ull
#define IOAPIC_PINS_MAX 48u

#define IOAPIC_VERSION 0x11u		/* the 82093AA's: no EOI register, local APICs broadcast theirs */

#define IOAPIC_RTE_MASKED (1ull << 16)
#define IOAPIC_RTE_LEVEL (1ull << 15)
#define IOAPIC_RTE_REMOTE_IRR (1ull << 14)
#define IOAPIC_RTE_ACTIVE_LOW (1ull << 13)

struct irqchip;

/**
 * struct ioapic
 * @lines: pins that are asserted.  Polarity is the VMM's affair: asserted is asserted, as in ACRN.
 */
struct ioapic {
	u32 pins;
	u32 id;
	u32 select;
	u64 lines;
	u64 rte[IOAPIC_PINS_MAX];
};

void ioapic_init(struct ioapic *io, u32 pins);
/* All pins masked; the lines stay as they are driven. */
void ioapic_reset(struct ioapic *io);
void ioapic_line(struct irqchip *chip, u32 pin, bool asserted);
/* A local APIC finished a level-triggered @vector. */
void ioapic_eoi(struct irqchip *chip, u8 vector);

/* 32-bit accesses at the window registers; others read 0 and write nothing. */
u32 ioapic_read(struct ioapic *io, u32 offset);
void ioapic_write(struct irqchip *chip, u32 offset, u32 v);

#endif
