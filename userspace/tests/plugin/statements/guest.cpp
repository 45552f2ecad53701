// SPDX-License-Identifier: MIT
// Statements about what a guest does and its plugin sees.
#include <unistd.h>

#include <atomic>
#include <thread>
#include <chrono>
#include <cstring>
#include <tuple>

#include "tests/plugin/statements/under_host.h"

namespace mv::test {
namespace {

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

PLUGIN_TEST(Statement15_WaitingEndsWithTheStart, 2) {
  Vm vm({END});
  std::atomic<bool> started = false;
  const auto first_event = [&](unsigned n) {
    crosvm_vcpu_event event;
    event.kind = 99;
    EXPECT_EQ(crosvm_vcpu_wait(vm.vcpu(n), &event), 0);
    EXPECT_TRUE(started) << n;
    EXPECT_EQ(event.kind, CROSVM_VCPU_EVENT_KIND_INIT) << n;
  };
  std::thread one(first_event, 0), other(first_event, 1);
  usleep(100000);
  started = true;
  EXPECT_EQ(crosvm_start(vm.get()), 0);
  one.join();
  other.join();
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

// The pipe holds 256 KiB; the guest writes more than that, and waits, before the plugin reads anything.
PLUGIN_TEST(Statement14_ABacklogLongerThanThePipeKeepsItsOrder, 1) {
  // mov dx, 500h; mov cx, 30000; again: mov ax, cx; out dx, ax; loop again
  Vm vm({0xba, 0x00, 0x05, 0xb9, 0x30, 0x75, 0x89, 0xc8, 0xef, 0xe2, 0xfb, END});
  ASSERT_EQ(crosvm_reserve_async_write_range(vm.get(), CROSVM_ADDRESS_SPACE_IOPORT, 0x500, 2), 0);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init();
  usleep(200000);
  unsigned next = 30000, wrong = 0;
  vm.serve_until_end([&](crosvm_vcpu_event& e) {
    uint16_t value = 0;
    std::memcpy(&value, e.io_access.data, e.io_access.length == 2 ? 2 : 0);
    wrong += value != next--;
  });
  EXPECT_EQ(next, 0u);
  EXPECT_EQ(wrong, 0u);
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

using Access = std::tuple<uint64_t, uint32_t, bool>;  // address, length, written
Access access_of(const crosvm_vcpu_event& e) { return {e.io_access.address, e.io_access.length, e.io_access.is_write != 0}; }

PLUGIN_TEST(Statement20_ARepeatedReadAcrossAPageLandsOnBoth, 1) {
  // cld; mov di, 4ff0h; mov cx, 32; mov dx, 500h; rep insb
  Vm vm({0xfc, 0xbf, 0xf0, 0x4f, 0xb9, 0x20, 0x00, 0xba, 0x00, 0x05, 0xf3, 0x6c, END});
  vm.reserve(0x500, 1);
  unsigned next = 0, low = 0;
  vm.run([&](crosvm_vcpu_event& e) {
    EXPECT_FALSE(next < 16 && next + e.io_access.length > 16) << "no event has bytes of two pages";
    for (uint32_t i = 0; i < e.io_access.length; ++i) e.io_access.data[i] = static_cast<uint8_t>(++next);
    low += next <= 16;
  });
  EXPECT_GT(low, 0u);
  for (unsigned i = 0; i < 32; ++i) ASSERT_EQ(vm.memory[0x4ff0 + i], i + 1) << i;
}

PLUGIN_TEST(Statement20_ARepeatedWriteIsOneEventForEachElement, 1) {
  // cld; mov si, 3000h; mov cx, 3; mov dx, 500h; rep outsw; then the same three to es:[0]: mov si, 3000h; xor di, di; mov cx, 3; rep movsw
  Vm vm({0xfc, 0xbe, 0x00, 0x30, 0xb9, 0x03, 0x00, 0xba, 0x00, 0x05, 0xf3, 0x6f, 0xbe, 0x00, 0x30, 0x31, 0xff, 0xb9, 0x03, 0x00, 0xf3, 0xa5, END});
  vm.reserve(0x500, 1);
  vm.reserve(0xd0000000, 0x1000, CROSVM_ADDRESS_SPACE_MMIO);
  for (unsigned i = 0; i < 6; ++i) vm.memory[0x3000 + i] = static_cast<uint8_t>(i + 1);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init(0, [](auto&, kvm_sregs& sregs) { sregs.es.base = 0xd0000000; });
  std::vector<Access> seen;
  std::vector<int> values;
  vm.serve_until_end([&](crosvm_vcpu_event& e) {
    seen.push_back(access_of(e));
    values.push_back(e.io_access.data[0] | e.io_access.data[1] << 8);
  });
  const Access port(0x500, 2, true);
  EXPECT_THAT(seen, testing::ElementsAre(port, port, port, Access(0xd0000000, 2, true), Access(0xd0000002, 2, true), Access(0xd0000004, 2, true)));
  EXPECT_THAT(values, testing::ElementsAre(0x201, 0x403, 0x605, 0x201, 0x403, 0x605));
}

PLUGIN_TEST(Statement20_AnAccessAcrossAPageIsTwoAndAChangeIsAReadAndAWrite, 1) {
  // mov eax, 44332211h; mov es:[0ffeh], eax; mov eax, es:[0ffeh]; mov [3000h], eax; inc byte es:[10h]
  Vm vm({0x66, 0xb8, 0x11, 0x22, 0x33, 0x44, 0x26, 0x66, 0xa3, 0xfe, 0x0f, 0x26, 0x66, 0xa1, 0xfe, 0x0f, 0x66, 0xa3, 0x00, 0x30,
         0x26, 0xfe, 0x06, 0x10, 0x00, END});
  vm.reserve(0xd0000000, 0x1000, CROSVM_ADDRESS_SPACE_MMIO);
  vm.reserve(0xd0001000, 0x1000, CROSVM_ADDRESS_SPACE_MMIO);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init(0, [](auto&, kvm_sregs& sregs) { sregs.es.base = 0xd0000000; });
  std::vector<Access> seen;
  uint8_t device[0x2000] = {};
  device[0x10] = 0x41;
  vm.serve_until_end([&](crosvm_vcpu_event& e) {
    seen.push_back(access_of(e));
    uint8_t* at = device + (e.io_access.address - 0xd0000000);
    if (e.io_access.is_write) std::memcpy(at, e.io_access.data, e.io_access.length);
    else std::memcpy(e.io_access.data, at, e.io_access.length);
  });
  EXPECT_THAT(seen, testing::ElementsAre(Access(0xd0000ffe, 2, true), Access(0xd0001000, 2, true), Access(0xd0000ffe, 2, false),
                                         Access(0xd0001000, 2, false), Access(0xd0000010, 1, false), Access(0xd0000010, 1, true)));
  EXPECT_EQ(std::memcmp(vm.memory + 0x3000, "\x11\x22\x33\x44", 4), 0);
  EXPECT_EQ(device[0x10], 0x42);
}

PLUGIN_TEST(Statement21_APauseOfATightLoopComesWithinATenthOfASecond, 1) {
  Vm vm({0xeb, 0xfe});  // jmp $
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init();
  for (int i = 0; i < 20; ++i) {
    usleep(5000);
    const auto start = std::chrono::steady_clock::now();
    ASSERT_EQ(crosvm_pause_vcpus(vm.get(), 1, &vm), 0);
    ASSERT_EQ(vm.wait().kind, CROSVM_VCPU_EVENT_KIND_PAUSED);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
    vm.resume();
  }
}

PLUGIN_TEST(Statement21_APauseDuringAnAccessComesAfterIt, 1) {
  // mov dx, 500h; in al, dx; mov [3000h], al
  Vm vm({0xba, 0x00, 0x05, 0xec, 0xa2, 0x00, 0x30, END});
  vm.reserve(0x500, 1);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init();
  crosvm_vcpu_event event = vm.wait();
  ASSERT_EQ(event.kind, CROSVM_VCPU_EVENT_KIND_IO_ACCESS);
  ASSERT_EQ(crosvm_pause_vcpus(vm.get(), 1, nullptr), 0);
  event.io_access.data[0] = 0x5a;
  vm.resume();
  ASSERT_EQ(vm.wait().kind, CROSVM_VCPU_EVENT_KIND_PAUSED);
  kvm_regs regs = {};
  ASSERT_EQ(crosvm_vcpu_get_regs(vm.vcpu(), &regs), 0);
  EXPECT_EQ(regs.rax & 0xff, 0x5au);
  EXPECT_EQ(regs.rip, Vm::kEntry + 4) << "behind the access, and no further";
  EXPECT_EQ(vm.memory[0x3000], 0);
  vm.resume();
  vm.serve_until_end();
  EXPECT_EQ(vm.memory[0x3000], 0x5a);
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

PLUGIN_TEST(Statement33_TheHiddenBaseCounts, 1) {
  Vm vm({0x26, 0xc6, 0x06, 0x05, 0x00, 0x55, END});  // mov byte es:[5], 55h
  const int fd = make_memfd(0x10000);
  crosvm_memory* high = nullptr;
  ASSERT_EQ(crosvm_create_memory(vm.get(), fd, 0, 0x10000, 0x10000, false, false, &high), 0);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init(0, [](auto&, kvm_sregs& sregs) {
    sregs.es.base = 0x12345;
    sregs.es.selector = 0;
  });
  vm.serve_until_end();
  char seen = 0;
  ASSERT_EQ(pread(fd, &seen, 1, 0x2345 + 5), 1);
  EXPECT_EQ(seen, 0x55);
}

PLUGIN_TEST(Statement33_AStackOfSixteenBitsWraps, 1) {
  // mov ax, 1234h; push ax (sp 0); mov [3000h], sp; pop bx; mov [3002h], sp; mov [3004h], bx
  Vm vm({0xb8, 0x34, 0x12, 0x50, 0x89, 0x26, 0x00, 0x30, 0x5b, 0x89, 0x26, 0x02, 0x30, 0x89, 0x1e, 0x04, 0x30, END});
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init(0, [](kvm_regs& regs, auto&) { regs.rsp = 0; });
  vm.serve_until_end();
  EXPECT_EQ(std::memcmp(vm.memory + 0xfffe, "\x34\x12", 2), 0);
  EXPECT_EQ(std::memcmp(vm.memory + 0x3000, "\xfe\xff\0\0\x34\x12", 6), 0);
}

PLUGIN_TEST(Statement33_AnInterruptPushesFlagsCsAndIp, 1) {
  Vm vm({0xf9, 0xcd, 0x20, END});        // stc; int 20h
  vm.code(0x80, {0x00, 0x20, 0x00, 0x00});
  vm.code(0x2000, {0xcf});               // iret
  vm.memory[0x7ffe] = vm.memory[0x7fff] = 0xee;
  vm.run();
  const auto word = [&](unsigned at) { return vm.memory[at] | vm.memory[at + 1] << 8; };
  EXPECT_EQ(word(0x7ffa), 0x1003) << "IP behind the instruction";
  EXPECT_EQ(word(0x7ffc), 0) << "CS";
  EXPECT_EQ(word(0x7ffe) & 0x303, 0x003) << "FLAGS with carry, without TF and IF";
}

}  // namespace
}  // namespace mv::test
