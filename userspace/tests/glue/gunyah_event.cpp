// SPDX-License-Identifier: MIT
// Gunyah: irqfd and ioeventfd functions, and the interrupts of a guest that handles them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <chrono>
#include <thread>

#include "glue/gunyah_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

constexpr uint64_t kReport = GunyahGuest::kReport, kDistributor = Arm64Layout::kGicDistributor, kRedistributor = Arm64Layout::kGicRedistributor;
constexpr uint32_t kSpi = 5, kIntid = 32 + kSpi, kLabel = 0x40;
constexpr TreeDoorbell kBells[] = {{kLabel, kSpi}, {kLabel + 1, kSpi + 1}};

static Fd new_eventfd(unsigned initial = 0) { return Fd(::eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK)); }
static void ring(const Fd& e) { ASSERT_EQ(::eventfd_write(e.get(), 1), 0); }
static uint64_t count(const Fd& e) {
  eventfd_t v = 0;
  return ::eventfd_read(e.get(), &v) == 0 ? v : 0;
}

static gunyah_fn_irqfd_arg irqfd(int fd, uint32_t label = kLabel, uint32_t flags = 0) { return {static_cast<uint32_t>(fd), label, flags, 0}; }
static Result add(GunyahVm& vm, const gunyah_fn_irqfd_arg& a) { return vm.function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_IRQFD, &a, sizeof a); }
static Result remove(GunyahVm& vm, const gunyah_fn_irqfd_arg& a) { return vm.function(GUNYAH_VM_REMOVE_FUNCTION, GUNYAH_FN_IRQFD, &a, sizeof a); }
static gunyah_fn_ioeventfd_arg ioeventfd(int fd, uint64_t addr, uint32_t len, uint32_t flags = 0, uint64_t match = 0) { return {match, addr, len, fd, flags, 0}; }
static Result add(GunyahVm& vm, const gunyah_fn_ioeventfd_arg& a) { return vm.function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_IOEVENTFD, &a, sizeof a); }
static Result remove(GunyahVm& vm, const gunyah_fn_ioeventfd_arg& a) { return vm.function(GUNYAH_VM_REMOVE_FUNCTION, GUNYAH_FN_IOEVENTFD, &a, sizeof a); }

// A 32-bit register of the GIC gets a value.
static A64Code& poke(A64Code& c, uint64_t address, uint32_t value) { return c.mov(1, address).mov(2, value).str(2, 2, 1); }

// The GIC on, SPIs kSpi and kSpi + 1 edges in group 1 and enabled, SGIs and the virtual timer too, interrupts unmasked.
static A64Code interrupts_on() {
  A64Code c;
  c.mov(0, GunyahGuest::kBase + GunyahGuest::kVectors).msr_vbar(0).mov(20, kReport);
  poke(c, kDistributor, 2);
  poke(c, kDistributor + 0x84, ~0u);
  poke(c, kDistributor + 0xc08, 0xaaaaaaaa);
  poke(c, kDistributor + 0x104, 3u << kSpi);
  poke(c, kRedistributor + 0x10080, ~0u);
  poke(c, kRedistributor + 0x10100, 1u << 27 | 0xffff);
  return c.mov(3, 0xff).msr_pmr(3).mov(3, 1).msr_igrpen1(3).isb().unmask_irqs();
}

// The handler stores what it acknowledged to kReport and ends it.
static void load_handler(GunyahGuest& g) {
  g.load(A64Code().mrs_iar1(10).str(3, 10, 20).msr_eoir1(10).eret(), GunyahGuest::kVectors + 0x280);
}

// A guest that waits for interrupts, and is doing so: it has said that it is ready.
class WaitingGuest : public GunyahGuest {
 public:
  explicit WaitingGuest(unsigned vcpus = 1) : GunyahGuest(vcpus, kLend, kBells) {
    load_handler(*this);
    A64Code c = interrupts_on();
    c.mov(4, 0x77).str(3, 4, 20, 8).wfi().jump(-1);
    load(c);
  }
  void wait_ready() { ASSERT_EQ(vcpu().mmio(), store(kReport + 8, 8, 0x77)); }
};

TEST(GunyahIrqfd, Statement33_EveryWriteIsAnInterrupt) {
  WaitingGuest g;
  const Fd e = new_eventfd();
  ASSERT_EQ(add(g.vm(), irqfd(e.get())), ok);
  ASSERT_EQ(g.start(), ok);
  g.wait_ready();
  for (int i = 0; i < 3; ++i) {
    ring(e);
    ASSERT_EQ(g.vcpu().mmio(), store(kReport, 8, kIntid)) << i;
  }
  EXPECT_EQ(count(e), 3u) << "nobody else read it";
}

TEST(GunyahIrqfd, Statement33_WriteBeforeTheStartIsLost) {
  WaitingGuest g;
  const Fd e = new_eventfd(), other = new_eventfd();
  ASSERT_EQ(add(g.vm(), irqfd(e.get())), ok);
  ring(e);
  ASSERT_EQ(g.start(), ok);
  ASSERT_EQ(add(g.vm(), irqfd(other.get(), kLabel + 1)), ok);
  g.wait_ready();
  ring(other);
  EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, kIntid + 1)) << "and not the first one's";
}

TEST(GunyahIrqfd, Statement33_CounterBeforeAddIsNoInterrupt) {
  WaitingGuest g;
  const Fd e = new_eventfd(7), other = new_eventfd();
  ASSERT_EQ(g.start(), ok);
  ASSERT_EQ(add(g.vm(), irqfd(e.get())), ok);
  ASSERT_EQ(add(g.vm(), irqfd(other.get(), kLabel + 1)), ok);
  g.wait_ready();
  ring(other);
  EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, kIntid + 1));
}

TEST(GunyahIrqfd, SleeperIsWoken) {
  WaitingGuest g;
  const Fd e = new_eventfd();
  ASSERT_EQ(add(g.vm(), irqfd(e.get())), ok);
  ASSERT_EQ(g.start(), ok);
  g.wait_ready();
  std::jthread later([&] {
    std::this_thread::sleep_for(kWhile);
    ring(e);
  });
  EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, kIntid));
}

TEST(GunyahIrqfd, LabelWithoutADoorbell) {
  WaitingGuest g;
  const Fd e = new_eventfd(), good = new_eventfd();
  ASSERT_EQ(add(g.vm(), irqfd(e.get(), 0x999)), ok);
  ASSERT_EQ(add(g.vm(), irqfd(good.get())), ok);
  ASSERT_EQ(g.start(), ok);
  g.wait_ready();
  ring(e);
  ring(good);
  EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, kIntid));
}

TEST(GunyahIrqfd, Statement34_BadArguments) {
  GunyahGuest g;
  const Fd e = new_eventfd(), null(::open("/dev/null", O_RDWR));
  EXPECT_EQ(add(g.vm(), irqfd(9999)), fails(EBADF));
  EXPECT_EQ(add(g.vm(), irqfd(null.get())), fails(EINVAL));
  EXPECT_EQ(add(g.vm(), irqfd(e.get(), kLabel, 2)), fails(EINVAL));
  EXPECT_EQ(add(g.vm(), irqfd(9999, kLabel, 2)), fails(EINVAL)) << "flags come first";
  EXPECT_EQ(g.vm().function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_IRQFD, "0123456789abcdef", 8), fails(EINVAL));
  ASSERT_EQ(add(g.vm(), irqfd(e.get(), kLabel, GUNYAH_IRQFD_FLAGS_LEVEL)), ok);
}

TEST(GunyahIrqfd, Statement34_LabelsAreUniqueAndRemoveLooksAtThemOnly) {
  const Baseline before;
  {
    GunyahGuest g;
    const Fd e = new_eventfd(), other = new_eventfd();
    ASSERT_EQ(add(g.vm(), irqfd(e.get())), ok);
    EXPECT_EQ(add(g.vm(), irqfd(other.get())), fails(EEXIST));
    EXPECT_EQ(remove(g.vm(), irqfd(other.get(), kLabel + 1)), fails(ENOENT));
    EXPECT_EQ(remove(g.vm(), irqfd(-1, kLabel, 0xff)), ok);
    EXPECT_EQ(remove(g.vm(), irqfd(e.get())), fails(ENOENT));
    EXPECT_EQ(add(g.vm(), irqfd(other.get())), ok) << "and stays until the VM goes";
  }
  EXPECT_TRUE(before.restored());
}

TEST(GunyahIrqfd, EventfdClosedBeforeTheVm) {
  const Baseline before;
  {
    GunyahGuest g;
    { ASSERT_EQ(add(g.vm(), irqfd(new_eventfd().get())), ok); }
    EXPECT_EQ(remove(g.vm(), irqfd(-1)), ok);
    { ASSERT_EQ(add(g.vm(), irqfd(new_eventfd().get())), ok); }
  }
  EXPECT_TRUE(before.restored());
}

TEST(GunyahIrqfd, RemovedInAStorm) {
  WaitingGuest g;
  const Fd e = new_eventfd();
  ASSERT_EQ(g.start(), ok);
  g.wait_ready();
  {
    std::jthread storm([&](std::stop_token stop) {
      while (!stop.stop_requested()) ::eventfd_write(e.get(), 1);
    });
    for (int i = 0; i < 300; ++i) {
      EXPECT_EQ(add(g.vm(), irqfd(e.get())), ok);
      EXPECT_EQ(remove(g.vm(), irqfd(e.get())), ok);
    }
  }
}

// --- ioeventfd ------------------------------------------------------------------------------------------------------------

constexpr uint64_t kBell = 0x7000;

// Stores `value` of `size` (log2) to kBell, and then 1 to kReport, again and again.
static void store_loop(GunyahGuest& g, uint64_t value, unsigned size) {
  A64Code c;
  c.mov(20, kReport).mov(21, kBell).mov(2, value).mov(3, 1).str(size, 2, 21).str(3, 3, 20).jump(-2);
  g.boot(c);
}

TEST(GunyahIoeventfd, Statement35_BadArguments) {
  GunyahGuest g;
  const Fd e = new_eventfd(), null(::open("/dev/null", O_RDWR));
  EXPECT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 3)), fails(EINVAL));
  EXPECT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 16)), fails(EINVAL));
  EXPECT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 0, GUNYAH_IOEVENTFD_FLAGS_DATAMATCH)), fails(EINVAL));
  EXPECT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 4, 2)), fails(EINVAL));
  EXPECT_EQ(add(g.vm(), ioeventfd(-1, kBell, 4)), fails(EBADF));
  EXPECT_EQ(add(g.vm(), ioeventfd(null.get(), kBell, 4)), fails(EINVAL));
  EXPECT_EQ(add(g.vm(), ioeventfd(e.get(), ~0ull, 8)), fails(EINVAL)) << "wraps";
  EXPECT_EQ(g.vm().function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_IOEVENTFD, "0123456789abcdef0123456789abcdef", 16), fails(EINVAL));
}

TEST(GunyahIoeventfd, Statement35_AnyWidthWithoutAValue) {
  GunyahGuest g;
  const Fd e = new_eventfd();
  ASSERT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 4)), ok);
  store_loop(g, 0x55, 0);
  EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 1));
  EXPECT_EQ(count(e), 1u);
}

TEST(GunyahIoeventfd, Statement35_ReadsAndNeighboursLeave) {
  GunyahGuest g;
  const Fd e = new_eventfd();
  ASSERT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 4)), ok);
  g.boot(A64Code().mov(21, kBell).ldr(2, 0, 21).mov(21, kBell + 1).str(0, 0, 21).spin());
  EXPECT_EQ(g.vcpu().mmio(), load(kBell, 4));
  EXPECT_EQ(g.vcpu().mmio_after(9), store(kBell + 1, 1, 9));
  EXPECT_EQ(count(e), 0u);
}

struct Match {
  const char* name;
  uint64_t value;
  unsigned size;
  bool signals;
};
class GunyahMatch : public testing::TestWithParam<Match> {};
TEST_P(GunyahMatch, Statement36_SizeAndValue) {
  GunyahGuest g;
  const Fd e = new_eventfd();
  ASSERT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 8, GUNYAH_IOEVENTFD_FLAGS_DATAMATCH, 0xf00d)), ok);
  store_loop(g, GetParam().value, GetParam().size);
  if (GetParam().signals) {
    EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 1));
  } else {
    EXPECT_EQ(g.vcpu().mmio(), store(kBell, 1u << GetParam().size, GetParam().value));
  }
  EXPECT_EQ(count(e), GetParam().signals ? 1u : 0u);
}
INSTANTIATE_TEST_SUITE_P(Write, GunyahMatch,
                         testing::Values(Match{"Same", 0xf00d, 3, true}, Match{"OtherValue", 0xf00e, 3, false}, Match{"OtherSize", 0xf00d, 2, false}),
                         [](const auto& info) { return info.param.name; });

TEST(GunyahIoeventfd, Statement36_Conflicts) {
  GunyahGuest g;
  const Fd e = new_eventfd();
  constexpr uint32_t kMatch = GUNYAH_IOEVENTFD_FLAGS_DATAMATCH;
  ASSERT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 8, kMatch, 1)), ok);
  EXPECT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 8, kMatch, 2)), ok);
  EXPECT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 8, kMatch, 1)), fails(EEXIST));
  EXPECT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 8)), fails(EEXIST));
  EXPECT_EQ(add(g.vm(), ioeventfd(e.get(), kBell + 8, 0)), ok);
  EXPECT_EQ(add(g.vm(), ioeventfd(e.get(), kBell + 8, 2, kMatch, 7)), fails(EEXIST));
}

TEST(GunyahIoeventfd, RemovalLooksAtAddressLengthFlagsAndValue) {
  GunyahGuest g;
  const Fd e = new_eventfd();
  constexpr uint32_t kMatch = GUNYAH_IOEVENTFD_FLAGS_DATAMATCH;
  ASSERT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 8, kMatch, 1)), ok);
  EXPECT_EQ(remove(g.vm(), ioeventfd(e.get(), kBell, 8)), fails(ENOENT));
  EXPECT_EQ(remove(g.vm(), ioeventfd(e.get(), kBell, 4, kMatch, 1)), fails(ENOENT));
  EXPECT_EQ(remove(g.vm(), ioeventfd(e.get(), kBell, 8, kMatch, 2)), fails(ENOENT));
  EXPECT_EQ(remove(g.vm(), ioeventfd(-1, kBell, 8, kMatch, 1)), ok) << "not at the eventfd";
  EXPECT_EQ(remove(g.vm(), ioeventfd(-1, kBell, 8, kMatch, 1)), fails(ENOENT));
  store_loop(g, 1, 3);
  EXPECT_EQ(g.vcpu().mmio(), store(kBell, 8, 1));
}

TEST(GunyahIoeventfd, AddedAndRemovedWhileItRuns) {
  GunyahGuest g;
  const Fd e = new_eventfd();
  store_loop(g, 1, 3);
  EXPECT_EQ(g.vcpu().mmio(), store(kBell, 8, 1));
  ASSERT_EQ(add(g.vm(), ioeventfd(e.get(), kBell, 0)), ok);
  EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 1));
  EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 1));
  EXPECT_EQ(count(e), 1u) << "the first store was the VMM's";
  ASSERT_EQ(remove(g.vm(), ioeventfd(e.get(), kBell, 0)), ok);
  EXPECT_EQ(g.vcpu().mmio(), store(kBell, 8, 1));
}

// --- the guest's own interrupts ---------------------------------------------------------------------------------------------

TEST(GunyahGic, VirtualTimerWakesWfi) {
  GunyahGuest g;
  load_handler(g);
  // the handler of a timer has to turn it off
  g.load(A64Code().mrs_iar1(10).mov(11, 0).msr_cntv_ctl(11).str(3, 10, 20).msr_eoir1(10).eret(), GunyahGuest::kVectors + 0x280);
  A64Code c = interrupts_on();
  c.mov(5, 100000).msr_cntv_tval(5).mov(5, 1).msr_cntv_ctl(5).wfi().jump(-1);
  const auto start = std::chrono::steady_clock::now();
  g.boot(c);
  EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 27));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::microseconds(5000)) << "100000 ticks of 19.2 MHz are 5.2 ms";
}

TEST(GunyahGic, SoftwareInterruptToItself) {
  WaitingGuest g;
  A64Code c = interrupts_on();
  c.mov(5, 6u << 24 | 1).msr_sgi1r(5).isb().wfi().jump(-1);
  g.boot(c);
  EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 6));
}

// vCPU 1 waits with its interface on; vCPU 0 sends it number 9.
TEST(GunyahGic, SoftwareInterruptToAnotherVcpu) {
  GunyahGuest g(2, kLend, kBells);
  load_handler(g);
  constexpr uint64_t kSecond = 0x4000;
  A64Code second;
  second.mov(0, GunyahGuest::kBase + GunyahGuest::kVectors).msr_vbar(0).mov(20, kReport + 0x100);
  poke(second, kRedistributor + 0x20000 + 0x10080, ~0u);
  poke(second, kRedistributor + 0x20000 + 0x10100, 0xffff);
  second.mov(3, 0xff).msr_pmr(3).mov(3, 1).msr_igrpen1(3).isb().unmask_irqs();
  second.mov(4, 0x77).str(3, 4, 20, 8).wfi().jump(-1);
  g.load(second, kSecond);
  A64Code first = interrupts_on();
  first.psci(kPsciCpuOn, 1, GunyahGuest::kBase + kSecond, 0).mov(4, 0x66).str(3, 4, 20, 8);
  first.mov(5, 9u << 24 | 2).msr_sgi1r(5).isb().str(3, 4, 20, 16).spin();
  g.boot(first);
  EXPECT_EQ(g.vcpu(0).mmio(), store(kReport + 8, 8, 0x66));
  EXPECT_EQ(g.vcpu(1).mmio(), store(kReport + 0x108, 8, 0x77)) << "vCPU 1 is about to wait";
  std::jthread sender([&] { EXPECT_EQ(g.vcpu(0).mmio(), store(kReport + 16, 8, 0x66)); });
  EXPECT_EQ(g.vcpu(1).mmio(), store(kReport + 0x100, 8, 9));
}

}  // namespace mv::glue
