// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Data processing that is too rare for an operation of its own: bit and byte reversal, CLS, CRC32 (FEAT_CRC32). */
#include "internal.h"

static u64 reverse_bits(u64 v)
{
	v = (v & 0x5555555555555555ull) << 1 | ((v >> 1) & 0x5555555555555555ull);
	v = (v & 0x3333333333333333ull) << 2 | ((v >> 2) & 0x3333333333333333ull);
	v = (v & 0x0f0f0f0f0f0f0f0full) << 4 | ((v >> 4) & 0x0f0f0f0f0f0f0f0full);
	return __builtin_bswap64(v);
}

static u64 reverse_bytes16(u64 v)
{
	return (v & 0x00ff00ff00ff00ffull) << 8 | ((v >> 8) & 0x00ff00ff00ff00ffull);
}

static u64 reverse_bytes32(u64 v)
{
	v = __builtin_bswap64(v);
	return v << 32 | v >> 32;
}

static u32 count_leading_sign(u64 v, u32 bits)
{
	u64 changes = (v ^ (v << 1)) << (64 - bits);

	/* the lowest bit has no neighbour below */
	changes &= ~0ull << (65 - bits);
	return changes ? (u32)__builtin_clzll(changes) : bits - 1;
}

/* One source (C4.1.95): opcode 15:10. */
static bool one_source(u32 opcode, bool x, u64 v, u64 *out)
{
	switch (opcode) {
	case 0:
		*out = x ? reverse_bits(v) : reverse_bits(v) >> 32;
		return true;
	case 1:
		*out = reverse_bytes16(v);
		return true;
	case 2:
		*out = reverse_bytes32(v);
		return x;
	case 5:
		*out = count_leading_sign(v, x ? 64 : 32);
		return true;
	default:
		return false;
	}
}

/* CRC-32 (0x04c11db7) and CRC-32C (0x1edc6f41), both bit-reversed (C6.2.81), four bits at a time. */
static u32 crc(u32 acc, u64 v, u32 bytes, u32 polynomial)
{
	u32 n, bit;

	for (n = 0; n < bytes; n++) {
		acc ^= (u8)v;
		v >>= 8;
		for (bit = 0; bit < 8; bit++)
			acc = acc >> 1 ^ (polynomial & (0 - (acc & 1)));
	}
	return acc;
}

enum arm64_leave arm64_integer(struct arm64_cpu *cpu, u32 w)
{
	u32 rd = arm64_dst(ARM64_BITS(w, 4, 0)), opcode = ARM64_BITS(w, 15, 10), size = opcode & 3;
	u64 n = cpu->x[ARM64_BITS(w, 9, 5)], m = cpu->x[ARM64_BITS(w, 20, 16)], v;
	bool x = ARM64_BIT(w, 31);

	if ((w & 0x7fff0000) == 0x5ac00000) {
		if (!one_source(opcode, x, n, &v))
			return arm64_undefined(cpu);
		cpu->x[rd] = x ? v : (u32)v;
		return ARM64_NEXT;
	}
	if ((w & 0x7fe00000) == 0x1ac00000 && opcode >= 16 && opcode < 24 && x == (size == 3)) {
		cpu->x[rd] = crc((u32)n, m, 1u << size, opcode & 4 ? 0x82f63b78 : 0xedb88320);
		return ARM64_NEXT;
	}
	return arm64_undefined(cpu);
}
