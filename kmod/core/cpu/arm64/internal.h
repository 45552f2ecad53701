/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the files of the AArch64 CPU share among themselves. */
#ifndef MV_ARM64_INTERNAL_H
#define MV_ARM64_INTERNAL_H

#include "arm64.h"
#include "arm64_ops.h"

/* Mode bits: low part of hv_cpu.key and hv_block.mode. */
#define ARM64_KEY_EL1 1u
#define ARM64_KEY_ILLEGAL 2u	/* PSTATE.IL: the next fetch raises an exception, no block is ever found */
#define ARM64_KEY_SP_BAD 4u	/* SP may be misaligned: accesses through it are decoded to the slow form, which checks */
#define ARM64_KEY_FP 16u	/* CPACR_EL1 lets this level use SIMD&FP registers: they have operations of their own */
#define ARM64_KEY_STEP 32u	/* software step is active: run() is left for arm64_step_one() */
#define ARM64_KEY_BREAK 64u	/* breakpoints may match */
#define ARM64_KEY_ONE 8u	/* a block of one instruction, for the end of a budget */

/* How a helper leaves an instruction. */
enum arm64_leave {
	ARM64_NEXT,	/* done, go on with the next instruction */
	ARM64_JUMP,	/* done or exception taken: go on at cpu->pc */
	ARM64_STOP,	/* leave step() with cpu->stop, nothing committed, cpu->pc is the instruction's */
	ARM64_LEAVE	/* done: leave step() with cpu->stop, cpu->pc is the next instruction's */
};

/**
 * struct arm64_insn - a decoded instruction; one slot each, those swallowed by a fused neighbour are skipped
 * @op: label in the executor (arm64_ops.h); the slow forms take the instruction word from the block's copy of the bytes
 * @rd, @rn, @rm, @ra: slots of the register file, chosen by the decoder among zero, SP and sink
 * @sh, @sub: shift amount, condition, extension, bit number
 * @imm: immediate; branches and ADR: the absolute address, for a block has one virtual address
 */
struct arm64_insn {
	u16 op;
	u8 rd;
	u8 rn;
	u8 rm;
	u8 ra;
	u8 sh;
	u8 sub;
	u64 imm;
};

#define ARM64_BITS(word, high, low) (((word) >> (low)) & ((2u << ((high) - (low))) - 1))
#define ARM64_BIT(word, n) (((word) >> (n)) & 1u)

static __always_inline u64 arm64_sext(u64 v, u32 bits)
{
	return (u64)((s64)(v << (64 - bits)) >> (64 - bits));
}

/* Register fields: 31 is zero or sink, or SP. */
static __always_inline u32 arm64_src(u32 r)
{
	return r;
}

static __always_inline u32 arm64_dst(u32 r)
{
	return r == 31 ? ARM64_SINK : r;
}

static __always_inline u32 arm64_sp(u32 r)
{
	return r == 31 ? ARM64_SP : r;
}

/* MDSCR_EL1.SS and MDE: without them nothing of debug.c is ever asked */
#define ARM64_MDSCR_USED 0x8001u

/* Exception classes (D17.2.37, ESR_EL1.EC). */
#define ARM64_EC_UNKNOWN 0x00u
#define ARM64_EC_WFX 0x01u
#define ARM64_EC_FP 0x07u
#define ARM64_EC_ILLEGAL 0x0eu
#define ARM64_EC_SVC 0x15u
#define ARM64_EC_SYSREG 0x18u
#define ARM64_EC_FETCH 0x20u	/* + 1 from the same level */
#define ARM64_EC_PC 0x22u
#define ARM64_EC_DATA 0x24u	/* + 1 from the same level */
#define ARM64_EC_SP 0x26u
#define ARM64_EC_BREAKPOINT 0x30u	/* these three: + 1 from the same level */
#define ARM64_EC_STEP 0x32u
#define ARM64_EC_WATCHPOINT 0x34u
#define ARM64_EC_BRK 0x3cu

/* Fault status codes (D17.2.37, ISS for data and instruction aborts); most take a level in 1:0. */
#define ARM64_FSC_SIZE 0x00u
#define ARM64_FSC_TRANSLATION 0x04u
#define ARM64_FSC_ACCESS_FLAG 0x08u
#define ARM64_FSC_PERMISSION 0x0cu
#define ARM64_FSC_EXTERNAL 0x10u
#define ARM64_FSC_EXTERNAL_WALK 0x14u
#define ARM64_FSC_ALIGNMENT 0x21u
#define ARM64_FSC_DEBUG 0x22u

#define ARM64_SCTLR_M 0x1ull
#define ARM64_SCTLR_A 0x2ull
#define ARM64_SCTLR_SA 0x8ull
#define ARM64_SCTLR_SA0 0x10ull
#define ARM64_SCTLR_UMA 0x200ull
#define ARM64_SCTLR_DZE 0x4000ull
#define ARM64_SCTLR_UCT 0x8000ull
#define ARM64_SCTLR_NTWI 0x10000ull
#define ARM64_SCTLR_NTWE 0x40000ull
#define ARM64_SCTLR_WXN 0x80000ull
#define ARM64_SCTLR_SPAN 0x800000ull
#define ARM64_SCTLR_UCI 0x4000000ull
#define ARM64_SCTLR_RES1 0x30500800ull

/* How memory is accessed. */
#define ARM64_WRITE 1u
#define ARM64_FETCH 2u
#define ARM64_USER 4u		/* with EL0's rights */
#define ARM64_SIMPLE 8u		/* a form with a valid syndrome: it may touch a device */
#define ARM64_CACHE 0x10u	/* cache maintenance: ISS.CM and WnR are set */

/* exception.c: all return ARM64_JUMP with cpu->pc at the vector */
enum arm64_leave arm64_raise(struct arm64_cpu *cpu, u32 ec, u32 iss);
enum arm64_leave arm64_undefined(struct arm64_cpu *cpu);
enum arm64_leave arm64_abort(struct arm64_cpu *cpu, u64 va, u32 how, u32 fsc);
void arm64_interrupt(struct arm64_cpu *cpu);
enum arm64_leave arm64_eret(struct arm64_cpu *cpu);
/* Look at hv.request: NEXT, or JUMP (interrupt taken), or STOP. */
enum arm64_leave arm64_attend(struct arm64_cpu *cpu);

/* arm64_state.c */
u64 arm64_pstate_get(const struct arm64_cpu *cpu);
void arm64_pstate_put(struct arm64_cpu *cpu, u64 pstate);
static inline void arm64_nzcv_put(struct arm64_cpu *cpu, u32 nzcv)
{
	cpu->n = nzcv & 8 ? -1 : 0;
	cpu->z = !(nzcv & 4);
	cpu->c = (nzcv >> 1) & 1;
	cpu->v = nzcv & 1;
}
static __always_inline u32 arm64_nzcv(const struct arm64_cpu *cpu)
{
	return (u32)((u64)cpu->n >> 63) << 3 | (u32)!cpu->z << 2 | (u32)cpu->c << 1 | cpu->v;
}
/* After a change of level, SPSel, SP or IL: key and TLB of the current mode. */
void arm64_mode_update(struct arm64_cpu *cpu);
/* Select another stack pointer; the caller updates the mode. */
void arm64_sp_select(struct arm64_cpu *cpu, u32 el, u32 spsel);
/* space.c: everything; what a TLBI names; the current space after TTBR0_EL1 or TTBR1_EL1 may have changed */
void arm64_tlb_flush(struct arm64_cpu *cpu);
void arm64_tlb_drop(struct arm64_cpu *cpu, u64 what);
void arm64_space_find(struct arm64_cpu *cpu);
static __always_inline void arm64_space_update(struct arm64_cpu *cpu)
{
	if (unlikely(cpu->space_stale))
		arm64_space_find(cpu);
}
/* A walk has found the page or block of @va for an access of kind @how: keep it. */
void arm64_tlb_fill(struct arm64_cpu *cpu, u64 va, u64 gpa, u32 how, u8 *host);
/* Where a fetch looks first. */
static inline struct hv_tlb_entry *arm64_fetch_entry(struct arm64_cpu *cpu, u64 va)
{
	return &cpu->spaces[cpu->el ? 0 : cpu->space].fetch[(va >> HV_PAGE_SHIFT) % ARM64_FETCH_ENTRIES];
}
/* tlbi.c: the instruction; what a DSB waits for; what HV_REQ_TLB asks for. */
enum arm64_leave arm64_tlbi(struct arm64_cpu *cpu, u32 crm, u32 op2, u64 arg);
enum arm64_leave arm64_tlbi_wait(struct arm64_cpu *cpu);
void arm64_shootdown_take(struct arm64_cpu *cpu);
/* The TLB of data accesses with EL0's rights (@user), or the current level's. */
static inline struct hv_tlb *arm64_tlb(struct arm64_cpu *cpu, bool user)
{
	return &cpu->tlbs[user ? cpu->space : cpu->pan ? 1 + ARM64_SPACES : 0];
}

/* mmu.c */
/*
 * Host address of @va (the access does not cross a page).  NEXT with *host NULL: no slot at *gpa.  STOP: HV_EXIT_PAGE.
 * JUMP: the abort was taken.
 */
enum arm64_leave arm64_translate(struct arm64_cpu *cpu, u64 va, u32 how, u8 **host, u64 *gpa);
/* The walk alone: 0 and *gpa, or the fault status code. *stop: HV_EXIT_PAGE was set up (a table's page is absent). */
u32 arm64_walk(struct arm64_cpu *cpu, u64 va, u32 how, u64 *gpa, bool *stop);
/* Does TCR_EL1 say that the top byte of @va is no address? */
u64 arm64_strip_tag(const struct arm64_cpu *cpu, u64 va);

/* debug.c: mode bits that MDSCR_EL1.SS and MDE ask for */
u64 arm64_debug_mode(const struct arm64_cpu *cpu);
bool arm64_debug_enabled(const struct arm64_cpu *cpu);
/* A register that says where to stop was written. */
void arm64_debug_changed(struct arm64_cpu *cpu);
/* ARM64_KEY_ONE if the code at PC has to be looked at one by one, or 0; then: was the breakpoint exception taken? */
u32 arm64_break_near(const struct arm64_cpu *cpu);
bool arm64_break_here(struct arm64_cpu *cpu);
/* Watchpoints: on the page at all; of this access: was the exception taken? */
bool arm64_watch_page(const struct arm64_cpu *cpu, u64 va);
bool arm64_watch_hit(struct arm64_cpu *cpu, u64 va, u32 size, u32 how);
static __always_inline bool arm64_watched(struct arm64_cpu *cpu, u64 va, u32 size, u32 how)
{
	return unlikely(cpu->watching) && arm64_watch_hit(cpu, va, size, how);
}
/* Software step is active: its exception, or one instruction by @run; NONE: go on */
enum hv_exit_kind arm64_step_one(struct arm64_cpu *cpu, u64 left, enum hv_exit_kind (*run)(struct arm64_cpu *, u64));

/* fetch.c: the block at cpu->pc, verified; NULL: *leave is JUMP or STOP */
struct hv_block *arm64_block(struct arm64_cpu *cpu, u32 one, enum arm64_leave *leave);

/* decode.c: @words[0..count) at @va; returns the number of slots in @insn, *used words */
u32 arm64_decode_block(struct arm64_insn *insn, const u32 *words, u32 count, u64 va, u32 mode, u32 *used);
u64 arm64_logical_immediate(u32 w, bool *valid);
/* decode_memory.c: false: slow form */
bool arm64_decode_memory(struct arm64_insn *i, u32 w, u64 va, u32 mode);

/* memory.c, exclusive.c: any load or store, by its word */
enum arm64_leave arm64_memory(struct arm64_cpu *cpu, u32 w);
enum arm64_leave arm64_exclusive(struct arm64_cpu *cpu, u32 w);
enum arm64_leave arm64_atomic(struct arm64_cpu *cpu, u32 w);
/*
 * Host addresses of an access that may cross a page; *first bytes lie on the first.  No device: external abort.  On Device memory
 * @va must be a multiple of @align.
 */
enum arm64_leave arm64_translate_both(struct arm64_cpu *cpu, u64 va, u32 size, u32 align, u32 how, u8 **host, u32 *first);
enum arm64_leave arm64_load(struct arm64_cpu *cpu, u64 va, u32 size, u32 how, u64 *v);
enum arm64_leave arm64_store(struct arm64_cpu *cpu, u64 va, u32 size, u32 how, u64 v);
/* SP alignment (D1.8.2) for an access with base register field @rn: true: the exception was taken */
bool arm64_sp_misaligned(struct arm64_cpu *cpu, u32 rn);

/* simd/: floating point, AdvSIMD, crypto (C4.1.97), and loads and stores with SIMD&FP registers, by their word */
enum arm64_leave arm64_vec(struct arm64_cpu *cpu, u32 w);
enum arm64_leave arm64_vec_memory(struct arm64_cpu *cpu, u32 w);
/* Row of simd/simd_list.h that can be executed, for arm64_vec_run(); 0: none, or absent */
u32 arm64_vec_decode(u32 w);
void arm64_vec_run(struct arm64_cpu *cpu, u32 row, u32 w);
/* CPACR_EL1.FPEN (D17.2.33): 0 and 2 trap both levels, 1 traps EL0 */
bool arm64_fp_enabled(const struct arm64_cpu *cpu);
enum arm64_leave arm64_fp_trap(struct arm64_cpu *cpu);

/* integer.c: data processing that is rare */
enum arm64_leave arm64_integer(struct arm64_cpu *cpu, u32 w);

/* system.c, sysreg.c */
enum arm64_leave arm64_system(struct arm64_cpu *cpu, u32 w);
/* wait.c: WFE, WFI, SEV, SEVL and YIELD, by CRm:op2 */
enum arm64_leave arm64_hint(struct arm64_cpu *cpu, u32 number);
enum arm64_leave arm64_mrs_msr(struct arm64_cpu *cpu, u32 w);
u64 arm64_counter(const struct arm64_cpu *cpu);
enum arm64_leave arm64_sysreg_trap(struct arm64_cpu *cpu, u32 w);

/* Any instruction that has no operation of its own: see exec.c. */
enum arm64_leave arm64_slow(struct arm64_cpu *cpu, u32 w);

#endif
