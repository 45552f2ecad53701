// SPDX-License-Identifier: MIT
// Statements about interrupts: eventfds that are lines, routes, halts.
#include <unistd.h>

#include <cstring>

#include "tests/plugin/statements/under_host.h"

namespace mv::test {
namespace {

// Vectors of the 8259 as it is after power-on: input n is interrupt n.  The handler counts at 3000h.
void install_handler(Vm& vm, unsigned vector, bool finishes) {
  vm.code(vector * 4, {0x00, 0x20, 0x00, 0x00});
  if (finishes) vm.code(0x2000, {0xfe, 0x06, 0x00, 0x30, 0xb0, 0x20, 0xe6, 0x20, 0xcf});  // inc byte [3000h]; mov al, 20h; out 20h, al; iret
  else vm.code(0x2000, {0xfe, 0x06, 0x00, 0x30, 0xcf});
}

PLUGIN_TEST(Statement25_AnEventfdIsALevelUntilTheGuestHasFinished, 1) {
  // out dx, al with IF clear (dx = 500h); sti; nop; cli; mov al, [3000h]; out dx, al
  Vm vm({0xba, 0x00, 0x05, 0xee, 0xfb, 0x90, 0xfa, 0xa0, 0x00, 0x30, 0xee, 0xee, 0xfb, 0x90, 0xfa, 0xa0, 0x00, 0x30, 0xee, END});
  install_handler(vm, 4, true);
  vm.reserve(0x500, 1);
  crosvm_irq* irq = nullptr;
  ASSERT_EQ(crosvm_create_irq_event(vm.get(), 4, &irq), 0);
  const uint64_t one = 1;
  int step = 0;
  vm.run([&](crosvm_vcpu_event& e) {
    const int seen = e.io_access.data[0];
    switch (step++) {
      case 0:
      case 2:
        ASSERT_EQ(write(crosvm_irq_event_get_fd(irq), &one, sizeof(one)), 8);
        usleep(50000);  // the host takes it from the eventfd
        EXPECT_EQ(vm.memory[0x3000], step / 2) << "interrupts are off";
        break;
      case 1:
        EXPECT_EQ(seen, 1);
        EXPECT_EQ(count_of(crosvm_irq_event_get_resample_fd(irq)), 1u);
        break;
      case 3:
        EXPECT_EQ(seen, 2);
        EXPECT_EQ(count_of(crosvm_irq_event_get_resample_fd(irq)), 1u);
        EXPECT_EQ(crosvm_destroy_irq_event(vm.get(), &irq), 0);
        break;
    }
  });
  EXPECT_EQ(step, 4);
}

PLUGIN_TEST(Statement25_SetIrqDrivesTheLine, 1) {
  // out dx, al; sti; nop; cli
  Vm vm({0xba, 0x00, 0x05, 0xee, 0xfb, 0x90, 0xfa, END});
  install_handler(vm, 0, false);
  vm.reserve(0x500, 1);
  vm.run([&](crosvm_vcpu_event&) {
    EXPECT_EQ(crosvm_set_irq(vm.get(), 0, true), 0);
    EXPECT_EQ(crosvm_set_irq(vm.get(), 100000, true), 0) << "leads nowhere";
  });
  EXPECT_EQ(vm.memory[0x3000], 1);
}

PLUGIN_TEST(Statement25_AnInterruptIsTakenOneInstructionAfterSti, 1) {
  // out dx, al with IF clear; sti; inc byte [3001h]; inc byte [3001h]; cli
  Vm vm({0xba, 0x00, 0x05, 0xee, 0xfb, 0xfe, 0x06, 0x01, 0x30, 0xfe, 0x06, 0x01, 0x30, 0xfa, END});
  vm.code(0, {0x00, 0x20, 0x00, 0x00});
  vm.code(0x2000, {0xa0, 0x01, 0x30, 0xa2, 0x02, 0x30, 0xcf});  // mov al, [3001h]; mov [3002h], al; iret
  vm.memory[0x3002] = 0xee;
  vm.reserve(0x500, 1);
  vm.run([&](auto&) { EXPECT_EQ(crosvm_set_irq(vm.get(), 0, true), 0); });
  EXPECT_EQ(vm.memory[0x3001], 2);
  EXPECT_EQ(vm.memory[0x3002], 1);
}

PLUGIN_TEST(Statement25_ADestroyedEventfdInjectsNothing, 1) {
  // out dx, al with IF clear; sti; nop; nop; cli
  Vm vm({0xba, 0x00, 0x05, 0xee, 0xfb, 0x90, 0x90, 0xfa, END});
  install_handler(vm, 4, true);
  vm.reserve(0x500, 1);
  crosvm_irq* irq = nullptr;
  ASSERT_EQ(crosvm_create_irq_event(vm.get(), 4, &irq), 0);
  const int kept = dup(crosvm_irq_event_get_fd(irq));
  vm.run([&](auto&) {
    const uint64_t one = 1;
    ASSERT_EQ(crosvm_destroy_irq_event(vm.get(), &irq), 0);
    ASSERT_EQ(write(kept, &one, sizeof(one)), 8);
    usleep(50000);
  });
  EXPECT_EQ(vm.memory[0x3000], 0);
}

// A level input asks again and again while its line is high, and no more once it is low.
PLUGIN_TEST(Statement25_ALevelIsHonoured, 1) {
  // out dx, al; sti; nop; cli; out dx, al; sti; nop; cli
  Vm vm({0xba, 0x00, 0x05, 0xee, 0xfb, 0x90, 0xfa, 0xee, 0xfb, 0x90, 0xfa, END});
  vm.code(5 * 4, {0x00, 0x20, 0x00, 0x00});
  // inc byte [3000h]; out 40h+10h, al; mov al, 20h; out 20h, al; iret
  vm.code(0x2000, {0xfe, 0x06, 0x00, 0x30, 0xe6, 0x50, 0xb0, 0x20, 0xe6, 0x20, 0xcf});
  vm.reserve(0x500, 1);
  vm.reserve(0x50, 1);
  kvm_pic_state pic;
  ASSERT_EQ(crosvm_get_pic_state(vm.get(), true, &pic), 0);
  pic.elcr = 1 << 5;
  ASSERT_EQ(crosvm_set_pic_state(vm.get(), true, &pic), 0);
  int handled = 0, stops = 0;
  vm.run([&](crosvm_vcpu_event& e) {
    if (e.io_access.address == 0x50) {
      EXPECT_EQ(++handled < 3 ? 0 : crosvm_set_irq(vm.get(), 5, false), 0);
      return;
    }
    EXPECT_EQ(crosvm_set_irq(vm.get(), 5, true), 0);
    EXPECT_EQ(stops++ ? crosvm_set_irq(vm.get(), 5, false) : 0, 0) << "gone before it is taken";
  });
  EXPECT_EQ(stops, 2);
  EXPECT_EQ(handled, 3);
  EXPECT_EQ(vm.memory[0x3000], 3);
}

PLUGIN_TEST(Statement26_RoutesReplaceTheDefault, 1) {
  Vm vm({0xba, 0x00, 0x05, 0xee, 0xfb, 0x90, 0xfa, END});
  install_handler(vm, 0, false);
  vm.reserve(0x500, 1);
  crosvm_irq_route route = {};
  route.irq_id = 1;
  route.irqchip.irqchip = 2;
  route.irqchip.pin = 24;
  EXPECT_EQ(crosvm_set_irq_routing(vm.get(), 1, &route), -EINVAL);
  std::vector<crosvm_irq_route> many(300, crosvm_irq_route{});
  for (uint32_t i = 0; i < many.size(); ++i) {
    many[i].irq_id = i;
    many[i].irqchip.irqchip = 2;
    many[i].irqchip.pin = i % 24;
  }
  EXPECT_EQ(crosvm_set_irq_routing(vm.get(), 300, many.data()), 0);
  many[1].irq_id = 0;
  EXPECT_EQ(crosvm_set_irq_routing(vm.get(), 2, many.data()), -EINVAL) << "twice to one controller";
  EXPECT_EQ(crosvm_set_irq_routing(vm.get(), 0, nullptr), 0);
  vm.run([&](crosvm_vcpu_event&) { EXPECT_EQ(crosvm_set_irq(vm.get(), 0, true), 0); });
  EXPECT_EQ(vm.memory[0x3000], 0) << "no route, no interrupt";
}

PLUGIN_TEST(Statement26_AMessageIsDeliveredWithItsVector, 1) {
  // out dx, al; sti; nop; cli
  Vm vm({0xba, 0x00, 0x05, 0xee, 0xfb, 0x90, 0xfa, END});
  install_handler(vm, 0x41, false);
  vm.reserve(0x500, 1);
  crosvm_irq_route route = {};
  route.irq_id = 30;
  route.kind = CROSVM_IRQ_ROUTE_MSI;
  route.msi.address = 0xfee00000;
  route.msi.data = 0x41;
  ASSERT_EQ(crosvm_set_irq_routing(vm.get(), 1, &route), 0);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init(0, [&](auto&, auto&) {
    kvm_lapic_state apic;
    ASSERT_EQ(crosvm_vcpu_get_lapic_state(vm.vcpu(), &apic), 0);
    apic.regs[0xf1] = 1;  // enabled by software
    ASSERT_EQ(crosvm_vcpu_set_lapic_state(vm.vcpu(), &apic), 0);
  });
  vm.serve_until_end([&](auto&) {
    EXPECT_EQ(crosvm_set_irq(vm.get(), 30, true), 0);
    EXPECT_EQ(crosvm_set_irq(vm.get(), 30, false), 0);
  });
  EXPECT_EQ(vm.memory[0x3000], 1);
}

PLUGIN_TEST(Statement27_AHaltEndsWithTheTimer, 1) {
  // channel 0, once: mov al, 30h; out 43h, al; mov al, ffh; out 40h, al; out 40h, al; sti; hlt; cli
  Vm vm({0xb0, 0x30, 0xe6, 0x43, 0xb0, 0xff, 0xe6, 0x40, 0xe6, 0x40, 0xfb, 0xf4, 0xfa, END});
  install_handler(vm, 0, false);
  vm.run([](crosvm_vcpu_event& e) { ADD_FAILURE() << "event " << e.kind; });
  EXPECT_EQ(vm.memory[0x3000], 1);
}

PLUGIN_TEST(Statement27_AHaltWaitsForAnInterrupt, 1) {
  Vm vm({0xfb, 0xf4, 0xfa, END});  // sti; hlt; cli
  install_handler(vm, 0, false);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init();
  usleep(100000);
  EXPECT_EQ(vm.memory[0x3000], 0);
  EXPECT_EQ(crosvm_set_irq(vm.get(), 0, true), 0);
  vm.serve_until_end();
  EXPECT_EQ(vm.memory[0x3000], 1);
}

}  // namespace
}  // namespace mv::test
