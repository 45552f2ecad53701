// SPDX-License-Identifier: MIT
// Gunyah: VCPU_RUN: who gets in, what brings it out, how a VM ends, what outlives what.
#include <gtest/gtest.h>

#include "glue/gunyah_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

static std::function<Result()> running(GunyahVcpu& v) {
  return [fd = v.fd()] { return call(fd, GUNYAH_VCPU_RUN, 0); };
}

TEST(GunyahRun, Statement25_ImmediateExit) {
  GunyahGuest g;
  g.boot(A64Code().mov(0, 5).mov(1, 0x1000).str(3, 0, 1).str(3, 1, 1).spin());
  g.vcpu().immediate_exit() = 1;
  EXPECT_EQ(g.vcpu().run(), fails(EINTR));
  EXPECT_EQ(g.vcpu().immediate_exit(), 1) << "the kernel does not clear it";
  g.vcpu().immediate_exit() = 0;
  EXPECT_EQ(g.vcpu().mmio(), store(0x1000, 8, 5)) << "nothing was lost";
  g.vcpu().immediate_exit() = 1;
  EXPECT_EQ(g.vcpu().run(), fails(EINTR)) << "the store is done, the guest not entered";
  g.vcpu().immediate_exit() = 0;
  EXPECT_EQ(g.vcpu().mmio(), store(0x1000, 8, 0x1000));
}

TEST(GunyahRun, Statement25_ImmediateExitKeepsTheDataOfARead) {
  GunyahGuest g;
  g.boot(A64Code().mov(1, 0x1000).ldr(3, 0, 1).str(3, 0, 1).spin());
  EXPECT_EQ(g.vcpu().mmio(), load(0x1000, 8));
  const uint64_t value = 0x600d;
  std::memcpy(g.vcpu().page().mmio.data, &value, 8);
  g.vcpu().immediate_exit() = 1;
  EXPECT_EQ(g.vcpu().run(), fails(EINTR));
  g.vcpu().immediate_exit() = 0;
  std::memset(g.vcpu().page().mmio.data, 0, 8);
  EXPECT_EQ(g.vcpu().mmio(), store(0x1000, 8, value));
}

class GunyahStay : public testing::TestWithParam<bool> {};

// A guest that spins, or sleeps in WFI.
TEST_P(GunyahStay, Statement26_SignalBringsItOut) {
  GunyahGuest g;
  g.boot(GetParam() ? A64Code().wfi().word(0x17ffffff) : A64Code().spin());
  Runner r(running(g.vcpu()));
  EXPECT_TRUE(r.blocks());
  if (GetParam()) {
    g.vcpu().immediate_exit() = 1;
    EXPECT_TRUE(r.blocks()) << "the flag wakes no sleeper";
  }
  r.signal();
  EXPECT_EQ(r.result(), fails(EINTR));
}
INSTANTIATE_TEST_SUITE_P(Guest, GunyahStay, testing::Bool(), [](const auto& info) { return info.param ? "Sleeps" : "Spins"; });

TEST(GunyahRun, Statement26_ImmediateExitEndsASpin) {
  GunyahGuest g;
  g.boot(A64Code().spin());
  Runner r(running(g.vcpu()));
  EXPECT_TRUE(r.blocks());
  g.vcpu().immediate_exit() = 1;
  EXPECT_EQ(r.result(), fails(EINTR));
}

TEST(GunyahRun, Statement27_SecondRunnerWaits) {
  GunyahGuest g;
  g.boot(A64Code().spin());
  Runner first(running(g.vcpu()));
  EXPECT_TRUE(first.blocks());
  Runner second(running(g.vcpu()));
  EXPECT_TRUE(second.blocks()) << "never EBUSY";
  first.signal();
  EXPECT_EQ(first.result(), fails(EINTR));
  EXPECT_TRUE(second.blocks()) << "it runs now";
  Runner third(running(g.vcpu()));
  EXPECT_TRUE(third.blocks());
  third.signal();
  EXPECT_EQ(third.result(), fails(EINTR)) << "out of the queue";
  second.signal();
  EXPECT_EQ(second.result(), fails(EINTR));
}

TEST(GunyahRun, Statement28_SecondaryWaitsForCpuOn) {
  GunyahGuest g(2);
  g.load(A64Code().mov(1, 0x2000).str(3, 0, 1).psci(kPsciCpuOff).spin(), 0x3000);
  g.boot(A64Code().mov(5, 0x1000).str(3, 5, 5)
             .psci(kPsciCpuOn, 1, GunyahGuest::kBase + 0x3000, 77).str(3, 0, 5)
             .psci(kPsciCpuOn, 0, GunyahGuest::kBase + 0x3000, 77).str(3, 0, 5)
             .psci(kPsciCpuOn, 9, GunyahGuest::kBase + 0x3000, 77).str(3, 0, 5).spin());
  EXPECT_TRUE(g.vcpu(0).mmio());
  Runner second(running(g.vcpu(1)));
  EXPECT_TRUE(second.blocks()) << "no exit says that it is off";
  EXPECT_EQ(g.vcpu(0).mmio(), store(0x1000, 8, 0)) << "CPU_ON succeeds";
  EXPECT_EQ(second.result(), ok);
  EXPECT_EQ(g.vcpu(1).page().mmio.phys_addr, 0x2000u);
  EXPECT_EQ(g.vcpu(0).mmio(), store(0x1000, 8, ~uint64_t{3})) << "ALREADY_ON";
  EXPECT_EQ(g.vcpu(0).mmio(), store(0x1000, 8, ~uint64_t{1})) << "INVALID_PARAMETERS";
}

TEST(GunyahRun, Statement28_OffAndOnAgain) {
  GunyahGuest g(2);
  g.load(A64Code().mov(1, 0x2000).str(3, 0, 1).psci(kPsciCpuOff).spin(), 0x3000);
  const auto on = A64Code().mov(5, 0x1000).psci(kPsciCpuOn, 1, GunyahGuest::kBase + 0x3000, 77).str(3, 0, 5).jump_to_start();
  g.boot(on);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(g.vcpu(0).mmio(), store(0x1000, 8, 0)) << "round " << i;
    EXPECT_EQ(g.vcpu(1).mmio(), store(0x2000, 8, 77));
    Runner off(running(g.vcpu(1)));
    EXPECT_TRUE(off.blocks()) << "CPU_OFF is no exit";
    off.signal();
    EXPECT_EQ(off.result(), fails(EINTR));
  }
}

struct Ending {
  const char* name;
  uint32_t function;
  unsigned type, reason_size;
};
class GunyahEnd : public testing::TestWithParam<Ending> {};

TEST_P(GunyahEnd, Statement29_EveryRunnerIsTold) {
  const Ending& e = GetParam();
  GunyahGuest g(4);  // 0 ends the VM, 1 spins, 2 sleeps, 3 is off
  g.load(A64Code().spin(), 0x3000);
  g.load(A64Code().wfi().word(0x17ffffff), 0x3100);
  g.boot(A64Code().psci(kPsciCpuOn, 1, GunyahGuest::kBase + 0x3000).psci(kPsciCpuOn, 2, GunyahGuest::kBase + 0x3100)
             .mov(5, 0x1000).str(3, 5, 5).psci(e.function).spin());
  EXPECT_TRUE(g.vcpu(0).mmio());
  Runner spins(running(g.vcpu(1))), sleeps(running(g.vcpu(2))), off(running(g.vcpu(3)));
  for (Runner* r : {&spins, &sleeps, &off}) EXPECT_TRUE(r->blocks());
  EXPECT_EQ(g.vcpu(0).ended(), e.type);
  for (Runner* r : {&spins, &sleeps, &off}) EXPECT_EQ(r->result(), ok);
  for (unsigned i = 0; i < 4; ++i) {
    const gunyah_vcpu_run& page = g.vcpu(i).page();
    EXPECT_EQ(page.exit_reason, static_cast<uint32_t>(GUNYAH_VCPU_EXIT_STATUS)) << i;
    EXPECT_EQ(page.status.status, GUNYAH_VM_STATUS_EXITED) << i;
    EXPECT_EQ(page.status.exit_info.type, e.type) << i;
    EXPECT_EQ(page.status.exit_info.reason_size, e.reason_size) << i;
  }
}
INSTANTIATE_TEST_SUITE_P(By, GunyahEnd,
                         testing::Values(Ending{"SystemOff", kPsciOff, 1, 4}, Ending{"SystemReset", kPsciReset, 2, 4},
                                         Ending{"SystemReset2", kPsciReset2, 3, 16}),
                         [](const auto& info) { return info.param.name; });

TEST(GunyahRun, Statement30_AfterTheEndThePageIsLeftAlone) {
  GunyahGuest g;
  g.boot(A64Code().psci(kPsciOff));
  EXPECT_EQ(g.vcpu().ended(), 1u);
  std::memset(&g.vcpu().page(), 0xa5, sizeof(gunyah_vcpu_run));  // immediate_exit, too
  EXPECT_EQ(g.vcpu().run(), ok);
  EXPECT_EQ(g.vcpu().run(), ok);
  const auto* bytes = reinterpret_cast<uint8_t*>(&g.vcpu().page());
  for (size_t i = 0; i < sizeof(gunyah_vcpu_run); ++i) EXPECT_EQ(bytes[i], 0xa5) << i;
}

TEST(GunyahRun, Statement30_FirstRunAfterTheEnd) {
  GunyahGuest g(2);
  g.boot(A64Code().psci(kPsciOff));
  EXPECT_EQ(g.vcpu(0).ended(), 1u);
  EXPECT_EQ(g.vcpu(1).ended(), 1u);
}

TEST(GunyahRun, Statement31_RemoveWhileRunning) {
  GunyahGuest g;
  g.boot(A64Code().mov(1, 0x1000).str(3, 1, 1).add(2, 2, 1).word(0x17ffffff));
  EXPECT_TRUE(g.vcpu().mmio());
  Runner r(running(g.vcpu()));
  EXPECT_TRUE(r.blocks());
  EXPECT_EQ(g.vm().remove_vcpu(0), ok);
  EXPECT_EQ(r.result(), fails(EINTR));
  EXPECT_EQ(g.vcpu().immediate_exit(), 1);
  EXPECT_EQ(g.vcpu().run(), fails(ENODEV));
  g.vcpu().immediate_exit() = 0;
  EXPECT_EQ(g.vcpu().run(), fails(ENODEV));
  EXPECT_EQ(call(g.vcpu().fd(), GUNYAH_VCPU_MMAP_SIZE, 0).value, 4096);
}

TEST(GunyahRun, Statement31_RemoveWhileAsleep) {
  GunyahGuest g;
  g.boot(A64Code().wfi().word(0x17ffffff));
  Runner r(running(g.vcpu())), queued(running(g.vcpu()));
  EXPECT_TRUE(r.blocks());
  EXPECT_TRUE(queued.blocks());
  EXPECT_EQ(g.vm().remove_vcpu(0), ok);
  const Result a = r.result(), b = queued.result();
  EXPECT_TRUE((a == fails(EINTR) && b == fails(ENODEV)) || (a == fails(ENODEV) && b == fails(EINTR))) << "one was inside, one waited";
}

TEST(GunyahRun, Statement31_RemovedBeforeTheStart) {
  GunyahGuest g;
  EXPECT_EQ(g.vm().remove_vcpu(0), ok);
  EXPECT_EQ(g.vcpu().immediate_exit(), 0) << "there was nobody to bring out";
  EXPECT_EQ(g.vcpu().run(), fails(ENODEV));
}

TEST(GunyahRun, Statement31_AddedAgainGoesOnWhereItWas) {
  GunyahGuest g;
  g.boot(A64Code().mov(0, 41).mov(1, 0x1000).str(3, 0, 1).add(0, 0, 1).str(3, 0, 1).spin());
  EXPECT_EQ(g.vcpu().mmio(), store(0x1000, 8, 41));
  EXPECT_EQ(g.vm().remove_vcpu(0), ok);
  Fd fd(g.vm().add_vcpu(0).value);
  ASSERT_TRUE(fd);
  GunyahVcpu again(std::move(fd));
  EXPECT_EQ(again.immediate_exit(), 0) << "a new page";
  EXPECT_EQ(again.mmio(), store(0x1000, 8, 42));
}

TEST(GunyahRun, Statement32_VcpuKeepsTheVm) {
  Baseline before;
  {
    GunyahGuest g;
    g.boot(A64Code().mov(1, 0x1000).str(3, 1, 1).jump_to_start());
    EXPECT_TRUE(g.vcpu().mmio());
    g.vm().close();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(g.vcpu().mmio());
    g.vcpu().close();
    EXPECT_EQ(g.vcpu().page().exit_reason, static_cast<uint32_t>(GUNYAH_VCPU_EXIT_MMIO)) << "the mapping stays";
    EXPECT_GT(module_users(), 0);
  }
  EXPECT_TRUE(before.restored());
}

TEST(GunyahRun, Statement32_VmClosedWhileTheGuestRuns) {
  Baseline before;
  {
    GunyahGuest g;
    g.boot(A64Code().spin());
    Runner r(running(g.vcpu()));
    EXPECT_TRUE(r.blocks());
    g.vm().close();
    g.vcpu().close();
    g.vcpu().mapping().reset();
    EXPECT_TRUE(r.blocks()) << "the call holds the file";
    r.signal();
    EXPECT_EQ(r.result(), fails(EINTR));
  }
  EXPECT_TRUE(before.restored());
}

TEST(GunyahRun, Statement32_ForkedChildKeepsTheVm) {
  Baseline before;
  {
    GuestMemory* memory;
    GunyahDevice d;
    Child* child;
    {
      GunyahGuest g;
      g.boot(A64Code().spin());
      child = new Child([] { return true; });
      ASSERT_TRUE(child->ready());
      memory = new GuestMemory(d, 4096);
    }
    EXPECT_GT(module_users(), 2) << "the child's descriptors and mappings";
    delete child;
    delete memory;
  }
  EXPECT_TRUE(before.restored());
}

TEST(GunyahRun, Statement37_StartRacesRun) {
  for (int i = 0; i < 100; ++i) {
    GunyahGuest g;
    g.load(A64Code().mov(1, 0x1000).str(3, 1, 1).spin());
    Runner r([fd = g.vcpu().fd()] {
      Result result;
      do {
        result = call(fd, GUNYAH_VCPU_RUN, 0);
      } while (result == fails(ENODEV));
      return result;
    });
    ASSERT_EQ(g.start(), ok);
    ASSERT_EQ(r.result(), ok);
    ASSERT_EQ(g.vcpu().page().exit_reason, static_cast<uint32_t>(GUNYAH_VCPU_EXIT_MMIO)) << "round " << i;
  }
}

TEST(GunyahRun, Statement37_ManyStarters) {
  GunyahGuest g;
  g.load(A64Code().mov(1, 0x1000).str(3, 1, 1).spin());
  std::vector<std::unique_ptr<Runner>> starters;
  for (int i = 0; i < 4; ++i) starters.push_back(std::make_unique<Runner>([&] { return g.start(); }));
  for (auto& s : starters) EXPECT_EQ(s->result(), ok);
  EXPECT_TRUE(g.vcpu().mmio());
}

TEST(GunyahRun, LateVcpuIsAttachedAtOnce) {
  GunyahGuest g;
  EXPECT_EQ(g.vm().remove_vcpu(0), ok);
  g.boot(A64Code().mov(1, 0x1000).str(3, 1, 1).spin());
  Fd fd(g.vm().add_vcpu(0).value);
  ASSERT_TRUE(fd);
  GunyahVcpu v(std::move(fd));
  EXPECT_EQ(v.mmio(), store(0x1000, 8, 0x1000));
}

TEST(GunyahRun, KilledVmm) {
  Baseline before;
  for (int i = 0; i < 3; ++i) {
    Child child([] {
      auto* g = new GunyahGuest(2);
      g->load(A64Code().wfi().word(0x17ffffff), 0x3000);
      g->boot(A64Code().psci(kPsciCpuOn, 1, GunyahGuest::kBase + 0x3000).spin());
      auto* a = new Runner(running(g->vcpu(0)));
      auto* b = new Runner(running(g->vcpu(1)));
      return a->blocks() && b->blocks();
    });
    ASSERT_TRUE(child.ready());
    child.kill();
  }
  EXPECT_TRUE(before.restored());
}

TEST(GunyahRun, SixteenVms) {
  Baseline before;
  {
    std::vector<std::unique_ptr<GunyahGuest>> guests;
    std::vector<std::unique_ptr<Runner>> runners;
    for (int i = 0; i < 16; ++i) {
      guests.push_back(std::make_unique<GunyahGuest>());
      guests.back()->boot(A64Code().spin());
      runners.push_back(std::make_unique<Runner>(running(guests.back()->vcpu())));
    }
    for (auto& r : runners) EXPECT_TRUE(r->blocks());
    for (auto& r : runners) {
      r->signal();
      EXPECT_EQ(r->result(), fails(EINTR));
    }
  }
  EXPECT_TRUE(before.restored());
}

TEST(GunyahRun, TwentyLivesLeaveNoMemory) {
  const auto life = [] {
    GunyahGuest g(4);
    GuestMemory m(g.device(), 4 << 20);
    const std::vector<std::byte> ones(4 << 20, std::byte{1});
    m.write(0, ones);
    ASSERT_EQ(g.vm().map(m, 0x90000000, kLend | kRwx), ok);
    g.boot(A64Code().mov(1, 0x90000000).str(3, 1, 1).mov(1, 0x1000).str(3, 1, 1).spin());
    EXPECT_TRUE(g.vcpu().mmio());
  };
  for (int i = 0; i < 5; ++i) life();
  const int64_t before = available_bytes();
  for (int i = 0; i < 20; ++i) life();
  EXPECT_TRUE(eventually([&] { return before - available_bytes() < (40 << 20); })) << before - available_bytes() << " bytes fewer";
}

// Mappings come and go, functions come and go, everybody runs: whatever the calls return, nothing hangs and nothing stays.
TEST(GunyahRun, Stress) {
  Baseline before;
  {
    GunyahGuest g(2);
    GuestMemory m(g.device(), 1 << 20);
    g.load_vectors();
    g.load(A64Code().mov(1, 0x90000000).ldr(3, 0, 1).str(3, 0, 1).mov(2, 0x1000).str(3, 0, 2).jump_to_start(), 0x3000);
    g.boot(A64Code().mov(9, GunyahGuest::kBase + GunyahGuest::kVectors).msr_vbar(9).isb()
               .psci(kPsciCpuOn, 1, GunyahGuest::kBase + 0x3000).mov(1, GunyahGuest::kBase + 0x3000).branch_register(1));
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    const auto repeat = [&](auto f) {
      threads.emplace_back([&stop, f] {
        while (!stop) f();
      });
    };
    for (unsigned i = 0; i < 2; ++i) {
      repeat([&g, i] {
        call(g.vcpu(i).fd(), GUNYAH_VCPU_RUN, 0);
        g.vcpu(i).page().mmio.resume_action = GUNYAH_VCPU_RESUME_HANDLED;
      });
    }
    repeat([&] {
      g.vm().map(m, 0x90000000, kShare | kRwx);
      g.vm().map(m, 0x90000000, kShare | kRwx | GUNYAH_MEM_UNMAP, 0, 4096);
      g.vm().map(m, 0x90001000, kShare | kRwx | GUNYAH_MEM_UNMAP, 4096, m.size() - 4096);
    });
    repeat([&] {
      Mapping host = m.map(0, 8192);
      host.as<uint8_t>()[0] = 1;
    });
    repeat([&] {
      for (unsigned i = 0; i < 2; ++i) g.vcpu(i).immediate_exit() = 1;
      std::this_thread::sleep_for(1ms);
      for (unsigned i = 0; i < 2; ++i) g.vcpu(i).immediate_exit() = 0;
      std::this_thread::sleep_for(1ms);
    });
    std::this_thread::sleep_for(kStorm);
    g.vm().remove_vcpu(1);
    Fd again(g.vm().add_vcpu(1).value);
    stop = true;
    g.vm().remove_vcpu(0);
    for (auto& t : threads) t.join();
  }
  EXPECT_TRUE(before.restored());
}

}  // namespace mv::glue
