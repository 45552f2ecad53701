// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Local APIC: see lapic.h.  Intel SDM volume 3, chapter 11. */
#include "lapic.h"

#define LAPIC_VERSION_VALUE 0x00050014u	/* 6 local vector entries, version 14h */

void lapic_reset(struct lapic *l, u32 id)
{
	memset(l, 0, sizeof(*l));
	l->id = id;
	l->svr = 0xff;
}

u32 lapic_read(const struct lapic *l, u32 offset)
{
	switch (offset) {
	case LAPIC_ID:
		return l->id << 24;
	case LAPIC_VERSION:
		return LAPIC_VERSION_VALUE;
	case LAPIC_TPR:
		return l->tpr;
	case LAPIC_SVR:
		return l->svr;
	case LAPIC_ICR_LOW:
		return l->icr_low;
	case LAPIC_ICR_HIGH:
		return l->icr_high;
	default:
		return 0;
	}
}

static void icr_decode(const struct lapic *l, struct lapic_ipi *ipi)
{
	ipi->vector = l->icr_low & 0xff;
	ipi->mode = (l->icr_low >> 8) & 7;
	ipi->assert = (l->icr_low >> 14) & 1;
	ipi->shorthand = (l->icr_low >> 18) & 3;
	ipi->destination = l->icr_high >> 24;
}

bool lapic_write(struct lapic *l, u32 offset, u32 value, struct lapic_ipi *ipi)
{
	switch (offset) {
	case LAPIC_TPR:
		l->tpr = value & 0xff;
		return false;
	case LAPIC_SVR:
		l->svr = value & 0x1ff;
		return false;
	case LAPIC_ICR_HIGH:
		l->icr_high = value & 0xff000000u;
		return false;
	case LAPIC_ICR_LOW:
		l->icr_low = value & 0xccfffu;
		icr_decode(l, ipi);
		return true;
	default:
		return false;
	}
}

bool lapic_ipi_for(const struct lapic_ipi *ipi, u32 self, u32 id)
{
	switch (ipi->shorthand) {
	case 1:
		return id == self;
	case 2:
		return true;
	case 3:
		return id != self;
	default:
		return ipi->destination == 0xff || ipi->destination == id;
	}
}
