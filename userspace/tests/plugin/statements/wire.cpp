// SPDX-License-Identifier: MIT
// Statements about connections, objects and ranges: what a plugin may send, and what it gets for it.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <dirent.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "tests/plugin/hex.h"
#include "tests/plugin/statements/under_host.h"

namespace mv::test {
namespace {

int another(int socket) {
  const std::vector<int> fds = fds_for(socket, "1a00");
  EXPECT_EQ(fds.size(), 1u);
  return fds.empty() ? -1 : fds[0];
}

int fds_of(pid_t pid) {
  DIR* d = opendir(("/proc/" + std::to_string(pid) + "/fd").c_str());
  int n = 0;
  while (d && readdir(d)) ++n;
  if (d) closedir(d);
  return n;
}

PLUGIN_TEST(Statement1_AnEmptyPacketDropsItsConnectionOnly, 1) {
  const int first = raw_socket(), second = another(first);
  EXPECT_EQ(raw(second, ""), "dropped");
  EXPECT_EQ(raw(first, "2a00"), "32020801") << "KVM_CAP_IRQCHIP";
}

PLUGIN_TEST(Statement2_APacketThatIsTooLongDropsItsConnection, 1) {
  const int first = raw_socket(), second = another(first), third = another(first);
  // an unknown field of the packet's size less its own four bytes
  EXPECT_EQ(raw(third, "a23ffc1f" + to_hex(std::string(4092, 'x'))), "0832") << "4096 bytes are taken";
  EXPECT_EQ(raw(second, "a23f8427" + to_hex(std::string(4996, 'x'))), "dropped");
  EXPECT_EQ(raw(first, "2a00"), "32020801");
}

PLUGIN_TEST(Statement3_GarbageDropsItsConnectionAndTheGuestRuns, 1) {
  const int second = another(raw_socket());
  Vm vm({0xba, 0x00, 0x06, 0xee, 0xf4});
  EXPECT_EQ(raw(second, "ffffffffff"), "dropped");
  vm.run();
}

PLUGIN_TEST(Statement4And5_ErrorsArePositiveAndASecondStartIsOne, 1) {
  const int s = raw_socket();
  EXPECT_EQ(raw(s, "920100"), "9a0100");
  EXPECT_EQ(raw(s, "920100"), "082c9a0100");
  EXPECT_EQ(raw(s, "520510f8071801"), "5a00") << "other requests go on";
  EXPECT_EQ(raw(s, "fa0700"), "0832") << "unknown: ENOTTY";
}

PLUGIN_TEST(Statement6_IdentifiersAreOneSpace, 1) {
  const int s = raw_socket(), second = another(s);
  EXPECT_EQ(raw(s, "0a06080122021001"), "1200");
  EXPECT_EQ(raw(s, "0a070801120310f807"), "08221200");
  EXPECT_EQ(raw(second, "0a06080122021001"), "08221200");
}

PLUGIN_TEST(Statement7_MemoryIsRefusedForTheseReasons, 1) {
  const int s = another(raw_socket());
  EXPECT_EQ(raw(s, "0a051a03188020"), "08121200") << "EBADF";
  crosvm* vm = nullptr;
  ASSERT_EQ(crosvm_connect(&vm), 0);
  crosvm_memory* m = nullptr;
  const int good = make_memfd(0x4000), unsealed = make_memfd(0x4000, false), file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(crosvm_create_memory(vm, unsealed, 0, 0x1000, 0, false, false, &m), -EPERM);
  EXPECT_EQ(crosvm_create_memory(vm, file, 0, 0x1000, 0, false, false, &m), -EINVAL);
  EXPECT_EQ(crosvm_create_memory(vm, good, ~0xfffull, 0x1000, 0, false, false, &m), -EOVERFLOW);
  EXPECT_EQ(crosvm_create_memory(vm, good, 0x4000, 0x1000, 0, false, false, &m), -EINVAL);
  EXPECT_EQ(crosvm_create_memory(vm, good, 0, 0, 0, false, false, &m), -EINVAL);
  EXPECT_EQ(crosvm_create_memory(vm, good, 0, 0x1000, 0x800, false, false, &m), -EINVAL);
  ASSERT_EQ(crosvm_create_memory(vm, good, 0, 0x2000, 0x1000, false, false, &m), 0);
  crosvm_memory* over = nullptr;
  EXPECT_EQ(crosvm_create_memory(vm, good, 0, 0x1000, 0x2000, false, false, &over), -EEXIST);
  EXPECT_EQ(over, nullptr);
}

PLUGIN_TEST(Statement8_NothingIsLostByFailureOrRepetition, 1) {
  crosvm* vm = nullptr;
  ASSERT_EQ(crosvm_connect(&vm), 0);
  const int good = make_memfd(0x4000), bad = make_memfd(0x4000, false);
  int before = 0;
  for (int i = 0; i < cycles(600); ++i) {  // more than there are slots
    if (i == 10) before = fds_of(getppid());
    crosvm_memory* m = nullptr;
    ASSERT_EQ(crosvm_create_memory(vm, bad, 0, 0x1000, 0x5000, false, false, &m), -EPERM);
    ASSERT_EQ(crosvm_create_memory(vm, good, 0, 0x1000, 0x5000, false, false, &m), 0) << i;
    crosvm_io* io = nullptr;
    ASSERT_EQ(crosvm_create_io_event(vm, CROSVM_ADDRESS_SPACE_IOPORT, 1, 0, nullptr, &io), 0);
    crosvm_irq* irq = nullptr;
    ASSERT_EQ(crosvm_create_irq_event(vm, 5, &irq), 0);
    ASSERT_EQ(crosvm_destroy_irq_event(vm, &irq), 0);
    ASSERT_EQ(crosvm_destroy_io_event(vm, &io), 0);
    ASSERT_EQ(crosvm_destroy_memory(vm, &m), 0);
  }
  // the last watches may still be on their way out
  for (int i = 0; i < 100 && fds_of(getppid()) > before; ++i) usleep(10000);
  EXPECT_GT(before, 5);
  EXPECT_LE(fds_of(getppid()), before);
}

size_t bytes_of(pid_t pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

// What the host holds after ten thousand objects of a kind is what it held after a few hundred.
void expect_no_growth(const std::function<void()>& cycle) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int kCycles = 1000;  // their own bookkeeping grows: only descriptors count
  constexpr size_t kBytes = 1ull << 30;
#else
  constexpr int kCycles = 10000;
  constexpr size_t kBytes = 512 << 10;
#endif
  const pid_t host = getppid();
  for (int i = 0; i < cycles(500); ++i) cycle();
  usleep(50000);
  const int fds = fds_of(host);
  const size_t bytes = bytes_of(host);
  for (int i = 0; i < cycles(kCycles) && !testing::Test::HasFailure(); ++i) cycle();
  for (int i = 0; i < 100 && fds_of(host) > fds; ++i) usleep(10000);  // the last may still be on their way out
  EXPECT_GT(fds, 5);
  EXPECT_LE(fds_of(host), fds);
  EXPECT_GT(bytes, 0u);
  EXPECT_LT(bytes_of(host), bytes + kBytes);
}

PLUGIN_TEST(TenThousandCyclesOfMemory, 1) {
  Vm vm;
  const int fd = make_memfd(0x4000);
  expect_no_growth([&] {
    crosvm_memory* m = nullptr;
    ASSERT_EQ(crosvm_create_memory(vm.get(), fd, 0, 0x4000, 0x100000, false, true, &m), 0);
    ASSERT_EQ(crosvm_destroy_memory(vm.get(), &m), 0);
  });
}

PLUGIN_TEST(TenThousandCyclesOfIoEvents, 1) {
  Vm vm;
  expect_no_growth([&] {
    crosvm_io* io = nullptr;
    ASSERT_EQ(crosvm_create_io_event(vm.get(), CROSVM_ADDRESS_SPACE_MMIO, 0xd0000000, 0, nullptr, &io), 0);
    ASSERT_EQ(crosvm_destroy_io_event(vm.get(), &io), 0);
  });
}

PLUGIN_TEST(TenThousandCyclesOfIrqEvents, 1) {
  Vm vm;
  int n = 0;
  expect_no_growth([&] {
    crosvm_irq* irq = nullptr;
    const uint64_t one = 1;
    ASSERT_EQ(crosvm_create_irq_event(vm.get(), static_cast<uint32_t>(n % 24), &irq), 0);
    if (n++ % 16 == 0) {
      ASSERT_EQ(write(crosvm_irq_event_get_fd(irq), &one, sizeof(one)), 8);
    }
    ASSERT_EQ(crosvm_destroy_irq_event(vm.get(), &irq), 0);
  });
}

PLUGIN_TEST(TenThousandCyclesOfRangesHintsAndRoutes, 1) {
  Vm vm;
  crosvm_irq_route routes[24] = {};
  for (uint32_t i = 0; i < 24; ++i) routes[i].irq_id = routes[i].irqchip.pin = i;
  for (auto& r : routes) r.irqchip.irqchip = 2;
  crosvm_hint_detail details[32] = {};
  const crosvm_hint hint = {0, 0, CROSVM_ADDRESS_SPACE_IOPORT, CROSVM_HINT_ON_WRITE, 32, 0x500, details};
  expect_no_growth([&] {
    ASSERT_EQ(crosvm_reserve_range(vm.get(), CROSVM_ADDRESS_SPACE_MMIO, 0xd0000000, 0x1000), 0);
    ASSERT_EQ(crosvm_set_hypercall_hint(vm.get(), 1, &hint), 0);
    ASSERT_EQ(crosvm_set_irq_routing(vm.get(), 24, routes), 0);
    ASSERT_EQ(crosvm_reserve_range(vm.get(), CROSVM_ADDRESS_SPACE_MMIO, 0xd0000000, 0), 0);
  });
}

PLUGIN_TEST(TenThousandCyclesOfConnections, 1) {
  Vm vm;
  expect_no_growth([&] {
    crosvm* other = nullptr;
    ASSERT_EQ(crosvm_new_connection(vm.get(), &other), 0);
    ASSERT_EQ(crosvm_set_irq(other, 100, true), 0);
    ASSERT_EQ(crosvm_destroy_connection(&other), 0);
  });
}

#ifndef __SANITIZE_ADDRESS__  // UBSan makes a pipe when it looks at an exception's type, and reports that there is none
// The host's descriptors run out: requests fail, the host lives, and what is given back can be had again.
PLUGIN_TEST(AHostWithoutDescriptorsSaysSo, 1) {
  Vm vm({END});
  const rlimit few = {64, 64};
  ASSERT_EQ(prlimit(getppid(), RLIMIT_NOFILE, &few, nullptr), 0);
  std::vector<crosvm*> connections(1, nullptr);
  int error = 0;
  while (connections.size() < 100 && !(error = crosvm_new_connection(vm.get(), &connections.back()))) connections.push_back(nullptr);
  EXPECT_EQ(error, -EMFILE);
  crosvm_irq* irq = nullptr;
  while (!(error = crosvm_create_irq_event(vm.get(), 4, &irq))) continue;  // how many fit depends on what the machine makes of them
  EXPECT_EQ(error, -EMFILE);
  crosvm_io* io = nullptr;
  while (!(error = crosvm_create_io_event(vm.get(), CROSVM_ADDRESS_SPACE_IOPORT, 0x500 + connections.size(), 0, nullptr, &io))) connections.push_back(nullptr);
  EXPECT_EQ(error, -EMFILE);
  for (crosvm*& c : connections) {
    if (c) crosvm_destroy_connection(&c);
  }
  usleep(50000);
  EXPECT_EQ(crosvm_create_irq_event(vm.get(), 4, &irq), 0);
  vm.run();
}
#endif

PLUGIN_TEST(Statement9_AnUnknownObjectCannotBeDestroyed, 1) { EXPECT_EQ(raw(raw_socket(), "12020807"), "08041a00"); }

PLUGIN_TEST(Statement10_RangesOfOneSpaceNeverOverlap, 1) {
  crosvm* vm = nullptr;
  ASSERT_EQ(crosvm_connect(&vm), 0);
  const uint32_t io = CROSVM_ADDRESS_SPACE_IOPORT, mmio = CROSVM_ADDRESS_SPACE_MMIO;
  EXPECT_EQ(crosvm_reserve_range(vm, io, 0x10, 0x10), 0);
  EXPECT_EQ(crosvm_reserve_range(vm, io, 0x0f, 2), -EPERM) << "one byte too many, at its top";
  EXPECT_EQ(crosvm_reserve_range(vm, io, 0x0f, 1), 0);
  EXPECT_EQ(crosvm_reserve_range(vm, io, 0x12, 1), -EPERM);
  EXPECT_EQ(crosvm_reserve_range(vm, io, 0x20, 5), 0);
  EXPECT_EQ(crosvm_reserve_range(vm, io, 0, 0x20), -EPERM);
  EXPECT_EQ(crosvm_reserve_range(vm, io, 0x12, 0), -ENOENT) << "no range has this start";
  EXPECT_EQ(crosvm_reserve_range(vm, io, ~0ull, 1), -EINVAL);
  EXPECT_EQ(crosvm_reserve_range(vm, mmio, 0x10, 0x10), 0);
  EXPECT_EQ(crosvm_reserve_async_write_range(vm, io, 0x10, 0), 0);
  EXPECT_EQ(crosvm_reserve_range(vm, io, 0x12, 1), 0);
}

PLUGIN_TEST(Statement16_OneWaitForTheFirstEventAndNothingBeforeIt, 1) {
  const std::vector<int> pipes = fds_for(raw_socket(), "8a0100");
  ASSERT_EQ(pipes.size(), 2u);
  EXPECT_EQ(raw(raw_socket(), "920100"), "9a0100");
  const auto say = [&](const char* hex) {
    const std::string bytes = from_hex(hex);
    EXPECT_EQ(write(pipes[0], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    char buffer[64];
    const ssize_t n = read(pipes[1], buffer, sizeof(buffer));
    return n < 0 ? std::string("error") : to_hex({buffer, static_cast<size_t>(n)});
  };
  EXPECT_EQ(say("1a00"), "03088e01") << "a state before the first event";
  EXPECT_EQ(say("0a00"), "0412020a00") << "which is still there";
  EXPECT_EQ(say("0a00"), "03088e01") << "once only";
  EXPECT_EQ(say("1a020805"), "0822060a0400000000") << "stopped: MP, runnable";
  EXPECT_EQ(say("fa0700"), "020832") << "unknown: ENOTTY";
  EXPECT_EQ(say("1a020863"), "04082c2200") << "set 99";
}

// A request is one field behind its length, so a part of it is known to be one.
PLUGIN_TEST(Statement14_ARequestMayComeInPieces, 1) {
  const std::vector<int> pipes = fds_for(raw_socket(), "8a0100");
  ASSERT_EQ(pipes.size(), 2u);
  EXPECT_EQ(raw(raw_socket(), "920100"), "9a0100");
  const auto say = [&](const std::string& bytes) { EXPECT_EQ(write(pipes[0], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size())); };
  const auto hear = [&] {
    char buffer[64];
    const ssize_t n = read(pipes[1], buffer, sizeof(buffer));
    return n < 0 ? std::string("error") : to_hex({buffer, static_cast<size_t>(n)});
  };
  say(from_hex("0a00"));
  EXPECT_EQ(hear(), "0412020a00");
  for (const char* byte : {"1a", "02", "08", "05"}) {
    say(from_hex(byte));
    usleep(20000);
  }
  EXPECT_EQ(hear(), "0822060a0400000000");
  // 30000 entries of an MSR: longer than a pipe hands over at once
  std::string entries;
  for (int i = 0; i < 30000; ++i) entries += from_hex("0a0508f4021007");
  std::string request("\x32", 1);
  size_t size = entries.size();
  for (; size >= 0x80; size >>= 7) request.push_back(static_cast<char>(size | 0x80));
  request.push_back(static_cast<char>(size));
  say(request + entries);
  EXPECT_EQ(hear(), "023a00");
  say(from_hex("2a040a02f402"));
  EXPECT_EQ(hear(), "053203" "0a0107") << "the MSR's value";
  say(from_hex("1a0208051a020805"));
  EXPECT_EQ(hear(), "0822060a0400000000" "0822060a0400000000") << "two at once";
}

PLUGIN_TEST(Statement35_ConnectionsOfTwoThreadsDoNotMix, 1) {
  crosvm *a = nullptr, *b = nullptr;
  ASSERT_EQ(crosvm_connect(&a), 0);
  ASSERT_EQ(crosvm_new_connection(a, &b), 0);
  const auto busy = [](crosvm* vm, uint64_t start) {
    for (int i = 0; i < 1700; ++i) {
      ASSERT_EQ(crosvm_reserve_range(vm, 0, start, 1), 0);
      ASSERT_EQ(crosvm_reserve_range(vm, 0, start, 1), -EPERM);
      ASSERT_EQ(crosvm_reserve_range(vm, 0, start, 0), 0);
      if (i % 50) continue;
      crosvm_io* io = nullptr;
      ASSERT_EQ(crosvm_create_io_event(vm, 0, start, 0, nullptr, &io), 0);
      ASSERT_GE(crosvm_io_event_fd(io), 0);
      ASSERT_EQ(crosvm_destroy_io_event(vm, &io), 0);
    }
  };
  std::thread other(busy, b, 0x100);
  busy(a, 0x200);
  other.join();
}

// Both make their objects at the same time; then the guest writes once for each of the one's, and twice for each of the other's.
PLUGIN_TEST(Statement35_DescriptorsGoToWhoAskedForThem, 1) {
  // mov dx, 100h; mov cx, 200; one: out dx, al; inc dx; loop one; mov dx, 200h; mov cx, 200; two: out dx, al; out dx, al; inc dx; loop two
  Vm vm({0xba, 0x00, 0x01, 0xb9, 0xc8, 0x00, 0xee, 0x42, 0xe2, 0xfc, 0xba, 0x00, 0x02, 0xb9, 0xc8, 0x00, 0xee, 0xee, 0x42, 0xe2, 0xfb, END});
  crosvm* second = nullptr;
  ASSERT_EQ(crosvm_new_connection(vm.get(), &second), 0);
  std::vector<crosvm_io*> ones(200), twos(200);
  const auto make = [](crosvm* connection, uint64_t start, std::vector<crosvm_io*>& all) {
    for (auto& io : all) ASSERT_EQ(crosvm_create_io_event(connection, 0, start++, 0, nullptr, &io), 0);
  };
  std::thread other([&] { make(second, 0x200, twos); });
  make(vm.get(), 0x100, ones);
  other.join();
  vm.run();
  for (crosvm_io* io : ones) EXPECT_EQ(count_of(crosvm_io_event_fd(io)), 1u);
  for (crosvm_io* io : twos) EXPECT_EQ(count_of(crosvm_io_event_fd(io)), 2u);
}

}  // namespace
}  // namespace mv::test
