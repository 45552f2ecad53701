// SPDX-License-Identifier: MIT
// What AArch64 guests show: exclusives and atomics, TLB maintenance between vCPUs, changed code, translation, unaligned accesses,
// debug exceptions, devices that see a pool of memory only, a start in flash.
#include "conformance.h"
#include "support/a64_code.h"
#include "vmm/machine/firmware_image.h"

namespace mv::test {

class Arm64Guest : public Conformance {};

TEST_P(Arm64Guest, ExclusivesAndAtomicsLoseNothing) {
  Bench b(guest_config("exclusive", target(), 4));
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(Arm64Guest, AddressesSpacesAndRights) {
  Bench b(guest_config("translate", target()));
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(Arm64Guest, UnalignedAccesses) {
  Bench b(guest_config("unaligned", target()));
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(Arm64Guest, BreakpointsWatchpointsAndSteps) {
  Bench b(guest_config("debug", target()));
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(Arm64Guest, NobodySeesAPageAfterTlbiAndDsb) {
  Bench b(guest_config("shootdown", target(), 4));
  EXPECT_EQ(exit_code(b.run()), 0);
}

TEST_P(Arm64Guest, ChangedCodeWithAndWithoutIcIvau) {
  Bench b(guest_config("stale", target(), 2));
  EXPECT_EQ(exit_code(b.run()), 0);
}

// The tree's first word, what is in the second bank of flash, and memory that keeps what is written.
TEST_P(Arm64Guest, FirmwareStartsInFlash) {
  constexpr uint64_t kReport = 0x09020000;
  A64Code code;
  code.mov(9, kReport).ldr(2, 8, 0).str(2, 8, 9).str(3, 0, 9).mov(1, 0x0403fff8).ldr(3, 8, 1).str(3, 8, 9);
  code.mov(1, 0x43fffff8).str(3, 9, 1).ldr(3, 8, 1).str(3, 8, 9).psci(kPsciOff);
  const auto bytes = std::as_bytes(std::span(code.get()));
  MachineConfig config;
  config.backend = target().backend;
  config.arch = Arch::arm64;
  config.vm.mode = StartMode::arm64;
  config.vm.chosen.firmware = true;
  config.vm.rom_bytes = firmware_room(bytes.size());
  config.images = firmware_images_arm64({bytes.begin(), bytes.end()});
  Bench b(std::move(config));
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  std::vector<uint64_t> said;
  for (const Access& a : b.accesses()) said.push_back(a.data);
  EXPECT_THAT(said, testing::ElementsAre(0xedfe0dd0, 0x40000000, ~uint64_t{0}, kReport));
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
