// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The opcode maps themselves.  Vector instructions have their own (simd/simd.h).  A row that is in neither is #UD. */
#include "decode_tables.h"

#define S(name) X86_SEM_##name

#define ALU(base, sem, lock)                                                                                             \
	[base] = { sem, O_MODRM | O_BYTE | lock }, [base + 1] = { sem, O_MODRM | lock },                                  \
	[base + 2] = { sem, O_MODRM | O_BYTE | O_TO_REG }, [base + 3] = { sem, O_MODRM | O_TO_REG },                      \
	[base + 4] = { sem, O_ACC | O_BYTE | O_IMM8 }, [base + 5] = { sem, O_ACC | O_IMMZ }
#define EIGHT(base, ...)                                                                                                 \
	[base] = __VA_ARGS__, [base + 1] = __VA_ARGS__, [base + 2] = __VA_ARGS__, [base + 3] = __VA_ARGS__,               \
	[base + 4] = __VA_ARGS__, [base + 5] = __VA_ARGS__, [base + 6] = __VA_ARGS__, [base + 7] = __VA_ARGS__
#define SIXTEEN(base, ...) EIGHT(base, __VA_ARGS__), EIGHT(base + 8, __VA_ARGS__)
#define NEAR (O_REL | O_END | O_BRANCH)

const struct x86_opcode x86_one_byte[256] = {
	ALU(0x00, S(ADD), O_LOCK), ALU(0x08, S(OR), O_LOCK), ALU(0x10, S(ADC), O_LOCK), ALU(0x18, S(SBB), O_LOCK),
	ALU(0x20, S(AND), O_LOCK), ALU(0x28, S(SUB), O_LOCK), ALU(0x30, S(XOR), O_LOCK), ALU(0x38, S(CMP), 0),
	[0x06] = { S(PUSH_SEG), O_SEG | O_NOT64 }, [0x07] = { S(POP_SEG), O_SEG | O_NOT64 | O_END },
	[0x0e] = { S(PUSH_SEG), O_SEG | O_NOT64 },
	[0x16] = { S(PUSH_SEG), O_SEG | O_NOT64 }, [0x17] = { S(POP_SEG), O_SEG | O_NOT64 | O_END },
	[0x1e] = { S(PUSH_SEG), O_SEG | O_NOT64 }, [0x1f] = { S(POP_SEG), O_SEG | O_NOT64 | O_END },
	[0x27] = { S(DAA), O_NOT64 }, [0x2f] = { S(DAS), O_NOT64 }, [0x37] = { S(AAA), O_NOT64 },
	[0x3f] = { S(AAS), O_NOT64 },
	EIGHT(0x40, { S(INC), O_OPREG }), EIGHT(0x48, { S(DEC), O_OPREG }),
	EIGHT(0x50, { S(PUSH), O_OPREG | O_D64 }), EIGHT(0x58, { S(POP), O_OPREG | O_D64 }),
	[0x60] = { S(PUSHA), O_NOT64 }, [0x61] = { S(POPA), O_NOT64 },
	[0x62] = { S(BOUND), O_MODRM | O_NOT64 | O_MEM }, [0x63] = { S(MOVSX), O_MODRM | O_TO_REG },
	[0x68] = { S(PUSH), O_IMMZ | O_D64 }, [0x69] = { S(IMUL3), O_MODRM | O_IMMZ | O_TO_REG },
	[0x6a] = { S(PUSH), O_IMM8 | O_D64 }, [0x6b] = { S(IMUL3), O_MODRM | O_IMM8 | O_TO_REG },
	[0x6c] = { S(INS), O_BYTE }, [0x6d] = { S(INS), 0 }, [0x6e] = { S(OUTS), O_BYTE }, [0x6f] = { S(OUTS), 0 },
	SIXTEEN(0x70, { S(JCC), O_CC | O_IMM8 | NEAR }),
	[0x80] = { X86_G1, O_MODRM | O_BYTE | O_IMM8 | O_LOCK }, [0x81] = { X86_G1, O_MODRM | O_IMMZ | O_LOCK },
	[0x82] = { X86_G1, O_MODRM | O_BYTE | O_IMM8 | O_LOCK | O_NOT64 },
	[0x83] = { X86_G1, O_MODRM | O_IMM8 | O_LOCK },
	[0x84] = { S(TEST), O_MODRM | O_BYTE }, [0x85] = { S(TEST), O_MODRM },
	[0x86] = { S(XCHG), O_MODRM | O_BYTE | O_LOCK }, [0x87] = { S(XCHG), O_MODRM | O_LOCK },
	[0x88] = { S(MOV), O_MODRM | O_BYTE }, [0x89] = { S(MOV), O_MODRM },
	[0x8a] = { S(MOV), O_MODRM | O_BYTE | O_TO_REG }, [0x8b] = { S(MOV), O_MODRM | O_TO_REG },
	[0x8c] = { S(MOV_FROM_SEG), O_MODRM }, [0x8d] = { S(LEA), O_MODRM | O_TO_REG | O_MEM },
	[0x8e] = { S(MOV_TO_SEG), O_MODRM | O_END }, [0x8f] = { X86_G1A, O_MODRM | O_D64 },
	EIGHT(0x90, { S(XCHG), O_OPREG }),
	[0x98] = { S(CBW), 0 }, [0x99] = { S(CWD), 0 }, [0x9a] = { S(CALL_FAR), O_NOT64 | O_END },
	[0x9b] = { S(WAIT), 0 }, [0x9c] = { S(PUSHF), O_D64 }, [0x9d] = { S(POPF), O_D64 | O_END },
	[0x9e] = { S(SAHF), 0 }, [0x9f] = { S(LAHF), 0 },
	[0xa0] = { S(MOV), O_MOFFS | O_BYTE | O_TO_REG }, [0xa1] = { S(MOV), O_MOFFS | O_TO_REG },
	[0xa2] = { S(MOV), O_MOFFS | O_BYTE }, [0xa3] = { S(MOV), O_MOFFS },
	[0xa4] = { S(MOVS), O_BYTE }, [0xa5] = { S(MOVS), 0 }, [0xa6] = { S(CMPS), O_BYTE }, [0xa7] = { S(CMPS), 0 },
	[0xa8] = { S(TEST), O_ACC | O_BYTE | O_IMM8 }, [0xa9] = { S(TEST), O_ACC | O_IMMZ },
	[0xaa] = { S(STOS), O_BYTE }, [0xab] = { S(STOS), 0 }, [0xac] = { S(LODS), O_BYTE }, [0xad] = { S(LODS), 0 },
	[0xae] = { S(SCAS), O_BYTE }, [0xaf] = { S(SCAS), 0 },
	EIGHT(0xb0, { S(MOV), O_OPREG | O_BYTE | O_IMM8 }), EIGHT(0xb8, { S(MOV), O_OPREG | O_IMMV }),
	[0xc0] = { X86_G2, O_MODRM | O_BYTE | O_IMM8 }, [0xc1] = { X86_G2, O_MODRM | O_IMM8 },
	[0xc2] = { S(RET), O_IMM16 | O_END | O_BRANCH }, [0xc3] = { S(RET), O_END | O_BRANCH },
	[0xc4] = { S(LFAR), O_MODRM | O_NOT64 | O_MEM | O_END }, [0xc5] = { S(LFAR), O_MODRM | O_NOT64 | O_MEM | O_END },
	[0xc6] = { X86_G11, O_MODRM | O_BYTE | O_IMM8 }, [0xc7] = { X86_G11, O_MODRM | O_IMMZ },
	[0xc8] = { S(ENTER), O_IMM16 | O_D64 }, [0xc9] = { S(LEAVE), O_D64 },
	[0xca] = { S(RETF), O_IMM16 | O_END }, [0xcb] = { S(RETF), O_END },
	[0xcc] = { S(INT3), O_END }, [0xcd] = { S(INT), O_IMM8 | O_END }, [0xce] = { S(INTO), O_NOT64 | O_END },
	[0xcf] = { S(IRET), O_END },
	[0xd0] = { X86_G2, O_MODRM | O_BYTE | O_ONE }, [0xd1] = { X86_G2, O_MODRM | O_ONE },
	[0xd2] = { X86_G2, O_MODRM | O_BYTE }, [0xd3] = { X86_G2, O_MODRM },
	[0xd4] = { S(AAM), O_IMM8 | O_NOT64 }, [0xd5] = { S(AAD), O_IMM8 | O_NOT64 }, [0xd6] = { S(SALC), O_NOT64 },
	[0xd7] = { S(XLAT), 0 },
	EIGHT(0xd8, { S(X87), O_MODRM }),
	[0xe0] = { S(LOOPNE), O_IMM8 | NEAR }, [0xe1] = { S(LOOPE), O_IMM8 | NEAR }, [0xe2] = { S(LOOP), O_IMM8 | NEAR },
	[0xe3] = { S(JCXZ), O_IMM8 | NEAR },
	[0xe4] = { S(IN), O_BYTE | O_IMM8 }, [0xe5] = { S(IN), O_IMM8 }, [0xe6] = { S(OUT), O_BYTE | O_IMM8 },
	[0xe7] = { S(OUT), O_IMM8 },
	[0xe8] = { S(CALL), O_IMMZ | NEAR }, [0xe9] = { S(JMP), O_IMMZ | NEAR }, [0xea] = { S(JMP_FAR), O_NOT64 | O_END },
	[0xeb] = { S(JMP), O_IMM8 | NEAR },
	[0xec] = { S(IN), O_BYTE }, [0xed] = { S(IN), 0 }, [0xee] = { S(OUT), O_BYTE }, [0xef] = { S(OUT), 0 },
	[0xf1] = { S(INT1), O_END }, [0xf4] = { S(HLT), O_END }, [0xf5] = { S(CMC), 0 },
	[0xf6] = { X86_G3, O_MODRM | O_BYTE }, [0xf7] = { X86_G3, O_MODRM },
	[0xf8] = { S(CLC), 0 }, [0xf9] = { S(STC), 0 }, [0xfa] = { S(CLI), 0 }, [0xfb] = { S(STI), O_END },
	[0xfc] = { S(CLD), 0 }, [0xfd] = { S(STD), 0 },
	[0xfe] = { X86_G4, O_MODRM | O_BYTE | O_LOCK }, [0xff] = { X86_G5, O_MODRM },
};

const struct x86_opcode x86_two_byte[256] = {
	[0x00] = { X86_G6, O_MODRM }, [0x01] = { X86_G7, O_MODRM | O_END },
	[0x02] = { S(LAR), O_MODRM | O_TO_REG }, [0x03] = { S(LSL), O_MODRM | O_TO_REG },
	[0x05] = { S(SYSCALL), O_END }, [0x06] = { S(CLTS), O_END }, [0x07] = { S(SYSRET), O_END },
	[0x08] = { S(WBINVD), O_END }, [0x09] = { S(WBINVD), O_END },
	[0x0d] = { S(NOP), O_MODRM }, EIGHT(0x18, { S(NOP), O_MODRM }),
	[0x20] = { S(MOV_CR_FROM), O_MODRM | O_REGS }, [0x21] = { S(MOV_DR_FROM), O_MODRM | O_REGS },
	[0x22] = { S(MOV_CR_TO), O_MODRM | O_REGS | O_END }, [0x23] = { S(MOV_DR_TO), O_MODRM | O_REGS | O_END },
	[0x33] = { S(RDPMC), O_END }, [0x77] = { S(EMMS), 0 }, [0xb8] = { X86_B8, O_MODRM | O_TO_REG },
	[0xc3] = { X86_C3, O_MODRM | O_MEM },
	[0x30] = { S(WRMSR), O_END }, [0x31] = { S(RDTSC), 0 }, [0x32] = { S(RDMSR), 0 },
	[0x34] = { S(SYSENTER), O_END }, [0x35] = { S(SYSEXIT), O_END },
	SIXTEEN(0x40, { S(CMOV), O_MODRM | O_TO_REG | O_CC }),
	SIXTEEN(0x80, { S(JCC), O_CC | O_IMMZ | NEAR }),
	SIXTEEN(0x90, { S(SETCC), O_MODRM | O_BYTE | O_CC }),
	[0xa0] = { S(PUSH_SEG), O_SEG | O_D64 }, [0xa1] = { S(POP_SEG), O_SEG | O_D64 | O_END },
	[0xa2] = { S(CPUID), O_END },
	[0xa3] = { S(BT), O_MODRM }, [0xa4] = { S(SHLD), O_MODRM | O_IMM8 }, [0xa5] = { S(SHLD), O_MODRM },
	[0xa8] = { S(PUSH_SEG), O_SEG | O_D64 }, [0xa9] = { S(POP_SEG), O_SEG | O_D64 | O_END },
	[0xab] = { S(BTS), O_MODRM | O_LOCK }, [0xac] = { S(SHRD), O_MODRM | O_IMM8 }, [0xad] = { S(SHRD), O_MODRM },
	[0xae] = { X86_G15, O_MODRM }, [0xaf] = { S(IMUL2), O_MODRM | O_TO_REG },
	[0xb0] = { S(CMPXCHG), O_MODRM | O_BYTE | O_LOCK }, [0xb1] = { S(CMPXCHG), O_MODRM | O_LOCK },
	[0xb2] = { S(LFAR), O_MODRM | O_MEM | O_END }, [0xb3] = { S(BTR), O_MODRM | O_LOCK },
	[0xb4] = { S(LFAR), O_MODRM | O_MEM | O_END }, [0xb5] = { S(LFAR), O_MODRM | O_MEM | O_END },
	[0xb6] = { S(MOVZX), O_MODRM | O_TO_REG }, [0xb7] = { S(MOVZX), O_MODRM | O_TO_REG },
	[0xba] = { X86_G8, O_MODRM | O_IMM8 | O_LOCK }, [0xbb] = { S(BTC), O_MODRM | O_LOCK },
	[0xbc] = { X86_BC, O_MODRM | O_TO_REG }, [0xbd] = { X86_BD, O_MODRM | O_TO_REG },
	[0xbe] = { S(MOVSX), O_MODRM | O_TO_REG }, [0xbf] = { S(MOVSX), O_MODRM | O_TO_REG },
	[0xc0] = { S(XADD), O_MODRM | O_BYTE | O_LOCK }, [0xc1] = { S(XADD), O_MODRM | O_LOCK },
	[0xc7] = { X86_G9, O_MODRM | O_LOCK }, EIGHT(0xc8, { S(BSWAP), O_OPREG }),
};

const struct x86_opcode x86_group3[8] = {
	{ S(TEST), O_IMMZ }, { S(TEST), O_IMMZ }, { S(NOT), O_LOCK }, { S(NEG), O_LOCK },
	{ S(MUL), 0 }, { S(IMUL1), 0 }, { S(DIV), 0 }, { S(IDIV), 0 },
};

const struct x86_opcode x86_group5[8] = {
	{ S(INC), O_LOCK }, { S(DEC), O_LOCK }, { S(CALL_RM), O_END | O_BRANCH }, { S(CALL_FARM), O_END | O_MEM },
	{ S(JMP_RM), O_END | O_BRANCH }, { S(JMP_FARM), O_END | O_MEM }, { S(PUSH), O_D64 }, { S(UD), 0 },
};

const struct x86_opcode x86_group6[8] = {
	{ S(SLDT), 0 }, { S(STR), 0 }, { S(LLDT), O_END }, { S(LTR), O_END }, { S(VERR), 0 }, { S(VERW), 0 },
	{ S(UD), 0 }, { S(UD), 0 },
};

const struct x86_opcode x86_group7[8] = {
	{ S(SGDT), O_MEM }, { S(SIDT), O_MEM }, { S(LGDT), O_MEM }, { S(LIDT), O_MEM }, { S(SMSW), 0 }, { S(UD), 0 },
	{ S(LMSW), 0 }, { S(INVLPG), O_MEM },
};
