// SPDX-License-Identifier: MIT
// mvmm as a process: what it exits with, and what it says.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace {

using testing::AllOf, testing::HasSubstr;

const std::string kGuests = std::string(MV_GUEST_DIR) + "/";
const std::string kHello = kGuests + "hello.x86_64.bin@0x10000";
const std::string kSpin = kGuests + "spin.x86_64.bin@0x10000";

// A running mvmm; its standard output and error come through one pipe each.
class Mvmm {
 public:
  explicit Mvmm(std::vector<std::string> arguments, bool with_input = true) {
    int out[2], err[2];
    if (::pipe2(out, O_CLOEXEC) || ::pipe2(err, O_CLOEXEC)) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], 1);
      ::dup2(err[1], 2);
      ::close(0);
      if (with_input) ::open("/dev/null", O_RDONLY);
      std::vector<char*> argv{const_cast<char*>(MV_MVMM)};
      for (auto& a : arguments) argv.push_back(a.data());
      argv.push_back(nullptr);
      ::alarm(60);  // survives exec: one that hangs is killed, and says so by its exit code
      ::execv(MV_MVMM, argv.data());
      ::_exit(126);
    }
    ::close(out[1]);
    ::close(err[1]);
    out_ = out[0];
    err_ = err[0];
  }
  ~Mvmm() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(out_);
    ::close(err_);
  }
  void wait_for_output(const std::string& text) {
    while (output.find(text) == std::string::npos && take(out_, output)) {
    }
  }
  void signal(int number) { ::kill(pid_, number); }
  pid_t pid() const { return pid_; }
  // The exit code, or minus the signal that killed it.
  int exit_code() {
    while (take(out_, output)) {
    }
    while (take(err_, errors)) {
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::string output, errors;

 private:
  static bool take(int fd, std::string& to) {
    std::array<char, 4096> buffer;
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n > 0) to.append(buffer.data(), static_cast<size_t>(n));
    return n > 0;
  }

  pid_t pid_ = -1;
  int out_ = -1, err_ = -1;
};

// An invalid request: code 2, one sentence, nothing on standard output.
void expect_refused(std::vector<std::string> arguments, const std::string& says) {
  Mvmm m(std::move(arguments));
  EXPECT_EQ(m.exit_code(), 2);
  EXPECT_THAT(m.errors, AllOf(testing::StartsWith("mvmm: "), HasSubstr(says)));
  EXPECT_EQ(std::count(m.errors.begin(), m.errors.end(), '\n'), 1) << m.errors;
  EXPECT_EQ(m.output, "");
}

TEST(MvmmProcess, Hello) {
  Mvmm m({"--flat", kHello});
  EXPECT_EQ(m.exit_code(), 0);
  EXPECT_EQ(m.output, "Hello from the guest\n");
  EXPECT_EQ(m.errors, "");
}

TEST(MvmmProcess, ClosedStandardInput) {
  Mvmm m({"--flat", kHello}, false);
  EXPECT_EQ(m.exit_code(), 0);
  EXPECT_EQ(m.output, "Hello from the guest\n");
}

TEST(MvmmProcess, InvalidRequests) {
  expect_refused({}, "--flat FILE@ADDRESS");
  expect_refused({"--flat", "/nonexistent@0"}, "/nonexistent");
  expect_refused({"--flat", "/@0"}, "cannot read /");
  expect_refused({"--flat", "/dev/zero@0"}, "larger than guest memory");
  expect_refused({"--kernel", "/dev/null"}, "--kernel: /dev/null is empty");
  expect_refused({"--kernel", kGuests + "hello.i386.elf", "--initrd", "/dev/zero", "--memory", "16m"}, "--initrd: /dev/zero is larger");
  expect_refused({"--firmware", "/"}, "--firmware: cannot read /");
  expect_refused({"--flat", kHello, "--frobnicate"}, "frobnicate");
  expect_refused({"--backend", "xen", "--flat", kHello}, "valid are inproc, acrn, gunyah");
}

TEST(MvmmProcess, MultibootKernelChecksWhatItGot) {
  const std::string module = testing::TempDir() + "multiboot-module-" + std::to_string(::getpid());
  std::ofstream(module) << "bytes of the module";
  Mvmm guest({"--kernel", kGuests + "multiboot.i386.elf", "--append", "one two", "--initrd", module, "--memory", "32m"});
  EXPECT_EQ(guest.exit_code(), 0) << guest.output << guest.errors;
  EXPECT_THAT(guest.output, AllOf(HasSubstr("lower 000000000000027f upper 0000000000007c00"), HasSubstr("line one two\n"), HasSubstr("loader mvmm\n"),
                                  HasSubstr("range 0000000000100000 0000000001f00000 0000000000000001"), HasSubstr("module bytes of the module\n")));
  ::unlink(module.c_str());
}

TEST(MvmmProcess, ElfKernelsStartInTheirMode) {
  for (const char* arch : {"i386", "x86_64"}) {
    Mvmm guest({"--kernel", kGuests + "hello." + arch + ".elf"});
    EXPECT_EQ(guest.exit_code(), 0) << arch << guest.errors;
    EXPECT_THAT(guest.output, HasSubstr("Hello from the guest")) << arch;
  }
  expect_refused({"--kernel", kGuests + "hello.x86_64.elf", "--mode", "32"}, "64-bit ELF file");
  expect_refused({"--kernel", kGuests + "hello.x86_64.elf", "--mode", "16"}, "valid are 32, 64");
  expect_refused({"--kernel", kGuests + "hello.arm64.elf"}, "another kind of machine");
  expect_refused({"--kernel", kGuests + "hello.x86_64.bin"}, "no multiboot kernel and no ELF file");
}

TEST(MvmmProcess, ImageOutsideMemory) { expect_refused({"--flat", kGuests + "hello.x86_64.bin@0x7ffffff"}, "lies outside guest memory"); }

TEST(MvmmProcess, ImagesThatOverlap) { expect_refused({"--flat", kHello, "--flat", kSpin}, "overlap"); }

TEST(MvmmProcess, MissingDeviceNode) {
  if (::access("/dev/acrn_hsm", F_OK) == 0) GTEST_SKIP() << "this machine has the node";
  expect_refused({"--backend", "acrn", "--flat", kHello}, "/dev/acrn_hsm is missing: load the module first");
}

TEST(MvmmProcess, InterruptWhileTheGuestSpins) {
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    Mvmm m({"--flat", kSpin});
    m.wait_for_output("spinning\n");
    m.signal(number);
    EXPECT_EQ(m.exit_code(), 102) << strsignal(number);
  }
}

// A handler could wait in a thread for as long as the guest made no exit (seen under ThreadSanitizer): no thread takes them.
TEST(MvmmProcess, StopSignalsAreEvents) {
  Mvmm m({"--flat", kSpin});
  m.wait_for_output("spinning\n");
  const std::string tasks = "/proc/" + std::to_string(m.pid()) + "/task";
  unsigned threads = 0;
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    std::ifstream status(task.path() / "status");
    std::string line;
    while (std::getline(status, line) && !line.starts_with("SigBlk:")) {
    }
    const uint64_t blocked = std::stoull(line.substr(7), nullptr, 16);
    const uint64_t stop = 1u << (SIGINT - 1) | 1u << (SIGTERM - 1) | 1u << (SIGHUP - 1);
    EXPECT_EQ(blocked & stop, stop) << task.path();
    ++threads;
  }
  EXPECT_GE(threads, 2u);
  m.signal(SIGTERM);
  EXPECT_EQ(m.exit_code(), 102);
}

TEST(MvmmProcess, EndingsHaveTheirCodes) {
  EXPECT_EQ(Mvmm({"--flat", kGuests + "off.x86_64.bin@0x10000"}).exit_code(), 0);
  EXPECT_EQ(Mvmm({"--flat", kGuests + "reset.x86_64.bin@0x10000"}).exit_code(), 101);
  EXPECT_EQ(Mvmm({"--arch", "arm64", "--flat", kGuests + "hello.arm64.bin@0x80000000"}).exit_code(), 0);
  EXPECT_EQ(Mvmm({"--arch", "arm64", "--flat", kGuests + "reset.arm64.bin@0x80000000"}).exit_code(), 101);
}

TEST(MvmmProcess, HelpAndVersion) {
  Mvmm help({"--help"}), version({"--version"});
  EXPECT_EQ(help.exit_code(), 0);
  for (const char* code : {"0..99", " 2 ", "100", "101", "102", "103"}) EXPECT_THAT(help.output, HasSubstr(code));
  EXPECT_EQ(version.exit_code(), 0);
  EXPECT_THAT(version.output, testing::StartsWith("mvmm "));
}

TEST(MvmmProcess, WalkAndStatsGoToStandardError) {
  Mvmm m({"--flat", kHello, "--walk", "--stats"});
  EXPECT_EQ(m.exit_code(), 0);
  EXPECT_EQ(m.output, "Hello from the guest\n");
  EXPECT_THAT(m.errors, AllOf(HasSubstr("vcpu0 pio write 0x3f8/1 = 0x48 "), HasSubstr("mvmm: inproc served ")));
}

}  // namespace
