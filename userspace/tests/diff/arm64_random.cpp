// SPDX-License-Identifier: MIT
/*
 * Random encodings of each implemented group, one instruction at a time, on the software CPU and on Unicorn: registers,
 * NZCV, memory, and whether and how the instruction faults must agree.
 *
 *   MV_SEED=<n>   the seed (printed on failure)      MV_COUNT=<n>   cases per group
 */
#include <random>

#include "arm64_compare.h"

namespace {

using namespace arm64_compare;

struct Group {
	const char *name;
	uint32_t value, mask;
	bool memory;
	bool (*skip)(uint32_t w);	// encodings that cannot be compared, and why
	bool armv80 = false;		// against the core without Armv8.1
};

bool none(uint32_t)
{
	return false;
}

// Extensions that Unicorn's "max" core has and ours does not: FlagM, pointer authentication, MTE, LRCPC.
bool skip_two_sources(uint32_t w)
{
	uint32_t op = bits(w, 15, 10);
	return op < 2 || op == 4 || op == 5 || op == 12;
}

bool skip_one_source(uint32_t w)
{
	return bits(w, 20, 16) != 0 || (w >> 29 & 1);
}

// Loads with writeback into their own base, and pairs that load one register twice, are CONSTRAINED UNPREDICTABLE.
bool skip_single(uint32_t w)
{
	uint32_t rt = bits(w, 4, 0), rn = bits(w, 9, 5);
	return (w >> 10 & 1) && !(w >> 24 & 1) && rt == rn;
}

bool skip_pair(uint32_t w)
{
	uint32_t rt = bits(w, 4, 0), rt2 = bits(w, 14, 10), rn = bits(w, 9, 5);
	return ((w >> 22 & 1) && rt == rt2) || ((w >> 23 & 1) && (rn == rt || rn == rt2)) ||
	       bits(w, 31, 30) == 1;	// STGP; and LDPSW, which has a row of its own
}

bool skip_ldpsw(uint32_t w)
{
	return bits(w, 24, 23) == 0 || skip_pair(w & 0x3fffffff);
}

// Exclusive pairs of one register twice; status register equal to data or base; SBZ and SBO fields; LORegion forms;
// STXR, whose success needs the load before it (unit tests); Unicorn 2.0.1 gets 32-bit CASP wrong for odd registers.
bool skip_exclusive(uint32_t w)
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
bool skip_atomic(uint32_t w)
{
	uint32_t opc = bits(w, 14, 12);
	return ((w >> 15 & 1) && opc != 0) || (opc >= 4 && bits(w, 31, 30) < 3);
}

bool skip_vector_pair(uint32_t w)
{
	return (w >> 22 & 1) && bits(w, 4, 0) == bits(w, 14, 10);
}

bool skip_prefetch_literal(uint32_t w)
{
	return bits(w, 31, 30) == 3;
}

// The reference takes any offset form of unscaled PRFM; LDTR is compared at EL1, where both use EL1's rights without MMU.
const Group groups[] = {
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

[[maybe_unused]] void PrintTo(const Group &group, std::ostream *out)
{
	*out << group.name;
}

class Arm64Random : public ::testing::TestWithParam<Group> {};

TEST_P(Arm64Random, AgreesWithUnicorn)
{
	const Group &group = GetParam();
	uint64_t seed = env_number("MV_SEED", 20261121), count = env_number("MV_COUNT", 4000);
	SCOPED_TRACE("MV_SEED=" + std::to_string(seed));
	std::mt19937_64 random(seed ^ group.value);
	Ours ours;
	auto theirs_now = std::make_unique<Theirs>(group.armv80);
	static const uint64_t corners[] = {0, 1, ~0ull, 1ull << 63, (1ull << 63) - 1, 0x80000000, 0x7fffffff, 0xffffffff, 63, 64};
	unsigned differences = 0;

	for (size_t i = 0; i < data_size; i++)
		ours.memory.data.get()[i] = theirs_now->memory.data.get()[i] = uint8_t(random());
	const uint32_t nop = 0xd503201f;
	for (size_t i = 0; i < code_size; i += 4) {
		std::memcpy(ours.memory.code.get() + i, &nop, 4);
		std::memcpy(theirs_now->memory.code.get() + i, &nop, 4);
	}
	uint32_t w = 0;
	for (uint64_t n = 0, executed = 0; executed < count; n++) {
		// each word with four sets of operands
		if (n % 4 == 0)
			w = (uint32_t(random()) & ~group.mask) | group.value;
		if (group.skip(w)) {
			n |= 3;	// the next word
			continue;
		}
		executed++;
		// Unicorn 2.0.1 crashes once it has dropped enough translations that others jump to: a new one now and then
		if (executed % 16000 == 0) {
			theirs_now = std::make_unique<Theirs>(group.armv80);
			std::memcpy(theirs_now->memory.data.get(), ours.memory.data.get(), data_size);
			std::memcpy(theirs_now->memory.code.get(), ours.memory.code.get(), code_size);
		}
		Theirs &theirs = *theirs_now;
		Outcome in;
		in.pc = code_at + 0x1000 + 4 * (n / 4) % (code_size - 0x2000);
		in.nzcv = random() & 0xf0000000;
		for (int i = 0; i < 32; i++) {
			uint64_t kind = random() % 4;
			if (group.memory && (i == 31 || i == (int)bits(w, 9, 5)))
				in.x[i] = data_at + data_size / 2 + (random() % 0x800) * (kind ? 16 : 1);
			else if (group.memory && i == (int)bits(w, 20, 16))
				in.x[i] = kind ? random() % 0x1000 : random() % 64 - 32;
			else
				in.x[i] = kind ? random() : corners[random() % std::size(corners)];
		}
		for (Vector &v : in.v)
			v = {{random(), random()}};
		if (group.memory)
			in.x[31] &= ~15ull;
		// LDAR and STLR: an unaligned address faults (B2.5.2); Unicorn 2.0.1 lets it pass.  First seen with MV_SEED=15.
		if ((w & 0x3f800000) == 0x08800000)
			in.x[bits(w, 9, 5)] &= ~15ull;
		if (group.value == 0xd61f0000)
			in.x[bits(w, 9, 5)] = code_at + (random() % 1000) * 4;
		std::memcpy(ours.memory.code.get() + (in.pc - code_at), &w, 4);
		std::memcpy(theirs.memory.code.get() + (in.pc - code_at), &w, 4);
		Outcome a = ours.run(in), b = theirs.run(in, n % 4 == 0);
		if (!a.fault.empty() && !b.fault.empty())
			a.pc = b.pc = 0;	// Unicorn's PC is not exact after a fault
		bool same_memory = !group.memory ||
				   !std::memcmp(ours.memory.data.get(), theirs.memory.data.get(), data_size);
		// A store that aborts on its second part leaves the first part's bytes as they were or written (B2.2.1 makes no promise
		// for more than 64 bits; Unicorn stores 128 bits in two steps).  Ours leaves them: a unit test holds it to that.
		if (a == b && !same_memory && (w >> 26 & 1) && a.fault == "data abort") {
			std::memcpy(theirs.memory.data.get(), ours.memory.data.get(), data_size);
			continue;
		}
		if (a == b && same_memory)
			continue;
		ADD_FAILURE() << describe(w, in, a, b) << (same_memory ? "" : "\nmemory differs");
		std::memcpy(theirs.memory.data.get(), ours.memory.data.get(), data_size);
		if (++differences == 5)
			break;
	}
}

INSTANTIATE_TEST_SUITE_P(Groups, Arm64Random, ::testing::ValuesIn(groups), [](const auto &info) { return info.param.name; });

}
