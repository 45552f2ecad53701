// SPDX-License-Identifier: MIT
// Gunyah: boot registers, MMIO exits and how they are resumed.
#include <gtest/gtest.h>

#include "glue/gunyah_vm.h"

namespace mv::glue {

constexpr uint64_t kDevice = 0x1000;

// Registers as the guest finds them: the code stores each to the device, so x30 and x29 are lost to it.
static A64Code dump_registers() {
  A64Code c;
  c.mov(30, kDevice);
  for (unsigned i = 0; i < 30; ++i) c.str(3, i, 30, 8 * i);
  return c.mov_from_sp(0).str(3, 0, 30).mrs_sp_el0(0).str(3, 0, 30).spin();
}

TEST(GunyahBoot, Statement11_DefaultRegisters) {
  GunyahGuest g;
  g.boot(dump_registers());
  EXPECT_EQ(g.vcpu().mmio(), store(kDevice, 8, GunyahGuest::kBase + GunyahGuest::kTree)) << "x0 is the device tree";
  for (unsigned i = 1; i < 30; ++i) EXPECT_EQ(g.vcpu().mmio(), store(kDevice + 8 * i, 8, 0)) << "x" << i;
}

TEST(GunyahBoot, Statement11_BootContext) {
  GunyahGuest g;
  g.load(dump_registers(), 0x3000);
  for (unsigned i = 0; i < 31; ++i) ASSERT_EQ(g.vm().boot_context(REG_SET_X, i, 0x1111111111111111 * (i % 16) + i), ok);
  ASSERT_EQ(g.vm().boot_context(REG_SET_PC, 0, GunyahGuest::kBase + 0x3000), ok);
  ASSERT_EQ(g.vm().boot_context(REG_SET_SP, 0, 0x80010000), ok);
  ASSERT_EQ(g.vm().boot_context(REG_SET_SP, 1, 0x80020000), ok);
  ASSERT_EQ(g.start(), ok);
  for (unsigned i = 0; i < 30; ++i) EXPECT_EQ(g.vcpu().mmio(), store(kDevice + 8 * i, 8, 0x1111111111111111 * (i % 16) + i)) << "x" << i;
  EXPECT_EQ(g.vcpu().mmio(), store(kDevice, 8, 0x80020000)) << "SP index 1 is SP_EL1";
  EXPECT_EQ(g.vcpu().mmio(), store(kDevice, 8, 0x80010000)) << "SP index 0 is SP_EL0";
}

TEST(GunyahBoot, Statement11_SecondVcpuGetsItsContextOnly) {
  GunyahGuest g(2);
  ASSERT_EQ(g.vm().boot_context(REG_SET_X, 5, 0x5555), ok);
  g.load(A64Code().mov(30, kDevice).str(3, 0, 30).str(3, 5, 30).spin(), 0x3000);
  g.boot(A64Code().psci(kPsciCpuOn, 1, GunyahGuest::kBase + 0x3000, 0xc0de).mov(1, 0x2000).str(3, 0, 1).spin());
  EXPECT_EQ(g.vcpu(0).mmio(), store(0x2000, 8, 0));
  EXPECT_EQ(g.vcpu(1).mmio(), store(kDevice, 8, 0xc0de));
  EXPECT_EQ(g.vcpu(1).mmio(), store(kDevice, 8, 0)) << "the boot context is the boot vCPU's";
}

TEST(GunyahMmio, Statement15_StoresOfEverySize) {
  GunyahGuest g;
  g.boot(A64Code().mov(0, 0x8182838485868788).mov(1, kDevice).str(0, 0, 1, 3).str(1, 0, 1, 6).str(2, 0, 1, 12).str(3, 0, 1, 16).spin());
  EXPECT_EQ(g.vcpu().mmio(), store(kDevice + 3, 1, 0x88));
  EXPECT_EQ(g.vcpu().page().mmio.resume_action, GUNYAH_VCPU_RESUME_HANDLED) << "preset";
  EXPECT_EQ(g.vcpu().mmio(), store(kDevice + 6, 2, 0x8788));
  EXPECT_EQ(g.vcpu().mmio(), store(kDevice + 12, 4, 0x85868788));
  EXPECT_EQ(g.vcpu().mmio(), store(kDevice + 16, 8, 0x8182838485868788));
}

TEST(GunyahMmio, Statement15_WritesLeaveTheOtherDataBytes) {
  GunyahGuest g;
  g.boot(A64Code().mov(0, 0x11).mov(1, kDevice).str(0, 0, 1).spin());
  std::memset(g.vcpu().page().mmio.data, 0xee, 8);
  EXPECT_EQ(g.vcpu().mmio(), store(kDevice, 1, 0x11));
  EXPECT_EQ(g.vcpu().page().mmio.data[1], 0xee);
}

TEST(GunyahMmio, Statement16_LoadsExtendTheLowBytes) {
  constexpr uint64_t garbage = 0xdeadbeefcafe0080;
  GunyahGuest g;
  g.boot(A64Code().mov(1, kDevice).mov(2, 0x2000)
             .ldrs_x(0, 0, 1).str(3, 0, 2).ldrs_w(0, 0, 1).str(3, 0, 2).ldr(0, 0, 1).str(3, 0, 2).ldr(3, 0, 1).str(3, 0, 2).spin());
  EXPECT_EQ(g.vcpu().mmio(), load(kDevice, 1));
  EXPECT_EQ(g.vcpu().mmio_after(garbage), store(0x2000, 8, 0xffffffffffffff80));
  EXPECT_EQ(g.vcpu().mmio(), load(kDevice, 1));
  EXPECT_EQ(g.vcpu().mmio_after(garbage), store(0x2000, 8, 0x00000000ffffff80));
  EXPECT_EQ(g.vcpu().mmio(), load(kDevice, 1));
  EXPECT_EQ(g.vcpu().mmio_after(garbage), store(0x2000, 8, 0x80));
  EXPECT_EQ(g.vcpu().mmio(), load(kDevice, 8));
  EXPECT_EQ(g.vcpu().mmio_after(garbage), store(0x2000, 8, garbage));
}

TEST(GunyahMmio, Statement17_EditsOfThePageDoNotCount) {
  GunyahGuest g;
  g.boot(A64Code().mov(1, kDevice).mov(2, 0x2000).ldr(1, 0, 1).str(3, 0, 2).spin());
  EXPECT_EQ(g.vcpu().mmio(), load(kDevice, 2));
  gunyah_vcpu_run& page = g.vcpu().page();
  page.mmio.is_write = 1;
  page.mmio.len = 8;
  page.mmio.phys_addr = 0x80000000;
  page.exit_reason = GUNYAH_VCPU_EXIT_STATUS;
  EXPECT_EQ(g.vcpu().mmio_after(0x1122334455667788), store(0x2000, 8, 0x7788));
}

TEST(GunyahMmio, Statement18_UnknownResumeActionKeepsTheAccess) {
  GunyahGuest g;
  g.boot(A64Code().mov(1, kDevice).mov(2, 0x2000).ldr(2, 0, 1).str(3, 0, 2).spin());
  EXPECT_EQ(g.vcpu().mmio(), load(kDevice, 4));
  g.vcpu().page().mmio.resume_action = 3;
  EXPECT_EQ(g.vcpu().run(), fails(EINVAL));
  EXPECT_EQ(g.vcpu().run(), fails(EINVAL));
  g.vcpu().page().mmio.resume_action = GUNYAH_VCPU_RESUME_HANDLED;
  EXPECT_EQ(g.vcpu().mmio_after(42), store(0x2000, 8, 42));
}

// Sets the vectors and then does what `access` does with x1 = address; aborts are reported at kReport.
static void boot_access(GunyahGuest& g, uint64_t address, const A64Code& access) {
  g.load_vectors();
  A64Code c;
  c.mov(9, GunyahGuest::kBase + GunyahGuest::kVectors).msr_vbar(9).isb().mov(1, address).mov(2, 0x2000);
  for (uint32_t w : access.get()) c.word(w);
  g.boot(c.str(3, 0, 2).spin());
}

static void expect_abort(GunyahGuest& g, uint64_t address) {
  const auto esr = g.vcpu().mmio();
  ASSERT_TRUE(esr);
  EXPECT_EQ(esr->address, GunyahGuest::kReport) << "no exit for the access itself";
  EXPECT_EQ(esr->data >> 26, 0x25u) << "data abort from the same level";
  EXPECT_EQ(esr->data & 0x3f, 0x10u) << "synchronous external abort";
  EXPECT_EQ(g.vcpu().mmio(), store(GunyahGuest::kReport + 8, 8, address)) << "FAR";
}

TEST(GunyahMmio, Statement19_FaultIsAnExternalAbort) {
  GunyahGuest g;
  boot_access(g, kDevice + 4, A64Code().ldr(2, 0, 1));
  EXPECT_EQ(g.vcpu().mmio(), load(kDevice + 4, 4));
  g.vcpu().page().mmio.resume_action = GUNYAH_VCPU_RESUME_FAULT;
  expect_abort(g, kDevice + 4);
}

TEST(GunyahMmio, Statement19_RetryStartsOver) {
  GunyahGuest g;
  boot_access(g, kDevice, A64Code().ldr(3, 0, 1));
  EXPECT_EQ(g.vcpu().mmio(), load(kDevice, 8));
  for (int i = 0; i < 3; ++i) {
    g.vcpu().page().mmio.resume_action = GUNYAH_VCPU_RESUME_RETRY;
    EXPECT_EQ(g.vcpu().mmio_after(99), load(kDevice, 8)) << "identical";
  }
  GuestMemory m(g.device(), 4096);
  const uint64_t value = 0xabcdef;
  m.write(0, std::as_bytes(std::span(&value, 1)));
  ASSERT_EQ(g.vm().map(m, kDevice, kShare | kRwx), ok);
  g.vcpu().page().mmio.resume_action = GUNYAH_VCPU_RESUME_RETRY;
  EXPECT_EQ(g.vcpu().mmio_after(99), store(0x2000, 8, value)) << "memory now";
}

struct Form {
  const char* name;
  A64Code (*code)();
};
class GunyahForm : public testing::TestWithParam<Form> {};

TEST_P(GunyahForm, Statement20_AbortsWithoutAnExit) {
  GunyahGuest g;
  boot_access(g, kDevice, GetParam().code());
  expect_abort(g, kDevice);
}
INSTANTIATE_TEST_SUITE_P(Access, GunyahForm,
                         testing::Values(Form{"Pair", [] { return A64Code().ldp(0, 3, 1); }},
                                         Form{"PostIndex", [] { return A64Code().ldr_post(0, 1); }},
                                         Form{"Exclusive", [] { return A64Code().ldxr(0, 1); }}),
                         [](const auto& info) { return info.param.name; });

TEST(GunyahMmio, Statement20_UnboundAddresses) {
  GunyahGuest low, high;
  // below the GIC's distributor, which is the last device of the tree
  boot_access(low, 0x3ffef000, A64Code().ldr(2, 0, 1));
  EXPECT_EQ(low.vcpu().mmio(), load(0x3ffef000, 4));
  boot_access(high, 0x60000000, A64Code().ldr(2, 0, 1));
  expect_abort(high, 0x60000000);
}

}  // namespace mv::glue
