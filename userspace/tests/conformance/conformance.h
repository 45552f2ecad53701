// SPDX-License-Identifier: MIT
// The conformance suite's fixture.  A case says what a guest does and what must come out; it runs unchanged on every
// target.  --backend=NAME chooses whose targets run (default inproc).
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/guests.h"

namespace mv::test {

class Conformance : public testing::TestWithParam<Target> {
 protected:
  const Target& target() const { return GetParam(); }
};

class MockDevice : public Device {
 public:
  std::string_view name() const override { return "mock"; }
  MOCK_METHOD(uint64_t, read, (uint64_t offset, unsigned size), (override));
  MOCK_METHOD(void, write, (uint64_t offset, unsigned size, uint64_t value), (override));
};

// Adds a strict mock at the guests' TEST_DEVICE.
inline testing::StrictMock<MockDevice>& add_mock(Bench& bench, const Target& target) {
  auto device = std::make_unique<testing::StrictMock<MockDevice>>();
  auto& reference = *device;
  bench.machine().add(Space::mmio, target.test_device(), 0x100, std::move(device));
  return reference;
}

inline std::vector<Target> all_targets() {
  return {{"inproc", "x86_64"}, {"inproc", "i386"}, {"inproc", "arm64"}, {"acrn", "x86_64"}, {"acrn", "i386"}, {"gunyah", "arm64"}};
}

#define MV_CONFORMANCE(suite)                                                                                    \
  INSTANTIATE_TEST_SUITE_P(On, suite, testing::ValuesIn(mv::test::all_targets()),                                \
                           [](const auto& info) { return info.param.backend + "_" + info.param.port; })

}  // namespace mv::test
