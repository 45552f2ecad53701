// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Integer operations on one element (C7.2). */
#include "simd.h"

static u64 polynomial8(u64 a, u64 b)
{
	u64 r = 0;
	u32 n;

	for (n = 0; n < 8; n++)
		r ^= (a << n) & (0 - ((b >> n) & 1));
	return r;
}

/* SQDMULH, SQRDMULH: the upper half of twice the product. */
static u64 double_high(struct arm64_cpu *cpu, s64 a, s64 b, u32 bits, bool round)
{
	__int128 v = 2 * (__int128)a * b + (round ? (__int128)1 << (bits - 1) : 0);

	return arm64_saturate(cpu, v >> bits, bits, true);
}

static u64 compare(bool holds)
{
	return holds ? ~0ull : 0;
}

static u64 int3_signed(struct arm64_cpu *cpu, u32 fn, u32 bits, u64 ua, u64 ub, u64 d)
{
	s64 a = (s64)arm64_sext(ua, bits), b = (s64)arm64_sext(ub, bits);

	switch (fn) {
	case ARM64_V_SHADD:
		return (u64)(((__int128)a + b) >> 1);
	case ARM64_V_SRHADD:
		return (u64)(((__int128)a + b + 1) >> 1);
	case ARM64_V_SHSUB:
		return (u64)(((__int128)a - b) >> 1);
	case ARM64_V_SQADD:
		return arm64_saturate(cpu, (__int128)a + b, bits, true);
	case ARM64_V_SQSUB:
		return arm64_saturate(cpu, (__int128)a - b, bits, true);
	case ARM64_V_CMGT:
		return compare(a > b);
	case ARM64_V_CMGE:
		return compare(a >= b);
	case ARM64_V_SMAX:
		return a > b ? ua : ub;
	case ARM64_V_SMIN:
		return a < b ? ua : ub;
	case ARM64_V_SABD:
		return a > b ? ua - ub : ub - ua;
	case ARM64_V_SABA:
		return d + (a > b ? ua - ub : ub - ua);
	case ARM64_V_SQDMULH:
		return double_high(cpu, a, b, bits, false);
	default:
		return double_high(cpu, a, b, bits, true);
	}
}

u64 arm64_int3(struct arm64_cpu *cpu, u32 fn, u32 bits, u64 a, u64 b, u64 d)
{
	switch (fn) {
	case ARM64_V_ADD:
		return a + b;
	case ARM64_V_SUB:
		return a - b;
	case ARM64_V_CMEQ:
		return compare(a == b);
	case ARM64_V_CMTST:
		return compare(a & b);
	case ARM64_V_CMHI:
		return compare(a > b);
	case ARM64_V_CMHS:
		return compare(a >= b);
	case ARM64_V_UMAX:
		return a > b ? a : b;
	case ARM64_V_UMIN:
		return a < b ? a : b;
	case ARM64_V_MUL:
		return a * b;
	case ARM64_V_MLA:
		return d + a * b;
	case ARM64_V_MLS:
		return d - a * b;
	case ARM64_V_UHADD:
		return (a + b) >> 1;
	case ARM64_V_URHADD:
		return (a + b + 1) >> 1;
	case ARM64_V_UHSUB:
		return (a - b) >> 1;
	case ARM64_V_UQADD:
		return arm64_saturate(cpu, (__int128)a + b, bits, false);
	case ARM64_V_UQSUB:
		return arm64_saturate(cpu, (__int128)a - b, bits, false);
	case ARM64_V_UABD:
		return a > b ? a - b : b - a;
	case ARM64_V_UABA:
		return d + (a > b ? a - b : b - a);
	case ARM64_V_PMUL:
		return polynomial8(a, b);
	default:
		return int3_signed(cpu, fn, bits, a, b, d);
	}
}

static u32 count_ones(u64 v)
{
	v -= (v >> 1) & 0x55;
	v = (v & 0x33) + ((v >> 2) & 0x33);
	return (u32)((v + (v >> 4)) & 0x0f);
}

static u32 leading_zeros(u64 v, u32 bits)
{
	return v ? (u32)__builtin_clzll(v) - (64 - bits) : bits;
}

static u64 reverse8(u64 v)
{
	v = (v & 0x55) << 1 | ((v >> 1) & 0x55);
	v = (v & 0x33) << 2 | ((v >> 2) & 0x33);
	return (v << 4 | v >> 4) & 0xff;
}

u64 arm64_int2(struct arm64_cpu *cpu, u32 fn, u32 bits, u64 a, u64 d)
{
	s64 sa = (s64)arm64_sext(a, bits);
	u64 mask = ~0ull >> (64 - bits);

	switch (fn) {
	case ARM64_V_ABS:
		return sa < 0 ? 0 - a : a;
	case ARM64_V_NOT:
		return ~a;
	case ARM64_V_CNT:
		return count_ones(a);
	case ARM64_V_RBIT:
		return reverse8(a);
	case ARM64_V_CLZ:
		return leading_zeros(a, bits);
	case ARM64_V_CLS:
		/* bits that differ from the one below; the lowest has none */
		return leading_zeros((a ^ a << 1) & mask & ~1ull, bits) - !((a ^ a << 1) & mask & ~1ull);
	case ARM64_V_SQABS:
		return arm64_saturate(cpu, sa < 0 ? -(__int128)sa : sa, bits, true);
	case ARM64_V_SQNEG:
		return arm64_saturate(cpu, -(__int128)sa, bits, true);
	case ARM64_V_SUQADD:
		/* signed accumulator, unsigned operand */
		return arm64_saturate(cpu, (__int128)a + (s64)arm64_sext(d, bits), bits, true);
	default:
		return arm64_saturate(cpu, (__int128)sa + d, bits, false);	/* USQADD */
	}
}

/* @bits: of the result; @wide has twice as many */
u64 arm64_narrow(struct arm64_cpu *cpu, u32 fn, u32 bits, u64 wide)
{
	switch (fn) {
	case ARM64_V_SQXTN:
		return arm64_saturate(cpu, (s64)arm64_sext(wide, 2 * bits), bits, true);
	case ARM64_V_SQXTUN:
		return arm64_saturate(cpu, (s64)arm64_sext(wide, 2 * bits), bits, false);
	case ARM64_V_UQXTN:
		return arm64_saturate(cpu, (__int128)wide, bits, false);
	default:
		return wide;
	}
}
