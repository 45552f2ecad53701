// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The executor: runs decoded blocks.  Every operation here is frequent, has its operands in registers, immediates or memory
 * that hits the TLB, and cannot fault.  For anything else it goes to "slow", where x86_slow() does the whole instruction.
 *
 * Lives in few variables on purpose: cpu, i (instruction), tlb (of the current privilege), mask (of linear addresses: 32 or
 * 64 bits), b (block) and left (budget) should all stay in registers.
 */
#include "prepare.h"
#include "simd/simd.h"

#define HV_OPS X86_OP_LIST
#define HV_WARM X86_WARM_OPS
#define HV_HOT X86_HOT_OPS
#ifdef HV_DISPATCH_SWITCH
#pragma GCC diagnostic ignored "-Wunused-label"	/* most operations have no second number */
#endif

#ifndef X86_STEP
#define X86_STEP x86_step
#endif

#define R8(o) X86_REG8(cpu, o)
#define R32(o) X86_REG32(cpu, o)
#define R64(o) X86_REG64(cpu, o)

/* Sign-extended operands and write-back by size: the names end in B, D or Q */
#define GET_B(o) ((s64)(s8)R8(o))
#define GET_D(o) ((s64)(s32)R32(o))
#define GET_Q(o) ((s64)R64(o))
#define PUT_B(o, v) (R8(o) = (u8)(v))
#define PUT_D(o, v) (R64(o) = (u32)(v))
#define PUT_Q(o, v) (R64(o) = (u64)(v))
#define LD_B(p) ((s64)(s8)env_guest_ld8(p))
#define LD_W(p) ((s64)(s16)env_guest_ld16(p))
#define LD_D(p) ((s64)(s32)env_guest_ld32(p))
#define LD_Q(p) ((s64)env_guest_ld64(p))
#define ST_B(p, v) env_guest_st8(p, (u8)(v))
#define ST_W(p, v) env_guest_st16(p, (u16)(v))
#define ST_D(p, v) env_guest_st32(p, (u32)(v))
#define ST_Q(p, v) env_guest_st64(p, (u64)(v))
#define SX_B(v) ((s64)(s8)(v))
#define SX_D(v) ((s64)(s32)(v))
#define SX_Q(v) ((s64)(v))
#define BYTES_B 1
#define BYTES_W 2
#define BYTES_D 4
#define BYTES_Q 8
#define BITS_D 32
#define BITS_Q 64

#define EA_M ((R64(i->base) + (u64)i->disp) & mask)
#define EA_X ((R64(i->base) + (R64(i->index) << i->scale) + (u64)i->disp) & mask)

#define READ_AT(p, ea, bytes)                                                                                            \
	p = hv_tlb_hit(tlb->read, ea, bytes);                                                                             \
	if (unlikely(!p))                                                                                                 \
		goto slow
#define WRITE_AT(p, ea, bytes)                                                                                           \
	p = hv_tlb_hit(tlb->write, ea, bytes);                                                                            \
	if (unlikely(!p))                                                                                                 \
		goto slow

#define FLAGS(kind_, a_, b_, r_)                                                                                         \
	do {                                                                                                              \
		cpu->fl.a = (u64)(a_);                                                                                    \
		cpu->fl.b = (u64)(b_);                                                                                    \
		cpu->fl.result = (u64)(r_);                                                                               \
		cpu->fl.kind = X86_FL_##kind_;                                                                            \
	} while (0)

/* r = a op b with flags */
#define DO_ADD(Z) r = SX_##Z((u64)a + (u64)v); FLAGS(ADD, a, v, r)
#define DO_SUB(Z) r = SX_##Z((u64)a - (u64)v); FLAGS(SUB, a, v, r)
#define DO_CMP(Z) DO_SUB(Z)
#define DO_OR(Z) r = a | v; FLAGS(SUB, r, 0, r)
#define DO_AND(Z) r = a & v; FLAGS(SUB, r, 0, r)
#define DO_TEST(Z) DO_AND(Z)
#define DO_XOR(Z) r = a ^ v; FLAGS(SUB, r, 0, r)

#define ALU_WRITING(NAME, Z)                                                                                             \
	HV_OP(NAME##_##Z##_RR): a = GET_##Z(i->rm); v = GET_##Z(i->reg); DO_##NAME(Z); PUT_##Z(i->rm, r); i++; HV_NEXT(i->op); \
	HV_OP(NAME##_##Z##_RI): a = GET_##Z(i->rm); v = i->imm; DO_##NAME(Z); PUT_##Z(i->rm, r); i++; HV_NEXT(i->op);       \
	HV_OP(NAME##_##Z##_RM): ea = EA_X; READ_AT(p, ea, BYTES_##Z); a = GET_##Z(i->reg); v = LD_##Z(p); DO_##NAME(Z);    \
		PUT_##Z(i->reg, r); i++; HV_NEXT(i->op);                                                                  \
	HV_OP(NAME##_##Z##_MR): ea = EA_X; WRITE_AT(p, ea, BYTES_##Z); v = GET_##Z(i->reg); a = LD_##Z(p); DO_##NAME(Z);   \
		ST_##Z(p, r); i++; HV_NEXT(i->op);                                                                        \
	HV_OP(NAME##_##Z##_MI): ea = EA_X; WRITE_AT(p, ea, BYTES_##Z); v = i->imm; a = LD_##Z(p); DO_##NAME(Z);            \
		ST_##Z(p, r); i++; HV_NEXT(i->op);

#define ALU_TESTING(NAME, Z)                                                                                             \
	HV_OP(NAME##_##Z##_RR): a = GET_##Z(i->rm); v = GET_##Z(i->reg); DO_##NAME(Z); i++; HV_NEXT(i->op);                 \
	HV_OP(NAME##_##Z##_RI): a = GET_##Z(i->rm); v = i->imm; DO_##NAME(Z); i++; HV_NEXT(i->op);                         \
	HV_OP(NAME##_##Z##_RM): ea = EA_X; READ_AT(p, ea, BYTES_##Z); a = GET_##Z(i->reg); v = LD_##Z(p); DO_##NAME(Z);    \
		i++; HV_NEXT(i->op);                                                                                      \
	HV_OP(NAME##_##Z##_MR): ea = EA_X; READ_AT(p, ea, BYTES_##Z); v = GET_##Z(i->reg); a = LD_##Z(p); DO_##NAME(Z);    \
		i++; HV_NEXT(i->op);                                                                                      \
	HV_OP(NAME##_##Z##_MI): ea = EA_X; READ_AT(p, ea, BYTES_##Z); v = i->imm; a = LD_##Z(p); DO_##NAME(Z);             \
		i++; HV_NEXT(i->op);

#define SIZES(T, NAME) T(NAME, B) T(NAME, D) T(NAME, Q)

/* Leave for a block: by link if it is good, else by way of x86_prepare(). */
#define GO(slot, target)                                                                                                 \
	do {                                                                                                              \
		if (likely(b->link[slot].key == cpu->hv.key)) {                                                           \
			b = b->link[slot].to;                                                                             \
			goto enter;                                                                                       \
		}                                                                                                         \
		cpu->rip = (u64)(target);                                                                                 \
		cpu->from = b;                                                                                            \
		cpu->from_slot = slot;                                                                                    \
		goto lookup;                                                                                              \
	} while (0)

#define BRANCH(condition, target)                                                                                        \
	do {                                                                                                              \
		if (condition)                                                                                            \
			GO(1, target);                                                                                    \
		GO(0, b->va + b->bytes);                                                                                  \
	} while (0)

/* Conditions on the operands of a comparison just made */
#define CC_2 ((u64)a < (u64)v)
#define CC_3 ((u64)a >= (u64)v)
#define CC_4 (a == v)
#define CC_5 (a != v)
#define CC_6 ((u64)a <= (u64)v)
#define CC_7 ((u64)a > (u64)v)
#define CC_12 (a < v)
#define CC_13 (a >= v)
#define CC_14 (a <= v)
#define CC_15 (a > v)
#define TC_4 (r == 0)
#define TC_5 (r != 0)
#define TC_8 (r < 0)
#define TC_9 (r >= 0)
#define TC_14 (r <= 0)
#define TC_15 (r > 0)

#define CMPJ_ONE(Z, FORM, cc, LOAD) HV_OP(CMPJ_##Z##_##FORM##_##cc): LOAD; DO_CMP(Z); BRANCH(CC_##cc, i[1].imm);
#define CMPJ(Z, FORM, LOAD)                                                                                              \
	CMPJ_ONE(Z, FORM, 2, LOAD) CMPJ_ONE(Z, FORM, 3, LOAD) CMPJ_ONE(Z, FORM, 4, LOAD) CMPJ_ONE(Z, FORM, 5, LOAD)       \
	CMPJ_ONE(Z, FORM, 6, LOAD) CMPJ_ONE(Z, FORM, 7, LOAD) CMPJ_ONE(Z, FORM, 12, LOAD) CMPJ_ONE(Z, FORM, 13, LOAD)     \
	CMPJ_ONE(Z, FORM, 14, LOAD) CMPJ_ONE(Z, FORM, 15, LOAD)
#define TESTJ_ONE(Z, FORM, cc, LOAD) HV_OP(TESTJ_##Z##_##FORM##_##cc): LOAD; DO_TEST(Z); BRANCH(TC_##cc, i[1].imm);
#define TESTJ(Z, FORM, LOAD)                                                                                             \
	TESTJ_ONE(Z, FORM, 4, LOAD) TESTJ_ONE(Z, FORM, 5, LOAD) TESTJ_ONE(Z, FORM, 8, LOAD) TESTJ_ONE(Z, FORM, 9, LOAD)   \
	TESTJ_ONE(Z, FORM, 14, LOAD) TESTJ_ONE(Z, FORM, 15, LOAD)
#define LOAD_RR(Z) a = GET_##Z(i->rm); v = GET_##Z(i->reg)
#define LOAD_RI(Z) a = GET_##Z(i->rm); v = i->imm
#define LOAD_MI(Z) ea = EA_X; READ_AT(p, ea, BYTES_##Z); a = LD_##Z(p); v = i->imm
#define LOAD_RM(Z) ea = EA_X; READ_AT(p, ea, BYTES_##Z); a = GET_##Z(i->reg); v = LD_##Z(p)

#define SIXTEEN(T) T(0) T(1) T(2) T(3) T(4) T(5) T(6) T(7) T(8) T(9) T(10) T(11) T(12) T(13) T(14) T(15)
#define JCC(cc) HV_OP(JCC_##cc): BRANCH(x86_condition(&cpu->fl, cc), i->imm);
#define SETCC(cc) HV_OP(SETCC_##cc): R8(i->rm) = x86_condition(&cpu->fl, cc); i++; HV_NEXT(i->op);
#define CMOV(cc)                                                                                                         \
	HV_OP(CMOV_D_##cc): PUT_D(i->reg, x86_condition(&cpu->fl, cc) ? R64(i->rm) : R64(i->reg)); i++; HV_NEXT(i->op);     \
	HV_OP(CMOV_Q_##cc): if (x86_condition(&cpu->fl, cc)) R64(i->reg) = R64(i->rm); i++; HV_NEXT(i->op);

#define MOVES(Z, UT)                                                                                                     \
	HV_OP(MOV_##Z##_S_M): ea = EA_M; WRITE_AT(p, ea, BYTES_##Z); ST_##Z(p, R64_OR8_##Z(i->reg)); i++; HV_NEXT(i->op);    \
	HV_OP(MOV_##Z##_S_X): ea = EA_X; WRITE_AT(p, ea, BYTES_##Z); ST_##Z(p, R64_OR8_##Z(i->reg)); i++; HV_NEXT(i->op);    \
	HV_OP(MOV_##Z##_SI): ea = EA_X; WRITE_AT(p, ea, BYTES_##Z); ST_##Z(p, i->imm); i++; HV_NEXT(i->op);                 \
	HV_OP(MOV_##Z##_R_M): ea = EA_M; READ_AT(p, ea, BYTES_##Z); MOV_PUT_##Z(i->reg, LD_##Z(p)); i++; HV_NEXT(i->op);     \
	HV_OP(MOV_##Z##_R_X): ea = EA_X; READ_AT(p, ea, BYTES_##Z); MOV_PUT_##Z(i->reg, LD_##Z(p)); i++; HV_NEXT(i->op);
#define R64_OR8_B(o) R8(o)
#define R64_OR8_W(o) R64(o)
#define R64_OR8_D(o) R64(o)
#define R64_OR8_Q(o) R64(o)
#define MOV_PUT_B(o, v) PUT_B(o, v)
#define MOV_PUT_W(o, v) (X86_REG16(cpu, o) = (u16)(v))
#define MOV_PUT_D(o, v) PUT_D(o, v)
#define MOV_PUT_Q(o, v) PUT_Q(o, v)

#define EXTENDED(NAME, LOAD, Z, bytes, FORM)                                                                             \
	HV_OP(NAME): ea = EA_##FORM; READ_AT(p, ea, bytes); PUT_##Z(i->reg, LOAD); i++; HV_NEXT(i->op);

#define UNARY(Z)                                                                                                         \
	HV_OP(INC_R_##Z): v = x86_cf(&cpu->fl); a = GET_##Z(i->rm); r = SX_##Z((u64)a + 1); FLAGS(INC, a, v, r);            \
		PUT_##Z(i->rm, r); i++; HV_NEXT(i->op);                                                                   \
	HV_OP(DEC_R_##Z): v = x86_cf(&cpu->fl); a = GET_##Z(i->rm); r = SX_##Z((u64)a - 1); FLAGS(DEC, a, v, r);            \
		PUT_##Z(i->rm, r); i++; HV_NEXT(i->op);                                                                   \
	HV_OP(INC_M_##Z): ea = EA_X; WRITE_AT(p, ea, BYTES_##Z); v = x86_cf(&cpu->fl); a = LD_##Z(p);                       \
		r = SX_##Z((u64)a + 1); FLAGS(INC, a, v, r); ST_##Z(p, r); i++; HV_NEXT(i->op);                           \
	HV_OP(DEC_M_##Z): ea = EA_X; WRITE_AT(p, ea, BYTES_##Z); v = x86_cf(&cpu->fl); a = LD_##Z(p);                       \
		r = SX_##Z((u64)a - 1); FLAGS(DEC, a, v, r); ST_##Z(p, r); i++; HV_NEXT(i->op);                           \
	HV_OP(NEG_R_##Z): v = GET_##Z(i->rm); r = SX_##Z(0 - (u64)v); FLAGS(SUB, 0, v, r); PUT_##Z(i->rm, r); i++;          \
		HV_NEXT(i->op);                                                                                           \
	HV_OP(NOT_R_##Z): PUT_##Z(i->rm, ~R64(i->rm)); i++; HV_NEXT(i->op);

#define U_D(o) ((u64)R32(o))
#define U_Q(o) R64(o)
#define ROT_D(x, n) ((u32)(x) << (n) | (u32)(x) >> (32 - (n)))
#define ROT_Q(x, n) ((x) << (n) | (x) >> (64 - (n)))
#define SHL_BODY(Z, n) a = GET_##Z(i->rm); r = SX_##Z((u64)a << (n)); FLAGS(SHL, U_##Z(i->rm), (n) | BITS_##Z << 8, r);   \
		PUT_##Z(i->rm, r)
#define SHR_BODY(Z, n) ua = U_##Z(i->rm); r = SX_##Z(ua >> (n)); FLAGS(SHR, ua, (n) | BITS_##Z << 8, r); PUT_##Z(i->rm, r)
#define SAR_BODY(Z, n) a = GET_##Z(i->rm); r = a >> (n); FLAGS(SAR, a, (n) | BITS_##Z << 8, r); PUT_##Z(i->rm, r)
/* CL counts of 0 change no flag but do write the register */
#define BY_CL(Z, BODY)                                                                                                   \
	n = R8(X86_RCX * 8) & (BITS_##Z - 1);                                                                             \
	if (likely(n)) { BODY(Z, n); } else { PUT_##Z(i->rm, R64(i->rm)); }                                               \
	i++; HV_NEXT(i->op);
#define SHIFTS(Z)                                                                                                        \
	HV_OP(SHL_RI_##Z): n = (u32)i->imm; SHL_BODY(Z, n); i++; HV_NEXT(i->op);                                            \
	HV_OP(SHR_RI_##Z): n = (u32)i->imm; SHR_BODY(Z, n); i++; HV_NEXT(i->op);                                            \
	HV_OP(SAR_RI_##Z): n = (u32)i->imm; SAR_BODY(Z, n); i++; HV_NEXT(i->op);                                            \
	HV_OP(SHL_RC_##Z): BY_CL(Z, SHL_BODY)                                                                             \
	HV_OP(SHR_RC_##Z): BY_CL(Z, SHR_BODY)                                                                             \
	HV_OP(SAR_RC_##Z): BY_CL(Z, SAR_BODY)                                                                             \
	HV_OP(ROL_RI_##Z): n = (u32)i->imm & (BITS_##Z - 1); ua = U_##Z(i->rm); ua = ROT_##Z(ua, n); PUT_##Z(i->rm, ua);    \
		rotate_flags(&cpu->fl, ua & 1, ((ua >> (BITS_##Z - 1)) ^ ua) & 1); i++; HV_NEXT(i->op);                   \
	HV_OP(ROR_RI_##Z): n = BITS_##Z - ((u32)i->imm & (BITS_##Z - 1)); ua = U_##Z(i->rm); ua = ROT_##Z(ua, n);           \
		PUT_##Z(i->rm, ua);                                                                                       \
		rotate_flags(&cpu->fl, (ua >> (BITS_##Z - 1)) & 1, ((ua >> (BITS_##Z - 1)) ^ (ua >> (BITS_##Z - 2))) & 1);  \
		i++; HV_NEXT(i->op);

/* no flags */
#define ROTATES(Z)                                                                                                       \
	HV_OP(ROLN_RI_##Z): n = (u32)i->imm & (BITS_##Z - 1); ua = U_##Z(i->rm); PUT_##Z(i->rm, ROT_##Z(ua, n)); i++;       \
		HV_NEXT(i->op);                                                                                           \
	HV_OP(RORN_RI_##Z): n = BITS_##Z - ((u32)i->imm & (BITS_##Z - 1)); ua = U_##Z(i->rm); PUT_##Z(i->rm, ROT_##Z(ua, n)); \
		i++; HV_NEXT(i->op);

#define MUL_FLAGS(r_, over)                                                                                              \
	do {                                                                                                              \
		cpu->fl.result = (u64)(r_);                                                                               \
		cpu->fl.bits = (over) ? X86_FLAG_CF | X86_FLAG_OF : 0;                                                    \
		cpu->fl.kind = X86_FL_BITS;                                                                               \
	} while (0)
#define IMUL_D r = a * v; PUT_D(i->reg, r); MUL_FLAGS((s32)r, r != (s32)r)
#define IMUL_Q over = __builtin_mul_overflow(a, v, &r); PUT_Q(i->reg, r); MUL_FLAGS(r, over)
#define IMULS(Z)                                                                                                         \
	HV_OP(IMUL_RR_##Z): a = GET_##Z(i->reg); v = GET_##Z(i->rm); IMUL_##Z; i++; HV_NEXT(i->op);                         \
	HV_OP(IMUL_RRI_##Z): a = i->imm; v = GET_##Z(i->rm); IMUL_##Z; i++; HV_NEXT(i->op);                                 \
	HV_OP(IMUL_RM_##Z): ea = EA_X; READ_AT(p, ea, BYTES_##Z); a = GET_##Z(i->reg); v = LD_##Z(p); IMUL_##Z; i++;        \
		HV_NEXT(i->op);

/* CF as a number, made of the last operation's operands */
#define DO_ADC(Z) n = x86_cf(&cpu->fl); r = SX_##Z((u64)a + (u64)v + n);                                                  \
	CARRY_FLAGS(n ? (u64)r <= (u64)a : (u64)r < (u64)a, ~(a ^ v) & (a ^ r))
#define DO_SBB(Z) n = x86_cf(&cpu->fl); r = SX_##Z((u64)a - (u64)v - n);                                                  \
	CARRY_FLAGS(n ? (u64)a <= (u64)v : (u64)a < (u64)v, (a ^ v) & (a ^ r))
#define CARRY_FLAGS(cf, over_in_sign)                                                                                    \
	cpu->fl.result = (u64)r;                                                                                          \
	cpu->fl.bits = (u32)(((cf) ? X86_FLAG_CF : 0) | ((over_in_sign) < 0 ? X86_FLAG_OF : 0) | ((a ^ v ^ r) & X86_FLAG_AF)); \
	cpu->fl.kind = X86_FL_BITS
#define CARRYING(NAME, Z)                                                                                                \
	HV_OP(NAME##_##Z##_RR): a = GET_##Z(i->rm); v = GET_##Z(i->reg); DO_##NAME(Z); PUT_##Z(i->rm, r); i++; HV_NEXT(i->op); \
	HV_OP(NAME##_##Z##_RI): a = GET_##Z(i->rm); v = i->imm; DO_##NAME(Z); PUT_##Z(i->rm, r); i++; HV_NEXT(i->op);       \
	HV_OP(NAME##_##Z##_RM): ea = EA_X; READ_AT(p, ea, BYTES_##Z); a = GET_##Z(i->reg); v = LD_##Z(p); DO_##NAME(Z);    \
		PUT_##Z(i->reg, r); i++; HV_NEXT(i->op);

#define EXCHANGES(Z)                                                                                                     \
	HV_OP(XCHG_RR_##Z): ua = R64(i->rm); PUT_##Z(i->rm, R64(i->reg)); PUT_##Z(i->reg, ua); i++; HV_NEXT(i->op);         \
	HV_OP(BT_RI_##Z): bit_flag(&cpu->fl, (R64(i->rm) >> (i->imm & (BITS_##Z - 1))) & 1); i++; HV_NEXT(i->op);

/* RSP is a 32-bit register in the D forms */
#define JUMPS(Z)                                                                                                         \
	HV_OP(JMP_R_##Z): to = hv_jump_get(&cpu->hv.blocks, U_##Z(i->rm), cpu->hv.key);                                     \
		if (unlikely(!to)) goto slow;                                                                             \
		b = to; goto enter;                                                                                       \
	HV_OP(JMP_M_##Z): ea = EA_X; READ_AT(p, ea, BYTES_##Z);                                                             \
		to = hv_jump_get(&cpu->hv.blocks, (u64)LD_##Z(p) & mask, cpu->hv.key);                                    \
		if (unlikely(!to)) goto slow;                                                                             \
		b = to; goto enter;

#define STACK(Z)                                                                                                         \
	HV_OP(PUSH_R_##Z): ea = (U_##Z(X86_RSP * 8) - BYTES_##Z) & mask; WRITE_AT(p, ea, BYTES_##Z);                        \
		ST_##Z(p, R64(i->rm)); R64(X86_RSP * 8) = ea; i++; HV_NEXT(i->op);                                        \
	HV_OP(PUSH_I_##Z): ea = (U_##Z(X86_RSP * 8) - BYTES_##Z) & mask; WRITE_AT(p, ea, BYTES_##Z);                        \
		ST_##Z(p, i->imm); R64(X86_RSP * 8) = ea; i++; HV_NEXT(i->op);                                            \
	HV_OP(POP_R_##Z): ea = U_##Z(X86_RSP * 8); READ_AT(p, ea, BYTES_##Z);                                               \
		R64(X86_RSP * 8) = (ea + BYTES_##Z) & mask; PUT_##Z(i->rm, LD_##Z(p)); i++; HV_NEXT(i->op);               \
	HV_OP(LEAVE_##Z): ea = U_##Z(X86_RBP * 8); READ_AT(p, ea, BYTES_##Z);                                               \
		R64(X86_RSP * 8) = (ea + BYTES_##Z) & mask; PUT_##Z(X86_RBP * 8, LD_##Z(p)); i++; HV_NEXT(i->op);         \
	HV_OP(CALL_##Z): ea = (U_##Z(X86_RSP * 8) - BYTES_##Z) & mask; WRITE_AT(p, ea, BYTES_##Z);                          \
		ST_##Z(p, b->va + b->bytes); R64(X86_RSP * 8) = ea; GO(1, i->imm);                                        \
	HV_OP(CALL_R_##Z): ua = U_##Z(i->rm); to = hv_jump_get(&cpu->hv.blocks, ua, cpu->hv.key);                           \
		if (unlikely(!to)) goto slow;                                                                             \
		ea = (U_##Z(X86_RSP * 8) - BYTES_##Z) & mask; WRITE_AT(p, ea, BYTES_##Z);                                 \
		ST_##Z(p, b->va + b->bytes); R64(X86_RSP * 8) = ea; b = to; goto enter;                                   \
	HV_OP(RET_##Z): ea = U_##Z(X86_RSP * 8); READ_AT(p, ea, BYTES_##Z); ua = (u64)LD_##Z(p) & mask;                     \
		to = hv_jump_get(&cpu->hv.blocks, ua, cpu->hv.key);                                                       \
		if (unlikely(!to)) goto slow;                                                                             \
		R64(X86_RSP * 8) = (ea + BYTES_##Z) & mask; b = to; goto enter;

/* The top bits of eight bytes: each byte of the product's top collects one. */
static __always_inline u32 byte_signs(u64 v)
{
	return (u32)(((v >> 7 & 0x0101010101010101ull) * 0x0102040810204080ull) >> 56);
}

/* The source is read first: guest memory may change meanwhile. */
static noinline void vector_from_memory(struct x86_cpu *cpu, const struct x86_insn *i, const void *p)
{
	union x86_v v;

	v.q[0] = env_guest_ld64(p);
	v.q[1] = env_guest_ld64((const u8 *)p + 8);
	x86_vec_int(i->sem - X86_SEM_VECTOR, x86_xmm(cpu, i->reg), &v, 16, (u8)i->imm, i->sub);
}

static noinline void rotate_flags(struct x86_flags *f, bool cf, bool of)
{
	x86_flags_put(f, (x86_flags_work_out(f) & ~(X86_FLAG_CF | X86_FLAG_OF)) | (cf ? X86_FLAG_CF : 0) |
				 (of ? X86_FLAG_OF : 0));
}

static noinline void bit_flag(struct x86_flags *f, bool cf)
{
	x86_flags_put(f, (x86_flags_work_out(f) & ~X86_FLAG_CF) | (cf ? X86_FLAG_CF : 0));
}

HV_PAGE enum hv_exit_kind X86_STEP(struct x86_cpu *cpu, u64 budget)
{
#ifndef HV_DISPATCH_SWITCH
	static const void *const hv_labels[] = HV_LABELS;
#endif
	u64 left = budget, end = cpu->hv.retired + budget, mask, ea, ua;
	struct x86_insn *i;
	struct hv_block *b, *to;
	struct hv_tlb *tlb;
	enum hv_exit_kind kind;
	enum x86_leave e;
	s64 a, v, r;
	bool over;
	void *p;
	u32 n;

	cpu->from = NULL;
	cpu->hv.replay.next = 0;
	/*
	 * The VMM may have written code (3A 8.1.3 leaves it no other way to tell us): while an exit was out, but also while the CPU
	 * was held between two batches, or from a device's thread.
	 */
	cpu->hv.epoch++;
	cpu->hv.exit.kind = HV_EXIT_NONE;
lookup:
	cpu->hv.retired = end - left;
	kind = x86_prepare(cpu, left);
	if (kind)
		goto out;
	b = cpu->block;
	tlb = &cpu->tlb[cpu->cpl == 3];
	mask = x86_code64(cpu) ? ~0ull : 0xffffffffull;
	goto run;
enter:
	if (unlikely(b->epoch != cpu->hv.epoch || env_read_once(cpu->hv.request) || left < b->count)) {
		cpu->rip = b->va;
		goto lookup;
	}
	cpu->block = b;
run:
	left -= b->count;
	i = hv_block_insns(b);
	HV_DISPATCH_BEGIN(i->op)

	HV_OP(SLOW):
slow:
		/* exact here, for the virtual TSC */
		cpu->hv.retired = end - left - (b->count - (u64)(i - (struct x86_insn *)hv_block_insns(b)));
		e = x86_slow(cpu, i);
		if (likely(e == X86_NEXT)) {
			i++;
			HV_NEXT(i->op);
		}
		left += b->count - (u64)(i - (struct x86_insn *)hv_block_insns(b));
		if (e == X86_JUMP || (e == X86_FAULT && cpu->soft))
			left--;
		kind = x86_leave_block(cpu, i, e);
		if (kind == HV_EXIT_NONE)
			goto lookup;
		if (e == X86_FAULT && cpu->soft)
			left++;
		cpu->hv.retired = end - left;
		goto out;

	HV_OP(RESYNC):	/* the bytes from here on were overwritten */
		left += b->count - (u64)(i - (struct x86_insn *)hv_block_insns(b));
		cpu->rip = b->va + (i->op == HV_OP_RESYNC && i > (struct x86_insn *)hv_block_insns(b) ?
				    (u64)i[-1].off + i[-1].len : 0);
		goto lookup;

	HV_OP(END):
		if (b->mode & X86_MODE_FLAT_CS)
			GO(0, b->va + b->bytes);
		cpu->rip = x86_code64(cpu) ? b->va + b->bytes : (u32)(b->va + b->bytes);
		goto lookup;

	HV_OP(NOP): i++; HV_NEXT(i->op);
	HV_OP(ZERO_R): R64(i->rm) = 0; FLAGS(SUB, 0, 0, 0); i++; HV_NEXT(i->op);

	SIZES(ALU_WRITING, ADD) SIZES(ALU_WRITING, OR) SIZES(ALU_WRITING, AND) SIZES(ALU_WRITING, SUB) SIZES(ALU_WRITING, XOR)
	SIZES(ALU_TESTING, CMP) SIZES(ALU_TESTING, TEST)

	HV_OP(MOV_B_RR): R8(i->rm) = R8(i->reg); i++; HV_NEXT(i->op);
	HV_OP(MOV_D_RR): R64(i->rm) = R32(i->reg); i++; HV_NEXT(i->op);
	HV_OP(MOV_Q_RR): R64(i->rm) = R64(i->reg); i++; HV_NEXT(i->op);
	HV_OP(MOV_B_RI): R8(i->rm) = (u8)i->imm; i++; HV_NEXT(i->op);
	HV_OP(MOV_D_RI): R64(i->rm) = (u64)i->imm; i++; HV_NEXT(i->op);
	HV_OP(MOV_Q_RI): R64(i->rm) = (u64)i->imm; i++; HV_NEXT(i->op);
	MOVES(B, u8) MOVES(W, u16) MOVES(D, u32) MOVES(Q, u64)
	HV_OP(MOVZX_B_R): R64(i->reg) = R8(i->rm); i++; HV_NEXT(i->op);
	HV_OP(MOVZX_W_R): R64(i->reg) = X86_REG16(cpu, i->rm); i++; HV_NEXT(i->op);
	EXTENDED(MOVZX_B_M, env_guest_ld8(p), Q, 1, M)
	EXTENDED(MOVZX_B_X, env_guest_ld8(p), Q, 1, X)
	EXTENDED(MOVZX_W_M, env_guest_ld16(p), Q, 2, M)
	EXTENDED(MOVZX_W_X, env_guest_ld16(p), Q, 2, X)
	HV_OP(MOVSX_BD_R): PUT_D(i->reg, GET_B(i->rm)); i++; HV_NEXT(i->op);
	HV_OP(MOVSX_WD_R): PUT_D(i->reg, (s16)R32(i->rm)); i++; HV_NEXT(i->op);
	HV_OP(MOVSX_BQ_R): PUT_Q(i->reg, GET_B(i->rm)); i++; HV_NEXT(i->op);
	HV_OP(MOVSX_WQ_R): PUT_Q(i->reg, (s64)(s16)R32(i->rm)); i++; HV_NEXT(i->op);
	HV_OP(MOVSX_DQ_R): PUT_Q(i->reg, GET_D(i->rm)); i++; HV_NEXT(i->op);
	EXTENDED(MOVSX_BD_X, LD_B(p), D, 1, X)
	EXTENDED(MOVSX_WD_X, LD_W(p), D, 2, X)
	EXTENDED(MOVSX_BQ_X, LD_B(p), Q, 1, X)
	EXTENDED(MOVSX_WQ_X, LD_W(p), Q, 2, X)
	EXTENDED(MOVSX_DQ_X, LD_D(p), Q, 4, X)
	HV_OP(LEA_D_M): R64(i->reg) = (u32)(R64(i->base) + (u64)i->disp); i++; HV_NEXT(i->op);
	HV_OP(LEA_D_X): R64(i->reg) = (u32)(R64(i->base) + (R64(i->index) << i->scale) + (u64)i->disp); i++; HV_NEXT(i->op);
	HV_OP(LEA_Q_M): R64(i->reg) = R64(i->base) + (u64)i->disp; i++; HV_NEXT(i->op);
	HV_OP(LEA_Q_X): R64(i->reg) = R64(i->base) + (R64(i->index) << i->scale) + (u64)i->disp; i++; HV_NEXT(i->op);

	UNARY(D) UNARY(Q)
	SHIFTS(D) SHIFTS(Q)
	ROTATES(D) ROTATES(Q)
	IMULS(D) IMULS(Q)
	HV_OP(MUL_R_D): ua = (u64)R32(X86_RAX * 8) * R32(i->rm); R64(X86_RAX * 8) = (u32)ua; R64(X86_RDX * 8) = ua >> 32;
		MUL_FLAGS((s32)ua, ua >> 32); i++; HV_NEXT(i->op);
	HV_OP(MUL_R_Q): {
		unsigned __int128 product = (unsigned __int128)R64(X86_RAX * 8) * R64(i->rm);

		R64(X86_RAX * 8) = (u64)product;
		ua = (u64)(product >> 64);
		R64(X86_RDX * 8) = ua;
		MUL_FLAGS((u64)product, ua);
		i++;
		HV_NEXT(i->op);
	}
	CARRYING(ADC, D) CARRYING(ADC, Q) CARRYING(SBB, D) CARRYING(SBB, Q)
	EXCHANGES(D) EXCHANGES(Q)
	HV_OP(BSWAP_D): PUT_D(i->rm, __builtin_bswap32(R32(i->rm))); i++; HV_NEXT(i->op);
	HV_OP(BSWAP_Q): PUT_Q(i->rm, __builtin_bswap64(R64(i->rm))); i++; HV_NEXT(i->op);
	HV_OP(CBW_D): PUT_D(0, (s16)R32(0)); i++; HV_NEXT(i->op);
	HV_OP(CBW_Q): PUT_Q(0, (s64)(s32)R32(0)); i++; HV_NEXT(i->op);
	HV_OP(CWD_D): PUT_D(X86_RDX * 8, (s32)R32(0) >> 31); i++; HV_NEXT(i->op);
	HV_OP(CWD_Q): PUT_Q(X86_RDX * 8, (s64)R64(0) >> 63); i++; HV_NEXT(i->op);
	STACK(D) STACK(Q)
	HV_OP(JMP): GO(1, i->imm);
	JUMPS(D) JUMPS(Q)
	SIXTEEN(JCC)
	SIXTEEN(SETCC)
	SIXTEEN(CMOV)
	CMPJ(B, RR, LOAD_RR(B)) CMPJ(D, RR, LOAD_RR(D)) CMPJ(Q, RR, LOAD_RR(Q))
	CMPJ(B, RI, LOAD_RI(B)) CMPJ(D, RI, LOAD_RI(D)) CMPJ(Q, RI, LOAD_RI(Q))
	CMPJ(B, MI, LOAD_MI(B)) CMPJ(D, MI, LOAD_MI(D)) CMPJ(Q, MI, LOAD_MI(Q))
	CMPJ(D, RM, LOAD_RM(D)) CMPJ(Q, RM, LOAD_RM(Q))
	TESTJ(B, RR, LOAD_RR(B)) TESTJ(D, RR, LOAD_RR(D)) TESTJ(Q, RR, LOAD_RR(Q))
	TESTJ(B, RI, LOAD_RI(B)) TESTJ(D, RI, LOAD_RI(D)) TESTJ(B, MI, LOAD_MI(B))

	/* vectors; imm of moves: address bits that must be clear */
	HV_OP(V_MOVE): *x86_xmm(cpu, i->reg) = *x86_xmm(cpu, i->rm); i++; HV_NEXT(i->op);
	HV_OP(V_LOAD):
		ea = EA_X;
		READ_AT(p, ea, 16);
		if (unlikely(ea & (u64)i->imm))
			goto slow;
		cpu->fpu.xmm[i->reg][0] = env_guest_ld64(p);
		cpu->fpu.xmm[i->reg][1] = env_guest_ld64((u8 *)p + 8);
		i++;
		HV_NEXT(i->op);
	HV_OP(V_STORE):
		ea = EA_X;
		WRITE_AT(p, ea, 16);
		if (unlikely(ea & (u64)i->imm))
			goto slow;
		env_guest_st64(p, cpu->fpu.xmm[i->reg][0]);
		env_guest_st64((u8 *)p + 8, cpu->fpu.xmm[i->reg][1]);
		i++;
		HV_NEXT(i->op);
	HV_OP(V_LOAD_Q): ea = EA_X; READ_AT(p, ea, 8); cpu->fpu.xmm[i->reg][0] = env_guest_ld64(p); cpu->fpu.xmm[i->reg][1] = 0;
		i++; HV_NEXT(i->op);
	HV_OP(V_STORE_Q): ea = EA_X; WRITE_AT(p, ea, 8); env_guest_st64(p, cpu->fpu.xmm[i->reg][0]); i++; HV_NEXT(i->op);
	HV_OP(V_INT_R): x86_vec_int(i->sem - X86_SEM_VECTOR, x86_xmm(cpu, i->reg), x86_xmm(cpu, i->rm), 16, (u8)i->imm, i->sub);
		i++; HV_NEXT(i->op);
	HV_OP(V_INT_M):
		ea = EA_X;
		READ_AT(p, ea, 16);
		if (unlikely(ea & 15))
			goto slow;
		vector_from_memory(cpu, i, p);
		i++;
		HV_NEXT(i->op);
	HV_OP(V_FROM_D): cpu->fpu.xmm[i->reg][0] = (u32)cpu->r[i->rm]; cpu->fpu.xmm[i->reg][1] = 0; i++; HV_NEXT(i->op);
	HV_OP(V_FROM_Q): cpu->fpu.xmm[i->reg][0] = cpu->r[i->rm]; cpu->fpu.xmm[i->reg][1] = 0; i++; HV_NEXT(i->op);
	HV_OP(V_MASK): cpu->r[i->reg] = byte_signs(cpu->fpu.xmm[i->rm][0]) | byte_signs(cpu->fpu.xmm[i->rm][1]) << 8; i++; HV_NEXT(i->op);

	HV_DISPATCH_END
out:
	if (kind != HV_EXIT_ACCESS && kind != HV_EXIT_PAGE) {
		cpu->hv.exit.kind = (u8)kind;
		if (kind == HV_EXIT_SHUTDOWN)
			cpu->hv.exit.fetch = 0;
	}
	return kind;
}
