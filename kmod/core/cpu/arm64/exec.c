// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The executor: runs decoded blocks.  One function, for its locals live in host registers and an operation must cost no
 * call (softcpu costs: a return through a thunk is 24 cycles).  Whatever is rare or may fault goes through arm64_slow().
 */
#include "internal.h"

#define HV_OPS ARM64_OPS
#define HV_WARM ARM64_WARM_OPS
#define HV_HOT ARM64_HOT_OPS
#ifdef HV_DISPATCH_SWITCH
#pragma GCC diagnostic ignored "-Wunused-label"	/* most operations have no second number */
#endif


#define R(field) (cpu->x[insn->field])
#define NEXT { insn++; HV_NEXT(insn->op); }
#define SKIP(slots) { insn += (slots); HV_NEXT(insn->op); }

static __always_inline u64 ror_x(u64 v, u32 n)
{
	return v >> (n & 63) | v << (-n & 63);
}

static __always_inline u32 ror_w(u32 v, u32 n)
{
	return v >> (n & 31) | v << (-n & 31);
}

/* ExtendReg() (J1): option, then shift */
static __always_inline u64 extend(u64 v, u32 option, u32 shift)
{
	switch (option) {
	case 0:
		v = (u8)v;
		break;
	case 1:
		v = (u16)v;
		break;
	case 2:
		v = (u32)v;
		break;
	case 4:
		v = (u64)(s64)(s8)v;
		break;
	case 5:
		v = (u64)(s64)(s16)v;
		break;
	case 6:
		v = (u64)(s64)(s32)v;
		break;
	default:
		break;
	}
	return v << shift;
}

/* Bit n of entry c: does condition c hold when NZCV is n? (C1.2.4) */
static const u16 condition_holds[16] = {
	0xf0f0, 0x0f0f, 0xcccc, 0x3333, 0xff00, 0x00ff, 0xaaaa, 0x5555, 0x0c0c, 0xf3f3, 0xaa55, 0x55aa, 0x0a05, 0xf5fa,
	0xffff, 0xffff
};

#define COND_EQ (cpu->z == 0)
#define COND_NE (cpu->z != 0)
#define COND_CS (cpu->c)
#define COND_CC (!cpu->c)
#define COND_MI (cpu->n < 0)
#define COND_PL (cpu->n >= 0)
#define COND_VS (cpu->v)
#define COND_VC (!cpu->v)
#define COND_HI (cpu->c && cpu->z)
#define COND_LS (!(cpu->c && cpu->z))
#define COND_GE ((cpu->n < 0) == cpu->v)
#define COND_LT ((cpu->n < 0) != cpu->v)
#define COND_GT (cpu->z && (cpu->n < 0) == cpu->v)
#define COND_LE (!(cpu->z && (cpu->n < 0) == cpu->v))

/* the same on the operands of a comparison; T unsigned, S signed */
#define CMP_EQ(T, S) (a == b)
#define CMP_NE(T, S) (a != b)
#define CMP_CS(T, S) (a >= b)
#define CMP_CC(T, S) (a < b)
#define CMP_MI(T, S) ((S)(a - b) < 0)
#define CMP_PL(T, S) ((S)(a - b) >= 0)
#define CMP_VS(T, S) (cpu->v)
#define CMP_VC(T, S) (!cpu->v)
#define CMP_HI(T, S) (a > b)
#define CMP_LS(T, S) (a <= b)
#define CMP_GE(T, S) ((S)a >= (S)b)
#define CMP_LT(T, S) ((S)a < (S)b)
#define CMP_GT(T, S) ((S)a > (S)b)
#define CMP_LE(T, S) ((S)a <= (S)b)

#define OPERAND_I_X insn->imm
#define OPERAND_R_X R(rm)
#define OPERAND_LSL_X (R(rm) << insn->sh)
#define OPERAND_LSR_X (R(rm) >> insn->sh)
#define OPERAND_ASR_X ((u64)((s64)R(rm) >> insn->sh))
#define OPERAND_ROR_X ror_x(R(rm), insn->sh)
#define OPERAND_EXT_X extend(R(rm), insn->sub, insn->sh)
#define OPERAND_I_W (u32)insn->imm
#define OPERAND_R_W (u32)R(rm)
#define OPERAND_LSL_W ((u32)R(rm) << insn->sh)
#define OPERAND_LSR_W ((u32)R(rm) >> insn->sh)
#define OPERAND_ASR_W ((u32)((s32)R(rm) >> insn->sh))
#define OPERAND_ROR_W ror_w((u32)R(rm), insn->sh)
#define OPERAND_EXT_W (u32)extend(R(rm), insn->sub, insn->sh)

#define SET_NZ(S, r) { cpu->n = (S)(r); cpu->z = (u64)(s64)(S)(r); }
#define SET_ADD(S, a, b, r) { S t_; SET_NZ(S, r); cpu->c = (r) < (a); cpu->v = __builtin_add_overflow((S)(a), (S)(b), &t_); }
#define SET_SUB(S, a, b, r) { S t_; SET_NZ(S, r); cpu->c = (a) >= (b); cpu->v = __builtin_sub_overflow((S)(a), (S)(b), &t_); }

#define DO_ADD(form, w, T, S) HV_OP(ADD_##form##_##w): R(rd) = (T)((T)R(rn) + OPERAND_##form##_##w); NEXT
#define DO_SUB(form, w, T, S) HV_OP(SUB_##form##_##w): R(rd) = (T)((T)R(rn) - OPERAND_##form##_##w); NEXT
#define DO_ADDS(form, w, T, S) \
	HV_OP(ADDS_##form##_##w): { \
		T a = (T)R(rn), b = OPERAND_##form##_##w, r = a + b; \
		R(rd) = r; SET_ADD(S, a, b, r) NEXT }
#define DO_SUBS(form, w, T, S) \
	HV_OP(SUBS_##form##_##w): { \
		T a = (T)R(rn), b = OPERAND_##form##_##w, r = a - b; \
		R(rd) = r; SET_SUB(S, a, b, r) NEXT }
#define DO_LOGIC(name, expr, form, w, T) \
	HV_OP(name##_##form##_##w): { T a = (T)R(rn), b = OPERAND_##form##_##w; R(rd) = (T)(expr); NEXT }
#define DO_LOGICS(name, expr, form, w, T, S) \
	HV_OP(name##_##form##_##w): { \
		T a = (T)R(rn), b = OPERAND_##form##_##w, r = (expr); \
		R(rd) = r; SET_NZ(S, r) cpu->c = 0; cpu->v = 0; NEXT }
#define SUM_FORMS(M) \
	M(I, X, u64, s64) M(I, W, u32, s32) M(R, X, u64, s64) M(R, W, u32, s32) M(LSL, X, u64, s64) M(LSL, W, u32, s32) \
	M(LSR, X, u64, s64) M(LSR, W, u32, s32) M(ASR, X, u64, s64) M(ASR, W, u32, s32) M(EXT, X, u64, s64) M(EXT, W, u32, s32)
#define LOGIC_FORMS(name, expr) \
	DO_LOGIC(name, expr, R, X, u64) DO_LOGIC(name, expr, R, W, u32) DO_LOGIC(name, expr, LSL, X, u64) \
	DO_LOGIC(name, expr, LSL, W, u32) DO_LOGIC(name, expr, LSR, X, u64) DO_LOGIC(name, expr, LSR, W, u32) \
	DO_LOGIC(name, expr, ASR, X, u64) DO_LOGIC(name, expr, ASR, W, u32) DO_LOGIC(name, expr, ROR, X, u64) \
	DO_LOGIC(name, expr, ROR, W, u32)
#define LOGICS_FORMS(name, expr) \
	DO_LOGICS(name, expr, R, X, u64, s64) DO_LOGICS(name, expr, R, W, u32, s32) DO_LOGICS(name, expr, LSL, X, u64, s64) \
	DO_LOGICS(name, expr, LSL, W, u32, s32) DO_LOGICS(name, expr, LSR, X, u64, s64) \
	DO_LOGICS(name, expr, LSR, W, u32, s32) DO_LOGICS(name, expr, ASR, X, u64, s64) \
	DO_LOGICS(name, expr, ASR, W, u32, s32) DO_LOGICS(name, expr, ROR, X, u64, s64) DO_LOGICS(name, expr, ROR, W, u32, s32)

/* ADC and SBC: AddWithCarry() (J1) */
#define DO_CARRY(name, w, T, inv) HV_OP(name##_##w): R(rd) = (T)((T)R(rn) + (T)(inv R(rm)) + cpu->c); NEXT
#define DO_CARRYS(name, w, T, S, inv) \
	HV_OP(name##_##w): { \
		T a = (T)R(rn), b = (T)(inv R(rm)), r = a + b + cpu->c; \
		R(rd) = r; SET_NZ(S, r) \
		cpu->c = r < a || (cpu->c && r == a); cpu->v = (u8)(((a ^ r) & (b ^ r)) >> (sizeof(T) * 8 - 1)); NEXT }

#define DO_CCMP(name, form, w, T, S, SET, sign) \
	HV_OP(name##_##form##_##w): { \
		if ((condition_holds[insn->sub] >> arm64_nzcv(cpu)) & 1) { \
			T a = (T)R(rn), b = OPERAND_##form##_##w, r = a sign b; \
			SET(S, a, b, r) \
		} else { \
			arm64_nzcv_put(cpu, insn->sh); \
		} \
		NEXT }

/*
 * Control leaves the block through link n for @target.  A link is good while its key is that of the CPU: same translations,
 * same mode (struct hv_link).
 */
#ifdef HV_DISPATCH_TREE	/* one copy, to share a page with the tree */
#define ENTER goto enter;
#else
#define ENTER \
	if (unlikely(block->epoch != cpu->hv.epoch)) \
		goto enter_slow; \
	if (unlikely(env_read_once(cpu->hv.request))) \
		goto enter_slow; \
	left -= block->count; \
	if (unlikely(left < 0)) \
		goto tail; \
	insn = hv_block_insns(block); \
	HV_NEXT(insn->op);
#endif
#define CHAIN(n, target) { \
		via = &block->link[n]; \
		if (unlikely(via->key != cpu->hv.key)) { \
			cpu->pc = (target); \
			goto lookup_via; \
		} \
		block = via->to; \
		ENTER }
#define JUMP(target) { \
		u64 to_ = (target); \
		struct hv_block *next_ = hv_jump_get(&cpu->hv.blocks, to_, cpu->hv.key); \
		if (unlikely(!next_)) { \
			cpu->pc = to_; \
			goto lookup; \
		} \
		block = next_; \
		via = NULL; \
		ENTER }
#define NEXT_PC (block->va + block->bytes)
#define BRANCH_IF(cond, target) { if (cond) CHAIN(1, target) else CHAIN(0, NEXT_PC) }

#define DO_B(cond, unused) HV_OP(B_##cond): BRANCH_IF(COND_##cond, insn->imm)
#define DO_CMPB1(form, w, T, S, cond) \
	HV_OP(CMPB_##form##_##w##_##cond): { \
		T a = (T)R(rn), b = OPERAND_##form##_##w, r = a - b; \
		R(rd) = r; SET_SUB(S, a, b, r) \
		BRANCH_IF(CMP_##cond(T, S), insn[1].imm) }
#define DO_CMPB(cond, unused) \
	DO_CMPB1(I, X, u64, s64, cond) DO_CMPB1(I, W, u32, s32, cond) \
	DO_CMPB1(R, X, u64, s64, cond) DO_CMPB1(R, W, u32, s32, cond)
#define DO_TSTB(form, w, T, S, cond, test) \
	HV_OP(TSTB_##form##_##cond##_##w): { \
		T r = (T)R(rn) & OPERAND_##form##_##w; \
		R(rd) = r; SET_NZ(S, r) cpu->c = 0; cpu->v = 0; \
		BRANCH_IF(r test 0, insn[1].imm) }

#define EA_I (R(rn) + insn->imm)
#define EA_R (R(rn) + (R(rm) << insn->sh))
#define EA_U (R(rn) + ((u64)(u32)R(rm) << insn->sh))
#define EA_S (R(rn) + ((u64)(s64)(s32)R(rm) << insn->sh))
#define EA_PRE (R(rn) + insn->imm)
#define EA_POST R(rn)
#define WRITEBACK_I
#define WRITEBACK_R
#define WRITEBACK_U
#define WRITEBACK_S
#define WRITEBACK_PRE R(rn) = va;
#define WRITEBACK_POST R(rn) = va + insn->imm;
#define DO_LD(name, form, bits, cast) \
	HV_OP(name##_##form): { \
		u64 va = EA_##form; \
		void *p = hv_tlb_hit(cpu->tlb->read, va, bits / 8); \
		u64 v_; \
		if (unlikely(!p)) \
			goto slow; \
		v_ = (u64)cast env_guest_ld##bits(p); \
		WRITEBACK_##form \
		R(rd) = v_; NEXT }
#define DO_ST(name, form, bits) \
	HV_OP(name##_##form): { \
		u64 va = EA_##form; \
		void *p = hv_tlb_hit(cpu->tlb->write, va, bits / 8); \
		if (unlikely(!p)) \
			goto slow; \
		env_guest_st##bits(p, (u##bits)R(rd)); \
		WRITEBACK_##form NEXT }
#define MEM_FORMS(M, ...) \
	M(__VA_ARGS__, I) M(__VA_ARGS__, R) M(__VA_ARGS__, U) M(__VA_ARGS__, S) M(__VA_ARGS__, PRE) M(__VA_ARGS__, POST)
#define DO_LD1(name, bits, cast, form) DO_LD(name, form, bits, cast)
#define DO_ST1(name, bits, form) DO_ST(name, form, bits)
#define DO_LDP(name, form, bits) \
	HV_OP(name##_##form): { \
		u64 va = EA_##form; \
		u8 *p = hv_tlb_hit(cpu->tlb->read, va, bits / 4); \
		u64 v1_, v2_; \
		if (unlikely(!p)) \
			goto slow; \
		v1_ = env_guest_ld##bits(p); \
		v2_ = env_guest_ld##bits(p + bits / 8); \
		WRITEBACK_##form \
		R(rd) = v1_; R(ra) = v2_; NEXT }
#define DO_STP(name, form, bits) \
	HV_OP(name##_##form): { \
		u64 va = EA_##form; \
		u8 *p = hv_tlb_hit(cpu->tlb->write, va, bits / 4); \
		if (unlikely(!p)) \
			goto slow; \
		env_guest_st##bits(p, (u##bits)R(rd)); \
		env_guest_st##bits(p + bits / 8, (u##bits)R(ra)); \
		WRITEBACK_##form NEXT }
/* SIMD&FP registers: rd and ra number them */
#define V(field) (cpu->vr[insn->field])
#define LOAD_Q(v, p) { (v)->d[0] = env_guest_ld64(p); (v)->d[1] = env_guest_ld64((p) + 8); }
#define LOAD_D(v, p) { (v)->d[0] = env_guest_ld64(p); (v)->d[1] = 0; }
#define LOAD_S(v, p) { (v)->d[0] = env_guest_ld32(p); (v)->d[1] = 0; }
#define STORE_Q(v, p) { env_guest_st64(p, (v)->d[0]); env_guest_st64((p) + 8, (v)->d[1]); }
#define STORE_D(v, p) env_guest_st64(p, (v)->d[0]);
#define STORE_S(v, p) env_guest_st32(p, (v)->s[0]);
#define DO_V(name, how, MOVE, bytes, form) \
	HV_OP(name##_##form): { \
		u64 va = EA_##form; \
		u8 *p = hv_tlb_hit(cpu->tlb->how, va, bytes); \
		if (unlikely(!p)) \
			goto slow; \
		MOVE(&V(rd), p) \
		WRITEBACK_##form NEXT }
#define DO_VP(name, how, MOVE, bytes, form) \
	HV_OP(name##_##form): { \
		u64 va = EA_##form; \
		u8 *p = hv_tlb_hit(cpu->tlb->how, va, 2 * bytes); \
		if (unlikely(!p)) \
			goto slow; \
		MOVE(&V(rd), p) \
		MOVE(&V(ra), p + bytes) \
		WRITEBACK_##form NEXT }
#define V_PAIR_FORMS(name, how, MOVE, bytes) \
	DO_VP(name, how, MOVE, bytes, I) DO_VP(name, how, MOVE, bytes, PRE) DO_VP(name, how, MOVE, bytes, POST)
#define PAIR_FORMS(M, name, bits) M(name, I, bits) M(name, PRE, bits) M(name, POST, bits)

static HV_PAGE enum hv_exit_kind run(struct arm64_cpu *cpu, u64 budget)
{
#ifndef HV_DISPATCH_SWITCH
	static const void *const hv_labels[] = HV_LABELS;
#endif
	struct arm64_insn *insn;
	struct hv_block *block;
	struct hv_link *via = NULL;	/* the link that led to the block, to be set if it was not good */
	s64 left = budget >> 62 ? (s64)1 << 62 : (s64)budget;
	u64 end = cpu->hv.retired + (u64)left;
	enum arm64_leave leave;
	u64 flushes;
	u32 one, at;

	/* whatever happened outside is a context synchronisation event, as far as we can tell */
	cpu->hv.epoch++;
	cpu->hv.exit.kind = HV_EXIT_NONE;

lookup:
	via = NULL;
lookup_via:
	if (unlikely(!left)) {
		cpu->stop = HV_EXIT_BUDGET;
		goto out;
	}
	flushes = cpu->hv.blocks.flushes;
	if (unlikely(env_read_once(cpu->hv.request) | cpu->hv.idle)) {
		leave = arm64_attend(cpu);
		if (leave == ARM64_STOP)
			goto out;
		if (leave == ARM64_JUMP)
			via = NULL;
	}
	one = 0;
	if (unlikely(cpu->hv.key & (ARM64_KEY_STEP | ARM64_KEY_BREAK))) {
		if ((cpu->hv.key & ARM64_KEY_STEP) && !cpu->stepping) {
			cpu->stop = HV_EXIT_NONE;
			goto out;
		}
		if (cpu->hv.key & ARM64_KEY_BREAK)
			one = arm64_break_near(cpu);
	}
find:
	block = one ? NULL : hv_jump_get(&cpu->hv.blocks, cpu->pc, cpu->hv.key);
	if (!block || (block->epoch != cpu->hv.epoch && !hv_block_verify(&cpu->hv.blocks, block, cpu->hv.epoch))) {
		block = arm64_block(cpu, one, &leave);
		if (unlikely(!block)) {
			if (leave == ARM64_STOP)
				goto out;
			left--;
			goto lookup;
		}
	}
	if (one) {
		left--;
	} else {
		if (via && flushes == cpu->hv.blocks.flushes) {
			via->to = block;
			via->key = cpu->hv.key;
		}
		if (unlikely(left < block->count)) {
			one = ARM64_KEY_ONE;
			goto find;
		}
		left -= block->count;
	}
	insn = hv_block_insns(block);
	goto dispatch;

#ifdef HV_DISPATCH_TREE
enter:
	if (likely(block->epoch == cpu->hv.epoch && !env_read_once(cpu->hv.request))) {
		left -= block->count;
		if (unlikely(left < 0))
			goto tail;
		insn = hv_block_insns(block);
		goto dispatch;
	}
#endif
enter_slow:
	/* found by a key that is good, so nothing but its bytes may have changed */
	if (likely(!(env_read_once(cpu->hv.request) | cpu->hv.idle)) && hv_block_verify(&cpu->hv.blocks, block, cpu->hv.epoch)) {
		left -= block->count;
		if (unlikely(left < 0))
			goto tail;
		insn = hv_block_insns(block);
		goto dispatch;
	}
	cpu->pc = block->va;
	goto lookup_via;

tail:
	left += block->count;
	cpu->pc = block->va;
	goto lookup_via;

slow:
	at = (u32)(insn - (struct arm64_insn *)hv_block_insns(block));
	cpu->pc = block->va + 4 * at;
	cpu->hv.retired = end - (u64)(left + block->count - at);
	leave = arm64_slow(cpu, ((const u32 *)block->raw)[at]);
	if (unlikely(leave != ARM64_NEXT)) {
		left += block->count - at - 1;
		goto left_block;
	}
	insn++;
	goto dispatch;

slow_end:
	at = block->count - 1u;
	cpu->pc = block->va + 4 * at;
	cpu->hv.retired = end - (u64)(left + 1);
	leave = arm64_slow(cpu, ((const u32 *)block->raw)[at]);
	if (leave == ARM64_NEXT)
		cpu->pc += 4;
left_block:
	if (leave == ARM64_STOP) {
		left++;
		goto out;
	}
	if (leave == ARM64_LEAVE)
		goto out;
	goto lookup;

out:
	cpu->hv.retired = end - (u64)left;
	cpu->hv.exit.kind = cpu->stop;
	return (enum hv_exit_kind)cpu->stop;

dispatch:
	HV_DISPATCH_BEGIN(insn->op)

	HV_OP(SLOW):
		goto slow;
	HV_OP(SLOW_END):
		goto slow_end;
	HV_OP(FALL):
		CHAIN(0, NEXT_PC)
	HV_OP(FALL_SP):
		if (unlikely((cpu->x[ARM64_SP] & 15) && !(cpu->hv.key & ARM64_KEY_SP_BAD))) {
			arm64_mode_update(cpu);
			cpu->pc = NEXT_PC;
			goto lookup;
		}
		CHAIN(0, NEXT_PC)
	HV_OP(NOP): NEXT

	HV_OP(MOVI): R(rd) = insn->imm; NEXT
	HV_OP(MOVI2): R(rd) = insn->imm; SKIP(2)
	HV_OP(MOVI3): R(rd) = insn->imm; SKIP(3)
	HV_OP(MOVI4): R(rd) = insn->imm; SKIP(4)
	HV_OP(MOV_X): R(rd) = R(rm); NEXT
	HV_OP(MOV_W): R(rd) = (u32)R(rm); NEXT
	HV_OP(MOVK_X): R(rd) = (R(rd) & ~(0xffffull << insn->sh)) | insn->imm; NEXT
	HV_OP(MOVK_W): R(rd) = (u32)((R(rd) & ~(0xffffull << insn->sh)) | insn->imm); NEXT

	SUM_FORMS(DO_ADD)
	SUM_FORMS(DO_SUB)
	SUM_FORMS(DO_ADDS)
	SUM_FORMS(DO_SUBS)
	LOGIC_FORMS(AND, a & b)
	LOGIC_FORMS(BIC, a & ~b)
	LOGIC_FORMS(ORR, a | b)
	LOGIC_FORMS(ORN, a | ~b)
	LOGIC_FORMS(EOR, a ^ b)
	LOGIC_FORMS(EON, a ^ ~b)
	LOGICS_FORMS(ANDS, a & b)
	LOGICS_FORMS(BICS, a & ~b)
	DO_LOGIC(AND, a & b, I, X, u64) DO_LOGIC(AND, a & b, I, W, u32)
	DO_LOGIC(ORR, a | b, I, X, u64) DO_LOGIC(ORR, a | b, I, W, u32)
	DO_LOGIC(EOR, a ^ b, I, X, u64) DO_LOGIC(EOR, a ^ b, I, W, u32)
	DO_LOGICS(ANDS, a & b, I, X, u64, s64) DO_LOGICS(ANDS, a & b, I, W, u32, s32)
	DO_CARRY(ADC, X, u64, +) DO_CARRY(ADC, W, u32, +) DO_CARRY(SBC, X, u64, ~) DO_CARRY(SBC, W, u32, ~)
	DO_CARRYS(ADCS, X, u64, s64, +) DO_CARRYS(ADCS, W, u32, s32, +)
	DO_CARRYS(SBCS, X, u64, s64, ~) DO_CARRYS(SBCS, W, u32, s32, ~)

	HV_OP(LSLI_X): R(rd) = R(rn) << insn->sh; NEXT
	HV_OP(LSLI_W): R(rd) = (u32)R(rn) << insn->sh; NEXT
	HV_OP(LSRI_X): R(rd) = R(rn) >> insn->sh; NEXT
	HV_OP(LSRI_W): R(rd) = (u32)R(rn) >> insn->sh; NEXT
	HV_OP(ASRI_X): R(rd) = (u64)((s64)R(rn) >> insn->sh); NEXT
	HV_OP(ASRI_W): R(rd) = (u32)((s32)R(rn) >> insn->sh); NEXT
	HV_OP(SXTW): R(rd) = (u64)(s64)(s32)R(rn); NEXT
	HV_OP(UBFX_X): R(rd) = (R(rn) >> insn->sh) & insn->imm; NEXT
	HV_OP(UBFX_W): R(rd) = ((u32)R(rn) >> insn->sh) & (u32)insn->imm; NEXT
	HV_OP(UBFIZ_X): R(rd) = (R(rn) & insn->imm) << insn->sh; NEXT
	HV_OP(UBFIZ_W): R(rd) = (u32)(((u32)R(rn) & (u32)insn->imm) << insn->sh); NEXT
	HV_OP(SBF_X): R(rd) = (u64)((s64)(R(rn) << insn->sh) >> insn->sub); NEXT
	HV_OP(SBF_W): R(rd) = (u32)((s32)((u32)R(rn) << insn->sh) >> insn->sub); NEXT
	HV_OP(BFM_X): R(rd) = (ror_x(R(rn), insn->sh) & insn->imm) | (R(rd) & ~insn->imm); NEXT
	HV_OP(BFM_W): R(rd) = (ror_w((u32)R(rn), insn->sh) & (u32)insn->imm) | ((u32)R(rd) & ~(u32)insn->imm); NEXT
	HV_OP(EXTR_X): R(rd) = R(rm) >> insn->sh | R(rn) << 1 << (63 - insn->sh); NEXT
	HV_OP(EXTR_W): R(rd) = (u32)R(rm) >> insn->sh | (u32)R(rn) << 1 << (31 - insn->sh); NEXT
	HV_OP(LSLV_X): R(rd) = R(rn) << (R(rm) & 63); NEXT
	HV_OP(LSLV_W): R(rd) = (u32)R(rn) << (R(rm) & 31); NEXT
	HV_OP(LSRV_X): R(rd) = R(rn) >> (R(rm) & 63); NEXT
	HV_OP(LSRV_W): R(rd) = (u32)R(rn) >> (R(rm) & 31); NEXT
	HV_OP(ASRV_X): R(rd) = (u64)((s64)R(rn) >> (R(rm) & 63)); NEXT
	HV_OP(ASRV_W): R(rd) = (u32)((s32)R(rn) >> (R(rm) & 31)); NEXT
	HV_OP(RORV_X): R(rd) = ror_x(R(rn), (u32)R(rm)); NEXT
	HV_OP(RORV_W): R(rd) = ror_w((u32)R(rn), (u32)R(rm)); NEXT
	/* CSEL, CSINC, CSINV, CSNEG: imm inverts, ra increments what is taken when the condition fails */
	HV_OP(CSEL_X):
		R(rd) = (condition_holds[insn->sub] >> arm64_nzcv(cpu)) & 1 ? R(rn) : (R(rm) ^ insn->imm) + insn->ra;
		NEXT
	HV_OP(CSEL_W):
		R(rd) = (u32)((condition_holds[insn->sub] >> arm64_nzcv(cpu)) & 1 ? R(rn) :
			      (R(rm) ^ insn->imm) + insn->ra);
		NEXT
	DO_CCMP(CCMP, I, X, u64, s64, SET_SUB, -) DO_CCMP(CCMP, I, W, u32, s32, SET_SUB, -)
	DO_CCMP(CCMP, R, X, u64, s64, SET_SUB, -) DO_CCMP(CCMP, R, W, u32, s32, SET_SUB, -)
	DO_CCMP(CCMN, I, X, u64, s64, SET_ADD, +) DO_CCMP(CCMN, I, W, u32, s32, SET_ADD, +)
	DO_CCMP(CCMN, R, X, u64, s64, SET_ADD, +) DO_CCMP(CCMN, R, W, u32, s32, SET_ADD, +)

	HV_OP(MADD_X): R(rd) = R(ra) + R(rn) * R(rm); NEXT
	HV_OP(MADD_W): R(rd) = (u32)R(ra) + (u32)R(rn) * (u32)R(rm); NEXT
	HV_OP(MSUB_X): R(rd) = R(ra) - R(rn) * R(rm); NEXT
	HV_OP(MSUB_W): R(rd) = (u32)R(ra) - (u32)R(rn) * (u32)R(rm); NEXT
	HV_OP(SMADDL): R(rd) = R(ra) + (u64)((s64)(s32)R(rn) * (s32)R(rm)); NEXT
	HV_OP(UMADDL): R(rd) = R(ra) + (u64)(u32)R(rn) * (u32)R(rm); NEXT
	HV_OP(SMSUBL): R(rd) = R(ra) - (u64)((s64)(s32)R(rn) * (s32)R(rm)); NEXT
	HV_OP(UMSUBL): R(rd) = R(ra) - (u64)(u32)R(rn) * (u32)R(rm); NEXT
	HV_OP(SMULH): R(rd) = (u64)(((__int128)(s64)R(rn) * (s64)R(rm)) >> 64); NEXT
	HV_OP(UMULH): R(rd) = (u64)(((unsigned __int128)R(rn) * R(rm)) >> 64); NEXT
	HV_OP(UDIV_X): R(rd) = R(rm) ? R(rn) / R(rm) : 0; NEXT
	HV_OP(UDIV_W): R(rd) = (u32)R(rm) ? (u32)R(rn) / (u32)R(rm) : 0; NEXT
	/* the most negative number by -1 is itself, without a trap: divide as a negation */
	HV_OP(SDIV_X): {
		s64 b = (s64)R(rm);

		R(rd) = !b ? 0 : b == -1 ? 0 - R(rn) : (u64)((s64)R(rn) / b);
		NEXT }
	HV_OP(SDIV_W): {
		s32 b = (s32)R(rm);

		R(rd) = !b ? 0 : b == -1 ? 0 - (u32)R(rn) : (u32)((s32)R(rn) / b);
		NEXT }
	HV_OP(CLZ_X): R(rd) = R(rn) ? (u64)__builtin_clzll(R(rn)) : 64; NEXT
	HV_OP(CLZ_W): R(rd) = (u32)R(rn) ? (u64)__builtin_clz((u32)R(rn)) : 32; NEXT
	HV_OP(REV_X): R(rd) = __builtin_bswap64(R(rn)); NEXT
	HV_OP(REV_W): R(rd) = __builtin_bswap32((u32)R(rn)); NEXT

	HV_OP(B): CHAIN(1, insn->imm)
	HV_OP(BL): cpu->x[30] = NEXT_PC; CHAIN(1, insn->imm)
	HV_OP(BR): JUMP(R(rn))
	HV_OP(BLR): {
		u64 to = R(rn);

		cpu->x[30] = NEXT_PC;
		JUMP(to) }
	HV_OP(CBZ_X): BRANCH_IF(!R(rn), insn->imm)
	HV_OP(CBZ_W): BRANCH_IF(!(u32)R(rn), insn->imm)
	HV_OP(CBNZ_X): BRANCH_IF(R(rn), insn->imm)
	HV_OP(CBNZ_W): BRANCH_IF((u32)R(rn), insn->imm)
	HV_OP(TBZ): BRANCH_IF(!((R(rn) >> insn->sh) & 1), insn->imm)
	HV_OP(TBNZ): BRANCH_IF((R(rn) >> insn->sh) & 1, insn->imm)
	ARM64_CONDS(DO_B, )
	ARM64_CONDS(DO_CMPB, )
	DO_TSTB(I, X, u64, s64, EQ, ==) DO_TSTB(I, W, u32, s32, EQ, ==)
	DO_TSTB(I, X, u64, s64, NE, !=) DO_TSTB(I, W, u32, s32, NE, !=)
	DO_TSTB(R, X, u64, s64, EQ, ==) DO_TSTB(R, W, u32, s32, EQ, ==)
	DO_TSTB(R, X, u64, s64, NE, !=) DO_TSTB(R, W, u32, s32, NE, !=)

	MEM_FORMS(DO_LD1, LDX, 64, )
	MEM_FORMS(DO_LD1, LDW, 32, )
	MEM_FORMS(DO_LD1, LDH, 16, )
	MEM_FORMS(DO_LD1, LDB, 8, )
	MEM_FORMS(DO_LD1, LDSW, 32, (s64)(s32))
	MEM_FORMS(DO_LD1, LDSHX, 16, (s64)(s16))
	MEM_FORMS(DO_LD1, LDSBX, 8, (s64)(s8))
	MEM_FORMS(DO_LD1, LDSHW, 16, (u32)(s16))
	MEM_FORMS(DO_LD1, LDSBW, 8, (u32)(s8))
	MEM_FORMS(DO_ST1, STX, 64)
	MEM_FORMS(DO_ST1, STW, 32)
	MEM_FORMS(DO_ST1, STH, 16)
	MEM_FORMS(DO_ST1, STB, 8)
	PAIR_FORMS(DO_LDP, LDPX, 64)
	PAIR_FORMS(DO_LDP, LDPW, 32)
	PAIR_FORMS(DO_STP, STPX, 64)
	PAIR_FORMS(DO_STP, STPW, 32)

	MEM_FORMS(DO_V, LDQ, read, LOAD_Q, 16)
	MEM_FORMS(DO_V, LDD, read, LOAD_D, 8)
	MEM_FORMS(DO_V, LDS, read, LOAD_S, 4)
	MEM_FORMS(DO_V, STQ, write, STORE_Q, 16)
	MEM_FORMS(DO_V, STD, write, STORE_D, 8)
	MEM_FORMS(DO_V, STS, write, STORE_S, 4)
	V_PAIR_FORMS(LDPQ, read, LOAD_Q, 16)
	V_PAIR_FORMS(LDPD, read, LOAD_D, 8)
	V_PAIR_FORMS(STPQ, write, STORE_Q, 16)
	V_PAIR_FORMS(STPD, write, STORE_D, 8)
	HV_OP(VEC):
		arm64_vec_run(cpu, (u32)(insn->imm >> 32), (u32)insn->imm);
		NEXT

	HV_DISPATCH_END
}

enum hv_exit_kind arm64_step(struct arm64_cpu *cpu, u64 budget)
{
	u64 end = cpu->hv.retired + (budget >> 62 ? 1ull << 62 : budget);
	enum hv_exit_kind kind;

	do {
		u64 left = end - cpu->hv.retired;

		kind = unlikely(cpu->hv.key & ARM64_KEY_STEP) ? arm64_step_one(cpu, left, run) : run(cpu, left);
	} while (unlikely(kind == HV_EXIT_NONE));
	return kind;
}
