// SPDX-License-Identifier: MIT
// Software step, breakpoints, watchpoints, and the OS lock, with their syndromes.
#include "arm64_paged.h"

using namespace arm64;

namespace {

constexpr uint64_t ss = 1, kde = 1 << 13, mde = 1 << 15, pstate_ss = ARM64_PSTATE_SS;
constexpr uint64_t el0_only = 2 << 1, el1_only = 1 << 1, both = 3 << 1, bas = 0xf << 5;
constexpr uint32_t daifclr_d = 0xd50348ff, daifset_d = 0xd50348df, ldxr = 0xc85f7c20, stxr = 0xc8037c22;

struct Debugged : User {
	Debugged(std::initializer_list<uint32_t> program, uint64_t mdscr, bool kernel = false) : User(program)
	{
		s.mdscr_el1 = mdscr;
		if (kernel) s.pstate = ARM64_MODE_EL1H | (ARM64_PSTATE_DAIF & ~ARM64_PSTATE_D);
		s.x[1] = ram_at + 0x3000;
		set();
		unlock();
	}
	void unlock(bool locked = false)
	{
		cpu->sys.oslock = locked;
		set();
	}
	void resume(uint64_t pstate)	// the handler returns to where it came from
	{
		s.pc = s.elr_el1;
		s.pstate = pstate;
		set();
	}
	void breakpoint(unsigned n, uint64_t at, uint64_t control)
	{
		cpu->sys.bvr[n] = at;
		cpu->sys.bcr[n] = control;
		set();
	}
	void watchpoint(unsigned n, uint64_t at, uint64_t control)
	{
		cpu->sys.wvr[n] = at;
		cpu->sys.wcr[n] = control;
		set();
	}
};

constexpr uint64_t code = ram_at + 0x1000, data = ram_at + 0x3000;
constexpr uint64_t step_esr = 0xcb000022, step_only_esr = 0xca000022, break_esr = 0xc2000022, watch_esr = 0xd2000022;

}

TEST(Arm64Step, OneInstructionThenTheException)
{
	Debugged m({movz(0, 1), add(0, 0, 1), b(2), udf, add(0, 0, 4), svc}, ss);
	const uint64_t stops[] = {code + 4, code + 8, code + 16, code + 20};
	for (uint64_t at : stops) {
		m.s.pstate = ARM64_MODE_EL0T | pstate_ss;
		m.set();
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.pc, vectors + 0x404);
		EXPECT_EQ(m.s.esr_el1, step_esr);
		EXPECT_EQ(m.s.elr_el1, at);
		EXPECT_EQ(m.s.spsr_el1 & pstate_ss, 0u);
		m.resume(ARM64_MODE_EL0T);
	}
	EXPECT_EQ(m.s.x[0], 6u);
	// SVC is a step that is done: its own exception first, then that of the step, of which nothing is known any more
	m.resume(ARM64_MODE_EL0T | pstate_ss);
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.esr_el1, 0x56000000u);
	EXPECT_EQ(m.s.spsr_el1 & pstate_ss, 0u);
	m.resume(m.s.spsr_el1);
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.esr_el1, step_only_esr);
	EXPECT_EQ(m.s.elr_el1, code + 24);
}

TEST(Arm64Step, AFaultIsNoStep)
{
	Debugged m({udf, movz(0, 1)}, ss);
	m.resume(0);
	m.s.pc = code;
	m.s.pstate = pstate_ss;
	m.set();
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.ec(), 0u);
	EXPECT_EQ(m.s.elr_el1, code);
	EXPECT_TRUE(m.s.spsr_el1 & pstate_ss) << "the instruction is still to be stepped";
}

TEST(Arm64Step, LoadExclusiveIsTold)
{
	Debugged m({ldxr, add(2, 0, 1), stxr}, ss);
	const uint64_t esr[] = {step_esr | 1 << 6, step_esr, step_esr};
	for (uint64_t want : esr) {
		m.s.pstate = pstate_ss;
		uint64_t pc = m.s.pc;
		m.set();
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.esr_el1, want) << std::hex << pc;
		m.resume(0);
	}
}

TEST(Arm64Step, EretSetsItOnlyIfItBeginsThere)
{
	// EL1 without KDE returns to EL0 with SPSR.SS: one instruction; without SPSR.SS: none
	for (bool one : {false, true}) {
		Debugged m({movz(0, 1), movz(0, 2)}, ss);
		m.put(ram_at + 0x2000, {eret});
		m.s.pc = ram_at + 0x2000;
		m.s.pstate = ARM64_MODE_EL1H | ARM64_PSTATE_DAIF;
		m.s.elr_el1 = code;
		m.s.spsr_el1 = one ? pstate_ss : 0;
		m.set();
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.esr_el1, one ? step_esr : step_only_esr);
		EXPECT_EQ(m.s.elr_el1, one ? code + 4 : code);
		EXPECT_EQ(m.s.x[0], one ? 1u : 0u);
	}
}

TEST(Arm64Step, KernelNeedsKdeAndPstateD)
{
	for (uint64_t mdscr : {ss, ss | kde}) {
		Debugged m({movz(0, 1), daifclr_d, movz(0, 2), hvc}, mdscr, true);
		m.s.pstate = ARM64_MODE_EL1H | ARM64_PSTATE_DAIF;
		m.set();
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.pc, mdscr & kde ? vectors + 0x204 : code + 16);
		EXPECT_EQ(m.s.esr_el1, mdscr & kde ? step_only_esr + (1 << 26) : 0);
		EXPECT_EQ(m.s.x[0], mdscr & kde ? 1u : 2u);
	}
}

TEST(Arm64Step, LockedItDoesNothing)
{
	for (bool dlk : {false, true}) {
		Debugged m({movz(0, 1), svc}, ss | mde);
		m.breakpoint(0, code, 1 | both | bas);
		m.cpu->sys.osdlr_el1 = dlk;
		m.unlock(!dlk);
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.esr_el1, 0x56000000u);
	}
	Machine fresh;
	EXPECT_EQ(fresh.cpu->sys.oslock, 1u) << "OSLSR_EL1.OSLK after reset";
}

TEST(Arm64Step, ADeviceAccessIsOneStep)
{
	Debugged m({ldr_x(0, 1), movz(2, 1)}, ss);
	m.s.x[1] = device_at;
	m.s.pstate = pstate_ss;
	m.set();
	ASSERT_EQ(m.step(), HV_EXIT_ACCESS);
	EXPECT_TRUE(m.s.pstate & pstate_ss);
	ASSERT_EQ(hv_cpu_complete(&m.cpu->hv, m.exit().cookie, 0x1234), 0);
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.esr_el1, step_esr);
	EXPECT_EQ(m.s.x[0], 0x1234u);
	EXPECT_EQ(m.s.elr_el1, code + 4);
}

TEST(Arm64Step, BudgetIsExact)
{
	Debugged m({movz(0, 1), self}, ss);
	m.s.pstate = pstate_ss;
	m.set();
	EXPECT_EQ(m.step(1), HV_EXIT_BUDGET);
	EXPECT_EQ(m.s.pc, code + 4);
	EXPECT_EQ(m.step(1), HV_EXIT_BUDGET);
	EXPECT_EQ(m.s.pc, vectors + 0x400);
	EXPECT_EQ(m.cpu->hv.retired, 2u);
	EXPECT_EQ(m.step(0), HV_EXIT_BUDGET);
}

TEST(Arm64Breakpoint, StopsBeforeTheInstruction)
{
	for (unsigned n = 0; n < ARM64_BREAKPOINTS; n++) {
		// in the middle of what is one block, which has run before, and in a loop
		Debugged m({add(0, 0, 1), add(0, 0, 1), add(0, 0, 1), subs(2, 2, 1), b_ne(-4), svc}, mde);
		m.s.x[2] = 5;
		m.set();
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		m.s.x[2] = 5;
		m.s.x[0] = 0;
		m.s.pc = code;
		m.s.pstate = 0;
		m.breakpoint(n, code + 8, 1 | el0_only | bas);
		for (unsigned round = 0; round < 5; round++) {
			ASSERT_EQ(m.step(), HV_EXIT_CALL);
			EXPECT_EQ(m.s.esr_el1, break_esr);
			EXPECT_EQ(m.s.elr_el1, code + 8);
			EXPECT_EQ(m.s.x[0], 2 + 3 * round);
			// over it: with the breakpoint off for one instruction
			m.s.pc = code + 8;
			m.s.pstate = 0;
			m.breakpoint(n, code + 8, el0_only | bas);
			ASSERT_EQ(m.step(1), HV_EXIT_BUDGET);
			m.breakpoint(n, code + 8, 1 | el0_only | bas);
		}
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.esr_el1, 0x56000000u);
	}
}

TEST(Arm64Breakpoint, LevelsAndSwitches)
{
	struct { uint64_t control, mdscr; bool kernel, hit; } cases[] = {
		{1 | el0_only | bas, mde, false, true}, {1 | el1_only | bas, mde, false, false}, {el0_only | bas, mde, false, false},
		{1 | both | bas, 0, false, false}, {1 | both, mde, false, false}, {1 | both | bas, mde, true, false},
		{1 | both | bas, mde | kde, true, true}, {1 | el0_only | bas, mde | kde, true, false}, {1 | el1_only | bas, mde | kde, true, true},
	};
	for (auto &c : cases) {
		Debugged m({movz(0, 1), hvc}, c.mdscr, c.kernel);
		if (!c.kernel) m.put(code + 4, {svc});
		m.breakpoint(1, code, c.control);
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.x[0], c.hit ? 0u : 1u) << std::hex << c.control << " " << c.mdscr << c.kernel;
		EXPECT_EQ(m.s.esr_el1 >> 27 == break_esr >> 27, c.hit);
		EXPECT_TRUE(!c.hit || m.s.esr_el1 == break_esr + (uint64_t{c.kernel} << 26));
	}
}

TEST(Arm64Breakpoint, Contexts)
{
	for (uint32_t context : {7u, 8u}) {
		Debugged linked({movz(0, 1), svc}, mde);
		linked.s.contextidr_el1 = context;
		linked.breakpoint(0, code, 1 | both | bas | 1 << 16 | 1 << 20);
		linked.breakpoint(1, 7, 1 | both | bas | 3 << 20);
		ASSERT_EQ(linked.step(), HV_EXIT_CALL);
		EXPECT_EQ(linked.s.esr_el1, context == 7 ? break_esr : 0x56000000u);
		Debugged any({movz(0, 1), svc}, mde);
		any.s.contextidr_el1 = context;
		any.breakpoint(0, 7, 1 | both | bas | 2 << 20);
		ASSERT_EQ(any.step(), HV_EXIT_CALL);
		EXPECT_EQ(any.s.esr_el1, context == 7 ? break_esr : 0x56000000u);
		EXPECT_EQ(any.s.elr_el1, context == 7 ? code : code + 8);
	}
}

TEST(Arm64Breakpoint, RegistersAreWrittenByTheGuest)
{
	Debugged m({msr(5, 2, 0, 0, 1, 4), msr(6, 2, 0, 0, 1, 5), mrs(7, 2, 0, 0, 1, 5), msr(8, 2, 0, 1, 0, 4), mrs(9, 2, 0, 1, 1, 4), isb, movz(0, 1), hvc},
		   mde | kde, true);
	m.s.x[5] = code + 24;
	m.s.x[6] = ~0ull & ~(0xfull << 20) & ~(3ull << 14);
	m.set();
	m.unlock(true);
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[7], 0x0f21e7u);
	EXPECT_EQ(m.s.x[9], 8u) << "OSLSR_EL1: OSLM, and no lock";
	EXPECT_EQ(m.s.elr_el1, code + 24);
	EXPECT_EQ(m.s.esr_el1, break_esr + (1 << 26));
	Debugged third({mrs(7, 2, 0, 0, 2, 5)}, 0, true);
	third.step();
	EXPECT_EQ(third.s.esr_el1, 0x02000000u) << "there are two";
}

TEST(Arm64Watchpoint, EveryFormOfAccess)
{
	const uint32_t stp = 0xa9000821, ldp = 0xa9400821, ldr_q = 0x3dc00020, str_q = 0x3d800020, ldadd = 0xf8250020, zva = 0xd50b7421, ldrb = 0x39400020,
		       strb = 0x39000020, ld1 = 0x4c407020, ldur = 0xf8404020, st1_lane = 0x0d000020;
	struct { uint32_t word; uint64_t offset; bool write; unsigned bytes; } cases[] = {
		{ldr_x(0, 1), 0, false, 8}, {str_x(0, 1), 0, true, 8}, {ldrb | 3 << 10, 3, false, 1}, {strb | 3 << 10, 3, true, 1}, {stp, 0, true, 16}, {ldp, 0, false, 16},
		{ldr_q, 0, false, 16}, {str_q, 0, true, 16}, {ldxr, 0, false, 8}, {ldadd, 0, false, 8}, {zva, 0, true, 64}, {ld1, 0, false, 16},
		{ldur, 4, false, 8}, {st1_lane, 0, true, 1},
	};
	for (auto &c : cases) {
		for (unsigned n = 0; n < ARM64_WATCHPOINTS; n++) {
			for (unsigned byte = 0; byte < c.bytes; byte++) {
				Debugged m({c.word, svc}, mde);
				m.s.cpacr_el1 = 3 << 20;
				m.s.sctlr_el1 |= 1 << 14;	// DZE
				uint64_t at = data + c.offset + byte;
				m.watchpoint(n, at & ~7ull, 1 | both | 3 << 3 | 1ull << (5 + (at & 7)));
				ASSERT_EQ(m.step(), HV_EXIT_CALL);
				EXPECT_EQ(m.s.esr_el1 & ~0x40ull, watch_esr) << std::hex << c.word << " byte " << byte;
				EXPECT_EQ(m.s.esr_el1 >> 6 & 1, c.write) << std::hex << c.word;
				EXPECT_EQ(m.s.elr_el1, code);
				EXPECT_LE(m.s.far_el1, at);
				// only loads, only stores: of the other kind nothing
				Debugged other({c.word, svc}, mde);
				other.s = m.s;
				other.s.pc = code;
				other.s.pstate = 0;
				other.watchpoint(n, at & ~7ull, 1 | both | (c.write ? 1 : 2) << 3 | 1ull << (5 + (at & 7)));
				ASSERT_EQ(other.step(), HV_EXIT_CALL);
				EXPECT_EQ(other.s.esr_el1, c.word == ldadd ? watch_esr | 0x40 : 0x56000000u) << std::hex << c.word << " byte " << byte;
			}
		}
	}
}

TEST(Arm64Watchpoint, NeighboursDoNotHitAndThePageStaysFastElsewhere)
{
	Debugged m({str_x(0, 1), ldr_x(0, 1), svc}, mde);
	m.watchpoint(0, data + 8, 1 | both | 3 << 3 | 0xff << 5);
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.esr_el1, 0x56000000u);
	// set while the page is in the TLB
	Debugged late({ldr_x(0, 1), svc, ldr_x(0, 1), svc}, mde);
	ASSERT_EQ(late.step(), HV_EXIT_CALL);
	late.s.pc = code + 8;
	late.s.pstate = 0;
	late.watchpoint(0, data, 1 | both | 1 << 3 | 0xff << 5);
	ASSERT_EQ(late.step(), HV_EXIT_CALL);
	EXPECT_EQ(late.s.esr_el1, watch_esr);
	EXPECT_EQ(late.s.far_el1, data);
}

TEST(Arm64Watchpoint, MasksLevelsAndUnprivilegedAccess)
{
	Debugged range({ldr_x(0, 1), svc}, mde);
	range.s.x[1] = data + 0xff8;
	range.watchpoint(0, data, 1 | both | 3 << 3 | 0xff << 5 | 12u << 24);
	ASSERT_EQ(range.step(), HV_EXIT_CALL);
	EXPECT_EQ(range.s.esr_el1, watch_esr);
	Debugged beyond({ldr_x(0, 1), svc}, mde);
	beyond.s.x[1] = data + 0x1000;
	beyond.watchpoint(0, data, 1 | both | 3 << 3 | 0xff << 5 | 12u << 24);
	ASSERT_EQ(beyond.step(), HV_EXIT_CALL);
	EXPECT_EQ(beyond.s.esr_el1, 0x56000000u);
	// LDTR at EL1 is an access of EL0 (D2.10.3)
	for (bool unprivileged : {false, true}) {
		Debugged m({unprivileged ? 0xf8400820 : ldr_x(0, 1), hvc}, mde | kde, true);
		m.watchpoint(1, data, 1 | el0_only | 3 << 3 | 0xff << 5);
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.esr_el1, unprivileged ? watch_esr + (1 << 26) : 0u);
		EXPECT_EQ(m.s.pc, unprivileged ? vectors + 0x204 : code + 8);
	}
}
