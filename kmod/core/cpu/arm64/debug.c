// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Self-hosted debug (D2): software step, breakpoints, watchpoints.
 *
 * Code without them runs as if they did not exist.  Software step is a mode in which the executor is left and called for one
 * instruction at a time; breakpoints are another, in which code on their pages is looked up one by one and never linked;
 * a page with a watchpoint does not get into the data TLB, so that the slow path sees every access to it.
 */
#include "internal.h"

#define MDSCR_SS 1u
#define MDSCR_KDE (1u << 13)
#define MDSCR_MDE (1u << 15)

/* DBGBCR<n>_EL1 and DBGWCR<n>_EL1 (D17.3.2, D17.3.12) */
#define CONTROL_E 1u
#define CONTROL_LSC(c) ARM64_BITS(c, 4, 3)
#define CONTROL_PRIVILEGE(c) ARM64_BITS(c, 2, 1)
#define CONTROL_SSC(c) ARM64_BITS(c, 15, 14)
#define CONTROL_LBN(c) ARM64_BITS(c, 19, 16)
#define BREAK_BAS(c) ARM64_BITS(c, 8, 5)
#define BREAK_TYPE(c) ARM64_BITS(c, 23, 20)
#define WATCH_BAS(c) ARM64_BITS(c, 12, 5)
#define WATCH_LINKED(c) ARM64_BIT(c, 20)
#define WATCH_MASK(c) ARM64_BITS(c, 28, 24)

enum break_type { BREAK_ADDRESS, BREAK_ADDRESS_LINKED, BREAK_CONTEXT, BREAK_CONTEXT_LINKED };

#define VA_BITS ((1ull << 49) - 1)
#define SSC_SECURE_ONLY 2u

/* AArch64.GenerateDebugExceptions() (J1): the locks, and MDSCR_EL1.KDE and PSTATE.D for EL1's own code */
bool arm64_debug_enabled(const struct arm64_cpu *cpu)
{
	if ((cpu->sys.oslock | cpu->sys.osdlr_el1) & 1)
		return false;
	return !cpu->el || ((cpu->sys.mdscr_el1 & MDSCR_KDE) && !(cpu->daif & ARM64_PSTATE_D));
}

/* PMC or PAC, SSC: is this control register one for EL1 (@el 1) or EL0?  All of this is Non-secure. */
static bool for_level(u32 control, u32 el)
{
	return (control & CONTROL_E) && CONTROL_SSC(control) != SSC_SECURE_ONLY && (CONTROL_PRIVILEGE(control) >> !el & 1);
}

u64 arm64_debug_mode(const struct arm64_cpu *cpu)
{
	u64 mode = 0;
	u32 n;

	if (!arm64_debug_enabled(cpu))
		return 0;
	if (cpu->sys.mdscr_el1 & MDSCR_SS)
		mode |= ARM64_KEY_STEP;
	for (n = 0; n < ARM64_BREAKPOINTS && (cpu->sys.mdscr_el1 & MDSCR_MDE); n++) {
		if (for_level((u32)cpu->sys.bcr[n], cpu->el))
			mode |= ARM64_KEY_BREAK;
	}
	return mode;
}

/* Translations carry what was known of the old registers: links, and pages that were not watched. */
void arm64_debug_changed(struct arm64_cpu *cpu)
{
	u32 n;

	cpu->watching = 0;
	for (n = 0; n < ARM64_WATCHPOINTS && (cpu->sys.mdscr_el1 & MDSCR_MDE); n++)
		cpu->watching |= cpu->sys.wcr[n] & CONTROL_E;
	arm64_tlb_flush(cpu);
}

/* --- breakpoints (D2.8) ------------------------------------------------------------------------------------------------- */

/* Is breakpoint @n, which an address breakpoint or a watchpoint names as its second condition, a context that is there? */
static bool linked_context(const struct arm64_cpu *cpu, u32 n)
{
	u32 control = n < ARM64_BREAKPOINTS ? (u32)cpu->sys.bcr[n] : 0;

	return (control & CONTROL_E) && BREAK_TYPE(control) == BREAK_CONTEXT_LINKED && (u32)cpu->sys.bvr[n] == (u32)cpu->sys.contextidr_el1;
}

static bool matches(const struct arm64_cpu *cpu, u32 n)
{
	u32 control = (u32)cpu->sys.bcr[n];
	bool here = !((cpu->pc ^ cpu->sys.bvr[n]) & VA_BITS & ~3ull) && (BREAK_BAS(control) & 1);

	if (!for_level(control, cpu->el))
		return false;
	switch (BREAK_TYPE(control)) {
	case BREAK_ADDRESS:
		return here;
	case BREAK_ADDRESS_LINKED:
		return here && linked_context(cpu, CONTROL_LBN(control));
	case BREAK_CONTEXT:
		return (u32)cpu->sys.bvr[n] == (u32)cpu->sys.contextidr_el1;
	default:
		return false;
	}
}

u32 arm64_break_near(const struct arm64_cpu *cpu)
{
	u32 n;

	for (n = 0; n < ARM64_BREAKPOINTS; n++) {
		u32 control = (u32)cpu->sys.bcr[n];

		if ((control & CONTROL_E) &&
		    (BREAK_TYPE(control) == BREAK_CONTEXT || !((cpu->pc ^ cpu->sys.bvr[n]) & VA_BITS & HV_PAGE_MASK)))
			return ARM64_KEY_ONE;
	}
	return 0;
}

bool arm64_break_here(struct arm64_cpu *cpu)
{
	u32 n;

	for (n = 0; n < ARM64_BREAKPOINTS; n++) {
		if (matches(cpu, n)) {
			arm64_raise(cpu, ARM64_EC_BREAKPOINT + cpu->el, ARM64_FSC_DEBUG);
			return true;
		}
	}
	return false;
}

/* --- watchpoints (D2.10) ------------------------------------------------------------------------------------------------ */

/* The aligned range that DBGWVR<n>_EL1 and MASK name: log2 of its bytes.  MASK 1 and 2 are reserved, and watch nothing. */
static u32 range_bits(const struct arm64_cpu *cpu, u32 n)
{
	u32 mask = WATCH_MASK(cpu->sys.wcr[n]);

	return mask ? mask : cpu->sys.wvr[n] & 4 ? 2 : 3;
}

static bool watches_byte(const struct arm64_cpu *cpu, u32 n, u64 va)
{
	u32 control = (u32)cpu->sys.wcr[n], bits = range_bits(cpu, n), mask = WATCH_MASK(control);

	if (mask == 1 || mask == 2 || ((va ^ cpu->sys.wvr[n]) & VA_BITS) >> bits)
		return false;
	return mask ? WATCH_BAS(control) == 0xff : WATCH_BAS(control) >> (va & ((1u << bits) - 1)) & 1;
}

bool arm64_watch_page(const struct arm64_cpu *cpu, u64 va)
{
	u32 n;

	for (n = 0; n < ARM64_WATCHPOINTS; n++) {
		u32 bits = range_bits(cpu, n);

		if ((cpu->sys.wcr[n] & CONTROL_E) && !(((va ^ cpu->sys.wvr[n]) & VA_BITS) >> (bits < HV_PAGE_SHIFT ? HV_PAGE_SHIFT : bits)))
			return true;
	}
	return false;
}

bool arm64_watch_hit(struct arm64_cpu *cpu, u64 va, u32 size, u32 how)
{
	u32 el = cpu->el && !(how & ARM64_USER), want = how & ARM64_WRITE ? 2 : 1, n, i;

	if (!arm64_debug_enabled(cpu))
		return false;
	for (n = 0; n < ARM64_WATCHPOINTS; n++) {
		u32 control = (u32)cpu->sys.wcr[n];

		if (!for_level(control, el) || !(CONTROL_LSC(control) & want) ||
		    (WATCH_LINKED(control) && !linked_context(cpu, CONTROL_LBN(control))))
			continue;
		for (i = 0; i < size; i++) {
			if (!watches_byte(cpu, n, va + i))
				continue;
			cpu->sys.far_el1 = va;
			arm64_raise(cpu, ARM64_EC_WATCHPOINT + cpu->el, ARM64_FSC_DEBUG | (how & ARM64_WRITE ? 1u << 6 : 0));
			return true;
		}
	}
	return false;
}

/* --- software step (D2.12) ---------------------------------------------------------------------------------------------- */

static void take_step(struct arm64_cpu *cpu)
{
	u32 iss = ARM64_FSC_DEBUG;

	/* ISV, and EX for a load-exclusive: not if nothing was stepped since an exception return */
	if (cpu->stepped)
		iss |= 1u << 24 | (cpu->stepped == 2 ? 1u << 6 : 0);
	cpu->hv.idle = 0;
	arm64_raise(cpu, ARM64_EC_STEP + cpu->el, iss);
	cpu->hv.retired++;
}

enum hv_exit_kind arm64_step_one(struct arm64_cpu *cpu, u64 left, enum hv_exit_kind (*run)(struct arm64_cpu *, u64))
{
	u32 entries = cpu->entries;
	u64 before = cpu->hv.retired;
	enum hv_exit_kind kind;

	if (!left) {
		cpu->stop = HV_EXIT_BUDGET;
		cpu->hv.exit.kind = HV_EXIT_BUDGET;
		return HV_EXIT_BUDGET;
	}
	if (!cpu->ss) {
		take_step(cpu);
		return HV_EXIT_NONE;
	}
	cpu->stepping = 1;
	cpu->stepped = 0;
	kind = run(cpu, 1);
	cpu->stepping = 0;
	/* what ended in an exception was not stepped, and what waits for an answer is not over */
	if (entries == cpu->entries && cpu->hv.retired != before) {
		cpu->ss = 0;
		if (!cpu->stepped)
			cpu->stepped = 1;
	}
	return kind == HV_EXIT_BUDGET ? HV_EXIT_NONE : kind;
}
