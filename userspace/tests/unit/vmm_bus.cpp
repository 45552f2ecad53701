// SPDX-License-Identifier: MIT
// Bus and dispatch: who answers an address, and what a device gets to see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/dispatch/dispatch.h"

namespace {

using mv::Access, mv::Bus, mv::Direction, mv::Space;
using testing::Return, testing::StrictMock;

class MockDevice : public mv::Device {
 public:
  std::string_view name() const override { return "mock"; }
  MOCK_METHOD(uint64_t, read, (uint64_t, unsigned), (override));
  MOCK_METHOD(void, write, (uint64_t, unsigned, uint64_t), (override));
};

class BusTest : public testing::Test {
 protected:
  BusTest() { bus.claim(Space::mmio, 0x1000, 0x100, device); }
  Bus bus;
  StrictMock<MockDevice> device, other;
};

TEST_F(BusTest, FindsTheWholeAccessOrNobody) {
  EXPECT_EQ(bus.find(Space::mmio, 0x1000, 8).device, &device);
  EXPECT_EQ(bus.find(Space::mmio, 0x10fc, 4).offset, 0xfcu);
  EXPECT_EQ(bus.find(Space::mmio, 0x10fd, 4).device, nullptr) << "straddles the end";
  EXPECT_EQ(bus.find(Space::mmio, 0xfff, 2).device, nullptr) << "straddles the start";
  EXPECT_EQ(bus.find(Space::mmio, 0x1100, 1).device, nullptr);
  EXPECT_EQ(bus.find(Space::pio, 0x1000, 1).device, nullptr) << "another space";
  EXPECT_EQ(bus.find(Space::mmio, ~uint64_t{0}, 8).device, nullptr);
}

TEST_F(BusTest, RangesDoNotOverlap) {
  EXPECT_THROW(bus.claim(Space::mmio, 0x10ff, 1, other), std::invalid_argument);
  EXPECT_THROW(bus.claim(Space::mmio, 0xff0, 0x11, other), std::invalid_argument);
  EXPECT_THROW(bus.claim(Space::mmio, 0, 0x10000, other), std::invalid_argument);
  EXPECT_THROW(bus.claim(Space::mmio, 0x1010, 1, other), std::invalid_argument);
  EXPECT_NO_THROW(bus.claim(Space::mmio, 0x1100, 1, other));
  EXPECT_NO_THROW(bus.claim(Space::mmio, 0xff0, 0x10, other));
  EXPECT_NO_THROW(bus.claim(Space::pio, 0x1000, 0x100, other)) << "spaces are apart";
}

TEST_F(BusTest, EmptyAndWrappingRanges) {
  EXPECT_THROW(bus.claim(Space::mmio, 0x9000, 0, other), std::invalid_argument);
  EXPECT_THROW(bus.claim(Space::mmio, ~uint64_t{0}, 2, other), std::invalid_argument);
}

TEST_F(BusTest, DispatchMasksReadsAndWrites) {
  EXPECT_CALL(device, write(4, 2, 0x5678));
  EXPECT_EQ(dispatch(bus, {Space::mmio, Direction::write, 2, 0x1004, 0x12345678}), mv::Reply{});
  EXPECT_CALL(device, read(8, 1)).WillOnce(Return(0xabcd));
  EXPECT_EQ(dispatch(bus, {Space::mmio, Direction::read, 1, 0x1008}).data, 0xcdu);
  EXPECT_CALL(device, read(16, 8)).WillOnce(Return(~uint64_t{0}));
  EXPECT_EQ(dispatch(bus, {Space::mmio, Direction::read, 8, 0x1010}).data, ~uint64_t{0});
}

TEST_F(BusTest, NobodyThereReadsAsAllOnesAndFaults) {
  for (unsigned size : {1u, 2u, 4u, 8u}) {
    const mv::Reply r = dispatch(bus, {Space::pio, Direction::read, size, 0x60});
    EXPECT_TRUE(r.fault);
    EXPECT_EQ(r.data, mv::size_mask(size));
  }
  EXPECT_TRUE(dispatch(bus, {Space::mmio, Direction::write, 4, 0x5000, 1}).fault);
}

TEST(AccessNames, AreTheWalks) {
  EXPECT_EQ(mv::name(Space::pio), "pio");
  EXPECT_EQ(mv::name(Space::mmio), "mmio");
  EXPECT_EQ(mv::name(Space::config), "config");
  EXPECT_EQ(mv::name(Direction::read), "read");
  EXPECT_EQ(mv::name(Direction::write), "write");
}

}  // namespace
