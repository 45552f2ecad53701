// SPDX-License-Identifier: MIT
// Encoding groups that random words are made of, and the words of each that other implementations may treat otherwise.
#pragma once

#include <cstdint>

namespace arm64_groups {

inline uint32_t bits(uint32_t w, int high, int low)
{
	return (w >> low) & ((2u << (high - low)) - 1);
}

struct Group {
	const char *name;
	uint32_t value, mask;
	bool memory;
	bool (*skip)(uint32_t w);	// encodings that cannot be compared, and why
	bool armv80 = false;		// against the core without Armv8.1
};

inline bool none(uint32_t)
{
	return false;
}

// Extensions that Unicorn's "max" core has and ours does not: FlagM, pointer authentication, MTE, LRCPC.
inline bool skip_two_sources(uint32_t w)
{
	uint32_t op = bits(w, 15, 10);
	return op < 2 || op == 4 || op == 5 || op == 12;
}

inline bool skip_one_source(uint32_t w)
{
	return bits(w, 20, 16) != 0 || (w >> 29 & 1);
}

// Loads with writeback into their own base, and pairs that load one register twice, are CONSTRAINED UNPREDICTABLE.
inline bool skip_single(uint32_t w)
{
	uint32_t rt = bits(w, 4, 0), rn = bits(w, 9, 5);
	return (w >> 10 & 1) && !(w >> 24 & 1) && rt == rn;
}

inline bool skip_pair(uint32_t w)
{
	uint32_t rt = bits(w, 4, 0), rt2 = bits(w, 14, 10), rn = bits(w, 9, 5);
	return ((w >> 22 & 1) && rt == rt2) || ((w >> 23 & 1) && (rn == rt || rn == rt2)) ||
	       bits(w, 31, 30) == 1;	// STGP; and LDPSW, which has a row of its own
}

inline bool skip_ldpsw(uint32_t w)
{
	return bits(w, 24, 23) == 0 || skip_pair(w & 0x3fffffff);
}

// Exclusive pairs of one register twice; status register equal to data or base; SBZ and SBO fields; LORegion forms;
// STXR, whose success needs the load before it (unit tests); Unicorn 2.0.1 gets 32-bit CASP wrong for odd registers.
inline bool skip_exclusive(uint32_t w)
{
	bool o2 = w >> 23 & 1, load = w >> 22 & 1, o1 = w >> 21 & 1, o0 = w >> 15 & 1;
	uint32_t rs = bits(w, 20, 16), rt = bits(w, 4, 0), rt2 = bits(w, 14, 10);
	if (o2 && !o1)
		return !o0 || rs != 31 || rt2 != 31;
	if (o2 && o1)
		return rt2 != 31;
	if (o1 && !(w >> 31))
		return rt2 != 31 || (rs & 1) || (rt & 1) || rs == 30 || rt == 30;
	return !load || rs != 31 || (o1 ? rt == rt2 : rt2 != 31);
}

// LDAPR is another extension.  Minimum and maximum below 64 bits: Unicorn 2.0.1 compares the whole source register, without
// extending the signed ones; those are in the unit tests.
inline bool skip_atomic(uint32_t w)
{
	uint32_t opc = bits(w, 14, 12);
	return ((w >> 15 & 1) && opc != 0) || (opc >= 4 && bits(w, 31, 30) < 3);
}

inline bool skip_vector_pair(uint32_t w)
{
	return (w >> 22 & 1) && bits(w, 4, 0) == bits(w, 14, 10);
}

inline bool skip_prefetch_literal(uint32_t w)
{
	return bits(w, 31, 30) == 3;
}

// The reference takes any offset form of unscaled PRFM; LDTR is compared at EL1, where both use EL1's rights without MMU.
inline const Group groups[] = {
	{"adr", 0x10000000, 0x1f000000, false, none},
	{"add_immediate", 0x11000000, 0x1f800000, false, none},
	{"logical_immediate", 0x12000000, 0x1f800000, false, none},
	{"move_wide", 0x12800000, 0x1f800000, false, none},
	{"bitfield", 0x13000000, 0x1f800000, false, none},
	{"extract", 0x13800000, 0x1f800000, false, none},
	{"logical_shifted", 0x0a000000, 0x1f000000, false, none},
	{"add_shifted", 0x0b000000, 0x1f200000, false, none},
	{"add_extended", 0x0b200000, 0x1f200000, false, none},
	{"add_carry", 0x1a000000, 0x1fe0fc00, false, none},
	{"compare_conditional", 0x3a400000, 0x3fe00410, false, none},
	{"select", 0x1a800000, 0x1fe00000, false, none},
	{"two_sources", 0x1ac00000, 0x7fe0c000, false, skip_two_sources},
	{"one_source", 0x5ac00000, 0x5fffc000, false, skip_one_source},
	{"three_sources", 0x1b000000, 0x1f000000, false, none},
	{"branch", 0x14000000, 0x7c000000, false, none},
	{"compare_branch", 0x34000000, 0x7e000000, false, none},
	{"test_branch", 0x36000000, 0x7e000000, false, none},
	{"conditional_branch", 0x54000000, 0xff000010, false, none},
	{"branch_register", 0xd61f0000, 0xff9ffc1f, false, none},
	{"load_store_unsigned", 0x39000000, 0x3f000000, true, none},
	{"load_store_imm9", 0x38000000, 0x3f200000, true, skip_single},
	{"load_store_register", 0x38200800, 0x3f200c00, true, none},
	{"load_store_pair", 0x28000000, 0x3e000000, true, skip_pair},
	{"load_pair_signed", 0x68400000, 0xfe400000, true, skip_ldpsw},
	{"load_literal", 0x18000000, 0x3f000000, true, skip_prefetch_literal},
	{"exclusive", 0x08000000, 0x3f000000, true, skip_exclusive},
	{"atomic", 0x38200000, 0x3f200c00, true, skip_atomic},
	{"vector_unsigned", 0x3d000000, 0x3f000000, true, none, true},
	{"vector_imm9", 0x3c000000, 0x3f200000, true, none, true},
	{"vector_register", 0x3c200800, 0x3f200c00, true, none, true},
	{"vector_bit21", 0x3c200000, 0x3f200000, true, none, true},
	{"vector_pair", 0x2c000000, 0x3e000000, true, skip_vector_pair, true},
	{"vector_literal", 0x1c000000, 0x3f000000, true, none, true},
	{"structures", 0x0c000000, 0x3f400000, true, none, true},
	{"structures_load", 0x0c400000, 0x3f400000, true, none, true},
	{"structures_multiple", 0x0c800000, 0xbfa00000, true, none, true},
	{"structures_single", 0x0d800000, 0xbf800000, true, none, true},
};

}
