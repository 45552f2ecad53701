// SPDX-License-Identifier: MIT
// Statements about how machines, plugins and hosts end.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <random>
#include <thread>

#include "tests/plugin/statements/under_host.h"

namespace mv::test {
namespace {

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

// Inside: MV_END is an exit code, or a signal as a negative number; there is neither a machine nor a start.
[[noreturn]] void end_as_asked() {
  const int how = atoi(getenv("MV_END"));
  if (how >= 0) _exit(how);
  std::signal(-how, SIG_DFL);
  kill(getpid(), -how);
  for (;;) pause();
}

TEST(Plugin, Statement29_TheHostsExitCodeTellsHowThePluginEnded) {
  if (under_host()) end_as_asked();
  const auto ends = [](int how) {
    setenv("MV_END", std::to_string(how).c_str(), 1);
    return run_this_test_under_host(1);
  };
  EXPECT_EQ(ends(0).code, 0) << "also without a start";
  EXPECT_EQ(ends(1).code, 103);
  HostRun run = ends(3);
  EXPECT_EQ(run.code, 103);
  EXPECT_THAT(run.output, testing::HasSubstr("exited with code 3"));
  run = ends(-SIGSEGV);
  EXPECT_EQ(run.code, 103);
  EXPECT_THAT(run.output, testing::HasSubstr("signal 11"));
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
  EXPECT_LT(run.seconds, on_kvm() ? 8 : 3.5) << "with time to try KVM, on a slow CPU";
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

int own_fds() {
  int n = 0;
  for ([[maybe_unused]] const auto& fd : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
  return n;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kKills = 30;  // each of their processes takes long to begin
#else
constexpr int kKills = 200;
#endif

// MV_KILLS: how many; for CPUs that are slow.
TEST(Plugin, Statement29_APluginThatIsKilledEndsTheHost) {
  if (under_host()) return die_while_serving(static_cast<unsigned>(atoi(getenv("MV_MICROSECONDS"))));
  const char *given = getenv("MV_SEED"), *kills = getenv("MV_KILLS");
  const unsigned seed = given ? static_cast<unsigned>(atoi(given)) : std::random_device{}();
  std::mt19937 random(seed);
  // whoever is left over becomes a child of this process
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const int fds = own_fds();
  double longest = 0;
  for (int i = 0; i < (kills ? atoi(kills) : kKills); ++i) {
    setenv("MV_MICROSECONDS", std::to_string(random() % 12000).c_str(), 1);
    const HostRun run = run_this_test_under_host(i % 4 ? 1 : 2);  // with two, the second keeps the first waiting
    ASSERT_EQ(run.code, 103) << "MV_SEED=" << seed << ", run " << i << ": " << run.output;
    ASSERT_THAT(run.output, testing::HasSubstr("signal 9"));
    ASSERT_LT(run.seconds, 2.5);
    ASSERT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a process is left over; MV_SEED=" << seed << ", run " << i;
    longest = std::max(longest, run.seconds);
  }
  EXPECT_EQ(own_fds(), fds);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  RecordProperty("longest_ms", static_cast<int>(longest * 1000));
  std::printf("longest run: %.0f ms\n", longest * 1000);
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

}  // namespace
}  // namespace mv::test
