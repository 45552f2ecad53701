// SPDX-License-Identifier: MIT
// ACRN: INJECT_MSI, SET_IRQLINE, VM_INTR_MONITOR; the interrupt controllers as a guest and a VMM see them together.
#include <gtest/gtest.h>

#include <cstring>

#include "glue/acrn_irq_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

constexpr uint64_t kMsi = 0xfee00000;
constexpr uint64_t kLevel = 1 << 15;

TEST(AcrnInterrupt, Statement33_MessageReachesItsVcpu) {
  AcrnIrqVm vm;
  vm.boot_waiting();
  EXPECT_TRUE(vm.ready());
  EXPECT_EQ(vm.inject_msi(kMsi, 0x30), ok);
  EXPECT_EQ(vm.reported(), 0x30);
  EXPECT_TRUE(vm.quiet()) << "once";
  EXPECT_EQ(vm.inject_msi(0x1000, 0x30), fails(EPERM));
  EXPECT_EQ(vm.inject_msi(kMsi, 5), ok);
  EXPECT_EQ(vm.inject_msi(kMsi, 0x400), ok) << "NMI is dropped";
  EXPECT_EQ(vm.inject_msi(kMsi | 3 << 12, 0x31), ok) << "to nobody";
  EXPECT_TRUE(vm.quiet());
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_INJECT_MSI, nullptr), fails(EFAULT));
}

TEST(AcrnInterrupt, Statement33_BeforeStartAndWhilePaused) {
  AcrnIrqVm vm;
  EXPECT_EQ(vm.inject_msi(kMsi, 0x40), ok) << "the APIC is off: dropped";
  vm.boot_waiting();
  EXPECT_TRUE(vm.ready());
  EXPECT_TRUE(vm.quiet());
  EXPECT_EQ(vm.pause(), ok);
  EXPECT_EQ(vm.inject_msi(kMsi, 0x41), ok);
  EXPECT_EQ(vm.reset(), ok);
}

TEST(AcrnInterrupt, Statement33_ToTheSecondVcpu) {
  AcrnIrqVm vm("two", 3);
  // the second starts at 0x7000 in real mode and halts; the test sees that its APIC accepts nothing before it is enabled
  vm.load(X86Code().mov_al('s').out8(0x81).bytes({0xf4}), 0x7000);
  vm.boot_waiting(Flat32().store(0xfee00310, 1 << 24).store(0xfee00300, 0x4500).store(0xfee00310, 1 << 24).store(0xfee00300, 0x4607));
  EXPECT_TRUE(vm.ready());
  EXPECT_EQ(vm.request(1), pio(ACRN_IOREQ_DIR_WRITE, 0x81, 1, 's'));
  EXPECT_TRUE(vm.reply(0, 1));
  EXPECT_EQ(vm.inject_msi(kMsi | 1 << 12, 0x33), ok);
  EXPECT_TRUE(vm.quiet(1));
  EXPECT_EQ(vm.inject_msi(kMsi, 0x34), ok);
  EXPECT_EQ(vm.reported(0), 0x34);
}

TEST(AcrnInterrupt, Statement34_ArgumentIsAValue) {
  AcrnIrqVm vm;
  vm.boot_waiting(Flat32().ioapic(4, 0x54));
  EXPECT_TRUE(vm.ready());
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_SET_IRQLINE, 0x200000004ull), ok);
  EXPECT_EQ(vm.reported(), 0x54);
  EXPECT_EQ(vm.set_irqline(47, 0), ok);
  EXPECT_EQ(vm.set_irqline(48, 0), fails(EPERM));
  EXPECT_EQ(vm.set_irqline(4, 9), ok);
  EXPECT_TRUE(vm.quiet()) << "an unknown operation does nothing";
  EXPECT_EQ(vm.set_irqline(4, 0), ok);
  EXPECT_EQ(vm.reported(), 0x54);
  EXPECT_EQ(vm.set_irqline(4, 0), ok);
  EXPECT_TRUE(vm.quiet()) << "no edge";
  EXPECT_EQ(vm.set_irqline(4, 3), ok) << "low and high again";
  EXPECT_EQ(vm.reported(), 0x54);
}

TEST(AcrnInterrupt, Statement35_LevelComesAgainUntilItFalls) {
  AcrnIrqVm vm;
  vm.boot_waiting(Flat32().ioapic(20, kLevel | 0x64));
  EXPECT_TRUE(vm.ready());
  EXPECT_EQ(vm.set_irqline(20, 0), ok);
  EXPECT_EQ(vm.reported(), 0x64);
  ASSERT_TRUE(vm.request()) << "the guest ended it, the line is still high";
  EXPECT_EQ(vm.set_irqline(20, 1), ok) << "low before this one's end";
  EXPECT_EQ(vm.reported(), 0x64);
  EXPECT_TRUE(vm.quiet());
}

TEST(AcrnInterrupt, Statement34_LowGsisReachThe8259s) {
  AcrnIrqVm vm;
  Flat32 pic;
  for (int port : {0x20, 0xa0}) {
    const uint8_t base = port == 0x20 ? 0x70 : 0x78;
    pic.out8(static_cast<uint8_t>(port), 0x11).out8(static_cast<uint8_t>(port + 1), base);
    pic.out8(static_cast<uint8_t>(port + 1), port == 0x20 ? 4 : 2).out8(static_cast<uint8_t>(port + 1), 3).out8(static_cast<uint8_t>(port + 1), 0);
  }
  // automatic EOI: the handlers know of the local APIC only; the boot processor's LINT0 passes the pair on
  vm.boot_flat(pic.out8(AcrnIrqVm::kReadyPort, 0).sti_and_wait());
  EXPECT_TRUE(vm.ready());
  EXPECT_EQ(vm.set_irqline(4, 2), ok);
  EXPECT_EQ(vm.reported(), 0x74);
  EXPECT_EQ(vm.set_irqline(10, 2), ok);
  EXPECT_EQ(vm.reported(), 0x7a);
  EXPECT_EQ(vm.set_irqline(2, 2), ok) << "GSI 2 is the timer's input";
  EXPECT_EQ(vm.reported(), 0x70);
}

TEST(AcrnInterrupt, TimerWakesAHaltedVcpu) {
  AcrnIrqVm vm;
  vm.boot_waiting(Flat32().store(0xfee003e0, 0xb).store(0xfee00320, 0x20055).store(0xfee00380, 5000000));
  EXPECT_TRUE(vm.ready());
  EXPECT_EQ(vm.reported(), 0x55);
  EXPECT_EQ(vm.reported(), 0x55) << "periodic";
}

TEST(AcrnInterrupt, TimerInterruptsASpinningVcpu) {
  AcrnIrqVm vm;
  vm.boot_flat(Flat32().store(0xfee000f0, 0x1ff).store(0xfee00320, 0x55).store(0xfee00380, 100000).bytes({0xfb, 0xeb, 0xfe}));
  EXPECT_EQ(vm.reported(), 0x55);
}

TEST(AcrnInterrupt, PendingWhileHaltedWithInterruptsOffDoesNotSpin) {
  AcrnIrqVm vm;
  vm.boot_flat(Flat32().store(0xfee000f0, 0x1ff).bytes({0xfa, 0xf4, 0xeb, 0xfd}));
  EXPECT_EQ(vm.inject_msi(kMsi, 0x44), ok);
  EXPECT_TRUE(vm.quiet());
  EXPECT_EQ(vm.pause(), ok);
}

TEST(AcrnInterrupt, Statement37_MonitorPage) {
  struct Page {
    uint32_t command, count;
    uint64_t buffer[48];
  };
  Baseline before;
  {
    AcrnVm vm;
    Pages pages(8192);
    Page* page = reinterpret_cast<Page*>(pages.bytes());
    page->count = 48;
    EXPECT_EQ(vm.intr_monitor(page), ok);
    EXPECT_EQ(page->count, 0u) << "no device is passed through";
    page->count = 49;
    EXPECT_EQ(vm.intr_monitor(page), fails(EINVAL));
    page->count = 48, page->command = 1, page->buffer[0] = 5;
    EXPECT_EQ(vm.intr_monitor(pages.bytes() + 100), ok) << "the page counts, not the offset";
    page->command = 2;
    EXPECT_EQ(vm.intr_monitor(page), fails(EINVAL));
    EXPECT_EQ(vm.intr_monitor(nullptr), fails(EFAULT));
    Pages read_only(4096, PROT_READ);
    EXPECT_EQ(vm.intr_monitor(read_only.bytes()), fails(EFAULT));
  }
  EXPECT_TRUE(before.restored());
}

}  // namespace mv::glue
