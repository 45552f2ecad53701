/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the files of the x86 CPU share among themselves. */
#ifndef MV_X86_INTERNAL_H
#define MV_X86_INTERNAL_H

#include "flags.h"
#include "x86.h"
#include "x86_ops.h"

/* Mode bits: low part of hv_cpu.key and hv_block.mode. */
#define X86_MODE_16 0u
#define X86_MODE_32 1u
#define X86_MODE_64 2u
#define X86_MODE_SIZE 3u
#define X86_MODE_STACK32 4u	/* SS.B: 32-bit stack pointer outside 64-bit mode */
#define X86_MODE_USER 8u
#define X86_MODE_FLAT_CS 0x10u	/* base 0, limit 4 GiB */
#define X86_MODE_FLAT_DATA 0x20u /* DS, ES, SS: base 0, limit 4 GiB, readable and writable */
#define X86_MODE_TRAP 0x40u	/* RFLAGS.TF: links must not be followed */
#define X86_MODE_ONE 0x80u	/* a block of one instruction, never linked */
#define X86_MODE_SSE 0x200u	/* SSE2 is there and enabled: the executor may do its moves */
#define X86_MODE_DEBUG 0x400u	/* a breakpoint is enabled: one instruction at a time */
#define X86_MODE_LONG 0x100u	/* EFER.LMA: some opcodes of compatibility mode differ */

/* How a helper leaves an instruction. */
enum x86_leave {
	X86_NEXT,	/* done, go on with the next instruction */
	X86_JUMP,	/* done; cpu->rip is set, the block ends */
	X86_FAULT,	/* exception in cpu->vector; nothing committed */
	X86_STOP,	/* leave step() with cpu->stop, nothing committed (of this iteration) */
	X86_AGAIN	/* REP: some iterations are done, outside wants something; RIP stays */
};

enum x86_vector {
	X86_DE = 0, X86_DB = 1, X86_NMI = 2, X86_BP = 3, X86_OF = 4, X86_BR = 5, X86_UD = 6, X86_NM = 7, X86_DF = 8,
	X86_TS = 10, X86_NP = 11, X86_SS_FAULT = 12, X86_GP = 13, X86_PF = 14, X86_MF = 16, X86_AC = 17,
	X86_XM = 19
};

/* sem of a vector instruction: this and its enum x86_vec (simd/simd.h); reg and rm are register numbers then, sub the column */
#define X86_SEM_VECTOR 0x400u

#define X86_I_MEM 0x01u		/* r/m is memory */
#define X86_I_IMM 0x02u		/* source is the immediate */
#define X86_I_TO_REG 0x04u	/* destination is reg, source r/m */
#define X86_I_LOCK 0x08u
#define X86_I_REP 0x10u		/* F3 */
#define X86_I_REPNE 0x20u	/* F2 */
#define X86_I_LAST 0x40u	/* a block ends here */

/**
 * struct x86_insn - a decoded instruction
 * @op: label in the executor (x86_ops.h); X86_OP_SLOW calls x86_slow()
 * @sem: what it means, enum x86_sem
 * @len: bytes; @off: from the block's first byte
 * @reg, @rm, @base, @index: byte offsets into cpu->r
 * @sub: condition, segment register or /digit
 * @disp: displacement; RIP-relative ones are absolute already, for a block has one virtual address
 * @imm: immediate, sign-extended; branches: target RIP
 */
struct x86_insn {
	u16 op;
	u16 sem;
	u8 len;
	u8 off;
	u8 reg;
	u8 rm;
	u8 base;
	u8 index;
	u8 scale;
	u8 seg;
	u8 size;
	u8 flags;
	u8 asize;
	u8 sub;
	s64 disp;
	s64 imm;
};

#define X86_REG64(cpu, off) (*(u64 *)((u8 *)(cpu)->r + (off)))
#define X86_REG32(cpu, off) (*(u32 *)((u8 *)(cpu)->r + (off)))
#define X86_REG16(cpu, off) (*(u16 *)((u8 *)(cpu)->r + (off)))
#define X86_REG8(cpu, off) (*((u8 *)(cpu)->r + (off)))

static __always_inline u64 x86_reg_get(struct x86_cpu *cpu, u32 off, u32 size)
{
	switch (size) {
	case 1:
		return X86_REG8(cpu, off);
	case 2:
		return X86_REG16(cpu, off);
	case 4:
		return X86_REG32(cpu, off);
	default:
		return X86_REG64(cpu, off);
	}
}

static __always_inline void x86_reg_put(struct x86_cpu *cpu, u32 off, u32 size, u64 v)
{
	switch (size) {
	case 1:
		X86_REG8(cpu, off) = (u8)v;
		break;
	case 2:
		X86_REG16(cpu, off) = (u16)v;
		break;
	case 4:
		X86_REG64(cpu, off) = (u32)v;
		break;
	default:
		X86_REG64(cpu, off) = v;
	}
}

static inline u64 x86_size_mask(u32 size)
{
	return size == 8 ? ~0ull : (1ull << (size * 8)) - 1;
}

static __always_inline u64 x86_sign_extend(u64 v, u32 size)
{
	switch (size) {
	case 1:
		return (u64)(s64)(s8)v;
	case 2:
		return (u64)(s64)(s16)v;
	case 4:
		return (u64)(s64)(s32)v;
	default:
		return v;
	}
}

static inline bool x86_has(const struct x86_cpu *cpu, u32 feature)
{
	return cpu->features >> feature & 1;
}

static inline bool x86_real(const struct x86_cpu *cpu)
{
	return !(cpu->cr0 & CR0_PE);
}

static inline bool x86_long(const struct x86_cpu *cpu)
{
	return cpu->efer & X86_EFER_LMA;
}

static inline bool x86_code64(const struct x86_cpu *cpu)
{
	return (cpu->mode & X86_MODE_SIZE) == X86_MODE_64;
}

static inline bool x86_canonical(u64 va)
{
	return (u64)(((s64)(va << 16)) >> 16) == va;
}

static inline u64 x86_flags_get(const struct x86_cpu *cpu)
{
	return cpu->rflags | x86_flags_work_out(&cpu->fl) | 2;
}

static inline void x86_flags_load(struct x86_cpu *cpu, u64 v)
{
	x86_flags_put(&cpu->fl, v);
	cpu->rflags = (v & ~X86_FLAGS_ARITH) | 2;
}

/* Raise an exception: the caller returns what this returns. */
static inline enum x86_leave x86_raise(struct x86_cpu *cpu, u8 vector)
{
	cpu->vector = vector;
	cpu->has_error = 0;
	cpu->soft = 0;
	cpu->error = 0;
	return X86_FAULT;
}

static inline enum x86_leave x86_raise_error(struct x86_cpu *cpu, u8 vector, u32 error)
{
	cpu->vector = vector;
	cpu->has_error = 1;
	cpu->soft = 0;
	cpu->error = error;
	return X86_FAULT;
}

/* mmu.c: linear addresses */
#define X86_WRITE 1u
#define X86_FETCH 2u
#define X86_USER 4u		/* as privilege 3 */
enum x86_leave x86_lin_read(struct x86_cpu *cpu, u64 lin, u32 size, u32 how, u64 *v);
enum x86_leave x86_lin_write(struct x86_cpu *cpu, u64 lin, u32 size, u32 how, u64 v);
/* Host address of @lin for an access that does not cross a page; *host NULL: a device at *gpa. */
enum x86_leave x86_translate(struct x86_cpu *cpu, u64 lin, u32 how, u8 **host, u64 *gpa);
/* The translation a code fetch at @lin needs. */
enum x86_leave x86_fetch_page(struct x86_cpu *cpu, u64 lin, u8 **host, u64 *gpa);
void x86_tlb_flush(struct x86_cpu *cpu);
/* The arena may be another than last time: empty TLBs at its start.  Return: false if there is none yet. */
bool x86_tlb_adopt(struct x86_cpu *cpu);
void x86_tlb_flush_page(struct x86_cpu *cpu, u64 lin);
void x86_tlb_flush_writes(struct x86_cpu *cpu);
void x86_code_stored(struct x86_cpu *cpu, u64 gpa, u32 size);
enum x86_leave x86_load_pdptes(struct x86_cpu *cpu, u64 cr3);

/* segment.c: logical addresses and descriptors */
enum x86_leave x86_linear(struct x86_cpu *cpu, u32 seg, u64 off, u32 size, u32 how, u64 *lin);
enum x86_leave x86_read(struct x86_cpu *cpu, u32 seg, u64 off, u32 size, u64 *v);
enum x86_leave x86_write(struct x86_cpu *cpu, u32 seg, u64 off, u32 size, u64 v);
/* Blocks of more than 8 bytes: every page is checked before the first byte moves.  Devices take up to 64 bytes, else #GP. */
enum x86_leave x86_read_block(struct x86_cpu *cpu, u32 seg, u64 off, void *to, u32 size);
enum x86_leave x86_write_block(struct x86_cpu *cpu, u32 seg, u64 off, const void *from, u32 size);
enum x86_leave x86_load_segment(struct x86_cpu *cpu, u32 seg, u16 selector);
struct x86_descriptor {
	u64 low, high;
	struct x86_segment seg;
	u64 at;			/* linear address */
};
enum x86_leave x86_descriptor_read(struct x86_cpu *cpu, u16 selector, u8 vector, struct x86_descriptor *d);
enum x86_leave x86_descriptor_access(struct x86_cpu *cpu, struct x86_descriptor *d);
enum x86_leave x86_check_code(struct x86_cpu *cpu, u16 selector, const struct x86_descriptor *d, u32 cpl, bool to_outer);
enum x86_leave x86_check_stack(struct x86_cpu *cpu, u16 selector, const struct x86_descriptor *d, u32 cpl, u8 vector);
enum x86_leave x86_load_ldtr(struct x86_cpu *cpu, u16 selector);
enum x86_leave x86_load_tr(struct x86_cpu *cpu, u16 selector);
enum x86_leave x86_check_rip(struct x86_cpu *cpu, const struct x86_segment *cs, u64 rip);
void x86_null_outer_segments(struct x86_cpu *cpu);

/* x86_state.c */
void x86_mode_update(struct x86_cpu *cpu);
void x86_generation_next(struct x86_cpu *cpu);

/* interrupt.c */
enum x86_event { X86_EVENT_EXTERNAL, X86_EVENT_SOFT, X86_EVENT_EXCEPTION };
enum x86_leave x86_deliver(struct x86_cpu *cpu, u8 vector, enum x86_event event, bool has_error, u32 error);
enum x86_leave x86_iret(struct x86_cpu *cpu, u32 size);
enum x86_leave x86_far_jump(struct x86_cpu *cpu, u16 selector, u64 rip, bool call, u32 size, u64 next);
enum x86_leave x86_far_return(struct x86_cpu *cpu, u32 size, u32 extra);

/* debug.c: matches with DR0..DR3 of kind 0 execution, 1 write, 2 port, 3 read; remembered in cpu->debug_hit */
bool x86_debug_match(struct x86_cpu *cpu, u64 at, u32 size, u32 kind);
enum x86_leave x86_move_debug(struct x86_cpu *cpu, struct x86_insn *i);

/* task.c */
enum x86_switch { X86_SWITCH_JUMP, X86_SWITCH_CALL, X86_SWITCH_GATE, X86_SWITCH_IRET };
enum x86_leave x86_task_switch(struct x86_cpu *cpu, u16 selector, enum x86_switch why, u64 next, bool has_error, u32 error,
			       bool *switched);
enum x86_leave x86_task_jump(struct x86_cpu *cpu, u16 selector, enum x86_switch why, u64 next);
enum x86_leave x86_far_system(struct x86_cpu *cpu, u16 selector, struct x86_descriptor *g, bool call, u64 next);
enum x86_leave x86_iret_86(struct x86_cpu *cpu, u64 rip, u16 cs, u64 flags, u64 sp);
void x86_segment_86(struct x86_cpu *cpu, u32 n, u16 selector);
bool x86_sensitive_86(const struct x86_cpu *cpu);
enum x86_leave x86_tss_stack(struct x86_cpu *cpu, u32 level, u16 *ss, u64 *sp);

/* stack accesses (segment.c): offsets from RSP within the stack's width */
u64 x86_sp_mask(const struct x86_cpu *cpu);
void x86_sp_put(struct x86_cpu *cpu, u64 sp);
enum x86_leave x86_push(struct x86_cpu *cpu, u64 *sp, u32 size, u64 v);
enum x86_leave x86_pop(struct x86_cpu *cpu, u64 *sp, u32 size, u64 *v);

/* decode.c: bytes used, or 0 if @avail bytes do not hold the whole instruction */
u32 x86_decode(const u8 *code, u32 avail, u64 rip, u32 mode, struct x86_insn *i);
/* specialise.c: choose the executor's operation */
void x86_specialise(struct x86_insn *i, u32 mode);
void x86_fuse(struct x86_insn *first, u32 mode);
/* After fusing: work on flags that nobody sees is left out. */
void x86_drop_flags(struct x86_insn *i, u32 count);
/* After all that: the numbers that the executor finds soonest. */
void x86_second_numbers(struct x86_insn *i, u32 count);

/* slow.c: any instruction, by its meaning; next: RIP behind it */
enum x86_leave x86_slow(struct x86_cpu *cpu, struct x86_insn *i);
u64 x86_next_rip(struct x86_cpu *cpu, const struct x86_insn *i);
u64 x86_this_rip(struct x86_cpu *cpu, const struct x86_insn *i);
u64 x86_ea(struct x86_cpu *cpu, const struct x86_insn *i);
enum x86_leave x86_jump_to(struct x86_cpu *cpu, u64 rip);
enum x86_leave x86_string(struct x86_cpu *cpu, struct x86_insn *i);
enum x86_leave x86_system(struct x86_cpu *cpu, struct x86_insn *i);
enum x86_leave x86_pause(struct x86_cpu *cpu, struct x86_insn *i);
enum x86_leave x86_port(struct x86_cpu *cpu, u32 port, u32 size, u8 direction, u64 *v);

/* hyperv.c; x86_hyperv_access(): RDMSR or WRMSR of an MSR for which x86_hyperv_msr() holds */
bool x86_hyperv_msr(const struct x86_cpu *cpu, u32 n);
enum x86_leave x86_hyperv_access(struct x86_cpu *cpu, u32 n, u8 direction, u64 *v);
enum x86_leave x86_hypercall(struct x86_cpu *cpu);

/* cpuid.c, msr.c */
void x86_cpuid(struct x86_cpu *cpu);
enum x86_leave x86_wrmsr(struct x86_cpu *cpu);
enum x86_leave x86_rdmsr(struct x86_cpu *cpu);

/* simd/simd.c, x87/, extension.c */
enum x86_leave x86_vector(struct x86_cpu *cpu, struct x86_insn *i);
enum x86_leave x87_execute(struct x86_cpu *cpu, struct x86_insn *i);
enum x86_leave x87_pending(struct x86_cpu *cpu);
void x87_to_mmx(struct x86_cpu *cpu);
void x87_control_put(struct x86_cpu *cpu, u16 v);
bool x87_reserved(u32 op, u32 modrm);
enum x86_leave x86_extended_state(struct x86_cpu *cpu, struct x86_insn *i);
enum x86_leave x86_extension(struct x86_cpu *cpu, struct x86_insn *i);
void x86_fpu_init(struct x86_fpu *f);

/* alu.c: two-operand arithmetic with flags */
u64 x86_alu(struct x86_cpu *cpu, u32 sem, u32 size, u64 a, u64 b);
u64 x86_shift(struct x86_cpu *cpu, u32 sem, u32 size, u64 a, u32 count);
u64 x86_shift_double(struct x86_cpu *cpu, bool right, u32 size, u64 a, u64 b, u32 count);
bool x86_divide(u64 high, u64 low, u64 by, u64 *quotient, u64 *remainder);
void x86_adjust(struct x86_cpu *cpu, u32 sem, u64 imm);

#endif
