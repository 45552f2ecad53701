// SPDX-License-Identifier: MIT
// Address spaces: what is kept of each while another is current, and what every TLBI drops of them.
#include <random>

#include "arm64_paged.h"

using namespace arm64;

namespace {

constexpr unsigned count = 2 * ARM64_SPACES + 1;
constexpr uint32_t ldtr(unsigned rt, unsigned rn) { return 0xf8400800 | rn << 5 | rt; }
constexpr uint32_t tlbi(unsigned op2, bool inner) { return (inner ? 0xd5088303 : 0xd5088703) | op2 << 5; }	// with x3
constexpr uint32_t to_first = msr(10, 3, 0, 2, 0, 0), to_second = msr(11, 3, 0, 2, 0, 0);
enum : unsigned { vmall, vae, aside, vaae, vale = 5, vaale = 7 };

// Tables of many address spaces that differ in what is at the window; x10, x11: TTBR0_EL1 of the first two.
struct Spaces : Paged {
	Spaces(std::initializer_list<uint32_t> program, uint64_t attributes = af | user | not_global) : Paged(program)
	{
		for (unsigned n = 0; n < count; n++) {
			put64(table(n), (table(n) + 0x1000) | 3);
			put64(table(n) + 8, (table2 + 0x2000) | 3);
			put64(table(n) + 0x1008, (table(n) + 0x2000) | 3);
			maps(n, n, attributes);
			put64(target + 0x1000 * n, 100 + n);
		}
		s.x[1] = window;
		s.x[10] = base(0);
		s.x[11] = base(1);
		set();
	}
	static uint64_t table(unsigned n) { return ram_at + 0x140000 + 0x4000 * n; }
	static uint64_t base(unsigned n) { return table(n) | uint64_t{n + 1} << 48; }
	void maps(unsigned n, unsigned to, uint64_t attributes = af | user | not_global)
	{
		put64(table(n) + 0x2000, (target + 0x1000 * to) | attributes | 3);
	}
};

struct Form {
	unsigned op2;
	uint64_t operand;
	bool first, second;	// dropped?
};

constexpr uint64_t page = window >> 12;
constexpr uint64_t asid(uint64_t n) { return n << 48; }

}

TEST(Arm64Asid, EveryFormOfTlbi)
{
	const Form forms[] = {
		{vmall, 0, true, true}, {aside, asid(1), true, false}, {aside, asid(2), false, true}, {aside, asid(3), false, false},
		{vae, asid(1) | page, true, false}, {vae, asid(2) | page, false, true}, {vae, asid(3) | page, false, false},
		{vale, asid(1) | page, true, false}, {vale, asid(2) | page, false, true}, {vae, asid(1) | (page + 1), false, false},
		{vaae, asid(1) | page, true, true}, {vaale, page, true, true}, {vaae, page + 1, false, false},
		{vae, asid(0x101) | page, true, false},		// TCR_EL1.AS is 0: eight bits
		{vae, asid(1) | 15ull << 44 | page, true, false},	// RES0 without FEAT_TTL
	};
	for (bool inner : {false, true}) {
		for (const Form &f : forms) {
			SCOPED_TRACE(testing::Message() << "op2 " << f.op2 << " operand " << std::hex << f.operand);
			uint32_t op = tlbi(f.op2, inner) | (f.op2 == vmall ? 31 : 0);
			Spaces m({to_first, isb, ldtr(0, 1), to_second, isb, ldtr(2, 1), hvc, op, to_first, isb, ldtr(0, 1), to_second, isb,
				  ldtr(2, 1), hvc});
			m.s.x[3] = f.operand;
			m.set();
			ASSERT_EQ(m.step(), HV_EXIT_CALL);
			EXPECT_EQ(m.s.x[0], 100u);
			EXPECT_EQ(m.s.x[2], 101u);
			m.maps(0, 2);
			m.maps(1, 3);
			ASSERT_EQ(m.step(), HV_EXIT_CALL);
			EXPECT_EQ(m.s.x[0], f.first ? 102u : 100u);
			EXPECT_EQ(m.s.x[2], f.second ? 103u : 101u);
		}
	}
}

TEST(Arm64Asid, AnotherCpusTlbiReachesSpacesThatAreNotCurrent)
{
	for (uint64_t what : {asid(1) | page | ARM64_TLBI_VA_ASID, asid(1) | ARM64_TLBI_ASID, page | ARM64_TLBI_VA, ARM64_EVERYWHERE}) {
		Spaces m({to_first, isb, ldtr(0, 1), to_second, isb, hvc, to_first, isb, ldtr(0, 1), hvc});
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		m.maps(0, 2);
		arm64_shootdown(m.cpu.get(), what);
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.x[0], 102u) << std::hex << what;
	}
}

TEST(Arm64Asid, AGlobalPageIsEverySpaces)
{
	// VAE1 with the other space's ASID drops it, too (D8.13.5)
	Spaces m({to_first, isb, ldtr(0, 1), to_second, isb, hvc, tlbi(vae, false), to_first, isb, ldtr(0, 1), hvc}, af | user);
	m.s.x[3] = asid(2) | page;
	m.set();
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	m.maps(0, 2, af | user);
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 102u);
}

TEST(Arm64Asid, WhatEl1FindsThroughALocalPageStaysInItsSpace)
{
	Spaces m({to_first, isb, ldr_x(0, 1), to_second, isb, ldr_x(2, 1), to_first, isb, ldr_x(4, 1), hvc, tlbi(aside, false), ldr_x(0, 1), hvc},
		 af | not_global);
	m.s.x[3] = asid(1);
	m.set();
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 100u);
	EXPECT_EQ(m.s.x[2], 101u);
	EXPECT_EQ(m.s.x[4], 100u);
	m.maps(0, 2, af | not_global);
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 102u);
}

TEST(Arm64Asid, SixteenBitsAndTtbr1)
{
	// ASIDs that differ in their upper half only, in TTBR1_EL1, with the same table in TTBR0_EL1
	for (bool wide : {false, true}) {
		Spaces m({to_first, msr(12, 3, 0, 2, 0, 1), isb, ldtr(0, 1), msr(13, 3, 0, 2, 0, 1), isb, hvc, ldtr(2, 1),
			  msr(12, 3, 0, 2, 0, 1), isb, ldtr(0, 1), hvc});
		m.s.tcr_el1 |= 1ull << 22 | (wide ? 1ull << 36 : 0);
		m.s.x[12] = asid(0x105);
		m.s.x[13] = asid(0x205);
		m.set();
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		m.maps(0, 2);
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.x[2], wide ? 102u : 100u);
		EXPECT_EQ(m.s.x[0], 100u);
	}
}

TEST(Arm64Asid, NothingIsKeptInTheOldSpaceAfterItsTableIsGone)
{
	// between the write of TTBR0_EL1 and the ISB a walk takes the new table, and what it finds is the new space's
	Spaces m({to_first, isb, ldtr(0, 1), to_second, ldtr(2, 1), to_first, isb, ldtr(4, 1), hvc});
	m.maps(0, 0);
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 100u);
	EXPECT_EQ(m.s.x[4], 100u);
}

// Each space runs its own code at one virtual address, in any order, with TLBIs in between that have to be right.
TEST(Arm64Asid, CodeOfManySpaces)
{
	const char *given = std::getenv("MV_SEED");
	uint64_t seed = given ? std::strtoull(given, nullptr, 0) : 20261121;
	SCOPED_TRACE("MV_SEED=" + std::to_string(seed));
	std::mt19937_64 random(seed);
	Spaces m({msr(10, 3, 0, 2, 0, 0), isb, eret});
	m.put(vectors + 0x400, {hvc});
	for (unsigned n = 0; n < count; n++) {
		m.put(target + 0x1000 * n, {movz(0, n), b(1), subs(31, 0, n), b_ne(2), svc, svc | 1 << 5});
		m.maps(n, n);
	}
	std::vector<unsigned> shows(count);
	for (unsigned n = 0; n < count; n++) shows[n] = n;
	for (int round = 0; round < 3000; round++) {
		unsigned n = unsigned(random() % (round % 3 ? 3 : count));
		if (random() % 8 == 0) {
			shows[n] = unsigned(random() % count);
			m.maps(n, shows[n]);
			uint64_t what[] = {asid(n + 1) | page | ARM64_TLBI_VA_ASID, asid(n + 1) | ARM64_TLBI_ASID, page | ARM64_TLBI_VA, ARM64_EVERYWHERE};
			arm64_shootdown(m.cpu.get(), what[random() % 4]);
		}
		m.get();
		m.cpu->x[10] = Spaces::base(n);
		m.cpu->sys.elr_el1 = window;
		m.cpu->sys.spsr_el1 = ARM64_MODE_EL0T;
		m.cpu->pc = ram_at + 0x1000;
		ASSERT_EQ(arm64_step(m.cpu.get(), 1000), HV_EXIT_CALL);
		ASSERT_EQ(m.cpu->x[0], shows[n]) << "round " << round << " space " << n;
		ASSERT_EQ(m.cpu->sys.esr_el1, 0x56000000u);
	}
}
