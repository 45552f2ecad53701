// SPDX-License-Identifier: MIT
// Statements about what a guest does and its plugin sees.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <random>
#include <thread>

#include "tests/plugin/statements/under_host.h"

namespace mv::test {
namespace {

#define END 0xba, 0x00, 0x06, 0xee, 0xf4 /* mov dx, 600h; out dx, al; hlt */

// Seconds until the descriptor can be read, at most `most`.
bool readable(int fd, int milliseconds) {
  pollfd p = {fd, POLLIN, 0};
  return poll(&p, 1, milliseconds) == 1;
}

uint64_t count_of(int event) {
  uint64_t n = 0;
  return readable(event, 1000) && read(event, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

PLUGIN_TEST(Statement11_WhatNobodyServesReadsAsZero, 1) {
  // mov dx, 123h; mov al, ffh; in al, dx; mov [3000h], al; out dx, al
  Vm vm({0xba, 0x23, 0x01, 0xb0, 0xff, 0xec, 0xa2, 0x00, 0x30, 0xee, END});
  vm.memory[0x3000] = 0xaa;
  vm.run([](auto&) { ADD_FAILURE() << "an event"; });
  EXPECT_EQ(vm.memory[0x3000], 0);
}

PLUGIN_TEST(Statement12_AnAccessBelongsToTheRangeItBeginsIn, 1) {
  // mov dx, 500h; mov eax, 11223344h; out dx, eax; dec dx; out dx, eax
  Vm vm({0xba, 0x00, 0x05, 0x66, 0xb8, 0x44, 0x33, 0x22, 0x11, 0x66, 0xef, 0x4a, 0x66, 0xef, END});
  vm.reserve(0x500, 1);
  int events = 0;
  vm.run([&](crosvm_vcpu_event& e) {
    ++events;
    EXPECT_EQ(e.io_access.length, 4u);
    EXPECT_EQ(std::memcmp(e.io_access.data, "\x44\x33\x22\x11", 4), 0);
  });
  EXPECT_EQ(events, 1);
}

PLUGIN_TEST(Statement13_AsynchronousWritesComeInOrderAndStopNobody, 1) {
  // mov dx, 500h; mov al, 1; out dx, al; inc ax; out dx, al; inc ax; out dx, al; in al, dx; mov [3000h], al
  Vm vm({0xba, 0x00, 0x05, 0xb0, 0x01, 0xee, 0x40, 0xee, 0x40, 0xee, 0xec, 0xa2, 0x00, 0x30, END});
  ASSERT_EQ(crosvm_reserve_async_write_range(vm.get(), CROSVM_ADDRESS_SPACE_IOPORT, 0x500, 1), 0);
  vm.memory[0x3000] = 0xaa;
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init();
  usleep(50000);  // all are out before the first is read
  std::vector<int> seen;
  vm.serve_until_end([&](crosvm_vcpu_event& e) {
    EXPECT_EQ(e.io_access.no_resume, 1);
    seen.push_back(e.io_access.data[0]);
  });
  EXPECT_THAT(seen, testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(vm.memory[0x3000], 0) << "reads of such a range are nobody's";
  EXPECT_EQ(crosvm_reserve_range(vm.get(), CROSVM_ADDRESS_SPACE_IOPORT, 0x500, 0), 0);
}

PLUGIN_TEST(Statement15_NoGuestCodeBeforeEveryVcpuWasResumed, 2) {
  Vm vm({0xc6, 0x06, 0x00, 0x30, 0x55, END});  // mov byte [3000h], 55h
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init(0);
  usleep(100000);
  EXPECT_EQ(vm.memory[0x3000], 0);
  vm.init(1);
  vm.serve_until_end();
  EXPECT_EQ(vm.memory[0x3000], 0x55);
}

PLUGIN_TEST(Statement17_RegistersSetAreSeenAndTheLastSetWins, 1) {
  Vm vm({0xa2, 0x00, 0x30, END});  // mov [3000h], al
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  EXPECT_EQ(vm.wait().kind, CROSVM_VCPU_EVENT_KIND_INIT);
  kvm_regs regs = {}, seen;
  kvm_sregs sregs;
  ASSERT_EQ(crosvm_vcpu_get_regs(vm.vcpu(), &regs), 0);
  EXPECT_EQ(regs.rip, 0xfff0u);
  EXPECT_EQ(regs.rdx, 0x600u);
  ASSERT_EQ(crosvm_vcpu_get_sregs(vm.vcpu(), &sregs), 0);
  EXPECT_EQ(sregs.cr0, 0x60000010u);
  EXPECT_EQ(sregs.cs.base, 0xffff0000u);
  EXPECT_EQ(sregs.cs.type, 0xb);
  EXPECT_EQ(sregs.apic_base, 0xfee00900u);
  sregs.cs.base = sregs.cs.selector = 0;
  ASSERT_EQ(crosvm_vcpu_set_sregs(vm.vcpu(), &sregs), 0);
  regs.rip = Vm::kEntry;
  regs.rax = 0x11;
  ASSERT_EQ(crosvm_vcpu_set_regs(vm.vcpu(), &regs), 0);
  ASSERT_EQ(crosvm_vcpu_get_regs(vm.vcpu(), &seen), 0);
  EXPECT_EQ(seen.rax, 0x11u);
  regs.rax = 0x22;
  ASSERT_EQ(kill(getppid(), SIGSTOP), 0);
  EXPECT_EQ(crosvm_vcpu_set_regs(vm.vcpu(), &regs), 0) << "needs no host";
  ASSERT_EQ(kill(getppid(), SIGCONT), 0);
  vm.resume();
  vm.serve_until_end();
  EXPECT_EQ(vm.memory[0x3000], 0x22);
}

PLUGIN_TEST(Statement18_AHintBringsRegistersAlong, 1) {
  // mov dx, 500h; mov al, 11h; out dx, al; mov al, 12h; out dx, al
  Vm vm({0xba, 0x00, 0x05, 0xb0, 0x11, 0xee, 0xb0, 0x12, 0xee, END});
  vm.reserve(0x500, 1);
  crosvm_hint_detail detail = {};
  detail.match_rax = detail.send_sregs = true;
  detail.rax = 0x11;
  const crosvm_hint hint = {0, 0, CROSVM_ADDRESS_SPACE_IOPORT, CROSVM_HINT_ON_WRITE, 1, 0x500, &detail};
  ASSERT_EQ(crosvm_set_hypercall_hint(vm.get(), 1, &hint), 0);
  int events = 0;
  vm.run([&](crosvm_vcpu_event&) {
    kvm_regs regs = {};
    kvm_sregs sregs = {};
    ASSERT_EQ(kill(getppid(), SIGSTOP), 0);
    EXPECT_EQ(crosvm_vcpu_get_regs(vm.vcpu(), &regs), 0);
    EXPECT_EQ(events ? 0 : crosvm_vcpu_get_sregs(vm.vcpu(), &sregs), 0);
    ASSERT_EQ(kill(getppid(), SIGCONT), 0);
    EXPECT_EQ(regs.rax & 0xff, events ? 0x12u : 0x11u);
    EXPECT_EQ(regs.rdx, 0x500u);
    ++events;
  });
  EXPECT_EQ(events, 2);
}

PLUGIN_TEST(Statement19_WhatThePluginFillsInIsWhatTheGuestReads, 1) {
  // mov dx, 500h; in al, dx; mov [3000h], al; in ax, dx; mov [3010h], ax; in eax, dx; mov [3020h], eax;
  // mov eax, es:[0]; mov [3030h], eax; in eax, dx; mov [3040h], eax
  Vm vm({0xba, 0x00, 0x05, 0xec, 0xa2, 0x00, 0x30, 0xed, 0xa3, 0x10, 0x30, 0x66, 0xed, 0x66, 0xa3, 0x20, 0x30,
         0x26, 0x66, 0xa1, 0x00, 0x00, 0x66, 0xa3, 0x30, 0x30, 0x66, 0xed, 0x66, 0xa3, 0x40, 0x30, END});
  vm.reserve(0x500, 1);
  vm.reserve(0xd0000000, 0x1000, CROSVM_ADDRESS_SPACE_MMIO);
  std::memset(vm.memory + 0x3000, 0xaa, 0x50);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init(0, [](auto&, kvm_sregs& sregs) { sregs.es.base = 0xd0000000; });
  std::vector<uint32_t> lengths;
  vm.serve_until_end([&](crosvm_vcpu_event& e) {
    lengths.push_back(e.io_access.length);
    for (uint32_t i = 0; i < e.io_access.length; ++i) {
      EXPECT_EQ(e.io_access.data[i], 0);
      if (lengths.size() < 5) e.io_access.data[i] = static_cast<uint8_t>(0x10 * lengths.size() + i);
    }
  });
  EXPECT_THAT(lengths, testing::ElementsAre(1, 2, 4, 4, 4));
  EXPECT_EQ(std::memcmp(vm.memory + 0x3000, "\x10\xaa", 2), 0);
  EXPECT_EQ(std::memcmp(vm.memory + 0x3010, "\x20\x21\xaa", 3), 0);
  EXPECT_EQ(std::memcmp(vm.memory + 0x3020, "\x30\x31\x32\x33\xaa", 5), 0);
  EXPECT_EQ(std::memcmp(vm.memory + 0x3030, "\x40\x41\x42\x43\xaa", 5), 0);
  EXPECT_EQ(std::memcmp(vm.memory + 0x3040, "\0\0\0\0\xaa", 5), 0) << "not filled in: zero";
}

PLUGIN_TEST(Statement20_ALongRepeatedReadLosesNothing, 1) {
  // cld; mov di, 3000h; mov cx, 600; mov dx, 500h; rep insb
  Vm vm({0xfc, 0xbf, 0x00, 0x30, 0xb9, 0x58, 0x02, 0xba, 0x00, 0x05, 0xf3, 0x6c, END});
  vm.reserve(0x500, 1);
  unsigned next = 0;
  vm.run([&](crosvm_vcpu_event& e) {
    for (uint32_t i = 0; i < e.io_access.length; ++i) e.io_access.data[i] = static_cast<uint8_t>(next++ * 7);
  });
  EXPECT_EQ(next, 600u);
  for (unsigned i = 0; i < 600; ++i) ASSERT_EQ(vm.memory[0x3000 + i], static_cast<uint8_t>(i * 7)) << i;
}

PLUGIN_TEST(Statement21_PausesCoalesceToTheLast, 1) {
  Vm vm({0xeb, 0xfe});  // jmp $
  int a, b;
  EXPECT_EQ(crosvm_pause_vcpus(vm.get(), 1, &a), 0) << "before the start: nothing";
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init();
  usleep(20000);
  ASSERT_EQ(crosvm_pause_vcpus(vm.get(), 1 | 1ull << 63, &a), 0);
  crosvm_vcpu_event event = vm.wait();
  EXPECT_EQ(event.kind, CROSVM_VCPU_EVENT_KIND_PAUSED);
  EXPECT_EQ(event.user, &a);
  ASSERT_EQ(crosvm_pause_vcpus(vm.get(), 1, &a), 0);
  ASSERT_EQ(crosvm_pause_vcpus(vm.get(), 1, &b), 0);
  vm.resume();
  event = vm.wait();
  EXPECT_EQ(event.user, &b);
  // patched: the loop's end
  vm.code(Vm::kEntry, {END});
  vm.resume();
  vm.serve_until_end([](crosvm_vcpu_event& e) { ADD_FAILURE() << "event " << e.kind; });
}

PLUGIN_TEST(Statement22_WritesToReadOnlyMemoryAreDeviceAccesses, 1) {
  // mov byte es:[0], 55h; mov al, es:[0]; mov [3000h], al; mov byte es:[1000h], 66h
  Vm vm({0x26, 0xc6, 0x06, 0x00, 0x00, 0x55, 0x26, 0xa0, 0x00, 0x00, 0xa2, 0x00, 0x30, 0x26, 0xc6, 0x06, 0x00, 0x10, 0x66, END});
  const int fd = make_memfd(0x2000);
  ASSERT_EQ(pwrite(fd, "\x77", 1, 0), 1);
  crosvm_memory* rom = nullptr;
  ASSERT_EQ(crosvm_create_memory(vm.get(), fd, 0, 0x2000, 0x20000, true, false, &rom), 0);
  vm.reserve(0x20000, 0x1000, CROSVM_ADDRESS_SPACE_MMIO);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init(0, [](auto&, kvm_sregs& sregs) { sregs.es.base = 0x20000; });
  int writes = 0;
  vm.serve_until_end([&](crosvm_vcpu_event& e) {
    ++writes;
    EXPECT_EQ(e.io_access.address, 0x20000u);
    EXPECT_EQ(e.io_access.is_write, 1);
    EXPECT_EQ(e.io_access.data[0], 0x55);
  });
  EXPECT_EQ(writes, 1) << "the second is to no range";
  EXPECT_EQ(vm.memory[0x3000], 0x77);
  char now[2];
  ASSERT_EQ(pread(fd, now, 1, 0) + pread(fd, now + 1, 1, 0x1000), 2);
  EXPECT_EQ(std::memcmp(now, "\x77\0", 2), 0);
}

PLUGIN_TEST(Statement23_TheDirtyLogHasTheGuestsPagesOnly, 1) {
  // mov byte es:[1000h], 55h; mov byte es:[8fffh], 66h
  Vm vm({0x26, 0xc6, 0x06, 0x00, 0x10, 0x55, 0x26, 0xc6, 0x06, 0xff, 0x8f, 0x66, END});
  const int fd = make_memfd(65 * 4096);
  crosvm_memory* logged = nullptr;
  ASSERT_EQ(crosvm_create_memory(vm.get(), fd, 0, 65 * 4096, 0x100000, false, true, &logged), 0);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init(0, [](auto&, kvm_sregs& sregs) { sregs.es.base = 0x100000; });
  vm.serve_until_end();
  ASSERT_EQ(pwrite(fd, "x", 1, 3 * 4096), 1) << "the plugin's own stores do not count";
  uint8_t log[10];
  std::memset(log, 0xee, sizeof(log));
  ASSERT_EQ(crosvm_memory_get_dirty_log(vm.get(), logged, log), 0);
  EXPECT_THAT(log, testing::ElementsAre(0x02, 0x01, 0, 0, 0, 0, 0, 0, 0, 0xee));
  ASSERT_EQ(crosvm_memory_get_dirty_log(vm.get(), logged, log), 0);
  EXPECT_THAT(log, testing::ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 0xee));
  EXPECT_EQ(crosvm_memory_get_dirty_log(vm.get(), vm.object, log), -ENOENT) << "made without";
  char seen;
  ASSERT_EQ(pread(fd, &seen, 1, 0x8fff), 1);
  EXPECT_EQ(seen, 0x66);
}

PLUGIN_TEST(Statement24_AnIoEventTakesItsWritesFromThePlugin, 1) {
  // mov dx, 500h; mov ax, 88h; out dx, al; out dx, al; out dx, ax; inc ax; out dx, al; in al, dx
  Vm vm({0xba, 0x00, 0x05, 0xb8, 0x88, 0x00, 0xee, 0xee, 0xef, 0x40, 0xee, 0xec, 0xb0, 0x88, 0xee, END});
  vm.reserve(0x500, 1);
  const uint8_t match = 0x88, other_match = 0x99;
  crosvm_io *io = nullptr, *again = nullptr, *other = nullptr;
  ASSERT_EQ(crosvm_create_io_event(vm.get(), CROSVM_ADDRESS_SPACE_IOPORT, 0x500, 1, &match, &io), 0);
  EXPECT_EQ(crosvm_create_io_event(vm.get(), CROSVM_ADDRESS_SPACE_IOPORT, 0x500, 1, &match, &again), -EEXIST);
  EXPECT_EQ(crosvm_create_io_event(vm.get(), CROSVM_ADDRESS_SPACE_IOPORT, 0x500, 0, nullptr, &again), -EEXIST) << "any value holds that one";
  EXPECT_EQ(crosvm_create_io_event(vm.get(), CROSVM_ADDRESS_SPACE_IOPORT, 0x500, 1, &other_match, &other), 0);
  std::vector<std::pair<uint32_t, int>> seen;
  vm.run([&](crosvm_vcpu_event& e) {
    if (!e.io_access.is_write) {
      EXPECT_EQ(count_of(crosvm_io_event_fd(io)), 2u);
      EXPECT_EQ(crosvm_destroy_io_event(vm.get(), &io), 0);
    } else {
      seen.emplace_back(e.io_access.length, e.io_access.data[0]);
    }
  });
  using Seen = std::pair<uint32_t, int>;
  EXPECT_THAT(seen, testing::ElementsAre(Seen(2, 0x88), Seen(1, 0x89), Seen(1, 0x88))) << "other width, other value, destroyed";
}

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

// A guest that can handle nothing: int3 without a table of interrupts.
void shut_down(Vm& vm) {
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init(0, [](auto&, kvm_sregs& sregs) { sregs.idt.limit = 0; });
}

PLUGIN_TEST(Statement27_ATripleFaultEndsTheMachine, 1) {
  Vm vm({0xcc});
  const int end = crosvm_get_shutdown_eventfd(vm.get());
  ASSERT_GE(end, 0);
  shut_down(vm);
  EXPECT_TRUE(readable(end, 2000));
}

TEST(Plugin, Statement29_TheHostsExitCodeTellsHowThePluginEnded) {
  if (under_host()) GTEST_SKIP();
  EXPECT_EQ(run_mvmm({"--plugin", "/bin/true"}).code, 0) << "also without a start";
  EXPECT_EQ(run_mvmm({"--plugin", "/bin/false"}).code, 103);
  EXPECT_EQ(run_mvmm({"--plugin", "/bin/sh", "--params=-c", "--params", "exit 3"}).code, 103);
  EXPECT_EQ(run_mvmm({"--plugin", "/bin/sh", "--params=-c", "--params", "kill -SEGV $$"}).code, 103);
  EXPECT_EQ(run_mvmm({"--plugin", "/no/such/program"}).code, 2);
}

TEST(Plugin, Statement29_APluginThatDoesNotListenIsKilled) {
  if (under_host()) {
    Vm vm({0xcc});
    shut_down(vm);
    sleep(15);
    return;
  }
  const HostRun run = run_this_test_under_host(1);
  EXPECT_EQ(run.code, 103) << run.output;
  EXPECT_THAT(run.output, testing::HasSubstr("did not exit in time"));
  EXPECT_LT(run.seconds, 3.5);
}

// Inside: a guest that keeps its plugin busy, and a moment at which the plugin is no more.
void die_while_serving(unsigned microseconds) {
  std::thread([microseconds] {
    usleep(microseconds);
    kill(getpid(), SIGKILL);
  }).detach();
  Vm vm({0xba, 0x00, 0x05, 0xee, 0xeb, 0xfd});  // mov dx, 500h; again: out dx, al; jmp again
  vm.reserve(0x500, 1);
  vm.run();
}

TEST(Plugin, Statement29_APluginThatIsKilledEndsTheHost) {
  if (under_host()) return die_while_serving(static_cast<unsigned>(atoi(getenv("MV_MICROSECONDS"))));
  const char* given = getenv("MV_SEED");
  const unsigned seed = given ? static_cast<unsigned>(atoi(given)) : std::random_device{}();
  std::mt19937 random(seed);
  for (int i = 0; i < 60; ++i) {
    setenv("MV_MICROSECONDS", std::to_string(random() % 12000).c_str(), 1);
    const HostRun run = run_this_test_under_host(1);
    ASSERT_EQ(run.code, 103) << "MV_SEED=" << seed << ", run " << i << ": " << run.output;
    ASSERT_THAT(run.output, testing::HasSubstr("signal 9"));
    ASSERT_LT(run.seconds, 2.5);
  }
}

// Inside: the host dies while the plugin waits for its guest.
void outlive_the_host() {
  std::signal(SIGPIPE, SIG_DFL);
  Vm vm({0xeb, 0xfe});  // jmp $
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init();
  std::thread killer([host = getppid()] {
    usleep(50000);
    kill(host, SIGKILL);
  });
  crosvm_vcpu_event event;
  EXPECT_EQ(crosvm_vcpu_wait(vm.vcpu(), &event), -EPIPE);
  killer.join();
  EXPECT_EQ(crosvm_set_irq(vm.get(), 1, true), -EPIPE);
  EXPECT_EQ(crosvm_set_irq(vm.get(), 1, true), -EPIPE);
}

TEST(Plugin, Statement34_AHostThatIsKilledIsAnErrorForThePlugin) {
  if (under_host()) return outlive_the_host();
  const HostRun run = run_this_test_under_host(1);
  EXPECT_EQ(run.code, 137) << run.output;
  EXPECT_THAT(run.output, testing::HasSubstr("[  PASSED  ] 1 test"));
}

PLUGIN_TEST(Statement33_TheHiddenBaseCounts, 1) {
  // mov byte es:[5], 55h; push ax with sp = 0; mov al, ss:[fffeh]
  Vm vm({0x26, 0xc6, 0x06, 0x05, 0x00, 0x55, 0xb8, 0x34, 0x12, 0x50, END});
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init(0, [](kvm_regs& regs, kvm_sregs& sregs) {
    sregs.es.base = 0x2345;
    sregs.es.selector = 0;
    regs.rsp = 0;
  });
  vm.serve_until_end();
  EXPECT_EQ(vm.memory[0x2345 + 5], 0x55);
  EXPECT_EQ(std::memcmp(vm.memory + 0xfffe, "\x34\x12", 2), 0);
}

}  // namespace
}  // namespace mv::test
