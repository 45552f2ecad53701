// SPDX-License-Identifier: MIT
/*
 * Floating point, AdvSIMD and crypto against Unicorn's Cortex-A57: every row of simd_list.h with random fields and operands
 * that make rounding, saturation and NaNs happen; and random words of the whole encoding space, of which most are
 * unallocated.  Registers, NZCV, FPSR and whether the instruction is undefined must agree.
 *
 *   MV_SEED=<n>   the seed (printed on failure)      MV_COUNT=<n>   words per row
 */
#include "arm64_compare.h"
#include "arm64_operands.h"

#define noinline __attribute__((noinline))
extern "C" {
#include "core/cpu/arm64/simd/simd.h"
}

namespace {

using namespace arm64_compare;
using namespace arm64_operands;

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
