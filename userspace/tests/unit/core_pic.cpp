// SPDX-License-Identifier: MIT
// The 8259 pair: initialisation, priorities, rotation, levels, polling.
#include "core_irqchip.h"

namespace {

class Pic : public mv::test::IrqchipTest {
 protected:
  void raise(u32 irq) { pic_line(&chip.pic, irq, true); }
  void lower(u32 irq) { pic_line(&chip.pic, irq, false); }
  void pulse(u32 irq) { raise(irq), lower(irq); }
  bool output() { return pic_output(&chip.pic); }
  u32 ack() { return pic_acknowledge(&chip.pic); }
};

TEST_F(Pic, SilentUntilInitialised) {
  pulse(4);
  EXPECT_FALSE(output());
  start_pic();
  EXPECT_FALSE(output()) << "ICW1 forgets edges";
  pulse(4);
  EXPECT_TRUE(output());
  EXPECT_EQ(ack(), 0x24u);
  EXPECT_FALSE(output());
}

TEST_F(Pic, PulseIsRememberedAndHeldLineGivesOneInterrupt) {
  start_pic();
  pulse(0);
  pulse(0);
  EXPECT_EQ(ack(), 0x20u);
  out(0x20, 0x20);
  EXPECT_FALSE(output()) << "two pulses before the acknowledge are one request";
  raise(0);
  raise(0);
  EXPECT_EQ(ack(), 0x20u);
  out(0x20, 0x20);
  EXPECT_FALSE(output()) << "no edge, no request";
}

TEST_F(Pic, PriorityOrderAndEoi) {
  start_pic();
  pulse(5), pulse(1), pulse(3);
  EXPECT_EQ(ack(), 0x21u);
  EXPECT_FALSE(output()) << "1 is in service";
  pulse(0);
  EXPECT_TRUE(output()) << "0 beats 1";
  EXPECT_EQ(ack(), 0x20u);
  out(0x20, 0x20);
  EXPECT_FALSE(output());
  out(0x20, 0x20);
  EXPECT_EQ(ack(), 0x23u);
  out(0x20, 0x63);  // specific
  EXPECT_EQ(ack(), 0x25u);
}

TEST_F(Pic, SecondChipGoesThroughInputTwo) {
  start_pic();
  pulse(12), pulse(8);
  EXPECT_EQ(ack(), 0x28u);
  EXPECT_FALSE(output());
  out(0xa0, 0x20);
  EXPECT_FALSE(output()) << "input 2 of the first chip is still in service";
  out(0x20, 0x20);
  EXPECT_EQ(ack(), 0x2cu);
}

TEST_F(Pic, MaskedInputsWait) {
  start_pic();
  out(0x21, 0xfb);
  out(0xa1, 0xff);
  pulse(1), pulse(9);
  EXPECT_FALSE(output());
  EXPECT_EQ(in(0x21), 0xfb);
  EXPECT_EQ(in(0xa1), 0xff);
  out(0xa1, 0xfd);
  EXPECT_EQ(ack(), 0x29u);
}

TEST_F(Pic, RequestTakenBackIsSpurious) {
  start_pic();
  out(0x4d0, 0x20);
  raise(5);
  EXPECT_TRUE(output());
  lower(5);
  EXPECT_FALSE(output());
  EXPECT_EQ(ack(), 0x27u);
  out(0x20, 0x0b);
  EXPECT_EQ(in(0x20), 0u) << "a spurious one is not in service";
}

TEST_F(Pic, LevelInputAsksAgainWhileHeld) {
  start_pic();
  out(0x4d1, 0x08);
  EXPECT_EQ(in(0x4d1), 0x08u);
  raise(11);
  EXPECT_EQ(ack(), 0x2bu);
  out(0xa0, 0x20), out(0x20, 0x20);
  EXPECT_EQ(ack(), 0x2bu);
  lower(11);
  out(0xa0, 0x20), out(0x20, 0x20);
  EXPECT_FALSE(output());
}

TEST_F(Pic, ControlPortKeepsFixedEdges) {
  out(0x4d0, 0xff), out(0x4d1, 0xff);
  EXPECT_EQ(in(0x4d0), 0xf8u);
  EXPECT_EQ(in(0x4d1), 0xdeu);
}

TEST_F(Pic, AutomaticEoiAndRotation) {
  start_pic(3);
  pulse(4);
  EXPECT_EQ(ack(), 0x24u);
  pulse(6);
  EXPECT_TRUE(output()) << "nothing is in service";
  EXPECT_EQ(ack(), 0x26u);
  out(0x20, 0x80);  // rotate on automatic EOI
  pulse(4), pulse(5);
  EXPECT_EQ(ack(), 0x24u);
  pulse(3);
  EXPECT_EQ(ack(), 0x25u) << "4 is the lowest now, 5 the highest";
}

TEST_F(Pic, SetPriorityAndRotateOnEoi) {
  start_pic();
  out(0x20, 0xc4);  // 4 lowest
  pulse(0), pulse(5);
  EXPECT_EQ(ack(), 0x25u);
  out(0x20, 0xa0);  // rotate on non-specific EOI: 5 lowest
  pulse(5), pulse(6);
  EXPECT_EQ(ack(), 0x26u);
}

TEST_F(Pic, SpecialMaskLetsLowerOnesThrough) {
  start_pic();
  pulse(3);
  EXPECT_EQ(ack(), 0x23u);
  pulse(6);
  EXPECT_FALSE(output());
  out(0x21, 0x08), out(0x20, 0x68);
  EXPECT_TRUE(output());
  EXPECT_EQ(ack(), 0x26u);
}

TEST_F(Pic, PollReadsAndServes) {
  start_pic();
  pulse(6);
  out(0x20, 0x0c);
  EXPECT_EQ(in(0x20), 0x86u);
  out(0x20, 0x0c);
  EXPECT_EQ(in(0x20), 0u);
  out(0x20, 0x0b);
  EXPECT_EQ(in(0x20), 0x40u) << "in service";
  out(0x20, 0x0a);
  EXPECT_EQ(in(0x20), 0u) << "requests";
}

TEST_F(Pic, WithoutIcw4ThreeWordsAreEnough) {
  out(0x20, 0x10), out(0x21, 0x43), out(0x21, 4);
  pulse(1);
  EXPECT_EQ(ack(), 0x41u) << "low three bits of ICW2 are the input";
}

TEST_F(Pic, OnlyItsPorts) {
  for (u32 p : {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1}) EXPECT_TRUE(pic_has_port(p)) << p;
  for (u32 p : {0x1f, 0x22, 0x9f, 0xa2, 0x4cf, 0x4d2}) EXPECT_FALSE(pic_has_port(p)) << p;
}

}  // namespace
