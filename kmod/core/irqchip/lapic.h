/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Local APIC with timer, in xAPIC and x2APIC mode.  Intel SDM volume 3, chapter 11.
 *
 * Registers belong to the thread that runs the CPU.  What others touch are the request bits (irr, tmr and the flags, all
 * atomic) and, read only, the registers that say what it is addressed by.  So a message may be sent from any context.
 */
#ifndef MV_LAPIC_H
#define MV_LAPIC_H

#include "../cpu/x86/x86.h"
#include "message.h"

#define LAPIC_BASE 0xfee00000ull
#define LAPIC_SIZE 0x1000ull

/* Register offsets: table 11-1 */
#define LAPIC_ID 0x20u
#define LAPIC_VERSION 0x30u
#define LAPIC_TPR 0x80u
#define LAPIC_PPR 0xa0u
#define LAPIC_EOI 0xb0u
#define LAPIC_LDR 0xd0u
#define LAPIC_DFR 0xe0u
#define LAPIC_SVR 0xf0u
#define LAPIC_ISR 0x100u
#define LAPIC_TMR 0x180u
#define LAPIC_IRR 0x200u
#define LAPIC_ESR 0x280u
#define LAPIC_ICR_LOW 0x300u
#define LAPIC_ICR_HIGH 0x310u
#define LAPIC_LVT_TIMER 0x320u
#define LAPIC_LVT_LINT0 0x350u
#define LAPIC_LVT_LINT1 0x360u
#define LAPIC_LVT_ERROR 0x370u
#define LAPIC_TIMER_INITIAL 0x380u
#define LAPIC_TIMER_CURRENT 0x390u
#define LAPIC_TIMER_DIVIDE 0x3e0u
#define LAPIC_SELF_IPI 0x3f0u	/* x2APIC mode only */

#define LAPIC_SVR_ENABLED 0x100u
#define LAPIC_LVT_MASKED 0x10000u

enum lapic_lvt { LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVTS };

struct irqchip;

/**
 * struct lapic
 * @base: IA32_APIC_BASE
 * @init, @sipi: IPIs not yet taken by the vCPU; sipi is 0x100 | vector
 * @extint: the 8259 pair is to be asked for a vector, whatever LINT0 says (a message in ExtINT mode)
 * @timer_on: it counts; @timer_start: TSC when the count began, or (deadline mode) the deadline
 */
struct lapic {
	struct irqchip *chip;
	struct x86_cpu *cpu;
	u32 index;		/* in the chip */
	u32 id;
	u64 base;
	u32 tpr, ldr, dfr, svr;
	u32 esr, esr_next;
	u32 icr_low, icr_high;
	u32 lvt[LVTS];
	u32 timer_initial;
	u32 timer_divide;
	u32 timer_on;
	u64 timer_start;
	u32 isr[8];
	u32 irr[8];
	u32 tmr[8];
	u32 init;
	u32 sipi;
	u32 extint;
};

/* Wire @cpu to a local APIC with @id in zeroed memory, and reset it. */
void lapic_init(struct lapic *l, struct irqchip *chip, u32 index, struct x86_cpu *cpu, u32 id);
void lapic_reset(struct lapic *l);
/* An INIT IPI, if one is there: registers as after power-up, mode and a start-up IPI that followed stay. */
bool lapic_take_init(struct lapic *l);

/* Registers by memory access; the CPU's own thread only. */
u32 lapic_read(struct lapic *l, u32 offset);
void lapic_write(struct lapic *l, u32 offset, u32 value);

/* Is @l a target of @m, which @from (or NULL: a device) sent? */
bool lapic_matches(const struct lapic *l, const struct lapic *from, const struct apic_message *m);
/* Any context.  Return: whether it took the message (a disabled one takes few). */
bool lapic_accept(struct lapic *l, const struct apic_message *m);
/* Task and in-service priority, for lowest-priority delivery and acceptance. */
u32 lapic_priority(const struct lapic *l);
/* Highest request that beats the priority, now in service; or -1. */
int lapic_take(struct lapic *l);
/* Do interrupts of the 8259 pair reach this CPU? */
bool lapic_passes_pic(const struct lapic *l);

/* Fire the timer if it is due; the CPU's own thread. */
void lapic_timer_run(struct lapic *l);
/* Nanoseconds until lapic_timer_run() has something to do; ~0: never. */
u64 lapic_timer_ns(struct lapic *l);

#endif
