/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The x86-64 software CPU: real, protected, compatibility and 64-bit mode.
 *
 * Use: zeroed memory of sizeof(struct x86_cpu), x86_cpu_init(), x86_state_set() or the reset state, then x86_step() again and
 * again.  Section numbers in this directory are those of the Intel SDM (order 325462), "3A 6.14" = volume 3A section 6.14.
 */
#ifndef MV_X86_H
#define MV_X86_H

#include "../cpu.h"
#include "../fp/fp.h"

enum x86_segment_number { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_LDTR, X86_TR, X86_SEGMENTS };

enum x86_register {
	X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
	X86_R8, X86_R9, X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15
};

#define X86_FLAG_CF 0x1ull
#define X86_FLAG_PF 0x4ull
#define X86_FLAG_AF 0x10ull
#define X86_FLAG_ZF 0x40ull
#define X86_FLAG_SF 0x80ull
#define X86_FLAG_TF 0x100ull
#define X86_FLAG_IF 0x200ull
#define X86_FLAG_DF 0x400ull
#define X86_FLAG_OF 0x800ull
#define X86_FLAG_IOPL 0x3000ull
#define X86_FLAG_NT 0x4000ull
#define X86_FLAG_RF 0x10000ull
#define X86_FLAG_VM 0x20000ull
#define X86_FLAG_AC 0x40000ull
#define X86_FLAG_VIF 0x80000ull
#define X86_FLAG_VIP 0x100000ull
#define X86_FLAG_ID 0x200000ull
#define X86_FLAGS_ARITH 0x8d5ull

#define CR0_PE 0x1ull
#define CR0_MP 0x2ull
#define CR0_EM 0x4ull
#define CR0_TS 0x8ull
#define CR0_ET 0x10ull
#define CR0_NE 0x20ull
#define CR0_WP 0x10000ull
#define CR0_AM 0x40000ull
#define CR0_NW 0x20000000ull
#define CR0_CD 0x40000000ull
#define CR0_PG 0x80000000ull
#define CR4_TSD 0x4ull
#define CR4_DE 0x8ull
#define CR4_PSE 0x10ull
#define CR4_PAE 0x20ull
#define CR4_MCE 0x40ull
#define CR4_PGE 0x80ull
#define CR4_PCE 0x100ull
#define CR4_OSFXSR 0x200ull
#define CR4_OSXMMEXCPT 0x400ull
#define CR4_FSGSBASE 0x10000ull
#define CR4_OSXSAVE 0x40000ull
#define CR4_SMEP 0x100000ull
#define CR4_SMAP 0x200000ull
#define X86_EFER_SCE 0x1ull
#define X86_EFER_LME 0x100ull
#define X86_EFER_LMA 0x400ull
#define X86_EFER_NXE 0x800ull

/**
 * struct x86_segment - a segment register with its hidden part
 * @attributes: access rights as VMX has them (3C 24.4.1): type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15.  A null
 *	selector leaves P clear, which is all that "unusable" means here.
 * @limit: in bytes, already scaled by G
 */
struct x86_segment {
	u16 selector;
	u16 attributes;
	u32 limit;
	u64 base;
};

struct x86_table {
	u64 base;
	u16 limit;
};

/* Architectural state.  tsc: value of the time-stamp counter at the moment of get or set. */
struct x86_state {
	u64 gpr[16];
	u64 rip;
	u64 rflags;
	struct x86_segment seg[X86_SEGMENTS];
	struct x86_table gdt, idt;
	u64 cr0, cr2, cr3, cr4, cr8, efer;
	u64 dr[8];
	u64 star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 pat;
	u64 tsc;
};

/*
 * What CPUID can announce and a VMM can take away: bits of x86_cpu.features.  An instruction whose bit is clear raises #UD
 * (or is what it was before, as TZCNT is BSF).
 */
#define X86_FEATURE_LIST(X)                                                                                              \
	X(FPU) X(TSC) X(MSR) X(CX8) X(SEP) X(CMOV) X(MMX) X(FXSR) X(SSE) X(SSE2) X(SSE3) X(PCLMUL) X(SSSE3) X(CX16)       \
	X(SSE41) X(SSE42) X(MOVBE) X(POPCNT) X(AES) X(XSAVE) X(RDRAND) X(FSGSBASE) X(BMI1) X(SMEP) X(BMI2) X(ERMS)        \
	X(ADX) X(SMAP) X(XSAVEOPT) X(LAHF64) X(LZCNT) X(SYSCALL) X(NX) X(PAGE1GB) X(RDTSCP) X(LM) X(MTRR) X(PAT) X(CLFLUSH) \
	X(SPEC)

enum x86_feature {
#define X(name) X86_HAS_##name,
	X86_FEATURE_LIST(X)
#undef X
	X86_FEATURES
};

/**
 * struct x86_fpu - x87, MMX, SSE: what FXSAVE and XSAVE keep; a struct of its own, for integer users need not copy it
 * @xmm: low and high half
 * @st: the eight registers by their own number, not by distance from the top of stack; MMn is st[n].sig
 * @used: bit n: register n is not empty (the tag word of FXSAVE)
 * @fsw: with TOP in bits 13:11
 */
struct x86_fpu {
	u64 xmm[16][2];
	struct fp80 st[8];
	u16 fcw, fsw, fop;
	u8 used;
	u32 mxcsr;
	u64 fip, fdp;
	u64 xcr0;
};

/* Slots of the register file behind the 16 registers: index of "no register", always zero. */
#define X86_ZERO 16

/**
 * struct x86_flags - arithmetic flags, not worked out before someone looks (flags.h)
 * @result, @a, @b: result and operands, sign-extended to 64 bits
 * @bits: flags that are explicit for this kind, at their RFLAGS positions
 */
struct x86_flags {
	u64 result;
	u64 a;
	u64 b;
	u32 kind;
	u32 bits;
};

/**
 * struct x86_local_apic_ops - what a CPU asks of its local APIC
 *
 * Called on the thread that runs the CPU, with hv.irq.context; never sleeps.  read_msr, write_msr: IA32_APIC_BASE,
 * IA32_TSC_DEADLINE and 0x800..0x8ff; false raises #GP(0).  CR8 is bits 7:4 of the task priority (3A 11.8.6.1).
 */
struct x86_local_apic_ops {
	bool (*read_msr)(void *context, u32 msr, u64 *value);
	bool (*write_msr)(void *context, u32 msr, u64 value);
	u64 (*read_cr8)(void *context);
	void (*write_cr8)(void *context, u64 value);
};

/* What CPUID answers, if a VMM has decided it all; sub-leaf numbers count where has_sub is set. */
struct x86_cpuid_leaf {
	u32 leaf, sub;
	u32 has_sub;
	u32 out[4];	/* EAX, EBX, ECX, EDX */
};

#define X86_MSR_APIC_BASE 0x1bu
#define X86_MSR_TSC_DEADLINE 0x6e0u
#define X86_MSR_X2APIC 0x800u		/* to 0x8ff */

#define X86_FETCH_ENTRIES 64
#define X86_TLBS 2
#define X86_RAW_MAX 256

struct x86_cpu {
	struct hv_cpu hv;

	/* hot: registers and flags */
	u64 r[X86_ZERO + 1];
	struct x86_flags fl;
	u64 rip;
	u64 rflags;			/* all but the arithmetic flags, which are in fl */
	struct hv_block *block;		/* running now */
	struct x86_segment seg[X86_SEGMENTS];

	struct x86_table gdt, idt;
	u64 cr0, cr2, cr3, cr4, cr8, efer;
	u64 dr[8];
	u64 star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 pat;
	u64 pdpte[4];			/* PAE keeps the four entries from the last CR3 load (3A 4.4.1) */

	u64 generation;			/* of translations; high part of hv.key */
	u32 mode;			/* X86_MODE_*; low part of hv.key */
	u8 cpl;
	u8 shadow;			/* interrupts wait for one more instruction (STI, MOV SS) */
	u8 trap;			/* #DB is due before the next instruction: TF was set (3B 17.3.1.4) */
	u8 shutdown;

	/* the exception being raised by the instruction that runs */
	u8 vector;
	u8 has_error;
	u8 soft;			/* INT n, INT3, INTO: return address is the next instruction */
	u8 stop;			/* enum hv_exit_kind with which the instruction leaves step() */
	u32 error;

	u64 tsc_offset;
	u32 tsc_khz;
	u32 virtual_time;		/* TSC counts retired instructions instead of nanoseconds */

	u64 insn_rip;			/* of the instruction whose INT n is being delivered */
	struct hv_block *from;		/* block that wants a link to the one looked up next, */
	u32 from_slot;			/* in this slot */
	u16 pending;			/* vector + 1: acknowledged, not delivered yet */
	u8 was_shadow;			/* the running instruction lies in an interrupt shadow */
	u8 nmi_blocked;			/* from the delivery of an NMI to the next IRET (3A 6.7.1) */
	const struct x86_local_apic_ops *apic;	/* NULL: there is none, its MSRs raise #GP and CPUID says so */
	struct hv_tlb *tlb;		/* X86_TLBS: supervisor, user; at the arena's start, NULL before the first step */
	struct hv_tlb_entry fetch[2][X86_FETCH_ENTRIES];
	u16 debug_hit;			/* bits of DR6 for the #DB behind the running instruction */
	u8 was_rf;			/* RFLAGS.RF as the running instruction found it */
	u64 iret_next;			/* behind the IRET that runs: a task switch saves it */
	struct x86_fpu fpu;
	u64 features;			/* bit X86_HAS_*: set by x86_cpu_init() to everything, may be narrowed before the first step */
	u64 tsc_aux, misc_enable, spec_ctrl;
	u64 tsc_adjust;			/* IA32_TSC_ADJUST: what the guest has moved its TSC by (3B 17.17.3) */
	u64 mtrr[2 * 8 + 12];		/* kept and read back, no effect: see msr.c */
	u64 random;			/* RDRAND's state */
	const struct x86_cpuid_leaf *leaves;	/* CPUID's answers; none: those that features give */
	u32 leaf_count;
	u8 fx_area[432];		/* of FXSAVE and its like: too large for a kernel stack */
	u8 window[X86_RAW_MAX + 16];	/* code bytes being decoded: read once, guest memory may change meanwhile */
	/* seldom used, and so at the end: what lies before keeps its place (SHA-256 was 1.7 times slower with these above) */
	u8 gives_way;			/* a PAUSE wants to leave step() */
	u8 pauses;			/* in a row, ... */
	u8 gave_way;			/* how many times meanwhile */
	u64 paused_at;			/* ... and what hv.retired was at the last */
	u8 turns;			/* events since the last instruction, ... */
	u64 turned_at;			/* ... and what hv.retired was then */
	u8 hyperv;			/* CPUID offers Hyper-V's interface: x86_cpuid_give() */
	u8 synic;			/* and its synthetic interrupt controller is there */
};

/*
 * Hyper-V's interface (Hyper-V Top Level Functional Specification: TLFS) is served by whoever runs the CPU.  What a guest does with it is
 * a device access of 8 bytes, beyond all addresses that a guest can make: an MSR's read or write at X86_HYPERV_MSRS + number (of its low
 * 12 bits) * 8, and a hypercall as a read at X86_HYPERV_CALL, whose answer is the result; its arguments are in the registers.
 */
#define X86_HYPERV_MSRS (1ull << 62)
#define X86_HYPERV_CALL (X86_HYPERV_MSRS + 0x8000)
#define X86_HYPERV_MSR_BASE 0x40000000u

/**
 * x86_cpu_init - set up a CPU in zeroed memory and reset it
 * @arena: memory for translations and decoded code (128 KiB at least), may grow to @arena_limit through HV_EXIT_ARENA; or NULL and 0: the
 *	first step asks for it
 */
void x86_cpu_init(struct x86_cpu *cpu, struct hv_memmap *map, u32 id, void *arena, size_t arena_size, size_t arena_limit);

/* The state in which ACRN starts a vCPU: 16-bit, CS F000 base FFFF0000, RIP FFF0. */
void x86_reset(struct x86_cpu *cpu);

void x86_state_get(const struct x86_cpu *cpu, struct x86_state *state);
/* Drops translations and whatever else depended on the old state. */
void x86_state_set(struct x86_cpu *cpu, const struct x86_state *state);

/* x87, MMX and SSE state. */
void x86_fpu_get(const struct x86_cpu *cpu, struct x86_fpu *fpu);
void x86_fpu_set(struct x86_cpu *cpu, const struct x86_fpu *fpu);

/* An MSR as RDMSR and WRMSR at privilege level 0 see it.  Return: false where those raise #GP(0). */
bool x86_msr_get(struct x86_cpu *cpu, u32 n, u64 *v);
bool x86_msr_set(struct x86_cpu *cpu, u32 n, u64 v);

/* From now on CPUID answers from this table, which stays the caller's; 0: as before it.  Not while the CPU steps. */
void x86_cpuid_give(struct x86_cpu *cpu, const struct x86_cpuid_leaf *leaves, u32 count);
/* CPUID's answer: EAX, EBX, ECX, EDX. */
void x86_cpuid_read(struct x86_cpu *cpu, u32 leaf, u32 sub, u32 out[4]);

/*
 * After HV_EXIT_PAUSE: nanoseconds to sleep unless x86_called() comes first; 0 for giving the processor away only, as the
 * first @polite times of a loop are; 255: as all of them are.
 */
u64 x86_pause_ns(const struct x86_cpu *cpu, u32 polite);
/* Is there a request that may be attended to now?  Not a masked interrupt. */
bool x86_called(const struct x86_cpu *cpu);
/* Of a CPU that executed HLT: is there anything for x86_step() to do? */
bool x86_has_work(const struct x86_cpu *cpu);

/* The time-stamp counter as the guest reads it; and the nanoseconds until it reaches @tsc, 0 if it did. */
u64 x86_tsc(struct x86_cpu *cpu);
u64 x86_ns_until_tsc(struct x86_cpu *cpu, u64 tsc);

/**
 * x86_step - run until an exit, or until exactly @budget more instructions are retired (HV_EXIT_BUDGET)
 *
 * A REP instruction retires when its last iteration is done; a faulting one does not retire: where nothing retires for long
 * (exceptions whose handlers fault at once, and so on) HV_EXIT_BUDGET comes early.  After HV_EXIT_ACCESS call
 * hv_cpu_complete(), then x86_step() again.  HV_EXIT_PAGE: make the page at exit.address present, step again.
 * HV_EXIT_ARENA: hv_blocks_set_arena() with at least hv.blocks.want bytes, step again.
 */
enum hv_exit_kind x86_step(struct x86_cpu *cpu, u64 budget);
#ifndef __KERNEL__
/* The same with the dispatcher that the kernel build uses, so that tests cover it. */
enum hv_exit_kind x86_step_switch(struct x86_cpu *cpu, u64 budget);
#endif

#endif
