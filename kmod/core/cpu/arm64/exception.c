// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Exception entry and return (D1.3), and what comes from outside: interrupts, aborts, requests. */
#include "internal.h"

static void enter(struct arm64_cpu *cpu, u32 offset)
{
	struct arm64_sysregs *s = &cpu->sys;

	s->spsr_el1 = arm64_pstate_get(cpu);
	s->elr_el1 = cpu->pc;
	/* D1.3.1, table of vector offsets */
	offset += !cpu->el ? 0x400 : cpu->spsel ? 0x200 : 0;
	arm64_sp_select(cpu, 1, 1);
	cpu->daif = ARM64_PSTATE_DAIF;
	cpu->il = 0;
	cpu->ss = 0;
	cpu->stepped = 0;
	cpu->entries++;
	if (!(s->sctlr_el1 & ARM64_SCTLR_SPAN))
		cpu->pan = 1;
	cpu->monitor.size = 0;
	cpu->pc = (s->vbar_el1 & ~0x7ffull) + offset;
	cpu->hv.epoch++;
	hv_cpu_replay_clear(&cpu->hv);
	arm64_mode_update(cpu);
}

enum arm64_leave arm64_raise(struct arm64_cpu *cpu, u32 ec, u32 iss)
{
	/* IL is 1 for a 32-bit instruction and for every exception that has no instruction */
	cpu->sys.esr_el1 = (u64)ec << 26 | 1u << 25 | iss;
	enter(cpu, 0);
	return ARM64_JUMP;
}

enum arm64_leave arm64_undefined(struct arm64_cpu *cpu)
{
	return arm64_raise(cpu, ARM64_EC_UNKNOWN, 0);
}

enum arm64_leave arm64_abort(struct arm64_cpu *cpu, u64 va, u32 how, u32 fsc)
{
	u32 ec = how & ARM64_FETCH ? ARM64_EC_FETCH : ARM64_EC_DATA;
	u32 iss = fsc;

	if (how & ARM64_CACHE)
		iss |= 1u << 8 | 1u << 6;
	else if (how & ARM64_WRITE)
		iss |= 1u << 6;
	if (cpu->el)
		ec++;
	cpu->sys.far_el1 = va;
	return arm64_raise(cpu, ec, iss);
}

void arm64_interrupt(struct arm64_cpu *cpu)
{
	enter(cpu, 0x80);
}

enum arm64_leave arm64_eret(struct arm64_cpu *cpu)
{
	u64 spsr = cpu->sys.spsr_el1;
	u32 mode = (u32)spsr & 0x1f;
	bool from_debug = arm64_debug_enabled(cpu);

	cpu->pc = cpu->sys.elr_el1;
	if (mode == ARM64_MODE_EL0T || mode == ARM64_MODE_EL1T || mode == ARM64_MODE_EL1H) {
		arm64_pstate_put(cpu, spsr);
	} else {
		/* illegal return (D1.3.4): the level stays, flags and masks come from SPSR, and IL is set */
		u64 now = arm64_pstate_get(cpu) & 0xf;

		arm64_pstate_put(cpu, (spsr & ~0x1full) | now | ARM64_PSTATE_IL);
	}
	/* DebugExceptionReturnSS() (J1) */
	cpu->ss &= (cpu->sys.mdscr_el1 & 1) && !from_debug && arm64_debug_enabled(cpu);
	cpu->stepped = 0;
	cpu->monitor.size = 0;
	cpu->hv.epoch++;
	arm64_event(cpu);	/* D1.6.1 */
	arm64_space_update(cpu);
	return ARM64_JUMP;
}

enum arm64_leave arm64_attend(struct arm64_cpu *cpu)
{
	u32 request = env_read_once(cpu->hv.request);

	if (request & HV_REQ_FLUSH) {
		env_fetch_and(&cpu->hv.request, ~HV_REQ_FLUSH);
		hv_blocks_flush(&cpu->hv.blocks);
		arm64_tlb_flush(cpu);
	}
	if (request & HV_REQ_TLB)
		arm64_shootdown_take(cpu);
	if (request & HV_REQ_STOP) {
		env_fetch_and(&cpu->hv.request, ~HV_REQ_STOP);
		cpu->stop = HV_EXIT_KICK;
		return ARM64_STOP;
	}
	if (request & HV_REQ_WAKE) {
		env_fetch_and(&cpu->hv.request, ~HV_REQ_WAKE);
		cpu->woken = 1;
	}
	if (cpu->hv.idle) {
		/* an interrupt wakes even while it is masked (D1.6.2) */
		if (!cpu->woken && !(request & HV_REQ_IRQ)) {
			cpu->stop = HV_EXIT_IDLE;
			return ARM64_STOP;
		}
		cpu->hv.idle = 0;
		cpu->woken = 0;
	}
	/* an instruction whose device access is answered comes first, or the access would happen twice */
	if ((request & HV_REQ_IRQ) && !(cpu->daif & ARM64_PSTATE_I) && !cpu->hv.replay.done) {
		arm64_interrupt(cpu);
		return ARM64_JUMP;
	}
	return ARM64_NEXT;
}

void arm64_external_abort(struct arm64_cpu *cpu, bool write, bool fetch)
{
	arm64_abort(cpu, cpu->abort_va, fetch ? ARM64_FETCH : write ? ARM64_WRITE : 0, ARM64_FSC_EXTERNAL);
}
