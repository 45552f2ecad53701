/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The 256-bit request registers of a local APIC, shared among its files. */
#ifndef MV_LAPIC_BITS_H
#define MV_LAPIC_BITS_H

#include "lapic.h"

#define APIC_BASE_BSP 0x100ull
#define APIC_BASE_X2 0x400ull
#define APIC_BASE_ENABLE 0x800ull

#define ESR_SEND_VECTOR 0x20u
#define ESR_RECEIVE_VECTOR 0x40u
#define ESR_REGISTER 0x80u

static inline bool lapic_x2(const struct lapic *l)
{
	return env_read_once(l->base) & APIC_BASE_X2;
}

static inline bool lapic_on(const struct lapic *l)
{
	return env_read_once(l->base) & APIC_BASE_ENABLE;
}

static inline bool lapic_software_on(const struct lapic *l)
{
	return lapic_on(l) && (env_read_once(l->svr) & LAPIC_SVR_ENABLED);
}

static inline int bits_highest(const u32 *bits)
{
	int i;
	u32 v;

	for (i = 7; i >= 0; i--) {
		v = env_read_once(bits[i]);
		if (v)
			return i * 32 + 31 - __builtin_clz(v);
	}
	return -1;
}

/* lapic.c: an error the guest may ask for, and be told of through its error entry */
void lapic_error(struct lapic *l, u32 bit);
/* Deliver what a local vector table entry says, unless it is masked. */
void lapic_local(struct lapic *l, enum lapic_lvt n);
/* lapic_timer.c: the registers of the timer */
u32 lapic_timer_current(struct lapic *l);
void lapic_timer_write_initial(struct lapic *l, u32 v);
void lapic_timer_write_lvt(struct lapic *l, u32 v);
void lapic_timer_write_divide(struct lapic *l, u32 v);
u64 lapic_timer_read_deadline(struct lapic *l);
void lapic_timer_write_deadline(struct lapic *l, u64 tsc);
/* lapic_msr.c */
extern const struct x86_local_apic_ops lapic_ops;
/* lapic.c: an interrupt command; the ICR holds it */
void lapic_send_icr(struct lapic *l);
void lapic_write_tpr(struct lapic *l, u32 v);

#endif
