// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The decoder: instruction words to operations (C4.1).  What is not recognised here becomes the slow form, which knows
 * everything, unallocated encodings included; so a test that is too strict here costs time, never correctness.
 */
#include "internal.h"

/* Each pair of operations is X then W. */
#define WIDTH(op, x) ((u16)((op) + !(x)))

/* DecodeBitMasks() (J1) for logical immediates. */
u64 arm64_logical_immediate(u32 w, bool *valid)
{
	u32 n = ARM64_BIT(w, 22), immr = ARM64_BITS(w, 21, 16), imms = ARM64_BITS(w, 15, 10);
	u32 pattern = n << 6 | (~imms & 0x3f);
	u32 size, levels, ones, rotate;
	u64 mask;

	*valid = false;
	if (!ARM64_BIT(w, 31) && n)
		return 0;
	for (size = 64; size > 1 && !(pattern & size); size >>= 1)
		;
	if (size < 2)
		return 0;
	levels = size - 1;
	ones = (imms & levels) + 1;
	rotate = immr & levels;
	if (ones == size)
		return 0;
	mask = (1ull << ones) - 1;
	if (rotate)
		mask = mask >> rotate | mask << (size - rotate);
	if (size < 64)
		mask &= (1ull << size) - 1;
	while (size < 64) {
		mask |= mask << size;
		size *= 2;
	}
	*valid = true;
	return ARM64_BIT(w, 31) ? mask : (u32)mask;
}

static bool add_immediate(struct arm64_insn *i, u32 w)
{
	bool x = ARM64_BIT(w, 31), sub = ARM64_BIT(w, 30), flags = ARM64_BIT(w, 29);
	u64 imm = ARM64_BITS(w, 21, 10);

	if (ARM64_BIT(w, 22))
		imm <<= 12;
	i->rn = arm64_sp(ARM64_BITS(w, 9, 5));
	i->imm = imm;
	if (flags) {
		i->rd = arm64_dst(ARM64_BITS(w, 4, 0));
		i->op = WIDTH(sub ? HV_OP_SUBS_I_X : HV_OP_ADDS_I_X, x);
		return true;
	}
	i->rd = arm64_sp(ARM64_BITS(w, 4, 0));
	if (sub)
		i->imm = 0 - imm;
	i->op = WIDTH(HV_OP_ADD_I_X, x);
	return true;
}

static bool logical_immediate(struct arm64_insn *i, u32 w)
{
	static const u16 ops[4] = { HV_OP_AND_I_X, HV_OP_ORR_I_X, HV_OP_EOR_I_X, HV_OP_ANDS_I_X };
	u32 opc = ARM64_BITS(w, 30, 29);
	bool valid;

	i->imm = arm64_logical_immediate(w, &valid);
	if (!valid)
		return false;
	i->rn = arm64_src(ARM64_BITS(w, 9, 5));
	i->rd = opc == 3 ? arm64_dst(ARM64_BITS(w, 4, 0)) : arm64_sp(ARM64_BITS(w, 4, 0));
	i->op = WIDTH(ops[opc], ARM64_BIT(w, 31));
	if (opc == 1 && i->rn == ARM64_ZERO)
		i->op = HV_OP_MOVI;
	return true;
}

static bool move_wide(struct arm64_insn *i, u32 w)
{
	bool x = ARM64_BIT(w, 31);
	u32 sh = ARM64_BITS(w, 22, 21) * 16;
	u64 imm = (u64)ARM64_BITS(w, 20, 5) << sh;

	if (!x && sh > 16)
		return false;
	i->rd = arm64_dst(ARM64_BITS(w, 4, 0));
	i->sh = (u8)sh;
	i->op = HV_OP_MOVI;
	switch (ARM64_BITS(w, 30, 29)) {
	case 0:
		i->imm = x ? ~imm : (u32)~imm;
		return true;
	case 2:
		i->imm = imm;
		return true;
	case 3:
		i->imm = imm;
		i->op = WIDTH(HV_OP_MOVK_X, x);
		return true;
	default:
		return false;
	}
}

/* SBFM, BFM, UBFM: the aliases by which they are known are the operations. */
static bool bitfield(struct arm64_insn *i, u32 w)
{
	bool x = ARM64_BIT(w, 31);
	u32 bits = x ? 64 : 32, opc = ARM64_BITS(w, 30, 29);
	u32 r = ARM64_BITS(w, 21, 16), s = ARM64_BITS(w, 15, 10);
	u32 width = s >= r ? s - r + 1 : s + 1;
	u64 ones = width == 64 ? ~0ull : (1ull << width) - 1;

	if (opc == 3 || ARM64_BIT(w, 22) != x || r >= bits || s >= bits)
		return false;
	i->rd = arm64_dst(ARM64_BITS(w, 4, 0));
	i->rn = arm64_src(ARM64_BITS(w, 9, 5));
	switch (opc) {
	case 0:
		if (s == bits - 1) {
			i->op = WIDTH(HV_OP_ASRI_X, x);
			i->sh = (u8)r;
		} else if (x && r == 0 && s == 31) {
			i->op = HV_OP_SXTW;
		} else {
			i->op = WIDTH(HV_OP_SBF_X, x);
			i->sh = (u8)(bits - 1 - s);
			i->sub = (u8)(s >= r ? bits - width : r - s - 1);
		}
		return true;
	case 1:
		i->op = WIDTH(HV_OP_BFM_X, x);
		i->sh = (u8)r;
		i->imm = s >= r ? ones : ones << (bits - r);
		return true;
	default:
		if (s == bits - 1) {
			i->op = WIDTH(HV_OP_LSRI_X, x);
			i->sh = (u8)r;
		} else if (s + 1 == r) {
			i->op = WIDTH(HV_OP_LSLI_X, x);
			i->sh = (u8)(bits - r);
		} else if (s < r) {
			i->op = WIDTH(HV_OP_UBFIZ_X, x);
			i->sh = (u8)(bits - r);
			i->imm = ones;
		} else {
			i->op = WIDTH(r ? HV_OP_UBFX_X : HV_OP_AND_I_X, x);
			i->sh = (u8)r;
			i->imm = ones;
		}
		return true;
	}
}

static bool extract(struct arm64_insn *i, u32 w)
{
	bool x = ARM64_BIT(w, 31);
	u32 lsb = ARM64_BITS(w, 15, 10);

	if (ARM64_BITS(w, 30, 29) || ARM64_BIT(w, 21) || ARM64_BIT(w, 22) != x || (!x && lsb > 31))
		return false;
	i->op = WIDTH(HV_OP_EXTR_X, x);
	i->rd = arm64_dst(ARM64_BITS(w, 4, 0));
	i->rn = arm64_src(ARM64_BITS(w, 9, 5));
	i->rm = arm64_src(ARM64_BITS(w, 20, 16));
	i->sh = (u8)lsb;
	return true;
}

/* C4.1.93 */
static bool data_immediate(struct arm64_insn *i, u32 w, u64 va)
{
	u64 offset;

	switch (ARM64_BITS(w, 25, 23)) {
	case 0:
	case 1:
		offset = arm64_sext((u64)ARM64_BITS(w, 23, 5) << 2 | ARM64_BITS(w, 30, 29), 21);
		i->op = HV_OP_MOVI;
		i->rd = arm64_dst(ARM64_BITS(w, 4, 0));
		i->imm = ARM64_BIT(w, 31) ? (va & HV_PAGE_MASK) + (offset << 12) : va + offset;
		return true;
	case 2:
		return add_immediate(i, w);
	case 4:
		return logical_immediate(i, w);
	case 5:
		return move_wide(i, w);
	case 6:
		return bitfield(i, w);
	case 7:
		return extract(i, w);
	default:
		return false;
	}
}

static bool logical_register(struct arm64_insn *i, u32 w)
{
	static const u16 ops[8] = { HV_OP_AND_R_X, HV_OP_BIC_R_X, HV_OP_ORR_R_X, HV_OP_ORN_R_X,
				    HV_OP_EOR_R_X, HV_OP_EON_R_X, HV_OP_ANDS_R_X, HV_OP_BICS_R_X };
	bool x = ARM64_BIT(w, 31);
	u32 amount = ARM64_BITS(w, 15, 10), shift = ARM64_BITS(w, 23, 22);
	u16 op = ops[ARM64_BITS(w, 30, 29) * 2 + ARM64_BIT(w, 21)];

	if (!x && amount > 31)
		return false;
	i->sh = (u8)amount;
	if (amount)
		op += 2 + 2 * shift;
	i->op = WIDTH(op, x);
	if (op == HV_OP_ORR_R_X && i->rn == ARM64_ZERO)
		i->op = WIDTH(HV_OP_MOV_X, x);
	return true;
}

static const u16 sum_ops[4] = { HV_OP_ADD_I_X, HV_OP_ADDS_I_X, HV_OP_SUB_I_X, HV_OP_SUBS_I_X };

static bool add_register(struct arm64_insn *i, u32 w)
{
	bool x = ARM64_BIT(w, 31), extended = ARM64_BIT(w, 21), flags = ARM64_BIT(w, 29);
	u32 amount = ARM64_BITS(w, 15, 10), shift = ARM64_BITS(w, 23, 22), option = ARM64_BITS(w, 15, 13);
	u16 op = sum_ops[ARM64_BITS(w, 30, 29)];

	if (extended) {
		amount = ARM64_BITS(w, 12, 10);
		if (shift || amount > 4)
			return false;
		i->rn = arm64_sp(i->rn);
		if (!flags)
			i->rd = arm64_sp(ARM64_BITS(w, 4, 0));
		i->sub = (u8)option;
		i->sh = (u8)amount;
		/* UXTX, and UXTW of a word: the forms with SP that are plain additions */
		if ((option & 3) == 3 || (!x && (option & 3) == 2))
			op += amount ? 4 : 2;
		else
			op += 10;
	} else {
		if (shift == 3 || (!x && amount > 31))
			return false;
		i->sh = (u8)amount;
		op += amount ? 4 + 2 * shift : 2;
	}
	i->op = WIDTH(op, x);
	return true;
}

static bool two_sources(struct arm64_insn *i, u32 w)
{
	static const u16 ops[8] = { 0, 0, HV_OP_UDIV_X, HV_OP_SDIV_X, HV_OP_LSLV_X, HV_OP_LSRV_X, HV_OP_ASRV_X, HV_OP_RORV_X };
	u32 low = ARM64_BITS(w, 15, 10);
	u32 at = low >= 8 && low <= 11 ? low - 4 : low;

	if (ARM64_BIT(w, 29) || low > 11 || (low > 3 && low < 8) || low < 2)
		return false;
	i->op = WIDTH(ops[at], ARM64_BIT(w, 31));
	return true;
}

static bool one_source(struct arm64_insn *i, u32 w)
{
	bool x = ARM64_BIT(w, 31);

	if (ARM64_BIT(w, 29) || ARM64_BITS(w, 20, 16))
		return false;
	switch (ARM64_BITS(w, 15, 10)) {
	case 2:
		if (x)
			return false;
		i->op = HV_OP_REV_W;
		return true;
	case 3:
		if (!x)
			return false;
		i->op = HV_OP_REV_X;
		return true;
	case 4:
		i->op = WIDTH(HV_OP_CLZ_X, x);
		return true;
	default:
		return false;
	}
}

static bool three_sources(struct arm64_insn *i, u32 w)
{
	bool x = ARM64_BIT(w, 31), o0 = ARM64_BIT(w, 15);

	if (ARM64_BITS(w, 30, 29))
		return false;
	i->ra = arm64_src(ARM64_BITS(w, 14, 10));
	switch (ARM64_BITS(w, 23, 21)) {
	case 0:
		i->op = WIDTH(o0 ? HV_OP_MSUB_X : HV_OP_MADD_X, x);
		return true;
	case 1:
		i->op = o0 ? HV_OP_SMSUBL : HV_OP_SMADDL;
		return x;
	case 2:
		i->op = HV_OP_SMULH;
		return x && !o0;
	case 5:
		i->op = o0 ? HV_OP_UMSUBL : HV_OP_UMADDL;
		return x;
	case 6:
		i->op = HV_OP_UMULH;
		return x && !o0;
	default:
		return false;
	}
}

/* C4.1.95 */
static bool data_register(struct arm64_insn *i, u32 w)
{
	bool x = ARM64_BIT(w, 31), op = ARM64_BIT(w, 30), flags = ARM64_BIT(w, 29);

	i->rd = arm64_dst(ARM64_BITS(w, 4, 0));
	i->rn = arm64_src(ARM64_BITS(w, 9, 5));
	i->rm = arm64_src(ARM64_BITS(w, 20, 16));
	if (!ARM64_BIT(w, 28))
		return ARM64_BIT(w, 24) ? add_register(i, w) : logical_register(i, w);
	if (ARM64_BIT(w, 24))
		return three_sources(i, w);
	switch (ARM64_BITS(w, 23, 21)) {
	case 0:
		if (ARM64_BITS(w, 15, 10))
			return false;
		i->op = WIDTH(op ? flags ? HV_OP_SBCS_X : HV_OP_SBC_X : flags ? HV_OP_ADCS_X : HV_OP_ADC_X, x);
		return true;
	case 2:
		if (!flags || ARM64_BIT(w, 10) || ARM64_BIT(w, 4))
			return false;
		i->op = ARM64_BIT(w, 11) ? op ? HV_OP_CCMP_I_X : HV_OP_CCMN_I_X : op ? HV_OP_CCMP_R_X : HV_OP_CCMN_R_X;
		i->op = WIDTH(i->op, x);
		i->imm = ARM64_BITS(w, 20, 16);
		i->sub = ARM64_BITS(w, 15, 12);
		i->sh = ARM64_BITS(w, 3, 0);
		return true;
	case 4:
		if (flags || ARM64_BIT(w, 11))
			return false;
		i->op = WIDTH(HV_OP_CSEL_X, x);
		i->sub = ARM64_BITS(w, 15, 12);
		i->imm = op ? ~0ull : 0;
		i->ra = ARM64_BIT(w, 10);
		return true;
	case 6:
		return op ? one_source(i, w) : two_sources(i, w);
	default:
		return false;
	}
}

/* Branches, hints and barriers (C4.1.94).  Everything else of this group is a slow form that ends its block. */
static bool branch(struct arm64_insn *i, u32 w, u64 va)
{
	u64 imm19 = arm64_sext((u64)ARM64_BITS(w, 23, 5) << 2, 21);

	if (ARM64_BITS(w, 30, 26) == 5) {
		i->op = ARM64_BIT(w, 31) ? HV_OP_BL : HV_OP_B;
		i->imm = va + arm64_sext((u64)ARM64_BITS(w, 25, 0) << 2, 28);
		return true;
	}
	i->rn = arm64_src(ARM64_BITS(w, 4, 0));
	if (ARM64_BITS(w, 30, 25) == 0x1a) {
		i->op = WIDTH(ARM64_BIT(w, 24) ? HV_OP_CBNZ_X : HV_OP_CBZ_X, ARM64_BIT(w, 31));
		i->imm = va + imm19;
		return true;
	}
	if (ARM64_BITS(w, 30, 25) == 0x1b) {
		i->op = ARM64_BIT(w, 24) ? HV_OP_TBNZ : HV_OP_TBZ;
		i->sh = (u8)(ARM64_BIT(w, 31) << 5 | ARM64_BITS(w, 23, 19));
		i->imm = va + arm64_sext((u64)ARM64_BITS(w, 18, 5) << 2, 16);
		return true;
	}
	if ((w & 0xff000010) == 0x54000000) {
		/* AL and NV both mean always */
		i->op = ARM64_BITS(w, 3, 1) == 7 ? HV_OP_B : (u16)(HV_OP_B_EQ + ARM64_BITS(w, 3, 0));
		i->imm = va + imm19;
		return true;
	}
	i->rn = arm64_src(ARM64_BITS(w, 9, 5));
	if ((w & 0xfffffc1f) == 0xd61f0000 || (w & 0xfffffc1f) == 0xd65f0000) {
		i->op = HV_OP_BR;
		return true;
	}
	if ((w & 0xfffffc1f) == 0xd63f0000) {
		i->op = HV_OP_BLR;
		return true;
	}
	return false;
}

/* Slow forms of the system group after which the block may go on: hints but WFI, barriers but ISB, MRS, DC. */
static bool goes_on(u32 w)
{
	if ((w & 0xfffff01f) == 0xd503201f)
		return ARM64_BITS(w, 11, 5) != 3;
	if ((w & 0xfffff01f) == 0xd503301f)
		return ARM64_BITS(w, 7, 5) != 6;
	if ((w & 0xfff00000) == 0xd5300000)
		return true;
	return (w & 0xfff8f000) == 0xd5087000 && (ARM64_BITS(w, 11, 8) == 4 || ARM64_BITS(w, 11, 8) >= 10);
}

static bool is_hint_nop(u32 w)
{
	/* all of the hint space is NOP here but YIELD (1) to SEVL (5): wait.c */
	return (w & 0xfffff01f) == 0xd503201f && ARM64_BITS(w, 11, 5) - 1 > 4;
}

/* Floating point and AdvSIMD; while they trap, or where there is no such instruction, the slow form raises. */
static bool vector(struct arm64_insn *i, u32 w, u32 mode)
{
	u32 row = mode & ARM64_KEY_FP ? arm64_vec_decode(w) : 0;

	i->op = HV_OP_VEC;
	i->imm = (u64)row << 32 | w;
	return row != 0;
}

enum what { GOES_ON, ENDS, ENDS_SLOW };

static enum what decode_one(struct arm64_insn *i, u32 w, u64 va, u32 mode)
{
	bool done = false;

	memset(i, 0, sizeof(*i));
	switch (ARM64_BITS(w, 28, 25)) {
	case 8:
	case 9:
		done = data_immediate(i, w, va);
		break;
	case 10:
	case 11:
		if (branch(i, w, va))
			return ENDS;
		if (is_hint_nop(w)) {
			i->op = HV_OP_NOP;
			return GOES_ON;
		}
		i->op = HV_OP_SLOW;
		return goes_on(w) ? GOES_ON : ENDS_SLOW;
	case 4:
	case 6:
	case 12:
	case 14:
		done = arm64_decode_memory(i, w, va, mode);
		break;
	case 5:
	case 13:
		done = data_register(i, w);
		break;
	case 7:
	case 15:
		done = vector(i, w, mode);
		break;
	case 0:
	case 1:
	case 2:
	case 3:
		i->op = HV_OP_SLOW;
		return ENDS_SLOW;
	default:
		break;
	}
	if (!done)
		i->op = HV_OP_SLOW;
	return GOES_ON;
}

/* Was this instruction's write to SP such that SP may have lost its alignment? */
static bool unaligns_sp(const struct arm64_insn *i, u32 w)
{
	u32 group = ARM64_BITS(w, 28, 25);

	if (i->rd != ARM64_SP || group == 4 || group == 6 || group == 12 || group == 14)
		return false;
	return !(i->op == HV_OP_ADD_I_X && i->rn == ARM64_SP && !(i->imm & 15));
}

/* A comparison and the conditional branch behind it become one operation; the branch keeps its slot for its target. */
static void fuse_branch(struct arm64_insn *i, const struct arm64_insn *b)
{
	u32 cond = (u32)b->op - HV_OP_B_EQ;

	if (b->op < HV_OP_B_EQ || b->op > HV_OP_B_LE)
		return;
	switch (i->op) {
	case HV_OP_SUBS_I_X:
	case HV_OP_SUBS_I_W:
		i->op = (u16)(HV_OP_CMPB_I_X_EQ + 2 * cond + (i->op - HV_OP_SUBS_I_X));
		break;
	case HV_OP_SUBS_R_X:
	case HV_OP_SUBS_R_W:
		i->op = (u16)(HV_OP_CMPB_R_X_EQ + 2 * cond + (i->op - HV_OP_SUBS_R_X));
		break;
	case HV_OP_ANDS_I_X:
	case HV_OP_ANDS_I_W:
		if (cond < 2)
			i->op = (u16)(HV_OP_TSTB_I_EQ_X + 2 * cond + (i->op - HV_OP_ANDS_I_X));
		break;
	case HV_OP_ANDS_R_X:
	case HV_OP_ANDS_R_W:
		if (cond < 2)
			i->op = (u16)(HV_OP_TSTB_R_EQ_X + 2 * cond + (i->op - HV_OP_ANDS_R_X));
		break;
	default:
		break;
	}
}

/* Constants built in several steps: MOVZ/MOVN/ADRP, then MOVK or ADD to the same register. */
static void fuse_constants(struct arm64_insn *insn, u32 count)
{
	u32 at, n;

	for (at = 0; at < count; at += n) {
		struct arm64_insn *i = &insn[at];
		u64 value = i->imm;

		n = 1;
		if (i->op != HV_OP_MOVI)
			continue;
		while (n < 4 && at + n < count) {
			const struct arm64_insn *next = &insn[at + n];

			if (next->rd != i->rd)
				break;
			if (next->op == HV_OP_MOVK_X)
				value = (value & ~(0xffffull << next->sh)) | next->imm;
			else if (next->op == HV_OP_MOVK_W)
				value = (u32)((value & ~(0xffffull << next->sh)) | next->imm);
			else if (next->op == HV_OP_ADD_I_X && next->rn == i->rd)
				value += next->imm;
			else
				break;
			n++;
		}
		i->imm = value;
		i->op = (u16)(HV_OP_MOVI + n - 1);
	}
}

static u32 decode_block(struct arm64_insn *insn, const u32 *words, u32 count, u64 va, u32 mode, u32 *used)
{
	u16 fall = HV_OP_FALL;
	u32 n;

	if (count > HV_BLOCK_MAX - 1)
		count = HV_BLOCK_MAX - 1;	/* one slot for the operation that leaves the block */
	for (n = 0; n < count; n++) {
		struct arm64_insn *i = &insn[n];

		switch (decode_one(i, words[n], va + 4 * n, mode)) {
		case ENDS:
			*used = n + 1;
			fuse_constants(insn, n);
			if (n)
				fuse_branch(i - 1, i);
			return n + 1;
		case ENDS_SLOW:
			i->op = HV_OP_SLOW_END;
			*used = n + 1;
			fuse_constants(insn, n);
			return n + 1;
		default:
			break;
		}
		if (unaligns_sp(i, words[n])) {
			fall = HV_OP_FALL_SP;
			n++;
			break;
		}
	}
	*used = n;
	fuse_constants(insn, n);
	memset(&insn[n], 0, sizeof(insn[n]));
	insn[n].op = fall;
	return n + 1;
}

u32 arm64_decode_block(struct arm64_insn *insn, const u32 *words, u32 count, u64 va, u32 mode, u32 *used)
{
	static const u16 second[] = HV_SECONDS(ARM64_WARM_OPS, ARM64_HOT_OPS);
	u32 slots = decode_block(insn, words, count, va, mode, used), n;

	for (n = 0; n < slots; n++)
		if (second[insn[n].op])
			insn[n].op = second[insn[n].op];
	return slots;
}
