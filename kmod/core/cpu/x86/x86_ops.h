/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Two lists.  X86_SEM_LIST: what an instruction means; slow.c, string.c and system.c carry out each of them in any mode, size
 * and operand form.  X86_OP_LIST: the executor's operations, each a frequent meaning in one operand size and form (exec.c).
 * Names: B W D Q are 1, 2, 4, 8 byte operands; N leaves the flags alone, for the next instructions overwrite them; R register, I immediate, M memory at base + disp, X base + index + disp.
 */
#ifndef MV_X86_OPS_H
#define MV_X86_OPS_H

#include "../dispatch.h"

#define X86_SEM_LIST(X)                                                                                                  \
	X(UD) X(ADD) X(OR) X(ADC) X(SBB) X(AND) X(SUB) X(XOR) X(CMP)                                                            \
	X(ROL) X(ROR) X(RCL) X(RCR) X(SHL) X(SHR) X(SAL) X(SAR)                                                           \
	X(BT) X(BTS) X(BTR) X(BTC)                                                                                        \
	X(TOO_LONG) X(TEST) X(MOV) X(INC) X(DEC) X(NOT) X(NEG) X(MUL) X(IMUL1) X(DIV) X(IDIV) X(IMUL2) X(IMUL3)     \
	X(SHLD) X(SHRD) X(BSF) X(BSR) X(BSWAP) X(MOVZX) X(MOVSX) X(CMOV) X(SETCC) X(XCHG) X(XADD) X(CMPXCHG)              \
	X(CMPXCHG8B) X(PUSH) X(POP) X(PUSHA) X(POPA) X(PUSHF) X(POPF) X(ENTER) X(LEAVE) X(CALL) X(CALL_RM) X(CALL_FAR)    \
	X(CALL_FARM) X(RET) X(RETF) X(JMP) X(JMP_RM) X(JMP_FAR) X(JMP_FARM) X(JCC) X(LOOP) X(LOOPE) X(LOOPNE) X(JCXZ)     \
	X(CLD) X(STD) X(CLC) X(STC) X(CMC) X(LAHF) X(SAHF) X(CBW) X(CWD) X(LEA) X(LFAR) X(XLAT) X(SALC) X(NOP) X(PAUSE)   \
	X(MOV_FROM_SEG) X(MOV_TO_SEG) X(PUSH_SEG) X(POP_SEG) X(AAM) X(AAD) X(DAA) X(DAS) X(AAA) X(AAS) X(BOUND)           \
	X(MOVS) X(CMPS) X(STOS) X(LODS) X(SCAS) X(INS) X(OUTS) X(IN) X(OUT)                                               \
	X(INT) X(INT3) X(INTO) X(INT1) X(IRET) X(CLI) X(STI) X(HLT) X(MOV_CR_FROM) X(MOV_CR_TO) X(MOV_DR_FROM)            \
	X(MOV_DR_TO) X(SGDT) X(SIDT) X(LGDT) X(LIDT) X(SMSW) X(LMSW) X(CLTS) X(INVLPG) X(SLDT) X(STR) X(LLDT) X(LTR)      \
	X(VERR) X(VERW) X(LAR) X(LSL) X(ARPL) X(CPUID) X(RDMSR) X(WRMSR) X(RDTSC) X(SYSCALL) X(SYSRET) X(SYSENTER)        \
	X(SYSEXIT) X(SWAPGS) X(WAIT) X(WBINVD) X(RDPMC) X(VMCALL)                                                         \
	X(X87) X(EMMS) X(FXSAVE) X(FXRSTOR) X(LDMXCSR) X(STMXCSR) X(XSAVE) X(XRSTOR) X(XSAVEOPT) X(XGETBV) X(XSETBV)      \
	X(POPCNT) X(TZCNT) X(LZCNT) X(MOVBE) X(CRC32) X(ADCX) X(ADOX) X(RDRAND) X(RDTSCP) X(CLAC) X(STAC) X(RDBASE)       \
	X(WRBASE) X(MOVNTI) X(ANDN) X(BEXTR) X(BLSR) X(BLSMSK) X(BLSI) X(BZHI) X(PEXT) X(PDEP) X(MULX) X(RORX) X(SARX)     \
	X(SHLX) X(SHRX)

enum x86_sem {
#define X(name) X86_SEM_##name,
	X86_SEM_LIST(X)
#undef X
	X86_SEMS
};

#define X86_CC_LIST(X, ...)                                                                                              \
	X(0, __VA_ARGS__) X(1, __VA_ARGS__) X(2, __VA_ARGS__) X(3, __VA_ARGS__) X(4, __VA_ARGS__) X(5, __VA_ARGS__)       \
	X(6, __VA_ARGS__) X(7, __VA_ARGS__) X(8, __VA_ARGS__) X(9, __VA_ARGS__) X(10, __VA_ARGS__) X(11, __VA_ARGS__)     \
	X(12, __VA_ARGS__) X(13, __VA_ARGS__) X(14, __VA_ARGS__) X(15, __VA_ARGS__)

/* The conditions that follow CMP in one operation; parity, overflow and sign are left to the pair of operations. */
#define X86_FUSED_CC(X, name)                                                                                            \
	X(name##_2) X(name##_3) X(name##_4) X(name##_5) X(name##_6) X(name##_7) X(name##_12) X(name##_13) X(name##_14)    \
	X(name##_15)
/* ... and TEST */
#define X86_FUSED_TEST_CC(X, name) X(name##_4) X(name##_5) X(name##_8) X(name##_9) X(name##_14) X(name##_15)

#define X86_16(X, name)                                                                                                  \
	X(name##_0) X(name##_1) X(name##_2) X(name##_3) X(name##_4) X(name##_5) X(name##_6) X(name##_7) X(name##_8)       \
	X(name##_9) X(name##_10) X(name##_11) X(name##_12) X(name##_13) X(name##_14) X(name##_15)

#define X86_ALU_FORMS(X, name) X(name##_RR) X(name##_RI) X(name##_RM) X(name##_MR) X(name##_MI)
#define X86_ALU_SIZES(X, name) X86_ALU_FORMS(X, name##_B) X86_ALU_FORMS(X, name##_D) X86_ALU_FORMS(X, name##_Q)
#define X86_CARRYING(X, name) X(name##_RR) X(name##_RI) X(name##_RM)
#define X86_DQ(X, name) X(name##_D) X(name##_Q)
#define X86_MX(X, name) X(name##_M) X(name##_X)

#define X86_OP_LIST(X)                                                                                                   \
	X(SLOW) X(RESYNC) X(END) X(NOP)                                                                                   \
	X86_ALU_SIZES(X, ADD) X86_ALU_SIZES(X, OR) X86_ALU_SIZES(X, AND) X86_ALU_SIZES(X, SUB) X86_ALU_SIZES(X, XOR)      \
	X86_ALU_SIZES(X, CMP) X86_ALU_SIZES(X, TEST)                                                                      \
	X(ZERO_R)                                                                                                         \
	X(MOV_B_RR) X(MOV_D_RR) X(MOV_Q_RR) X(MOV_B_RI) X(MOV_D_RI) X(MOV_Q_RI)                                           \
	X86_MX(X, MOV_B_R) X86_MX(X, MOV_W_R) X86_MX(X, MOV_D_R) X86_MX(X, MOV_Q_R)                                       \
	X86_MX(X, MOV_B_S) X86_MX(X, MOV_W_S) X86_MX(X, MOV_D_S) X86_MX(X, MOV_Q_S)                                       \
	X(MOV_B_SI) X(MOV_W_SI) X(MOV_D_SI) X(MOV_Q_SI)                                                                   \
	X(MOVZX_B_R) X(MOVZX_W_R) X86_MX(X, MOVZX_B) X86_MX(X, MOVZX_W)                                                   \
	X(MOVSX_BD_R) X(MOVSX_WD_R) X(MOVSX_BQ_R) X(MOVSX_WQ_R) X(MOVSX_DQ_R)                                             \
	X(MOVSX_BD_X) X(MOVSX_WD_X) X(MOVSX_BQ_X) X(MOVSX_WQ_X) X(MOVSX_DQ_X)                                             \
	X(LEA_D_M) X(LEA_D_X) X(LEA_Q_M) X(LEA_Q_X)                                                                       \
	X86_DQ(X, INC_R) X86_DQ(X, DEC_R) X86_DQ(X, INC_M) X86_DQ(X, DEC_M) X86_DQ(X, NEG_R) X86_DQ(X, NOT_R)             \
	X86_DQ(X, SHL_RI) X86_DQ(X, SHR_RI) X86_DQ(X, SAR_RI) X86_DQ(X, SHL_RC) X86_DQ(X, SHR_RC) X86_DQ(X, SAR_RC)       \
	X86_DQ(X, ROL_RI) X86_DQ(X, ROR_RI) X86_DQ(X, ROLN_RI) X86_DQ(X, RORN_RI)                               \
	X86_DQ(X, IMUL_RR) X86_DQ(X, IMUL_RM) X86_DQ(X, IMUL_RRI) X86_DQ(X, MUL_R)                                        \
	X86_CARRYING(X, ADC_D) X86_CARRYING(X, ADC_Q) X86_CARRYING(X, SBB_D) X86_CARRYING(X, SBB_Q) X86_DQ(X, XCHG_RR) X86_DQ(X, BT_RI) X86_DQ(X, BSWAP)                          \
	X86_DQ(X, CBW) X86_DQ(X, CWD)                                                                                     \
	X86_DQ(X, PUSH_R) X86_DQ(X, PUSH_I) X86_DQ(X, POP_R) X86_DQ(X, LEAVE)                                             \
	X86_DQ(X, CALL) X86_DQ(X, CALL_R) X86_DQ(X, RET) X(JMP) X86_DQ(X, JMP_R) X86_DQ(X, JMP_M)                                       \
	X86_16(X, JCC) X86_16(X, SETCC) X86_16(X, CMOV_D) X86_16(X, CMOV_Q)                                               \
	X86_FUSED_CC(X, CMPJ_B_RR) X86_FUSED_CC(X, CMPJ_D_RR) X86_FUSED_CC(X, CMPJ_Q_RR)                                  \
	X86_FUSED_CC(X, CMPJ_B_RI) X86_FUSED_CC(X, CMPJ_D_RI) X86_FUSED_CC(X, CMPJ_Q_RI)                                  \
	X86_FUSED_CC(X, CMPJ_B_MI) X86_FUSED_CC(X, CMPJ_D_MI) X86_FUSED_CC(X, CMPJ_Q_MI)                                  \
	X86_FUSED_CC(X, CMPJ_D_RM) X86_FUSED_CC(X, CMPJ_Q_RM)                                                             \
	X86_FUSED_TEST_CC(X, TESTJ_B_RR) X86_FUSED_TEST_CC(X, TESTJ_D_RR) X86_FUSED_TEST_CC(X, TESTJ_Q_RR)                \
	X86_FUSED_TEST_CC(X, TESTJ_B_RI) X86_FUSED_TEST_CC(X, TESTJ_D_RI) X86_FUSED_TEST_CC(X, TESTJ_B_MI)                \
	X(V_MOVE) X(V_LOAD) X(V_STORE) X(V_LOAD_Q) X(V_STORE_Q) X(V_INT_R) X(V_INT_M) X(V_FROM_D) X(V_FROM_Q) X(V_MASK)

/*
 * The most frequent ones, about a third and another 40 % of what Debian's kernel and a mix of C programs execute
 * (dispatch.h says what for).
 */
#define X86_HOT_OPS(X) \
	X(MOV_D_RR) X(ADD_Q_RI) X(ADD_D_RR) X(ADD_D_RI) X(MOV_Q_RR) X(XOR_D_RR) X(MOV_Q_R_M) X(MOVZX_B_M)
#define X86_WARM_OPS(X) \
	X(MOV_Q_S_M) X(ADD_Q_RR) X(MOV_D_R_M) X(CMPJ_Q_RI_5) X(JMP) X(MOV_D_S_M) X(MOV_B_SI) X(MOV_D_R_X) X(SLOW) \
	X(CMPJ_D_RR_5) X(LEA_Q_X) X(PUSH_R_Q) X(POP_R_Q) X(LEA_D_M) X(SUB_D_RI) X(CMPJ_D_RR_2) X(MOVSX_DQ_R) X(NOP) \
	X(LEA_Q_M) X(CMPJ_D_RI_6) X(RET_Q) X(CMPJ_D_RI_5) X(CALL_Q) X(SHR_RI_D) X(MOV_D_S_X) X(LEA_D_X) X(RORN_RI_D) \
	X(SHL_RI_D) X(ROLN_RI_D) X(CMPJ_Q_RR_2) X(SUB_Q_RI) X(MOV_D_RI)

enum x86_op { HV_NUMBERS(X86_OP_LIST, X86_WARM_OPS, X86_HOT_OPS) };

#endif
