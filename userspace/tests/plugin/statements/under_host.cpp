// SPDX-License-Identifier: MIT
#include "tests/plugin/statements/under_host.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "tests/plugin/hex.h"

namespace mv::test {

namespace {

constexpr const char* kInside = "MV_UNDER_HOST";
#ifdef MV_WIRE_2018
constexpr bool kWire2018 = true;
#else
constexpr bool kWire2018 = false;
#endif

}  // namespace

namespace {

bool backend_is(std::string_view name) {
  const char* backend = getenv("MV_PLUGIN_BACKEND");
  return backend && backend == name;
}

}  // namespace

unsigned most_vcpus() { return backend_is("acrn") ? 16 : 32; }

bool on_kvm() { return backend_is("kvm"); }

int cycles(int most) {
  const char* fewer = getenv("MV_CYCLES");
  return fewer ? std::min(most, atoi(fewer)) : most;
}

bool under_host() { return getenv(kInside) != nullptr; }

HostRun run_mvmm(const std::vector<std::string>& arguments) {
  int out[2];
  if (pipe(out)) return {-1, "no pipe", 0};
  std::vector<std::string> all = arguments;
  all.insert(all.begin(), MV_MVMM);
  if (const char* backend = getenv("MV_PLUGIN_BACKEND")) all.insert(all.end(), {"--backend", backend});
  if (kWire2018) all.insert(all.end(), {"--plugin-wire", "2018"});
  std::vector<char*> argv;
  for (std::string& a : all) argv.push_back(a.data());
  argv.push_back(nullptr);
  const auto start = std::chrono::steady_clock::now();
  const pid_t pid = fork();
  if (!pid) {
    setenv(kInside, "1", 1);
    const char* seconds = getenv("MV_MOST_SECONDS");
    alarm(seconds ? static_cast<unsigned>(atoi(seconds)) : 60);  // it survives exec
    dup2(out[1], 1);
    dup2(out[1], 2);
    close(out[0]);
    close(out[1]);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(out[1]);
  HostRun run{0, {}, 0};
  char buffer[4096];
  ssize_t n;
  while ((n = read(out[0], buffer, sizeof(buffer))) > 0) run.output.append(buffer, static_cast<size_t>(n));
  close(out[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  run.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return run;
}

HostRun run_this_test_under_host(unsigned vcpus) {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  std::array<char, 4096> self = {};
  if (readlink("/proc/self/exe", self.data(), self.size() - 1) < 0) return {-1, "no /proc/self/exe", 0};
  return run_mvmm({"--plugin", self.data(), "--cpus", std::to_string(vcpus), "--params",
                   std::string("--gtest_filter=") + info->test_suite_name() + "." + info->name()});
}

int make_memfd(uint64_t bytes, bool seal) {
  const int fd = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
  EXPECT_EQ(ftruncate(fd, static_cast<off_t>(bytes)), 0);
  EXPECT_EQ(fcntl(fd, F_ADD_SEALS, seal ? F_SEAL_SHRINK : F_SEAL_GROW), 0);
  return fd;
}

bool readable(int fd, int milliseconds) {
  pollfd p = {fd, POLLIN, 0};
  return poll(&p, 1, milliseconds) == 1;
}

uint64_t count_of(int event) {
  uint64_t n = 0;
  return readable(event, 1000) && read(event, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

Vm::Vm(std::initializer_list<uint8_t> bytes) {
  EXPECT_EQ(crosvm_connect(&self), 0);
  const int fd = make_memfd(kBytes);
  memory = static_cast<uint8_t*>(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  EXPECT_EQ(crosvm_create_memory(self, fd, 0, kBytes, 0, false, false, &object), 0);
  close(fd);
  code(kEntry, bytes);
  reserve(kEnd, 1);
}

Vm::~Vm() {
  munmap(memory, kBytes);
  crosvm_destroy_connection(&self);
}

void Vm::code(uint64_t at, std::initializer_list<uint8_t> bytes) { std::copy(bytes.begin(), bytes.end(), memory + at); }

void Vm::reserve(uint64_t start, uint64_t length, uint32_t space) { ASSERT_EQ(crosvm_reserve_range(self, space, start, length), 0); }

crosvm_vcpu* Vm::vcpu(unsigned n) {
  crosvm_vcpu* v = nullptr;
  EXPECT_EQ(crosvm_get_vcpu(self, n, &v), 0);
  return v;
}

crosvm_vcpu_event Vm::wait(unsigned n) {
  crosvm_vcpu_event event;
  event.kind = 99;
  EXPECT_EQ(crosvm_vcpu_wait(vcpu(n), &event), 0);
  return event;
}

void Vm::resume(unsigned n) { ASSERT_EQ(crosvm_vcpu_resume(vcpu(n)), 0); }

void Vm::init(unsigned n, const std::function<void(kvm_regs&, kvm_sregs&)>& change) {
  EXPECT_EQ(wait(n).kind, CROSVM_VCPU_EVENT_KIND_INIT);
  kvm_regs regs = {};
  kvm_sregs sregs;
  ASSERT_EQ(crosvm_vcpu_get_sregs(vcpu(n), &sregs), 0);
  sregs.cs.base = 0;
  sregs.cs.selector = 0;
  regs.rip = kEntry;
  regs.rsp = 0x8000;
  regs.rflags = 2;
  if (change) change(regs, sregs);
  ASSERT_EQ(crosvm_vcpu_set_sregs(vcpu(n), &sregs), 0);
  ASSERT_EQ(crosvm_vcpu_set_regs(vcpu(n), &regs), 0);
  resume(n);
}

void Vm::run(const std::function<void(crosvm_vcpu_event&)>& serve) {
  ASSERT_EQ(crosvm_start(self), 0);
  init();
  serve_until_end(serve);
}

void Vm::serve_until_end(const std::function<void(crosvm_vcpu_event&)>& serve) {
  for (int i = 0; i < 100000 && !testing::Test::HasFailure(); ++i) {
    crosvm_vcpu_event event = wait();
    const bool io = event.kind == CROSVM_VCPU_EVENT_KIND_IO_ACCESS;
    if (io && event.io_access.address_space == CROSVM_ADDRESS_SPACE_IOPORT && event.io_access.address == kEnd) return;
    if (serve) serve(event);
    if (!io || !event.io_access.no_resume) resume();
  }
}

int raw_socket() { return atoi(getenv("CROSVM_SOCKET")); }

std::string raw(int socket, const std::string& request, std::initializer_list<int> fds) {
  std::string bytes = from_hex(request);
  iovec piece = {bytes.data(), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 4)] = {};
  msghdr m = {};
  m.msg_iov = &piece;
  m.msg_iovlen = 1;
  if (fds.size()) {
    m.msg_control = control;
    m.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(c), fds.begin(), fds.size() * sizeof(int));
  }
  if (sendmsg(socket, &m, MSG_NOSIGNAL) < 0) return "send failed";
  char buffer[4096];
  const ssize_t n = recv(socket, buffer, sizeof(buffer), 0);
  return n < 0 ? "dropped" : n == 0 ? "dropped" : to_hex({buffer, static_cast<size_t>(n)});
}

std::vector<int> fds_for(int socket, const char* request_hex) {
  const std::string request = from_hex(request_hex);
  EXPECT_EQ(send(socket, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  char buffer[64];
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
  iovec piece = {buffer, sizeof(buffer)};
  msghdr m = {};
  m.msg_iov = &piece;
  m.msg_iovlen = 1;
  m.msg_control = control;
  m.msg_controllen = sizeof(control);
  EXPECT_GT(recvmsg(socket, &m, 0), 0);
  const cmsghdr* c = CMSG_FIRSTHDR(&m);
  std::vector<int> fds(c ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0);
  if (c) std::memcpy(fds.data(), CMSG_DATA(c), fds.size() * sizeof(int));
  return fds;
}

}  // namespace mv::test
