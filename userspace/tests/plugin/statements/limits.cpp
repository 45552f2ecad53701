// SPDX-License-Identifier: MIT
// What a plugin may do in its sandbox: groups, system calls, descriptors; and where its vCPUs' threads are.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "tests/plugin/statements/in_sandbox.h"

namespace mv::test {
namespace {

TEST(PluginSandbox, GroupsAreThoseOfTheMap) {
  if (under_host()) {
    for (int fd = 3; fd < 64; ++fd) EXPECT_TRUE(fd == raw_socket() || fcntl(fd, F_GETFD) == -1) << fd;
    char nothing;
    EXPECT_EQ(read(0, &nothing, 1), 0);
    struct stat s = {};
    ASSERT_EQ(stat("/shared/file", &s), 0);
    EXPECT_EQ(s.st_gid, 42u);
    ASSERT_EQ(stat("/shared", &s), 0);
    EXPECT_EQ(s.st_gid, 0u) << "mvmm's own";
    std::ifstream in("/proc/self/gid_map");
    std::vector<unsigned> map{std::istream_iterator<unsigned>(in), {}};
    ASSERT_EQ(map.size(), 12u);
    EXPECT_THAT(std::vector(map.begin() + 3, map.end()), testing::ElementsAre(42, 4242, 1, 100, 5000, 2, 7, 7, 1));
    EXPECT_EQ(setgid(42), -1) << "no capability for it";
    return;
  }
  const Scratch scratch;
  const std::string file = scratch.write("file", "x"), list = scratch.write("list", "# groups\n100:5000:2\n7 # one\n");
  const bool may = chown(file.c_str(), static_cast<uid_t>(-1), 4242) == 0;
  const HostRun run = run_in_sandbox({"--plugin-mount", scratch.path().string() + ":/shared", "--plugin-gid-map", "42:4242", "--plugin-gid-map-file", list});
  if (may) return expect_passed(run);
  EXPECT_NE(run.code, 0) << "it takes CAP_SETGID";
  EXPECT_THAT(run.output, testing::HasSubstr("--plugin-gid-map: "));
}

TEST(PluginSandbox, SystemCallsThatNoPluginNeedsFail) {
  if (!under_host()) return expect_passed(run_in_sandbox());
  std::ifstream in("/proc/self/status");
  const std::string status{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(status, testing::HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(status, testing::HasSubstr("Seccomp:\t2"));
  errno = 0;
  EXPECT_EQ(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(syscall(SYS_userfaultfd, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(syscall(SYS_bpf, -1, nullptr, 0), -1);
  EXPECT_EQ(errno, EPERM) << "EINVAL were the kernel's";
  // namespaces by another door: in one of users, the plugin had all capabilities over the others
  for (const unsigned long kind : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP}) {
    const long child = syscall(SYS_clone, kind | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (!child) _exit(0);
    EXPECT_EQ(child, -1) << kind;
    EXPECT_EQ(errno, EPERM) << kind;
  }
  EXPECT_EQ(syscall(SYS_clone3, nullptr, 0), -1);
  EXPECT_EQ(errno, ENOSYS) << "its flags are in memory; C libraries go on with clone then";
  bool ran = false;
  std::thread([&] { ran = true; }).join();
  EXPECT_TRUE(ran);
}

// Inside: what becomes of making a directory.
void expect_mkdir_fails_with(int error) {
  errno = 0;
  EXPECT_EQ(mkdir("/tmp/new", 0700), error ? -1 : 0);
  EXPECT_EQ(errno, error);
}

TEST(PluginSandbox, APolicyRefusesByName) {
  if (under_host()) return expect_mkdir_fails_with(EXDEV);
  const Scratch scratch;
  scratch.write("plugin.policy", "# a policy\n@default allow\nmkdir: return EXDEV # not here\nread: 1\n");
  expect_passed(run_in_sandbox({"--seccomp-policy-dir", scratch.path().string()}));
}

TEST(PluginSandbox, APolicyLooksAtArguments) {
  const auto mkdir_as = [](mode_t mode) {
    errno = 0;
    return mkdir("/tmp/new", mode) ? errno : rmdir("/tmp/new");
  };
  if (under_host()) {
    EXPECT_EQ(mkdir_as(0700), 0);
    EXPECT_EQ(mkdir_as(0755), 0);
    EXPECT_EQ(mkdir_as(0777), EXDEV);
    EXPECT_EQ(rename("/tmp/1", "/tmp/2"), -1);
    EXPECT_EQ(errno, ENOENT) << "what is allowed to others, for the policy says nothing else";
    return;
  }
  const Scratch scratch;
  scratch.write("plugin.policy", "@default allow\nmkdir: arg1 == 0700 || arg1 > 0700 && arg1 < 0760; return EXDEV\nrename: arg0 == 1\n");
  expect_passed(run_in_sandbox({"--seccomp-policy-dir", scratch.path().string()}));
}

TEST(PluginSandbox, WhatAPolicyDoesNotNameEndsThePlugin) {
  if (under_host()) {
    mkdir("/tmp/new", 0700);
    return;
  }
  const Scratch scratch;
  scratch.write("plugin.policy", "@default allow\nmkdir: kill\n");
  const HostRun run = run_in_sandbox({"--seccomp-policy-dir", scratch.path().string()});
  EXPECT_EQ(run.code, 103);
  EXPECT_THAT(run.output, testing::HasSubstr("exited with code " + std::to_string(128 + SIGSYS)));
  scratch.write("plugin.policy", "read: 1\n");  // not even bubblewrap's last calls
  EXPECT_EQ(run_in_sandbox({"--seccomp-policy-dir", scratch.path().string()}).code, 103);
}

TEST(PluginSandbox, FailuresOfAPolicyAreLoggedOnly) {
  if (under_host()) return expect_mkdir_fails_with(0);
  const Scratch scratch;
  scratch.write("plugin.policy", "@default return EPERM\nmkdir: kill\nread: 1\n");
  expect_passed(run_in_sandbox({"--seccomp-policy-dir", scratch.path().string(), "--seccomp-log-failures"}));
}

TEST(PluginSandbox, ACompiledPolicyComesFirst) {
  if (under_host()) return expect_mkdir_fails_with(ENOTTY);
  const Scratch scratch;
  const sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  scratch.write("plugin.policy", "nonsense\n");
  scratch.write("plugin.bpf", std::string(reinterpret_cast<const char*>(program), sizeof(program)));
  expect_passed(run_in_sandbox({"--seccomp-policy-dir", scratch.path().string()}));
}

TEST(PluginSandbox, APolicyThatCannotBeReadIsASentence) {
  if (under_host()) GTEST_SKIP();
  const Scratch scratch;
  const std::pair<const char*, const char*> bad[] = {{"read\n", ":1: valid is NAME: ACTION"},
                                                     {"\n# x\nioctl: arg1 == TCGETS\n", ":3: valid is a condition such as"},
                                                     {"ioctl: arg1 == 5; maybe\n", ":1: valid are 1, return ERRNO and kill"},
                                                     {"read: return EWHAT\n", ":1: valid are"},
                                                     {"read: return 4096\n", ":1: valid are"},
                                                     {"no_such_call: 1\n", "no_such_call is no system call"},
                                                     {"@default maybe\n", ":1: valid are"}};
  for (const auto& [text, why] : bad) {
    scratch.write("plugin.policy", text);
    const HostRun run = run_mvmm({"--plugin", "/bin/true", "--seccomp-policy-dir", scratch.path().string()});
    EXPECT_EQ(run.code, 2) << run.output;
    EXPECT_THAT(run.output, testing::HasSubstr(why));
  }
}

TEST(Plugin, HasManyDescriptors) {
  rlimit now = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
  if (under_host()) {
    EXPECT_EQ(now.rlim_cur, std::min<rlim_t>(32768, now.rlim_max));
    return;
  }
  const rlimit few = {256, now.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const HostRun run = run_this_test_under_host(1);
  setrlimit(RLIMIT_NOFILE, &now);
  EXPECT_EQ(run.code, 0) << run.output;
}

TEST(Plugin, HostAndVcpusGoIntoTheirControlGroup) {
  if (under_host()) {
    Vm vm({END});
    ASSERT_EQ(crosvm_start(vm.get()), 0);
    for (unsigned n = 0; n < 3; ++n) vm.init(n);
    vm.wait();
    return;
  }
  for (const char* file : {"tasks", "cgroup.threads"}) {
    const Scratch scratch;
    const fs::path list = scratch.write(file, "");
    std::vector<std::string> words = {"--plugin", this_program(), "--cpus", "3", "--vcpu-cgroup-path", scratch.path(), "--params",
                                      "--gtest_filter=Plugin.HostAndVcpusGoIntoTheirControlGroup"};
    const HostRun run = run_mvmm(words);
    EXPECT_EQ(run.code, 0) << run.output;
    std::ifstream in(list);
    const std::vector<int> threads{std::istream_iterator<int>(in), {}};
    EXPECT_EQ(threads.size(), 4u) << file;
    EXPECT_EQ(std::set<int>(threads.begin(), threads.end()).size(), 4u) << file;
  }
}

}  // namespace
}  // namespace mv::test
