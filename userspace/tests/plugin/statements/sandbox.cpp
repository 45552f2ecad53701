// SPDX-License-Identifier: MIT
// What a plugin sees in a sandbox, and of the network; where the machine lets bubblewrap make namespaces.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/plugin/statements/in_sandbox.h"

namespace mv::test {
namespace {

int processes() {
  int n = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) n += isdigit(entry.path().filename().c_str()[0]) != 0;
  return n;
}

int interfaces() {
  std::ifstream list("/proc/net/dev");
  int n = -2;  // two lines of headings
  for (std::string line; std::getline(list, line);) ++n;
  return n;
}

TEST(PluginSandbox, APluginSeesNothingOfTheHost) {
  if (!under_host()) {
    const Scratch scratch;
    const std::string secret = scratch.write("secret", "x");
    setenv("MV_SECRET", secret.c_str(), 1);
    std::vector<int> leaks;  // without FD_CLOEXEC, as a careless parent of mvmm has them
    for (const int fd : {4, 5, 6, 10}) {
      if (fcntl(fd, F_GETFD) == -1) leaks.push_back(dup2(0, fd));
    }
    expect_passed(run_in_sandbox());
    for (const int fd : leaks) close(fd);
    return;
  }
  for (const char* path : {static_cast<const char*>(getenv("MV_SECRET")), "/etc/passwd", "/home", "/root", "/sys", "/var", "/dev/kvm", "/dev/acrn_hsm"}) EXPECT_FALSE(fs::exists(path)) << path;
  EXPECT_EQ(open("/usr/mv-new", O_CREAT | O_WRONLY, 0600), -1);
  EXPECT_EQ(open("/mv-new", O_CREAT | O_WRONLY, 0600), -1);
  EXPECT_EQ(close(open("/tmp/mv-new", O_CREAT | O_WRONLY, 0600)), 0);
  EXPECT_LE(processes(), 3) << "itself and bubblewrap's";
  EXPECT_LT(getpid(), 10);
  EXPECT_EQ(interfaces(), 1) << "the loopback";
  EXPECT_EQ(getuid(), 0u);
  EXPECT_EQ(mkdir("/proc/sys/mv", 0700), -1);
  EXPECT_EQ(unshare(CLONE_NEWUTS), -1) << "no capabilities";
  EXPECT_EQ(lseek(0, 0, SEEK_CUR), 0) << "/dev/null";
  std::array<char, 2> nothing;
  EXPECT_EQ(read(0, nothing.data(), 1), 0);
  for (int fd = 3; fd < 64; ++fd) EXPECT_TRUE(fd == raw_socket() || fcntl(fd, F_GETFD) == -1) << fd;
}

TEST(PluginSandbox, AGuestRuns) {
  if (!under_host()) return expect_passed(run_in_sandbox());
  Vm vm({0xba, 0x00, 0x05, 0xb0, 0x5a, 0xee, END});
  vm.reserve(0x500, 1);
  int seen = 0;
  vm.run([&](crosvm_vcpu_event& e) { seen = e.io_access.data[0]; });
  EXPECT_EQ(seen, 0x5a);
}

TEST(PluginSandbox, MountsAreWhatTheySay) {
  if (!under_host()) {
    const Scratch scratch;
    const fs::path read = scratch.path() / "ro", write = scratch.path() / "rw";
    fs::create_directory(read);
    fs::create_directory(write);
    const std::string list = scratch.write("mounts", "# a comment\n\n" + write.string() + ":/writable:true # another\n");
    expect_passed(run_in_sandbox({"--plugin-mount", read.string() + ":/readable", "--plugin-mount-file", list}));
    EXPECT_TRUE(fs::exists(write / "new"));
    return;
  }
  EXPECT_TRUE(fs::is_directory("/readable"));
  EXPECT_EQ(open("/readable/new", O_CREAT | O_WRONLY, 0600), -1);
  EXPECT_GE(open("/writable/new", O_CREAT | O_WRONLY, 0600), 0);
}

TEST(PluginSandbox, ADirectoryBecomesTheRoot) {
  if (under_host()) GTEST_SKIP();
  const Scratch scratch;
  const fs::path root = scratch.path() / "root";
  for (const char* d : {"dev", "proc", "bin"}) fs::create_directories(root / d);
  const fs::path shell = fs::exists("/bin/busybox") ? "/bin/busybox" : "/usr/bin/busybox";
  if (fs::exists(shell)) {
    fs::copy_file(shell, root / "bin/sh", fs::copy_options::overwrite_existing);
    const HostRun run = run_mvmm({"--plugin", "/bin/sh", "--plugin-root", root, "--params=-c", "--params", "echo /*; echo no > /new; exit 7"});
    EXPECT_EQ(run.code, 103);
    EXPECT_THAT(run.output, testing::HasSubstr("plugin: /bin /dev /proc\n"));
    EXPECT_THAT(run.output, testing::HasSubstr("Read-only file system"));
    EXPECT_THAT(run.output, testing::HasSubstr("exited with code 7"));
  } else {
    ADD_FAILURE() << "busybox-static is needed";
  }
}

// The processes that bubblewrap leaves between host and plugin end with it.
TEST(PluginSandbox, APluginThatDoesNotListenIsKilled) {
  if (under_host()) {
    Vm vm({0xcc});
    ASSERT_EQ(crosvm_start(vm.get()), 0);
    vm.init(0, [](auto&, kvm_sregs& sregs) { sregs.idt.limit = 0; });
    sleep(15);
    return;
  }
  const HostRun run = run_in_sandbox();
  EXPECT_EQ(run.code, 103) << run.output;
  EXPECT_THAT(run.output, testing::HasSubstr("did not exit in time"));
  EXPECT_LT(run.seconds, on_kvm() ? 8 : 3.5);
}

TEST(PluginSandbox, WithoutBubblewrapThereIsASentence) {
  if (under_host()) GTEST_SKIP();
  const std::string path = getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  HostRun run = run_mvmm({"--plugin", "/bin/true", "--sandbox"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.output, testing::HasSubstr("bubblewrap (bwrap) is not installed"));
  run = run_mvmm({"--plugin", "/bin/true", "--plugin-root", "/usr", "--disable-sandbox"});
  EXPECT_EQ(run.code, 0) << run.output;
  // one that refuses
  const Scratch scratch;
  fs::permissions(scratch.write("bwrap", "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"), fs::perms::owner_all);
  setenv("PATH", scratch.path().c_str(), 1);
  run = run_mvmm({"--plugin", "/bin/true", "--sandbox"});
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.output, testing::HasSubstr("namespaces cannot be made here (bwrap: No permissions to create new namespace)"));
}

TEST(PluginSandbox, OptionsAreChecked) {
  if (under_host()) GTEST_SKIP();
  const auto refused = [](std::vector<std::string> options, const char* why) {
    options.insert(options.begin(), {"--plugin", "/bin/true"});
    const HostRun run = run_mvmm(options);
    EXPECT_EQ(run.code, 2) << run.output;
    EXPECT_THAT(run.output, testing::HasSubstr(why));
  };
  refused({"--plugin-mount", "usr"}, "absolute paths");
  refused({"--plugin-mount", "/usr:relative"}, "absolute paths");
  refused({"--plugin-mount", "/usr:/usr:yes"}, "true or false");
  refused({"--plugin-mount", "/no/such"}, "does not exist");
  refused({"--plugin-mount-file", "/no/such"}, "cannot be read");
  refused({"--plugin-root", "/no/such"}, "valid is a directory");
  refused({"--plugin-gid-map", "1:2:3:4"}, "valid is INNER[:OUTER[:COUNT]]");
  refused({"--plugin-gid-map", "x"}, "valid is INNER[:OUTER[:COUNT]]");
  refused({"--plugin-gid-map", "0:5"}, "0 is mvmm's own group");
  refused({"--plugin-gid-map-file", "/no/such"}, "cannot be read");
  refused({"--seccomp-log-failures"}, "with --seccomp-policy-dir only");
  refused({"--seccomp-policy-dir", "/no/such"}, "/no/such/plugin.policy cannot be read");
  refused({"--vcpu-cgroup-path", "/no/such"}, "No such file or directory");
  refused({"--sandbox", "--disable-sandbox"}, "one of them");
  refused({"--host_ip", "10.0.0.1"}, "all three");
  refused({"--host_ip", "10.0.0", "--netmask", "255.0.0.0", "--mac", "02:00:00:00:00:01"}, "--host_ip: valid is");
  refused({"--host_ip", "10.0.0.1", "--netmask", "255.0.0.0", "--mac", "03:00:00:00:00:01"}, "--mac: valid is");
  refused({"--host_ip", "10.0.0.1", "--netmask", "255.0.0.0", "--mac", "02:00:00:00:00:0g"}, "--mac: valid is");
  refused({"--tap-fd", "2"}, "--tap-fd: valid is");
  refused({"--tap-fd", "77"}, "--tap-fd: this is no TAP device");
  const HostRun run = run_mvmm({"--flat", "/dev/null@0", "--sandbox"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.output, testing::HasSubstr("--sandbox: with --plugin only"));
}

// A namespace of one's own, with all capabilities over its network.  Root needs no namespace of users for that, which a process with
// threads (ThreadSanitizer has one) cannot make: unshare(2).
bool own_network() {
  if (!unshare(CLONE_NEWNET)) return access("/dev/net/tun", R_OK | W_OK) == 0;
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
  std::ofstream("/proc/self/gid_map") << "0 " << gid << " 1";
  return access("/dev/net/tun", R_OK | W_OK) == 0;
}

void expect_net_config(const char* address, const char* netmask, std::array<uint8_t, 6> mac) {
  crosvm* vm = nullptr;
  ASSERT_EQ(crosvm_connect(&vm), 0);
  crosvm_net_config config = {};
  ASSERT_EQ(crosvm_net_get_config(vm, &config), 0);
  EXPECT_STREQ(inet_ntoa({config.host_ip}), address);
  EXPECT_STREQ(inet_ntoa({config.netmask}), netmask);
  EXPECT_EQ(std::memcmp(config.host_mac_address, mac.data(), mac.size()), 0);
  ifreq r = {};
  EXPECT_EQ(ioctl(config.tap_fd, TUNGETIFF, &r), 0);
  EXPECT_TRUE(r.ifr_flags & IFF_TAP);
  // a frame of the plugin's arrives at the host's side
  std::array<char, 10 + 60> frame = {};
  std::fill_n(frame.begin() + 10, 6, '\xff');
  frame[22] = '\x88';
  frame[23] = '\xb5';
  const size_t header = r.ifr_flags & IFF_VNET_HDR ? 0 : 10;
  EXPECT_EQ(write(config.tap_fd, frame.data() + header, frame.size() - header), static_cast<ssize_t>(frame.size() - header));
  crosvm_destroy_connection(&vm);
}

// Each in a child, whose network ends with it.
int in_child(const std::function<void()>& body) {
  const pid_t pid = fork();
  if (!pid) {
    body();
    fflush(nullptr);
    _exit(testing::Test::HasFailure());
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}

TEST(PluginNet, ANewTapIsConfiguredAsAsked) {
  if (under_host()) return expect_net_config("100.115.92.5", "255.255.255.252", {0x02, 0x21, 0xe8, 0x47, 0x6b, 0x6a});
  EXPECT_EQ(in_child([] {
              ASSERT_TRUE(own_network());
              const auto run = run_mvmm({"--plugin", this_program(), "--params=--gtest_filter=PluginNet.ANewTapIsConfiguredAsAsked", "--host_ip", "100.115.92.5",
                                         "--netmask", "255.255.255.252", "--mac", "02:21:e8:47:6b:6a"});
              EXPECT_EQ(run.code, 0) << run.output;
              EXPECT_THAT(run.output, testing::HasSubstr("[  PASSED  ] 1 test"));
            }),
            0);
}

TEST(PluginNet, AnInheritedTapIsHandedOn) {
  if (under_host()) return expect_net_config("10.1.2.3", "255.0.0.0", {0x02, 0, 0, 0, 0, 0x09});
  EXPECT_EQ(in_child([] {
              ASSERT_TRUE(own_network());
              const int fd = open("/dev/net/tun", O_RDWR);
              ifreq r = {};
              std::strcpy(r.ifr_name, "mvtap");
              r.ifr_flags = IFF_TAP | IFF_NO_PI;
              ASSERT_EQ(ioctl(fd, TUNSETIFF, &r), 0);
              ASSERT_EQ(system("ip link set mvtap address 02:00:00:00:00:09 up && ip addr add 10.1.2.3/8 dev mvtap"), 0);
              const auto run = run_mvmm({"--plugin", this_program(), "--params=--gtest_filter=PluginNet.AnInheritedTapIsHandedOn", "--tap-fd", std::to_string(fd)});
              EXPECT_EQ(run.code, 0) << run.output;
              EXPECT_THAT(run.output, testing::HasSubstr("[  PASSED  ] 1 test"));
            }),
            0);
}

TEST(PluginNet, WithoutATapThereIsNone) {
  if (under_host()) {
    crosvm* vm = nullptr;
    ASSERT_EQ(crosvm_connect(&vm), 0);
    crosvm_net_config config = {};
    EXPECT_EQ(crosvm_net_get_config(vm, &config), -ENODATA);
    crosvm_destroy_connection(&vm);
    return;
  }
  const auto run = run_this_test_under_host(1);
  EXPECT_EQ(run.code, 0) << run.output;
}

}  // namespace
}  // namespace mv::test
