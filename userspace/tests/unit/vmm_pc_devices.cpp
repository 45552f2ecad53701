// SPDX-License-Identifier: MIT
// The PC's old devices: 8254, port 0x61, RTC, i8042, 16550 with interrupts.
#include <gtest/gtest.h>

#include <string>

#include "vmm/devices/delay_port.h"
#include "vmm/devices/i8042.h"
#include "vmm/devices/pit8254.h"
#include "vmm/devices/pm_timer.h"
#include "vmm/devices/rtc146818.h"
#include "vmm/devices/uart16550.h"

namespace {

using P = mv::Pit8254;

class Pit : public testing::Test {
 protected:
  uint64_t now = 1000000;
  uint64_t alarm = mv::kNever;
  int edges = 0;
  bool level = false;
  P pit{{[this] { return now; }, [this](uint64_t at) { alarm = at; }}, mv::IrqLine([this](bool high) {
          level = high;
          edges += high;
        })};

  void program(unsigned channel, unsigned mode, uint16_t count) {
    pit.write(P::CONTROL, 1, channel << 6 | P::LOW_HIGH << 4 | mode << 1);
    pit.write(channel, 1, count & 0xff);
    pit.write(channel, 1, count >> 8);
  }
  uint16_t count(unsigned channel) {
    const uint64_t low = pit.read(channel, 1);
    return static_cast<uint16_t>(low | pit.read(channel, 1) << 8);
  }
  void pass(uint64_t ticks) { now += mv::ns_of(ticks, P::kHz); }
  // As the loop does: the alarm rings when its time has come.
  void run_until(uint64_t ns) {
    while (alarm <= ns) {
      now = alarm;
      pit.expire();
    }
    now = ns;
  }
};

TEST_F(Pit, CountsDown) {
  program(2, 0, 1000);
  EXPECT_EQ(count(2), 1000);
  pass(400);
  EXPECT_EQ(count(2), 600);
  EXPECT_FALSE(pit.output2());
  pass(600);
  EXPECT_TRUE(pit.output2());
  pass(1);
  EXPECT_EQ(count(2), 0xffff) << "goes on below zero";
}

TEST_F(Pit, LatchHoldsUntilItIsRead) {
  program(0, 2, 1000);
  pass(300);
  pit.write(P::CONTROL, 1, 0);
  pass(100);
  pit.write(P::CONTROL, 1, 0);
  EXPECT_EQ(count(0), 700) << "the first latch stays";
  EXPECT_EQ(count(0), 600);
}

TEST_F(Pit, ReadBack) {
  program(0, 2, 1000);
  program(2, 3, 500);
  pass(100);
  pit.write(P::CONTROL, 1, P::READ_BACK | 2 | 8);
  EXPECT_EQ(pit.read(0, 1), unsigned{P::STATUS_OUTPUT | P::LOW_HIGH << 4 | 2 << 1}) << "status comes first";
  EXPECT_EQ(count(0), 900);
  EXPECT_EQ(pit.read(2, 1), unsigned{P::STATUS_OUTPUT | P::LOW_HIGH << 4 | 3 << 1});
  EXPECT_EQ(count(2), 300) << "mode 3 counts by two";
  pit.write(P::CONTROL, 1, 2 << 6 | P::LOW << 4);
  pit.write(P::CONTROL, 1, P::READ_BACK | P::READ_BACK_NO_COUNT | 8);
  EXPECT_EQ(pit.read(2, 1), unsigned{P::STATUS_NULL_COUNT | P::LOW << 4});
}

TEST_F(Pit, HalvesAndBcd) {
  pit.write(P::CONTROL, 1, 2 << 6 | P::LOW << 4);
  pit.write(P::COUNTER2, 1, 200);
  pass(50);
  EXPECT_EQ(pit.read(P::COUNTER2, 1), 150u);
  pit.write(P::CONTROL, 1, 2 << 6 | P::HIGH << 4);
  pit.write(P::COUNTER2, 1, 2);
  pass(0x100);
  EXPECT_EQ(pit.read(P::COUNTER2, 1), 1u);
  pit.write(P::CONTROL, 1, 2 << 6 | P::LOW_HIGH << 4 | 1);
  pit.write(P::COUNTER2, 1, 0x00);
  pit.write(P::COUNTER2, 1, 0x10);
  pass(1);
  EXPECT_EQ(count(2), 0x0999);
}

TEST_F(Pit, PeriodicInterrupts) {
  program(0, 2, 11932);  // 100 Hz
  run_until(now + mv::kNsPerSecond);
  EXPECT_GE(edges, 99);
  EXPECT_LE(edges, 101);
  const int before = edges;
  now += mv::kNsPerSecond;
  pit.expire();
  EXPECT_EQ(edges, before + 1) << "what was missed is not made up for";
  EXPECT_GT(alarm, now);
}

TEST_F(Pit, OneShots) {
  for (unsigned mode : {0u, 4u}) {
    edges = 0;
    program(0, mode, 1000);
    if (mode == 0) {
      EXPECT_FALSE(level);
    }
    run_until(now + 10 * mv::kNsPerSecond / 1000);
    EXPECT_EQ(edges, 1) << "mode " << mode;
    EXPECT_EQ(alarm, mv::kNever);
  }
  program(0, 0, 1000);
  pit.write(P::CONTROL, 1, P::LOW_HIGH << 4);
  EXPECT_EQ(alarm, mv::kNever) << "a control word stops it until the count comes";
}

TEST_F(Pit, GreedyPeriodsAreThinned) {
  program(0, 2, 2);
  run_until(now + mv::kNsPerSecond / 100);
  EXPECT_LE(edges, 202);
}

TEST_F(Pit, GateOfChannel2) {
  mv::Port61 port(pit);
  program(2, 0, 1000);
  pass(500);
  EXPECT_EQ(count(2), 1000) << "the gate is low";
  port.write(0, 1, 1);
  pass(400);
  EXPECT_EQ(count(2), 600);
  port.write(0, 1, 0);
  pass(400);
  EXPECT_EQ(count(2), 600);
  port.write(0, 1, 1);
  pass(599);
  EXPECT_EQ(port.read(0, 1) & 0x20, 0u);
  pass(2);
  EXPECT_EQ(port.read(0, 1) & 0x21, 0x21u);
  const uint64_t refresh = port.read(0, 1) & 0x10;
  now += mv::Port61::kRefreshNs;
  EXPECT_NE(port.read(0, 1) & 0x10, refresh);
}

TEST_F(Pit, TriggeredModesBeginAgain) {
  mv::Port61 port(pit);
  program(2, 1, 100);
  port.write(0, 1, 1);
  EXPECT_FALSE(pit.output2());
  pass(101);
  EXPECT_TRUE(pit.output2());
  port.write(0, 1, 0);
  port.write(0, 1, 1);
  EXPECT_FALSE(pit.output2()) << "one pulse a trigger";
}

class Rtc : public testing::Test {
 protected:
  using R = mv::Rtc146818;
  uint64_t ns = 1700000000 * mv::kNsPerSecond;  // Tuesday 2023-11-14 22:13:20 UTC
  R rtc{[this] { return ns; }, {.below_4g = 512 << 20, .above_4g = 0, .vcpus = 4}};
  uint64_t get(unsigned i) {
    rtc.write(0, 1, i | 0x80);
    return rtc.read(1, 1);
  }
  void put(unsigned i, unsigned v) {
    rtc.write(0, 1, i);
    rtc.write(1, 1, v);
  }
};

TEST_F(Rtc, TellsTheTimeInBothNotations) {
  EXPECT_EQ(get(R::SECONDS), 0x20u);
  EXPECT_EQ(get(R::MINUTES), 0x13u);
  EXPECT_EQ(get(R::HOURS), 0x22u);
  EXPECT_EQ(get(R::WEEKDAY), 3u);
  EXPECT_EQ(get(R::DAY), 0x14u);
  EXPECT_EQ(get(R::MONTH), 0x11u);
  EXPECT_EQ(get(R::YEAR), 0x23u);
  EXPECT_EQ(get(R::CENTURY), 0x20u);
  put(R::B, R::B_BINARY);
  EXPECT_EQ(get(R::HOURS), 0x8au) << "10 in the evening";
  EXPECT_EQ(get(R::YEAR), 23u);
  EXPECT_EQ(get(R::D), unsigned{R::D_VALID});
}

TEST_F(Rtc, IsSet) {
  put(R::B, R::B_SET | R::B_24_HOURS);
  put(R::YEAR, 0x30);
  put(R::MONTH, 0x01);
  put(R::DAY, 0x31);
  put(R::HOURS, 0x23);
  put(R::MINUTES, 0x59);
  put(R::SECONDS, 0x59);
  put(R::B, R::B_24_HOURS);
  EXPECT_EQ(get(R::SECONDS), 0x59u);
  ns += mv::kNsPerSecond;
  EXPECT_EQ(get(R::SECONDS), 0u);
  EXPECT_EQ(get(R::MONTH), 2u);
  EXPECT_EQ(get(R::YEAR), 0x30u);
}

TEST_F(Rtc, AnnouncesItsUpdates) {
  EXPECT_EQ(get(R::A) & R::A_UPDATING, 0u);
  ns += mv::kNsPerSecond - 1000;
  EXPECT_EQ(get(R::A) & R::A_UPDATING, unsigned{R::A_UPDATING});
  EXPECT_EQ(get(R::C), 0u);
  ns += 1000;
  EXPECT_EQ(get(R::C), unsigned{R::C_UPDATED});
  EXPECT_EQ(get(R::C), 0u) << "reading takes it";
}

TEST_F(Rtc, KnowsTheMemory) {
  EXPECT_EQ(get(R::BASE_MEMORY) | get(R::BASE_MEMORY + 1) << 8, 640u);
  EXPECT_EQ(get(R::EXTENDED_MEMORY) | get(R::EXTENDED_MEMORY + 1) << 8, 0xffffu);
  EXPECT_EQ(get(R::ABOVE_16M) | get(R::ABOVE_16M + 1) << 8, (512u - 16) * 16);
  EXPECT_EQ(get(R::MORE_CPUS), 3u);
  put(R::SHUTDOWN, 0x0a);
  EXPECT_EQ(get(R::SHUTDOWN), 0x0au);
}

TEST(I8042, ResetsProbesAndHasNoKeyboard) {
  using K = mv::I8042;
  int resets = 0;
  bool irq = false;
  K k([&] { ++resets; }, mv::IrqLine([&](bool high) { irq = high; }));
  EXPECT_EQ(k.command().read(0, 1) & K::OUTPUT_FULL, 0u);
  k.command().write(0, 1, K::SELF_TEST);
  EXPECT_EQ(k.command().read(0, 1) & K::OUTPUT_FULL, 1u);
  EXPECT_EQ(k.data().read(0, 1), unsigned{K::kSelfTestPassed});
  EXPECT_EQ(k.command().read(0, 1) & K::OUTPUT_FULL, 0u);
  k.command().write(0, 1, K::WRITE_CONTROL);
  k.data().write(0, 1, K::CONTROL_INTERRUPT);
  EXPECT_FALSE(irq);
  k.data().write(0, 1, 0xff);
  EXPECT_TRUE(irq);
  EXPECT_EQ(k.data().read(0, 1), unsigned{K::kResend});
  EXPECT_FALSE(irq);
  EXPECT_EQ(resets, 0);
  k.command().write(0, 1, K::PULSE_RESET);
  EXPECT_EQ(resets, 1);
  k.command().write(0, 1, K::WRITE_OUTPUT);
  k.data().write(0, 1, K::OUTPUT_A20);
  EXPECT_EQ(resets, 2);
}

TEST(PmTimer, Counts24Bits) {
  uint64_t now = 0;
  mv::PmTimer t([&] { return now; });
  now = mv::kNsPerSecond;
  EXPECT_EQ(t.read(0, 4), mv::PmTimer::kHz);
  now = 5 * mv::kNsPerSecond;
  EXPECT_EQ(t.read(0, 4), 5 * mv::PmTimer::kHz & 0xffffff);
}

class UartInterrupts : public testing::Test {
 protected:
  using U = mv::Uart16550;
  std::string sent;
  bool irq = false;
  mv::ConsolePort port{[this](uint8_t b) { sent.push_back(static_cast<char>(b)); }};
  U uart{port, mv::IrqLine([this](bool high) { irq = high; })};
  uint64_t iir() { return uart.read(U::IIR_FCR, 1); }
  void on(unsigned enable) {
    uart.write(U::MCR, 1, U::MCR_OUT2);
    uart.write(U::IIR_FCR, 1, U::FCR_ENABLE | 0x40);  // trigger level 4
    uart.write(U::IER, 1, enable);
  }
};

TEST_F(UartInterrupts, ReceivedAndTimeout) {
  on(U::IER_RECEIVED);
  EXPECT_FALSE(irq);
  port.type('a');
  EXPECT_TRUE(irq);
  EXPECT_EQ(iir(), unsigned{U::IIR_FIFO | U::IIR_TIMEOUT});
  for (char c : {'b', 'c', 'd'}) port.type(static_cast<uint8_t>(c));
  EXPECT_EQ(iir(), unsigned{U::IIR_FIFO | U::IIR_RECEIVED});
  for (char c : {'a', 'b', 'c', 'd'}) {
    EXPECT_TRUE(irq);
    EXPECT_EQ(uart.read(U::RBR_THR, 1), static_cast<unsigned>(c));
  }
  EXPECT_FALSE(irq);
}

TEST_F(UartInterrupts, TransmitterEmpty) {
  on(U::IER_THR_EMPTY);
  EXPECT_TRUE(irq) << "at once when it is enabled";
  EXPECT_EQ(iir(), unsigned{U::IIR_FIFO | U::IIR_THR_EMPTY});
  EXPECT_FALSE(irq) << "reading IIR takes it";
  EXPECT_EQ(iir(), unsigned{U::IIR_FIFO | U::IIR_NONE});
  uart.write(U::RBR_THR, 1, 'x');
  EXPECT_TRUE(irq);
  uart.write(U::IER, 1, 0);
  EXPECT_FALSE(irq);
  uart.write(U::IER, 1, U::IER_THR_EMPTY);
  EXPECT_TRUE(irq);
}

TEST_F(UartInterrupts, Out2Connects) {
  on(U::IER_RECEIVED);
  port.type('a');
  uart.write(U::MCR, 1, 0);
  EXPECT_FALSE(irq);
  uart.write(U::MCR, 1, U::MCR_OUT2);
  EXPECT_TRUE(irq);
}

TEST_F(UartInterrupts, LoopbackAsDriversProbeIt) {
  uart.write(U::MCR, 1, U::MCR_LOOP | U::MCR_RTS | U::MCR_OUT2);
  EXPECT_EQ(uart.read(U::MSR, 1) & 0xf0, unsigned{U::MSR_DCD | U::MSR_CTS});
  uart.write(U::RBR_THR, 1, 'x');
  EXPECT_EQ(sent, "");
  EXPECT_EQ(uart.read(U::LSR, 1) & U::LSR_DATA_READY, 1u);
  EXPECT_EQ(uart.read(U::RBR_THR, 1), unsigned{'x'});
  uart.write(U::MCR, 1, 0);
  EXPECT_NE(uart.read(U::MSR, 1) & 0x0f, 0u) << "lines changed";
  EXPECT_EQ(uart.read(U::MSR, 1), unsigned{U::MSR_CONNECTED});
}

}  // namespace
