// SPDX-License-Identifier: MIT
// Gunyah's statements about the core, with guests of a few instructions that start with the MMU off.
#include "conformance/statements.h"
#include "support/a64_code.h"

namespace mv::test {

using testing::ElementsAre;

constexpr uint64_t kEntry = 0x80000000, kVectors = kEntry + 0x800, kSecond = kEntry + 0x2000, kThird = kEntry + 0x3000;
constexpr uint64_t kDevice = 0x09030000, kReport = kDevice + 0x80, kNobody = 0x09040000;

static Image code_at(uint64_t gpa, const A64Code& code) { return image(gpa, std::as_bytes(std::span(code.get()))); }

static MachineConfig bare(const Target& target, const A64Code& code, unsigned vcpus = 1) {
  MachineConfig c;
  c.backend = target.backend;
  c.arch = Arch::arm64;
  c.vm.memory_bytes = 4 << 20;
  c.vm.vcpus = vcpus;
  c.vm.entry = kEntry;
  c.vm.mode = StartMode::arm64;
  c.images.push_back(code_at(kEntry, code));
  // data abort from the same level with SPx: reports syndrome and address, ends
  c.images.push_back(code_at(kVectors + 0x200, A64Code().mov(10, kReport).mrs_esr(11).str(3, 11, 10).mrs_far(11).str(3, 11, 10).psci(kPsciOff)));
  return c;
}

// Device reads give `reply`; the values written to kReport are kept by the bench.
static void add_probe(Bench& b, uint64_t reply = 0) {
  b.machine().add(Space::mmio, kDevice, 0x100, std::make_unique<Probe>([](uint64_t, uint64_t) {}, [reply](uint64_t) { return reply; }));
}

static A64Code with_vectors() { return A64Code().mov(9, kVectors).msr_vbar(9).isb().mov(1, kDevice).mov(2, kReport); }

static A64Code& append(A64Code& code, const A64Code& more) {
  for (uint32_t w : more.get()) code.word(w);
  return code;
}

class GunyahCore : public testing::TestWithParam<Target> {};

TEST_P(GunyahCore, Statement11_BootVcpuIsGivenTheTree) {
  A64Code code;
  code.mov(9, kReport).ldr(2, 8, 0).str(2, 8, 9).str(3, 1, 9).str(3, 2, 9).str(3, 3, 9).psci(kPsciOff);
  Bench b(bare(GetParam(), code));
  add_probe(b);
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_THAT(written(b, Space::mmio, kReport), ElementsAre(0xedfe0dd0, 0, 0, 0)) << "a device tree's first word at X0; X1 to X3";
}

TEST_P(GunyahCore, Statement15_StoresOfEverySize) {
  A64Code code;
  code.mov(1, kDevice).mov(0, 0x8182838485868788);
  for (unsigned size = 0; size < 4; ++size) code.str(size, 0, 1, 8);
  Bench b(bare(GetParam(), code.psci(kPsciOff)));
  add_probe(b);
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  const auto store = [](unsigned size, uint64_t value) { return Access{Space::mmio, Direction::write, size, kDevice + 8, value, 0}; };
  EXPECT_THAT(b.accesses(), ElementsAre(store(1, 0x88), store(2, 0x8788), store(4, 0x85868788), store(8, 0x8182838485868788)));
}

TEST_P(GunyahCore, Statement16_LoadsExtendTheLowBytes) {
  A64Code code;
  code.mov(1, kDevice).mov(2, kReport);
  for (unsigned size = 0; size < 4; ++size) code.ldr(size, 0, 1).str(3, 0, 2);
  for (unsigned size = 0; size < 3; ++size) code.ldrs_x(size, 0, 1).str(3, 0, 2);
  for (unsigned size = 0; size < 2; ++size) code.ldrs_w(size, 0, 1).str(3, 0, 2);
  Bench b(bare(GetParam(), code.psci(kPsciOff)));
  add_probe(b, 0xdeadbeef80818283);
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_THAT(written(b, Space::mmio, kReport), ElementsAre(0x83, 0x8283, 0x80818283, 0xdeadbeef80818283, 0xffffffffffffff83, 0xffffffffffff8283,
                                                            0xffffffff80818283, 0xffffff83, 0xffff8283));
}

constexpr uint64_t kExternalAbort = 0x96000010;  // data abort from EL1, 32-bit instruction, no valid syndrome

TEST_P(GunyahCore, Statement19_FaultIsAnExternalAbort) {
  A64Code code = with_vectors();
  code.mov(1, kNobody).ldr(2, 0, 1).psci(kPsciReset);
  Bench b(bare(GetParam(), code));
  add_probe(b);
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_THAT(written(b, Space::mmio, kReport), ElementsAre(kExternalAbort, kNobody));
}

TEST_P(GunyahCore, Statement20_FormsThatAbortWithoutAnExit) {
  const A64Code forms[] = {A64Code().ldp(0, 3, 1), A64Code().ldr_post(0, 1), A64Code().ldxr(0, 1)};
  for (const A64Code& form : forms) {
    A64Code code = with_vectors();
    append(code, form).psci(kPsciReset);
    Bench b(bare(GetParam(), code));
    add_probe(b);
    EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
    EXPECT_THAT(written(b, Space::mmio, kReport), ElementsAre(kExternalAbort, kDevice));
    EXPECT_EQ(b.accesses().size(), 2u) << "no exit for the access itself";
  }
}

TEST_P(GunyahCore, Statement28_OffAndOnAgain) {
  // the second vCPU reports its context and goes; the first starts it until that works, twice, and once more to end
  const A64Code second = A64Code().mov(9, kReport).str(3, 0, 9).psci(kPsciCpuOff);
  A64Code code;
  for (const auto& [entry, context] : {std::pair{kSecond, 0x77}, std::pair{kSecond, 0x78}, std::pair{kThird, 0}}) {
    const A64Code start = A64Code().psci(kPsciCpuOn, 1, entry, static_cast<uint64_t>(context));
    append(code, start).cbnz(0, -static_cast<int>(start.get().size()));
  }
  MachineConfig c = bare(GetParam(), code.spin(), 2);
  c.images.push_back(code_at(kSecond, second));
  c.images.push_back(code_at(kThird, A64Code().psci(kPsciOff)));
  Bench b(std::move(c));
  add_probe(b);
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_THAT(b.accesses(), ElementsAre(Access{Space::mmio, Direction::write, 8, kReport, 0x77, 1}, Access{Space::mmio, Direction::write, 8, kReport, 0x78, 1}));
}

TEST_P(GunyahCore, Statement29_OffAndResetAreTold) {
  for (const auto& [call, kind] : {std::pair{kPsciOff, OutcomeKind::powered_off}, std::pair{kPsciReset, OutcomeKind::reset}, std::pair{kPsciReset2, OutcomeKind::reset}}) {
    Bench b(bare(GetParam(), A64Code().psci(call)));
    EXPECT_EQ(b.run().kind, kind) << call;
    EXPECT_THAT(b.accesses(), ElementsAre());
  }
}

INSTANTIATE_TEST_SUITE_P(On, GunyahCore, testing::Values(Target{"inproc", "arm64"}, Target{"gunyah", "arm64"}),
                         [](const auto& info) { return info.param.backend + "_" + info.param.port; });

}  // namespace mv::test
