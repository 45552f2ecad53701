// SPDX-License-Identifier: MIT
// Gunyah: closing in every order, a storm over two large VMs, and what an exit costs.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include "glue/gunyah_vm.h"
#include "glue/runner.h"
#include "glue/stress_time.h"
#include "glue/system.h"

namespace mv::glue {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kOther = 0x90000000, kReport = GunyahGuest::kReport;

// Everything that a VMM holds of a running VM, each closed by itself.
struct Holdings {
  GunyahDevice device;
  std::optional<GunyahVm> vm;
  std::optional<GuestMemory> shared;
  std::optional<Mapping> host, page;
  std::optional<Fd> vcpu;

  Holdings() {
    vm.emplace(device);
    GuestMemory memory(device, GunyahGuest::kMemory);
    EXPECT_EQ(vm->map(memory, GunyahGuest::kBase, kLend | kRwx), ok);
    memory.write(GunyahGuest::kTree, make_device_tree(GunyahGuest::kMemory, 1));
    const A64Code code = A64Code().mov(1, kOther).str(3, 1, 1).mov(2, kReport).str(3, 1, 2).jump(-1);
    memory.write(0, std::as_bytes(std::span(code.get())));
    shared.emplace(device, 4096);
    EXPECT_EQ(vm->map(*shared, kOther, kShare | kRwx), ok);
    host.emplace(shared->map(0, 4096));
    vcpu.emplace(vm->add_vcpu(0).value);
    page.emplace(4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->get(), 0, "run page");
    EXPECT_EQ(vm->set_dtb(GunyahGuest::kBase + GunyahGuest::kTree, Arm64Layout::kTreeSize), ok);
    EXPECT_EQ(vm->start(), ok);
    run();
  }
  // The vCPU lives as long as its descriptor does, whatever else is gone.
  void run() {
    if (!vcpu) return;
    EXPECT_EQ(call(vcpu->get(), GUNYAH_VCPU_RUN, 0), ok);
    if (page) {
      EXPECT_EQ(page->as<gunyah_vcpu_run>()->exit_reason, unsigned{GUNYAH_VCPU_EXIT_MMIO});
    }
  }
  void close(int what) {
    switch (what) {
      case 0: return vm.reset();
      case 1: return vcpu.reset();
      case 2: return page.reset();
      case 3: return shared.reset();
      default: return host.reset();
    }
  }
};

TEST(GunyahClose, EveryOrder) {
  const Baseline before;
  std::array<int, 5> order{0, 1, 2, 3, 4};
  int orders = 0;
  do {
    Holdings h;
    for (int what : order) {
      h.close(what);
      h.run();
    }
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(orders, 120);
  EXPECT_TRUE(before.restored());
}

// --- the storm --------------------------------------------------------------------------------------------------------------

// Eight vCPUs; the first starts the others, and all of them store to a device for ever.
static A64Code everybody_stores(unsigned vcpus) {
  A64Code c;
  constexpr uint64_t kLoop = GunyahGuest::kBase + 0x3000;
  for (unsigned i = 1; i < vcpus; ++i) c.psci(kPsciCpuOn, i, kLoop);
  return c.mov(1, kLoop).branch_register(1);
}

class Storm {
 public:
  static constexpr unsigned kVcpus = 8;
  Storm() {
    g_.load(A64Code().mov(2, 0x7000).mov(3, 0x1000).str(3, 3, 2).str(3, 3, 3).jump(-2), 0x3000);
    g_.boot(everybody_stores(kVcpus));
    for (unsigned i = 0; i < kVcpus; ++i) runners_.emplace_back([this, i] { run(i); });
    changer_ = std::thread([this] { change(); });
  }
  ~Storm() {
    stop_ = true;
    changer_.join();
    for (unsigned i = 0; i < kVcpus; ++i) g_.vcpu(i).immediate_exit() = 1;
    for (auto& t : runners_) {
      while (ended_ < kVcpus) kick(t), std::this_thread::sleep_for(1ms);
      t.join();
    }
  }
  void signal_all() {
    for (auto& t : runners_) kick(t);
  }
  uint64_t exits() const { return exits_; }

 private:
  static void kick(std::thread& t) { ::pthread_kill(t.native_handle(), SIGUSR1); }
  void run(unsigned i) {
    while (!stop_) {
      const Result r = call(g_.vcpu(i).fd(), GUNYAH_VCPU_RUN, 0);
      exits_ += r == ok;
      if (r == fails(ENODEV)) std::this_thread::sleep_for(1ms);
    }
    ++ended_;
  }
  // Functions come and go, those of the last vCPU among them.
  void change() {
    const Fd e(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const gunyah_fn_irqfd_arg irq{static_cast<uint32_t>(e.get()), 1, 0, 0};
    const gunyah_fn_ioeventfd_arg io{0, 0x7000, 0, e.get(), 0, 0};
    while (!stop_) {
      EXPECT_EQ(g_.vm().function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_IRQFD, &irq, sizeof irq), ok);
      EXPECT_EQ(g_.vm().function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_IOEVENTFD, &io, sizeof io), ok);
      ::eventfd_write(e.get(), 1);
      EXPECT_EQ(g_.vm().remove_vcpu(kVcpus - 1), ok);
      const Fd again(g_.vm().add_vcpu(kVcpus - 1).value);
      EXPECT_GE(again.get(), 0);
      EXPECT_EQ(g_.vm().function(GUNYAH_VM_REMOVE_FUNCTION, GUNYAH_FN_IRQFD, &irq, sizeof irq), ok);
      EXPECT_EQ(g_.vm().function(GUNYAH_VM_REMOVE_FUNCTION, GUNYAH_FN_IOEVENTFD, &io, sizeof io), ok);
    }
  }

  GunyahGuest g_{kVcpus};
  std::atomic<bool> stop_ = false;
  std::atomic<unsigned> ended_ = 0;
  std::atomic<uint64_t> exits_ = 0;
  std::vector<std::thread> runners_;
  std::thread changer_;
};

TEST(GunyahStorm, TwoVmsSignalsAndFunctions) {
  const Baseline before;
  struct sigaction quiet {};
  quiet.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &quiet, nullptr);
  {
    Storm one, two;
    const auto end = Clock::now() + stress_time();
    while (Clock::now() < end) {
      one.signal_all();
      two.signal_all();
      std::this_thread::sleep_for(500us);
    }
    EXPECT_TRUE(eventually([&] { return one.exits() > 50 && two.exits() > 50; })) << one.exits() << " and " << two.exits();
    std::printf("exits under the storm: %llu and %llu\n", static_cast<unsigned long long>(one.exits()), static_cast<unsigned long long>(two.exits()));
  }
  EXPECT_TRUE(before.restored());
}

// --- cost -------------------------------------------------------------------------------------------------------------------

template <typename F>
static double seconds(F f) {
  const auto start = Clock::now();
  f();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// An exit is a system call that enters and leaves the guest; a write to an ioeventfd is neither.
TEST(GunyahCost, ExitAndIoeventfd) {
  // many short samples in turn: between some of them nobody else was at work
  constexpr unsigned kRounds = 1000, kSamples = 40;
  GunyahGuest g;
  const Fd e(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const gunyah_fn_ioeventfd_arg io{0, 0x7000, 0, e.get(), 0, 0};
  ASSERT_EQ(g.vm().function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_IOEVENTFD, &io, sizeof io), ok);
  // kRounds stores to 0x1000, or to the ioeventfd when x5 says so; then a report, whose answer is the next x5
  A64Code c;
  c.mov(2, 0x1000).mov(20, kReport);
  c.ldr(3, 2, 20).mov(4, kRounds);            // x2: where to store
  c.str(3, 4, 2).word(0xf1000484).word(0x54ffffc1);  // subs x4, x4, #1; b.ne
  c.jump(-6);
  g.boot(c);
  ASSERT_EQ(g.vcpu().mmio(), load(kReport, 8));
  const auto answer = [&](uint64_t address) { std::memcpy(g.vcpu().page().mmio.data, &address, sizeof address); };
  const int fd = g.vcpu().fd();
  double null = 1e9, exit = 1e9, match = 1e9;
  for (unsigned sample = 0; sample < kSamples; ++sample) {
    null = std::min(null, seconds([&] {
      for (unsigned i = 0; i < kRounds; ++i) ::ioctl(fd, GUNYAH_VCPU_MMAP_SIZE, 0);
    }) / kRounds);
    exit = std::min(exit, seconds([&] {
      answer(0x1000);
      for (unsigned i = 0; i <= kRounds; ++i) ::ioctl(fd, GUNYAH_VCPU_RUN, 0);
    }) / kRounds);
    ASSERT_EQ(g.vcpu().page().mmio.phys_addr, kReport);
    match = std::min(match, seconds([&] {
      answer(0x7000);
      ::ioctl(fd, GUNYAH_VCPU_RUN, 0);
    }) / kRounds);
    ASSERT_EQ(g.vcpu().page().mmio.phys_addr, kReport);
  }
  eventfd_t count = 0;
  EXPECT_EQ(::eventfd_read(e.get(), &count), 0);
  EXPECT_EQ(count, kSamples * kRounds);
  std::printf("null ioctl %.3f us, exit %.3f us (%.2f null ioctls), ioeventfd %.3f us (%.2f of an exit)\n", null * 1e6, exit * 1e6, exit / null, match * 1e6, match / exit);
  // quiet machines show at most 3: the call itself, and two of its kind; emulated ones are far from even
  EXPECT_LT(exit, 6 * null);
  EXPECT_LT(match, exit / 2);
}

}  // namespace mv::glue
