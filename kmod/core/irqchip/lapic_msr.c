// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The local APIC's MSRs: IA32_APIC_BASE, the TSC deadline, and the registers in x2APIC mode (3A 11.12). */
#include "lapic_bits.h"

#define APIC_BASE_RESERVED (~(LAPIC_BASE | APIC_BASE_BSP | APIC_BASE_X2 | APIC_BASE_ENABLE))

static bool write_base(struct lapic *l, u64 v)
{
	u64 old = l->base, changed = old ^ v;

	/* as in ACRN the registers do not move */
	if ((v & APIC_BASE_RESERVED) || (v & LAPIC_BASE) != LAPIC_BASE || (changed & APIC_BASE_BSP))
		return false;
	/* figure 11-27: x2APIC mode is entered from xAPIC mode, and left by switching off */
	if ((v & APIC_BASE_X2) && !(v & APIC_BASE_ENABLE))
		return false;
	if ((v & APIC_BASE_X2) && !(old & APIC_BASE_ENABLE))
		return false;
	if ((old & APIC_BASE_X2) && (v & APIC_BASE_ENABLE) && !(v & APIC_BASE_X2))
		return false;
	if (changed & v & APIC_BASE_X2)
		env_write_once(l->ldr, (l->id >> 4) << 16 | 1u << (l->id & 15));
	env_write_once(l->base, v);
	return true;
}

static bool readable(u32 offset)
{
	switch (offset) {
	case LAPIC_ID:
	case LAPIC_VERSION:
	case LAPIC_TPR:
	case LAPIC_PPR:
	case LAPIC_LDR:
	case LAPIC_SVR:
	case LAPIC_ESR:
	case LAPIC_ICR_LOW:
	case LAPIC_TIMER_INITIAL:
	case LAPIC_TIMER_CURRENT:
	case LAPIC_TIMER_DIVIDE:
		return true;
	default:
		return (offset >= LAPIC_ISR && offset < LAPIC_ESR) || (offset >= LAPIC_LVT_TIMER && offset <= LAPIC_LVT_ERROR);
	}
}

/* Bits of a register that must be 0 in a write; all of them for what cannot be written. */
static u64 reserved(u32 offset)
{
	switch (offset) {
	case LAPIC_TPR:
		return ~0xffull;
	case LAPIC_EOI:
	case LAPIC_ESR:
		return ~0ull;
	case LAPIC_SVR:
		return ~0x1ffull;
	case LAPIC_ICR_LOW:
		return 0xfff33000ull;
	case LAPIC_LVT_TIMER:
		return ~0x700ffull;
	case LAPIC_LVT_LINT0:
	case LAPIC_LVT_LINT1:
		return ~0x1f7ffull;
	case LAPIC_LVT_ERROR:
		return ~0x110ffull;
	case LAPIC_TIMER_INITIAL:
		return ~0xffffffffull;
	case LAPIC_TIMER_DIVIDE:
		return ~0xbull;
	case LAPIC_SELF_IPI:
		return ~0xffull;
	default:
		return offset > LAPIC_LVT_TIMER && offset < LAPIC_LVT_LINT0 ? ~0x117ffull : ~0ull;
	}
}

static bool writable(u32 offset)
{
	return reserved(offset) != ~0ull || offset == LAPIC_EOI || offset == LAPIC_ESR;
}

static bool x2_read(struct lapic *l, u32 offset, u64 *v)
{
	if (!lapic_x2(l) || !readable(offset))
		return false;
	*v = lapic_read(l, offset);
	if (offset == LAPIC_ICR_LOW)
		*v |= (u64)l->icr_high << 32;
	return true;
}

static bool x2_write(struct lapic *l, u32 offset, u64 v)
{
	if (!lapic_x2(l) || !writable(offset) || (v & reserved(offset)))
		return false;
	if (offset == LAPIC_ICR_LOW) {
		l->icr_high = (u32)(v >> 32);
	} else if (offset == LAPIC_SELF_IPI) {
		l->icr_low = APIC_TO_SELF << 18 | 1u << 14 | (u32)v;
		lapic_send_icr(l);
		return true;
	}
	lapic_write(l, offset, (u32)v);
	return true;
}

static bool read_msr(void *context, u32 msr, u64 *v)
{
	struct lapic *l = context;

	if (msr == X86_MSR_APIC_BASE)
		*v = l->base;
	else if (msr == X86_MSR_TSC_DEADLINE)
		*v = lapic_timer_read_deadline(l);
	else
		return x2_read(l, (msr - X86_MSR_X2APIC) << 4, v);
	return true;
}

static bool write_msr(void *context, u32 msr, u64 v)
{
	struct lapic *l = context;

	if (msr == X86_MSR_APIC_BASE)
		return write_base(l, v);
	if (msr != X86_MSR_TSC_DEADLINE)
		return x2_write(l, (msr - X86_MSR_X2APIC) << 4, v);
	lapic_timer_write_deadline(l, v);
	return true;
}

static u64 read_cr8(void *context)
{
	struct lapic *l = context;

	return l->tpr >> 4;
}

static void write_cr8(void *context, u64 v)
{
	lapic_write_tpr(context, (u32)v << 4);
}

const struct x86_local_apic_ops lapic_ops = { read_msr, write_msr, read_cr8, write_cr8 };
