// SPDX-License-Identifier: MIT
// Exceptions and their syndromes, and stage 1 translation.
#include "arm64_paged.h"

using namespace arm64;

TEST(Arm64Exception, SvcFromUser)
{
	User m({svc | 0x2a << 5});
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.pc, vectors + 0x404);
	EXPECT_EQ(m.s.esr_el1, 0x5600002au);
	EXPECT_EQ(m.s.elr_el1, ram_at + 0x1004);
	EXPECT_EQ(m.s.spsr_el1, ARM64_PSTATE_Z | ARM64_MODE_EL0T);
	EXPECT_EQ(m.s.sp_el0, ram_at + 0x8000);
}

TEST(Arm64Exception, BreakpointUndefinedAndPrivilege)
{
	struct { uint32_t word; uint64_t esr; } cases[] = {
		{brk7, 0xf2000007},
		{udf, 0x02000000},
		{0x1e601000, 0x1fe00000},			// fmov d0, #2.0: CPACR traps
		{msr(0, 3, 0, 1, 0, 0), 0x02000000},		// msr sctlr_el1, x0
		{mrs(3, 3, 3, 0, 0, 1), 0x62340061 | (3u << 5)}, // mrs x3, ctr_el0 with UCT clear
		{eret, 0x02000000},
		{hvc, 0x02000000},
		{wfi, 0x07e00000},
		{0xd50342ff, 0x62000000},			// msr daifclr, #2: checked below for its class only
	};
	for (auto &c : cases) {
		User m({c.word});
		EXPECT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.pc, vectors + 0x404) << std::hex << c.word;
		EXPECT_EQ(m.s.elr_el1, ram_at + 0x1000);
		if (c.esr >> 26 == 0x18)
			EXPECT_EQ(m.ec(), 0x18u);
		else
			EXPECT_EQ(m.s.esr_el1, c.esr) << std::hex << c.word;
	}
}

TEST(Arm64Exception, EretAndIllegalReturn)
{
	Kernel m({msr(0, 3, 0, 4, 0, 1), msr(1, 3, 0, 4, 0, 0), eret});
	m.put(ram_at + 0x2000, {svc});
	m.s.x[0] = ram_at + 0x2000;
	m.s.x[1] = 0x20000000;	// C, EL0t
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.pc, vectors + 0x404);
	EXPECT_EQ(m.s.spsr_el1, 0x20000000u);

	Kernel bad({msr(0, 3, 0, 4, 0, 1), msr(1, 3, 0, 4, 0, 0), eret});
	bad.s.x[0] = ram_at + 0x2000;
	bad.s.x[1] = 0x3c9;	// EL2h
	bad.set();
	EXPECT_EQ(bad.step(), HV_EXIT_CALL);
	EXPECT_EQ(bad.ec(), 0x0eu);
	EXPECT_EQ(bad.s.elr_el1, ram_at + 0x2000);
	EXPECT_TRUE(bad.s.spsr_el1 & ARM64_PSTATE_IL);
}

TEST(Arm64Exception, Alignment)
{
	User pc({br(0)});
	pc.s.x[0] = ram_at + 0x1002;
	pc.set();
	EXPECT_EQ(pc.step(), HV_EXIT_CALL);
	EXPECT_EQ(pc.s.esr_el1, 0x8a000000u);
	EXPECT_EQ(pc.s.far_el1, ram_at + 0x1002);

	// SP loses its alignment in the middle of a block; adding to it is allowed, using it is not
	Kernel sp({add(31, 31, 8), add(0, 0, 1), ldr_x(1, 31), hvc});
	sp.s.sp_el1 = ram_at + 0x9000;
	sp.s.sctlr_el1 |= 8;
	sp.set();
	EXPECT_EQ(sp.step(), HV_EXIT_CALL);
	EXPECT_EQ(sp.ec(), 0x26u);
	EXPECT_EQ(sp.s.elr_el1, ram_at + 0x1008);
	EXPECT_EQ(sp.s.x[0], 1u);

	Kernel exclusive({0xc85f7c20, hvc});	// ldxr x0, [x1]
	exclusive.s.x[1] = target + 4;
	exclusive.set();
	EXPECT_EQ(exclusive.step(), HV_EXIT_CALL);
	EXPECT_EQ(exclusive.s.esr_el1, 0x96000021u);

	for (uint64_t a : {0, 2}) {
		Kernel checked({ldr_x(0, 1), ldr_x(0, 1), hvc});
		checked.s.x[1] = target + 1;
		checked.s.sctlr_el1 |= a;
		checked.set();
		EXPECT_EQ(checked.step(), HV_EXIT_CALL);
		EXPECT_EQ(checked.s.esr_el1, a ? 0x96000021u : 0);
	}
}

struct Access {
	uint32_t word;
	uint64_t offset;	// from the second page's start
	uint32_t esr;		// of the abort; 0: none
};

// The first page is Normal memory, the second Device memory, the third Device memory that cannot be written.
TEST(Arm64Exception, DeviceMemoryWantsAlignedAccesses)
{
	const uint32_t str_x = 0xf9000020, ldrh = 0x79400020, ldp_x = 0xa9400820, stp_x = 0xa9000820, zva = 0xd50b7421, ldr_q = 0x3dc00020;
	for (const Access &a : std::initializer_list<Access>{
		     {ldr_x(0, 1), 8, 0}, {ldr_x(0, 1), 9, 0x96000021}, {ldr_x(0, 1), 0xffcull, 0x96000021}, {ldrh, 3, 0x96000021}, {ldrh, 2, 0},
		     {str_x, 16, 0}, {str_x, 20, 0x96000061}, {ldp_x, 8, 0}, {ldp_x, 12, 0x96000021}, {stp_x, 24, 0}, {stp_x, 12, 0x96000061},
		     {ldr_x(0, 1), ~0ull - 0x100, 0}, {ldr_x(0, 1), ~0ull - 3, 0x96000021}, {str_x, ~0ull - 3, 0x96000061}, {zva, 64, 0x96000061},
		     {zva, ~0ull - 64, 0}, {str_x, 0x1001, 0x9600004f}, {ldr_x(0, 1), 0x1001, 0x96000021}, {ldr_q, 32, 0}, {ldr_q, 34, 0x96000021}}) {
		Paged m({a.word, a.word, hvc});	// twice: the second may find what the first left behind
		m.page(0, target, af);
		m.page(1, target + 0x1000, af | device_memory);
		m.page(2, target + 0x2000, af | device_memory | read_only);
		m.s.cpacr_el1 = 3 << 20;
		m.s.x[1] = window + 0x1000 + a.offset;
		m.set();
		EXPECT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.esr_el1, a.esr) << std::hex << a.word << " " << a.offset;
		if (a.esr)
			EXPECT_EQ(m.s.far_el1, a.word == zva ? window + 0x1040 : m.s.x[1]) << std::hex << a.word << " " << a.offset;
	}
}

TEST(Arm64Exception, IdSpaceReadsAsZeroAndUnknownIsUndefined)
{
	Kernel m({mrs(0, 3, 0, 0, 7, 7), mrs(1, 3, 0, 0, 4, 0), mrs(2, 3, 0, 4, 2, 2), mrs(3, 3, 0, 15, 0, 0)});
	m.s.x[0] = 1;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 0u);
	EXPECT_EQ(m.s.x[1] & 0xff00ff, 0x11u);
	EXPECT_EQ(m.s.x[2], 4u);
	EXPECT_EQ(m.s.esr_el1, 0x02000000u);
}

// FEAT_PAN: EL1 does not reach what EL0 may, but by LDTR; an exception sets it if SCTLR_EL1.SPAN is clear, ERET restores it.
TEST(Arm64Mmu, PrivilegedAccessNever)
{
	constexpr uint32_t pan_on = 0xd500419f, pan_off = 0xd500409f, ldtr = 0xf8400820, mrs_pan = mrs(4, 3, 0, 4, 2, 3);
	for (bool on : {false, true}) {
		Paged m({ldr_x(0, 1), on ? pan_on : pan_off, mrs_pan, ldtr, 0xd5087801 /* at s1e1r, x1 */, ldr_x(0, 1), hvc});
		m.page(0, target, af | user);
		m.s.x[1] = window;
		m.set();
		ASSERT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.x[4], on ? 1u << 22 : 0);
		EXPECT_EQ(m.s.par_el1 & 1, 0u);
		EXPECT_EQ(m.s.esr_el1, on ? 0x9600000fu : 0);
		EXPECT_EQ(m.s.elr_el1, on ? ram_at + 0x1014 : 0);
		EXPECT_EQ(m.s.spsr_el1 >> 22 & 1, on);
	}
	for (uint64_t span : {uint64_t{0}, uint64_t{1} << 23}) {
		Paged m({svc});
		m.s.pstate = ARM64_MODE_EL0T;
		m.put64(table2 + 0x2000, ram_at | af | user | read_only | 1);
		m.s.sctlr_el1 = (m.s.sctlr_el1 & ~(uint64_t{1} << 23)) | span;
		m.put(vectors + 0x400, {mrs_pan, eret});
		m.put(ram_at + 0x1004, {svc});
		m.set();
		arm64_step(m.cpu.get(), 2);
		m.get();
		EXPECT_EQ(m.s.x[4], span ? 0u : 1u << 22);
		arm64_step(m.cpu.get(), 1);
		m.get();
		EXPECT_EQ(m.s.pstate >> 22 & 1, 0u);
	}
}

TEST(Arm64Mmu, FaultsHaveTheirLevels)
{
	struct { uint64_t va; bool write; uint32_t fsc; } cases[] = {
		{0x200000, false, 0x07},		// page 0: not mapped
		{0x201000, false, 0x0b},		// access flag clear
		{0x202000, true, 0x0f},			// read-only
		{0x400000, false, 0x06},		// no level 2 entry
		{0x80000000, false, 0x05},		// no level 1 entry
		{0x8000000000, false, 0x04},		// beyond 39 bits
		{0xffffff8000000000, false, 0x10 | 0x4 | 1},	// TTBR1 is nowhere: external abort on the walk, level 1
	};
	for (auto &c : cases) {
		Paged m({c.write ? str_x(0, 1) : ldr_x(0, 1), hvc});
		m.page(1, target, 0);
		m.page(2, target, af | read_only);
		m.s.x[1] = c.va;
		m.s.ttbr1_el1 = 0x7000000000;
		m.set();
		EXPECT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.esr_el1, 0x96000000u | c.fsc | (c.write ? 0x40 : 0)) << std::hex << c.va;
		EXPECT_EQ(m.s.far_el1, c.va);
	}
}

TEST(Arm64Mmu, UserAndExecuteRights)
{
	// what: attributes, from EL0?, fetch?, fault
	struct { uint64_t attributes; bool el0, fetch; uint32_t fsc; } cases[] = {
		{af, true, false, 0x0f}, {af | user, true, false, 0}, {af | user, false, false, 0},
		{af | user | uxn, true, true, 0x0f}, {af | user | read_only, true, true, 0}, {af | pxn, false, true, 0x0f},
		{af, false, true, 0}, {af | user, false, true, 0x0f}, {af | user | read_only, false, true, 0},
	};
	for (auto &c : cases) {
		Paged m({c.fetch ? br(1) : ldr_x(0, 1), svc, hvc});
		m.put(target, {svc});
		m.page(0, target, c.attributes);
		m.page(1, ram_at + 0x1000, af | user | read_only);
		m.s.x[1] = window;
		m.s.pc = c.el0 ? window + 0x1000 : ram_at + 0x1000;
		m.s.pstate = c.el0 ? 0 : 0x3c5;
		m.set();
		EXPECT_EQ(m.step(), HV_EXIT_CALL);
		uint32_t ec = (c.fetch ? 0x20 : 0x24) + !c.el0;
		EXPECT_EQ(m.s.esr_el1, c.fsc ? ec << 26 | 1 << 25 | c.fsc : 0x56000000) << std::hex << c.attributes << c.el0;
	}
}

TEST(Arm64Mmu, TlbKeepsUntilInvalidated)
{
	Paged m({ldr_x(0, 1), hvc, ldr_x(2, 1), tlbi_vae1 | 3, isb, ldr_x(4, 1), hvc});
	m.page(0, target, af);
	m.put64(target, 11);
	m.put64(target + 0x1000, 22);
	m.s.x[1] = window;
	m.s.x[3] = window >> 12;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 11u);
	m.page(0, target + 0x1000, af);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[4], 22u);
}

TEST(Arm64Mmu, TlbiOfABlockDropsAllOfIt)
{
	// 0x40200000 is a 2 MiB block; a TLBI for its first page concerns its last one
	Paged m({ldr_x(0, 1), hvc, tlbi_vae1 | 3, ldr_x(4, 1), hvc});
	m.put64(ram_at + 0x3ff000, 11);
	m.put64(ram_at + 0x1ff000, 22);
	m.s.x[1] = ram_at + 0x3ff000;
	m.s.x[3] = (ram_at + 0x200000) >> 12;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 11u);
	m.put64(table2 + 0x2008, ram_at | af | 1);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[4], 22u);
}

namespace {

constexpr uint32_t tlbi_vae1is = 0xd5088320, tlbi_vmalle1is = 0xd508831f, dsb = 0xd5033b9f, dmb = 0xd5033bbf;

// The other vCPUs of a CPU, as it asks them.
struct Peers {
	std::vector<uint64_t> asked;
	unsigned looks = 0, events = 0;
	bool settled = true;
	arm64_peers_ops ops{[](void *p, u64 va) { static_cast<Peers *>(p)->asked.push_back(va); },
			    [](void *p) { ++static_cast<Peers *>(p)->looks; return static_cast<Peers *>(p)->settled; },
			    [](void *p) { ++static_cast<Peers *>(p)->events; }};
	explicit Peers(Machine &m)
	{
		m.cpu->peers = &ops;
		m.cpu->peers_context = this;
	}
};

}

TEST(Arm64Mmu, BroadcastIsForTheInnerShareableForms)
{
	Paged m({tlbi_vae1 | 3, tlbi_vmalle1, dsb, hvc, tlbi_vae1is | 3, tlbi_vmalle1is, dmb, hvc, dsb, dsb, hvc});
	Peers peers(m);
	m.s.x[3] = 0x00aa000000000000 | window >> 12;	// with an ASID
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_TRUE(peers.asked.empty());
	EXPECT_EQ(peers.looks, 0u);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(peers.asked, (std::vector<uint64_t>{m.s.x[3] | ARM64_TLBI_VA_ASID, ARM64_EVERYWHERE}));
	EXPECT_EQ(peers.looks, 0u) << "a DMB does not wait";
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(peers.looks, 1u) << "the first DSB does, the second has nothing to wait for";
}

TEST(Arm64Mmu, DsbIsLeftWhileAnotherCpuIsBusy)
{
	Paged m({tlbi_vmalle1is, dsb, hvc});
	Peers peers(m);
	const uint64_t start = m.s.pc;
	peers.settled = false;
	for (int i = 0; i < 3; ++i) {
		EXPECT_EQ(m.step(), HV_EXIT_KICK);
		EXPECT_EQ(m.s.pc, start + 4);
	}
	EXPECT_EQ(m.cpu->hv.retired, 1u);
	// a request of its own is served first: the other may be waiting for that
	peers.looks = 0;
	hv_cpu_request(&m.cpu->hv, HV_REQ_TLB);
	EXPECT_EQ(m.step(), HV_EXIT_KICK);
	EXPECT_EQ(m.cpu->hv.request & HV_REQ_TLB, 0u);
	peers.settled = true;
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
}

TEST(Arm64Mmu, ShootdownDropsWhatWasAskedFor)
{
	Paged m({ldr_x(0, 1), ldr_x(2, 3), hvc, ldr_x(0, 1), ldr_x(2, 3), hvc, ldr_x(0, 1), ldr_x(2, 3), hvc});
	for (unsigned n = 0; n < 2; ++n) {
		m.page(n, target, af);
	}
	m.put64(target, 11);
	m.put64(target + 0x1000, 22);
	m.s.x[1] = window;
	m.s.x[3] = window + 0x1000;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	for (unsigned n = 0; n < 2; ++n) m.page(n, target + 0x1000, af);
	arm64_shootdown(m.cpu.get(), window >> 12 | ARM64_TLBI_VA);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 22u);
	EXPECT_EQ(m.s.x[2], 11u) << "another page";
	for (uint64_t n = 0; n <= ARM64_SHOOTDOWNS; ++n) arm64_shootdown(m.cpu.get(), (((window + 0x100000) >> 12) + n) | ARM64_TLBI_VA);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[2], 22u) << "more than there is room for: everything";
}

TEST(Arm64Mmu, CodeRemappedAfterTlbi)
{
	Paged m({0xd63f0020, tlbi_vmalle1, isb, 0xd63f0020, hvc});	// blr x1
	m.put(target, {movz(0, 1), ret});
	m.put(target + 0x1000, {movz(5, 2), ret});
	m.page(0, target, af);
	m.s.x[1] = window;
	m.set();
	ASSERT_EQ(m.step(3), HV_EXIT_BUDGET);
	EXPECT_EQ(m.s.x[0], 1u);
	m.page(0, target + 0x1000, af);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[5], 2u);
}

TEST(Arm64Mmu, OneCodePageAtTwoAddresses)
{
	Paged m({0xd63f0020, 0xd63f0040, 0xd63f0020, 0xd63f0040, hvc});	// blr x1, blr x2, twice
	m.put(target, {adr(3, 0), b(2), udf, 0x8b030000, ret});		// add x0, x0, x3
	m.page(0, target, af);
	m.page(5, target, af);
	m.s.x[1] = window;
	m.s.x[2] = window + 0x5000;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 2 * (window + window + 0x5000));
}

TEST(Arm64Mmu, TopByteIgnored)
{
	Paged m({ldr_x(0, 1), ldr_x(2, 1), hvc});
	m.page(0, target, af);
	m.put64(target, 5);
	m.s.x[1] = window | 0xa5ull << 56;
	m.s.tcr_el1 |= 1ull << 37;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[2], 5u);
}
