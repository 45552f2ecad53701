// SPDX-License-Identifier: GPL-2.0 OR MIT
/* From meaning and operand form to the executor's operation.  What finds none stays HV_OP_SLOW. */
#include "internal.h"
#include "simd/simd.h"

/* Memory operand whose segment needs neither base nor limit here. */
static bool plain_memory(const struct x86_insn *i, u32 mode)
{
	if ((mode & X86_MODE_SIZE) == X86_MODE_64)
		return i->asize == 8 && i->seg != X86_FS && i->seg != X86_GS;
	return (mode & X86_MODE_FLAT_DATA) && i->asize == 4 &&
	       (i->seg == X86_DS || i->seg == X86_ES || i->seg == X86_SS);
}

/* D or Q, given that the two are neighbours. */
static u16 dq(const struct x86_insn *i, u32 d)
{
	return (u16)(i->size == 8 ? d + 1 : i->size == 4 ? d : HV_OP_SLOW);
}

#define ALU_STRIDE (HV_OP_ADD_B_RI - HV_OP_ADD_B_RR)

static u16 alu(struct x86_insn *i, u32 first, bool mem)
{
	u32 size = i->size == 1 ? 0 : i->size == 4 ? 1 : 2, form;
	u8 swap;

	if (i->size == 2)
		return HV_OP_SLOW;
	if (!mem && (i->flags & X86_I_TO_REG)) {
		swap = i->reg;
		i->reg = i->rm;
		i->rm = swap;
		i->flags &= ~X86_I_TO_REG;
	}
	if (mem)
		form = i->flags & X86_I_TO_REG ? 2 : i->flags & X86_I_IMM ? 4 : 3;
	else
		form = i->flags & X86_I_IMM ? 1 : 0;
	/* TEST has no form with a register destination */
	return (u16)(first + size * 5 + form);
}

static u16 carrying(struct x86_insn *i, u32 first, bool mem)
{
	if (i->size < 4 || (mem && !(i->flags & X86_I_TO_REG)))
		return HV_OP_SLOW;
	alu(i, 0, mem);
	return (u16)(first + (i->size == 8 ? HV_OP_ADC_Q_RR - HV_OP_ADC_D_RR : 0) + (mem ? 2 : i->flags & X86_I_IMM ? 1 : 0));
}

static u16 move(struct x86_insn *i, bool mem)
{
	u32 size = i->size == 1 ? 0 : i->size == 2 ? 1 : i->size == 4 ? 2 : 3, x = i->index != X86_ZERO * 8;

	if (mem) {
		if (i->flags & X86_I_TO_REG)
			return (u16)(HV_OP_MOV_B_R_M + size * 2 + x);
		if (i->flags & X86_I_IMM)
			return (u16)(HV_OP_MOV_B_SI + size);
		return (u16)(HV_OP_MOV_B_S_M + size * 2 + x);
	}
	if (i->size == 2)
		return HV_OP_SLOW;
	if (i->flags & X86_I_IMM) {
		if (i->size == 4)
			i->imm = (u32)i->imm;
		return i->size == 1 ? HV_OP_MOV_B_RI : dq(i, HV_OP_MOV_D_RI);
	}
	alu(i, 0, false);	/* one direction */
	return i->size == 1 ? HV_OP_MOV_B_RR : dq(i, HV_OP_MOV_D_RR);
}

static u16 extend(const struct x86_insn *i, bool mem)
{
	u32 x = i->index != X86_ZERO * 8, at;

	if (i->size == 2)
		return HV_OP_SLOW;
	if (i->sem == X86_SEM_MOVZX) {
		if (mem)
			return (u16)((i->sub == 1 ? HV_OP_MOVZX_B_M : HV_OP_MOVZX_W_M) + x);
		return i->sub == 1 ? HV_OP_MOVZX_B_R : HV_OP_MOVZX_W_R;
	}
	if (i->sub == 4 && i->size != 8)
		return HV_OP_SLOW;
	at = i->sub == 4 ? 4 : (i->size == 8 ? 2 : 0) + (i->sub == 2);
	return (u16)((mem ? HV_OP_MOVSX_BD_X : HV_OP_MOVSX_BD_R) + at);
}

static u16 shift(struct x86_insn *i)
{
	u32 mask = i->size == 8 ? 63 : 31;
	bool rotate = i->sem == X86_SEM_ROL || i->sem == X86_SEM_ROR;

	if (!(i->flags & X86_I_IMM)) {
		switch (i->sem) {
		case X86_SEM_SHL:
		case X86_SEM_SAL:
			return dq(i, HV_OP_SHL_RC_D);
		case X86_SEM_SHR:
			return dq(i, HV_OP_SHR_RC_D);
		case X86_SEM_SAR:
			return dq(i, HV_OP_SAR_RC_D);
		default:
			return HV_OP_SLOW;
		}
	}
	if (!(i->imm & mask) && !rotate)
		return HV_OP_SLOW;
	switch (i->sem) {
	case X86_SEM_SHL:
	case X86_SEM_SAL:
		i->imm &= mask;
		return dq(i, HV_OP_SHL_RI_D);
	case X86_SEM_SHR:
		i->imm &= mask;
		return dq(i, HV_OP_SHR_RI_D);
	case X86_SEM_SAR:
		i->imm &= mask;
		return dq(i, HV_OP_SAR_RI_D);
	case X86_SEM_ROL:
		return i->imm & mask ? dq(i, HV_OP_ROL_RI_D) : HV_OP_SLOW;
	case X86_SEM_ROR:
		return i->imm & mask ? dq(i, HV_OP_ROR_RI_D) : HV_OP_SLOW;
	default:
		return HV_OP_SLOW;
	}
}

/* Stack operations and branches with the stack or code pointer of full width. */
static u16 stack(const struct x86_insn *i, u32 mode, bool mem)
{
	bool m64 = (mode & X86_MODE_SIZE) == X86_MODE_64;

	if (m64 ? i->size != 8 : i->size != 4 || !(mode & X86_MODE_STACK32) || !(mode & X86_MODE_FLAT_DATA))
		return HV_OP_SLOW;
	switch (i->sem) {
	case X86_SEM_PUSH:
		return mem ? HV_OP_SLOW : dq(i, i->flags & X86_I_IMM ? HV_OP_PUSH_I_D : HV_OP_PUSH_R_D);
	case X86_SEM_POP:
		return mem ? HV_OP_SLOW : dq(i, HV_OP_POP_R_D);
	case X86_SEM_LEAVE:
		return dq(i, HV_OP_LEAVE_D);
	default:
		break;
	}
	if (!(mode & X86_MODE_FLAT_CS))
		return HV_OP_SLOW;
	switch (i->sem) {
	case X86_SEM_CALL:
		return dq(i, HV_OP_CALL_D);
	case X86_SEM_CALL_RM:
		return mem ? HV_OP_SLOW : dq(i, HV_OP_CALL_R_D);
	case X86_SEM_RET:
		return i->flags & X86_I_IMM ? HV_OP_SLOW : dq(i, HV_OP_RET_D);
	default:
		return HV_OP_SLOW;
	}
}

static u16 branch(const struct x86_insn *i, u32 mode, bool mem)
{
	bool m64 = (mode & X86_MODE_SIZE) == X86_MODE_64;

	if (!(mode & X86_MODE_FLAT_CS) || i->size != (m64 ? 8 : 4))
		return HV_OP_SLOW;
	if (i->sem == X86_SEM_JCC)
		return (u16)(HV_OP_JCC_0 + i->sub);
	if (i->sem == X86_SEM_JMP)
		return HV_OP_JMP;
	if (mem)
		return m64 ? HV_OP_JMP_M_Q : HV_OP_JMP_M_D;
	return m64 ? HV_OP_JMP_R_Q : HV_OP_JMP_R_D;
}

/*
 * SSE2 is enabled.  Instructions of SSE3 and later have bits of their own in x86_cpu.features, which the decoder does not know:
 * they stay with the general path.
 */
static u16 vector(struct x86_insn *i, bool mem)
{
	u32 fn = i->sem - X86_SEM_VECTOR;
	const struct x86_vec_row *r = &x86_vec_rows[fn];

	switch (fn) {
	case X86_V_MOVU: case X86_V_MOVA: case X86_V_MOVDQ: case X86_V_MOVU_ST: case X86_V_MOVA_ST: case X86_V_MOVDQ_ST:
		if (!mem) {
			if (fn == X86_V_MOVU_ST || fn == X86_V_MOVA_ST || fn == X86_V_MOVDQ_ST) {
				u8 swap = i->reg;

				i->reg = i->rm;
				i->rm = swap;
				i->sem = (u16)(X86_SEM_VECTOR + X86_V_MOVU);
			}
			return HV_OP_V_MOVE;
		}
		i->imm = (r->flags & VF_ANY) || (i->sub == X86_VEC_F3) ? 0 : 15;
		return fn == X86_V_MOVU || fn == X86_V_MOVA || fn == X86_V_MOVDQ ? HV_OP_V_LOAD : HV_OP_V_STORE;
	case X86_V_MOVQ:
		return mem ? HV_OP_V_LOAD_Q : HV_OP_SLOW;
	case X86_V_MOVQ_ST: case X86_V_MOVL_ST:
		return mem ? HV_OP_V_STORE_Q : HV_OP_SLOW;
	case X86_V_MOVD:
		return mem || i->sub != X86_VEC_66 ? HV_OP_SLOW : i->size == 8 ? HV_OP_V_FROM_Q : HV_OP_V_FROM_D;
	case X86_V_PMOVMSKB:
		return i->sub == X86_VEC_66 ? HV_OP_V_MASK : HV_OP_SLOW;
	default:
		break;
	}
	if (r->kind != VC_INT || r->has > X86_HAS_SSE2 || (r->flags & (VF_M2 | VF_M4 | VF_M8)) ||
	    ((r->flags & VF_MMX) && i->sub == X86_VEC_NP))
		return HV_OP_SLOW;
	return mem ? HV_OP_V_INT_M : HV_OP_V_INT_R;
}

static u16 choose(struct x86_insn *i, u32 mode)
{
	bool mem = i->flags & X86_I_MEM;

	if ((i->flags & X86_I_LOCK) || (mem && i->sem != X86_SEM_LEA && !plain_memory(i, mode)))
		return HV_OP_SLOW;
	if (i->sem >= X86_SEM_VECTOR)
		return mode & X86_MODE_SSE ? vector(i, mem) : HV_OP_SLOW;
	switch (i->sem) {
	case X86_SEM_ADD:
		return alu(i, HV_OP_ADD_B_RR, mem);
	case X86_SEM_OR:
		return alu(i, HV_OP_OR_B_RR, mem);
	case X86_SEM_AND:
		return alu(i, HV_OP_AND_B_RR, mem);
	case X86_SEM_SUB:
		return alu(i, HV_OP_SUB_B_RR, mem);
	case X86_SEM_XOR:
		/* the idiom that clears a register */
		if (!mem && !(i->flags & X86_I_IMM) && i->reg == i->rm && i->size == 4)
			return HV_OP_ZERO_R;
		return alu(i, HV_OP_XOR_B_RR, mem);
	case X86_SEM_CMP:
		return alu(i, HV_OP_CMP_B_RR, mem);
	case X86_SEM_TEST:
		return alu(i, HV_OP_TEST_B_RR, mem);
	case X86_SEM_ADC:
	case X86_SEM_SBB:
		return carrying(i, i->sem == X86_SEM_ADC ? HV_OP_ADC_D_RR : HV_OP_SBB_D_RR, mem);
	case X86_SEM_MOV:
		return move(i, mem);
	case X86_SEM_MOVZX:
	case X86_SEM_MOVSX:
		return extend(i, mem);
	case X86_SEM_LEA:
		if (i->size < 4 || i->asize != ((mode & X86_MODE_SIZE) == X86_MODE_64 ? 8 : 4))
			return HV_OP_SLOW;
		return (u16)((i->size == 8 ? HV_OP_LEA_Q_M : HV_OP_LEA_D_M) + (i->index != X86_ZERO * 8));
	case X86_SEM_INC:
		return mem ? dq(i, HV_OP_INC_M_D) : dq(i, HV_OP_INC_R_D);
	case X86_SEM_DEC:
		return mem ? dq(i, HV_OP_DEC_M_D) : dq(i, HV_OP_DEC_R_D);
	case X86_SEM_NEG:
		return mem ? HV_OP_SLOW : dq(i, HV_OP_NEG_R_D);
	case X86_SEM_NOT:
		return mem ? HV_OP_SLOW : dq(i, HV_OP_NOT_R_D);
	case X86_SEM_SHL: case X86_SEM_SAL: case X86_SEM_SHR: case X86_SEM_SAR: case X86_SEM_ROL: case X86_SEM_ROR:
		return mem ? HV_OP_SLOW : shift(i);
	case X86_SEM_IMUL2:
		return dq(i, mem ? HV_OP_IMUL_RM_D : HV_OP_IMUL_RR_D);
	case X86_SEM_IMUL3:
		return mem ? HV_OP_SLOW : dq(i, HV_OP_IMUL_RRI_D);
	case X86_SEM_MUL:
		return mem ? HV_OP_SLOW : dq(i, HV_OP_MUL_R_D);
	case X86_SEM_XCHG:
		return mem ? HV_OP_SLOW : dq(i, HV_OP_XCHG_RR_D);
	case X86_SEM_BT:
		return mem || !(i->flags & X86_I_IMM) ? HV_OP_SLOW : dq(i, HV_OP_BT_RI_D);
	case X86_SEM_BSWAP:
		return dq(i, HV_OP_BSWAP_D);
	case X86_SEM_CBW:
		return dq(i, HV_OP_CBW_D);
	case X86_SEM_CWD:
		return dq(i, HV_OP_CWD_D);
	case X86_SEM_NOP:
		return HV_OP_NOP;
	case X86_SEM_SETCC:
		return (u16)(mem ? HV_OP_SLOW : HV_OP_SETCC_0 + i->sub);
	case X86_SEM_CMOV:
		if (mem || i->size == 2)
			return HV_OP_SLOW;
		return (u16)((i->size == 8 ? HV_OP_CMOV_Q_0 : HV_OP_CMOV_D_0) + i->sub);
	case X86_SEM_PUSH: case X86_SEM_POP: case X86_SEM_LEAVE: case X86_SEM_CALL: case X86_SEM_CALL_RM: case X86_SEM_RET:
		return stack(i, mode, mem);
	case X86_SEM_JCC: case X86_SEM_JMP: case X86_SEM_JMP_RM:
		return branch(i, mode, mem);
	default:
		return HV_OP_SLOW;
	}
}

/* Operations on registers that neither fault nor look at flags; of flags they leave all. */
static bool ignores_flags(u16 op)
{
	return op == HV_OP_NOP || (op >= HV_OP_MOV_B_RR && op <= HV_OP_MOV_Q_RI) || (op >= HV_OP_LEA_D_M && op <= HV_OP_LEA_Q_X) ||
	       op == HV_OP_MOVZX_B_R || op == HV_OP_MOVZX_W_R || (op >= HV_OP_MOVSX_BD_R && op <= HV_OP_MOVSX_DQ_R) ||
	       (op >= HV_OP_ROLN_RI_D && op <= HV_OP_RORN_RI_Q) || op == HV_OP_BSWAP_D || op == HV_OP_BSWAP_Q;
}

/* Operations on registers that overwrite at least the flags of a rotation, CF and OF. */
static bool overwrites_rotation(u16 op)
{
	if (op == HV_OP_ZERO_R || (op >= HV_OP_ROL_RI_D && op <= HV_OP_ROR_RI_Q))
		return true;
	if (op >= HV_OP_ADD_B_RR && op <= HV_OP_TEST_Q_MI)
		return (op - HV_OP_ADD_B_RR) % 5 < 2;
	return (op >= HV_OP_CMPJ_B_RR_2 && op < HV_OP_CMPJ_B_MI_2) || (op >= HV_OP_TESTJ_B_RR_4 && op < HV_OP_TESTJ_B_MI_4);
}

/*
 * A rotation replaces two flags of six, which costs more than the rotation.  Where nobody can see them before they are
 * overwritten it leaves them alone.  A block runs from one instruction that may stop it to the next, so between two of
 * those nobody looks.
 */
void x86_drop_flags(struct x86_insn *i, u32 count)
{
	bool dead = false;

	while (count--) {
		u16 op = i[count].op;

		if (op >= HV_OP_ROL_RI_D && op <= HV_OP_ROR_RI_Q && dead)
			i[count].op = (u16)(op - HV_OP_ROL_RI_D + HV_OP_ROLN_RI_D);
		if (!ignores_flags(op))
			dead = overwrites_rotation(op);
	}
}

void x86_second_numbers(struct x86_insn *i, u32 count)
{
	static const u16 second[] = HV_SECONDS(X86_WARM_OPS, X86_HOT_OPS);

	for (; count; count--, i++)
		if (second[i->op])
			i->op = second[i->op];
}

void x86_specialise(struct x86_insn *i, u32 mode)
{
	i->op = choose(i, mode);
}

/* Position of a condition among those that X86_FUSED_CC has, -1 if it has not. */
static int fused_cc(u32 cc)
{
	return cc >= 2 && cc <= 7 ? (int)cc - 2 : cc >= 12 ? (int)cc - 6 : -1;
}

static int fused_test_cc(u32 cc)
{
	switch (cc) {
	case 4:
	case 5:
		return (int)cc - 4;
	case 8:
	case 9:
		return (int)cc - 6;
	case 14:
	case 15:
		return (int)cc - 10;
	default:
		return -1;
	}
}

/*
 * CMP or TEST directly before Jcc becomes one operation, which finds the target in the Jcc's own slot.  That slot stays a
 * complete instruction: when the memory operand misses the TLB, the general path compares and the Jcc runs on its own.
 */
void x86_fuse(struct x86_insn *i, u32 mode)
{
	const struct x86_insn *j = i + 1;
	int cc;
	u32 op;

	(void)mode;
	if (j->op < HV_OP_JCC_0 || j->op > HV_OP_JCC_15)
		return;
	cc = fused_cc(j->sub);
	switch (i->op) {
	case HV_OP_CMP_B_RR:
		op = HV_OP_CMPJ_B_RR_2;
		break;
	case HV_OP_CMP_D_RR:
		op = HV_OP_CMPJ_D_RR_2;
		break;
	case HV_OP_CMP_Q_RR:
		op = HV_OP_CMPJ_Q_RR_2;
		break;
	case HV_OP_CMP_B_RI:
		op = HV_OP_CMPJ_B_RI_2;
		break;
	case HV_OP_CMP_D_RI:
		op = HV_OP_CMPJ_D_RI_2;
		break;
	case HV_OP_CMP_Q_RI:
		op = HV_OP_CMPJ_Q_RI_2;
		break;
	case HV_OP_CMP_B_MI:
		op = HV_OP_CMPJ_B_MI_2;
		break;
	case HV_OP_CMP_D_MI:
		op = HV_OP_CMPJ_D_MI_2;
		break;
	case HV_OP_CMP_Q_MI:
		op = HV_OP_CMPJ_Q_MI_2;
		break;
	case HV_OP_CMP_D_RM:
		op = HV_OP_CMPJ_D_RM_2;
		break;
	case HV_OP_CMP_Q_RM:
		op = HV_OP_CMPJ_Q_RM_2;
		break;
	default:
		cc = fused_test_cc(j->sub);
		switch (i->op) {
		case HV_OP_TEST_B_RR:
			op = HV_OP_TESTJ_B_RR_4;
			break;
		case HV_OP_TEST_D_RR:
			op = HV_OP_TESTJ_D_RR_4;
			break;
		case HV_OP_TEST_Q_RR:
			op = HV_OP_TESTJ_Q_RR_4;
			break;
		case HV_OP_TEST_B_RI:
			op = HV_OP_TESTJ_B_RI_4;
			break;
		case HV_OP_TEST_D_RI:
			op = HV_OP_TESTJ_D_RI_4;
			break;
		case HV_OP_TEST_B_MI:
			op = HV_OP_TESTJ_B_MI_4;
			break;
		default:
			return;
		}
	}
	if (cc >= 0)
		i->op = (u16)(op + (u32)cc);
}
