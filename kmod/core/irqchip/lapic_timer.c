// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The local APIC's timer: one-shot, periodic and TSC-deadline (Intel SDM volume 3, section 11.5.4).  It counts the time-stamp
 * counter through the divider, as ACRN's does, so that virtual time drives it too.
 */
#include "lapic_bits.h"

#define MODE(l) ((l)->lvt[LVT_TIMER] >> 17 & 3)
#define MODE_ONE_SHOT 0
#define MODE_PERIODIC 1
#define MODE_DEADLINE 2

static u32 shift(const struct lapic *l)
{
	u32 code = (l->timer_divide & 3) | (l->timer_divide >> 1 & 4);

	/* 000 divides by 2, 110 by 128, 111 by 1 */
	return (code + 1) & 7;
}

static u64 period(const struct lapic *l)
{
	return (u64)l->timer_initial << shift(l);
}

static u64 due(const struct lapic *l)
{
	return MODE(l) == MODE_DEADLINE ? l->timer_start : l->timer_start + period(l);
}

u32 lapic_timer_current(struct lapic *l)
{
	u64 gone;

	if (!l->timer_on || MODE(l) == MODE_DEADLINE)
		return 0;
	gone = x86_tsc(l->cpu) - l->timer_start;
	if (MODE(l) == MODE_PERIODIC)
		gone %= period(l);
	else if (gone >= period(l))
		return 0;
	return l->timer_initial - (u32)(gone >> shift(l));
}

void lapic_timer_write_initial(struct lapic *l, u32 v)
{
	if (MODE(l) == MODE_DEADLINE)
		return;
	l->timer_initial = v;
	l->timer_start = x86_tsc(l->cpu);
	l->timer_on = v != 0;
}

void lapic_timer_write_lvt(struct lapic *l, u32 v)
{
	u32 old = MODE(l);

	l->lvt[LVT_TIMER] = v;
	/* into or out of deadline mode: disarmed */
	if ((old == MODE_DEADLINE) != (MODE(l) == MODE_DEADLINE)) {
		l->timer_on = 0;
		l->timer_initial = 0;
	}
}

/* A running count goes on from where it is, at the new speed. */
void lapic_timer_write_divide(struct lapic *l, u32 v)
{
	u64 left = lapic_timer_current(l);

	l->timer_divide = v & 0xb;
	if (l->timer_on && MODE(l) != MODE_DEADLINE)
		l->timer_start = x86_tsc(l->cpu) - ((l->timer_initial - left) << shift(l));
}

u64 lapic_timer_read_deadline(struct lapic *l)
{
	return MODE(l) == MODE_DEADLINE && l->timer_on ? l->timer_start : 0;
}

void lapic_timer_write_deadline(struct lapic *l, u64 tsc)
{
	if (MODE(l) != MODE_DEADLINE)
		return;
	l->timer_start = tsc;
	l->timer_on = tsc != 0;
}

void lapic_timer_run(struct lapic *l)
{
	u64 now;

	if (!l->timer_on)
		return;
	now = x86_tsc(l->cpu);
	if ((s64)(now - due(l)) < 0)
		return;
	if (MODE(l) == MODE_PERIODIC)	/* periods that nobody looked at are one interrupt */
		l->timer_start += (now - l->timer_start) / period(l) * period(l);
	else
		l->timer_on = 0;
	lapic_local(l, LVT_TIMER);
}

u64 lapic_timer_ns(struct lapic *l)
{
	u32 entry = l->lvt[LVT_TIMER];

	if (!l->timer_on || !lapic_software_on(l) || (entry & LAPIC_LVT_MASKED))
		return ~0ull;
	/* one request is all there can be: another would wake a halted CPU for nothing */
	if (env_read_once(l->irr[(entry & 0xff) / 32]) >> (entry & 31) & 1)
		return ~0ull;
	return x86_ns_until_tsc(l->cpu, due(l));
}
