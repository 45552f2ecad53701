// SPDX-License-Identifier: MIT
// The engine: exact budgets, code that changes, fused operations, atomics between CPUs.
#include <random>
#include <thread>

#include "arm64_machine.h"

using namespace arm64;

namespace {

// Random straight-line arithmetic, comparisons with branches, loads and stores around x20, and what ends blocks.
std::vector<uint32_t> random_program(std::mt19937_64 &random, size_t count)
{
	std::vector<uint32_t> words;
	auto reg = [&] { return uint32_t(random() % 16); };
	while (words.size() < count) {
		uint32_t rd = reg(), rn = reg(), rm = reg(), sf = uint32_t(random() & 1) << 31;
		switch (random() % 16) {
		case 0:
		case 1:
			words.push_back(0x6b00001f | sf | rm << 16 | rn << 5);	// cmp, then a branch over 0..3 words
			[[fallthrough]];
		case 2:
			words.push_back(0x54000000 | uint32_t(random() % 4 + 1) << 5 | uint32_t(random() % 16));
			break;
		case 3:
			words.push_back(0x72000000 | sf | uint32_t(random() % 32) << 16 | uint32_t(random() % 30) << 10 |
					rn << 5 | rd);			// ands immediate
			words.push_back(0x54000020 | uint32_t(random() % 2));
			break;
		case 4:
			words.push_back(0x71000000 | sf | uint32_t(random() % 4096) << 10 | rn << 5 | rd);
			words.push_back(0x54000040 | uint32_t(random() % 14));
			break;
		case 5:
			words.push_back(movz(rd, random() & 0xffff, 16 * (random() % 4)));
			words.push_back(movk(random() % 4 ? rd : rn, random() & 0xffff, 16 * (random() % 4)));
			break;
		case 6:
			words.push_back(0x90000000 | rd);			// adrp
			words.push_back(add(rd, rd, random() & 0xfff));
			break;
		case 7:
			words.push_back(0xf9000000 | uint32_t(random() % 64) << 10 | 20 << 5 | rd);
			break;
		case 8:
			words.push_back(0xf9400000 | uint32_t(random() % 64) << 10 | 20 << 5 | rd);
			break;
		case 9:
			words.push_back(0x34000040 | uint32_t(random() & 1) << 24 | sf | rd);	// cbz, cbnz
			break;
		case 10:
			words.push_back(0x36000040 | uint32_t(random() & 1) << 24 | uint32_t(random() % 32) << 19 | rd);
			break;
		case 11:
			words.push_back(random() % 4 ? 0x9bc07c00 | rm << 16 | rn << 5 | rd : isb);
			break;
		case 12:
			words.push_back(random() % 4 ? 0x1a800000 | sf | rm << 16 | uint32_t(random() % 16) << 12 | rn << 5 | rd :
						       mrs(rd, 3, 0, 0, 4, 0));
			break;
		case 13:
			words.push_back(random() % 8 ? 0x3a000000 | sf | rm << 16 | rn << 5 | rd : udf);
			break;
		default:
			words.push_back(0x0b000000 | sf | uint32_t(random() % 4) << 29 | rm << 16 |
					uint32_t(random() % 32) << 10 | rn << 5 | rd);
		}
	}
	return words;
}

struct Ended {
	arm64_state state;
	uint64_t retired;
	std::vector<uint8_t> data;
};

Ended run_program(const std::vector<uint32_t> &words, uint64_t count, uint64_t slice, decltype(&arm64_step) step)
{
	Machine m;
	uint64_t at = ram_at;
	for (uint32_t w : words) {
		m.put(at, {w});
		at += 4;
	}
	m.put(at, {b(-int(words.size()))});
	// every exception goes on behind the instruction, with a step of its own
	m.put(vectors + 0x200, {mrs(17, 3, 0, 4, 0, 1), add(17, 17, 4), msr(17, 3, 0, 4, 0, 1), eret});
	m.s.x[20] = ram_at + 0x20000;
	for (int i = 0; i < 16; i++)
		m.s.x[i] = i * 0x123456789abcdefull;
	m.set();
	std::mt19937 random(1);
	while (count) {
		uint64_t n = slice ? slice : random() % 100;
		n = std::min(n, count);
		EXPECT_EQ(step(m.cpu.get(), n), HV_EXIT_BUDGET);
		count -= n;
	}
	m.get();
	return {m.s, m.cpu->hv.retired, {m.host(ram_at + 0x20000), m.host(ram_at + 0x20400)}};
}

void count_on(Machine &m, uint64_t pc, uint64_t counter, uint64_t times)
{
	m.s.pc = pc;
	m.s.x[1] = counter;
	m.s.x[2] = times;
	m.set();
}

}

TEST(Arm64Engine, BudgetIsExact)
{
	const char *given = std::getenv("MV_SEED");
	uint64_t seed = given ? std::strtoull(given, nullptr, 0) : 20261121;
	SCOPED_TRACE("MV_SEED=" + std::to_string(seed));
	std::mt19937_64 random(seed);
	for (int round = 0; round < 60; round++) {
		std::vector<uint32_t> words = random_program(random, 20 + random() % 300);
		uint64_t count = 500 + random() % 3000;
		Ended whole = run_program(words, count, count, arm64_step);
		for (uint64_t slice : {1, 7, 0}) {
			for (auto step : {arm64_step, arm64_step_switch}) {
				Ended other = run_program(words, count, slice, step);
				ASSERT_EQ(std::memcmp(&whole.state, &other.state, sizeof(whole.state)), 0)
					<< "round " << round << " slice " << slice << " pc " << std::hex << whole.state.pc << " "
					<< other.state.pc;
				ASSERT_EQ(whole.retired, other.retired);
				ASSERT_EQ(whole.retired, count);
				ASSERT_EQ(whole.data, other.data);
			}
		}
	}
}

TEST(Arm64Engine, NewCodeIsSeenAfterIsb)
{
	// The loop stores another instruction over its own third word, with ISB: seen in the same round.
	Machine m;
	m.put(ram_at, {str_w(2, 1), isb, add(0, 0, 1), subs(3, 3, 1), b_ne(-4), hvc});
	m.s.x[1] = ram_at + 8;
	m.s.x[2] = add(0, 0, 1);
	m.s.x[3] = 1000;
	m.set();
	EXPECT_EQ(m.step(2500), HV_EXIT_BUDGET);
	m.s.x[2] = add(0, 0, 0x100);
	uint64_t before = m.s.x[0], left = m.s.x[3];
	ASSERT_EQ(m.s.pc, ram_at);
	m.set();
	EXPECT_EQ(m.step(~0ull), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], before + left * 0x100);
}

TEST(Arm64Engine, CodeChangedBetweenStepsIsSeen)
{
	Machine m;
	m.put(ram_at, {movz(0, 1), self});
	m.step(100);
	m.put(ram_at, {movz(0, 2), hvc});
	m.s.pc = ram_at;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 2u);
}

TEST(Arm64Engine, ArenaFullAsksForMoreOrStartsOver)
{
	Machine m;
	std::vector<uint8_t> small(8192), large(1 << 16);
	// 200 blocks: each jumps to the next, the last stops
	for (int i = 0; i < 200; i++)
		m.put(ram_at + 8 * i, {add(0, 0, 1), b(1)});
	m.put(ram_at + 1600, {subs(1, 1, 1), b_ne(-401), hvc});
	for (size_t limit : {small.size(), large.size()}) {
		std::memset(m.cpu.get(), 0, sizeof(arm64_cpu));
		arm64_init(m.cpu.get(), m.map, 0, small.data(), small.size(), limit);
		m.get();
		m.s.pc = ram_at;
		m.s.x[1] = 3;
		m.set();
		enum hv_exit_kind kind = m.step(~0ull);
		unsigned grown = 0;
		while (kind == HV_EXIT_ARENA) {
			ASSERT_LE(m.cpu->hv.blocks.want, large.size());
			hv_blocks_set_arena(&m.cpu->hv.blocks, large.data(), large.size());
			kind = m.step(~0ull);
			grown++;
		}
		EXPECT_EQ(kind, HV_EXIT_CALL);
		EXPECT_EQ(m.s.x[0], 600u);
		EXPECT_EQ(grown, limit > small.size() ? 1u : 0u);
	}
}

TEST(Arm64Engine, CrossPageAccess)
{
	Machine m;
	m.put(ram_at, {str_x(0, 1), ldr_x(2, 1), 0xa9000820, 0xa9401023, hvc});	// stp x0, x2, [x1]; ldp x3, x4, [x1]
	m.s.x[0] = 0x1122334455667788;
	m.s.x[1] = ram_at + 0x3000 - 3;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[2], 0x1122334455667788u);
	EXPECT_EQ(m.s.x[3], m.s.x[0]);
	EXPECT_EQ(m.s.x[4], m.s.x[0]);
	EXPECT_EQ(*m.host(ram_at + 0x3000), 0x55);
}

TEST(Arm64Atomic, MinimumAndMaximum)
{
	// size, opc (4 smax 5 smin 6 umax 7 umin), memory, register, result
	struct { uint32_t size, opc; uint64_t memory, value, result; } cases[] = {
		{0, 4, 0x80, 0x7f, 0x7f}, {0, 5, 0x80, 0x7f, 0x80}, {0, 6, 0x80, 0x17f, 0x80}, {0, 7, 0x80, 0x17f, 0x7f},
		{1, 4, 0xffff, 1, 1}, {1, 5, 0xffff, 1, 0xffff}, {2, 4, 0x80000000, 0, 0}, {2, 5, 0x80000000, 0, 0x80000000},
		{2, 6, 0x80000000, 1, 0x80000000}, {3, 4, ~0ull, 1, 1},
	};
	for (auto &c : cases) {
		Machine m;
		m.put(ram_at, {0x38200020 | c.size << 30 | c.opc << 12 | 2 << 16, hvc});	// ld<op> x2, x0, [x1]
		m.put64(ram_at + 0x1000, c.memory);
		m.s.x[1] = ram_at + 0x1000;
		m.s.x[2] = c.value;
		m.set();
		EXPECT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.x[0], c.memory);
		EXPECT_EQ(m.get64(ram_at + 0x1000), c.result) << c.size << " " << c.opc;
	}
}

TEST(Arm64Atomic, StoreExclusiveNeedsItsLoad)
{
	Machine m;
	m.put(ram_at, {0xc8037c22,			// stxr w3, x2, [x1]: fails, nothing was marked
		       0xc85f7c20, 0xc8047c22,		// ldxr x0, [x1]; stxr w4, x2, [x1]: succeeds
		       0xc85f7c20, 0xd5033f5f, 0xc8057c22,	// ldxr; clrex; stxr w5: fails
		       0xc85f7c20, 0xc8067cc2, hvc});		// ldxr; stxr w6, x2, [x6]: another address
	m.s.x[1] = ram_at + 0x1000;
	m.s.x[2] = 5;
	m.s.x[6] = ram_at + 0x1008;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[3], 1u);
	EXPECT_EQ(m.s.x[4], 0u);
	EXPECT_EQ(m.s.x[5], 1u);
	EXPECT_EQ(m.s.x[6], 1u);
	EXPECT_EQ(m.get64(ram_at + 0x1000), 5u);
	EXPECT_EQ(m.get64(ram_at + 0x1008), 0u);
}

// The tag is no part of the address that is marked (D8.8).  Found against qemu-aarch64 with MV_SEED=201.
TEST(Arm64Atomic, ExclusivesIgnoreTags)
{
	Machine m;
	m.put(ram_at, {0xc85f7c20, 0xc8047cc2, hvc});	// ldxr x0, [x1]; stxr w4, x2, [x6]
	m.s.tcr_el1 = 1ull << 37;			// TBI0
	m.s.x[1] = ram_at + 0x1000;
	m.s.x[6] = m.s.x[1] | 0x5aull << 56;
	m.s.x[2] = 5;
	m.s.x[4] = 1;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[4], 0u);
	EXPECT_EQ(m.get64(ram_at + 0x1000), 5u);
}

TEST(Arm64Atomic, StoreExclusiveFailsAfterAnotherCpusStore)
{
	Machine m;
	m.put(ram_at, {0xc85f7c20, hvc, 0xc8037c22, hvc});
	m.s.x[1] = ram_at + 0x1000;
	m.set();
	m.step();
	m.put64(ram_at + 0x1000, 9);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[3], 1u);
	EXPECT_EQ(m.get64(ram_at + 0x1000), 9u);
}

TEST(Arm64Atomic, TwoCpusCountExactly)
{
	constexpr uint64_t times = 1000000;
	const std::initializer_list<uint32_t> exclusive = {0xc85f7c20, add(0, 0, 1), 0xc8037c20, cbnz_w(3, -3), subs(2, 2, 1),
							   b_ne(-5), hvc};
	// ldxp x0, x4, [x1]; add both; stxp w3, x0, x4, [x1]
	const std::initializer_list<uint32_t> pair = {0xc87f1020, add(0, 0, 1), add(4, 4, 1), 0xc8231020, cbnz_w(3, -4),
						      subs(2, 2, 1), b_ne(-6), hvc};
	const std::initializer_list<uint32_t> atomic = {movz(5, 1), 0xf8250020, subs(2, 2, 1), b_ne(-2), hvc};	// ldadd x5
	Machine first, second(first);
	uint64_t counter = ram_at + 0x1000;
	for (auto *program : {&exclusive, &pair, &atomic}) {
		first.put(ram_at, *program);
		first.put64(counter, 0);
		first.put64(counter + 8, 0);
		count_on(first, ram_at, counter, times);
		count_on(second, ram_at, counter, times);
		std::thread other([&] { EXPECT_EQ(arm64_step(second.cpu.get(), ~0ull), HV_EXIT_CALL); });
		EXPECT_EQ(arm64_step(first.cpu.get(), ~0ull), HV_EXIT_CALL);
		other.join();
		EXPECT_EQ(first.get64(counter), 2 * times);
		EXPECT_EQ(first.get64(counter + 8), program == &pair ? 2 * times : 0);
	}
}
