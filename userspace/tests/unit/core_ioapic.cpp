// SPDX-License-Identifier: MIT
// The I/O APIC: registers, edges, levels and remote IRR.
#include "core_irqchip.h"

namespace {

class IoApic : public mv::test::IrqchipTest {
 protected:
  IoApic() { switch_on(0), switch_on(1); }
  u32 read(u32 reg) {
    ioapic_write(&chip, 0, reg);
    return ioapic_read(&chip.ioapic, 0x10);
  }
  void line(u32 gsi, bool high) { irqchip_line(&chip, gsi, high); }
  static constexpr u64 kLevel = IOAPIC_RTE_LEVEL;
};

TEST_F(IoApic, Registers) {
  EXPECT_EQ(read(1), 47u << 16 | 0x11);
  EXPECT_EQ(read(0x10), IOAPIC_RTE_MASKED);
  ioapic_write(&chip, 0, 0);
  ioapic_write(&chip, 0x10, ~0u);
  EXPECT_EQ(read(0), 0x0f000000u);
  rte(47, ~0ull);
  EXPECT_EQ(read(0x10 + 94), 0x1afffu) << "delivery status and remote IRR are read-only";
  EXPECT_EQ(read(0x11 + 94), 0xff000000u);
  EXPECT_EQ(read(0x10 + 96), 0u) << "pin 48 does not exist";
  EXPECT_EQ(ioapic_read(&chip.ioapic, 0x20), 0u);
}

TEST_F(IoApic, EdgeGoesToItsDestinationOnce) {
  rte(20, 1ull << 56 | 0x41);
  line(20, true);
  line(20, true);
  EXPECT_EQ(take(0), -1);
  EXPECT_EQ(take(1), 0x41);
  eoi(1);
  EXPECT_EQ(take(1), -1);
  line(20, false);
  line(20, true);
  EXPECT_EQ(take(1), 0x41);
}

TEST_F(IoApic, MaskedEdgeIsLost) {
  rte(20, IOAPIC_RTE_MASKED | 0x41);
  line(20, true);
  rte(20, 0x41);
  EXPECT_EQ(take(), -1);
}

TEST_F(IoApic, LevelStaysUntilEoiAndComesAgain) {
  rte(16, kLevel | 0x51);
  line(16, true);
  EXPECT_EQ(read(0x10 + 32) & IOAPIC_RTE_REMOTE_IRR, IOAPIC_RTE_REMOTE_IRR);
  EXPECT_EQ(take(), 0x51);
  EXPECT_EQ(take(), -1);
  eoi();
  EXPECT_EQ(take(), 0x51) << "still asserted";
  line(16, false);
  eoi();
  EXPECT_EQ(take(), -1);
  EXPECT_EQ(read(0x10 + 32) & IOAPIC_RTE_REMOTE_IRR, 0u);
}

TEST_F(IoApic, LevelUnmaskedLaterFires) {
  rte(16, IOAPIC_RTE_MASKED | kLevel | 0x51);
  line(16, true);
  EXPECT_EQ(take(), -1);
  rte(16, kLevel | 0x51);
  EXPECT_EQ(take(), 0x51);
}

TEST_F(IoApic, LevelNobodyTookMayFireLater) {
  rte(16, 7ull << 56 | kLevel | 0x51);
  line(16, true);
  EXPECT_EQ(read(0x10 + 32) & IOAPIC_RTE_REMOTE_IRR, 0u) << "no APIC 7";
  rte(16, kLevel | 0x51);
  EXPECT_EQ(take(), 0x51);
}

TEST_F(IoApic, EdgeModeForgetsRemoteIrr) {
  rte(16, kLevel | 0x51);
  line(16, true);
  rte(16, IOAPIC_RTE_MASKED | 0x51);
  EXPECT_EQ(read(0x10 + 32) & IOAPIC_RTE_REMOTE_IRR, 0u);
}

TEST_F(IoApic, EoiOfAnEdgeVectorReachesNoPin) {
  rte(16, kLevel | 0x51);
  line(16, true);
  EXPECT_EQ(take(), 0x51);
  msi(0x61);
  EXPECT_EQ(take(), 0x61);
  eoi();
  EXPECT_EQ(read(0x10 + 32) & IOAPIC_RTE_REMOTE_IRR, IOAPIC_RTE_REMOTE_IRR) << "that was 0x61's";
  line(16, false);
  eoi();
  EXPECT_EQ(read(0x10 + 32) & IOAPIC_RTE_REMOTE_IRR, 0u);
}

TEST_F(IoApic, ResetMasksPinsAndKeepsLines) {
  rte(16, kLevel | 0x51);
  line(16, true);
  ioapic_reset(&chip.ioapic);
  EXPECT_EQ(read(0x10 + 32), IOAPIC_RTE_MASKED);
  rte(16, kLevel | 0x52);
  EXPECT_EQ(take(), 0x52);
}

TEST_F(IoApic, ModesOtherThanFixed) {
  rte(10, 4u << 8);
  line(10, true);
  EXPECT_TRUE(cpu()->hv.request & HV_REQ_NMI);
  rte(11, 5u << 8);
  line(11, true);
  EXPECT_TRUE(apic(0)->init);
}

}  // namespace
