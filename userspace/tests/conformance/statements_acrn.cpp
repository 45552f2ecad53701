// SPDX-License-Identifier: MIT
// ACRN's statements about the core, with guests of a few instructions in flat 32-bit mode.
#include "conformance/statements.h"
#include "support/x86_code.h"

namespace mv::test {

using testing::ElementsAre;

constexpr uint64_t kCode = 0x10000, kGdt = 0x800, kGdtr = 0x7f0, kIdtr = 0x7f8, kIdt = 0x2000, kHandlers = 0x4000;
constexpr uint16_t kReport = 0x90, kReady = 0x91, kPowerOff = 0x404;
constexpr uint64_t kMessages = 0xfee00000;
constexpr uint64_t kLevel = 1 << 15;

// The guest's tables: descriptors 8 (code) and 0x10 (data); each vector has a handler that reports it, ends it and returns.
static std::vector<Image> tables() {
  const uint64_t gdt[] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff};
  const uint64_t gdtr = uint64_t{kGdt} << 16 | (sizeof gdt - 1), idtr = uint64_t{kIdt} << 16 | 0x7ff;
  std::vector<Image> out{image(kGdt, std::as_bytes(std::span(gdt))), image(kGdtr, std::as_bytes(std::span(&gdtr, 1))),
                         image(kIdtr, std::as_bytes(std::span(&idtr, 1)))};
  uint64_t gates[256];
  for (unsigned v = 0; v < 256; ++v) {
    const uint32_t at = kHandlers + 32 * v;
    gates[v] = uint64_t{at & 0xffff0000} << 32 | 0x8e00ull << 32 | 8u << 16 | (at & 0xffff);
    const Flat32 handler = Flat32().out8(kReport, static_cast<uint8_t>(v)).end_of_interrupt().iret();
    out.push_back(image(at, std::as_bytes(std::span(handler.code().get()))));
  }
  out.push_back(image(kIdt, std::as_bytes(std::span(gates))));
  return out;
}

static MachineConfig flat(const Target& target, const Flat32& code, unsigned vcpus = 1) {
  MachineConfig c;
  c.backend = target.backend;
  c.vm.memory_bytes = 4 << 20;
  c.vm.vcpus = vcpus;
  c.vm.entry = kCode;
  c.vm.mode = StartMode::protected32;
  c.images = tables();
  c.images.push_back(image(kCode, std::as_bytes(std::span(code.code().get()))));
  return c;
}

// Own descriptors and vectors, the local APIC on, a stack.
static Flat32 prepared() {
  Flat32 c;
  c.bytes({0x0f, 0x01, 0x15, kGdtr & 0xff, kGdtr >> 8, 0, 0});  // LGDT
  c.bytes({0xea}).bytes({(kCode + 14) & 0xff, (kCode + 14) >> 8 & 0xff, kCode >> 16, 0, 8, 0});
  c.lidt(kIdtr).bytes({0xbc, 0, 0x80, 0, 0});  // ESP
  return c.store(0xfee000f0, 0x1ff);
}

static Flat32& power_off(Flat32& c) { return c.bytes({0x66, 0xb8, 0, 0x34, 0x66, 0xba, kPowerOff & 0xff, kPowerOff >> 8, 0x66, 0xef}).wait(); }

class AcrnCore : public testing::TestWithParam<Target> {};

TEST_P(AcrnCore, Statement23_OneByteOutIsOneRequest) {
  Flat32 code;
  Bench b(flat(GetParam(), power_off(code.out8(kReport, 'A'))));
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_THAT(b.accesses(), ElementsAre(Access{Space::pio, Direction::write, 1, kReport, 'A', 0}, Access{Space::pio, Direction::write, 2, kPowerOff, 0x3400, 0}));
}

TEST_P(AcrnCore, Statement24_ByteInKeepsTheUpperBits) {
  Flat32 code;
  Bench b(flat(GetParam(), power_off(code.mov_eax(0x11223344).bytes({0xe4, kReady}).out_eax(kReport))));
  b.machine().add(Space::pio, kReady, 1, std::make_unique<Probe>([](uint64_t, uint64_t) {}, [](uint64_t) { return 0xdeadbeef; }));
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_THAT(written(b, Space::pio, kReport), ElementsAre(0x112233ef));
}

TEST_P(AcrnCore, Statement27_ConfigAddressStaysInTheHypervisor) {
  Flat32 code;
  code.mov_eax(0x00010a14).out_eax(0xcf8).in_eax(0xcfc).out_eax(kReport);
  code.mov_eax(0x80010a14).out_eax(0xcf8).in_eax(0xcf8).out_eax(kReport);
  code.bytes({0x66, 0xba, 0xfe, 0x0c, 0x66, 0xed});  // IN AX, DX at 0xCFE
  Bench b(flat(GetParam(), power_off(code)));
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_THAT(written(b, Space::pio, kReport), ElementsAre(0xffffffff, 0x80010a14)) << "not enabled: all ones, without a request";
  const auto all = b.accesses();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[2], (Access{Space::config, Direction::read, 2, 1 << 20 | 1 << 15 | 2 << 12 | 0x16, 0, 0}));
}

TEST_P(AcrnCore, Statement28_ResetControlIsARequest) {
  Flat32 code;
  code.bytes({0x66, 0xba, 0xf9, 0x0c, 0xb0, 2, 0xee, 0x66, 0xba, 0xfb, 0x0c, 0xee});
  Bench b(flat(GetParam(), power_off(code)));
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_THAT(written(b, Space::pio, 0xcf9), ElementsAre(2));
  EXPECT_THAT(written(b, Space::pio, 0xcfb), ElementsAre(2));
}

// The device at kReady runs `ready` when the guest waits; the one at kReport gets each vector.  Ends after `count` of them.
static std::vector<uint64_t> vectors(Bench& b, size_t count, const std::function<void()>& ready, const std::function<void(uint64_t)>& each = [](uint64_t) {}) {
  std::vector<uint64_t> seen;
  b.machine().add(Space::pio, kReady, 1, std::make_unique<Probe>([&](uint64_t, uint64_t) { ready(); }));
  b.machine().add(Space::pio, kReport, 1, std::make_unique<Probe>([&](uint64_t, uint64_t vector) {
    seen.push_back(vector);
    each(vector);
    if (seen.size() == count) b.machine().stop();
  }));
  EXPECT_EQ(b.run().kind, OutcomeKind::stopped);
  return seen;
}

TEST_P(AcrnCore, Statement33_MessageIsAVector) {
  Bench b(flat(GetParam(), prepared().out8(kReady, 0).sti_and_wait()));
  const auto seen = vectors(b, 2, [&] {
    b.machine().backend().msi(kMessages, 5);                // not a vector
    b.machine().backend().msi(kMessages | 3 << 12, 0x40);  // to nobody
    b.machine().backend().msi(kMessages, 0x41);
    b.machine().backend().msi(kMessages, 0x31);
  });
  EXPECT_THAT(seen, ElementsAre(0x41, 0x31)) << "the higher one first";
}

TEST_P(AcrnCore, Statement34_EdgesOfALine) {
  Bench b(flat(GetParam(), prepared().ioapic(20, 0x54).out8(kReady, 0).sti_and_wait()));
  Backend& backend = b.machine().backend();
  unsigned times = 0;
  const auto seen = vectors(
      b, 4, [&] { backend.irq_line(20, true); },
      [&](uint64_t vector) {
        if (vector == 0x54) {
          backend.irq_line(20, true);  // it is high: no edge
          if (++times == 1) backend.msi(kMessages, 0x31);
        } else {
          backend.irq_line(20, false);
          backend.irq_line(20, true);
          backend.msi(kMessages, 0x31);
        }
      });
  EXPECT_THAT(seen, ElementsAre(0x54, 0x31, 0x54, 0x31));
}

TEST_P(AcrnCore, Statement35_LevelComesAgainUntilItFalls) {
  Bench b(flat(GetParam(), prepared().ioapic(20, kLevel | 0x64).out8(kReady, 0).sti_and_wait()));
  Backend& backend = b.machine().backend();
  unsigned times = 0;
  const auto seen = vectors(
      b, 3, [&] { backend.irq_line(20, true); },
      [&](uint64_t vector) {
        if (vector != 0x64 || ++times < 2) return;
        backend.irq_line(20, false);
        backend.msi(kMessages, 0x31);  // lower: a third 0x64 would come before it
      });
  EXPECT_THAT(seen, ElementsAre(0x64, 0x64, 0x31));
}

TEST_P(AcrnCore, Statement38_TripleFaultIsOneWriteOfS5) {
  const uint64_t nothing = 0;
  MachineConfig c = flat(GetParam(), Flat32().lidt(0x3000).bytes({0xcc}));
  c.images.push_back(image(0x3000, std::as_bytes(std::span(&nothing, 1))));
  Bench b(std::move(c));
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_THAT(b.accesses(), ElementsAre(Access{Space::pio, Direction::write, 2, kPowerOff, 0x3400, 0}));
}

TEST_P(AcrnCore, Statement39_MemoryOutlivesAReset) {
  Flat32 code;
  code.load_eax(0x9000).out_eax(kReport).bytes({0x40, 0xa3, 0, 0x90, 0, 0});  // INC EAX, store it
  code.bytes({0x3c, 3, 0x74, 8}).bytes({0xb0, 6, 0x66, 0xba, 0xf9, 0x0c, 0xee, 0xf4});
  MachineConfig c = flat(GetParam(), power_off(code));
  c.on_reset = OnReset::restart;
  Bench b(std::move(c));
  EXPECT_EQ(b.run().kind, OutcomeKind::powered_off);
  EXPECT_THAT(written(b, Space::pio, kReport), ElementsAre(0, 1, 2));
}

TEST_P(AcrnCore, Statement41_SecondVcpuWaitsForItsStart) {
  const X86Code second = X86Code().mov_al('s').bytes({0xe6, kReport, 0xf4});
  Flat32 code = prepared();
  code.out8(kReady, 1).store(0xfee00310, 1 << 24).store(0xfee00300, 0x4500).store(0xfee00310, 1 << 24).store(0xfee00300, 0x4607).wait();
  MachineConfig c = flat(GetParam(), code, 2);
  c.images.push_back(image(0x7000, std::as_bytes(std::span(second.get()))));
  Bench b(std::move(c));
  b.machine().add(Space::pio, kReport, 1, std::make_unique<Probe>([&](uint64_t, uint64_t) { b.machine().stop(); }));
  EXPECT_EQ(b.run().kind, OutcomeKind::stopped);
  EXPECT_THAT(b.accesses(), ElementsAre(Access{Space::pio, Direction::write, 1, kReady, 1, 0}, Access{Space::pio, Direction::write, 1, kReport, 's', 1}));
}

INSTANTIATE_TEST_SUITE_P(On, AcrnCore, testing::Values(Target{"inproc", "i386"}, Target{"acrn", "i386"}),
                         [](const auto& info) { return info.param.backend + "_" + info.param.port; });

}  // namespace mv::test
