/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The executor's operations: ARM64_OPS(O) names each once; the enum, the label table and the names come from here.
 *
 * A name is OPERATION_FORM_WIDTH.  Forms: I immediate, R register, LSL LSR ASR ROR shifted register, EXT extended register;
 * of addresses: I base + immediate, R base + (register << sh), U and S base + (word register extended << sh), PRE and POST
 * with writeback.  LDQ, LDD, LDS and their like are SIMD&FP registers of 128, 64 and 32 bits; VEC is any other instruction on
 * them, by its row in simd/simd_list.h.  CMPB_* and TSTB_* are a comparison and the conditional branch behind it.
 */
#ifndef MV_ARM64_OPS_H
#define MV_ARM64_OPS_H

#include "../dispatch.h"

#define ARM64_CONDS(M, ...) \
	M(EQ, __VA_ARGS__) M(NE, __VA_ARGS__) M(CS, __VA_ARGS__) M(CC, __VA_ARGS__) M(MI, __VA_ARGS__) M(PL, __VA_ARGS__) \
	M(VS, __VA_ARGS__) M(VC, __VA_ARGS__) M(HI, __VA_ARGS__) M(LS, __VA_ARGS__) M(GE, __VA_ARGS__) M(LT, __VA_ARGS__) \
	M(GT, __VA_ARGS__) M(LE, __VA_ARGS__)

#define ARM64_OP_WX(O, name) O(name##_X) O(name##_W)
#define ARM64_OP_SHIFTS(O, name) \
	ARM64_OP_WX(O, name##_LSL) ARM64_OP_WX(O, name##_LSR) ARM64_OP_WX(O, name##_ASR) ARM64_OP_WX(O, name##_ROR)
/* order within a family: I, R, LSL, LSR, ASR, then ROR or EXT, each X before W: the decoder adds up */
#define ARM64_OP_SUM(O, name) \
	ARM64_OP_WX(O, name##_I) ARM64_OP_WX(O, name##_R) ARM64_OP_WX(O, name##_LSL) ARM64_OP_WX(O, name##_LSR) \
	ARM64_OP_WX(O, name##_ASR) ARM64_OP_WX(O, name##_EXT)
#define ARM64_OP_LOGIC(O, name) ARM64_OP_WX(O, name##_R) ARM64_OP_SHIFTS(O, name)
#define ARM64_OP_MEM(O, name) O(name##_I) O(name##_R) O(name##_U) O(name##_S) O(name##_PRE) O(name##_POST)
#define ARM64_OP_PAIR(O, name) O(name##_I) O(name##_PRE) O(name##_POST)
#define ARM64_OP_B(cond, O, name) O(name##_##cond)
#define ARM64_OP_CMPB(cond, O, name) O(name##_X_##cond) O(name##_W_##cond)

#define ARM64_OPS(O) \
	O(SLOW) O(SLOW_END) O(FALL) O(FALL_SP) O(NOP) \
	O(MOVI) O(MOVI2) O(MOVI3) O(MOVI4) ARM64_OP_WX(O, MOV) ARM64_OP_WX(O, MOVK) \
	ARM64_OP_SUM(O, ADD) ARM64_OP_SUM(O, SUB) ARM64_OP_SUM(O, ADDS) ARM64_OP_SUM(O, SUBS) \
	ARM64_OP_LOGIC(O, AND) ARM64_OP_LOGIC(O, BIC) ARM64_OP_LOGIC(O, ORR) ARM64_OP_LOGIC(O, ORN) \
	ARM64_OP_LOGIC(O, EOR) ARM64_OP_LOGIC(O, EON) ARM64_OP_LOGIC(O, ANDS) ARM64_OP_LOGIC(O, BICS) \
	ARM64_OP_WX(O, AND_I) ARM64_OP_WX(O, ORR_I) ARM64_OP_WX(O, EOR_I) ARM64_OP_WX(O, ANDS_I) \
	ARM64_OP_WX(O, ADC) ARM64_OP_WX(O, SBC) ARM64_OP_WX(O, ADCS) ARM64_OP_WX(O, SBCS) \
	ARM64_OP_WX(O, LSLI) ARM64_OP_WX(O, LSRI) ARM64_OP_WX(O, ASRI) O(SXTW) \
	ARM64_OP_WX(O, UBFX) ARM64_OP_WX(O, UBFIZ) ARM64_OP_WX(O, SBF) ARM64_OP_WX(O, BFM) ARM64_OP_WX(O, EXTR) \
	ARM64_OP_WX(O, LSLV) ARM64_OP_WX(O, LSRV) ARM64_OP_WX(O, ASRV) ARM64_OP_WX(O, RORV) \
	ARM64_OP_WX(O, CSEL) ARM64_OP_WX(O, CCMP_I) ARM64_OP_WX(O, CCMP_R) ARM64_OP_WX(O, CCMN_I) ARM64_OP_WX(O, CCMN_R) \
	ARM64_OP_WX(O, MADD) ARM64_OP_WX(O, MSUB) O(SMADDL) O(UMADDL) O(SMSUBL) O(UMSUBL) O(SMULH) O(UMULH) \
	ARM64_OP_WX(O, UDIV) ARM64_OP_WX(O, SDIV) ARM64_OP_WX(O, CLZ) ARM64_OP_WX(O, REV) \
	O(B) O(BL) O(BR) O(BLR) ARM64_OP_WX(O, CBZ) ARM64_OP_WX(O, CBNZ) O(TBZ) O(TBNZ) \
	ARM64_CONDS(ARM64_OP_B, O, B) \
	ARM64_CONDS(ARM64_OP_CMPB, O, CMPB_I) ARM64_CONDS(ARM64_OP_CMPB, O, CMPB_R) \
	ARM64_OP_WX(O, TSTB_I_EQ) ARM64_OP_WX(O, TSTB_I_NE) ARM64_OP_WX(O, TSTB_R_EQ) ARM64_OP_WX(O, TSTB_R_NE) \
	ARM64_OP_MEM(O, LDX) ARM64_OP_MEM(O, LDW) ARM64_OP_MEM(O, LDH) ARM64_OP_MEM(O, LDB) ARM64_OP_MEM(O, LDSW) \
	ARM64_OP_MEM(O, LDSHX) ARM64_OP_MEM(O, LDSBX) ARM64_OP_MEM(O, LDSHW) ARM64_OP_MEM(O, LDSBW) \
	ARM64_OP_MEM(O, STX) ARM64_OP_MEM(O, STW) ARM64_OP_MEM(O, STH) ARM64_OP_MEM(O, STB) \
	ARM64_OP_PAIR(O, LDPX) ARM64_OP_PAIR(O, LDPW) ARM64_OP_PAIR(O, STPX) ARM64_OP_PAIR(O, STPW) \
	ARM64_OP_MEM(O, LDQ) ARM64_OP_MEM(O, LDD) ARM64_OP_MEM(O, LDS) ARM64_OP_MEM(O, STQ) ARM64_OP_MEM(O, STD) \
	ARM64_OP_MEM(O, STS) ARM64_OP_PAIR(O, LDPQ) ARM64_OP_PAIR(O, LDPD) ARM64_OP_PAIR(O, STPQ) ARM64_OP_PAIR(O, STPD) O(VEC)

/*
 * The most frequent ones, about a third and another 40 % of what Debian's kernel and a mix of C programs execute
 * (dispatch.h says what for).
 */
#define ARM64_HOT_OPS(O) \
	O(ADD_R_W) O(ADD_I_X) O(ADD_I_W) O(MOV_X) O(EOR_R_W) O(ADD_R_X) O(EXTR_W) O(NOP)
#define ARM64_WARM_OPS(O) \
	O(MOV_W) O(LDX_I) O(MOVI) O(LDX_R) O(SLOW) O(CMPB_R_X_NE) O(STX_R) O(CMPB_I_X_NE) O(CMPB_I_W_EQ) O(LDW_I) \
	O(CMPB_R_W_NE) O(B) O(STW_I) O(STB_U) O(LDB_U) O(CMPB_R_W_HI) O(BR) O(STPX_I) O(LDW_POST) O(CMPB_R_W_LS) \
	O(BL) O(LDPX_I) O(EOR_ROR_W) O(STX_I) O(MOVI2) O(LDW_U) O(EOR_LSL_W) O(CMPB_R_W_CC) O(LDB_POST) O(CSEL_W) \
	O(MADD_W) O(SUB_R_X)

enum arm64_op { HV_NUMBERS(ARM64_OPS, ARM64_WARM_OPS, ARM64_HOT_OPS) };

#endif
