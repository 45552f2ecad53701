// SPDX-License-Identifier: GPL-2.0 OR MIT
/* State of the AArch64 CPU: reset, get and set, and what is derived from it. */
#include "internal.h"

void arm64_mode_update(struct arm64_cpu *cpu)
{
	u64 mode = 0;

	if (cpu->el)
		mode |= ARM64_KEY_EL1;
	if (cpu->il)
		mode |= ARM64_KEY_ILLEGAL;
	if (cpu->x[ARM64_SP] & 15)
		mode |= ARM64_KEY_SP_BAD;
	if (arm64_fp_enabled(cpu))
		mode |= ARM64_KEY_FP;
	if (unlikely(cpu->sys.mdscr_el1 & ARM64_MDSCR_USED))
		mode |= arm64_debug_mode(cpu);
	cpu->hv.key = cpu->spaces[cpu->el ? 0 : cpu->space].generation << 16 | mode;
	cpu->tlb = arm64_tlb(cpu, !cpu->el);
}

void arm64_sp_select(struct arm64_cpu *cpu, u32 el, u32 spsel)
{
	cpu->sp_bank[cpu->el && cpu->spsel] = cpu->x[ARM64_SP];
	cpu->el = (u8)el;
	cpu->spsel = (u8)spsel;
	cpu->x[ARM64_SP] = cpu->sp_bank[el && spsel];
}

u64 arm64_pstate_get(const struct arm64_cpu *cpu)
{
	u64 mode = !cpu->el ? ARM64_MODE_EL0T : cpu->spsel ? ARM64_MODE_EL1H : ARM64_MODE_EL1T;

	return (u64)arm64_nzcv(cpu) << 28 | (cpu->pan ? ARM64_PSTATE_PAN : 0) | (cpu->ss ? ARM64_PSTATE_SS : 0) |
	       (cpu->il ? ARM64_PSTATE_IL : 0) | cpu->daif | mode;
}

void arm64_pstate_put(struct arm64_cpu *cpu, u64 pstate)
{
	arm64_nzcv_put(cpu, (u32)(pstate >> 28) & 15);
	cpu->daif = (u32)(pstate & ARM64_PSTATE_DAIF);
	cpu->pan = !!(pstate & ARM64_PSTATE_PAN);
	cpu->il = !!(pstate & ARM64_PSTATE_IL);
	cpu->ss = !!(pstate & ARM64_PSTATE_SS);
	arm64_sp_select(cpu, (pstate & 0xc) == 4, pstate & 1);
	arm64_mode_update(cpu);
}

void arm64_init(struct arm64_cpu *cpu, struct hv_memmap *map, u32 id, void *arena, size_t arena_size, size_t arena_limit)
{
	cpu->hv.map = map;
	cpu->hv.id = id;
	cpu->hv.epoch = 1;	/* 0 is the epoch of dead blocks */
	cpu->space = 1;
	env_lock_init(&cpu->shootdowns.lock);
	hv_blocks_init(&cpu->hv.blocks, arena, arena_size, arena_limit, 0);
	arm64_reset(cpu);
}

void arm64_reset(struct arm64_cpu *cpu)
{
	memset(cpu->x, 0, sizeof(cpu->x));
	memset(cpu->vr, 0, sizeof(cpu->vr));
	cpu->fpcr = 0;
	cpu->fpsr = 0;
	memset(cpu->sp_bank, 0, sizeof(cpu->sp_bank));
	memset(&cpu->sys, 0, sizeof(cpu->sys));
	memset(&cpu->monitor, 0, sizeof(cpu->monitor));
	cpu->sys.sctlr_el1 = ARM64_SCTLR_RES1 | ARM64_SCTLR_SPAN;	/* software that does not know PAN is not to meet it */
	cpu->sys.oslock = 1;
	cpu->pc = 0;
	cpu->stepped = 0;
	cpu->woken = 0;
	cpu->event = 0;
	cpu->pauses = 0;
	cpu->paused_at = 0;
	cpu->el = 1;
	cpu->spsel = 1;
	arm64_pstate_put(cpu, ARM64_PSTATE_DAIF | ARM64_MODE_EL1H);
	cpu->hv.epoch++;
	arm64_debug_changed(cpu);
}

/* Fields that struct arm64_state and struct arm64_sysregs have in common. */
#define SYSREGS(M) \
	M(elr_el1) M(spsr_el1) M(esr_el1) M(far_el1) M(vbar_el1) M(sctlr_el1) M(tcr_el1) M(ttbr0_el1) M(ttbr1_el1) \
	M(mair_el1) M(amair_el1) M(contextidr_el1) M(cpacr_el1) M(tpidr_el0) M(tpidrro_el0) M(tpidr_el1) M(cntkctl_el1) \
	M(par_el1) M(mdscr_el1)

void arm64_state_get(const struct arm64_cpu *cpu, struct arm64_state *s)
{
	memcpy(s->x, cpu->x, sizeof(s->x));
	s->pc = cpu->pc;
	s->pstate = arm64_pstate_get(cpu);
	s->sp_el0 = cpu->el && cpu->spsel ? cpu->sp_bank[0] : cpu->x[ARM64_SP];
	s->sp_el1 = cpu->el && cpu->spsel ? cpu->x[ARM64_SP] : cpu->sp_bank[1];
	memcpy(s->v, cpu->vr, sizeof(s->v));
	s->fpcr = cpu->fpcr;
	s->fpsr = cpu->fpsr;
#define GET(name) s->name = cpu->sys.name;
	SYSREGS(GET)
#undef GET
}

void arm64_state_set(struct arm64_cpu *cpu, const struct arm64_state *s)
{
	memcpy(cpu->x, s->x, sizeof(s->x));
	cpu->pc = s->pc;
	arm64_pstate_put(cpu, s->pstate);
	cpu->sp_bank[0] = s->sp_el0;
	cpu->sp_bank[1] = s->sp_el1;
	cpu->x[ARM64_SP] = cpu->sp_bank[cpu->el && cpu->spsel];
	memcpy(cpu->vr, s->v, sizeof(s->v));
	cpu->fpcr = s->fpcr & ARM64_FPCR_BITS;
	cpu->fpsr = s->fpsr & ARM64_FPSR_BITS;
#define SET(name) cpu->sys.name = s->name;
	SYSREGS(SET)
#undef SET
	cpu->sys.sctlr_el1 |= ARM64_SCTLR_RES1;
	cpu->monitor.size = 0;
	cpu->hv.epoch++;
	arm64_debug_changed(cpu);
}

u64 arm64_get_x(const struct arm64_cpu *cpu, unsigned int n)
{
	return n < 31 ? cpu->x[n] : 0;
}

void arm64_set_x(struct arm64_cpu *cpu, unsigned int n, u64 value)
{
	if (n < 31)
		cpu->x[n] = value;
}
