// SPDX-License-Identifier: MIT
// The devices, register by register.
#include <gtest/gtest.h>

#include <string>

#include "vmm/devices/debug_exit.h"
#include "vmm/devices/pl011.h"
#include "vmm/devices/pl031.h"
#include "vmm/devices/timing.h"
#include "vmm/devices/power.h"
#include "vmm/devices/scratch.h"
#include "vmm/devices/uart16550.h"

namespace {

class Uart : public testing::Test {
 protected:
  std::string sent;
  mv::ConsolePort port{[this](uint8_t b) { sent.push_back(static_cast<char>(b)); }};
};

class Uart16550Test : public Uart {
 protected:
  using U = mv::Uart16550;
  U uart{port};
};

TEST_F(Uart16550Test, SendsAndReceives) {
  uart.write(U::RBR_THR, 1, 'a');
  EXPECT_EQ(sent, "a");
  EXPECT_EQ(uart.read(U::LSR, 1), unsigned{U::LSR_THR_EMPTY | U::LSR_IDLE});
  port.type('k');
  EXPECT_EQ(uart.read(U::LSR, 1), unsigned{U::LSR_THR_EMPTY | U::LSR_IDLE | U::LSR_DATA_READY});
  EXPECT_EQ(uart.read(U::RBR_THR, 1), unsigned{'k'});
  EXPECT_EQ(uart.read(U::RBR_THR, 1), 0u) << "empty";
}

TEST_F(Uart16550Test, DivisorLatch) {
  uart.write(U::LCR, 1, U::LCR_DLAB | 3);
  uart.write(U::RBR_THR, 1, 0x34);
  uart.write(U::IER, 1, 0x12);
  EXPECT_EQ(uart.read(U::RBR_THR, 1), 0x34u);
  EXPECT_EQ(uart.read(U::IER, 1), 0x12u);
  uart.write(U::LCR, 1, 3);
  EXPECT_EQ(uart.read(U::IER, 1), 0u) << "another register";
  EXPECT_EQ(sent, "");
}

TEST_F(Uart16550Test, FifoScratchModem) {
  EXPECT_EQ(uart.read(U::IIR_FCR, 1), unsigned{U::IIR_NONE});
  uart.write(U::IIR_FCR, 1, 7);
  EXPECT_EQ(uart.read(U::IIR_FCR, 1), unsigned{U::IIR_NONE | U::IIR_FIFO}) << "that is how a 16550A is told from a 16450";
  uart.write(U::SCR, 1, 0x5a);
  EXPECT_EQ(uart.read(U::SCR, 1), 0x5au);
  uart.write(U::IER, 1, 0xff);
  EXPECT_EQ(uart.read(U::IER, 1), 0x0fu);
  EXPECT_EQ(uart.read(U::MSR, 1), unsigned{U::MSR_CONNECTED});
  uart.write(U::MCR, 1, 0xff);
  EXPECT_EQ(uart.read(U::MCR, 1), 0x1fu);
}

TEST_F(Uart16550Test, LoopbackSendsNothing) {
  uart.write(U::MCR, 1, U::MCR_LOOP);
  uart.write(U::RBR_THR, 1, 'x');
  EXPECT_EQ(sent, "");
}

TEST_F(Uart16550Test, WideAccessIsConsecutiveBytes) {
  uart.write(U::LCR, 2, 0x0103);
  EXPECT_EQ(uart.read(U::LCR, 1), 3u);
  EXPECT_EQ(uart.read(U::MCR, 1), 1u);
  EXPECT_EQ(uart.read(U::LCR, 2), 0x0103u);
}

class Pl011Test : public Uart {
 protected:
  using P = mv::Pl011;
  P uart{port};
};

TEST_F(Pl011Test, SendsAndReceives) {
  uart.write(P::DR, 4, 'a');
  EXPECT_EQ(sent, "a");
  EXPECT_EQ(uart.read(P::FR, 4), unsigned{P::FR_TXFE | P::FR_RXFE});
  port.type('k');
  EXPECT_EQ(uart.read(P::FR, 4), unsigned{P::FR_TXFE});
  EXPECT_EQ(uart.read(P::RIS, 4), unsigned{P::INT_TX | P::INT_RX}) << "one byte was sent, one is there";
  EXPECT_EQ(uart.read(P::DR, 4), unsigned{'k'});
  EXPECT_EQ(uart.read(P::FR, 4) & P::FR_RXFE, unsigned{P::FR_RXFE});
}

TEST_F(Pl011Test, RegistersKeepTheirBits) {
  struct Row {
    P::Register r;
    uint32_t kept;
  };
  for (const Row& row : {Row{P::IBRD, 0xffff}, Row{P::FBRD, 0x3f}, Row{P::LCR_H, 0xff}, Row{P::CR, 0xffff}, Row{P::IFLS, 0x3f}, Row{P::IMSC, 0x7ff}, Row{P::DMACR, 7}}) {
    uart.write(row.r, 4, 0xffffffff);
    EXPECT_EQ(uart.read(row.r, 4), row.kept) << "register " << row.r;
  }
}

TEST_F(Pl011Test, MaskedInterrupts) {
  bool high = false;
  P uart(port, mv::IrqLine([&](bool level) { high = level; }));
  uart.write(P::DR, 4, 'a');
  EXPECT_EQ(uart.read(P::RIS, 4), unsigned{P::INT_TX});
  EXPECT_EQ(uart.read(P::MIS, 4), 0u);
  EXPECT_FALSE(high);
  uart.write(P::IMSC, 4, P::INT_TX | P::INT_RX);
  EXPECT_EQ(uart.read(P::MIS, 4), unsigned{P::INT_TX});
  EXPECT_TRUE(high);
  uart.write(P::ICR, 4, P::INT_TX);
  EXPECT_FALSE(high) << "the transition is acknowledged";
  port.type('k');
  EXPECT_TRUE(high);
  uart.write(P::ICR, 4, 0x7ff);
  EXPECT_TRUE(high) << "the byte is still there";
  uart.read(P::DR, 4);
  EXPECT_FALSE(high);
}

TEST(Pl031, ShowsTimeAndMatches) {
  using R = mv::Pl031;
  uint64_t now = 1000 * mv::kNsPerSecond;
  R rtc([&] { return now; });
  EXPECT_EQ(rtc.read(R::DR, 4), 1000u);
  rtc.write(R::LR, 4, 5000);
  EXPECT_EQ(rtc.read(R::DR, 4), 5000u);
  rtc.write(R::MR, 4, 5002);
  rtc.write(R::IMSC, 4, 1);
  now += mv::kNsPerSecond;
  EXPECT_EQ(rtc.read(R::MIS, 4), 0u);
  now += mv::kNsPerSecond;
  EXPECT_EQ(rtc.read(R::DR, 4), 5002u);
  EXPECT_EQ(rtc.read(R::MIS, 4), 1u);
  rtc.write(R::ICR, 4, 1);
  EXPECT_EQ(rtc.read(R::RIS, 4), 0u);
  const uint8_t expected[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
  for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(rtc.read(R::ID + 4 * i, 4), expected[i]) << i;
}

TEST_F(Pl011Test, Identification) {
  const uint8_t expected[] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
  for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(uart.read(P::ID + 4 * i, 4), expected[i]) << i;
  EXPECT_EQ(uart.read(0x500, 4), 0u) << "not there";
}

TEST(Pm1, OnlyS5WithEnableTurnsOff) {
  int offs = 0;
  mv::Pm1Block pm([&] { ++offs; });
  pm.write(mv::Pm1Block::PM1A_CNT, 2, 0x1400);
  EXPECT_EQ(offs, 0) << "type without SLP_EN";
  pm.write(mv::Pm1Block::PM1A_CNT, 2, 0x2c00);
  EXPECT_EQ(offs, 0) << "another type";
  pm.write(mv::Pm1Block::PM1A_EN, 2, 0x3400);
  EXPECT_EQ(offs, 0) << "another register";
  pm.write(mv::Pm1Block::PM1A_CNT, 2, 0x3400);
  EXPECT_EQ(offs, 1);
  EXPECT_EQ(pm.read(mv::Pm1Block::PM1A_CNT, 2), 0x1400u) << "SLP_EN reads as 0";
  EXPECT_EQ(pm.read(mv::Pm1Block::PM1A_EN, 2), 0x3400u);
  EXPECT_EQ(pm.read(mv::Pm1Block::PM1A_STS, 2), 0u);
}

TEST(ResetControl, Bit2Resets) {
  int resets = 0;
  mv::ResetControl r([&] { ++resets; });
  r.write(0, 1, 2);
  EXPECT_EQ(resets, 0);
  r.write(0, 1, 6);
  EXPECT_EQ(resets, 1);
  EXPECT_EQ(r.read(0, 1), 6u);
}

TEST(DebugExit, GivesTheValue) {
  uint64_t code = 0;
  mv::DebugExit d([&](uint64_t c) { code = c; });
  d.write(0, 4, 42);
  EXPECT_EQ(code, 42u);
  EXPECT_EQ(d.read(0, 4), 0u);
}

TEST(Scratch, KeepsBytes) {
  mv::Scratch s;
  s.write(4, 4, 0x11223344);
  EXPECT_EQ(s.read(4, 4), 0x11223344u);
  EXPECT_EQ(s.read(5, 2), 0x2233u);
  s.write(46, 4, 0xaabbccdd);
  EXPECT_EQ(s.read(46, 4), 0xccddu) << "no byte beyond the last";
}

TEST(Scratch, SumTellsOrderSizeAndValue) {
  const auto sum_of = [](auto... access) {
    mv::Scratch s;
    (access(s), ...);
    return s.read(mv::Scratch::SUM, 4);
  };
  const auto a = [](mv::Scratch& s) { s.write(0, 1, 1); };
  const auto b = [](mv::Scratch& s) { s.write(0, 1, 2); };
  const auto wide = [](mv::Scratch& s) { s.write(0, 2, 1); };
  const auto read = [](mv::Scratch& s) { s.read(0, 1); };
  EXPECT_NE(sum_of(a, b), sum_of(b, a));
  EXPECT_NE(sum_of(a), sum_of(wide));
  EXPECT_NE(sum_of(a), sum_of(a, a));
  EXPECT_NE(sum_of(a), sum_of(a, read));
  EXPECT_EQ(sum_of(a, b, read), sum_of(a, b, read));
}

TEST(Scratch, CountsAccessesButNotItsOwnRegisters) {
  mv::Scratch s;
  s.write(0, 1, 1);
  s.read(0, 1);
  s.read(mv::Scratch::SUM, 4);
  EXPECT_EQ(s.read(mv::Scratch::COUNT, 4), 2u);
}

}  // namespace
