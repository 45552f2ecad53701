// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Exception generation, hints, barriers, PSTATE and the SYS instructions (C4.1.94, C5). */
#include "internal.h"

/* A block of DC ZVA: DCZID_EL0.BS says 4 << 4 bytes. */
#define ZVA_BYTES 64u

static enum arm64_leave do_call(struct arm64_cpu *cpu)
{
	if (!cpu->el)
		return arm64_undefined(cpu);
	cpu->pc += 4;
	cpu->stop = HV_EXIT_CALL;
	return ARM64_LEAVE;
}

static enum arm64_leave do_generate(struct arm64_cpu *cpu, u32 w)
{
	u32 imm = ARM64_BITS(w, 20, 5);

	switch (w & 0xffe0001f) {
	case 0xd4000001:
		cpu->ss = 0;	/* SSAdvance() (J1): it is a step done */
		cpu->pc += 4;	/* the preferred return address is the next instruction */
		return arm64_raise(cpu, ARM64_EC_SVC, imm);
	case 0xd4000002:
	case 0xd4000003:
		return do_call(cpu);
	case 0xd4200000:
		return arm64_raise(cpu, ARM64_EC_BRK, imm);
	default:
		return arm64_undefined(cpu);
	}
}

static enum arm64_leave do_barrier(struct arm64_cpu *cpu, u32 w)
{
	switch (ARM64_BITS(w, 7, 5)) {
	case 2:
		cpu->monitor.size = 0;
		return ARM64_NEXT;
	case 4:
	case 5:
		/* types: 1 loads against everything after, 2 stores, 3 all */
		if (ARM64_BITS(w, 9, 8) == 1)
			__atomic_thread_fence(__ATOMIC_ACQUIRE);
		else
			env_fence();
		/* a DSB, not a DMB */
		if (unlikely(cpu->unsettled) && ARM64_BITS(w, 7, 5) == 4)
			return arm64_tlbi_wait(cpu);
		return ARM64_NEXT;
	case 6:
		cpu->hv.epoch++;
		arm64_space_update(cpu);
		return ARM64_NEXT;
	default:
		return arm64_undefined(cpu);
	}
}

static enum arm64_leave pstate_field(struct arm64_cpu *cpu, u32 w)
{
	u32 imm = ARM64_BITS(w, 11, 8);

	switch (ARM64_BITS(w, 18, 16) << 3 | ARM64_BITS(w, 7, 5)) {
	case 4:
		if (!cpu->el)
			return arm64_undefined(cpu);
		cpu->pan = imm & 1;
		arm64_mode_update(cpu);
		return ARM64_NEXT;
	case 5:
		if (!cpu->el)
			return arm64_undefined(cpu);
		arm64_sp_select(cpu, cpu->el, imm & 1);
		arm64_mode_update(cpu);
		return ARM64_NEXT;
	case 036:
	case 037:
		if (!cpu->el && !(cpu->sys.sctlr_el1 & ARM64_SCTLR_UMA))
			return arm64_sysreg_trap(cpu, w);
		if (ARM64_BIT(w, 5))
			cpu->daif &= ~(imm << 6);
		else
			cpu->daif |= imm << 6;
		if (unlikely(cpu->sys.mdscr_el1 & ARM64_MDSCR_USED))
			arm64_mode_update(cpu);	/* D masks debug exceptions */
		return ARM64_NEXT;
	default:
		return arm64_undefined(cpu);
	}
}

static enum arm64_leave zero_block(struct arm64_cpu *cpu, u64 va)
{
	enum arm64_leave leave;
	u32 n;
	u8 *host;
	u64 gpa;

	va &= ~(u64)(ZVA_BYTES - 1);
	leave = arm64_translate(cpu, va, ARM64_WRITE, &host, &gpa);
	if (leave != ARM64_NEXT)
		return leave;
	if (cpu->walk_device)
		return arm64_abort(cpu, va, ARM64_WRITE, ARM64_FSC_ALIGNMENT);
	if (!host)
		return arm64_abort(cpu, va, ARM64_WRITE, ARM64_FSC_EXTERNAL);
	if (arm64_watched(cpu, va, ZVA_BYTES, ARM64_WRITE))
		return ARM64_JUMP;
	for (n = 0; n < ZVA_BYTES; n += 8)
		env_guest_st64(host + n, 0);
	return ARM64_NEXT;
}

/* AT: the walk without the access; the result or the fault goes to PAR_EL1 (D17.2.113). */
static enum arm64_leave translate_address(struct arm64_cpu *cpu, u64 va, u32 op2)
{
	/* PSTATE.PAN has no effect (D17.2.113; AT S1E1RP and S1E1WP would be FEAT_PAN2) */
	u32 how = (op2 & 1 ? ARM64_WRITE : 0) | (op2 & 2 ? ARM64_USER : 0) | ARM64_CACHE, fsc;
	bool stop;
	u64 gpa;

	fsc = arm64_walk(cpu, va, how, &gpa, &stop);
	if (stop)
		return ARM64_STOP;
	if (fsc == 0xff)
		cpu->sys.par_el1 = (gpa & 0x0000fffffffff000ull) | 0xffull << 56 | 3u << 7 | 1u << 11;
	else
		cpu->sys.par_el1 = 1u << 11 | fsc << 1 | 1;
	return ARM64_NEXT;
}

/*
 * Caches do not exist: the sets and ways, and cleaning, are NOPs; so is IC, because decoded code is compared with memory
 * at the next ISB.  EL0 needs SCTLR_EL1.UCI for those by address.  A missing translation is not reported.
 */
static enum arm64_leave do_sys(struct arm64_cpu *cpu, u32 w)
{
	u32 op1 = ARM64_BITS(w, 18, 16), crn = ARM64_BITS(w, 15, 12), crm = ARM64_BITS(w, 11, 8), op2 = ARM64_BITS(w, 7, 5);
	u64 arg = cpu->x[ARM64_BITS(w, 4, 0)];

	if (crn == 8 && op1 == 0)
		return arm64_tlbi(cpu, crm, op2, arg);
	if (crn != 7 || (op1 != 0 && op1 != 3) || (op1 == 0 && !cpu->el))
		return arm64_undefined(cpu);
	switch (op1 << 8 | crm << 4 | op2) {
	case 0x010:	/* IC IALLUIS */
	case 0x050:	/* IC IALLU */
	case 0x061:	/* DC IVAC */
	case 0x062:	/* DC ISW */
	case 0x0a2:	/* DC CSW */
	case 0x0e2:	/* DC CISW */
		return ARM64_NEXT;
	case 0x080:
	case 0x081:
	case 0x082:
	case 0x083:
		return translate_address(cpu, arg, op2);
	case 0x341:
		if (!cpu->el && !(cpu->sys.sctlr_el1 & ARM64_SCTLR_DZE))
			return arm64_sysreg_trap(cpu, w);
		return zero_block(cpu, arg);
	case 0x351:	/* IC IVAU */
	case 0x3a1:	/* DC CVAC */
	case 0x3b1:	/* DC CVAU */
	case 0x3e1:	/* DC CIVAC */
		if (!cpu->el && !(cpu->sys.sctlr_el1 & ARM64_SCTLR_UCI))
			return arm64_sysreg_trap(cpu, w);
		return ARM64_NEXT;
	default:
		return arm64_undefined(cpu);
	}
}

enum arm64_leave arm64_system(struct arm64_cpu *cpu, u32 w)
{
	if (w >> 24 == 0xd4)
		return do_generate(cpu, w);
	if (w == 0xd69f03e0)
		return cpu->el ? arm64_eret(cpu) : arm64_undefined(cpu);
	if (w >> 22 != 0x354)
		return arm64_undefined(cpu);
	if (ARM64_BIT(w, 20))
		return arm64_mrs_msr(cpu, w);
	if (ARM64_BIT(w, 21))
		return arm64_undefined(cpu);
	if (ARM64_BIT(w, 19))
		return do_sys(cpu, w);
	if (ARM64_BITS(w, 4, 0) != 31)
		return arm64_undefined(cpu);
	switch (ARM64_BITS(w, 15, 12)) {
	case 2:
		if (ARM64_BITS(w, 18, 16) != 3)
			return arm64_undefined(cpu);
		return arm64_hint(cpu, ARM64_BITS(w, 11, 5));
	case 3:
		return ARM64_BITS(w, 18, 16) == 3 ? do_barrier(cpu, w) : arm64_undefined(cpu);
	case 4:
		return pstate_field(cpu, w);
	default:
		return arm64_undefined(cpu);
	}
}
