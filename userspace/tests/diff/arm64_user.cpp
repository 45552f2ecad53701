// SPDX-License-Identifier: MIT
/*
 * Random instruction sequences on the software CPU at EL0 and under qemu-aarch64: registers, vectors, NZCV, FPCR, FPSR, memory,
 * and by which fault at which address a sequence ended must agree.
 *
 *   MV_SEED=<n>   the seed (printed on failure)      MV_COUNT=<n>   batches of 256 sequences for each core
 */
#include <csignal>

#include "arm64_compare.h"
#include "arm64_user_cases.h"
#include "arm64_user_machine.h"

namespace {

using namespace arm64_user;
using ull = unsigned long long;

struct Core {
	const char *name;
	const char *qemu;
	bool lse;
	uint64_t batches;	// of the short run
};

[[maybe_unused]] void PrintTo(const Core &core, std::ostream *out)
{
	*out << core.name;
}

bool same(const user_state &a, const user_state &b)
{
	return !std::memcmp(a.x, b.x, sizeof(a.x)) && !std::memcmp(a.v, b.v, sizeof(a.v)) && a.pc == b.pc && a.nzcv == b.nzcv && a.fpcr == b.fpcr &&
	       a.fpsr == b.fpsr && a.signal == b.signal && a.memory == b.memory && a.address == b.address;
}

/*
 * How QEMU's user mode reports faults where that is not the architecture's way.  @w: the word that ours stopped at, @a and @b
 * become the same if the difference is one of these.
 *
 * A jump to an unaligned address: PC alignment comes first (D1.3.5); QEMU finds no page first.
 * An address beyond 47 bits: x86 hosts do not say which one it was.
 * DC ZVA: its fault is reported for the first instruction of what QEMU translated together.
 */
void explain(uint32_t w, user_state *a, user_state *b)
{
	if (a->signal == USER_BUS && b->signal == USER_SEGV && (a->pc & 3))
		a->signal = b->signal;
	a->address &= 0x00ffffffffffffff;
	b->address &= 0x00ffffffffffffff;
	if (!b->address && a->address >> 47)
		a->address = 0;
	if ((w & 0xffffffe0) == 0xd50b7420 && a->signal == USER_SEGV && b->signal == USER_SEGV)
		b->pc = a->pc;
}

std::string line(const char *format, auto... values)
{
	char text[200];
	std::snprintf(text, sizeof(text), format, values...);
	return text;
}

std::string describe(const uint32_t *code, const user_state &in, const user_state &a, const user_state &b)
{
	std::string text = "code:";
	for (unsigned i = 0; i < USER_WORDS && (i == 0 || code[i] != end_word); i++)
		text += line(" %08x", code[i]);
	text += line("\nat %llx: ended at ours %llx theirs %llx, signal ours %u theirs %u, address ours %llx theirs %llx\n", ull(in.pc), ull(a.pc), ull(b.pc),
		     a.signal, b.signal, ull(a.address), ull(b.address));
	text += line("nzcv %llx: ours %llx theirs %llx, fpcr %x: ours %x theirs %x, fpsr %x: ours %x theirs %x%s\n", ull(in.nzcv), ull(a.nzcv), ull(b.nzcv),
		     in.fpcr, a.fpcr, b.fpcr, in.fpsr, a.fpsr, b.fpsr, a.memory == b.memory ? "" : ", memory differs");
	for (int i = 0; i < 32; i++)
		if (a.x[i] != b.x[i])
			text += line("x%d was %016llx ours %016llx theirs %016llx\n", i, ull(in.x[i]), ull(a.x[i]), ull(b.x[i]));
	for (int i = 0; i < 64; i++)
		if (a.v[i] != b.v[i])
			text += line("v%d.d[%d] was %016llx ours %016llx theirs %016llx\n", i / 2, i & 1, ull(in.v[i]), ull(a.v[i]), ull(b.v[i]));
	return text;
}

uint32_t word_at(const user_batch &batch, uint64_t pc)
{
	uint64_t n = (pc - USER_CODE_AT) / 4;
	return n < USER_CASES * USER_WORDS ? batch.code[n / USER_WORDS][n % USER_WORDS] : 0;
}

// STXR that is not aligned or may not store raises; QEMU says that it failed if the monitor does not match, and looks no
// further (IMPLEMENTATION DEFINED, AArch64.ExclusiveMonitorsPass() in J1).
bool comparable(const user_batch &batch, const user_state &end)
{
	return (end.signal != USER_BUS && end.signal != USER_SEGV) || (word_at(batch, end.pc) & 0x3fc00000) != 0x08000000;
}

// Most cases are to go on behind what raises: a NOP in its place.  One in eight keeps it.
bool mend(user_batch *batch, int i, const user_state &end)
{
	uint64_t n = (end.pc - batch->in[i].pc) / 4;
	if (i % 8 == 0 || end.signal == USER_TRAP || n >= USER_WORDS)
		return false;
	batch->code[i][n] = 0xd503201f;
	return true;
}

// Runs the batch on ours; a case that does not end, changes code or cannot be compared becomes an empty one, and all is done
// again.
void run_ours(Ours *ours, user_batch *batch, std::vector<user_state> *out)
{
	out->resize(USER_CASES);
	auto next = std::make_unique<user_batch>();
	bool again = true;
	for (int round = 0; again; round++) {
		again = false;
		uint64_t executed = ours->executed;
		ours->load(*batch);
		user_batch &mended = *next;
		mended = *batch;
		for (int i = 0; i < USER_CASES; i++) {
			if (ours->run(batch->in[i], &(*out)[i], 1000) && comparable(*batch, (*out)[i]) && ours->code_is(*batch)) {
				again = (round < 12 && mend(&mended, i, (*out)[i])) || again;
				continue;
			}
			mended.code[i][0] = end_word;
			again = true;
			if (!ours->code_is(*batch))
				break;
		}
		if (!again)
			continue;
		ours->executed = executed;
		*batch = mended;
	}
}

class Arm64User : public ::testing::TestWithParam<Core> {};

TEST_P(Arm64User, AgreesWithQemu)
{
	std::signal(SIGPIPE, SIG_IGN);
	uint64_t seed = arm64_compare::env_number("MV_SEED", 20261121), count = arm64_compare::env_number("MV_COUNT", GetParam().batches);
	SCOPED_TRACE("MV_SEED=" + std::to_string(seed));
	Cases cases(seed, GetParam().lse);
	Ours ours;
	Theirs theirs(GetParam().qemu);
	auto batch = std::make_unique<user_batch>();
	std::vector<user_state> a, b;
	unsigned differences = 0;
	for (uint64_t n = 0; n < count && differences < 4; n++) {
		cases.fill(batch.get());
		run_ours(&ours, batch.get(), &a);
		ASSERT_TRUE(theirs.run(*batch, &b)) << "qemu-aarch64 is not there (scripts/setup) or ended, batch " << n;
		for (int i = 0; i < USER_CASES; i++) {
			explain(word_at(*batch, a[i].pc), &a[i], &b[i]);
			if (same(a[i], b[i]))
				continue;
			ADD_FAILURE() << "batch " << n << ", case " << i << " " << describe(batch->code[i], batch->in[i], a[i], b[i]);
			if (++differences == 4 || a[i].memory != b[i].memory)
				break;	// memory stays different in this batch
		}
	}
	if (std::getenv("MV_COUNT"))
		std::printf("%s: %llu instructions executed on both\n", GetParam().name, ull(ours.executed));
}

INSTANTIATE_TEST_SUITE_P(Cores, Arm64User, ::testing::Values(Core{"armv80", "cortex-a57", false, 100}, Core{"armv81_atomics", "neoverse-n1", true, 50}),
			 [](const auto &info) { return info.param.name; });

}
