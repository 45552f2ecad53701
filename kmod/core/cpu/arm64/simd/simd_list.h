/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Floating point, AdvSIMD and crypto: a list per encoding group (C4.1.97), from which decoder, executor, tests and
 * docs/arm64-opcodes.md take their tables.  What no row matches is unallocated.
 *
 * X(name, value, mask, sizes, scalar, kind, base)
 *   value, mask	the encoding without the bits that the group's macro adds
 *   sizes		bit Q * 4 + n: allowed with that Q (bit 30) and n: size (23:22), for shifts log2 of the element's bytes
 *   scalar		bit n: the scalar form exists (AdvSIMD); other groups: 0
 *   kind		how it is executed (enum arm64_vec_kind); VK_ABSENT: left out, the ID registers say so
 *   base		the operation behind it, where several encodings share one; VK_ABSENT: the feature
 */
#ifndef MV_ARM64_SIMD_LIST_H
#define MV_ARM64_SIMD_LIST_H

/* Sizes: elements B H S D; D only with Q; single and double precision by size<0>. */
#define SZ_B 0x11
#define SZ_HS 0x66
#define SZ_BHS 0x77
#define SZ_BHSD 0xf7
#define SZ_S 0x44
#define SZ_F0 0x31
#define SZ_F1 0xc4
#define SZ_N0 0x33
#define SZ_ANY 0xff

/* C4.1.97.18 Advanced SIMD three same, and scalar three same */
#define T(X, name, u, op, sizes, scalar, kind) X(name, 0x0e200400 | (u) << 29 | (op) << 11, 0xaf20fc00, sizes, scalar, kind, name)
#define ARM64_VEC_THREE_SAME(X)                                                                                          \
	T(X, SHADD, 0, 0x00, SZ_BHS, 0, VK_INT3) T(X, SQADD, 0, 0x01, SZ_BHSD, 15, VK_INT3)                              \
	T(X, SRHADD, 0, 0x02, SZ_BHS, 0, VK_INT3) T(X, AND, 0, 0x03, 0x11, 0, VK_BITS)                                    \
	T(X, BIC, 0, 0x03, 0x22, 0, VK_BITS) T(X, ORR, 0, 0x03, 0x44, 0, VK_BITS) T(X, ORN, 0, 0x03, 0x88, 0, VK_BITS)    \
	T(X, SHSUB, 0, 0x04, SZ_BHS, 0, VK_INT3) T(X, SQSUB, 0, 0x05, SZ_BHSD, 15, VK_INT3)                               \
	T(X, CMGT, 0, 0x06, SZ_BHSD, 8, VK_INT3) T(X, CMGE, 0, 0x07, SZ_BHSD, 8, VK_INT3)                                 \
	T(X, SSHL, 0, 0x08, SZ_BHSD, 8, VK_SHIFT3) T(X, SQSHL, 0, 0x09, SZ_BHSD, 15, VK_SHIFT3)                           \
	T(X, SRSHL, 0, 0x0a, SZ_BHSD, 8, VK_SHIFT3) T(X, SQRSHL, 0, 0x0b, SZ_BHSD, 15, VK_SHIFT3)                         \
	T(X, SMAX, 0, 0x0c, SZ_BHS, 0, VK_INT3) T(X, SMIN, 0, 0x0d, SZ_BHS, 0, VK_INT3)                                   \
	T(X, SABD, 0, 0x0e, SZ_BHS, 0, VK_INT3) T(X, SABA, 0, 0x0f, SZ_BHS, 0, VK_INT3)                                   \
	T(X, ADD, 0, 0x10, SZ_BHSD, 8, VK_INT3) T(X, CMTST, 0, 0x11, SZ_BHSD, 8, VK_INT3)                                 \
	T(X, MLA, 0, 0x12, SZ_BHS, 0, VK_INT3) T(X, MUL, 0, 0x13, SZ_BHS, 0, VK_INT3)                                     \
	T(X, SMAXP, 0, 0x14, SZ_BHS, 0, VK_PAIR3) T(X, SMINP, 0, 0x15, SZ_BHS, 0, VK_PAIR3)                               \
	T(X, SQDMULH, 0, 0x16, SZ_HS, 6, VK_INT3) T(X, ADDP, 0, 0x17, SZ_BHSD, 0, VK_PAIR3)                               \
	T(X, FMAXNM, 0, 0x18, SZ_F0, 0, VK_FP3) T(X, FMLA, 0, 0x19, SZ_F0, 0, VK_FP3)                                     \
	T(X, FADD, 0, 0x1a, SZ_F0, 0, VK_FP3) T(X, FMULX, 0, 0x1b, SZ_F0, 3, VK_FP3)                                      \
	T(X, FCMEQ, 0, 0x1c, SZ_F0, 3, VK_FP3) T(X, FMAX, 0, 0x1e, SZ_F0, 0, VK_FP3)                                      \
	T(X, FRECPS, 0, 0x1f, SZ_F0, 3, VK_FP3) T(X, FMINNM, 0, 0x18, SZ_F1, 0, VK_FP3)                                   \
	T(X, FMLS, 0, 0x19, SZ_F1, 0, VK_FP3) T(X, FSUB, 0, 0x1a, SZ_F1, 0, VK_FP3)                                       \
	T(X, FMIN, 0, 0x1e, SZ_F1, 0, VK_FP3) T(X, FRSQRTS, 0, 0x1f, SZ_F1, 12, VK_FP3)                                   \
	T(X, UHADD, 1, 0x00, SZ_BHS, 0, VK_INT3) T(X, UQADD, 1, 0x01, SZ_BHSD, 15, VK_INT3)                               \
	T(X, URHADD, 1, 0x02, SZ_BHS, 0, VK_INT3) T(X, EOR, 1, 0x03, 0x11, 0, VK_BITS)                                    \
	T(X, BSL, 1, 0x03, 0x22, 0, VK_BITS) T(X, BIT, 1, 0x03, 0x44, 0, VK_BITS) T(X, BIF, 1, 0x03, 0x88, 0, VK_BITS)    \
	T(X, UHSUB, 1, 0x04, SZ_BHS, 0, VK_INT3) T(X, UQSUB, 1, 0x05, SZ_BHSD, 15, VK_INT3)                               \
	T(X, CMHI, 1, 0x06, SZ_BHSD, 8, VK_INT3) T(X, CMHS, 1, 0x07, SZ_BHSD, 8, VK_INT3)                                 \
	T(X, USHL, 1, 0x08, SZ_BHSD, 8, VK_SHIFT3) T(X, UQSHL, 1, 0x09, SZ_BHSD, 15, VK_SHIFT3)                           \
	T(X, URSHL, 1, 0x0a, SZ_BHSD, 8, VK_SHIFT3) T(X, UQRSHL, 1, 0x0b, SZ_BHSD, 15, VK_SHIFT3)                         \
	T(X, UMAX, 1, 0x0c, SZ_BHS, 0, VK_INT3) T(X, UMIN, 1, 0x0d, SZ_BHS, 0, VK_INT3)                                   \
	T(X, UABD, 1, 0x0e, SZ_BHS, 0, VK_INT3) T(X, UABA, 1, 0x0f, SZ_BHS, 0, VK_INT3)                                   \
	T(X, SUB, 1, 0x10, SZ_BHSD, 8, VK_INT3) T(X, CMEQ, 1, 0x11, SZ_BHSD, 8, VK_INT3)                                  \
	T(X, MLS, 1, 0x12, SZ_BHS, 0, VK_INT3) T(X, PMUL, 1, 0x13, SZ_B, 0, VK_INT3)                                      \
	T(X, UMAXP, 1, 0x14, SZ_BHS, 0, VK_PAIR3) T(X, UMINP, 1, 0x15, SZ_BHS, 0, VK_PAIR3)                               \
	T(X, SQRDMULH, 1, 0x16, SZ_HS, 6, VK_INT3) T(X, FMAXNMP, 1, 0x18, SZ_F0, 0, VK_PAIR3)                             \
	T(X, FADDP, 1, 0x1a, SZ_F0, 0, VK_PAIR3) T(X, FMUL, 1, 0x1b, SZ_F0, 0, VK_FP3)                                    \
	T(X, FCMGE, 1, 0x1c, SZ_F0, 3, VK_FP3) T(X, FACGE, 1, 0x1d, SZ_F0, 3, VK_FP3)                                     \
	T(X, FMAXP, 1, 0x1e, SZ_F0, 0, VK_PAIR3) T(X, FDIV, 1, 0x1f, SZ_F0, 0, VK_FP3)                                    \
	T(X, FMINNMP, 1, 0x18, SZ_F1, 0, VK_PAIR3) T(X, FABD, 1, 0x1a, SZ_F1, 12, VK_FP3)                                 \
	T(X, FCMGT, 1, 0x1c, SZ_F1, 12, VK_FP3) T(X, FACGT, 1, 0x1d, SZ_F1, 12, VK_FP3)                                   \
	T(X, FMINP, 1, 0x1e, SZ_F1, 0, VK_PAIR3)                                                                          \
	X(FMLAL, 0x0e20ec00, 0xbf60fc00, SZ_ANY, 0, VK_ABSENT, FHM) X(FMLAL2, 0x2e20cc00, 0xbf60fc00, SZ_ANY, 0, VK_ABSENT, FHM)

/* C4.1.97.17 three different: long, wide and narrowing */
#define D(X, name, u, op, sizes, scalar, kind) X(name, 0x0e200000 | (u) << 29 | (op) << 12, 0xaf20fc00, sizes, scalar, kind, name)
#define ARM64_VEC_THREE_DIFF(X)                                                                                          \
	D(X, SADDL, 0, 0x0, SZ_BHS, 0, VK_LONG) D(X, SADDW, 0, 0x1, SZ_BHS, 0, VK_WIDE)                                   \
	D(X, SSUBL, 0, 0x2, SZ_BHS, 0, VK_LONG) D(X, SSUBW, 0, 0x3, SZ_BHS, 0, VK_WIDE)                                   \
	D(X, ADDHN, 0, 0x4, SZ_BHS, 0, VK_NARROW3) D(X, SABAL, 0, 0x5, SZ_BHS, 0, VK_LONG)                                \
	D(X, SUBHN, 0, 0x6, SZ_BHS, 0, VK_NARROW3) D(X, SABDL, 0, 0x7, SZ_BHS, 0, VK_LONG)                                \
	D(X, SMLAL, 0, 0x8, SZ_BHS, 0, VK_LONG) D(X, SQDMLAL, 0, 0x9, SZ_HS, 6, VK_LONG)                                  \
	D(X, SMLSL, 0, 0xa, SZ_BHS, 0, VK_LONG) D(X, SQDMLSL, 0, 0xb, SZ_HS, 6, VK_LONG)                                  \
	D(X, SMULL, 0, 0xc, SZ_BHS, 0, VK_LONG) D(X, SQDMULL, 0, 0xd, SZ_HS, 6, VK_LONG)                                  \
	D(X, PMULL, 0, 0xe, 0x99, 0, VK_LONG)                                                                             \
	D(X, UADDL, 1, 0x0, SZ_BHS, 0, VK_LONG) D(X, UADDW, 1, 0x1, SZ_BHS, 0, VK_WIDE)                                   \
	D(X, USUBL, 1, 0x2, SZ_BHS, 0, VK_LONG) D(X, USUBW, 1, 0x3, SZ_BHS, 0, VK_WIDE)                                   \
	D(X, RADDHN, 1, 0x4, SZ_BHS, 0, VK_NARROW3) D(X, UABAL, 1, 0x5, SZ_BHS, 0, VK_LONG)                               \
	D(X, RSUBHN, 1, 0x6, SZ_BHS, 0, VK_NARROW3) D(X, UABDL, 1, 0x7, SZ_BHS, 0, VK_LONG)                               \
	D(X, UMLAL, 1, 0x8, SZ_BHS, 0, VK_LONG) D(X, UMLSL, 1, 0xa, SZ_BHS, 0, VK_LONG)                                   \
	D(X, UMULL, 1, 0xc, SZ_BHS, 0, VK_LONG)

/* C4.1.97.16 two-register miscellaneous */
#define M(X, name, u, op, sizes, scalar, kind) X(name, 0x0e200800 | (u) << 29 | (op) << 12, 0xaf3ffc00, sizes, scalar, kind, name)
#define MB(X, name, u, op, sizes, scalar, kind, base) X(name, 0x0e200800 | (u) << 29 | (op) << 12, 0xaf3ffc00, sizes, scalar, kind, base)
#define ARM64_VEC_TWO_MISC(X)                                                                                            \
	M(X, REV64, 0, 0x00, SZ_BHS, 0, VK_REVERSE) M(X, REV16, 0, 0x01, SZ_B, 0, VK_REVERSE)                             \
	M(X, SADDLP, 0, 0x02, SZ_BHS, 0, VK_ADDLP) M(X, SUQADD, 0, 0x03, SZ_BHSD, 15, VK_INT2)                            \
	M(X, CLS, 0, 0x04, SZ_BHS, 0, VK_INT2) M(X, CNT, 0, 0x05, SZ_B, 0, VK_INT2)                                       \
	M(X, SADALP, 0, 0x06, SZ_BHS, 0, VK_ADDLP) M(X, SQABS, 0, 0x07, SZ_BHSD, 15, VK_INT2)                             \
	MB(X, CMGT_0, 0, 0x08, SZ_BHSD, 8, VK_INT_0, CMGT) MB(X, CMEQ_0, 0, 0x09, SZ_BHSD, 8, VK_INT_0, CMEQ)             \
	MB(X, CMLT_0, 0, 0x0a, SZ_BHSD, 8, VK_0_INT, CMGT) M(X, ABS, 0, 0x0b, SZ_BHSD, 8, VK_INT2)                        \
	M(X, XTN, 0, 0x12, SZ_BHS, 0, VK_NARROW2) M(X, SQXTN, 0, 0x14, SZ_BHS, 7, VK_NARROW2)                             \
	M(X, FCVTN, 0, 0x16, SZ_N0, 0, VK_FPCONV) M(X, FCVTL, 0, 0x17, SZ_N0, 0, VK_FPCONV)                               \
	M(X, FRINTN, 0, 0x18, SZ_F0, 0, VK_FP2) M(X, FRINTM, 0, 0x19, SZ_F0, 0, VK_FP2)                                   \
	M(X, FCVTNS, 0, 0x1a, SZ_F0, 3, VK_FP2) M(X, FCVTMS, 0, 0x1b, SZ_F0, 3, VK_FP2)                                   \
	M(X, FCVTAS, 0, 0x1c, SZ_F0, 3, VK_FP2) M(X, SCVTF, 0, 0x1d, SZ_F0, 3, VK_FP2)                                    \
	MB(X, FCMGT_0, 0, 0x0c, SZ_F1, 12, VK_FP_0, FCMGT) MB(X, FCMEQ_0, 0, 0x0d, SZ_F1, 12, VK_FP_0, FCMEQ)             \
	MB(X, FCMLT_0, 0, 0x0e, SZ_F1, 12, VK_0_FP, FCMGT) M(X, FABS, 0, 0x0f, SZ_F1, 0, VK_FP2)                          \
	M(X, FRINTP, 0, 0x18, SZ_F1, 0, VK_FP2) M(X, FRINTZ, 0, 0x19, SZ_F1, 0, VK_FP2)                                   \
	M(X, FCVTPS, 0, 0x1a, SZ_F1, 12, VK_FP2) M(X, FCVTZS, 0, 0x1b, SZ_F1, 12, VK_FP2)                                 \
	M(X, URECPE, 0, 0x1c, SZ_S, 0, VK_FP2) M(X, FRECPE, 0, 0x1d, SZ_F1, 12, VK_FP2)                                   \
	M(X, FRECPX, 0, 0x1f, 0, 12, VK_FP2)                                                                              \
	M(X, REV32, 1, 0x00, SZ_N0, 0, VK_REVERSE) M(X, UADDLP, 1, 0x02, SZ_BHS, 0, VK_ADDLP)                             \
	M(X, USQADD, 1, 0x03, SZ_BHSD, 15, VK_INT2) M(X, CLZ, 1, 0x04, SZ_BHS, 0, VK_INT2)                                \
	M(X, NOT, 1, 0x05, 0x11, 0, VK_INT2) M(X, RBIT, 1, 0x05, 0x22, 0, VK_INT2)                                        \
	M(X, UADALP, 1, 0x06, SZ_BHS, 0, VK_ADDLP) M(X, SQNEG, 1, 0x07, SZ_BHSD, 15, VK_INT2)                             \
	MB(X, CMGE_0, 1, 0x08, SZ_BHSD, 8, VK_INT_0, CMGE) MB(X, CMLE_0, 1, 0x09, SZ_BHSD, 8, VK_0_INT, CMGE)             \
	MB(X, NEG, 1, 0x0b, SZ_BHSD, 8, VK_0_INT, SUB) M(X, SQXTUN, 1, 0x12, SZ_BHS, 7, VK_NARROW2)                       \
	M(X, SHLL, 1, 0x13, SZ_BHS, 0, VK_SHLL) M(X, UQXTN, 1, 0x14, SZ_BHS, 7, VK_NARROW2)                               \
	M(X, FCVTXN, 1, 0x16, 0x22, 2, VK_FPCONV) M(X, FRINTA, 1, 0x18, SZ_F0, 0, VK_FP2)                                 \
	M(X, FRINTX, 1, 0x19, SZ_F0, 0, VK_FP2) M(X, FCVTNU, 1, 0x1a, SZ_F0, 3, VK_FP2)                                   \
	M(X, FCVTMU, 1, 0x1b, SZ_F0, 3, VK_FP2) M(X, FCVTAU, 1, 0x1c, SZ_F0, 3, VK_FP2)                                   \
	M(X, UCVTF, 1, 0x1d, SZ_F0, 3, VK_FP2) MB(X, FCMGE_0, 1, 0x0c, SZ_F1, 12, VK_FP_0, FCMGE)                         \
	MB(X, FCMLE_0, 1, 0x0d, SZ_F1, 12, VK_0_FP, FCMGE) M(X, FNEG, 1, 0x0f, SZ_F1, 0, VK_FP2)                          \
	M(X, FRINTI, 1, 0x19, SZ_F1, 0, VK_FP2) M(X, FCVTPU, 1, 0x1a, SZ_F1, 12, VK_FP2)                                  \
	M(X, FCVTZU, 1, 0x1b, SZ_F1, 12, VK_FP2) M(X, URSQRTE, 1, 0x1c, SZ_S, 0, VK_FP2)                                  \
	M(X, FRSQRTE, 1, 0x1d, SZ_F1, 12, VK_FP2) M(X, FSQRT, 1, 0x1f, SZ_F1, 0, VK_FP2)                                  \
	X(FRINT32Z_64Z, 0x0e21e800, 0xbfbfec00, SZ_F0, 0, VK_ABSENT, FRINTTS)                                             \
	X(FRINT32X_64X, 0x2e21e800, 0xbfbfec00, SZ_F0, 0, VK_ABSENT, FRINTTS)

/* C4.1.97.15 across lanes; scalar pairwise */
#define A(X, name, u, op, sizes, kind, base) X(name, 0x0e300800 | (u) << 29 | (op) << 12, 0xbf3ffc00, sizes, 0, kind, base)
#define P(X, name, u, op, scalar, base) X(name, 0x0e300800 | (u) << 29 | (op) << 12, 0xaf3ffc00, 0, scalar, VK_PAIR1, base)
#define ARM64_VEC_ACROSS(X)                                                                                              \
	A(X, SADDLV, 0, 0x03, 0x73, VK_ACROSS, SADDL) A(X, SMAXV, 0, 0x0a, 0x73, VK_ACROSS, SMAX)                         \
	A(X, SMINV, 0, 0x1a, 0x73, VK_ACROSS, SMIN) A(X, ADDV, 0, 0x1b, 0x73, VK_ACROSS, ADD)                             \
	A(X, UADDLV, 1, 0x03, 0x73, VK_ACROSS, UADDL) A(X, UMAXV, 1, 0x0a, 0x73, VK_ACROSS, UMAX)                         \
	A(X, UMINV, 1, 0x1a, 0x73, VK_ACROSS, UMIN) A(X, FMAXNMV, 1, 0x0c, 0x10, VK_ACROSS, FMAXNM)                       \
	A(X, FMINNMV, 1, 0x0c, 0x40, VK_ACROSS, FMINNM) A(X, FMAXV, 1, 0x0f, 0x10, VK_ACROSS, FMAX)                       \
	A(X, FMINV, 1, 0x0f, 0x40, VK_ACROSS, FMIN)                                                                       \
	P(X, ADDP_1, 0, 0x1b, 8, ADD) P(X, FMAXNMP_1, 1, 0x0c, 3, FMAXNM) P(X, FMINNMP_1, 1, 0x0c, 12, FMINNM)            \
	P(X, FADDP_1, 1, 0x0d, 3, FADD) P(X, FMAXP_1, 1, 0x0f, 3, FMAX) P(X, FMINP_1, 1, 0x0f, 12, FMIN)                  \
	X(FMAXNMV_H, 0x0e30c800, 0xbf7ffc00, SZ_ANY, 0, VK_ABSENT, FP16) X(FMAXV_H, 0x0e30f800, 0xbf7ffc00, SZ_ANY, 0, VK_ABSENT, FP16) \
	X(FMAXNMP_H, 0x5e30c800, 0xff7ffc00, SZ_ANY, 15, VK_ABSENT, FP16) X(FADDP_H, 0x5e30d800, 0xff7ffc00, SZ_ANY, 15, VK_ABSENT, FP16) \
	X(FMAXP_H, 0x5e30f800, 0xff7ffc00, SZ_ANY, 15, VK_ABSENT, FP16)

/* C4.1.97.22 by element: the operation of three same or three different on a repeated element */
#define E(X, name, u, op, sizes, scalar, base) X(name, 0x0f000000 | (u) << 29 | (op) << 12, 0xaf00f400, sizes, scalar, VK_ELEMENT, base)
#define ARM64_VEC_ELEMENT(X)                                                                                             \
	E(X, FMLA_EL, 0, 0x1, SZ_F1, 12, FMLA) E(X, SMLAL_EL, 0, 0x2, SZ_HS, 0, SMLAL) E(X, SQDMLAL_EL, 0, 0x3, SZ_HS, 6, SQDMLAL) \
	E(X, FMLS_EL, 0, 0x5, SZ_F1, 12, FMLS) E(X, SMLSL_EL, 0, 0x6, SZ_HS, 0, SMLSL) E(X, SQDMLSL_EL, 0, 0x7, SZ_HS, 6, SQDMLSL) \
	E(X, MUL_EL, 0, 0x8, SZ_HS, 0, MUL) E(X, FMUL_EL, 0, 0x9, SZ_F1, 12, FMUL) E(X, SMULL_EL, 0, 0xa, SZ_HS, 0, SMULL) \
	E(X, SQDMULL_EL, 0, 0xb, SZ_HS, 6, SQDMULL) E(X, SQDMULH_EL, 0, 0xc, SZ_HS, 6, SQDMULH)                           \
	E(X, SQRDMULH_EL, 0, 0xd, SZ_HS, 6, SQRDMULH) E(X, MLA_EL, 1, 0x0, SZ_HS, 0, MLA)                                 \
	E(X, UMLAL_EL, 1, 0x2, SZ_HS, 0, UMLAL) E(X, MLS_EL, 1, 0x4, SZ_HS, 0, MLS) E(X, UMLSL_EL, 1, 0x6, SZ_HS, 0, UMLSL) \
	E(X, FMULX_EL, 1, 0x9, SZ_F1, 12, FMULX) E(X, UMULL_EL, 1, 0xa, SZ_HS, 0, UMULL)                                  \
	X(FMLA_EL_H, 0x0f001000, 0xafc0b400, SZ_ANY, 1, VK_ABSENT, FP16) X(FMUL_EL_H, 0x0f009000, 0x8fc0f400, SZ_ANY, 1, VK_ABSENT, FP16) \
	X(FMLAL_EL, 0x0f800000, 0xbfc0b400, SZ_ANY, 0, VK_ABSENT, FHM) X(FMLAL2_EL, 0x2f808000, 0xbfc0b400, SZ_ANY, 0, VK_ABSENT, FHM) \
	X(SQRDMLAH_EL, 0x2f00d000, 0xaf00d400, SZ_HS, 6, VK_ABSENT, RDM)                                            \
	X(DOT_EL_S, 0x0f80e000, 0x9fc0f400, SZ_ANY, 0, VK_ABSENT, DOTPROD) X(FCMLA_EL, 0x2f001000, 0xbf009400, SZ_HS, 0, VK_ABSENT, FCMA)

/* C4.1.97.21 shift by immediate */
#define S(X, name, u, op, sizes, scalar, kind, base) X(name, 0x0f000400 | (u) << 29 | (op) << 11, 0xaf80fc00, sizes, scalar, kind, base)
#define ARM64_VEC_SHIFT(X)                                                                                               \
	S(X, SSHR, 0, 0x00, SZ_BHSD, 8, VK_SHR, SSHL) S(X, SSRA, 0, 0x02, SZ_BHSD, 8, VK_SRA, SSHL)                       \
	S(X, SRSHR, 0, 0x04, SZ_BHSD, 8, VK_SHR, SRSHL) S(X, SRSRA, 0, 0x06, SZ_BHSD, 8, VK_SRA, SRSHL)                   \
	S(X, SHL, 0, 0x0a, SZ_BHSD, 8, VK_SHL, USHL) S(X, SQSHL_I, 0, 0x0e, SZ_BHSD, 15, VK_SHL, SQSHL)                   \
	S(X, SHRN, 0, 0x10, SZ_BHS, 0, VK_SHRN, XTN) S(X, RSHRN, 0, 0x11, SZ_BHS, 0, VK_SHRN, XTN)                        \
	S(X, SQSHRN, 0, 0x12, SZ_BHS, 7, VK_SHRN, SQXTN) S(X, SQRSHRN, 0, 0x13, SZ_BHS, 7, VK_SHRN, SQXTN)                \
	S(X, SSHLL, 0, 0x14, SZ_BHS, 0, VK_SHLL_I, SSHLL) S(X, SCVTF_F, 0, 0x1c, SZ_F1, 12, VK_FIXED, SCVTF)              \
	S(X, FCVTZS_F, 0, 0x1f, SZ_F1, 12, VK_FIXED, FCVTZS)                                                              \
	S(X, USHR, 1, 0x00, SZ_BHSD, 8, VK_SHR, USHL) S(X, USRA, 1, 0x02, SZ_BHSD, 8, VK_SRA, USHL)                       \
	S(X, URSHR, 1, 0x04, SZ_BHSD, 8, VK_SHR, URSHL) S(X, URSRA, 1, 0x06, SZ_BHSD, 8, VK_SRA, URSHL)                   \
	S(X, SRI, 1, 0x08, SZ_BHSD, 8, VK_INSERT, SRI) S(X, SLI, 1, 0x0a, SZ_BHSD, 8, VK_INSERT, SLI)                     \
	S(X, SQSHLU, 1, 0x0c, SZ_BHSD, 15, VK_SHL, SQSHLU) S(X, UQSHL_I, 1, 0x0e, SZ_BHSD, 15, VK_SHL, UQSHL)             \
	S(X, SQSHRUN, 1, 0x10, SZ_BHS, 7, VK_SHRN, SQXTUN) S(X, SQRSHRUN, 1, 0x11, SZ_BHS, 7, VK_SHRN, SQXTUN)            \
	S(X, UQSHRN, 1, 0x12, SZ_BHS, 7, VK_SHRN, UQXTN) S(X, UQRSHRN, 1, 0x13, SZ_BHS, 7, VK_SHRN, UQXTN)                \
	S(X, USHLL, 1, 0x14, SZ_BHS, 0, VK_SHLL_I, USHLL) S(X, UCVTF_F, 1, 0x1c, SZ_F1, 12, VK_FIXED, UCVTF)              \
	S(X, FCVTZU_F, 1, 0x1f, SZ_F1, 12, VK_FIXED, FCVTZU)                                                              \
	X(CVTF_F_H, 0x0f10e400, 0x8ff0fc00, SZ_ANY, 15, VK_ABSENT, FP16) X(FCVTZ_F_H, 0x0f10fc00, 0x8ff0fc00, SZ_ANY, 15, VK_ABSENT, FP16)

/* C4.1.97.20 modified immediate: cmode and op decide (AdvSIMDExpandImm) */
#define ARM64_VEC_IMMEDIATE(X)                                                                                           \
	X(MOVI_MVNI, 0x0f000400, 0x9ff88c00, SZ_ANY, 0, VK_MOVI, MOVI_MVNI) /* 0xx0: 32 bits */                           \
	X(MOVI_H, 0x0f008400, 0x9ff8cc00, SZ_ANY, 0, VK_MOVI, MOVI_MVNI)	/* 10xx */                                \
	X(MOVI_MSL, 0x0f00c400, 0x9ff8ec00, SZ_ANY, 0, VK_MOVI, MOVI_MVNI)	/* 110x */                                \
	X(MOVI_BD, 0x0f00e400, 0x9ff8fc00, SZ_ANY, 0, VK_MOVI, MOVI_MVNI)	/* 1110 */                                \
	X(FMOV_S, 0x0f00f400, 0xbff8fc00, SZ_ANY, 0, VK_MOVI, MOVI_MVNI)                                                 \
	X(FMOV_D, 0x6f00f400, 0xfff8fc00, SZ_ANY, 0, VK_MOVI, MOVI_MVNI)                                                 \
	X(FMOV_H, 0x0f00fc00, 0xbff8fc00, SZ_ANY, 0, VK_ABSENT, FP16)

/* C4.1.97 copy, permute, extract, table: imm5, Q and imm4 are looked at further in arm64_vec_find() */
#define ARM64_VEC_MOVE(X)                                                                                                \
	X(DUP_EL, 0x0e000400, 0xbfe0fc00, SZ_ANY, 0, VK_COPY, DUP_EL) X(DUP_SCALAR, 0x5e000400, 0xffe0fc00, SZ_ANY, 15, VK_COPY, DUP_SCALAR) \
	X(DUP_GEN, 0x0e000c00, 0xbfe0fc00, SZ_ANY, 0, VK_COPY, DUP_GEN) X(SMOV, 0x0e002c00, 0xbfe0fc00, SZ_ANY, 0, VK_COPY, SMOV) \
	X(UMOV, 0x0e003c00, 0xbfe0fc00, SZ_ANY, 0, VK_COPY, UMOV) X(INS_GEN, 0x4e001c00, 0xffe0fc00, SZ_ANY, 0, VK_COPY, INS_GEN) \
	X(INS_EL, 0x6e000400, 0xffe08400, SZ_ANY, 0, VK_COPY, INS_EL)                                                     \
	X(UZP1, 0x0e001800, 0xbf20fc00, SZ_BHSD, 0, VK_PERMUTE, UZP1) X(TRN1, 0x0e002800, 0xbf20fc00, SZ_BHSD, 0, VK_PERMUTE, TRN1) \
	X(ZIP1, 0x0e003800, 0xbf20fc00, SZ_BHSD, 0, VK_PERMUTE, ZIP1) X(UZP2, 0x0e005800, 0xbf20fc00, SZ_BHSD, 0, VK_PERMUTE, UZP2) \
	X(TRN2, 0x0e006800, 0xbf20fc00, SZ_BHSD, 0, VK_PERMUTE, TRN2) X(ZIP2, 0x0e007800, 0xbf20fc00, SZ_BHSD, 0, VK_PERMUTE, ZIP2) \
	X(EXT, 0x2e000000, 0xbfe08400, SZ_ANY, 0, VK_EXT, EXT) X(TBL_TBX, 0x0e000000, 0xbfe08c00, SZ_ANY, 0, VK_TABLE, TBL_TBX)

/* C4.1.97 cryptographic; and what later architectures put beside them */
#define ARM64_VEC_CRYPTO(X)                                                                                              \
	X(AESE, 0x4e284800, 0xfffffc00, SZ_ANY, 0, VK_CRYPTO, AESE) X(AESD, 0x4e285800, 0xfffffc00, SZ_ANY, 0, VK_CRYPTO, AESD) \
	X(AESMC, 0x4e286800, 0xfffffc00, SZ_ANY, 0, VK_CRYPTO, AESMC) X(AESIMC, 0x4e287800, 0xfffffc00, SZ_ANY, 0, VK_CRYPTO, AESIMC) \
	X(SHA1C, 0x5e000000, 0xffe0fc00, SZ_ANY, 15, VK_CRYPTO, SHA1C) X(SHA1P, 0x5e001000, 0xffe0fc00, SZ_ANY, 15, VK_CRYPTO, SHA1P) \
	X(SHA1M, 0x5e002000, 0xffe0fc00, SZ_ANY, 15, VK_CRYPTO, SHA1M) X(SHA1SU0, 0x5e003000, 0xffe0fc00, SZ_ANY, 15, VK_CRYPTO, SHA1SU0) \
	X(SHA256H, 0x5e004000, 0xffe0fc00, SZ_ANY, 15, VK_CRYPTO, SHA256H) X(SHA256H2, 0x5e005000, 0xffe0fc00, SZ_ANY, 15, VK_CRYPTO, SHA256H2) \
	X(SHA256SU1, 0x5e006000, 0xffe0fc00, SZ_ANY, 15, VK_CRYPTO, SHA256SU1) X(SHA1H, 0x5e280800, 0xfffffc00, SZ_ANY, 15, VK_CRYPTO, SHA1H) \
	X(SHA1SU1, 0x5e281800, 0xfffffc00, SZ_ANY, 15, VK_CRYPTO, SHA1SU1) X(SHA256SU0, 0x5e282800, 0xfffffc00, SZ_ANY, 15, VK_CRYPTO, SHA256SU0) \
	X(SHA512_3, 0xce608000, 0xffe0f000, SZ_ANY, 0, VK_ABSENT, SHA512) X(SHA512_2, 0xcec08000, 0xfffff800, SZ_ANY, 0, VK_ABSENT, SHA512) \
	X(SHA3_4, 0xce000000, 0xffc08000, SZ_ANY, 0, VK_ABSENT, SHA3) X(XAR, 0xce800000, 0xffe00000, SZ_ANY, 0, VK_ABSENT, SHA3) \
	X(SM3_4, 0xce400000, 0xffe08000, SZ_ANY, 0, VK_ABSENT, SM3) X(SM3_3, 0xce408000, 0xffe0c000, SZ_ANY, 0, VK_ABSENT, SM3) \
	X(SM3_P, 0xce60c000, 0xffe0f800, SZ_ANY, 0, VK_ABSENT, SM3) X(SM4_2, 0xcec08400, 0xfffffc00, SZ_ANY, 0, VK_ABSENT, SM4) \
	X(RDM_3, 0x2e008400, 0xaf20f400, SZ_HS, 6, VK_ABSENT, RDM) X(DOT, 0x0e809400, 0x9fe0fc00, SZ_ANY, 0, VK_ABSENT, DOTPROD) \
	X(FCMLA, 0x2e00c400, 0xbf20e400, 0xe6, 0, VK_ABSENT, FCMA) X(FCADD, 0x2e00e400, 0xbf20ec00, 0xe6, 0, VK_ABSENT, FCMA) \
	X(THREE_H, 0x0e400400, 0x8f60c400, SZ_ANY, 15, VK_ABSENT, FP16) X(TWO_H, 0x0e780800, 0x8f7e0c00, SZ_ANY, 15, VK_ABSENT, FP16)

/* C4.1.97 floating point; sizes: bit ftype (Q is 0 here) */
#define FT_SD 0x3
#define FT_SDH 0xb
#define ARM64_VEC_FP(X)                                                                                                  \
	X(SCVTF_X, 0x1e020000, 0x7f3f0000, FT_SD, 0, VK_FPFIXED, SCVTF) X(UCVTF_X, 0x1e030000, 0x7f3f0000, FT_SD, 0, VK_FPFIXED, UCVTF) \
	X(FCVTZS_X, 0x1e180000, 0x7f3f0000, FT_SD, 0, VK_FPFIXED, FCVTZS) X(FCVTZU_X, 0x1e190000, 0x7f3f0000, FT_SD, 0, VK_FPFIXED, FCVTZU) \
	X(FCVTxS, 0x1e200000, 0x7f27fc00, FT_SD, 0, VK_FPINT, FCVTZS) X(FCVTxU, 0x1e210000, 0x7f27fc00, FT_SD, 0, VK_FPINT, FCVTZU) \
	X(SCVTF_G, 0x1e220000, 0x7f3ffc00, FT_SD, 0, VK_FPINT, SCVTF) X(UCVTF_G, 0x1e230000, 0x7f3ffc00, FT_SD, 0, VK_FPINT, UCVTF) \
	X(FCVTAS_G, 0x1e240000, 0x7f3ffc00, FT_SD, 0, VK_FPINT, FCVTAS) X(FCVTAU_G, 0x1e250000, 0x7f3ffc00, FT_SD, 0, VK_FPINT, FCVTAU) \
	X(FMOV_SW, 0x1e260000, 0xfffefc00, FT_SDH, 0, VK_FMOV, FMOV_SW) X(FMOV_DX, 0x9e660000, 0xfffefc00, FT_SDH, 0, VK_FMOV, FMOV_DX) \
	X(FMOV_TOP, 0x9eae0000, 0xfffefc00, SZ_ANY, 0, VK_FMOV, FMOV_TOP)                                                 \
	X(FMOV_R, 0x1e204000, 0xff3ffc00, FT_SD, 0, VK_FP1, FMOV_R) X(FABS_R, 0x1e20c000, 0xff3ffc00, FT_SD, 0, VK_FP1, FABS) \
	X(FNEG_R, 0x1e214000, 0xff3ffc00, FT_SD, 0, VK_FP1, FNEG) X(FSQRT_R, 0x1e21c000, 0xff3ffc00, FT_SD, 0, VK_FP1, FSQRT) \
	X(FCVT_S, 0x1e224000, 0xff3ffc00, 0xa, 0, VK_FCVT, FCVT_S) X(FCVT_D, 0x1e22c000, 0xff3ffc00, 0x9, 0, VK_FCVT, FCVT_D) \
	X(FCVT_H, 0x1e23c000, 0xff3ffc00, FT_SD, 0, VK_FCVT, FCVT_H)                                                      \
	X(FRINTN_R, 0x1e244000, 0xff3ffc00, FT_SD, 0, VK_FP1, FRINTN) X(FRINTP_R, 0x1e24c000, 0xff3ffc00, FT_SD, 0, VK_FP1, FRINTP) \
	X(FRINTM_R, 0x1e254000, 0xff3ffc00, FT_SD, 0, VK_FP1, FRINTM) X(FRINTZ_R, 0x1e25c000, 0xff3ffc00, FT_SD, 0, VK_FP1, FRINTZ) \
	X(FRINTA_R, 0x1e264000, 0xff3ffc00, FT_SD, 0, VK_FP1, FRINTA) X(FRINTX_R, 0x1e274000, 0xff3ffc00, FT_SD, 0, VK_FP1, FRINTX) \
	X(FRINTI_R, 0x1e27c000, 0xff3ffc00, FT_SD, 0, VK_FP1, FRINTI)                                                     \
	X(FCMP, 0x1e202000, 0xff20fc07, FT_SD, 0, VK_FCMP, FCMP)                                                          \
	X(FMOV_I, 0x1e201000, 0xff201fe0, FT_SD, 0, VK_FMOV_I, FMOV_I)                                                    \
	X(FCCMP, 0x1e200400, 0xff200c00, FT_SD, 0, VK_FCCMP, FCCMP) X(FCSEL, 0x1e200c00, 0xff200c00, FT_SD, 0, VK_FCSEL, FCSEL) \
	X(FMUL_R, 0x1e200800, 0xff20fc00, FT_SD, 0, VK_FPR, FMUL) X(FDIV_R, 0x1e201800, 0xff20fc00, FT_SD, 0, VK_FPR, FDIV) \
	X(FADD_R, 0x1e202800, 0xff20fc00, FT_SD, 0, VK_FPR, FADD) X(FSUB_R, 0x1e203800, 0xff20fc00, FT_SD, 0, VK_FPR, FSUB) \
	X(FMAX_R, 0x1e204800, 0xff20fc00, FT_SD, 0, VK_FPR, FMAX) X(FMIN_R, 0x1e205800, 0xff20fc00, FT_SD, 0, VK_FPR, FMIN) \
	X(FMAXNM_R, 0x1e206800, 0xff20fc00, FT_SD, 0, VK_FPR, FMAXNM) X(FMINNM_R, 0x1e207800, 0xff20fc00, FT_SD, 0, VK_FPR, FMINNM) \
	X(FNMUL_R, 0x1e208800, 0xff20fc00, FT_SD, 0, VK_FPR, FNMUL_R)                                                     \
	X(FMADD, 0x1f000000, 0xff000000, FT_SD, 0, VK_FMADD, FMADD)                                                       \
	X(FJCVTZS, 0x1e7e0000, 0xfffffc00, SZ_ANY, 0, VK_ABSENT, JSCVT) X(FRINT32_64, 0x1e284000, 0xff3e7c00, FT_SD, 0, VK_ABSENT, FRINTTS) \
	X(FIXED_H, 0x1ec00000, 0x7fe00000, SZ_ANY, 0, VK_ABSENT, FP16) X(FP_H, 0x1ee00000, 0x7fe00000, SZ_ANY, 0, VK_ABSENT, FP16) \
	X(BFCVT, 0x1e634000, 0xfffffc00, SZ_ANY, 0, VK_ABSENT, BF16) X(FMADD_H, 0x1fc00000, 0xffc00000, SZ_ANY, 0, VK_ABSENT, FP16)

#define ARM64_VEC_GROUPS(G)                                                                                              \
	G(FP, "Floating point") G(THREE_SAME, "Three same") G(THREE_DIFF, "Three different") G(TWO_MISC, "Two-register miscellaneous") \
	G(ACROSS, "Across lanes and scalar pairwise") G(ELEMENT, "By element") G(SHIFT, "Shift by immediate")             \
	G(IMMEDIATE, "Modified immediate") G(MOVE, "Copy, permute, extract, table") G(CRYPTO, "Cryptographic and later extensions")

#endif
