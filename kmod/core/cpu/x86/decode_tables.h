/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The opcode maps (2D appendix A): one row per opcode, what it means and how its operands are encoded. */
#ifndef MV_X86_DECODE_TABLES_H
#define MV_X86_DECODE_TABLES_H

#include "../../env.h"
#include "x86_ops.h"

#define O_MODRM 0x1u
#define O_BYTE 0x2u		/* operands are bytes */
#define O_TO_REG 0x4u		/* destination is the reg field */
#define O_IMM8 0x8u		/* sign-extended byte */
#define O_IMMZ 0x10u		/* 16 or 32 bits, sign-extended for 64 */
#define O_IMMV 0x20u		/* full operand size */
#define O_IMM16 0x40u
#define O_D64 0x80u		/* 64-bit operand size by default in 64-bit mode */
#define O_NOT64 0x100u		/* #UD in 64-bit mode */
#define O_LOCK 0x200u		/* LOCK is legal with a memory destination */
#define O_ACC 0x400u		/* the accumulator is the r/m operand (rm stays 0) */
#define O_OPREG 0x800u		/* low opcode bits (and REX.B) are the r/m operand */
#define O_REL 0x1000u		/* the immediate is a branch displacement */
#define O_END 0x2000u		/* a block ends here */
#define O_MEM 0x4000u		/* register form is #UD */
#define O_CC 0x8000u		/* condition in the low opcode bits */
#define O_SEG 0x10000u		/* segment register in opcode bits */
#define O_MOFFS 0x20000u	/* absolute address instead of ModRM */
#define O_ONE 0x40000u		/* immediate 1 */
#define O_REGS 0x80000u		/* mod is ignored: always registers (MOV CR) */
#define O_BRANCH 0x100000u	/* near branch: 64 bits in 64-bit mode */

/* Rows whose meaning depends on ModRM. */
enum x86_groups {
	X86_G1 = X86_SEMS + 1, X86_G1A, X86_G2, X86_G3, X86_G4, X86_G5, X86_G6, X86_G7, X86_G8, X86_G9, X86_G11, X86_G15, X86_B8,
	X86_BC, X86_BD, X86_C3
};

struct x86_opcode {
	u16 sem;
	u32 how;
};

extern const struct x86_opcode x86_one_byte[256];
extern const struct x86_opcode x86_two_byte[256];
extern const struct x86_opcode x86_group3[8];
extern const struct x86_opcode x86_group5[8];
extern const struct x86_opcode x86_group6[8];
extern const struct x86_opcode x86_group7[8];

#endif
