// SPDX-License-Identifier: MIT
// ACRN: many VMs, many vCPUs, and what they cost.
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "glue/acrn_busy.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

using Clock = std::chrono::steady_clock;

TEST(AcrnMany, SixteenVmsOfFourVcpus) {
  Baseline before;
  {
    std::vector<std::unique_ptr<AcrnBusyVm>> vms;
    for (int i = 0; i < 16; ++i) vms.push_back(std::make_unique<AcrnBusyVm>("vm" + std::to_string(i), 4));
    EXPECT_THROW(AcrnVm("one too many"), std::system_error);
    for (auto& vm : vms) vm->serve();
    for (auto& vm : vms) EXPECT_TRUE(eventually([&] { return vm->all_seen() && vm->served() > 200; })) << vm->served();
    for (auto& vm : vms) EXPECT_EQ(vm->pause(), ok);
  }
  EXPECT_TRUE(before.restored());
}

TEST(AcrnMany, SixteenVcpus) {
  AcrnBusyVm vm("wide", 16);
  EXPECT_EQ(vm.vcpus(), 16u);
  vm.serve();
  EXPECT_TRUE(eventually([&] { return vm.all_seen(); }));
  EXPECT_EQ(vm.pause(), ok);
}

// Besides its RAM and the page it shares with its VMM: 4 vCPUs, the first one halted, the others waiting for their start.
TEST(AcrnMany, MemoryOfAnIdleVm) {
  constexpr int kVms = 6;
  { AcrnVm warm("warm", 0xf); }
  std::vector<std::unique_ptr<AcrnIrqVm>> vms;
  const int64_t before = kernel_bytes();
  for (int i = 0; i < kVms; ++i) {
    vms.push_back(std::make_unique<AcrnIrqVm>("idle" + std::to_string(i), 0xf));
    vms.back()->boot_waiting();
    EXPECT_TRUE(vms.back()->ready());
  }
  const int64_t each = (kernel_bytes() - before) / kVms;
  std::printf("memory of an idle VM with 4 vCPUs: %lld KiB besides its RAM\n", static_cast<long long>(each / 1024));
  RecordProperty("idle_vm_kib", static_cast<int>(each / 1024));
  EXPECT_GT(each, 32 * 1024) << "less than its vCPUs' stacks: the measure is wrong";
  EXPECT_LT(each, kernel_checks_memory() ? 512 * 1024 : 256 * 1024);
}

static double exits_per_second(unsigned vcpus) {
  AcrnBusyVm vm("rate", vcpus);
  vm.serve();
  EXPECT_TRUE(eventually([&] { return vm.all_seen(); }));
  const uint64_t first = vm.served();
  const auto start = Clock::now();
  std::this_thread::sleep_for(kWhile);
  const double rate = static_cast<double>(vm.served() - first) / std::chrono::duration<double>(Clock::now() - start).count();
  EXPECT_EQ(vm.pause(), ok);
  return rate;
}

TEST(AcrnMany, ExitsPerSecond) {
  for (unsigned vcpus : {1, 2, 4, 16}) {
    const double rate = exits_per_second(vcpus);
    std::printf("%2u vCPUs: %.0f exits a second\n", vcpus, rate);
    EXPECT_GT(rate, 0) << "how fast depends on the machine and on who else uses it";
  }
}

// What an access costs the guest: the same loop, once to a port that the VMM serves, once to one with an ioeventfd.
TEST(AcrnMany, IoeventfdCostsLessThanHalfOfAServedExit) {
  constexpr uint32_t kRounds = 500;
  AcrnIrqVm vm("cost");
  const Fd event(::eventfd(0, EFD_CLOEXEC));
  acrn_ioeventfd e{};
  e.fd = static_cast<uint32_t>(event.get());
  e.flags = ACRN_IOEVENTFD_FLAG_PIO;
  e.addr = 0x500;
  e.len = 4;
  ASSERT_EQ(vm.ioeventfd(e), ok);
  const auto loop = [](Flat32& c, uint16_t port) {
    const int low = port & 0xff, high = port >> 8;
    c.out8(0x90, 0).bytes({0xb9, kRounds & 0xff, kRounds >> 8, 0, 0, 0x66, 0xba, low, high, 0xef, 0xe2, 0xfd});
  };
  Flat32 code;
  for (int i = 0; i < 3; ++i) {
    loop(code, 0x600);
    loop(code, 0x500);
  }
  std::vector<Clock::time_point> marks;
  vm.boot_flat(code.out8(0x90, 0).bytes({0xf4}));
  while (marks.size() < 7 && vm.attach() == ok) {
    if (vm.processed() != ACRN_IOREQ_STATE_PROCESSING) continue;
    if (vm.slot().reqs.pio_request.address == 0x90) marks.push_back(Clock::now());
    vm.notify();
  }
  ASSERT_EQ(marks.size(), 7u);
  double served = 1e9, hit = 1e9;
  for (int i = 0; i < 3; ++i) {
    served = std::min(served, std::chrono::duration<double>(marks[2 * i + 1] - marks[2 * i]).count() / kRounds);
    hit = std::min(hit, std::chrono::duration<double>(marks[2 * i + 2] - marks[2 * i + 1]).count() / kRounds);
  }
  std::printf("served exit %.2f us, ioeventfd hit %.2f us: %.3f\n", served * 1e6, hit * 1e6, hit / served);
  EXPECT_LT(hit, served / 2);
}

}  // namespace mv::glue
