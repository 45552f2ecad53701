// SPDX-License-Identifier: MIT
/*
 * Random encodings of each implemented group, one instruction at a time, on the software CPU and on Unicorn: registers,
 * NZCV, memory, and whether and how the instruction faults must agree.
 *
 *   MV_SEED=<n>   the seed (printed on failure)      MV_COUNT=<n>   cases per group
 */
#include <random>

#include "arm64_compare.h"
#include "arm64_groups.h"

namespace {

using namespace arm64_compare;
using namespace arm64_groups;

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
