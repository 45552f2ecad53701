// SPDX-License-Identifier: MIT
// What AArch64 guests show: TLB maintenance between vCPUs, changed code, devices that see a pool of memory only.
#include "conformance.h"

namespace mv::test {

class Arm64Guest : public Conformance {};

TEST_P(Arm64Guest, NobodySeesAPageAfterTlbiAndDsb) {
  Bench b(guest_config("shootdown", target(), 4));
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(Arm64Guest, ChangedCodeWithAndWithoutIcIvau) {
  Bench b(guest_config("stale", target(), 2));
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(Arm64Guest, DevicesSeeThePoolOnly) {
  MachineConfig config = guest_config("pool", target());
  config.rng = true;
  config.vm.chosen.pool_size = 1 << 20;
  Bench b(std::move(config));
  EXPECT_EQ(exit_code(b.run()), 0);
}

INSTANTIATE_TEST_SUITE_P(On, Arm64Guest, testing::Values(Target{"inproc", "arm64"}, Target{"gunyah", "arm64"}),
                         [](const auto& info) { return info.param.backend + "_" + info.param.port; });

}  // namespace mv::test
