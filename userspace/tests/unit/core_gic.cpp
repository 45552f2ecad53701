// SPDX-License-Identifier: MIT
// GICv3: inputs, priorities, acknowledgement, routing, registers (IHI 0069).
#include <gtest/gtest.h>

#include <vector>

extern "C" {
#include "core/irqchip/gic.h"
}

namespace {

constexpr u64 kDist = 0x3fff0000, kRedist = 0x3f000000;
constexpr u32 kCpus = 20;
// ICC registers by CRn, CRm, op2
constexpr u32 icc(u32 crn, u32 crm, u32 op2) { return 3u << 14 | crn << 7 | crm << 3 | op2; }
constexpr u32 kPmr = icc(4, 6, 0), kIar = icc(12, 12, 0), kEoir = icc(12, 12, 1), kHppir = icc(12, 12, 2), kBpr = icc(12, 12, 3), kCtlr = icc(12, 12, 4),
              kSre = icc(12, 12, 5), kGrpEn = icc(12, 12, 7), kRpr = icc(12, 11, 3), kDir = icc(12, 11, 1), kSgi1r = icc(12, 11, 5), kAp1r0 = icc(12, 9, 0);
constexpr u32 kGroup = 0x80, kSetEnable = 0x100, kClearEnable = 0x180, kSetPending = 0x200, kClearPending = 0x280, kSetActive = 0x300, kPriority = 0x400, kConfig = 0xc00,
              kRouter = 0x6000;

class Gic : public testing::Test {
 protected:
  void SetUp() override {
    gic_init(&gic, kDist, kRedist, kCpus, [](void* self, u32 cpu, bool asserted) { static_cast<Gic*>(self)->input[cpu] = asserted; }, this);
    set_dist(0, 2);
    for (u32 i = 0; i < kCpus; i++) {
      put(kPmr, 0xff, i);
      put(kGrpEn, 1, i);
    }
  }
  void set_dist(u32 at, u64 v, u32 size = 4) { gic_write(&gic, kDist + at, size, v); }
  u64 dist(u32 at, u32 size = 4) { return gic_read(&gic, kDist + at, size); }
  void set_redist(u32 cpu, u32 at, u64 v, u32 size = 4) { gic_write(&gic, kRedist + cpu * 0x20000 + at, size, v); }
  u64 redist(u32 cpu, u32 at, u32 size = 4) { return gic_read(&gic, kRedist + cpu * 0x20000 + at, size); }
  void put(u32 reg, u64 v, u32 cpu = 0) { EXPECT_TRUE(gic_icc_write(&gic, cpu, reg, v)); }
  u64 get(u32 reg, u32 cpu = 0) {
    u64 v = ~0ull;
    EXPECT_TRUE(gic_icc_read(&gic, cpu, reg, &v));
    return v;
  }
  // Group 1, enabled, at this priority; edge or level.
  void spi(u32 intid, u32 priority = 0xa0, bool edge = false) {
    const u32 at = intid / 32 * 4, bit = 1u << intid % 32;
    set_dist(kGroup + at, dist(kGroup + at) | bit);
    set_dist(kPriority + intid, priority, 1);
    if (edge) set_dist(kConfig + intid / 16 * 4, dist(kConfig + intid / 16 * 4) | 2u << intid % 16 * 2);
    set_dist(kSetEnable + at, bit);
  }
  void own(u32 cpu, u32 intid, u32 priority = 0xa0) {
    set_redist(cpu, 0x10000 + kGroup, redist(cpu, 0x10000 + kGroup) | 1u << intid);
    set_redist(cpu, 0x10000 + kPriority + intid, priority, 1);
    set_redist(cpu, 0x10000 + kSetEnable, 1u << intid);
  }
  struct gic gic;
  bool input[GIC_CPUS] = {};
};

TEST_F(Gic, LevelComesAgainUntilItFalls) {
  spi(40);
  gic_spi(&gic, 40, true);
  EXPECT_TRUE(input[0]);
  EXPECT_EQ(get(kIar), 40u);
  EXPECT_FALSE(input[0]) << "active: not signalled again";
  put(kEoir, 40);
  EXPECT_TRUE(input[0]) << "still high";
  EXPECT_EQ(get(kIar), 40u);
  gic_spi(&gic, 40, false);
  put(kEoir, 40);
  EXPECT_FALSE(input[0]);
  EXPECT_EQ(get(kIar), 1023u);
}

TEST_F(Gic, EdgeComesOnce) {
  spi(40, 0xa0, true);
  gic_spi(&gic, 40, true);
  EXPECT_EQ(get(kIar), 40u);
  put(kEoir, 40);
  EXPECT_FALSE(input[0]);
  gic_spi(&gic, 40, true);
  EXPECT_FALSE(input[0]) << "no edge";
  gic_spi(&gic, 40, false);
  gic_spi(&gic, 40, true);
  EXPECT_TRUE(input[0]);
}

TEST_F(Gic, AnEdgeWhileActiveIsNotLost) {
  spi(40, 0xa0, true);
  EXPECT_EQ(gic_post(&gic, 40), 1u);
  EXPECT_FALSE(input[0]) << "not before it is taken";
  gic_take(&gic);
  EXPECT_EQ(get(kIar), 40u);
  gic_post(&gic, 40);
  gic_take(&gic);
  EXPECT_FALSE(input[0]);
  put(kEoir, 40);
  EXPECT_TRUE(input[0]);
}

TEST_F(Gic, PriorityDecidesThenTheNumber) {
  for (u32 n : {50u, 45u, 60u, 100u}) spi(n, 0xa0, true);
  set_dist(kPriority + 60, 0x80, 1);
  for (u32 n : {50u, 45u, 60u, 100u}) gic_spi(&gic, n, true);
  EXPECT_EQ(get(kHppir), 60u);
  EXPECT_EQ(get(kIar), 60u);
  EXPECT_EQ(get(kRpr), 0x80u);
  EXPECT_EQ(get(kIar), 1023u) << "the others do not preempt";
  put(kEoir, 60);
  EXPECT_EQ(get(kIar), 45u);
  put(kEoir, 45);
  EXPECT_EQ(get(kIar), 50u);
  put(kEoir, 50);
  EXPECT_EQ(get(kIar), 100u);
  EXPECT_EQ(get(kRpr), 0xa0u);
}

TEST_F(Gic, HigherPriorityPreempts) {
  spi(40, 0xa0, true);
  spi(41, 0x40, true);
  gic_spi(&gic, 40, true);
  EXPECT_EQ(get(kIar), 40u);
  gic_spi(&gic, 41, true);
  EXPECT_TRUE(input[0]);
  EXPECT_EQ(get(kIar), 41u);
  EXPECT_EQ(get(kAp1r0), 1u << (0x40 >> 3) | 1u << (0xa0 >> 3));
  put(kEoir, 41);
  EXPECT_EQ(get(kRpr), 0xa0u);
  put(kEoir, 40);
  EXPECT_EQ(get(kRpr), 0xffu);
}

TEST_F(Gic, BinaryPointKeepsSubprioritiesFromPreempting) {
  put(kBpr, 7);
  EXPECT_EQ(get(kBpr), 7u);
  spi(40, 0x70, true);
  spi(41, 0x10, true);
  gic_spi(&gic, 40, true);
  EXPECT_EQ(get(kIar), 40u);
  gic_spi(&gic, 41, true);
  EXPECT_EQ(get(kIar), 1023u) << "one group: 0x00 to 0x7f";
  put(kBpr, 0);
  EXPECT_EQ(get(kBpr), 3u) << "five bits of priority";
  EXPECT_EQ(get(kIar), 41u);
}

TEST_F(Gic, MaskEnableAndGroup) {
  spi(40, 0xa0);
  gic_spi(&gic, 40, true);
  EXPECT_TRUE(input[0]);
  put(kPmr, 0xa0);
  EXPECT_FALSE(input[0]) << "equal is masked";
  put(kPmr, 0xf0);
  EXPECT_TRUE(input[0]);
  set_dist(kClearEnable + 4, 1u << 8);
  EXPECT_FALSE(input[0]);
  set_dist(kSetEnable + 4, 1u << 8);
  EXPECT_TRUE(input[0]);
  set_dist(kGroup + 4, 0);
  EXPECT_FALSE(input[0]) << "group 0 is never signalled";
  set_dist(kGroup + 4, 1u << 8);
  put(kGrpEn, 0);
  EXPECT_FALSE(input[0]);
  put(kGrpEn, 1);
  set_dist(0, 0);
  EXPECT_FALSE(input[0]);
  set_dist(0, 2);
  EXPECT_TRUE(input[0]);
}

TEST_F(Gic, PriorityDropAndDeactivationApart) {
  put(kCtlr, 2);
  EXPECT_EQ(get(kCtlr) & 2, 2u);
  spi(40);
  gic_spi(&gic, 40, true);
  EXPECT_EQ(get(kIar), 40u);
  put(kEoir, 40);
  EXPECT_EQ(get(kRpr), 0xffu);
  EXPECT_FALSE(input[0]) << "still active";
  EXPECT_EQ(dist(kSetActive + 4), 1u << 8);
  put(kDir, 40);
  EXPECT_TRUE(input[0]);
}

TEST_F(Gic, SgisReachTheirTargets) {
  for (u32 i = 0; i < kCpus; i++) own(i, 3);
  put(kSgi1r, 3ull << 24 | 0b1010);
  for (u32 i = 0; i < kCpus; i++) EXPECT_EQ(input[i], i == 1 || i == 3) << i;
  EXPECT_EQ(get(kIar, 3), 3u);
  put(kEoir, 3, 3);
  EXPECT_FALSE(input[3]);
  put(kSgi1r, 3ull << 24 | 1ull << 44 | 1 << 2);
  EXPECT_TRUE(input[18]) << "range selector";
  put(kSgi1r, 3ull << 24 | 1ull << 16 | 1 << 5);
  EXPECT_FALSE(input[5]) << "nobody has Aff1 1";
  put(kSgi1r, 3ull << 24 | 1ull << 40, 7);
  for (u32 i = 0; i < kCpus; i++) EXPECT_EQ(input[i], i != 7) << i;
}

TEST_F(Gic, PrivateInterruptsAreTheirVcpus) {
  own(0, 27);
  own(1, 27);
  gic_ppi(&gic, 1, 27, true);
  EXPECT_FALSE(input[0]);
  EXPECT_TRUE(input[1]);
  EXPECT_EQ(redist(1, 0x10000 + kSetPending), 1u << 27);
  EXPECT_EQ(redist(0, 0x10000 + kSetPending), 0u);
}

TEST_F(Gic, RouteMoves) {
  spi(40);
  gic_spi(&gic, 40, true);
  EXPECT_TRUE(input[0]);
  set_dist(kRouter + 8 * 40, 6, 8);
  EXPECT_FALSE(input[0]);
  EXPECT_TRUE(input[6]);
  EXPECT_EQ(dist(kRouter + 8 * 40, 8), 6u);
  EXPECT_EQ(gic_post(&gic, 40), 1u << 6);
  set_dist(kRouter + 8 * 40, 1ull << 32, 8);
  EXPECT_FALSE(input[6]) << "an affinity that nobody has";
}

TEST_F(Gic, SoftwarePending) {
  spi(40);
  set_dist(kSetPending + 4, 1u << 8);
  EXPECT_TRUE(input[0]);
  set_dist(kClearPending + 4, 1u << 8);
  EXPECT_FALSE(input[0]);
  gic_spi(&gic, 40, true);
  set_dist(kClearPending + 4, 1u << 8);
  EXPECT_TRUE(input[0]) << "the input is high";
}

TEST_F(Gic, Identification) {
  EXPECT_EQ(dist(0xffe8), 0x30u);
  EXPECT_EQ(redist(0, 0xffe8), 0x30u);
  EXPECT_EQ(dist(0) & 0x52u, 0x52u) << "ARE, DS, group 1";
  EXPECT_EQ(dist(4) & 0x1f, 31u);
  EXPECT_EQ(redist(0, 8, 8), 0u);
  EXPECT_EQ(redist(kCpus - 1, 8, 8), u64{kCpus - 1} << 32 | (kCpus - 1) << 8 | 0x10) << "the last";
  EXPECT_EQ(redist(2, 12), 2u) << "upper half alone";
  EXPECT_EQ(get(kSre), 7u);
  EXPECT_EQ(get(kCtlr) >> 8 & 7, 4u);
  u64 v;
  EXPECT_FALSE(gic_icc_read(&gic, 0, icc(12, 15, 7), &v));
  EXPECT_FALSE(gic_icc_write(&gic, kCpus, kPmr, 1));
}

TEST_F(Gic, Waker) {
  EXPECT_EQ(redist(0, 0x14), 6u);
  set_redist(0, 0x14, 0);
  EXPECT_EQ(redist(0, 0x14), 0u);
}

TEST_F(Gic, ConfigurationAndPriorityRegisters) {
  set_dist(kConfig + 8, 0xaaaaaaaa);
  EXPECT_EQ(dist(kConfig + 8), 0xaaaaaaaau);
  set_dist(kConfig + 8, 0x55555555);
  EXPECT_EQ(dist(kConfig + 8), 0u) << "the lower bits are reserved";
  set_redist(0, 0x10000 + kConfig, 0);
  EXPECT_EQ(redist(0, 0x10000 + kConfig), 0xaaaaaaaau) << "SGIs stay edges";
  set_dist(kPriority + 36, 0xffeeddcc);
  EXPECT_EQ(dist(kPriority + 36), 0xf8e8d8c8u);
  EXPECT_EQ(dist(kPriority + 37, 1), 0xd8u);
  set_dist(kPriority + 4, 0xffffffff);
  EXPECT_EQ(dist(kPriority + 4), 0u) << "private ones are the redistributor's";
}

TEST_F(Gic, OddAccessesAreHarmless) {
  for (u32 size : {1u, 2u, 4u, 8u}) {
    for (u32 at = 0; at < 0x10000; at += size == 1 ? 7 : size) {
      set_dist(at, dist(at, size) ^ 0x5a5a5a5a5a5a5a5a, size);
      set_redist(kCpus - 1, at, ~0ull, size);
      set_redist(kCpus - 1, 0x10000 + at, 0x5a5a5a5a5a5a5a5a, size);
      set_redist(0, 0x10000 + at, size);
    }
  }
  for (u32 i = 0; i < kCpus; i++) {
    for (int n = 0; n < 64; n++) put(kEoir, get(kIar, i), i);
  }
  EXPECT_FALSE(gic_covers(&gic, kDist - 1));
  EXPECT_TRUE(gic_covers(&gic, kDist + 0xffff));
  EXPECT_TRUE(gic_covers(&gic, kRedist + kCpus * 0x20000 - 1));
  EXPECT_FALSE(gic_covers(&gic, kRedist + kCpus * 0x20000));
}

TEST_F(Gic, BadNumbers) {
  gic_spi(&gic, 31, true);
  gic_spi(&gic, 1020, true);
  gic_ppi(&gic, kCpus, 27, true);
  gic_ppi(&gic, 0, 15, true);
  EXPECT_EQ(gic_post(&gic, 0), 0u);
  EXPECT_EQ(gic_post(&gic, 4000), 0u);
  put(kEoir, 5000);
  put(kDir, 5000);
  EXPECT_EQ(get(kIar), 1023u);
}

}  // namespace
