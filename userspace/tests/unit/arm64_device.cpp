// SPDX-License-Identifier: MIT
// Accesses that leave the AArch64 CPU: devices, absent pages, calls, idling, and the forms that must not leave.
#include "arm64_machine.h"

using namespace arm64;

namespace {

struct ReadForm {
	uint32_t word;
	unsigned size;
	uint64_t reply, result;
};

}

TEST(Arm64Device, ReadIsAnsweredOnceAndExtended)
{
	const ReadForm forms[] = {
		{0x39400020, 1, 0x1ff80, 0x80},			// ldrb w0, [x1]
		{0x39800020, 1, 0x1ff80, 0xffffffffffffff80},	// ldrsb x0, [x1]
		{0x39c00020, 1, 0x1ff80, 0xffffff80},		// ldrsb w0, [x1]
		{0x79800020, 2, 0xabc8000, 0xffffffffffff8000},	// ldrsh x0, [x1]
		{0xb9400020, 4, ~0ull, 0xffffffff},		// ldr w0, [x1]
		{0xb9800020, 4, 0x80000000, 0xffffffff80000000}, // ldrsw x0, [x1]
		{0xf9400020, 8, 0x123456789abcdef0, 0x123456789abcdef0},
		{0xf8400020, 8, 5, 5},				// ldur x0, [x1]
		{0xf8626820, 8, 6, 6},				// ldr x0, [x1, x2]
	};
	for (const ReadForm &form : forms) {
		Machine m;
		m.put(ram_at, {form.word, add(3, 3, 1), hvc});
		m.s.x[1] = device_at;
		m.set();
		ASSERT_EQ(m.step(), HV_EXIT_ACCESS);
		EXPECT_EQ(m.exit().space, HV_SPACE_MMIO);
		EXPECT_EQ(m.exit().address, device_at);
		EXPECT_EQ(m.exit().size, form.size);
		EXPECT_EQ(m.exit().direction, HV_READ);
		EXPECT_EQ(m.s.pc, ram_at);
		EXPECT_EQ(m.s.x[0], 0u);
		ASSERT_EQ(hv_cpu_complete(&m.cpu->hv, m.exit().cookie, form.reply), 0);
		EXPECT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.x[0], form.result);
		EXPECT_EQ(m.s.x[3], 1u);
		EXPECT_EQ(m.cpu->hv.retired, 3u);
	}
}

TEST(Arm64Device, WriteIsSeenOnce)
{
	Machine m;
	m.put(ram_at, {0x79000020, hvc});	// strh w0, [x1]
	m.s.x[0] = 0x12345678;
	m.s.x[1] = device_at + 2;
	m.set();
	ASSERT_EQ(m.step(), HV_EXIT_ACCESS);
	EXPECT_EQ(m.exit().direction, HV_WRITE);
	EXPECT_EQ(m.exit().data, 0x5678u);
	EXPECT_EQ(m.exit().size, 2);
	uint64_t cookie = m.exit().cookie;
	hv_cpu_complete(&m.cpu->hv, cookie, 0);
	// an interrupt that comes with the reply waits until the instruction is done
	m.s.pstate &= ~ARM64_PSTATE_I;
	m.cpu->daif = 0;
	hv_cpu_request(&m.cpu->hv, HV_REQ_IRQ);
	EXPECT_EQ(m.step(1), HV_EXIT_BUDGET);
	EXPECT_EQ(m.s.pc, ram_at + 4);
	EXPECT_EQ(m.exit().cookie, cookie);
}

TEST(Arm64Device, OtherFormsAbort)
{
	const uint32_t forms[] = {
		0xa9400820,	// ldp x0, x2, [x1]
		0xa9000820,	// stp x0, x2, [x1]
		0xf8408420,	// ldr x0, [x1], #8
		0xf8008c20,	// str x0, [x1, #8]!
		0xc85f7c20,	// ldxr x0, [x1]
		0xc8dffc20,	// ldar x0, [x1]
		0xc89ffc20,	// stlr x0, [x1]
		0xf8400820,	// ldtr x0, [x1]
		0xf8220020,	// ldadd x2, x0, [x1]
		0xd50b7421,	// dc zva, x1
	};
	for (uint32_t form : forms) {
		Machine m;
		m.put(ram_at, {form, hvc});
		m.put(vectors + 0x200, {hvc});
		m.s.x[1] = device_at;
		m.set();
		EXPECT_EQ(m.step(), HV_EXIT_CALL) << std::hex << form;
		EXPECT_EQ(m.s.pc, vectors + 0x204) << std::hex << form;
		EXPECT_EQ(m.ec(), 0x25u);
		EXPECT_EQ(m.iss() & 0x3f, 0x10u);
		EXPECT_EQ(m.s.elr_el1, ram_at);
		EXPECT_EQ(m.s.x[1], device_at) << "writeback must not happen";
		EXPECT_EQ(m.s.far_el1 & ~15ull, device_at);
	}
}

TEST(Arm64Device, BeyondTheLimitAndAcrossPagesAborts)
{
	for (uint64_t va : {uint64_t(0x80000000), device_at + 0xffc}) {
		Machine m;
		m.put(ram_at, {ldr_x(0, 1), hvc});
		m.put(vectors + 0x200, {hvc});
		m.s.x[1] = va;
		m.set();
		EXPECT_EQ(m.step(), HV_EXIT_CALL);
		EXPECT_EQ(m.s.esr_el1, 0x96000010u);
		EXPECT_EQ(m.s.far_el1, va);
	}
}

TEST(Arm64Device, FetchFromNowhereAborts)
{
	Machine m;
	m.put(ram_at, {br(1)});
	m.put(vectors + 0x200, {hvc});
	m.s.x[1] = device_at;
	m.set();
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.esr_el1, 0x86000010u);
	EXPECT_EQ(m.s.elr_el1, device_at);
	EXPECT_EQ(m.s.far_el1, device_at);
}

TEST(Arm64Page, AbsentPageLeavesAndComesIn)
{
	Machine m;
	alignas(4096) static uint8_t page[4096];
	uint8_t *pages[2] = {};
	ASSERT_GE(hv_memmap_add(m.map, 0x80000000, 0x2000, nullptr, pages, HV_MEM_READ | HV_MEM_WRITE), 0);
	m.put(ram_at, {0xa9000820, ldr_x(3, 1, 8), br(1)});	// stp x0, x2, [x1]
	m.s.x[0] = 7;
	m.s.x[1] = 0x80000000 + 0xff8;
	m.s.x[2] = 9;
	m.set();
	std::memset(page, 0, sizeof(page));
	ASSERT_EQ(m.step(), HV_EXIT_PAGE);
	EXPECT_EQ(m.exit().address, 0x80000ff8u);
	EXPECT_EQ(m.exit().direction, HV_WRITE);
	EXPECT_EQ(m.exit().fetch, 0);
	pages[0] = page;
	ASSERT_EQ(m.step(), HV_EXIT_PAGE);
	EXPECT_EQ(m.exit().address, 0x80001000u);
	EXPECT_EQ(page[0xff8], 0) << "half of a pair must not be stored";
	alignas(4096) static uint8_t second[4096];
	pages[1] = second;
	ASSERT_EQ(m.step(), HV_EXIT_PAGE);
	EXPECT_EQ(page[0xff8], 7);
	EXPECT_EQ(second[0], 9);
	EXPECT_EQ(m.s.x[3], 9u);
	EXPECT_EQ(m.exit().fetch, 1) << "no right to execute";
	arm64_external_abort(m.cpu.get(), false, true);
	m.get();
	EXPECT_EQ(m.s.esr_el1, 0x86000010u);
	EXPECT_EQ(m.s.pc, vectors + 0x200);
	EXPECT_EQ(m.s.far_el1, 0x80000ff8u);
}

TEST(Arm64Page, RefusedAccessAborts)
{
	Machine m;
	m.put(ram_at, {ldr_x(0, 1), str_x(0, 1)});
	m.s.x[1] = device_at + 8;
	m.set();
	ASSERT_EQ(m.step(), HV_EXIT_ACCESS);
	hv_cpu_forget(&m.cpu->hv);
	arm64_external_abort(m.cpu.get(), false, false);
	m.get();
	EXPECT_EQ(m.s.esr_el1, 0x96000010u);
	EXPECT_EQ(m.s.far_el1, device_at + 8);
	EXPECT_EQ(m.s.elr_el1, ram_at);
}

TEST(Arm64Call, HvcAndSmcStandBehindTheInstruction)
{
	Machine m;
	m.put(ram_at, {movz(0, 0x8400, 16), hvc, smc, self});
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.pc, ram_at + 8);
	EXPECT_EQ(arm64_get_x(m.cpu.get(), 0), 0x84000000u);
	arm64_set_x(m.cpu.get(), 0, 17);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.pc, ram_at + 12);
	EXPECT_EQ(m.s.x[0], 17u);
}

TEST(Arm64Idle, WfiWaitsForWakeOrInterrupt)
{
	Machine m;
	m.put(ram_at, {wfi, add(0, 0, 1), wfi, add(0, 0, 1), wfi, hvc});
	EXPECT_EQ(m.step(), HV_EXIT_IDLE);
	EXPECT_EQ(m.s.pc, ram_at + 4);
	EXPECT_EQ(m.cpu->hv.idle, 1u);
	EXPECT_EQ(m.step(), HV_EXIT_IDLE);
	hv_cpu_request(&m.cpu->hv, HV_REQ_WAKE);
	EXPECT_EQ(m.step(), HV_EXIT_IDLE);
	EXPECT_EQ(m.s.x[0], 1u);
	// a masked interrupt wakes, and as long as it is pending WFI does not wait
	hv_cpu_request(&m.cpu->hv, HV_REQ_IRQ);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 2u);
}

TEST(Arm64Idle, WakeBeforeWfiIsNotLost)
{
	Machine m;
	m.put(ram_at, {nop, wfi, hvc});
	hv_cpu_request(&m.cpu->hv, HV_REQ_WAKE);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
}

TEST(Arm64Request, StopLeavesALoop)
{
	Machine m;
	m.put(ram_at, {self});
	hv_cpu_request(&m.cpu->hv, HV_REQ_STOP);
	EXPECT_EQ(m.step(), HV_EXIT_KICK);
	EXPECT_EQ(m.cpu->hv.request, 0u);
	EXPECT_EQ(m.step(12345), HV_EXIT_BUDGET);
	EXPECT_EQ(m.cpu->hv.retired, 12345u);
}

TEST(Arm64Request, InterruptIsTakenWhenUnmasked)
{
	Machine m;
	m.put(ram_at, {add(0, 0, 1), 0xd50342ff, add(0, 0, 1), self});	// msr daifclr, #2
	m.put(vectors + 0x280, {hvc});
	hv_cpu_request(&m.cpu->hv, HV_REQ_IRQ);
	EXPECT_EQ(m.step(), HV_EXIT_CALL);
	EXPECT_EQ(m.s.x[0], 1u);
	EXPECT_EQ(m.s.elr_el1, ram_at + 8);
	EXPECT_EQ(m.s.spsr_el1, 0x345u);
	EXPECT_EQ(m.s.pstate & 0x3ff, 0x3c5u);
}
