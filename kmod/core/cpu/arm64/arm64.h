/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The AArch64 software CPU: Armv8.0 EL0 and EL1.
 *
 * Use: zeroed memory of sizeof(struct arm64_cpu), arm64_init(), arm64_state_set() or the reset state, then arm64_step()
 * again and again.  Section numbers in this directory are those of the Arm Architecture Reference Manual (DDI 0487).
 */
#ifndef MV_ARM64_H
#define MV_ARM64_H

#include "../cpu.h"

/* Architectural state.  pstate: NZCV 31:28, DAIF 9:6, M 3:0 as in SPSR_EL1. */
struct arm64_state {
	u64 x[31];
	u64 pc;
	u64 pstate;
	u64 sp_el0;
	u64 sp_el1;
	u64 elr_el1, spsr_el1, esr_el1, far_el1, vbar_el1;
	u64 sctlr_el1, tcr_el1, ttbr0_el1, ttbr1_el1, mair_el1, amair_el1, contextidr_el1;
	u64 cpacr_el1, tpidr_el0, tpidrro_el0, tpidr_el1, cntkctl_el1, par_el1, mdscr_el1;
};

struct arm64_cpu {
	struct hv_cpu hv;
	u64 x[32];		/* x[31] is the zero register's slot */
	u64 device_limit;	/* GPAs without memory below it are devices; at and above they abort */
};

/* @id: MPIDR_EL1.Aff0 */
void arm64_init(struct arm64_cpu *cpu, struct hv_memmap *map, u32 id, void *arena, size_t arena_size, size_t arena_limit);
/* EL1h, DAIF masked, MMU off, general registers 0. */
void arm64_reset(struct arm64_cpu *cpu);
enum hv_exit_kind arm64_step(struct arm64_cpu *cpu, u64 budget);

void arm64_state_get(const struct arm64_cpu *cpu, struct arm64_state *s);
void arm64_state_set(struct arm64_cpu *cpu, const struct arm64_state *s);

/* Registers of an HV_EXIT_CALL. */
u64 arm64_get_x(const struct arm64_cpu *cpu, unsigned int n);
void arm64_set_x(struct arm64_cpu *cpu, unsigned int n, u64 value);

/**
 * arm64_external_abort - the access that the CPU stopped at (HV_EXIT_ACCESS or HV_EXIT_PAGE) fails
 * @write: it was a write; @fetch: it was an instruction fetch
 *
 * Takes the synchronous external abort exception to EL1: DFSC/IFSC 0x10, FAR_EL1 = the virtual address.
 */
void arm64_external_abort(struct arm64_cpu *cpu, bool write, bool fetch);

#endif
