// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Loads and stores that have operations of their own (C4.1.96). */
#include "internal.h"

/* Forms of an access, in the order of ARM64_OP_MEM. */
enum form { FORM_I, FORM_R, FORM_U, FORM_S, FORM_PRE, FORM_POST };

/* opc << 2 | size to operation; 0: none */
static const u16 single_ops[16] = {
	HV_OP_STB_I, HV_OP_STH_I, HV_OP_STW_I, HV_OP_STX_I,
	HV_OP_LDB_I, HV_OP_LDH_I, HV_OP_LDW_I, HV_OP_LDX_I,
	HV_OP_LDSBX_I, HV_OP_LDSHX_I, HV_OP_LDSW_I, 0,
	HV_OP_LDSBW_I, HV_OP_LDSHW_I, 0, 0
};

static bool single(struct arm64_insn *i, u32 w, enum form form)
{
	u32 opc = ARM64_BITS(w, 23, 22), rt = ARM64_BITS(w, 4, 0), rn = ARM64_BITS(w, 9, 5);
	u16 op = single_ops[opc << 2 | ARM64_BITS(w, 31, 30)];

	if (!op)
		return false;
	if (form >= FORM_PRE) {
		/* writeback to the transferred register is unpredictable, and one that could unalign SP is checked */
		if (rn == 31 ? (i->imm & 15) != 0 : rn == rt)
			return false;
	}
	i->op = (u16)(op + form);
	i->rn = arm64_sp(rn);
	i->rd = opc ? arm64_dst(rt) : arm64_src(rt);
	return true;
}

/* SIMD&FP registers of 32, 64 and 128 bits */
static bool vector_single(struct arm64_insn *i, u32 w, u32 log, enum form form)
{
	static const u16 loads[3] = { HV_OP_LDS_I, HV_OP_LDD_I, HV_OP_LDQ_I }, stores[3] = { HV_OP_STS_I, HV_OP_STD_I, HV_OP_STQ_I };
	u32 rn = ARM64_BITS(w, 9, 5);

	if (log < 2 || (form >= FORM_PRE && rn == 31 && (i->imm & 15)))
		return false;
	i->op = (u16)((ARM64_BIT(w, 22) ? loads[log - 2] : stores[log - 2]) + form);
	i->rn = arm64_sp(rn);
	i->rd = ARM64_BITS(w, 4, 0);
	return true;
}

static bool vector_pair(struct arm64_insn *i, u32 w)
{
	u32 opc = ARM64_BITS(w, 31, 30), kind = ARM64_BITS(w, 24, 23), rn = ARM64_BITS(w, 9, 5);
	bool load = ARM64_BIT(w, 22);

	i->imm = arm64_sext(ARM64_BITS(w, 21, 15), 7) << (opc + 2);
	i->rd = ARM64_BITS(w, 4, 0);
	i->ra = ARM64_BITS(w, 14, 10);
	/* one register twice is unpredictable when loaded: the slow form decides */
	if (opc == 0 || opc == 3 || (load && i->rd == i->ra) || ((kind & 1) && rn == 31 && (i->imm & 15)))
		return false;
	i->rn = arm64_sp(rn);
	i->op = load ? opc == 2 ? HV_OP_LDPQ_I : HV_OP_LDPD_I : opc == 2 ? HV_OP_STPQ_I : HV_OP_STPD_I;
	if (kind == 3)
		i->op += 1;
	else if (kind == 1)
		i->op += 2;
	return true;
}

static bool pair(struct arm64_insn *i, u32 w)
{
	u32 opc = ARM64_BITS(w, 31, 30), kind = ARM64_BITS(w, 24, 23);
	u32 rt = ARM64_BITS(w, 4, 0), rt2 = ARM64_BITS(w, 14, 10), rn = ARM64_BITS(w, 9, 5);
	bool load = ARM64_BIT(w, 22);

	if (ARM64_BIT(w, 26))
		return vector_pair(i, w);
	if ((opc & 1) || (load && rt == rt2))
		return false;
	i->imm = arm64_sext(ARM64_BITS(w, 21, 15), 7) << (opc ? 3 : 2);
	if ((kind & 1) && (((rn == rt || rn == rt2) && rn != 31) || (rn == 31 && (i->imm & 15))))
		return false;
	i->rn = arm64_sp(rn);
	i->rd = load ? arm64_dst(rt) : arm64_src(rt);
	i->ra = load ? arm64_dst(rt2) : arm64_src(rt2);
	i->op = load ? opc ? HV_OP_LDPX_I : HV_OP_LDPW_I : opc ? HV_OP_STPX_I : HV_OP_STPW_I;
	if (kind == 3)
		i->op += 1;
	else if (kind == 1)
		i->op += 2;
	return true;
}

static bool one(struct arm64_insn *i, u32 w, bool vector, u32 log, enum form form)
{
	return vector ? vector_single(i, w, log, form) : single(i, w, form);
}

/*
 * LD1 and ST1 of one register, or of two whole ones, are LDR and LDP at the register's address: elements do not show in a
 * little-endian machine.  Post-indexed ones that add what they transfer, too.
 */
static bool structure(struct arm64_insn *i, u32 w)
{
	u32 opcode = ARM64_BITS(w, 15, 12), log = 3 + ARM64_BIT(w, 30), rt = ARM64_BITS(w, 4, 0), rn = ARM64_BITS(w, 9, 5);
	bool post = ARM64_BIT(w, 23), two = opcode == 10, load = ARM64_BIT(w, 22);

	if (ARM64_BIT(w, 31) || ARM64_BIT(w, 24) || ARM64_BIT(w, 21) || ARM64_BITS(w, 20, 16) != (post ? 31 : 0) || (opcode != 7 && !two))
		return false;
	i->imm = post ? 1ull << (log + two) : 0;
	if (!two)
		return vector_single(i, w, log, post ? FORM_POST : FORM_I);
	if (post && rn == 31 && (i->imm & 15))
		return false;
	i->op = load ? log == 4 ? HV_OP_LDPQ_I : HV_OP_LDPD_I : log == 4 ? HV_OP_STPQ_I : HV_OP_STPD_I;
	if (post)
		i->op += 2;
	i->rn = arm64_sp(rn);
	i->rd = rt;
	i->ra = (rt + 1) & 31;
	return true;
}

bool arm64_decode_memory(struct arm64_insn *i, u32 w, u64 va, u32 mode)
{
	u32 size = ARM64_BITS(w, 31, 30), option = ARM64_BITS(w, 15, 13);
	bool vector = ARM64_BIT(w, 26);

	if (vector && !(mode & ARM64_KEY_FP))
		return false;
	/* literal: LDR and LDRSW; base is the zero register, so no SP */
	if (ARM64_BITS(w, 29, 24) == 0x1c && size < 3) {
		i->op = size == 0 ? HV_OP_LDS_I : size == 1 ? HV_OP_LDD_I : HV_OP_LDQ_I;
		i->rd = ARM64_BITS(w, 4, 0);
		i->rn = ARM64_ZERO;
		i->imm = va + arm64_sext((u64)ARM64_BITS(w, 23, 5) << 2, 21);
		return true;
	}
	if (ARM64_BITS(w, 29, 24) == 0x18 && size < 3) {
		i->op = size == 0 ? HV_OP_LDW_I : size == 1 ? HV_OP_LDX_I : HV_OP_LDSW_I;
		i->rd = arm64_dst(ARM64_BITS(w, 4, 0));
		i->rn = ARM64_ZERO;
		i->imm = va + arm64_sext((u64)ARM64_BITS(w, 23, 5) << 2, 21);
		return true;
	}
	if ((mode & ARM64_KEY_SP_BAD) && ARM64_BITS(w, 9, 5) == 31)
		return false;
	if (ARM64_BITS(w, 29, 27) == 5)
		return pair(i, w);
	if (ARM64_BITS(w, 29, 25) == 6)
		return structure(i, w);
	if (ARM64_BITS(w, 29, 27) != 7)
		return false;
	if (vector && ARM64_BIT(w, 23)) {
		if (size)
			return false;
		size = 4;
	} else if (size == 3 && ARM64_BITS(w, 23, 22) == 2) {
		/* PRFM and PRFUM */
		i->op = HV_OP_NOP;
		return ARM64_BIT(w, 24) || (!ARM64_BIT(w, 21) && !ARM64_BITS(w, 11, 10)) ||
		       (ARM64_BIT(w, 21) && ARM64_BITS(w, 11, 10) == 2 && ARM64_BIT(w, 14));
	}
	if (ARM64_BIT(w, 24)) {
		i->imm = (u64)ARM64_BITS(w, 21, 10) << size;
		return one(i, w, vector, size, FORM_I);
	}
	if (!ARM64_BIT(w, 21)) {
		i->imm = arm64_sext(ARM64_BITS(w, 20, 12), 9);
		switch (ARM64_BITS(w, 11, 10)) {
		case 0:
			return one(i, w, vector, size, FORM_I);
		case 1:
			return one(i, w, vector, size, FORM_POST);
		case 3:
			return one(i, w, vector, size, FORM_PRE);
		default:
			return false;
		}
	}
	if (ARM64_BITS(w, 11, 10) != 2 || !(option & 2))
		return false;
	i->rm = arm64_src(ARM64_BITS(w, 20, 16));
	i->sh = ARM64_BIT(w, 12) ? (u8)size : 0;
	return one(i, w, vector, size, option == 2 ? FORM_U : option == 6 ? FORM_S : FORM_R);
}
