/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The A64 encoding groups outside floating point and AdvSIMD data processing (those: simd/simd_list.h), as the decoder has
 * them; tests run them and docs/arm64-opcodes.md is made of them.  What no row matches is unallocated.
 *
 * X(name, value, mask, status): WHOLE: every word exists; PART: fields have reserved values, which raise; otherwise the
 * feature that it belongs to: absent, as the ID registers say.  A word that an absent row matches is absent.
 */
#ifndef MV_ARM64_OPCODES_H
#define MV_ARM64_OPCODES_H

/* C4.1.93 */
#define ARM64_CODES_IMMEDIATE(X)                                                                                         \
	X("ADR, ADRP", 0x10000000, 0x1f000000, WHOLE) X("ADD, SUB (immediate)", 0x11000000, 0x1f800000, WHOLE)            \
	X("ADDG, SUBG", 0x91800000, 0xbfc00000, MTE) X("AND, ORR, EOR, ANDS (immediate)", 0x12000000, 0x1f800000, PART)   \
	X("MOVN, MOVZ, MOVK", 0x12800000, 0x1f800000, PART) X("SBFM, BFM, UBFM", 0x13000000, 0x1f800000, PART)            \
	X("EXTR", 0x13800000, 0x7fa00000, PART)

/* C4.1.94 */
#define ARM64_CODES_BRANCH(X)                                                                                            \
	X("B.cond", 0x54000000, 0xff000010, WHOLE) X("BC.cond", 0x54000010, 0xff000010, HBC)                              \
	X("SVC", 0xd4000001, 0xffe0001f, WHOLE) X("HVC", 0xd4000002, 0xffe0001f, WHOLE) X("SMC", 0xd4000003, 0xffe0001f, WHOLE) \
	X("BRK", 0xd4200000, 0xffe0001f, WHOLE) X("HLT", 0xd4400000, 0xffe0001f, HALTING_DEBUG)                           \
	X("DCPS1", 0xd4a00001, 0xffe0001f, HALTING_DEBUG) X("DCPS2", 0xd4a00002, 0xffe0001f, HALTING_DEBUG)               \
	X("DCPS3", 0xd4a00003, 0xffe0001f, HALTING_DEBUG) X("HINT", 0xd503201f, 0xfffff01f, WHOLE)                        \
	X("CLREX", 0xd503305f, 0xfffff0ff, WHOLE) X("DSB", 0xd503309f, 0xfffff0ff, WHOLE) X("DMB", 0xd50330bf, 0xfffff0ff, WHOLE) \
	X("ISB", 0xd50330df, 0xfffff0ff, WHOLE) X("SB", 0xd50330ff, 0xfffff0ff, SB)                                       \
	X("MSR (PSTATE)", 0xd500401f, 0xfff8f01f, PART) X("SYS", 0xd5080000, 0xfff80000, PART)                            \
	X("SYSL", 0xd5280000, 0xfff80000, NO_SUCH_OPERATION) X("MRS, MSR", 0xd5100000, 0xffd00000, PART)                  \
	X("BR", 0xd61f0000, 0xfffffc1f, WHOLE) X("BLR", 0xd63f0000, 0xfffffc1f, WHOLE) X("RET", 0xd65f0000, 0xfffffc1f, WHOLE) \
	X("ERET", 0xd69f03e0, 0xffffffff, WHOLE) X("DRPS", 0xd6bf03e0, 0xffffffff, HALTING_DEBUG)                         \
	X("BRAAZ, BLRAAZ, RETAA", 0xd61f081f, 0xff9ff81f, PAUTH) X("BRAA, BLRAA", 0xd71f0800, 0xff9ff800, PAUTH)          \
	X("ERETAA", 0xd69f0bff, 0xfffffbff, PAUTH) X("B, BL", 0x14000000, 0x7c000000, WHOLE)                              \
	X("CBZ, CBNZ", 0x34000000, 0x7e000000, WHOLE) X("TBZ, TBNZ", 0x36000000, 0x7e000000, WHOLE)

/* C4.1.96 */
#define ARM64_CODES_MEMORY(X)                                                                                            \
	X("exclusive, ordered, CAS, CASP", 0x08000000, 0x3f000000, PART) X("LDLAR, STLLR", 0x08800000, 0x3fa08000, LOR)    \
	X("LDR (literal), PRFM", 0x18000000, 0x3f000000, WHOLE) X("LDAPUR, STLUR", 0x19000000, 0x3f200c00, LRCPC2)         \
	X("tags", 0xd9200000, 0xff200000, MTE) X("LDP, STP, LDNP, STNP, LDPSW", 0x28000000, 0x3e000000, PART)              \
	X("LDR, STR (unscaled, unprivileged, pre- and post-indexed)", 0x38000000, 0x3f200000, PART)                       \
	X("LDR, STR (register), PRFM", 0x38200800, 0x3f200c00, PART) X("LDR, STR (unsigned offset), PRFM", 0x39000000, 0x3f000000, PART) \
	X("LDADD and its like, SWP", 0x38200000, 0x3f200c00, PART) X("LDAPR", 0x38bfc000, 0x3ffffc00, LRCPC)               \
	X("LDRAA, LDRAB", 0xf8200400, 0xff200400, PAUTH)                                                                  \
	X("LDR (literal, SIMD&FP)", 0x1c000000, 0x3f000000, PART) X("LDP, STP, LDNP, STNP (SIMD&FP)", 0x2c000000, 0x3e000000, PART) \
	X("LDR, STR (unscaled, pre- and post-indexed, SIMD&FP)", 0x3c000000, 0x3f200000, PART)                            \
	X("LDR, STR (register, SIMD&FP)", 0x3c200800, 0x3f200c00, PART)                                                   \
	X("LDR, STR (unsigned offset, SIMD&FP)", 0x3d000000, 0x3f000000, PART)                                            \
	X("LD1 to LD4, ST1 to ST4 (multiple)", 0x0c000000, 0xbfbf0000, PART)                                              \
	X("LD1 to LD4, ST1 to ST4 (multiple, post-indexed)", 0x0c800000, 0xbfa00000, PART)                                \
	X("LD1 to LD4, ST1 to ST4, LD1R to LD4R (single)", 0x0d000000, 0xbf9f0000, PART)                                  \
	X("LD1 to LD4, ST1 to ST4, LD1R to LD4R (single, post-indexed)", 0x0d800000, 0xbf800000, PART)

/* C4.1.95 */
#define ARM64_CODES_REGISTER(X)                                                                                          \
	X("AND to BICS (shifted register)", 0x0a000000, 0x1f000000, PART) X("ADD, SUB (shifted register)", 0x0b000000, 0x1f200000, PART) \
	X("ADD, SUB (extended register)", 0x0b200000, 0x1fe00000, PART) X("ADC, SBC", 0x1a000000, 0x1fe0fc00, WHOLE)       \
	X("RMIF", 0xba000400, 0xffe07c10, FLAGM) X("SETF8, SETF16", 0x3a00080d, 0xffffbc1f, FLAGM)                         \
	X("CCMP, CCMN", 0x3a400000, 0x3fe00410, WHOLE) X("CSEL to CSNEG", 0x1a800000, 0x3fe00800, WHOLE)                   \
	X("UDIV, SDIV", 0x1ac00800, 0x7fe0f800, WHOLE) X("LSLV to RORV", 0x1ac02000, 0x7fe0f000, WHOLE)                    \
	X("CRC32", 0x1ac04000, 0x7fe0e000, PART) X("SUBP, IRG, GMI", 0x9ac00000, 0xdfe0e800, MTE)                          \
	X("PACGA", 0x9ac03000, 0xffe0fc00, PAUTH) X("RBIT, REV, CLZ, CLS", 0x5ac00000, 0x7fffe000, PART)                   \
	X("PACIA and its like", 0xdac10000, 0xffff0000, PAUTH) X("MADD, MSUB", 0x1b000000, 0x7fe00000, WHOLE)              \
	X("SMADDL to UMSUBL", 0x9b200000, 0xff600000, WHOLE) X("SMULH, UMULH", 0x9b400000, 0xff608000, WHOLE)

/* C4.1 */
#define ARM64_CODES_OTHER(X)                                                                                             \
	X("UDF", 0x00000000, 0xffff0000, PERMANENTLY_UNDEFINED) X("SVE", 0x04000000, 0x1e000000, SVE)                     \
	X("SME", 0x80000000, 0x9e000000, SME)

#define ARM64_CODES(G)                                                                                                   \
	G(IMMEDIATE, "Data processing, immediate") G(BRANCH, "Branches, exceptions, system") G(MEMORY, "Loads and stores") \
	G(REGISTER, "Data processing, register") G(OTHER, "Reserved, SVE, SME")

#endif
