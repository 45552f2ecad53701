// SPDX-License-Identifier: MIT
// What a plugin can ask for that costs the host memory, or brings it to an end.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
#include <thread>

#include "plugin/host/gate.h"
#include "plugin/host/main_session.h"
#include "vmm/loop/device_loop.h"

// Something else that happens right then.
static void (*behind_lseek)(int fd) = nullptr;
static std::atomic<void (*)(int fd)> before_preadv2 = nullptr;

extern "C" ssize_t preadv2(int fd, const iovec* places, int n, off_t offset, int flags) {
  if (const auto then = before_preadv2.load()) then(fd);
  return syscall(SYS_preadv2, fd, places, n, offset, offset, flags);
}

extern "C" off_t lseek(int fd, off_t offset, int whence) noexcept {
  const off_t at = syscall(SYS_lseek, fd, offset, whence);
  if (behind_lseek) behind_lseek(fd);
  return at;
}

namespace mv::test {
namespace {

using plugin::MachineState;

std::unique_ptr<plugin::Machine> machine_of(unsigned vcpus) { return plugin::make_inproc_machine(vcpus); }

size_t resident_pages() {
  std::ifstream in("/proc/self/statm");
  size_t all = 0, resident = 0;
  in >> all >> resident;
  return resident;
}

// Sparse files are as long as anybody likes.
TEST(PluginHostile, MemoryThatIsOnlyLongCostsNothing) {
#ifdef __SANITIZE_THREAD__
  constexpr size_t kBytes = size_t{1} << 38;  // the race detector leaves a program no more than a TiB or two
#else
  constexpr size_t kBytes = size_t{16} << 40;
#endif
  const Mapping far(kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, "memory that is long");
  const auto machine = machine_of(1);
  const size_t before = resident_pages();
  for (const bool logged : {false, true}) {
    ASSERT_EQ(machine->add_memory(1, 0, {far.as<std::byte>(), kBytes}, false, logged), 0);
    EXPECT_LT(resident_pages(), before + 1024) << (logged ? "logged" : "not logged");
    ASSERT_EQ(machine->remove_memory(1), 0);
  }
}

TEST(PluginHostile, InterruptsThatComeAndGoLeaveNothing) {
  const auto machine = machine_of(1);
  const Fd trigger(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), resample(eventfd(0, EFD_CLOEXEC));
  const auto cycle = [&](uint32_t gsi) {
    ASSERT_EQ(machine->add_irq_event(1, gsi, trigger.get(), resample.get()), 0);
    ASSERT_EQ(machine->remove_irq_event(1), 0);
  };
  const auto cycles = [&](uint32_t from) {
    for (uint32_t gsi = from; gsi < from + 2000; ++gsi) {
      cycle(gsi);
      if (gsi % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // what is cancelled goes on the loop's thread
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return mallinfo2().uordblks;
  };
  cycles(100000);
  const size_t before = cycles(200000);
  EXPECT_LT(cycles(300000), before + 32 * 2000);
}

TEST(PluginHostile, RangesHaveAnEnd) {
  plugin::Ranges ranges;
  int error = 0;
  uint64_t n = 0;
  while (!(error = ranges.reserve(plugin::Space::mmio, 2 * n, 1, false)) && n < 1000000) ++n;
  EXPECT_EQ(error, -ENOSPC);
  EXPECT_EQ(n, 65536u);
  EXPECT_EQ(ranges.reserve(plugin::Space::mmio, 0, 0, false), 0);
  EXPECT_EQ(ranges.reserve(plugin::Space::mmio, 1, 1, false), 0) << "one was given back";
}

TEST(PluginHostile, AClockMayBeAnything) {
  const auto machine = machine_of(1);
  for (const uint64_t at : {uint64_t{0}, uint64_t{1} << 63, ~uint64_t{0}, uint64_t{INT64_MAX}}) {
    kvm_clock_data clock = {};
    clock.clock = at;
    ASSERT_EQ(machine->set_state(MachineState::clock, std::as_bytes(std::span(&clock, 1))), 0);
    ASSERT_EQ(machine->get_state(MachineState::clock, std::as_writable_bytes(std::span(&clock, 1))), 0);
    EXPECT_LT(clock.clock - at, 10000000000u) << at;
  }
}

// As many as KVM takes.
TEST(PluginHostile, CpuidHasAnEnd) {
  const auto machine = machine_of(1);
  EXPECT_EQ(machine->vcpu(0).set_cpuid(std::vector<kvm_cpuid_entry2>(256)), 0);
  EXPECT_EQ(machine->vcpu(0).set_cpuid(std::vector<kvm_cpuid_entry2>(257)), -E2BIG);
}

// The plugin has the same descriptor: it may take back what it wrote, and make reads wait again.
TEST(PluginHostile, AnInterruptThatIsTakenBackHoldsNobodyUp) {
  const Fd trigger(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::atomic<int> rung = 0;
  static std::atomic<int> taken;
  taken = 0;
  DeviceLoop loop;
  const DeviceLoop::Watch watch(loop, trigger.get(), [&] { ++rung; });
  before_preadv2 = [](int fd) {
    uint64_t count;
    if (!taken) {
      EXPECT_EQ(read(fd, &count, sizeof(count)), static_cast<ssize_t>(sizeof(count)));
    }
    fcntl(fd, F_SETFL, 0);
    ++taken;
  };
  const auto trigger_and_wait = [&] {
    const int before = taken;
    const uint64_t one = 1;
    ASSERT_EQ(write(trigger.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
    for (int i = 0; i < 2000 && taken == before; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_EQ(taken, before + 1) << "the loop waits";
    std::promise<void> alive;
    loop.post([&] { alive.set_value(); });
    ASSERT_EQ(alive.get_future().wait_for(std::chrono::seconds(2)), std::future_status::ready);
  };
  trigger_and_wait();
  EXPECT_EQ(rung, 0);
  trigger_and_wait();
  EXPECT_EQ(rung, 1);
  before_preadv2 = nullptr;
}

// Memory that becomes shorter while it is looked at would end the host, with SIGBUS.
TEST(PluginHostile, MemoryThatShrinksInTimeIsRefused) {
  constexpr off_t kBytes = 1 << 16;
  const auto machine = machine_of(1);
  plugin::Shared shared;
  plugin::MainSession session(*machine, shared, {});
  wire::MainRequest create;
  create.mutable_create()->set_id(1);
  create.mutable_create()->mutable_memory()->set_length(kBytes);
  std::vector<Fd> fds;
  fds.emplace_back(memfd_create("shrinks", MFD_ALLOW_SEALING | MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(fds[0].get(), kBytes), 0);
  behind_lseek = [](int fd) {
    behind_lseek = nullptr;
    EXPECT_EQ(ftruncate(fd, 0), 0);
    EXPECT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
  };
  plugin::MainReply reply;
  ASSERT_TRUE(session.serve(create.SerializeAsString(), std::move(fds), reply));
  EXPECT_EQ(behind_lseek, nullptr) << "the host looked";
  wire::MainResponse response;
  ASSERT_TRUE(response.ParseFromString(reply.bytes));
  EXPECT_EQ(response.error(), EINVAL);
}

TEST(PluginHostile, AnErrorWithTheGateClosedOpensIt) {
  plugin::Gate gate;
  EXPECT_THROW(gate.alone([] {}, []() -> int { throw std::bad_alloc(); }), std::bad_alloc);
  const auto entered = std::async(std::launch::async, [&] { gate.enter(); });
  EXPECT_EQ(entered.wait_for(std::chrono::seconds(2)), std::future_status::ready);
  if (entered.wait_for(std::chrono::seconds(0)) != std::future_status::ready) std::_Exit(1);  // it would be waited for
}

// Whatever goes wrong within a request is that request's error.
TEST(PluginHostile, AnErrorOfAnyKindIsAnAnswer) {
  const auto machine = machine_of(1);
  plugin::Shared shared;
  plugin::MainActions actions;
  actions.new_connection = []() -> int { throw std::bad_alloc(); };
  actions.shutdown_eventfd = []() -> int { throw std::runtime_error("x"); };
  plugin::MainSession session(*machine, shared, actions);
  const auto error_of = [&](std::string_view request) {
    plugin::MainReply reply;
    EXPECT_TRUE(session.serve(request, {}, reply));
    wire::MainResponse response;
    EXPECT_TRUE(response.ParseFromString(reply.bytes));
    return response.error();
  };
  EXPECT_EQ(error_of(std::string_view("\x1a\x00", 2)), ENOMEM);
  EXPECT_EQ(error_of(std::string_view("\x22\x00", 2)), EIO);
}

}  // namespace
}  // namespace mv::test
