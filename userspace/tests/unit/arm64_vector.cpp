// SPDX-License-Identifier: MIT
// SIMD&FP registers: state, traps, faults of their loads and stores, and that fast and slow forms agree.
#include "arm64_machine.h"

using namespace arm64;

namespace {

constexpr uint32_t fadd_d = 0x1e622820;		// fadd d0, d1, d2
constexpr uint32_t ldr_q0_x1 = 0x3dc00020, str_q0_x1 = 0x3d800020, ldp_q = 0xad400420;	// ldp q0, q1, [x1]
constexpr uint32_t mrs_fpcr = mrs(3, 3, 3, 4, 4, 0), msr_fpcr = msr(3, 3, 3, 4, 4, 0), msr_fpsr = msr(3, 3, 3, 4, 4, 1);
constexpr uint64_t both = 3 << 20, el1_only = 1 << 20;

struct Vm : Machine {
	explicit Vm(std::initializer_list<uint32_t> words, uint64_t cpacr = both)
	{
		put(ram_at, words);
		put(vectors + 0x200, {hvc});
		put(vectors + 0x400, {hvc});
		s.cpacr_el1 = cpacr;
		set();
	}
};

}

TEST(Arm64Vector, DisabledTrapsAtBothLevelsAndAfterDecoding)
{
	const struct {
		uint64_t cpacr;
		bool el0, traps;
	} cases[] = {{0, false, true}, {0, true, true}, {el1_only, false, false}, {el1_only, true, true},
		     {2 << 20, false, true}, {2 << 20, true, true}, {both, false, false}, {both, true, false}};
	for (const auto &c : cases) {
		for (uint32_t word : {fadd_d, ldr_q0_x1, str_q0_x1, ldp_q, mrs_fpcr, msr_fpcr, msr_fpsr, 0x0c407020u /* ld1 */, 0x1e260000u /* fmov w0, s0 */}) {
			Vm m({word, c.el0 ? svc : hvc}, c.cpacr);
			m.s.x[1] = ram_at + 0x8000;
			m.s.x[3] = 0;
			if (c.el0)
				m.s.pstate = ARM64_MODE_EL0T;
			m.set();
			ASSERT_EQ(m.step(), HV_EXIT_CALL) << std::hex << word;
			if (c.traps) {
				EXPECT_EQ(m.ec(), 7u) << std::hex << word;
				EXPECT_EQ(m.iss(), 0x1e00000u);
				EXPECT_EQ(m.s.elr_el1, ram_at);
			} else {
				EXPECT_NE(m.ec(), 7u) << std::hex << word << " " << c.cpacr << c.el0;
			}
		}
	}
}

// What does not exist is undefined whether or not the trap is on.
TEST(Arm64Vector, UnallocatedIsUndefinedBeforeTheTrap)
{
	for (uint64_t cpacr : {uint64_t{0}, both}) {
		for (uint32_t word : {0x1ee22820u /* fadd h0, h1, h2 */, 0x4ea22c20u | 1u << 22 | 0x8000u, 0xbd000020u | 3u << 22 /* opc 11, size 10 */,
				      0x0c600000u, 0x38200800u | 1u << 26 | 2u << 10 | 1u << 13 /* option 001 */, 0xce600000u}) {
			Vm m({word}, cpacr);
			ASSERT_EQ(m.step(), HV_EXIT_CALL);
			EXPECT_EQ(m.ec(), 0u) << std::hex << word;
		}
	}
}

TEST(Arm64Vector, CpacrTakesEffectOnDecodedCode)
{
	// el1: disable, then use: the block of the loop was decoded while enabled
	Vm m({fadd_d, msr(5, 3, 0, 1, 0, 2), b(-2)});
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.ec(), 7u);
	EXPECT_EQ(m.s.elr_el1, ram_at);
	EXPECT_EQ(m.cpu->hv.retired, 5u);	// fadd, msr, b, fadd that traps, hvc
}

TEST(Arm64Vector, ControlRegistersKeepWhatExists)
{
	Vm m({msr_fpcr, mrs_fpcr, msr(4, 3, 3, 4, 4, 1), mrs(4, 3, 3, 4, 4, 1), hvc});
	m.s.x[3] = m.s.x[4] = ~0ull;
	m.set();
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[3], ARM64_FPCR_BITS);
	EXPECT_EQ(m.s.x[4], ARM64_FPSR_BITS);
	EXPECT_EQ(m.s.fpcr, ARM64_FPCR_BITS);
	EXPECT_EQ(m.s.fpsr, ARM64_FPSR_BITS);
}

TEST(Arm64Vector, StateGoesInAndOut)
{
	Vm m({nop, hvc});
	for (int i = 0; i < 32; i++)
		m.s.v[i].d[0] = 0x1111111111111111ull * (i & 15), m.s.v[i].d[1] = ~uint64_t(i);
	m.set();
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	for (int i = 0; i < 32; i++) {
		EXPECT_EQ(m.s.v[i].d[0], 0x1111111111111111ull * (i & 15));
		EXPECT_EQ(m.s.v[i].d[1], ~uint64_t(i));
	}
	arm64_reset(m.cpu.get());
	m.get();
	EXPECT_EQ(m.s.v[7].d[0], 0u);
}

// Gunyah: no valid syndrome, so a SIMD register never reaches a device.
TEST(Arm64Vector, DeviceAccessIsAnExternalAbort)
{
	for (uint32_t word : {ldr_q0_x1, str_q0_x1, ldp_q, 0xfd400020u /* ldr d0 */, 0xbd000020u /* str s0 */, 0x0c407020u /* ld1 */, 0x3d400020u /* ldr b0 */}) {
		Vm m({word});
		m.s.x[1] = device_at;
		m.set();
		ASSERT_EQ(m.step(), HV_EXIT_CALL) << std::hex << word;
		EXPECT_EQ(m.ec(), 0x25u);
		bool write = word == str_q0_x1 || word == 0xbd000020u;
		EXPECT_EQ(m.iss(), 0x10u | (write ? 0x40u : 0));
		EXPECT_EQ(m.s.far_el1, device_at);
		EXPECT_EQ(m.s.elr_el1, ram_at);
	}
}

// An access that runs out of memory on its second page changes nothing.
TEST(Arm64Vector, CrossingIntoNothingChangesNothing)
{
	const uint64_t end = ram_at + ram_size;
	for (uint32_t word : {ldr_q0_x1, str_q0_x1, ldp_q, 0xad000420u /* stp */, 0x4c402020u /* ld1, 4 registers */, 0x4cdf0020u /* ld4, post-index */,
			      0x4c9f0020u /* st4, post-index */, 0x3cc10420u /* ldr q0, [x1], #16 */}) {
		Vm m({word});
		m.s.x[1] = end - 8;
		m.s.v[0].d[0] = m.s.v[1].d[0] = 77;
		m.put64(end - 8, 99);
		m.set();
		ASSERT_EQ(m.step(), HV_EXIT_CALL) << std::hex << word;
		EXPECT_EQ(m.ec(), 0x25u) << std::hex << word;
		EXPECT_EQ(m.iss() & 0x3f, 0x10u);
		EXPECT_EQ(m.s.far_el1, end);
		EXPECT_EQ(m.s.x[1], end - 8);
		EXPECT_EQ(m.s.v[0].d[0], 77u);
		EXPECT_EQ(m.get64(end - 8), 99u);
	}
}

TEST(Arm64Vector, AlignmentIsCheckedBySctlrA)
{
	Vm m({ldr_q0_x1});
	m.s.sctlr_el1 |= 2;
	m.s.x[1] = ram_at + 0x8008;
	m.set();
	ASSERT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.ec(), 0x25u);
	EXPECT_EQ(m.iss(), 0x21u);
	// LD1 of bytes has no alignment
	Vm n({0x4c407020u, hvc});
	n.s.sctlr_el1 |= 2;
	n.s.x[1] = ram_at + 0x8001;
	n.s.esr_el1 = 0;
	n.set();
	ASSERT_EQ(n.step(), HV_EXIT_CALL);
	EXPECT_EQ(n.s.pc, ram_at + 8);
}

// The first execution misses the TLB and takes the slow form, the second takes the fast one.
TEST(Arm64Vector, FastAndSlowFormsAgree)
{
	// ldr q0, [x1], #16; str d0, [x2, #8]!; ldp q3, q4, [x1, #-16]; stp d0, d3, [x2], #-16; ldr s5, [x1, w6, sxtw #2]; loop 3 times
	Vm a({0x3cc10420, 0xfc008c40, 0xad7f9023, 0x6cbf0c40, 0xbc66d825, subs(7, 7, 1), b_ne(-6), hvc}), b({});
	std::memcpy(b.host(ram_at), a.host(ram_at), 64);
	for (Vm *m : {&a, &b}) {
		for (int i = 0; i < 64; i++)
			m->put64(ram_at + 0x8000 + 8 * i, 0x0123456789abcdefull * (i + 1));
		m->s.x[1] = ram_at + 0x8010;
		m->s.x[2] = ram_at + 0x9100;
		m->s.x[6] = 0xffffffff;
		m->s.x[7] = 3;
		m->set();
	}
	ASSERT_EQ(a.step(), HV_EXIT_CALL);
	enum hv_exit_kind kind;
	do {
		b.set();	// drops every translation
		kind = arm64_step(b.cpu.get(), 1);
		b.get();
	} while (kind == HV_EXIT_BUDGET);
	EXPECT_EQ(kind, HV_EXIT_CALL);
	EXPECT_EQ(0, std::memcmp(&a.s, &b.s, sizeof(a.s)));
	EXPECT_EQ(0, std::memcmp(a.host(ram_at + 0x8000), b.host(ram_at + 0x8000), 0x2000));
	EXPECT_EQ(a.s.x[1], ram_at + 0x8040);
}
