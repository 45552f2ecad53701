// SPDX-License-Identifier: MIT
// The local APIC: registers, priorities, addressing, timer, x2APIC mode.
#include "core_irqchip.h"

namespace {

class Lapic : public mv::test::IrqchipTest {
 protected:
  Lapic() : IrqchipTest(3) { switch_on(0), switch_on(1), switch_on(2); }
  u32 read(u32 offset, u32 n = 0) { return lapic_read(apic(n), offset); }
  void write(u32 offset, u32 v, u32 n = 0) { lapic_write(apic(n), offset, v); }
  bool rdmsr(u32 msr, u64* v, u32 n = 0) { return cpu(n)->apic->read_msr(apic(n), msr, v); }
  bool wrmsr(u32 msr, u64 v, u32 n = 0) { return cpu(n)->apic->write_msr(apic(n), msr, v); }
  void ipi(u32 low, u32 destination = 0, u32 from = 0) {
    write(LAPIC_ICR_HIGH, destination << 24, from);
    write(LAPIC_ICR_LOW, low, from);
  }
  void pass(u64 tsc, u32 n = 0) {
    cpu(n)->hv.retired += tsc;
    lapic_timer_run(apic(n));
  }
  void x2(u32 n = 0) { ASSERT_TRUE(wrmsr(0x1b, 0xfee00c00 | (n ? 0 : 0x100), n)); }
};

TEST_F(Lapic, ResetValues) {
  lapic_reset(apic(2));
  EXPECT_EQ(read(LAPIC_ID, 2), 2u << 24);
  EXPECT_EQ(read(LAPIC_VERSION, 2), 0x00050014u);
  EXPECT_EQ(read(LAPIC_SVR, 2), 0xffu);
  EXPECT_EQ(read(LAPIC_DFR, 2), ~0u);
  EXPECT_EQ(read(LAPIC_TPR, 2), 0u);
  for (u32 lvt = LAPIC_LVT_TIMER; lvt <= LAPIC_LVT_ERROR; lvt += 16) EXPECT_EQ(read(lvt, 2), LAPIC_LVT_MASKED) << lvt;
  lapic_reset(apic(0));
  EXPECT_EQ(read(LAPIC_LVT_LINT0), 0x700u) << "virtual wire";
  EXPECT_EQ(read(0xff0), 0u) << "not there";
}

TEST_F(Lapic, RegistersKeepTheirBits) {
  write(LAPIC_TPR, 0x12345678);
  EXPECT_EQ(read(LAPIC_TPR), 0x78u);
  write(LAPIC_SVR, ~0u);
  EXPECT_EQ(read(LAPIC_SVR), 0x1ffu);
  write(LAPIC_ICR_HIGH, 0x05123456);
  EXPECT_EQ(read(LAPIC_ICR_HIGH), 0x05000000u);
  write(LAPIC_ID, ~0u);
  EXPECT_EQ(read(LAPIC_ID), 0u) << "read-only";
  write(LAPIC_LVT_TIMER, ~0u);
  EXPECT_EQ(read(LAPIC_LVT_TIMER), 0x700ffu);
  write(LAPIC_TIMER_DIVIDE, ~0u);
  EXPECT_EQ(read(LAPIC_TIMER_DIVIDE), 0xbu);
}

TEST_F(Lapic, SoftwareDisabledMasksAndRefuses) {
  write(LAPIC_LVT_LINT1, 0x400);
  write(LAPIC_SVR, 0xff);
  EXPECT_EQ(read(LAPIC_LVT_LINT1), 0x10400u);
  write(LAPIC_LVT_LINT1, 0x400);
  EXPECT_EQ(read(LAPIC_LVT_LINT1), 0x10400u) << "cannot be unmasked";
  msi(0x40);
  switch_on();
  EXPECT_EQ(take(), -1);
}

TEST_F(Lapic, HighestFirstAndPriorities) {
  msi(0x41), msi(0x61), msi(0x62);
  EXPECT_EQ(read(LAPIC_IRR + 0x30), 6u);
  EXPECT_EQ(take(), 0x62);
  EXPECT_EQ(read(LAPIC_ISR + 0x30), 4u);
  EXPECT_EQ(read(LAPIC_PPR), 0x60u);
  EXPECT_EQ(take(), -1) << "same class";
  msi(0x71);
  EXPECT_EQ(take(), 0x71);
  eoi();
  EXPECT_EQ(take(), -1);
  eoi();
  EXPECT_EQ(take(), 0x61);
  eoi();
  write(LAPIC_TPR, 0x40);
  EXPECT_EQ(take(), -1);
  cpu()->hv.request = 0;
  cpu()->apic->write_cr8(apic(), 3);
  EXPECT_EQ(read(LAPIC_TPR), 0x30u);
  EXPECT_EQ(cpu()->apic->read_cr8(apic()), 3u);
  EXPECT_TRUE(cpu()->hv.request & HV_REQ_IRQ) << "the waiting request is shown again";
  EXPECT_EQ(take(), 0x41);
}

TEST_F(Lapic, IpiTargets) {
  ipi(0x4051, 1);
  EXPECT_EQ(take(1), 0x51);
  EXPECT_EQ(take(0), -1);
  ipi(0x44052);  // self
  EXPECT_EQ(take(0), 0x52);
  ipi(0x84053);  // all
  for (u32 n : {0, 1, 2}) EXPECT_EQ(take(n), n == 2 ? 0x53 : -1) << "0 and 1 serve their class";
  eoi(0), eoi(1), eoi(2);
  EXPECT_EQ(take(0), 0x53);
  EXPECT_EQ(take(1), 0x53);
  ipi(0xc4064);  // others
  EXPECT_EQ(take(0), -1);
  EXPECT_EQ(take(1), 0x64);
  EXPECT_EQ(take(2), 0x64);
  ipi(0x4075, 0xff);
  for (u32 n : {0, 1, 2}) EXPECT_EQ(take(n), 0x75) << n;
  EXPECT_EQ(kicks, 7u);
}

TEST_F(Lapic, LogicalFlatAndCluster) {
  for (u32 n : {0, 1, 2}) write(LAPIC_LDR, 0x01000000u << n, n);
  ipi(0x4851, 6);
  EXPECT_EQ(take(0), -1);
  EXPECT_EQ(take(1), 0x51);
  EXPECT_EQ(take(2), 0x51);
  for (u32 n : {0, 1, 2}) {
    write(LAPIC_DFR, 0x0fffffff, n);
    write(LAPIC_LDR, 0x20000000 | 0x01000000u << n, n);
  }
  ipi(0x4862, 0x25);
  EXPECT_EQ(take(0), 0x62);
  EXPECT_EQ(take(1), -1);
  EXPECT_EQ(take(2), 0x62);
}

TEST_F(Lapic, LowestPriorityPicksOne) {
  write(LAPIC_TPR, 0x20, 0);
  write(LAPIC_TPR, 0x10, 1);
  write(LAPIC_TPR, 0x30, 2);
  ipi(0x4151, 0xff, 0);
  EXPECT_EQ(take(0), -1);
  EXPECT_EQ(take(1), 0x51);
  EXPECT_EQ(take(2), -1);
}

TEST_F(Lapic, InitAndStartUp) {
  ipi(0x4500, 1);
  ipi(0x4608, 1);
  EXPECT_EQ(apic(1)->sipi, 0x108u);
  msi(0x44, 1);
  EXPECT_TRUE(lapic_take_init(apic(1)));
  EXPECT_EQ(apic(1)->sipi, 0x108u) << "it came after the INIT";
  EXPECT_EQ(read(LAPIC_SVR, 1), 0xffu);
  EXPECT_EQ(take(1), -1);
  EXPECT_FALSE(lapic_take_init(apic(1)));
  ipi(0x8500, 2);  // level de-assert
  EXPECT_FALSE(lapic_take_init(apic(2)));
}

TEST_F(Lapic, IllegalVectorsAreErrors) {
  write(LAPIC_LVT_ERROR, 0xe1);
  ipi(0x4005, 0);
  EXPECT_EQ(take(), 0xe1);
  EXPECT_EQ(read(LAPIC_ESR), 0u) << "before it is written";
  write(LAPIC_ESR, 0);
  EXPECT_EQ(read(LAPIC_ESR), 0x20u);
  msi(5);
  write(LAPIC_ESR, 0);
  EXPECT_EQ(read(LAPIC_ESR), 0x40u);
  write(LAPIC_ESR, 0);
  EXPECT_EQ(read(LAPIC_ESR), 0u);
}

TEST_F(Lapic, MsiAddressAndHint) {
  EXPECT_FALSE(irqchip_msi(&chip, 0x1000, 0x41));
  EXPECT_FALSE(irqchip_msi(&chip, 0xfef00000, 0x41));
  EXPECT_TRUE(irqchip_msi(&chip, 0x1fee01000, 0x41)) << "bits 63:32 are not looked at";
  EXPECT_EQ(take(1), 0x41);
  msi(0x42, 9);
  EXPECT_TRUE(irqchip_msi(&chip, 0xfee00000, 0x400)) << "NMI is dropped";
  EXPECT_FALSE(cpu()->hv.request & HV_REQ_NMI);
  for (u32 n : {0, 1, 2}) write(LAPIC_LDR, 0x01000000u << n, n);
  msi(0x51, 7, 0xc);
  EXPECT_EQ((take(0) == 0x51) + (take(1) == 0x51) + (take(2) == 0x51), 1) << "the hint asks for one";
}

TEST_F(Lapic, OneShotTimer) {
  write(LAPIC_LVT_TIMER, 0x40);
  write(LAPIC_TIMER_DIVIDE, 0xb);  // by 1
  write(LAPIC_TIMER_INITIAL, 1000);
  EXPECT_EQ(read(LAPIC_TIMER_CURRENT), 1000u);
  EXPECT_GT(lapic_timer_ns(apic()), 0u);
  pass(400);
  EXPECT_NEAR(read(LAPIC_TIMER_CURRENT), 600, 1);
  EXPECT_EQ(take(), -1);
  pass(601);
  EXPECT_EQ(take(), 0x40);
  EXPECT_EQ(read(LAPIC_TIMER_CURRENT), 0u);
  EXPECT_EQ(lapic_timer_ns(apic()), ~0ull);
  pass(5000);
  EXPECT_EQ(take(), -1);
}

TEST_F(Lapic, PeriodicTimerCoalesces) {
  write(LAPIC_LVT_TIMER, 0x20040);
  write(LAPIC_TIMER_DIVIDE, 3);  // by 16
  write(LAPIC_TIMER_INITIAL, 100);
  pass(1601);
  EXPECT_EQ(take(), 0x40);
  eoi();
  pass(16000);
  EXPECT_EQ(take(), 0x40);
  eoi();
  EXPECT_EQ(take(), -1) << "ten periods nobody looked at are one interrupt";
  pass(1600);
  EXPECT_EQ(take(), 0x40);
  eoi();
  write(LAPIC_TIMER_INITIAL, 0);
  pass(16000);
  EXPECT_EQ(take(), -1);
}

TEST_F(Lapic, DividerChangesARunningCount) {
  write(LAPIC_LVT_TIMER, 0x40);
  write(LAPIC_TIMER_DIVIDE, 0xb);
  write(LAPIC_TIMER_INITIAL, 1000);
  pass(500);
  write(LAPIC_TIMER_DIVIDE, 0);  // by 2
  EXPECT_NEAR(read(LAPIC_TIMER_CURRENT), 500, 1);
  pass(998);
  EXPECT_EQ(take(), -1);
  pass(4);
  EXPECT_EQ(take(), 0x40);
}

TEST_F(Lapic, MaskedTimerRunsSilently) {
  write(LAPIC_TIMER_INITIAL, 1000);
  EXPECT_EQ(lapic_timer_ns(apic()), ~0ull);
  pass(100000);
  EXPECT_EQ(take(), -1);
}

TEST_F(Lapic, TscDeadline) {
  u64 v = 1;
  ASSERT_TRUE(wrmsr(0x6e0, 5000));
  ASSERT_TRUE(rdmsr(0x6e0, &v));
  EXPECT_EQ(v, 0u) << "ignored in other modes";
  write(LAPIC_LVT_TIMER, 0x40040);
  const u64 now = x86_tsc(cpu());
  ASSERT_TRUE(wrmsr(0x6e0, now + 5000));
  ASSERT_TRUE(rdmsr(0x6e0, &v));
  EXPECT_EQ(v, now + 5000);
  write(LAPIC_TIMER_INITIAL, 10);
  pass(4999);
  EXPECT_EQ(take(), -1);
  pass(1);
  EXPECT_EQ(take(), 0x40);
  ASSERT_TRUE(rdmsr(0x6e0, &v));
  EXPECT_EQ(v, 0u);
  eoi();
  ASSERT_TRUE(wrmsr(0x6e0, 1));
  pass(0);
  EXPECT_EQ(take(), 0x40) << "a deadline in the past fires at once";
}

TEST_F(Lapic, ModeChanges) {
  u64 v;
  ASSERT_TRUE(rdmsr(0x1b, &v));
  EXPECT_EQ(v, 0xfee00900u);
  ASSERT_TRUE(rdmsr(0x1b, &v, 1));
  EXPECT_EQ(v, 0xfee00800u);
  EXPECT_FALSE(wrmsr(0x1b, 0xfee00500)) << "x2APIC without enable";
  EXPECT_FALSE(wrmsr(0x1b, 0xfed00900)) << "does not move";
  EXPECT_FALSE(wrmsr(0x1b, 0xfee00800)) << "BSP is read-only here";
  EXPECT_FALSE(rdmsr(0x802, &v)) << "xAPIC mode";
  x2();
  ASSERT_TRUE(rdmsr(0x802, &v));
  EXPECT_EQ(v, 0u);
  EXPECT_FALSE(wrmsr(0x1b, 0xfee00900)) << "not back to xAPIC";
  ASSERT_TRUE(wrmsr(0x1b, 0xfee00100));
  EXPECT_FALSE(wrmsr(0x1b, 0xfee00d00)) << "not from off";
  ASSERT_TRUE(wrmsr(0x1b, 0xfee00900));
}

TEST_F(Lapic, X2ApicRegisters) {
  u64 v;
  x2(0), x2(1);
  ASSERT_TRUE(rdmsr(0x80d, &v, 1));
  EXPECT_EQ(v, 2u) << "logical id: cluster 0, bit 1";
  EXPECT_FALSE(wrmsr(0x80d, 1));
  EXPECT_FALSE(rdmsr(0x80b, &v)) << "EOI is write-only";
  EXPECT_FALSE(wrmsr(0x80b, 1)) << "and takes 0 only";
  EXPECT_FALSE(rdmsr(0x80e, &v)) << "no DFR";
  EXPECT_FALSE(rdmsr(0x831, &v)) << "no ICR high";
  EXPECT_FALSE(wrmsr(0x808, 0x100));
  ASSERT_TRUE(wrmsr(0x830, 1ull << 32 | 0x4051));
  EXPECT_EQ(take(1), 0x51);
  ASSERT_TRUE(rdmsr(0x830, &v));
  EXPECT_EQ(v, 1ull << 32 | 0x4051);
  ASSERT_TRUE(wrmsr(0x830, 2ull << 32 | 0x4862)) << "logical";
  EXPECT_EQ(take(1), 0x62);
  ASSERT_TRUE(wrmsr(0x83f, 0x44));
  EXPECT_EQ(take(0), 0x44);
  ASSERT_TRUE(wrmsr(0x80b, 0));
  ASSERT_TRUE(wrmsr(0x83f, 0x43));
  EXPECT_EQ(take(0), 0x43);
}

TEST_F(Lapic, DoorOfTheRegisters) {
  hv_exit e{};
  e.kind = HV_EXIT_ACCESS, e.space = HV_SPACE_MMIO, e.size = 4, e.address = 0xfee00030;
  u64 v = 0;
  ASSERT_TRUE(irqchip_access(apic(), &e, &v));
  EXPECT_EQ(v, 0x00050014u);
  e.size = 1, e.address = 0xfee00032;
  ASSERT_TRUE(irqchip_access(apic(), &e, &v));
  EXPECT_EQ(v & 0xff, 5u);
  e.size = 4, e.address = 0xfee01000;
  EXPECT_FALSE(irqchip_access(apic(), &e, &v));
  e.address = 0xfec00010;
  EXPECT_TRUE(irqchip_access(apic(), &e, &v));
  x2();
  e.address = 0xfee00030;
  EXPECT_FALSE(irqchip_access(apic(), &e, &v)) << "nothing there in x2APIC mode";
}

TEST_F(Lapic, PicReachesTheBootProcessorOnly) {
  lapic_reset(apic(0));
  start_pic();
  irqchip_line(&chip, 4, true);
  EXPECT_EQ(take(1), -1);
  EXPECT_EQ(take(0), 0x24);
  out(0x20, 0x20);
  irqchip_line(&chip, 2, true);
  EXPECT_EQ(take(0), 0x20) << "GSI 2 is input 0";
  out(0x20, 0x20);
  switch_on();
  write(LAPIC_LVT_LINT0, 0x10700);
  irqchip_line(&chip, 4, false);
  irqchip_line(&chip, 4, true);
  EXPECT_EQ(take(0), -1) << "masked";
  cpu()->hv.request = 0;
  write(LAPIC_LVT_LINT0, 0x700);
  EXPECT_TRUE(cpu()->hv.request & HV_REQ_IRQ);
  EXPECT_EQ(take(0), 0x24);
}

}  // namespace
