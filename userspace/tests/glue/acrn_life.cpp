// SPDX-License-Identifier: MIT
// ACRN: resets, several vCPUs, ends in every state, many threads.
#include <gtest/gtest.h>

#include "glue/acrn_vm.h"
#include "glue/runner.h"
#include "glue/system.h"
#include "vmm/backend/x86_start.h"

namespace mv::glue {

using namespace std::chrono_literals;

constexpr uint32_t kWrite = ACRN_IOREQ_DIR_WRITE;

// What can be done to a VM before its descriptor is closed.
struct Moment {
  const char* name;
  void (*arrive)(AcrnVm&);
};

static const Moment kMoments[] = {
    {"Created", [](AcrnVm&) {}},
    {"Running", [](AcrnVm& vm) { vm.boot(X86Code().spin()); }},
    {"Halted", [](AcrnVm& vm) { vm.boot(X86Code().bytes({0xf4})); }},
    {"RequestOut",
     [](AcrnVm& vm) {
       vm.boot(X86Code().out8(0x80).spin());
       EXPECT_TRUE(vm.request());
     }},
    {"RequestWithoutClient",
     [](AcrnVm& vm) {
       vm.load(X86Code().out8(0x80).spin());
       EXPECT_EQ(vm.set_regs(real_mode(AcrnVm::kCode)), ok);
       EXPECT_EQ(vm.start(), ok);
       EXPECT_TRUE(vm.slot_becomes(ACRN_IOREQ_STATE_PENDING));
     }},
    {"Paused",
     [](AcrnVm& vm) {
       vm.boot(X86Code().spin());
       EXPECT_EQ(vm.pause(), ok);
     }},
    {"Reset",
     [](AcrnVm& vm) {
       vm.boot(X86Code().spin());
       EXPECT_EQ(vm.pause(), ok);
       EXPECT_EQ(vm.reset(), ok);
     }},
    {"Destroyed",
     [](AcrnVm& vm) {
       EXPECT_EQ(vm.pause(), ok);
       EXPECT_EQ(vm.destroy(), ok);
     }},
};

class AcrnClose : public testing::TestWithParam<Moment> {};

TEST_P(AcrnClose, Statement10_NothingStays) {
  Baseline before;
  AcrnVm vm("close");
  GetParam().arrive(vm);
  vm.close();
  EXPECT_TRUE(before.restored());
  EXPECT_NO_THROW(AcrnVm("close")) << "the name is free";
}
INSTANTIATE_TEST_SUITE_P(When, AcrnClose, testing::ValuesIn(kMoments), [](const auto& info) { return info.param.name; });

TEST(AcrnLife, Statement10_PinsAreCounted) {
  const int64_t before = pinned_pages();
  AcrnVm vm;
  EXPECT_EQ(pinned_pages() - before, static_cast<int64_t>(AcrnVm::kMemory / 4096 + 1)) << "RAM and the request page";
}

TEST(AcrnLife, Statement10_CloseWhileAttached) {
  Baseline before;
  {
    AcrnVm vm("attached");
    vm.boot(X86Code().spin());
    const int fd = vm.fd();
    Runner r([fd] { return call(fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT, 0); });
    EXPECT_TRUE(r.blocks());
    vm.close();
    EXPECT_TRUE(r.blocks()) << "the thread inside holds the file";
    r.signal();
    EXPECT_EQ(r.result(), ok);
  }
  EXPECT_TRUE(before.restored());
}

TEST(AcrnLife, Statement10_InheritedDescriptorKeepsTheVm) {
  Baseline before;
  AcrnVm vm("inherited");
  vm.boot(X86Code().spin());
  {
    Child child([] { return true; });
    ASSERT_TRUE(child.ready());
    vm.close();
    EXPECT_THROW(AcrnVm("inherited"), std::system_error) << "the child still has it";
  }
  EXPECT_TRUE(before.restored());
  EXPECT_NO_THROW(AcrnVm("inherited"));
}

TEST(AcrnLife, Statement38_TripleFaultIsOneWriteOfS5) {
  AcrnVm vm;
  vm.load(X86Code().bytes({0xcc}).mov_al('?').out8(0x3f8).spin());
  acrn_vcpu_regs r = real_mode(AcrnVm::kCode);
  r.vcpu_regs.idt.limit = 0;
  ASSERT_EQ(vm.set_regs(r), ok);
  ASSERT_EQ(vm.create_client(), ok);
  ASSERT_EQ(vm.start(), ok);
  EXPECT_EQ(vm.request(), pio(kWrite, 0x404, 2, 0x3400));
  EXPECT_EQ(vm.notify(), ok);
  EXPECT_TRUE(vm.slot_becomes(ACRN_IOREQ_STATE_FREE));
  std::this_thread::sleep_for(kWhile);
  EXPECT_EQ(vm.processed(), ACRN_IOREQ_STATE_FREE) << "exactly one";
  EXPECT_EQ(vm.pause(), ok);
}

TEST(AcrnLife, Statement39_ResetWithARequestOut) {
  AcrnVm vm;
  vm.boot(X86Code().mov_al(6).out8(0xcf9).mov_al('?').out8(0x80).spin());
  EXPECT_EQ(vm.request(), pio(kWrite, 0xcf9, 1, 6));
  vm.memory()[0x9000] = 0x77;
  EXPECT_EQ(vm.pause(), ok);
  EXPECT_EQ(vm.clear_requests(), ok);
  EXPECT_EQ(vm.reset(), ok);
  for (unsigned i = 0; i < ACRN_IO_REQUEST_MAX; ++i) EXPECT_EQ(vm.processed(i), ACRN_IOREQ_STATE_FREE) << i;
  vm.load(X86Code().load_al(0x9000).out8(0x81).spin(), 0x3000);
  EXPECT_EQ(vm.set_regs(real_mode(0x3000)), ok);
  EXPECT_EQ(vm.start(), ok);
  EXPECT_EQ(vm.request(), pio(kWrite, 0x81, 1, 0x77)) << "new registers, old memory";
}

// Nobody clears: the reset must forget the request, and ATTACH must not report it for ever.
TEST(AcrnLife, Statement39_ResetWithoutClear) {
  AcrnVm vm;
  vm.boot(X86Code().out8(0x80).spin());
  ASSERT_TRUE(vm.request());
  EXPECT_EQ(vm.pause(), ok);
  EXPECT_EQ(vm.reset(), ok);
  vm.load(X86Code().mov_al(1).out8(0x81).mov_al(2).out8(0x82).spin());
  EXPECT_EQ(vm.set_regs(real_mode(AcrnVm::kCode)), ok);
  EXPECT_EQ(vm.start(), ok);
  EXPECT_EQ(vm.request(), pio(kWrite, 0x81, 1, 1));
  EXPECT_TRUE(vm.reply());
  EXPECT_EQ(vm.request(), pio(kWrite, 0x82, 1, 2));
}

TEST(AcrnLife, Statement39_AfterResetItStartsAtTheResetVector) {
  AcrnVm vm;
  Pages rom(0x10000);
  const auto code = X86Code().mov_al('R').out8(0x80).spin();
  std::copy(code.get().begin(), code.get().end(), rom.bytes() + 0xfff0);
  ASSERT_EQ(vm.set_memseg(ram(0xffff0000, rom.address(), rom.size())), ok);
  ASSERT_EQ(vm.create_client(), ok);
  ASSERT_EQ(vm.start(), ok);
  EXPECT_EQ(vm.request(), pio(kWrite, 0x80, 1, 'R')) << "a fresh VM, too";
  ASSERT_EQ(vm.pause(), ok);
  ASSERT_EQ(vm.clear_requests(), ok);
  ASSERT_EQ(vm.reset(), ok);
  ASSERT_EQ(vm.start(), ok);
  EXPECT_EQ(vm.request(), pio(kWrite, 0x80, 1, 'R'));
}

TEST(AcrnLife, Statement39_PausedRequestIsFinishedLater) {
  AcrnVm vm;
  vm.boot(X86Code().out8(0x80).spin());
  ASSERT_TRUE(vm.request());
  ASSERT_EQ(vm.pause(), ok);
  EXPECT_EQ(vm.notify(), ok);
  EXPECT_EQ(vm.clear_requests(), ok);
  EXPECT_EQ(vm.destroy_client(), ok);
  EXPECT_EQ(vm.notify(), ok) << "the device model does that, too";
  EXPECT_EQ(vm.destroy(), ok);
}

TEST(AcrnLife, Statement40_CompletionPolling) {
  AcrnVm vm("glue", 1, 4);
  vm.boot(X86Code().mov_al('A').out8(0x3f8).mov_al('B').out8(0x3f8).spin());
  ASSERT_TRUE(vm.request());
  EXPECT_EQ(vm.slot().completion_polling, 1u);
  EXPECT_TRUE(vm.reply());
  EXPECT_EQ(vm.request(), pio(kWrite, 0x3f8, 1, 'B'));
}

// 32-bit code, because the local APIC lies above what real mode reaches: INIT, then a start-up IPI for 0x2000, to all others.
static void boot_two(AcrnVm& vm) {
  vm.load(X86Code()
              .bytes({0xc7, 0x05}).imm32(0xfee00300).imm32(0x000c4500)
              .bytes({0xc7, 0x05}).imm32(0xfee00300).imm32(0x000c4602)
              .bytes({0xb0, 'p', 0xe6, 0x80, 0xb0, 'q', 0xe6, 0x80, 0xeb, 0xfe}));
  vm.load(X86Code().mov_al('s').out8(0x81).mov_al('t').out8(0x81).spin(), 0x2000);
  acrn_vcpu_regs r = x86_start_regs(StartMode::protected32, AcrnVm::kCode);
  EXPECT_EQ(vm.set_regs(r), ok);
  EXPECT_EQ(vm.create_client(), ok);
  EXPECT_EQ(vm.start(), ok);
}

TEST(AcrnLife, Statement41_SecondVcpuWaitsForItsStart) {
  AcrnVm vm("glue", 0b11);
  vm.load(X86Code().out8(0x99).spin());
  ASSERT_EQ(vm.set_regs(real_mode(AcrnVm::kCode, 1)), ok);
  vm.boot(X86Code().out8(0x80).spin());
  ASSERT_TRUE(vm.request());
  std::this_thread::sleep_for(kWhile);
  EXPECT_EQ(vm.processed(1), ACRN_IOREQ_STATE_FREE);
}

TEST(AcrnLife, Statement41_RequestsOfTwoVcpus) {
  AcrnVm vm("glue", 0b11);
  boot_two(vm);
  EXPECT_EQ(vm.request(0), pio(kWrite, 0x80, 1, 'p'));
  EXPECT_EQ(vm.request(1), pio(kWrite, 0x81, 1, 's'));
  EXPECT_TRUE(vm.reply(0, 1));
  EXPECT_EQ(vm.request(1), pio(kWrite, 0x81, 1, 't'));
  EXPECT_EQ(vm.request(0), pio(kWrite, 0x80, 1, 'p')) << "not released with the other";
  EXPECT_EQ(vm.attach(), ok);
  EXPECT_TRUE(vm.reply(0, 0));
  EXPECT_EQ(vm.request(0), pio(kWrite, 0x80, 1, 'q'));
  EXPECT_TRUE(vm.reply(0, 0));
  EXPECT_EQ(vm.attach(), ok) << "vCPU 1 still has one out";
}

// Four threads at everything at once: whatever the calls return, nothing hangs and nothing stays.
TEST(AcrnLife, Statement43_Stress) {
  Baseline before;
  {
    AcrnVm vm("stress", 0b11);
    boot_two(vm);
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    const auto repeat = [&](auto f) {
      threads.emplace_back([&stop, f] {
        while (!stop) f();
      });
    };
    repeat([&] { vm.attach(); });
    repeat([&] {
      vm.notify(0);
      vm.notify(1);
    });
    repeat([&] {
      vm.destroy_client();
      vm.create_client();
      std::this_thread::sleep_for(1ms);
    });
    repeat([&] {
      vm.pause();
      vm.clear_requests();
      vm.reset();
      vm.set_regs(x86_start_regs(StartMode::protected32, AcrnVm::kCode));
      vm.start();
      std::this_thread::sleep_for(2ms);
    });
    std::this_thread::sleep_for(kStorm);
    stop = true;
    threads[1].join();
    threads[2].join();
    threads[3].join();
    vm.destroy_client();
    threads[0].join();
  }
  EXPECT_TRUE(before.restored());
}

TEST(AcrnLife, Statement43_CreateAndDestroyAgainstEverything) {
  Baseline before;
  {
    AcrnDevice d;
    Pages memory(AcrnVm::kMemory), requests(4096);
    const auto code = X86Code().out8(0x80).jump_to_start();
    std::copy(code.get().begin(), code.get().end(), memory.bytes() + 0x1000);
    std::atomic<bool> stop = false;
    std::thread attach([&] {
      while (!stop) d.attach();
    });
    std::thread notify([&] {
      while (!stop) {
        d.notify();
        d.clear_requests();
      }
    });
    for (int i = 0; i < 100; ++i) {
      acrn_vm_creation c = creation(requests, "again");
      ASSERT_EQ(d.create(c), ok);
      EXPECT_EQ(d.set_memseg(ram(0, memory.address(), memory.size())), ok);
      EXPECT_EQ(d.set_regs(real_mode(0x1000)), ok);
      EXPECT_EQ(d.create_client(), ok);
      EXPECT_EQ(d.start(), ok);
      EXPECT_EQ(d.pause(), ok);
      EXPECT_EQ(d.destroy(), ok);
    }
    stop = true;
    attach.join();
    notify.join();
  }
  EXPECT_TRUE(before.restored());
}

TEST(AcrnLife, Statement43_KilledVmm) {
  Baseline before;
  for (int i = 0; i < 5; ++i) {
    Child child([] {
      auto* vm = new AcrnVm("killed", 0b11);
      vm->boot(X86Code().mov_al(1).store_al(0x9000).spin());
      return eventually([&] { return static_cast<volatile uint8_t*>(vm->memory())[0x9000] == 1; });
    });
    ASSERT_TRUE(child.ready());
    child.kill();
    EXPECT_NO_THROW(AcrnVm("killed"));
  }
  EXPECT_TRUE(before.restored());
}

TEST(AcrnLife, TwentyLivesLeaveNoMemory) {
  const auto life = [] {
    AcrnVm vm("lives", 0xf);
    Pages more(4 << 20);
    std::memset(more.bytes(), 1, more.size());
    EXPECT_EQ(vm.set_memseg(ram(0x10000000, more.address(), more.size())), ok);
    vm.boot(X86Code().out8(0x80).spin());
    EXPECT_TRUE(vm.request());
  };
  for (int i = 0; i < 5; ++i) life();
  const int64_t before = available_bytes();
  for (int i = 0; i < 20; ++i) life();
  EXPECT_TRUE(eventually([&] { return before - available_bytes() < (40 << 20); })) << before - available_bytes() << " bytes fewer";
}

}  // namespace mv::glue
