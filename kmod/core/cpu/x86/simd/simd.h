/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * MMX and SSE to SSE4.2, AES, PCLMULQDQ: one list of instructions, X86_VEC_LIST, from which decoder, executor, tests and
 * docs/x86-opcodes.md take their tables.
 *
 * X(name, map, opcode, prefixes, kind, feature, flags).  map: 0 is 0F, 1 is 0F 38, 2 is 0F 3A.  The mandatory prefix is a
 * column: none, 66, F3, F2; a row often stands for several (ADDPS, ADDPD, ADDSS, ADDSD are columns of ADD).
 */
#ifndef MV_X86_SIMD_H
#define MV_X86_SIMD_H

#include "../internal.h"

enum x86_vec_column { X86_VEC_NP, X86_VEC_66, X86_VEC_F3, X86_VEC_F2 };
#define VP_NP 1u
#define VP_66 2u
#define VP_F3 4u
#define VP_F2 8u
#define VP_MX (VP_NP | VP_66)	/* none: MMX registers, 66: XMM */
#define VP_PSD (VP_NP | VP_66)	/* PS, PD */
#define VP_ALL 15u

/* Classes: integer operation dst = f(dst, src); floating point by column; everything with operands of its own kind. */
enum x86_vec_class { VC_INT, VC_FP, VC_MISC };

#define VF_IMM 1u	/* imm8 follows */
#define VF_REG 2u	/* register forms only */
#define VF_MEM 4u	/* memory forms only */
#define VF_ANY 8u	/* memory need not be aligned */
#define VF_M2 0x10u	/* memory operand of 2, 4 or 8 bytes */
#define VF_M4 0x20u
#define VF_M8 0x40u
#define VF_DIGIT 0x80u	/* reg field extends the opcode */
#define VF_MMX 0x100u	/* column NP works on MMX registers */
#define VF_MM VF_MMX

#define X86_VEC_LIST(X)                                                                                                  \
	X(MOVU, 0, 0x10, VP_PSD, VC_MISC, SSE, VF_ANY) X(MOVS_LD, 0, 0x10, VP_F3 | VP_F2, VC_MISC, SSE, VF_ANY)           \
	X(MOVU_ST, 0, 0x11, VP_PSD, VC_MISC, SSE, VF_ANY) X(MOVS_ST, 0, 0x11, VP_F3 | VP_F2, VC_MISC, SSE, VF_ANY)        \
	X(MOVL, 0, 0x12, VP_NP, VC_MISC, SSE, VF_M8) X(MOVLPD, 0, 0x12, VP_66, VC_MISC, SSE, VF_M8 | VF_MEM)              \
	X(MOVSLDUP, 0, 0x12, VP_F3, VC_INT, SSE3, 0) X(MOVDDUP, 0, 0x12, VP_F2, VC_INT, SSE3, VF_M8)                      \
	X(MOVL_ST, 0, 0x13, VP_PSD, VC_MISC, SSE, VF_MEM)                                                                 \
	X(UNPCKL, 0, 0x14, VP_PSD, VC_INT, SSE, 0) X(UNPCKH, 0, 0x15, VP_PSD, VC_INT, SSE, 0)                             \
	X(MOVH, 0, 0x16, VP_NP, VC_MISC, SSE, VF_M8) X(MOVHPD, 0, 0x16, VP_66, VC_MISC, SSE, VF_M8 | VF_MEM)              \
	X(MOVSHDUP, 0, 0x16, VP_F3, VC_INT, SSE3, 0) X(MOVH_ST, 0, 0x17, VP_PSD, VC_MISC, SSE, VF_MEM)                    \
	X(MOVA, 0, 0x28, VP_PSD, VC_MISC, SSE, 0) X(MOVA_ST, 0, 0x29, VP_PSD, VC_MISC, SSE, 0)                            \
	X(CVTPI2P, 0, 0x2a, VP_PSD, VC_MISC, SSE, VF_M8) X(CVTSI2S, 0, 0x2a, VP_F3 | VP_F2, VC_MISC, SSE, VF_ANY)         \
	X(MOVNTP, 0, 0x2b, VP_PSD, VC_MISC, SSE, VF_MEM)                                                                  \
	X(CVTTP2PI, 0, 0x2c, VP_PSD, VC_MISC, SSE, 0) X(CVTTS2SI, 0, 0x2c, VP_F3 | VP_F2, VC_MISC, SSE, VF_ANY)           \
	X(CVTP2PI, 0, 0x2d, VP_PSD, VC_MISC, SSE, 0) X(CVTS2SI, 0, 0x2d, VP_F3 | VP_F2, VC_MISC, SSE, VF_ANY)             \
	X(UCOMI, 0, 0x2e, VP_PSD, VC_MISC, SSE, VF_ANY) X(COMI, 0, 0x2f, VP_PSD, VC_MISC, SSE, VF_ANY)                    \
	X(MOVMSKP, 0, 0x50, VP_PSD, VC_MISC, SSE, VF_REG)                                                                 \
	X(SQRT, 0, 0x51, VP_ALL, VC_FP, SSE, 0) X(RSQRT, 0, 0x52, VP_NP | VP_F3, VC_FP, SSE, 0)                           \
	X(RCP, 0, 0x53, VP_NP | VP_F3, VC_FP, SSE, 0) X(ANDP, 0, 0x54, VP_PSD, VC_INT, SSE, 0)                            \
	X(ANDNP, 0, 0x55, VP_PSD, VC_INT, SSE, 0) X(ORP, 0, 0x56, VP_PSD, VC_INT, SSE, 0)                                 \
	X(XORP, 0, 0x57, VP_PSD, VC_INT, SSE, 0) X(ADD, 0, 0x58, VP_ALL, VC_FP, SSE, 0)                                   \
	X(MUL, 0, 0x59, VP_ALL, VC_FP, SSE, 0) X(CVTPS2PD, 0, 0x5a, VP_NP, VC_MISC, SSE2, VF_M8)                          \
	X(CVTPD2PS, 0, 0x5a, VP_66, VC_MISC, SSE2, 0) X(CVTS2S, 0, 0x5a, VP_F3 | VP_F2, VC_MISC, SSE2, VF_ANY)            \
	X(CVTDQ2PS, 0, 0x5b, VP_NP, VC_MISC, SSE2, 0) X(CVTPS2DQ, 0, 0x5b, VP_66, VC_MISC, SSE2, 0)                       \
	X(CVTTPS2DQ, 0, 0x5b, VP_F3, VC_MISC, SSE2, 0)                                                                    \
	X(SUB, 0, 0x5c, VP_ALL, VC_FP, SSE, 0) X(MIN, 0, 0x5d, VP_ALL, VC_FP, SSE, 0)                                     \
	X(DIV, 0, 0x5e, VP_ALL, VC_FP, SSE, 0) X(MAX, 0, 0x5f, VP_ALL, VC_FP, SSE, 0)                                     \
	X(PUNPCKLBW, 0, 0x60, VP_MX, VC_INT, MMX, VF_MM) X(PUNPCKLWD, 0, 0x61, VP_MX, VC_INT, MMX, VF_MM)                 \
	X(PUNPCKLDQ, 0, 0x62, VP_MX, VC_INT, MMX, VF_MM) X(PACKSSWB, 0, 0x63, VP_MX, VC_INT, MMX, VF_MM)                  \
	X(PCMPGTB, 0, 0x64, VP_MX, VC_INT, MMX, VF_MM) X(PCMPGTW, 0, 0x65, VP_MX, VC_INT, MMX, VF_MM)                     \
	X(PCMPGTD, 0, 0x66, VP_MX, VC_INT, MMX, VF_MM) X(PACKUSWB, 0, 0x67, VP_MX, VC_INT, MMX, VF_MM)                    \
	X(PUNPCKHBW, 0, 0x68, VP_MX, VC_INT, MMX, VF_MM) X(PUNPCKHWD, 0, 0x69, VP_MX, VC_INT, MMX, VF_MM)                 \
	X(PUNPCKHDQ, 0, 0x6a, VP_MX, VC_INT, MMX, VF_MM) X(PACKSSDW, 0, 0x6b, VP_MX, VC_INT, MMX, VF_MM)                  \
	X(PUNPCKLQDQ, 0, 0x6c, VP_66, VC_INT, SSE2, 0) X(PUNPCKHQDQ, 0, 0x6d, VP_66, VC_INT, SSE2, 0)                     \
	X(MOVD, 0, 0x6e, VP_MX, VC_MISC, MMX, VF_MM | VF_ANY) X(MOVQ_MM, 0, 0x6f, VP_NP, VC_MISC, MMX, VF_MM)             \
	X(MOVDQ, 0, 0x6f, VP_66 | VP_F3, VC_MISC, SSE2, 0) X(PSHUFW, 0, 0x70, VP_NP, VC_INT, SSE, VF_MM | VF_IMM)         \
	X(PSHUFD, 0, 0x70, VP_66, VC_INT, SSE2, VF_IMM) X(PSHUFHW, 0, 0x70, VP_F3, VC_INT, SSE2, VF_IMM)                  \
	X(PSHUFLW, 0, 0x70, VP_F2, VC_INT, SSE2, VF_IMM)                                                                  \
	X(SHIFTW, 0, 0x71, VP_MX, VC_MISC, MMX, VF_MM | VF_IMM | VF_REG | VF_DIGIT)                                       \
	X(SHIFTD, 0, 0x72, VP_MX, VC_MISC, MMX, VF_MM | VF_IMM | VF_REG | VF_DIGIT)                                       \
	X(SHIFTQ, 0, 0x73, VP_MX, VC_MISC, MMX, VF_MM | VF_IMM | VF_REG | VF_DIGIT)                                       \
	X(PCMPEQB, 0, 0x74, VP_MX, VC_INT, MMX, VF_MM) X(PCMPEQW, 0, 0x75, VP_MX, VC_INT, MMX, VF_MM)                     \
	X(PCMPEQD, 0, 0x76, VP_MX, VC_INT, MMX, VF_MM) X(HADDP, 0, 0x7c, VP_66 | VP_F2, VC_MISC, SSE3, 0)                 \
	X(HSUBP, 0, 0x7d, VP_66 | VP_F2, VC_MISC, SSE3, 0) X(MOVD_ST, 0, 0x7e, VP_MX, VC_MISC, MMX, VF_MM | VF_ANY)       \
	X(MOVQ, 0, 0x7e, VP_F3, VC_MISC, SSE2, VF_M8) X(MOVQ_MM_ST, 0, 0x7f, VP_NP, VC_MISC, MMX, VF_MM)                  \
	X(MOVDQ_ST, 0, 0x7f, VP_66 | VP_F3, VC_MISC, SSE2, 0) X(CMPP, 0, 0xc2, VP_ALL, VC_FP, SSE, VF_IMM)                \
	X(PINSRW, 0, 0xc4, VP_MX, VC_MISC, SSE, VF_MM | VF_IMM | VF_ANY)                                                  \
	X(PEXTRW, 0, 0xc5, VP_MX, VC_MISC, SSE, VF_MM | VF_IMM | VF_REG)                                                  \
	X(SHUFP, 0, 0xc6, VP_PSD, VC_INT, SSE, VF_IMM) X(ADDSUBP, 0, 0xd0, VP_66 | VP_F2, VC_MISC, SSE3, 0)               \
	X(PSRLW, 0, 0xd1, VP_MX, VC_INT, MMX, VF_MM) X(PSRLD, 0, 0xd2, VP_MX, VC_INT, MMX, VF_MM)                         \
	X(PSRLQ, 0, 0xd3, VP_MX, VC_INT, MMX, VF_MM) X(PADDQ, 0, 0xd4, VP_MX, VC_INT, SSE2, VF_MM)                        \
	X(PMULLW, 0, 0xd5, VP_MX, VC_INT, MMX, VF_MM) X(MOVQ_ST, 0, 0xd6, VP_66, VC_MISC, SSE2, VF_ANY)                   \
	X(MOVQ2DQ, 0, 0xd6, VP_F3, VC_MISC, SSE2, VF_REG) X(MOVDQ2Q, 0, 0xd6, VP_F2, VC_MISC, SSE2, VF_REG)               \
	X(PMOVMSKB, 0, 0xd7, VP_MX, VC_MISC, SSE, VF_MM | VF_REG)                                                         \
	X(PSUBUSB, 0, 0xd8, VP_MX, VC_INT, MMX, VF_MM) X(PSUBUSW, 0, 0xd9, VP_MX, VC_INT, MMX, VF_MM)                     \
	X(PMINUB, 0, 0xda, VP_MX, VC_INT, SSE, VF_MM) X(PAND, 0, 0xdb, VP_MX, VC_INT, MMX, VF_MM)                         \
	X(PADDUSB, 0, 0xdc, VP_MX, VC_INT, MMX, VF_MM) X(PADDUSW, 0, 0xdd, VP_MX, VC_INT, MMX, VF_MM)                     \
	X(PMAXUB, 0, 0xde, VP_MX, VC_INT, SSE, VF_MM) X(PANDN, 0, 0xdf, VP_MX, VC_INT, MMX, VF_MM)                        \
	X(PAVGB, 0, 0xe0, VP_MX, VC_INT, SSE, VF_MM) X(PSRAW, 0, 0xe1, VP_MX, VC_INT, MMX, VF_MM)                         \
	X(PSRAD, 0, 0xe2, VP_MX, VC_INT, MMX, VF_MM) X(PAVGW, 0, 0xe3, VP_MX, VC_INT, SSE, VF_MM)                         \
	X(PMULHUW, 0, 0xe4, VP_MX, VC_INT, SSE, VF_MM) X(PMULHW, 0, 0xe5, VP_MX, VC_INT, MMX, VF_MM)                      \
	X(CVTTPD2DQ, 0, 0xe6, VP_66, VC_MISC, SSE2, 0) X(CVTDQ2PD, 0, 0xe6, VP_F3, VC_MISC, SSE2, VF_M8)                  \
	X(CVTPD2DQ, 0, 0xe6, VP_F2, VC_MISC, SSE2, 0) X(MOVNTQ, 0, 0xe7, VP_NP, VC_MISC, SSE, VF_MM | VF_MEM)             \
	X(MOVNTDQ, 0, 0xe7, VP_66, VC_MISC, SSE2, VF_MEM)                                                                 \
	X(PSUBSB, 0, 0xe8, VP_MX, VC_INT, MMX, VF_MM) X(PSUBSW, 0, 0xe9, VP_MX, VC_INT, MMX, VF_MM)                       \
	X(PMINSW, 0, 0xea, VP_MX, VC_INT, SSE, VF_MM) X(POR, 0, 0xeb, VP_MX, VC_INT, MMX, VF_MM)                          \
	X(PADDSB, 0, 0xec, VP_MX, VC_INT, MMX, VF_MM) X(PADDSW, 0, 0xed, VP_MX, VC_INT, MMX, VF_MM)                       \
	X(PMAXSW, 0, 0xee, VP_MX, VC_INT, SSE, VF_MM) X(PXOR, 0, 0xef, VP_MX, VC_INT, MMX, VF_MM)                         \
	X(LDDQU, 0, 0xf0, VP_F2, VC_MISC, SSE3, VF_MEM | VF_ANY) X(PSLLW, 0, 0xf1, VP_MX, VC_INT, MMX, VF_MM)             \
	X(PSLLD, 0, 0xf2, VP_MX, VC_INT, MMX, VF_MM) X(PSLLQ, 0, 0xf3, VP_MX, VC_INT, MMX, VF_MM)                         \
	X(PMULUDQ, 0, 0xf4, VP_MX, VC_INT, SSE2, VF_MM) X(PMADDWD, 0, 0xf5, VP_MX, VC_INT, MMX, VF_MM)                    \
	X(PSADBW, 0, 0xf6, VP_MX, VC_INT, SSE, VF_MM) X(MASKMOV, 0, 0xf7, VP_MX, VC_MISC, SSE, VF_MM | VF_REG)            \
	X(PSUBB, 0, 0xf8, VP_MX, VC_INT, MMX, VF_MM) X(PSUBW, 0, 0xf9, VP_MX, VC_INT, MMX, VF_MM)                         \
	X(PSUBD, 0, 0xfa, VP_MX, VC_INT, MMX, VF_MM) X(PSUBQ, 0, 0xfb, VP_MX, VC_INT, SSE2, VF_MM)                        \
	X(PADDB, 0, 0xfc, VP_MX, VC_INT, MMX, VF_MM) X(PADDW, 0, 0xfd, VP_MX, VC_INT, MMX, VF_MM)                         \
	X(PADDD, 0, 0xfe, VP_MX, VC_INT, MMX, VF_MM)                                                                      \
	X(PSHUFB, 1, 0x00, VP_MX, VC_INT, SSSE3, VF_MM) X(PHADDW, 1, 0x01, VP_MX, VC_INT, SSSE3, VF_MM)                   \
	X(PHADDD, 1, 0x02, VP_MX, VC_INT, SSSE3, VF_MM) X(PHADDSW, 1, 0x03, VP_MX, VC_INT, SSSE3, VF_MM)                  \
	X(PMADDUBSW, 1, 0x04, VP_MX, VC_INT, SSSE3, VF_MM) X(PHSUBW, 1, 0x05, VP_MX, VC_INT, SSSE3, VF_MM)                \
	X(PHSUBD, 1, 0x06, VP_MX, VC_INT, SSSE3, VF_MM) X(PHSUBSW, 1, 0x07, VP_MX, VC_INT, SSSE3, VF_MM)                  \
	X(PSIGNB, 1, 0x08, VP_MX, VC_INT, SSSE3, VF_MM) X(PSIGNW, 1, 0x09, VP_MX, VC_INT, SSSE3, VF_MM)                   \
	X(PSIGND, 1, 0x0a, VP_MX, VC_INT, SSSE3, VF_MM) X(PMULHRSW, 1, 0x0b, VP_MX, VC_INT, SSSE3, VF_MM)                 \
	X(PBLENDVB, 1, 0x10, VP_66, VC_MISC, SSE41, 0) X(BLENDVPS, 1, 0x14, VP_66, VC_MISC, SSE41, 0)                     \
	X(BLENDVPD, 1, 0x15, VP_66, VC_MISC, SSE41, 0) X(PTEST, 1, 0x17, VP_66, VC_MISC, SSE41, 0)                        \
	X(PABSB, 1, 0x1c, VP_MX, VC_INT, SSSE3, VF_MM) X(PABSW, 1, 0x1d, VP_MX, VC_INT, SSSE3, VF_MM)                     \
	X(PABSD, 1, 0x1e, VP_MX, VC_INT, SSSE3, VF_MM)                                                                    \
	X(PMOVSXBW, 1, 0x20, VP_66, VC_INT, SSE41, VF_M8) X(PMOVSXBD, 1, 0x21, VP_66, VC_INT, SSE41, VF_M4)               \
	X(PMOVSXBQ, 1, 0x22, VP_66, VC_INT, SSE41, VF_M2) X(PMOVSXWD, 1, 0x23, VP_66, VC_INT, SSE41, VF_M8)               \
	X(PMOVSXWQ, 1, 0x24, VP_66, VC_INT, SSE41, VF_M4) X(PMOVSXDQ, 1, 0x25, VP_66, VC_INT, SSE41, VF_M8)               \
	X(PMULDQ, 1, 0x28, VP_66, VC_INT, SSE41, 0) X(PCMPEQQ, 1, 0x29, VP_66, VC_INT, SSE41, 0)                          \
	X(MOVNTDQA, 1, 0x2a, VP_66, VC_MISC, SSE41, VF_MEM) X(PACKUSDW, 1, 0x2b, VP_66, VC_INT, SSE41, 0)                 \
	X(PMOVZXBW, 1, 0x30, VP_66, VC_INT, SSE41, VF_M8) X(PMOVZXBD, 1, 0x31, VP_66, VC_INT, SSE41, VF_M4)               \
	X(PMOVZXBQ, 1, 0x32, VP_66, VC_INT, SSE41, VF_M2) X(PMOVZXWD, 1, 0x33, VP_66, VC_INT, SSE41, VF_M8)               \
	X(PMOVZXWQ, 1, 0x34, VP_66, VC_INT, SSE41, VF_M4) X(PMOVZXDQ, 1, 0x35, VP_66, VC_INT, SSE41, VF_M8)               \
	X(PCMPGTQ, 1, 0x37, VP_66, VC_INT, SSE42, 0) X(PMINSB, 1, 0x38, VP_66, VC_INT, SSE41, 0)                          \
	X(PMINSD, 1, 0x39, VP_66, VC_INT, SSE41, 0) X(PMINUW, 1, 0x3a, VP_66, VC_INT, SSE41, 0)                           \
	X(PMINUD, 1, 0x3b, VP_66, VC_INT, SSE41, 0) X(PMAXSB, 1, 0x3c, VP_66, VC_INT, SSE41, 0)                           \
	X(PMAXSD, 1, 0x3d, VP_66, VC_INT, SSE41, 0) X(PMAXUW, 1, 0x3e, VP_66, VC_INT, SSE41, 0)                           \
	X(PMAXUD, 1, 0x3f, VP_66, VC_INT, SSE41, 0) X(PMULLD, 1, 0x40, VP_66, VC_INT, SSE41, 0)                           \
	X(PHMINPOSUW, 1, 0x41, VP_66, VC_INT, SSE41, 0) X(AESIMC, 1, 0xdb, VP_66, VC_INT, AES, 0)                         \
	X(AESENC, 1, 0xdc, VP_66, VC_INT, AES, 0) X(AESENCLAST, 1, 0xdd, VP_66, VC_INT, AES, 0)                           \
	X(AESDEC, 1, 0xde, VP_66, VC_INT, AES, 0) X(AESDECLAST, 1, 0xdf, VP_66, VC_INT, AES, 0)                           \
	X(ROUNDPS, 2, 0x08, VP_66, VC_MISC, SSE41, VF_IMM) X(ROUNDPD, 2, 0x09, VP_66, VC_MISC, SSE41, VF_IMM)             \
	X(ROUNDSS, 2, 0x0a, VP_66, VC_MISC, SSE41, VF_IMM | VF_M4) X(ROUNDSD, 2, 0x0b, VP_66, VC_MISC, SSE41, VF_IMM | VF_M8) \
	X(BLENDPS, 2, 0x0c, VP_66, VC_INT, SSE41, VF_IMM) X(BLENDPD, 2, 0x0d, VP_66, VC_INT, SSE41, VF_IMM)               \
	X(PBLENDW, 2, 0x0e, VP_66, VC_INT, SSE41, VF_IMM) X(PALIGNR, 2, 0x0f, VP_MX, VC_INT, SSSE3, VF_MM | VF_IMM)       \
	X(PEXTRB, 2, 0x14, VP_66, VC_MISC, SSE41, VF_IMM) X(PEXTRW_ST, 2, 0x15, VP_66, VC_MISC, SSE41, VF_IMM)            \
	X(PEXTRD, 2, 0x16, VP_66, VC_MISC, SSE41, VF_IMM) X(EXTRACTPS, 2, 0x17, VP_66, VC_MISC, SSE41, VF_IMM)            \
	X(PINSRB, 2, 0x20, VP_66, VC_MISC, SSE41, VF_IMM) X(INSERTPS, 2, 0x21, VP_66, VC_MISC, SSE41, VF_IMM | VF_M4)     \
	X(PINSRD, 2, 0x22, VP_66, VC_MISC, SSE41, VF_IMM) X(DPPS, 2, 0x40, VP_66, VC_MISC, SSE41, VF_IMM)                 \
	X(DPPD, 2, 0x41, VP_66, VC_MISC, SSE41, VF_IMM) X(MPSADBW, 2, 0x42, VP_66, VC_INT, SSE41, VF_IMM)                 \
	X(PCLMULQDQ, 2, 0x44, VP_66, VC_INT, PCLMUL, VF_IMM) X(PCMPESTRM, 2, 0x60, VP_66, VC_MISC, SSE42, VF_IMM | VF_ANY) \
	X(PCMPESTRI, 2, 0x61, VP_66, VC_MISC, SSE42, VF_IMM | VF_ANY)                                                     \
	X(PCMPISTRM, 2, 0x62, VP_66, VC_MISC, SSE42, VF_IMM | VF_ANY)                                                     \
	X(PCMPISTRI, 2, 0x63, VP_66, VC_MISC, SSE42, VF_IMM | VF_ANY)                                                     \
	X(AESKEYGENASSIST, 2, 0xdf, VP_66, VC_INT, AES, VF_IMM)

enum x86_vec {
	X86_V_NONE,
#define X(name, ...) X86_V_##name,
	X86_VEC_LIST(X)
#undef X
	X86_VECS
};

struct x86_vec_row {
	const char *name;
	u8 map;
	u8 opcode;
	u8 prefixes;
	u8 kind;
	u8 has;
	u16 flags;
};

extern const struct x86_vec_row x86_vec_rows[X86_VECS];

/* enum x86_vec of an opcode, or 0 */
u32 x86_vec_find(u32 map, u32 opcode, enum x86_vec_column column);

union x86_v {
	u8 b[16];
	s8 sb[16];
	u16 w[8];
	s16 sw[8];
	u32 d[4];
	s32 sd[4];
	u64 q[2];
	s64 sq[2];
};

static inline union x86_v *x86_xmm(struct x86_cpu *cpu, u32 n)
{
	return (union x86_v *)cpu->fpu.xmm[n];
}

/* simd_int.c: d = f(d, s) on the low @bytes (8 or 16) */
void x86_vec_int(u32 fn, union x86_v *d, const union x86_v *s, u32 bytes, u32 imm, u32 column);
void x86_vec_int2(u32 fn, union x86_v *d, const union x86_v *s, u32 bytes, u32 imm, u32 column);
/* simd_crypto.c */
void x86_vec_crypto(u32 fn, union x86_v *d, const union x86_v *s, u32 imm);
/* simd_string.c: PCMPxSTRx; returns the index, sets flags */
void x86_vec_string(struct x86_cpu *cpu, u32 fn, const union x86_v *a, const union x86_v *b, u32 imm, bool wide);
/* simd_float.c: false: an unmasked exception is to be raised by x86_simd_trap() */
bool x86_vec_float(struct x86_cpu *cpu, u32 fn, union x86_v *d, const union x86_v *s, u32 imm, u32 column);
bool x86_vec_convert(struct x86_cpu *cpu, u32 fn, union x86_v *d, const union x86_v *s, u32 column);
bool x86_vec_to_int(struct x86_cpu *cpu, u64 v, bool narrow, bool truncate, u32 bits, u64 *out);
bool x86_vec_from_int(struct x86_cpu *cpu, u64 v, bool narrow, u64 *out);
bool x86_vec_order(struct x86_cpu *cpu, u64 a, u64 b, bool narrow, bool quiet);

#endif
