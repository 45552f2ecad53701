// SPDX-License-Identifier: MIT
// The local APIC: identification, and which IPI a write to ICR_LOW sends to whom.
#include <gtest/gtest.h>

extern "C" {
#include "core/acrn/lapic.h"
}

namespace {

class Lapic : public testing::Test {
 protected:
  Lapic() { lapic_reset(&l, 3); }
  lapic l;
  lapic_ipi ipi{};
};

TEST_F(Lapic, ResetValues) {
  EXPECT_EQ(lapic_read(&l, LAPIC_ID), 3u << 24);
  EXPECT_EQ(lapic_read(&l, LAPIC_VERSION) & 0xff, 0x14u);
  EXPECT_EQ(lapic_read(&l, LAPIC_SVR), 0xffu);
  EXPECT_EQ(lapic_read(&l, LAPIC_TPR), 0u);
  EXPECT_EQ(lapic_read(&l, LAPIC_ICR_LOW), 0u);
  EXPECT_EQ(lapic_read(&l, 0xff0), 0u) << "not there";
}

TEST_F(Lapic, RegistersKeepTheirBits) {
  EXPECT_FALSE(lapic_write(&l, LAPIC_TPR, 0x12345678, &ipi));
  EXPECT_EQ(lapic_read(&l, LAPIC_TPR), 0x78u);
  EXPECT_FALSE(lapic_write(&l, LAPIC_SVR, ~0u, &ipi));
  EXPECT_EQ(lapic_read(&l, LAPIC_SVR), 0x1ffu);
  EXPECT_FALSE(lapic_write(&l, LAPIC_ICR_HIGH, 0x05123456, &ipi));
  EXPECT_EQ(lapic_read(&l, LAPIC_ICR_HIGH), 0x05000000u);
  EXPECT_FALSE(lapic_write(&l, LAPIC_ID, ~0u, &ipi));
  EXPECT_EQ(lapic_read(&l, LAPIC_ID), 3u << 24) << "read-only";
  EXPECT_FALSE(lapic_write(&l, 0xff0, 1, &ipi));
}

TEST_F(Lapic, IcrLowSends) {
  ASSERT_FALSE(lapic_write(&l, LAPIC_ICR_HIGH, 7u << 24, &ipi));
  ASSERT_TRUE(lapic_write(&l, LAPIC_ICR_LOW, 0x4608, &ipi));
  EXPECT_EQ(ipi.mode, LAPIC_MODE_STARTUP);
  EXPECT_EQ(ipi.vector, 8);
  EXPECT_EQ(ipi.destination, 7);
  EXPECT_EQ(ipi.shorthand, 0);
  EXPECT_EQ(ipi.assert, 1);
  ASSERT_TRUE(lapic_write(&l, LAPIC_ICR_LOW, 0xc8500, &ipi));
  EXPECT_EQ(ipi.mode, LAPIC_MODE_INIT);
  EXPECT_EQ(ipi.shorthand, 3);
  EXPECT_EQ(ipi.assert, 0);
}

TEST_F(Lapic, Targets) {
  const auto hit = [](u8 shorthand, u8 destination, u32 self, u32 id) {
    lapic_ipi i{};
    i.shorthand = shorthand;
    i.destination = destination;
    return lapic_ipi_for(&i, self, id);
  };
  EXPECT_TRUE(hit(0, 5, 1, 5));
  EXPECT_FALSE(hit(0, 5, 1, 4));
  EXPECT_TRUE(hit(0, 0xff, 1, 4)) << "broadcast";
  EXPECT_TRUE(hit(1, 5, 1, 1)) << "self";
  EXPECT_FALSE(hit(1, 5, 1, 5));
  EXPECT_TRUE(hit(2, 5, 1, 1)) << "all";
  EXPECT_FALSE(hit(3, 5, 1, 1)) << "all but self";
  EXPECT_TRUE(hit(3, 5, 1, 2));
}

}  // namespace
