// SPDX-License-Identifier: MIT
// ACRN: IOEVENTFD and IRQFD.
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "glue/acrn_irq_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

class EventFd {
 public:
  explicit EventFd(unsigned initial = 0) : fd_(::eventfd(initial, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  int get() const { return fd_.get(); }
  void close() { fd_.reset(); }
  void add(uint64_t n = 1) { EXPECT_EQ(::write(get(), &n, sizeof n), 8); }
  // The counter, which becomes 0.
  uint64_t take() {
    uint64_t n = 0;
    return ::read(get(), &n, sizeof n) == 8 ? n : 0;
  }

 private:
  Fd fd_;
};

constexpr uint32_t kPio = ACRN_IOEVENTFD_FLAG_PIO, kMatch = ACRN_IOEVENTFD_FLAG_DATAMATCH, kRemove = ACRN_IOEVENTFD_FLAG_DEASSIGN;

static acrn_ioeventfd range(const EventFd& e, uint64_t address, uint32_t length, uint32_t flags = kPio, uint64_t data = 0) {
  acrn_ioeventfd a{};
  a.fd = static_cast<uint32_t>(e.get());
  a.flags = flags;
  a.addr = address;
  a.len = length;
  a.data = data;
  return a;
}

TEST(AcrnIoeventfd, Statement29_BadArguments) {
  AcrnVm vm;
  EventFd e;
  EXPECT_EQ(vm.ioeventfd(range(e, 0x500, 3)), fails(EINVAL));
  EXPECT_EQ(vm.ioeventfd(range(e, 0x500, 0)), fails(EINVAL));
  EXPECT_EQ(vm.ioeventfd(range(e, ~0ull, 2, 0)), fails(EINVAL));
  acrn_ioeventfd a = range(e, 0x500, 2);
  a.reserved = 1;
  EXPECT_EQ(vm.ioeventfd(a), fails(EINVAL));
  a.reserved = 0;
  a.fd = static_cast<uint32_t>(-1);
  EXPECT_EQ(vm.ioeventfd(a), fails(EBADF));
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  a.fd = static_cast<uint32_t>(pipe[0]);
  EXPECT_EQ(vm.ioeventfd(a), fails(EINVAL));
  ::close(pipe[0]), ::close(pipe[1]);
  EXPECT_EQ(vm.ioeventfd(range(e, 0x500, 2, kPio | 0x08)), ok) << "unknown flags are ignored";
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_IOEVENTFD, nullptr), fails(EFAULT));
}

TEST(AcrnIoeventfd, Statement29_Twins) {
  AcrnVm vm;
  EventFd e, other;
  ASSERT_EQ(vm.ioeventfd(range(e, 0x500, 2, kPio | kMatch, 1)), ok);
  EXPECT_EQ(vm.ioeventfd(range(e, 0x500, 2, kPio | kMatch, 1)), fails(EEXIST));
  EXPECT_EQ(vm.ioeventfd(range(e, 0x500, 4, kPio | kMatch, 1)), fails(EEXIST)) << "the length is not compared";
  EXPECT_EQ(vm.ioeventfd(range(e, 0x500, 2, kPio)), fails(EEXIST)) << "a wildcard meets every value";
  EXPECT_EQ(vm.ioeventfd(range(e, 0x500, 2, kPio | kMatch, 2)), ok);
  EXPECT_EQ(vm.ioeventfd(range(e, 0x500, 2, 0)), ok) << "memory is another space";
  EXPECT_EQ(vm.ioeventfd(range(other, 0x500, 2, kPio | kMatch, 1)), ok);
}

TEST(AcrnIoeventfd, Statement30_HitCountsAndWakesNobody) {
  AcrnVm vm;
  EventFd e;
  ASSERT_EQ(vm.ioeventfd(range(e, 0x500, 2, kPio | kMatch, 7)), ok);
  vm.boot(X86Code().mov_ax(7).out16(0x500).mov_ax(8).out16(0x500).in16(0x500).out16(0x80).mov_eax(7).out32(0x500).spin());
  EXPECT_EQ(vm.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x80, 2, 0)) << "a read gives 0; the other value was swallowed";
  EXPECT_EQ(e.take(), 1u);
  EXPECT_TRUE(vm.reply());
  EXPECT_EQ(vm.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x500, 4, 7)) << "wider than the range";
  EXPECT_EQ(e.take(), 0u);
}

TEST(AcrnIoeventfd, Statement30_NarrowAccessMatchesAWiderRange) {
  AcrnVm vm;
  EventFd e;
  ASSERT_EQ(vm.ioeventfd(range(e, 0x500, 4, kPio)), ok);
  vm.boot(X86Code().mov_al(1).out8(0x500).out8(0x501).out8(0x80).spin());
  EXPECT_EQ(vm.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x80, 1, 1));
  EXPECT_EQ(e.take(), 1u) << "the address has to be the range's own";
}

TEST(AcrnIoeventfd, Statement30_FirstRegisteredWins) {
  AcrnVm vm;
  EventFd a, b;
  ASSERT_EQ(vm.ioeventfd(range(a, 0x500, 2, kPio | kMatch, 1)), ok);
  ASSERT_EQ(vm.ioeventfd(range(b, 0x500, 2, kPio)), ok);
  vm.boot(X86Code().mov_ax(1).out16(0x500).mov_ax(2).out16(0x500).out8(0x80).spin());
  EXPECT_TRUE(vm.request());
  EXPECT_EQ(a.take(), 1u);
  EXPECT_EQ(b.take(), 1u);
}

TEST(AcrnIoeventfd, Statement30_SlotSaysWhoHandledIt) {
  AcrnVm vm;
  EventFd e;
  ASSERT_EQ(vm.ioeventfd(range(e, 0x500, 2)), ok);
  vm.boot(X86Code().mov_ax(7).out16(0x500).bytes({0xf4}));
  EXPECT_TRUE(eventually([&] { return e.take() == 1; }));
  EXPECT_TRUE(vm.slot_becomes(ACRN_IOREQ_STATE_FREE));
  EXPECT_EQ(vm.slot().kernel_handled, 1u);
}

// The vCPU's thread never waits for anybody here; on a kernel with one CPU and no preemption it has to give way by itself.
TEST(AcrnIoeventfd, HammeringGuestLeavesTheProcessor) {
  AcrnVm vm;
  EventFd e;
  ASSERT_EQ(vm.ioeventfd(range(e, 0x500, 2)), ok);
  vm.boot(X86Code().out16(0x500).jump_to_start());
  EXPECT_TRUE(eventually([&] { return e.take() > 0; }));
  EXPECT_EQ(vm.pause(), ok);
}

TEST(AcrnIoeventfd, WorksWithoutAnyClient) {
  AcrnVm vm;
  EventFd e;
  ASSERT_EQ(vm.ioeventfd(range(e, 0x500, 2)), ok);
  vm.load(X86Code().mov_ax(7).out16(0x500).out16(0x500).bytes({0xf4}));
  ASSERT_EQ(vm.set_regs(real_mode(AcrnVm::kCode)), ok);
  ASSERT_EQ(vm.start(), ok);
  uint64_t sum = 0;
  EXPECT_TRUE(eventually([&] { return (sum += e.take()) == 2; }));
}

TEST(AcrnIoeventfd, Statement31_Removal) {
  AcrnVm vm;
  EventFd e, stranger;
  ASSERT_EQ(vm.ioeventfd(range(e, 0x500, 2)), ok);
  EXPECT_EQ(vm.ioeventfd(range(stranger, 0x500, 2, kPio | kRemove)), ok);
  EXPECT_EQ(vm.ioeventfd(range(e, 0x999, 7, kRemove)), ok) << "the descriptor alone counts";
  vm.boot(X86Code().mov_ax(7).out16(0x500).spin());
  EXPECT_EQ(vm.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x500, 2, 7));
  acrn_ioeventfd a = range(e, 0x500, 2, kRemove);
  a.fd = 9999;
  EXPECT_EQ(vm.ioeventfd(a), fails(EBADF));
}

TEST(AcrnIoeventfd, NothingStaysWithTheVm) {
  Baseline before;
  EventFd e;
  {
    AcrnVm vm;
    ASSERT_EQ(vm.ioeventfd(range(e, 0x500, 2)), ok);
    ASSERT_EQ(vm.ioeventfd(range(e, 0x600, 2)), ok);
    ASSERT_EQ(vm.irqfd(e.get(), 0x30), ok);
  }
  EXPECT_TRUE(before.restored());
}

TEST(AcrnIrqfd, Statement32_EveryWriteInjects) {
  AcrnIrqVm vm;
  EventFd e(5);
  vm.boot_waiting();
  EXPECT_TRUE(vm.ready());
  ASSERT_EQ(vm.irqfd(e.get(), 0x30), ok);
  EXPECT_EQ(vm.reported(), 0x30) << "a counter above 0 injects at once";
  EXPECT_TRUE(vm.quiet());
  e.add();
  EXPECT_EQ(vm.reported(), 0x30);
  e.add();
  EXPECT_EQ(vm.reported(), 0x30);
  EXPECT_EQ(e.take(), 7u) << "nobody consumes it";
  e.add(3);
  EXPECT_EQ(vm.reported(), 0x30);
  EXPECT_EQ(vm.irqfd(e.get(), 0x31), fails(EBUSY));
  EXPECT_EQ(vm.irqfd(e.get(), 0, ACRN_IRQFD_FLAG_DEASSIGN), ok);
  EXPECT_EQ(e.take(), 0u) << "the removal zeroes it";
  e.add();
  EXPECT_TRUE(vm.quiet());
  EXPECT_EQ(vm.irqfd(e.get(), 0, ACRN_IRQFD_FLAG_DEASSIGN), ok) << "a stranger by now";
}

TEST(AcrnIrqfd, Statement32_BadDescriptors) {
  AcrnVm vm;
  EXPECT_EQ(vm.irqfd(-1, 0x30), fails(EBADF));
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  EXPECT_EQ(vm.irqfd(pipe[0], 0x30), fails(EINVAL));
  ::close(pipe[0]), ::close(pipe[1]);
  EventFd e;
  EXPECT_EQ(vm.irqfd(e.get(), 0x30, 0xfe), ok) << "other flags are ignored";
}

TEST(AcrnIrqfd, Statement32_LastCloseRemoves) {
  AcrnIrqVm vm;
  vm.boot_waiting();
  EXPECT_TRUE(vm.ready());
  for (int i = 0; i < 50; ++i) {
    EventFd e;
    ASSERT_EQ(vm.irqfd(e.get(), 0x40), ok) << i;
    e.add();
    EXPECT_EQ(vm.reported(), 0x40);
  }
}

TEST(AcrnIrqfd, BadAddressIsOnlyLogged) {
  AcrnIrqVm vm;
  vm.boot_waiting();
  EXPECT_TRUE(vm.ready());
  EventFd e;
  const acrn_irqfd f{.fd = e.get(), .flags = 0, .msi = {.msi_addr = 0x1000, .msi_data = 0x30}};
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_IRQFD, &f), ok);
  e.add();
  EXPECT_TRUE(vm.quiet());
}

// An ioeventfd that is an irqfd at the same time: the guest interrupts itself through its own doorbell.
TEST(AcrnIrqfd, DoorbellThatRingsBack) {
  AcrnIrqVm vm;
  EventFd e;
  ASSERT_EQ(vm.ioeventfd(range(e, 0x500, 4)), ok);
  ASSERT_EQ(vm.irqfd(e.get(), 0x66), ok);
  vm.boot_waiting(Flat32().mov_eax(1).out_eax(0x500));
  EXPECT_TRUE(vm.ready());
  EXPECT_EQ(vm.reported(), 0x66);
}

}  // namespace mv::glue
