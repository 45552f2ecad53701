// SPDX-License-Identifier: MIT
// WFE and YIELD leave the step, and events: nobody sleeps over one.
#include <atomic>
#include <thread>

#include "arm64_paged.h"


using namespace arm64;

namespace {

constexpr uint32_t yield = 0xd503203f, wfe = 0xd503205f, sev = 0xd503209f, sevl = 0xd50320bf;

}

TEST(Arm64Wait, WfeWithoutAnEventLeavesBehindItself)
{
	Kernel m({wfe, movz(0, 7), hvc});
	EXPECT_EQ(m.step(), HV_EXIT_PAUSE);
	EXPECT_EQ(m.s.pc, ram_at + 0x1004);
	EXPECT_EQ(m.cpu->hv.retired, 1u);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 7u);
}

TEST(Arm64Wait, AnEventIsUsedUpByOneWfe)
{
	for (uint32_t sender : {sevl, sev}) {
		Kernel m({sender, wfe, wfe, hvc});
		EXPECT_EQ(m.step(), HV_EXIT_PAUSE);
		EXPECT_EQ(m.s.pc, ram_at + 0x100c);
	}
	Kernel other({wfe, wfe, hvc});
	arm64_event(other.cpu.get());
	EXPECT_EQ(other.step(), HV_EXIT_PAUSE);
	EXPECT_EQ(other.s.pc, ram_at + 0x1008);
}

TEST(Arm64Wait, AnExceptionReturnIsAnEvent)
{
	Kernel m({msr(0, 3, 0, 4, 0, 1), msr(1, 3, 0, 4, 0, 0), eret, hvc, wfe, hvc});
	m.s.x[0] = ram_at + 0x1010;
	m.s.x[1] = ARM64_MODE_EL1H | ARM64_PSTATE_DAIF;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.pc, ram_at + 0x1018);
}

TEST(Arm64Wait, WfeAtEl0TrapsWithoutNtweUnlessThereIsAnEvent)
{
	for (bool event : {false, true}) {
		for (uint64_t ntwe : {uint64_t{0}, uint64_t{1} << 18}) {
			User m({wfe, svc});
			m.s.sctlr_el1 = (m.s.sctlr_el1 & ~(uint64_t{1} << 18)) | ntwe;
			m.set();
			m.cpu->event = event;
			EXPECT_EQ(m.step(), ntwe && !event ? HV_EXIT_PAUSE : HV_EXIT_CALL);
			if (!ntwe && !event) { EXPECT_EQ(m.s.esr_el1, 0x07e00001u); }
			EXPECT_EQ(m.s.esr_el1 == 0x56000000u, event);
		}
	}
}

TEST(Arm64Wait, YieldLeavesAfterManyInARow)
{
	Kernel row({yield, subs(0, 0, 1), b_ne(-2), hvc});
	row.s.x[0] = 100;
	row.set();
	unsigned pauses = 0;
	while (row.step() == HV_EXIT_PAUSE) pauses++;
	EXPECT_GT(pauses, 50u);
	EXPECT_LT(pauses, 100u);
	EXPECT_EQ(row.cpu->hv.exit.kind, HV_EXIT_CALL);

	// with work in between nobody waits
	Kernel work({yield, movz(1, 300), subs(1, 1, 1), b_ne(-1), subs(0, 0, 1), b_ne(-5), hvc});
	work.s.x[0] = 100;
	work.set();
	EXPECT_EQ(work.step(~0ull), HV_EXIT_CALL);
}

TEST(Arm64Wait, ALongWaitSleepsAndAnEventOrWorkEndsThat)
{
	Kernel m({wfe, b(-1)});
	unsigned n = 0;
	while (!arm64_pause_ns(m.cpu.get(), 20) && n++ < 1000) ASSERT_EQ(m.step(), HV_EXIT_PAUSE);
	EXPECT_GT(n, 5u);
	EXPECT_LT(n, 100u);
	EXPECT_LE(arm64_pause_ns(m.cpu.get(), 20), 100000u) << "an event stream of 10 kHz is relied on";
	arm64_event(m.cpu.get());
	EXPECT_EQ(arm64_pause_ns(m.cpu.get(), 20), 0u);
	Kernel busy({movz(1, 300), subs(1, 1, 1), b_ne(-1), wfe, b(-4)});
	for (int i = 0; i < 1000; i++) {
		ASSERT_EQ(busy.step(~0ull), HV_EXIT_PAUSE);
		ASSERT_EQ(arm64_pause_ns(busy.cpu.get(), 20), 0u);
	}
}

TEST(Arm64Wait, ARequestIsNotSleptOverUnlessItIsMasked)
{
	Kernel m({wfe, hvc});
	m.s.pstate &= ~ARM64_PSTATE_DAIF;
	m.s.vbar_el1 = ram_at + 0x1000;	// whatever lies there
	m.set();
	hv_cpu_request(&m.cpu->hv, HV_REQ_IRQ);
	EXPECT_TRUE(arm64_called(m.cpu.get()));
	Kernel masked({wfe, hvc});
	hv_cpu_request(&masked.cpu->hv, HV_REQ_IRQ);
	EXPECT_EQ(masked.step(), HV_EXIT_PAUSE) << "it waits for a lock, say";
	EXPECT_FALSE(arm64_called(masked.cpu.get()));
	hv_cpu_request(&masked.cpu->hv, HV_REQ_WAKE);
	EXPECT_TRUE(arm64_called(masked.cpu.get()));
}

// Two CPUs hand a token to each other, each waiting with WFE for the other's SEV, on threads that sleep until woken: an event
// that got lost would end in a time-out.
TEST(Arm64Wait, NoEventIsLost)
{
	constexpr uint64_t token = ram_at + 0x3000, rounds = 20000;
	static std::atomic<unsigned> lost;
	// x1: token, x2: mine, x3: the other's: wait until [x1] == x2, then store x3, SEV
	const std::initializer_list<uint32_t> program = {b(2), wfe, ldr_x(0, 1), 0xeb02001f, b_ne(-3), str_x(3, 1), 0xd5033b9f, sev, subs(4, 4, 1), b_ne(-7), hvc};
	Kernel first(program);
	Machine second(first);
	struct Pair { arm64_cpu *other; } pairs[2] = {{second.cpu.get()}, {first.cpu.get()}};
	const arm64_peers_ops ops{[](void *, u64) {}, [](void *) { return true; }, [](void *p) { arm64_event(static_cast<Pair *>(p)->other); }};
	Machine *machines[2] = {&first, &second};
	first.put64(token, 1);
	lost = 0;
	for (int i = 0; i < 2; i++) {
		Machine &m = *machines[i];
		m.s.pc = ram_at + 0x1000;
		m.s.x[1] = token;
		m.s.x[2] = i + 1;
		m.s.x[3] = 2 - i;
		m.s.x[4] = rounds;
		m.set();
		m.cpu->peers = &ops;
		m.cpu->peers_context = &pairs[i];
	}
	auto run = [](Machine &m) {
		for (;;) {
			enum hv_exit_kind kind = arm64_step(m.cpu.get(), 1000);
			if (kind == HV_EXIT_CALL) return;
			for (unsigned n = 0; kind == HV_EXIT_PAUSE && !__atomic_load_n(&m.cpu->event, __ATOMIC_ACQUIRE); n++) {
				if (n == 10000000) {
					lost++;
					break;
				}
				std::this_thread::yield();
			}
		}
	};
	std::thread other([&] { run(second); });
	run(first);
	other.join();
	EXPECT_EQ(lost, 0u);
	EXPECT_EQ(first.get64(token), 1u);
}
