/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Local APIC, xAPIC mode: identification and the interrupt command register, enough to start other vCPUs. */
#ifndef MV_LAPIC_H
#define MV_LAPIC_H

#include "../env.h"

#define LAPIC_BASE 0xfee00000ull
#define LAPIC_SIZE 0x1000ull

/* Register offsets: Intel SDM volume 3, table 11-1 */
#define LAPIC_ID 0x20
#define LAPIC_VERSION 0x30
#define LAPIC_TPR 0x80
#define LAPIC_EOI 0xb0
#define LAPIC_SVR 0xf0
#define LAPIC_ICR_LOW 0x300
#define LAPIC_ICR_HIGH 0x310

struct lapic {
	u32 id;
	u32 tpr;
	u32 svr;
	u32 icr_low;
	u32 icr_high;
};

/* An inter-processor interrupt that a write to ICR_LOW sends. */
struct lapic_ipi {
	u8 mode;	/* delivery mode: 5 INIT, 6 start-up */
	u8 vector;
	u8 shorthand;	/* 0 by @destination, 1 self, 2 all, 3 all but self */
	u8 destination;	/* APIC id, or 0xff for all */
	u8 assert;
};

#define LAPIC_MODE_INIT 5
#define LAPIC_MODE_STARTUP 6

void lapic_reset(struct lapic *l, u32 id);
u32 lapic_read(const struct lapic *l, u32 offset);
/* Return: true if the write sends @ipi. */
bool lapic_write(struct lapic *l, u32 offset, u32 value, struct lapic_ipi *ipi);
/* Is the APIC with @id one of @ipi's targets, sent by @self? */
bool lapic_ipi_for(const struct lapic_ipi *ipi, u32 self, u32 id);

#endif
