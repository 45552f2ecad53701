/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The AArch64 software CPU: Armv8.0 EL0 and EL1 with floating point and AdvSIMD, and FEAT_LSE, FEAT_PAN, FEAT_CRC32, FEAT_AES,
 * FEAT_PMULL, FEAT_SHA1, FEAT_SHA256.
 *
 * Use: zeroed memory of sizeof(struct arm64_cpu), arm64_init(), arm64_state_set() or the reset state, then arm64_step()
 * again and again.  Section numbers in this directory are those of the Arm Architecture Reference Manual (DDI 0487).
 *
 * Coherence of instructions with data (B2.4.4): a store, by whomever, to memory that this CPU has executed is seen by its
 * instruction fetch at the latest after the next ISB, exception entry or exception return on this CPU, or after the next
 * call of arm64_step().  It may be seen earlier.  No IC or DC instruction is needed in between (CTR_EL0.DIC and IDC say so).
 */
#ifndef MV_ARM64_H
#define MV_ARM64_H

#include "../cpu.h"

/* A SIMD&FP register; elements are numbered from the least significant end. */
union arm64_v {
	u8 b[16];
	u16 h[8];
	u32 s[4];
	u64 d[2];
} __attribute__((aligned(16)));

/* Architectural state.  pstate: NZCV 31:28, PAN 22, SS 21, IL 20, DAIF 9:6, M 3:0 as in SPSR_EL1. */
struct arm64_state {
	u64 x[31];
	u64 pc;
	u64 pstate;
	u64 sp_el0;
	u64 sp_el1;
	u64 elr_el1, spsr_el1, esr_el1, far_el1, vbar_el1;
	u64 sctlr_el1, tcr_el1, ttbr0_el1, ttbr1_el1, mair_el1, amair_el1, contextidr_el1;
	u64 cpacr_el1, tpidr_el0, tpidrro_el0, tpidr_el1, cntkctl_el1, par_el1, mdscr_el1;
	u32 fpcr, fpsr;
	union arm64_v v[32];
};

/* Slots of the register file behind x0..x30. */
#define ARM64_ZERO 31	/* reads as zero; never written */
#define ARM64_SP 32	/* the stack pointer selected by SPSel and the exception level */
#define ARM64_SINK 33	/* where results for the zero register go */
#define ARM64_REGS 34

#define ARM64_PSTATE_N (1ull << 31)
#define ARM64_PSTATE_Z (1ull << 30)
#define ARM64_PSTATE_C (1ull << 29)
#define ARM64_PSTATE_V (1ull << 28)
#define ARM64_PSTATE_PAN (1ull << 22)
#define ARM64_PSTATE_SS (1ull << 21)
#define ARM64_PSTATE_IL (1ull << 20)
#define ARM64_PSTATE_D (1ull << 9)
#define ARM64_PSTATE_A (1ull << 8)
#define ARM64_PSTATE_I (1ull << 7)
#define ARM64_PSTATE_F (1ull << 6)
#define ARM64_PSTATE_DAIF 0x3c0ull
#define ARM64_FPCR_AHP (1u << 26)
#define ARM64_FPCR_DN (1u << 25)
#define ARM64_FPCR_FZ (1u << 24)
#define ARM64_FPCR_BITS 0x07c00000u	/* these and RMode; the others are RES0: no traps, no FEAT_FP16, no AArch32 */
#define ARM64_FPSR_QC (1u << 27)
#define ARM64_FPSR_BITS 0x0800009fu

#define ARM64_MODE_EL0T 0u
#define ARM64_MODE_EL1T 4u
#define ARM64_MODE_EL1H 5u

#define ARM64_FETCH_ENTRIES 64
#define ARM64_MARKS 2048
#define ARM64_BREAKPOINTS 2	/* as ID_AA64DFR0_EL1 says; each can match a context, too */
#define ARM64_WATCHPOINTS 2
#define ARM64_TIMER_HZ 19200000ull

/* The system registers that hold what was written to them; the table in sysreg.c says which is which. */
struct arm64_sysregs {
	u64 elr_el1, spsr_el1, esr_el1, far_el1, vbar_el1, afsr0_el1, afsr1_el1;
	u64 sctlr_el1, actlr_el1, tcr_el1, ttbr0_el1, ttbr1_el1, mair_el1, amair_el1, contextidr_el1;
	u64 cpacr_el1, tpidr_el0, tpidrro_el0, tpidr_el1, cntkctl_el1, par_el1, csselr_el1;
	u64 mdscr_el1, osdlr_el1, oslock, mdccint_el1;
	u64 bvr[ARM64_BREAKPOINTS], bcr[ARM64_BREAKPOINTS], wvr[ARM64_WATCHPOINTS], wcr[ARM64_WATCHPOINTS];	/* DBGBVR<n>_EL1 ... */
	u64 cntv_ctl, cntv_cval, cntp_ctl, cntp_cval;
};

/**
 * struct arm64_monitor - the local exclusive monitor (B2.9)
 * @size: bytes marked, 0: open
 * @va: address of the load-exclusive
 * @value: what it read; the store-exclusive succeeds if memory still holds it (see exclusive.c)
 */
struct arm64_monitor {
	u32 size;
	u64 va;
	u64 value[2];
};

/**
 * struct arm64_gic_ops - the GIC outside; its registers have no other names than the CPU's
 * @read, @write: a register of CRn 12, or ICC_PMR_EL1, by its encoding op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2;
 *	false: there is no such register
 * @timer: a timer's register was written, its output may have changed
 *
 * The controller drives the CPU's interrupt input by HV_REQ_IRQ, which it sets and clears.
 */
struct arm64_gic_ops {
	bool (*read)(void *context, u32 reg, u64 *value);
	bool (*write)(void *context, u32 reg, u64 value);
	void (*timer)(void *context);
};

/**
 * struct arm64_peers_ops - the other vCPUs, for what TLBI broadcasts
 * @shootdown: calls arm64_shootdown() with @what for each of them
 * @event: SEV: arm64_event() for each of them
 * @settled: whether each has dropped what it was asked for, or is outside arm64_step(), where it uses no translation
 */
struct arm64_peers_ops {
	void (*shootdown)(void *context, u64 what);
	bool (*settled)(void *context);
	void (*event)(void *context);
};

#define ARM64_SHOOTDOWNS 8

/* What a TLBI names, in one word: its operand (C5.5: ASID 63:48, VA[55:12] 43:0), and in 47:44 which of them count. */
#define ARM64_TLBI_VA_ASID (1ull << 44)	/* VAE1, VALE1: the page in one address space; a global page in all */
#define ARM64_TLBI_VA (2ull << 44)	/* VAAE1, VAALE1 */
#define ARM64_TLBI_ASID (3ull << 44)	/* ASIDE1: what is not global in one address space */
#define ARM64_EVERYWHERE (~0ull)	/* VMALLE1 */

/* Translations that another vCPU wants to be gone; more than there is room for: all of them. */
struct arm64_shootdowns {
	struct env_lock lock;
	u32 count;
	u64 what[ARM64_SHOOTDOWNS];
};

/*
 * Address spaces whose EL0 translations are kept, so that going to one of them and back costs nothing.  EL1's are in a place
 * of their own: kernels map themselves globally, and what EL1 has found through a page that is not global is dropped when
 * the address space changes.  Which space is current is found out when translations are next made or used behind a
 * context synchronisation event (arm64_space_update()), for kernels write TTBR0_EL1 and TTBR1_EL1 one after the other.
 */
#define ARM64_SPACES 8

/**
 * struct arm64_space - translations of one level, or one address space, but for its data TLB in struct arm64_cpu.tlbs
 * @generation: high part of hv.key while it is current; another one when what its fetches have found is dropped
 * @table: TTBR0_EL1.BADDR, @asid: whose it is; @valid: holds anything; @used: when it was current last
 * @global, @local: something in it came through a global page, and through one that is its address space's only
 * @code_marks, @data_marks: see mark_bit() in mmu.c
 */
struct arm64_space {
	u64 generation;
	u64 table;
	u64 used;
	u16 asid;
	u8 valid;
	u8 global;
	u8 local;
	struct hv_tlb_entry fetch[ARM64_FETCH_ENTRIES];
	u64 code_marks[ARM64_MARKS / 64];
	u64 data_marks[ARM64_MARKS / 64];
};

struct arm64_cpu {
	struct hv_cpu hv;

	/* hot: registers and flags.  N: n < 0; Z: z == 0: two fields, for both may be set at once */
	u64 x[ARM64_REGS];
	s64 n;
	u64 z;
	u8 c;
	u8 v;
	struct hv_tlb *tlb;		/* of the current exception level */

	union arm64_v vr[32];		/* V0 to V31 */
	u32 fpcr;			/* only ARM64_FPCR_BITS */
	u32 fpsr;

	u64 pc;				/* exact between steps and in everything that the executor calls */
	u64 sp_bank[2];			/* SP_EL0, SP_EL1; the selected one lives in x[ARM64_SP] */
	u32 daif;			/* at their PSTATE bits */
	u8 el;
	u8 spsel;
	u8 il;
	u8 pan;
	u8 ss;				/* PSTATE.SS: software step lets one more instruction run */
	u8 stepping;			/* that one is being executed */
	u8 stepped;			/* it is done: the syndrome is to say so; 2: a load-exclusive */
	u8 watching;			/* there are watchpoints: no page with one gets into the TLB */
	u32 entries;			/* exceptions taken */
	u8 woken;			/* HV_REQ_WAKE seen: the next WFI does not wait */
	u8 pauses;			/* left by WFE or YIELD so often without doing much in between */
	u64 paused_at;			/* instruction of the last one */
	u32 event;			/* the event register (D1.6.1): set by anyone */
	u8 stop;			/* enum hv_exit_kind with which an instruction leaves step() */
	struct arm64_sysregs sys;
	struct arm64_monitor monitor;

	u64 generation;			/* the last one given to a space */
	u64 abort_va;			/* virtual address of an access that left step(), for arm64_external_abort() */
	u64 device_limit;		/* GPAs without memory below it are devices; at and above they abort */
	u8 walk_shift;			/* log2 of the size of the page or block that the last walk found, */
	u8 walk_global;			/* and whether it is every address space's (D8.13.1) */
	u8 space_stale;			/* TTBR0_EL1 or TTBR1_EL1 was written: space may be another */
	u8 space;			/* EL0's current one, of spaces[] */
	u8 walk_device;			/* what the last translation found is Device memory by MAIR_EL1; such does not get into the TLB */
	const struct arm64_gic_ops *gic;	/* NULL: no controller; kept over a reset */
	void *gic_context;
	const struct arm64_peers_ops *peers;	/* NULL: no other vCPUs; kept over a reset */
	void *peers_context;
	u32 unsettled;			/* a broadcast was sent, and no DSB has waited for it yet */
	struct arm64_shootdowns shootdowns;
	u32 virtual_time;		/* the counter advances with retired instructions, not with nanoseconds */

	/* 0: EL1; from 1 on EL0 in one address space each; of data TLBs EL1 has a second one, for PSTATE.PAN */
	struct arm64_space spaces[1 + ARM64_SPACES];
	struct hv_tlb tlbs[1 + ARM64_SPACES + 1];
	u32 window[HV_BLOCK_MAX];	/* code being decoded: read once, guest memory may change meanwhile */
};

/* @id: MPIDR_EL1.Aff0 */
void arm64_init(struct arm64_cpu *cpu, struct hv_memmap *map, u32 id, void *arena, size_t arena_size, size_t arena_limit);
/* EL1h, DAIF masked, MMU off, general registers 0. */
void arm64_reset(struct arm64_cpu *cpu);

/**
 * arm64_step - run until an exit, or until exactly @budget more instructions are retired (HV_EXIT_BUDGET)
 *
 * An instruction that takes an exception counts as retired, an interrupt does not count.  After HV_EXIT_ACCESS call
 * hv_cpu_complete(), then arm64_step() again.  HV_EXIT_PAGE: make the page at exit.address present and step again, or
 * call arm64_external_abort().  HV_EXIT_ARENA: hv_blocks_set_arena() with at least hv.blocks.want bytes, step again.
 */
enum hv_exit_kind arm64_step(struct arm64_cpu *cpu, u64 budget);
#ifndef __KERNEL__
/* The same with the dispatcher that the kernel build uses, so that tests cover it. */
enum hv_exit_kind arm64_step_switch(struct arm64_cpu *cpu, u64 budget);
#endif

/**
 * arm64_shootdown - another vCPU's broadcast TLBI, from any thread
 * @what: ARM64_TLBI_*, or ARM64_EVERYWHERE
 *
 * The CPU drops the translations before its next block; the sender waits for that in its DSB (struct arm64_peers_ops).
 */
void arm64_shootdown(struct arm64_cpu *cpu, u64 what);

/* Set the event register: another vCPU's SEV, from any thread. */
static inline void arm64_event(struct arm64_cpu *cpu)
{
	env_write_once(cpu->event, 1);
}

/*
 * After HV_EXIT_PAUSE: nanoseconds to sleep unless arm64_event() or hv_cpu_request() comes first, 0 for giving the processor
 * away once, as the first @polite (at most 254) times of a loop are.  WFE also waits for a store to what LDXR has marked, which
 * nobody is told of: so no wait is long.  Linux' event stream, which its WFE loops rely on, comes every 100 microseconds.
 */
u64 arm64_pause_ns(const struct arm64_cpu *cpu, u32 polite);
/* Does a request end such a wait?  Not one for translations, nor a masked interrupt. */
bool arm64_called(const struct arm64_cpu *cpu);

void arm64_state_get(const struct arm64_cpu *cpu, struct arm64_state *s);
/* Drops translations and whatever else depended on the old state. */
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

/* Outputs of the timers: enabled, not masked, time reached (D11.2.4). */
#define ARM64_TIMER_VIRTUAL 1u
#define ARM64_TIMER_PHYSICAL 2u
u32 arm64_timers(const struct arm64_cpu *cpu);
/* Nanoseconds until another output rises; ~0: none will. */
u64 arm64_ns_until_timer(const struct arm64_cpu *cpu);

#endif
