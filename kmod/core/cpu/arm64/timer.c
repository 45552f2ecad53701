// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The generic timer (D11): its counter, its outputs.  The registers are in sysreg.c. */
#include "internal.h"

#define CTL_ENABLE 1u
#define CTL_IMASK 2u

u64 arm64_counter(const struct arm64_cpu *cpu)
{
	u64 ns = cpu->virtual_time ? cpu->hv.retired : env_now_ns();

	/* 19.2 MHz = 12 / 625 per nanosecond; 2^64 ns * 12 would overflow after 48 years of uptime */
	return ns / 625 * 12 + ns % 625 * 12 / 625;
}

static bool running(u64 ctl)
{
	return (ctl & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE;
}

u32 arm64_timers(const struct arm64_cpu *cpu)
{
	const struct arm64_sysregs *s = &cpu->sys;
	u32 out = 0;
	u64 now;

	if (!running(s->cntv_ctl) && !running(s->cntp_ctl))
		return 0;
	now = arm64_counter(cpu);
	if (running(s->cntv_ctl) && (s64)(now - s->cntv_cval) >= 0)
		out |= ARM64_TIMER_VIRTUAL;
	if (running(s->cntp_ctl) && (s64)(now - s->cntp_cval) >= 0)
		out |= ARM64_TIMER_PHYSICAL;
	return out;
}

static u64 ns_until(u64 ctl, u64 cval, u64 now)
{
	u64 ticks = cval - now;

	if (!running(ctl) || (s64)ticks <= 0)
		return ~0ull;
	/* 625 / 12 nanoseconds a tick, rounded up; longer than an hour is as good as an hour */
	return ticks > 3600 * ARM64_TIMER_HZ ? 3600000000000ull : (ticks * 625 + 11) / 12;
}

u64 arm64_ns_until_timer(const struct arm64_cpu *cpu)
{
	const struct arm64_sysregs *s = &cpu->sys;
	u64 now = arm64_counter(cpu);
	u64 v = ns_until(s->cntv_ctl, s->cntv_cval, now), p = ns_until(s->cntp_ctl, s->cntp_cval, now);

	return v < p ? v : p;
}
