/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Instructions that are left out on purpose: they raise #UD and CPUID does not announce them.  What is neither here nor in the
 * opcode maps is reserved.  X(map, opcode, columns, name): map 1 one byte, 2 0F, 3 0F 38, 4 0F 3A; columns: 1 no prefix, 2 66,
 * 4 F3, 8 F2.  docs/x86-opcodes.md is made from this list and the maps.
 */
#ifndef MV_X86_ABSENT_H
#define MV_X86_ABSENT_H

#define X86_ABSENT_LIST(X)                                                                                               \
	X(1, 0x62, 15, "EVEX: AVX-512") X(1, 0xc4, 15, "VEX: AVX, AVX2 (BMI1, BMI2 are there)") X(1, 0xc5, 15, "VEX: AVX, AVX2") \
	X(2, 0x01, 15, "VMX, SVM (but VMCALL, VMMCALL), MONITOR, MWAIT, RDPKRU, WRPKRU among its register forms")                              \
	X(2, 0x0b, 15, "UD2") X(2, 0x0e, 15, "3DNow! FEMMS") X(2, 0x0f, 15, "3DNow!") X(2, 0x37, 15, "GETSEC")            \
	X(2, 0x78, 15, "VMREAD, SSE4a") X(2, 0x79, 15, "VMWRITE, SSE4a") X(2, 0x2b, 12, "SSE4a MOVNTSS, MOVNTSD")         \
	X(2, 0xaa, 15, "RSM") X(2, 0xb9, 15, "UD1") X(2, 0xff, 15, "UD0") X(2, 0xc7, 15, "RDSEED, RDPID, VMX among its forms") \
	X(2, 0xae, 15, "CLWB, CLFLUSHOPT, PTWRITE among its forms")                                                       \
	X(3, 0x80, 2, "INVEPT") X(3, 0x81, 2, "INVVPID") X(3, 0x82, 2, "INVPCID") X(3, 0xc8, 1, "SHA1NEXTE")              \
	X(3, 0xc9, 1, "SHA1MSG1") X(3, 0xca, 1, "SHA1MSG2") X(3, 0xcb, 1, "SHA256RNDS2") X(3, 0xcc, 1, "SHA256MSG1")      \
	X(3, 0xcd, 1, "SHA256MSG2") X(3, 0xcf, 2, "GF2P8MULB") X(3, 0xf5, 2, "WRUSS") X(3, 0xf6, 1, "WRSS")               \
	X(3, 0xf8, 14, "MOVDIR64B, ENQCMD") X(3, 0xf9, 1, "MOVDIRI") X(4, 0xcc, 1, "SHA1RNDS4")                           \
	X(4, 0xce, 2, "GF2P8AFFINEQB") X(4, 0xcf, 2, "GF2P8AFFINEINVQB")

#endif
