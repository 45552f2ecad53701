// SPDX-License-Identifier: MIT
// ACRN: two threads each at everything that may be called at any time.  stress_time.h says how long.
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "glue/acrn_busy.h"
#include "glue/runner.h"
#include "glue/stress_time.h"
#include "glue/system.h"

namespace mv::glue {

namespace {

class Crowd {
 public:
  ~Crowd() {
    stop_ = true;
    for (auto& t : threads_) t.join();
  }
  // Two threads that call it again and again.
  template <typename F>
  void two(F f) {
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([this, f] {
        while (!stop_) {
          f();
          ++calls_;
        }
      });
    }
  }
  uint64_t calls() const { return calls_; }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> calls_ = 0;
  std::vector<std::thread> threads_;
};

// A guest that takes interrupts while it accesses devices, on both vCPUs.
class StressVm : public AcrnIrqVm {
 public:
  StressVm() : AcrnIrqVm("stress", 3) {
    load(X86Code().bytes({0xe6, 0x80, 0xeb, 0xfc}), 0x7000);
    code_.store(0xfee000f0, 0x1ff).ioapic(20, 1 << 15 | 0x61).ioapic(4, 0x62);
    code_.store(0xfee00300, 0xc4500).store(0xfee00300, 0xc4607).bytes({0xfb, 0xe6, 0x81, 0xeb, 0xfc});
  }
  void boot() { boot_flat(code_); }
  void cycle() {
    pause();
    clear_requests();
    reset();
    acrn_vcpu_regs r{};
    r.vcpu_regs.rip = kCode;
    r.vcpu_regs.cr0 = 0x31;
    r.vcpu_regs.cs_sel = 8;
    r.vcpu_regs.cs_ar = 0xc09b;
    r.vcpu_regs.cs_limit = ~0u;
    r.vcpu_regs.gdt = {.limit = 0x17, .base = kGdt, .reserved = {}};
    r.vcpu_regs.idt = {.limit = 0x7ff, .base = kIdt, .reserved = {}};
    r.vcpu_regs.gprs.rsp = 0x8000;
    set_regs(r);
    start();
  }

 private:
  Flat32 code_;
};

}  // namespace

TEST(AcrnStress, Statement43_EverythingAtOnce) {
  Baseline before;
  {
    StressVm vm;
    vm.boot();
    Crowd crowd;
    std::atomic<uint64_t> answered = 0;
    crowd.two([&] {
      vm.attach();
      for (unsigned i = 0; i < 2; ++i) {
        if (vm.processed(i) != ACRN_IOREQ_STATE_PROCESSING) continue;
        vm.notify(i);
        ++answered;
      }
    });
    crowd.two([&] { EXPECT_EQ(vm.inject_msi(0xfee00000, 0x55), ok); });
    crowd.two([&] {
      vm.set_irqline(20, 0);
      vm.set_irqline(4, 2);
      vm.set_irqline(20, 1);
    });
    crowd.two([&] {
      const Fd e(::eventfd(0, EFD_CLOEXEC));
      acrn_ioeventfd a{};
      a.fd = static_cast<uint32_t>(e.get());
      a.flags = ACRN_IOEVENTFD_FLAG_PIO;
      a.addr = 0x81;
      a.len = 1;
      EXPECT_EQ(vm.ioeventfd(a), ok);
      ::usleep(100);
      a.flags |= ACRN_IOEVENTFD_FLAG_DEASSIGN;
      EXPECT_EQ(vm.ioeventfd(a), ok);
    });
    crowd.two([&] {
      const Fd e(::eventfd(0, EFD_CLOEXEC));
      EXPECT_EQ(vm.irqfd(e.get(), 0x66), ok);
      const uint64_t one = 1;
      EXPECT_EQ(::write(e.get(), &one, 8), 8);
      // closed without a word: the irqfd goes by itself
    });
    crowd.two([&] {
      vm.cycle();
      ::usleep(2000);
    });
    std::this_thread::sleep_for(stress_time());
    // a busy machine takes longer to get that far
    EXPECT_TRUE(eventually([&] { return crowd.calls() > 100 && answered > 10; })) << crowd.calls() << " calls, " << answered << " answers";
    vm.destroy_client();
  }
  EXPECT_TRUE(before.restored());
}

}  // namespace mv::glue
