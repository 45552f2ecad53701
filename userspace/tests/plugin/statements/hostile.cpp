// SPDX-License-Identifier: MIT
// Plugins that mean harm: the host stays as it is, and ends when it should.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <filesystem>
#include <iterator>

#include "tests/plugin/hex.h"
#include "tests/plugin/statements/under_host.h"

namespace mv::test {
namespace {

double seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// The host would wait to say that this is the end, and nobody would end it.
TEST(PluginHostile, AFullShutdownEventfdHoldsNobodyUp) {
  if (under_host()) {
    Vm vm({0xeb, 0xfe});  // jmp $
    ASSERT_EQ(crosvm_start(vm.get()), 0);
    vm.init();
    const int end = crosvm_get_shutdown_eventfd(vm.get());
    ASSERT_EQ(fcntl(end, F_SETFL, 0), 0);
    const uint64_t full = ~uint64_t{1};
    ASSERT_EQ(write(end, &full, sizeof(full)), static_cast<ssize_t>(sizeof(full)));
    sleep(15);
    return;
  }
  const HostRun run = run_this_test_under_host(1);
  EXPECT_EQ(run.code, 103) << run.output;
  EXPECT_THAT(run.output, testing::HasSubstr("did not exit in time"));
  EXPECT_LT(run.seconds, on_kvm() ? 8 : 3.5);
}

// A guest's writes, of each of which the plugin's eventfd is told: one that takes no more keeps no vCPU.
TEST(PluginHostile, FullEventfdsHoldNobodyUp) {
  if (under_host()) {
    // mov dx, 100h; mov cx, 1000; again: out dx, al; loop again
    Vm vm({0xba, 0x00, 0x01, 0xb9, 0xe8, 0x03, 0xee, 0xe2, 0xfd, END});
    crosvm_io* io = nullptr;
    ASSERT_EQ(crosvm_create_io_event(vm.get(), CROSVM_ADDRESS_SPACE_IOPORT, 0x100, 0, nullptr, &io), 0);
    const uint64_t full = ~uint64_t{1};
    ASSERT_EQ(write(crosvm_io_event_fd(io), &full, sizeof(full)), static_cast<ssize_t>(sizeof(full)));
    vm.run();
    return;
  }
  const HostRun run = run_this_test_under_host(1);
  EXPECT_EQ(run.code, 0) << run.output;
}

// Inside: whoever is left of the plugin takes away what the host tells its own vCPUs.
void leave_a_thief() {
  const std::vector<int> pipes = fds_for(raw_socket(), "8a0100");
  ASSERT_EQ(pipes.size(), 2u);
  ASSERT_EQ(raw(raw_socket(), "920100"), "9a0100");
  if (!fork()) {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, raw_socket()}) close(fd);
    const int taken = open(("/proc/self/fd/" + std::to_string(pipes[0])).c_str(), O_RDONLY | O_NONBLOCK);
    char bytes[64];
    for (const double end = seconds() + 2; seconds() < end;) [[maybe_unused]] const ssize_t n = read(taken, bytes, sizeof(bytes));
    _exit(0);
  }
  usleep(200000);
  kill(getpid(), SIGKILL);
}

TEST(PluginHostile, AThiefOfTheHostsWordsKeepsNobody) {
  if (under_host()) return leave_a_thief();
  for (int i = 0; i < 3; ++i) {
    const HostRun run = run_this_test_under_host(1);
    ASSERT_EQ(run.code, 103) << run.output;
    ASSERT_LT(run.seconds, 15) << "else it takes for ever; the thieves keep a processor busy";
  }
}

// The connection is the price, and nobody else's.
PLUGIN_TEST(Hostile_AnswersThatNobodyReads, 1) {
  Vm vm;
  const std::vector<int> second = fds_for(raw_socket(), "1a00");
  ASSERT_EQ(second.size(), 1u);
  const std::string request = from_hex("6200");  // state of the first 8259
  ssize_t sent = 0;
  for (int i = 0; i < 100000 && sent >= 0; ++i) {
    sent = send(second[0], request.data(), request.size(), MSG_NOSIGNAL);
  }
  EXPECT_EQ(sent, -1);
  EXPECT_THAT(errno, testing::AnyOf(EPIPE, ECONNRESET));
  EXPECT_EQ(crosvm_set_irq(vm.get(), 3, false), 0);
}

// Requests are answered with the host's error for as long as it has no descriptors.
TEST(PluginHostile, ConnectionsWithoutEnd) {
  if (under_host()) {
    Vm vm;
    for (int round = 0; round < 2; ++round) {
      std::vector<crosvm*> all(1);
      int error;
      while (!(error = crosvm_new_connection(vm.get(), &all.back()))) all.push_back(nullptr);
      EXPECT_EQ(error, -EMFILE);
      EXPECT_GT(all.size(), 10u);
      EXPECT_EQ(crosvm_set_irq(vm.get(), 3, false), 0);
      for (crosvm*& c : all) {
        if (c) crosvm_destroy_connection(&c);
      }
      usleep(100000);  // until the host has seen it
    }
    return;
  }
  rlimit now = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
  const rlimit few = {100, now.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const HostRun run = run_this_test_under_host(1);
  setrlimit(RLIMIT_NOFILE, &now);
  EXPECT_EQ(run.code, 0) << run.output;
}

// With any request may come as many as a packet carries.
PLUGIN_TEST(Hostile_DescriptorsThatNobodyAskedFor, 1) {
  Vm vm;
  const auto fds_of_host = [] {
    const std::filesystem::directory_iterator all("/proc/" + std::to_string(getppid()) + "/fd");
    return std::distance(begin(all), end(all));
  };
  const auto before = fds_of_host();
  ASSERT_GT(before, 3);
  for (int i = 0; i < 300; ++i) ASSERT_EQ(raw(raw_socket(), "5a00", {0, 1, 2, 0}), "6200") << "the first GSI is low";
  EXPECT_EQ(fds_of_host(), before);
}

PLUGIN_TEST(Hostile_TheShutdownEventfdIsOneThatWaits, 1) {
  Vm vm;
  EXPECT_EQ(fcntl(crosvm_get_shutdown_eventfd(vm.get()), F_GETFL) & O_NONBLOCK, 0);
}

}  // namespace
}  // namespace mv::test
