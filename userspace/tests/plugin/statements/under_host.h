// SPDX-License-Identifier: MIT
// A test whose body is a plugin: outside of a host it starts `mvmm --plugin` with this very program and this very test; inside it
// runs.
#pragma once

#include <crosvm.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

namespace mv::test {

// mvmm's exit code (128 + signal), and what it and the plugin wrote.
struct HostRun {
  int code;
  std::string output;
  double seconds;
};
HostRun run_mvmm(const std::vector<std::string>& arguments);
bool under_host();
// 32, and what ACRN has: 16.
unsigned most_vcpus();
// Where the CPU and its controllers are the kernel's, some states are the processor vendor's.
bool on_kvm();
// `most`, or fewer if MV_CYCLES says so: for CPUs that are slow.
int cycles(int most);
HostRun run_this_test_under_host(unsigned vcpus);

#define PLUGIN_TEST(name, vcpus)                                        \
  static void plugin_body_##name();                                     \
  TEST(Plugin, name) {                                                  \
    if (mv::test::under_host()) return plugin_body_##name();            \
    const auto run = mv::test::run_this_test_under_host(vcpus);         \
    EXPECT_EQ(run.code, 0) << run.output;                               \
    EXPECT_THAT(run.output, testing::HasSubstr("[  PASSED  ] 1 test")); \
  }                                                                     \
  static void plugin_body_##name()

// A machine with 64 KiB at 0, whose vCPU 0 starts in real mode at 0:1000h.
class Vm {
 public:
  static constexpr uint64_t kEntry = 0x1000;
  static constexpr uint64_t kBytes = 0x10000;
  static constexpr uint64_t kEnd = 0x600;  // the guest writes here when it is done

  explicit Vm(std::initializer_list<uint8_t> code = {});
  ~Vm();
  crosvm* get() { return self; }
  crosvm_vcpu* vcpu(unsigned n = 0);
  void code(uint64_t at, std::initializer_list<uint8_t> bytes);
  void reserve(uint64_t start, uint64_t length, uint32_t space = CROSVM_ADDRESS_SPACE_IOPORT);
  // Registers for the first event, then resume.
  void init(unsigned n = 0, const std::function<void(kvm_regs&, kvm_sregs&)>& change = {});
  // Starts vCPU 0 and serves until the guest writes to kEnd; `serve` gets every other event before it is resumed.
  void run(const std::function<void(crosvm_vcpu_event&)>& serve = {});
  // The same for a vCPU that was initialised already.
  void serve_until_end(const std::function<void(crosvm_vcpu_event&)>& serve = {});
  crosvm_vcpu_event wait(unsigned n = 0);
  void resume(unsigned n = 0);

  crosvm* self = nullptr;
  uint8_t* memory = nullptr;
  crosvm_memory* object = nullptr;
};

int make_memfd(uint64_t bytes, bool seal = true);

// The end of a guest's code: mov dx, 600h; out dx, al; hlt
#define END 0xba, 0x00, 0x06, 0xee, 0xf4

bool readable(int fd, int milliseconds);
// What an eventfd has counted within a second.
uint64_t count_of(int event);

// One request and its response in hex, on a socket of one's own.
std::string raw(int socket, const std::string& request, std::initializer_list<int> fds = {});
int raw_socket();
// What a request without parameters brings, asked for in bytes: a second connection, a vCPU's pipes.
std::vector<int> fds_for(int socket, const char* request_hex);

}  // namespace mv::test
