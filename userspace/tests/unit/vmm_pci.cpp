// SPDX-License-Identifier: MIT
// PCI: configuration space, windows that move, interrupt pins, MSI-X.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/dispatch/dispatch.h"
#include "vmm/pci/host_bridge.h"
#include "vmm/pci/msix.h"
#include "vmm/pci/pci_bus.h"

namespace {

using mv::Access, mv::Bus, mv::Direction, mv::Msix, mv::PciBus, mv::PciFunction, mv::Space;

class Registers : public mv::Device {
 public:
  std::string_view name() const override { return "registers"; }
  uint64_t read(uint64_t offset, unsigned) override { return offset + 7; }
  void write(uint64_t offset, unsigned, uint64_t value) override { last = {offset, value}; }
  std::pair<uint64_t, uint64_t> last;
};

class Card : public PciFunction {
 public:
  Card() : PciFunction({.vendor = 0x1234, .device = 0x5678, .revision = 9, .class_code = 0x028000, .subsystem_vendor = 0x1111, .subsystem = 0x2222}) {
    add_bar(0, 0x1000, registers);
    add_bar(2, 0x100000, registers);
    use_intx_pin();
    first = add_capability(0x09, {6, 1, 2, 3});
    second = add_capability(0x05, {0});
  }
  using PciFunction::set_intx;
  Registers registers;
  unsigned first, second;
};

class PciTest : public testing::Test {
 protected:
  PciTest() {
    pci.plug(0, bridge);
    pci.plug(3, card);
    pci.plug(11, other);
  }
  static uint64_t at(unsigned device, unsigned reg) { return device << 15 | reg; }
  uint64_t read(Space space, uint64_t address, unsigned size) { return dispatch(bus, {space, Direction::read, size, address}).data; }
  void write(Space space, uint64_t address, unsigned size, uint64_t value) { dispatch(bus, {space, Direction::write, size, address, value}); }
  uint64_t config(unsigned reg, unsigned size) { return read(Space::config, at(3, reg), size); }
  void config(unsigned reg, unsigned size, uint64_t value) { write(Space::config, at(3, reg), size, value); }

  Bus bus;
  mv::HostBridge bridge;
  Card card, other;
  std::vector<std::pair<uint32_t, bool>> driven;
  PciBus pci{bus, [this](uint32_t gsi, bool high) { driven.emplace_back(gsi, high); }};
};

TEST_F(PciTest, IdentityByBothWays) {
  EXPECT_EQ(config(PciFunction::VENDOR, 4), 0x56781234u);
  EXPECT_EQ(read(Space::mmio, PciBus::kEcam + at(3, PciFunction::VENDOR), 4), 0x56781234u);
  EXPECT_EQ(config(PciFunction::DEVICE, 2), 0x5678u);
  EXPECT_EQ(config(PciFunction::REVISION, 4), 0x02800009u);
  EXPECT_EQ(config(PciFunction::SUBSYSTEM_VENDOR, 4), 0x22221111u);
  EXPECT_EQ(config(PciFunction::HEADER_TYPE, 1), 0u);
  config(PciFunction::VENDOR, 4, 0);
  EXPECT_EQ(config(PciFunction::VENDOR, 4), 0x56781234u) << "read-only";
}

TEST_F(PciTest, NobodyThere) {
  EXPECT_EQ(read(Space::config, at(4, 0), 4), 0xffffffffu);
  EXPECT_EQ(read(Space::config, at(3, 0) | 1 << 12, 4), 0xffffffffu) << "function 1";
  EXPECT_EQ(read(Space::config, at(3, 0) | 1 << 20, 4), 0xffffffffu) << "bus 1";
  EXPECT_EQ(read(Space::mmio, PciBus::kEcam + at(3, 0xffc), 8), ~uint64_t{0}) << "across two functions";
  EXPECT_EQ(read(Space::mmio, PciBus::kEcam + at(3, 0x100), 4), 0u) << "no extended capabilities";
}

TEST_F(PciTest, CapabilitiesAreAList) {
  EXPECT_TRUE(config(PciFunction::STATUS, 2) & PciFunction::STATUS_CAPABILITIES);
  EXPECT_EQ(config(PciFunction::CAPABILITIES, 1), card.first);
  EXPECT_EQ(config(card.first, 4), 0x0106u << 16 | card.second << 8 | 0x09);
  EXPECT_EQ(config(card.second + 1, 1), 0u);
}

TEST_F(PciTest, WindowsAreSized) {
  const uint64_t before = config(PciFunction::BAR0, 4);
  config(PciFunction::COMMAND, 2, 0);
  config(PciFunction::BAR0, 4, 0xffffffff);
  EXPECT_EQ(config(PciFunction::BAR0, 4), 0xfffff000u);
  config(PciFunction::BAR0 + 8, 4, 0xffffffff);
  EXPECT_EQ(config(PciFunction::BAR0 + 8, 4), 0xfff00000u);
  config(PciFunction::BAR0 + 4, 4, 0xffffffff);
  EXPECT_EQ(config(PciFunction::BAR0 + 4, 4), 0u) << "there is none";
  EXPECT_EQ(read(Space::mmio, before, 4), 0xffffffffu) << "not decoded";
}

TEST_F(PciTest, WindowsMove) {
  const uint64_t before = config(PciFunction::BAR0, 4);
  EXPECT_EQ(read(Space::mmio, before + 4, 4), 11u) << "placed and decoded from the start";
  config(PciFunction::BAR0, 4, 0x90000000);
  EXPECT_EQ(read(Space::mmio, before + 4, 4), 0xffffffffu);
  EXPECT_EQ(read(Space::mmio, 0x90000008, 4), 15u);
  write(Space::mmio, 0x90000010, 4, 5);
  EXPECT_EQ(card.registers.last, std::make_pair(uint64_t{0x10}, uint64_t{5}));
  config(PciFunction::COMMAND, 2, 0);
  EXPECT_EQ(read(Space::mmio, 0x90000008, 4), 0xffffffffu);
}

TEST_F(PciTest, AWindowUponAnotherWaitsUntilThatMoves) {
  const uint64_t theirs = read(Space::config, at(11, PciFunction::BAR0), 4);
  config(PciFunction::BAR0, 4, theirs);
  write(Space::mmio, theirs, 4, 1);
  EXPECT_EQ(other.registers.last.second, 1u) << "the first one keeps it";
  write(Space::config, at(11, PciFunction::BAR0), 4, 0x90000000);
  write(Space::mmio, theirs, 4, 2);
  EXPECT_EQ(card.registers.last.second, 2u);
  config(PciFunction::BAR0, 4, PciBus::kEcam);
  EXPECT_EQ(read(Space::mmio, PciBus::kEcam + at(3, 0), 2), 0x1234u) << "nor does ECAM give way";
}

TEST_F(PciTest, PinsAreShared) {
  EXPECT_EQ(config(PciFunction::INTERRUPT_PIN, 1), 1u);
  EXPECT_EQ(config(PciFunction::INTERRUPT_LINE, 1), 19u);
  card.set_intx(true);
  other.set_intx(true);  // device 11 has the pin of device 3
  card.set_intx(false);
  EXPECT_EQ(driven.size(), 1u);
  other.set_intx(false);
  using testing::ElementsAre, testing::Pair;
  EXPECT_THAT(driven, ElementsAre(Pair(19u, true), Pair(19u, false)));
}

TEST_F(PciTest, CommandKeepsThePinQuiet) {
  config(PciFunction::COMMAND, 2, PciFunction::COMMAND_INTX_OFF);
  card.set_intx(true);
  EXPECT_TRUE(driven.empty());
  EXPECT_TRUE(config(PciFunction::STATUS, 2) & PciFunction::STATUS_INTERRUPT);
  config(PciFunction::COMMAND, 2, 0);
  EXPECT_EQ(driven.size(), 1u);
}

TEST_F(PciTest, NumbersAreTakenOnce) {
  Card third;
  EXPECT_THROW(pci.plug(3, third), std::invalid_argument);
  EXPECT_THROW(pci.plug(32, third), std::invalid_argument);
}

class MsixTest : public testing::Test {
 protected:
  struct Route : mv::MessageRoute {
    explicit Route(std::function<void()> f) : f(std::move(f)) {}
    void send() override { f(); }
    std::function<void()> f;
  };
  void entry(unsigned vector, uint64_t address, uint32_t data, uint32_t control) {
    msix.write(16 * vector, 8, address);
    msix.write(16 * vector + 8, 4, data);
    msix.write(16 * vector + 12, 4, control);
  }
  std::vector<std::pair<uint64_t, uint32_t>> sent;
  unsigned routes = 0;
  Msix msix{3, [this](uint64_t address, uint32_t data) {
              ++routes;
              return std::make_unique<Route>([=, this] { sent.emplace_back(address, data); });
            }};
};

TEST_F(MsixTest, SendsWhatTheTableSays) {
  using testing::ElementsAre, testing::Pair;
  entry(1, 0xfee00000, 0x41, 0);
  msix.fire(1);
  EXPECT_TRUE(sent.empty()) << "off";
  msix.control(Msix::CONTROL_ENABLE);
  msix.fire(1);
  msix.fire(1);
  EXPECT_EQ(routes, 1u) << "kept while the entry stays";
  msix.write(16 + 8, 4, 0x42);
  msix.fire(1);
  msix.fire(3);
  msix.fire(0xffff);
  EXPECT_THAT(sent, ElementsAre(Pair(0xfee00000, 0x41), Pair(0xfee00000, 0x41), Pair(0xfee00000, 0x42)));
}

TEST_F(MsixTest, MaskedVectorsArePending) {
  entry(2, 0xfee01000, 0x50, Msix::kMasked);
  msix.control(Msix::CONTROL_ENABLE);
  msix.fire(2);
  msix.fire(2);
  EXPECT_EQ(msix.read(Msix::kPending, 8), 4u);
  msix.write(32 + 12, 4, 0);
  EXPECT_EQ(sent.size(), 1u) << "once";
  EXPECT_EQ(msix.read(Msix::kPending, 4), 0u);
  msix.control(Msix::CONTROL_ENABLE | Msix::CONTROL_MASK);
  msix.fire(2);
  EXPECT_EQ(sent.size(), 1u);
  msix.control(Msix::CONTROL_ENABLE);
  EXPECT_EQ(sent.size(), 2u);
}

TEST_F(MsixTest, OddAccesses) {
  entry(0, 0xfee00000, 1, 0);
  msix.write(0, 1, 0xff);
  msix.write(2, 4, 0xff);
  msix.write(48, 8, ~uint64_t{0});
  msix.write(0xffc, 4, 1);
  EXPECT_EQ(msix.read(0, 8), 0xfee00000u);
  EXPECT_EQ(msix.read(1, 4), 0u);
  EXPECT_EQ(msix.read(48, 8), 0u) << "beyond the table";
  EXPECT_EQ(msix.read(0xffc, 4), 0u);
}

}  // namespace
