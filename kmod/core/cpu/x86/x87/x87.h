/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The x87: registers by stack position, status word, what its files share (1 chapter 8). */
#ifndef MV_X86_X87_H
#define MV_X86_X87_H

#include "../internal.h"

#define SW_SF 0x40u
#define SW_ES 0x80u
#define SW_C0 0x100u
#define SW_C1 0x200u
#define SW_C2 0x400u
#define SW_C3 0x4000u
#define SW_CC (SW_C0 | SW_C1 | SW_C2 | SW_C3)
#define SW_TOP 0x3800u
#define SW_B 0x8000u

static inline u32 x87_top(const struct x86_cpu *cpu)
{
	return (cpu->fpu.fsw >> 11) & 7;
}

static inline void x87_top_put(struct x86_cpu *cpu, u32 top)
{
	cpu->fpu.fsw = (u16)((cpu->fpu.fsw & ~SW_TOP) | (top & 7) << 11);
}

static inline struct fp80 *x87_st(struct x86_cpu *cpu, u32 n)
{
	return &cpu->fpu.st[(x87_top(cpu) + n) & 7];
}

static inline bool x87_empty(const struct x86_cpu *cpu, u32 n)
{
	return !(cpu->fpu.used & (1u << ((x87_top(cpu) + n) & 7)));
}

static inline void x87_put(struct x86_cpu *cpu, u32 n, struct fp80 v)
{
	u32 r = (x87_top(cpu) + n) & 7;

	cpu->fpu.st[r] = v;
	cpu->fpu.used |= (u8)(1u << r);
}

static inline void x87_pop(struct x86_cpu *cpu)
{
	cpu->fpu.used &= (u8)~(1u << x87_top(cpu));
	x87_top_put(cpu, x87_top(cpu) + 1);
}

static inline void x87_cc(struct x86_cpu *cpu, u32 cc)
{
	cpu->fpu.fsw = (u16)((cpu->fpu.fsw & ~SW_CC) | cc);
}

static inline void x87_c1(struct x86_cpu *cpu, bool set)
{
	cpu->fpu.fsw = (u16)((cpu->fpu.fsw & ~SW_C1) | (set ? SW_C1 : 0));
}

#define X87_INDEFINITE ((struct fp80){ 3ull << 62, 0xffff })
#define X87_ONE ((struct fp80){ 1ull << 63, 0x3fff })

/* x87.c */
void x87_begin(const struct x86_cpu *cpu, struct fp_env *e, bool precision_control);
/* Exceptions into the status word; true if the result is to be written: none of FP_INVALID, DENORMAL, DIVZERO is unmasked. */
bool x87_end(struct x86_cpu *cpu, const struct fp_env *e);
/* Stack underflow or overflow; true if masked: the default NaN becomes the result. */
bool x87_stack_fault(struct x86_cpu *cpu, bool overflow);
/* Room for a push: false: it overflowed, and was dealt with. */
bool x87_room(struct x86_cpu *cpu);
void x87_push(struct x86_cpu *cpu, struct fp80 v);

/* x87_arith.c */
enum { X87_ADD, X87_MUL, X87_COM, X87_COMP, X87_SUB, X87_SUBR, X87_DIV, X87_DIVR };
/* ST(to) = ST(to) op n; true if done as far as popping goes */
bool x87_arith(struct x86_cpu *cpu, u32 op, u32 to, struct fp_num n, bool empty);
bool x87_compare(struct x86_cpu *cpu, struct fp_num n, bool empty, bool quiet, bool to_flags);
void x87_remainder(struct x86_cpu *cpu, bool nearest);
void x87_scale(struct x86_cpu *cpu);
void x87_extract(struct x86_cpu *cpu);
void x87_examine(struct x86_cpu *cpu);
/* x87_transcend.c: D9 F0..FF by low nibble */
void x87_transcendental(struct x86_cpu *cpu, u32 n);
void x87_constant(struct x86_cpu *cpu, u32 n);
/* x87_state.c */
enum x86_leave x87_environment(struct x86_cpu *cpu, struct x86_insn *i, bool load, bool all);

#endif
