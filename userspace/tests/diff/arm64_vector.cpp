// SPDX-License-Identifier: MIT
/*
 * Floating point, AdvSIMD and crypto against Unicorn's Cortex-A57: every row of simd_list.h with random fields and operands
 * that make rounding, saturation and NaNs happen; and random words of the whole encoding space, of which most are
 * unallocated.  Registers, NZCV, FPSR and whether the instruction is undefined must agree.
 *
 *   MV_SEED=<n>   the seed (printed on failure)      MV_COUNT=<n>   words per row
 */
#include <random>

#include "arm64_compare.h"

#define noinline __attribute__((noinline))
extern "C" {
#include "core/cpu/arm64/simd/simd.h"
}

namespace {

using namespace arm64_compare;
using Rng = std::mt19937_64;

uint64_t random_float(Rng &random, int exponent_bits, int fraction_bits)
{
	uint64_t bias = (1ull << (exponent_bits - 1)) - 1, max = 2 * bias + 1, exponent, fraction = random() & ((1ull << fraction_bits) - 1);
	switch (random() % 8) {
	case 0: exponent = random() % 3; break;
	case 1: exponent = max - random() % 3; break;
	case 2: exponent = random() & max; break;
	case 3: exponent = bias + random() % (exponent_bits == 5 ? 15 : 66); break;
	case 4: exponent = exponent_bits == 11 ? 1023 - 127 - 30 + random() % 40 : random() & max; break;
	default: exponent = bias - 8 + random() % 16; break;
	}
	switch (random() % 6) {
	case 0: fraction = 0; break;
	case 1: fraction = (1ull << fraction_bits) - 1; break;
	case 2: fraction = 1ull << (random() % fraction_bits); break;
	case 3: fraction &= ~0ull << (random() % fraction_bits); break;
	default: break;
	}
	return (random() & 1) << (exponent_bits + fraction_bits) | (exponent & max) << fraction_bits | fraction;
}

uint64_t random_lanes(Rng &random)
{
	static const uint64_t corners[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 63, ~0ull >> 1, ~0ull};
	uint64_t v = 0;
	switch (random() % 8) {
	case 0:
	case 1: return random_float(random, 11, 52);
	case 2:
	case 3: return random_float(random, 8, 23) << 32 | random_float(random, 8, 23);
	case 4:
		for (int i = 0; i < 4; i++)
			v = v << 16 | random_float(random, 5, 10);
		return v;
	case 5: return corners[random() % std::size(corners)] * (random() & 1 ? 0x0000000100000001ull : 1);
	case 6:
		for (int i = 0; i < 8; i++)
			v = v << 8 | (corners[random() % 5] + random() % 3);
		return v;
	default: return random();
	}
}

uint64_t random_integer(Rng &random)
{
	uint64_t v = random() >> (random() % 64);
	return random() & 1 ? v : 0 - v;
}

struct Comparison {
	Rng random;
	Ours ours;
	std::unique_ptr<Theirs> theirs = std::make_unique<Theirs>(true);
	Outcome in;
	uint64_t at = 0, executed = 0, words = 0;
	unsigned differences = 0;

	explicit Comparison(uint64_t seed) : random(seed)
	{
		for (uint64_t &x : in.x)
			x = random_integer(random);
		for (Vector &v : in.v)
			v = {{random_lanes(random), random_lanes(random)}};
		in.x[31] = data_at + 0x1000;
	}

	// @w with several operands; false: enough differences
	bool compare(uint32_t w, int times)
	{
		const uint32_t nop = 0xd503201f;
		// Unicorn 2.0.1 crashes once it has dropped enough translations: a new one now and then
		if (++words % 8000 == 0)
			theirs = std::make_unique<Theirs>(true);
		in.pc = code_at + 0x1000 + at;
		std::memcpy(ours.memory.code.get() + (in.pc - code_at), &w, 4);
		std::memcpy(theirs->memory.code.get() + (in.pc - code_at), &w, 4);
		std::memcpy(theirs->memory.code.get() + (in.pc - code_at) + 4, &nop, 4);
		at = (at + 8) % (code_size - 0x2000);
		for (int n = 0; n < times; n++) {
			int registers[] = {int(w & 31), int(bits(w, 9, 5)), int(bits(w, 20, 16)), int(bits(w, 14, 10))};
			for (int r : registers) {
				in.v[r] = {{random_lanes(random), random_lanes(random)}};
				if (r != 31)
					in.x[r] = random_integer(random);
			}
			in.nzcv = random() & 0xf0000000;
			in.fpcr = random() & ARM64_FPCR_BITS;
			if (random() & 1)
				in.fpcr &= 0x00c00000;
			in.fpsr = random() & 1 ? 0 : random() & ARM64_FPSR_BITS;
			Outcome a = ours.run(in), b = theirs->run(in, n == 0);
			executed++;
			if (!a.fault.empty() && !b.fault.empty())
				a.pc = b.pc = 0;	// Unicorn's PC is not exact after a fault
			if (a == b)
				continue;
			u32 row = arm64_vec_find(w);
			ADD_FAILURE() << (row ? arm64_vec_rows[row].name : "?") << " " << describe(w, in, a, b);
			if (++differences == 4)
				return false;
			break;
		}
		return true;
	}
};

class Arm64Vector : public ::testing::TestWithParam<int> {};

const char *const group_names[] = {
#define G(group, title) #group,
	ARM64_VEC_GROUPS(G)
#undef G
};

TEST_P(Arm64Vector, RowsAgreeWithUnicorn)
{
	uint64_t seed = env_number("MV_SEED", 20261121), count = env_number("MV_COUNT", 12);
	SCOPED_TRACE("MV_SEED=" + std::to_string(seed));
	Comparison c(seed ^ uint64_t(GetParam()) << 32);
	for (u32 n = 1; n < ARM64_VECS; n++) {
		const arm64_vec_row &r = arm64_vec_rows[n];
		if (r.group != GetParam() || r.mask == ~0u)
			continue;
		c.differences = 0;
		for (uint64_t i = 0; i < count; i++) {
			if (!c.compare((uint32_t(c.random()) & ~r.mask) | r.value, 4))
				break;
		}
	}
	if (std::getenv("MV_COUNT"))
		std::printf("%s: %llu instructions executed on both\n", group_names[GetParam()], (unsigned long long)c.executed);
}

INSTANTIATE_TEST_SUITE_P(Groups, Arm64Vector, ::testing::Range(0, int(ARM64_GROUPS)), [](const auto &info) { return group_names[info.param]; });

TEST(Arm64Vector, RandomWordsAgreeWithUnicorn)
{
	uint64_t seed = env_number("MV_SEED", 20261121), count = env_number("MV_COUNT", 12) * 500;
	SCOPED_TRACE("MV_SEED=" + std::to_string(seed));
	Comparison c(seed);
	for (uint64_t i = 0; i < count; i++) {
		if (!c.compare((uint32_t(c.random()) & 0xf1ffffff) | 0x0e000000, 1))
			break;
	}
	if (std::getenv("MV_COUNT"))
		std::printf("random words: %llu instructions executed on both\n", (unsigned long long)c.executed);
}

}
