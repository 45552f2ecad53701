// SPDX-License-Identifier: MIT
// Statements about registers that travel with events and resumes.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/plugin/hex.h"
#include "tests/plugin/statements/under_host.h"

namespace mv::test {
namespace {

// No thread of the host runs any more.
void stop_host() {
  const pid_t host = getppid();
  ASSERT_EQ(kill(host, SIGSTOP), 0);
  bool runs = true;
  while (runs) {
    usleep(1000);
    runs = false;
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(host) + "/task")) {
      std::ifstream stat(task.path() / "stat");
      std::string word;
      char state = 0;
      stat >> word >> word >> state;
      runs = runs || state != 'T';
    }
  }
}

PLUGIN_TEST(Statement17_RegistersSetAreSeenAndTheLastSetWins, 1) {
  Vm vm({0xa2, 0x00, 0x30, END});  // mov [3000h], al
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  EXPECT_EQ(vm.wait().kind, CROSVM_VCPU_EVENT_KIND_INIT);
  kvm_regs regs = {}, seen;
  kvm_sregs sregs;
  ASSERT_EQ(crosvm_vcpu_get_regs(vm.vcpu(), &regs), 0);
  EXPECT_EQ(regs.rip, 0xfff0u);
  EXPECT_EQ(regs.rdx, 0x600u);
  ASSERT_EQ(crosvm_vcpu_get_sregs(vm.vcpu(), &sregs), 0);
  EXPECT_EQ(sregs.cr0, 0x60000010u);
  EXPECT_EQ(sregs.cs.base, 0xffff0000u);
  EXPECT_EQ(sregs.cs.type | (on_kvm() ? 1 : 0), 0xb) << "AMD's is not marked as accessed";
  EXPECT_EQ(sregs.apic_base, 0xfee00900u);
  sregs.cs.base = sregs.cs.selector = 0;
  ASSERT_EQ(crosvm_vcpu_set_sregs(vm.vcpu(), &sregs), 0);
  regs.rip = Vm::kEntry;
  regs.rax = 0x11;
  ASSERT_EQ(crosvm_vcpu_set_regs(vm.vcpu(), &regs), 0);
  ASSERT_EQ(crosvm_vcpu_get_regs(vm.vcpu(), &seen), 0);
  EXPECT_EQ(seen.rax, 0x11u);
  regs.rax = 0x22;
  stop_host();
  EXPECT_EQ(crosvm_vcpu_set_regs(vm.vcpu(), &regs), 0) << "needs no host";
  ASSERT_EQ(kill(getppid(), SIGCONT), 0);
  vm.resume();
  vm.serve_until_end();
  EXPECT_EQ(vm.memory[0x3000], 0x22);
}

PLUGIN_TEST(Statement18_AHintBringsRegistersAlong, 1) {
  // mov dx, 500h; mov al, 11h; out dx, al; mov al, 12h; out dx, al
  Vm vm({0xba, 0x00, 0x05, 0xb0, 0x11, 0xee, 0xb0, 0x12, 0xee, END});
  vm.reserve(0x500, 1);
  crosvm_hint_detail detail = {};
  detail.match_rax = detail.send_sregs = true;
  detail.rax = 0x11;
  const crosvm_hint hint = {0, 0, CROSVM_ADDRESS_SPACE_IOPORT, CROSVM_HINT_ON_WRITE, 1, 0x500, &detail};
  ASSERT_EQ(crosvm_set_hypercall_hint(vm.get(), 1, &hint), 0);
  int events = 0;
  vm.run([&](crosvm_vcpu_event&) {
    kvm_regs regs = {};
    kvm_sregs sregs = {};
    stop_host();
    EXPECT_EQ(crosvm_vcpu_get_regs(vm.vcpu(), &regs), 0);
    EXPECT_EQ(events ? 0 : crosvm_vcpu_get_sregs(vm.vcpu(), &sregs), 0);
    ASSERT_EQ(kill(getppid(), SIGCONT), 0);
    EXPECT_EQ(regs.rax & 0xff, events ? 0x12u : 0x11u);
    EXPECT_EQ(regs.rdx, 0x500u);
    ++events;
  });
  EXPECT_EQ(events, 2);
}

// A child of the plugin sets registers and dies: only a resume would have carried them.
PLUGIN_TEST(Statement17_WhatIsSetAndNotResumedIsLost, 1) {
  Vm vm({0xa2, 0x00, 0x30, END});  // mov [3000h], al
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  EXPECT_EQ(vm.wait().kind, CROSVM_VCPU_EVENT_KIND_INIT);
  kvm_regs regs = {};
  kvm_sregs sregs;
  ASSERT_EQ(crosvm_vcpu_get_sregs(vm.vcpu(), &sregs), 0);
  sregs.cs.base = sregs.cs.selector = 0;
  regs.rip = Vm::kEntry;
  regs.rax = 0x11;
  ASSERT_EQ(crosvm_vcpu_set_regs(vm.vcpu(), &regs), 0);
  ASSERT_EQ(crosvm_vcpu_set_sregs(vm.vcpu(), &sregs), 0);
  const pid_t child = fork();
  if (!child) {
    regs.rax = 0x22;
    _exit(crosvm_vcpu_set_regs(vm.vcpu(), &regs) ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  vm.resume();
  vm.serve_until_end();
  EXPECT_EQ(vm.memory[0x3000], 0x11);
}

// Whether `ask` needs the host: that is stopped meanwhile, and goes on after a while.
template <typename Ask>
bool needs_host(Ask ask) {
  const pid_t host = getppid();
  stop_host();
  const auto start = std::chrono::steady_clock::now();
  std::thread later([host] {
    usleep(150000);
    kill(host, SIGCONT);
  });
  EXPECT_EQ(ask(), 0);
  const bool waited = std::chrono::steady_clock::now() - start > std::chrono::milliseconds(140);
  later.join();
  return waited;
}

struct Needs {
  bool regs, sregs, debugregs;
  bool operator==(const Needs&) const = default;
};

Needs what_needs_the_host(Vm& vm) {
  kvm_regs regs;
  kvm_sregs sregs;
  kvm_debugregs debugregs;
  return {needs_host([&] { return crosvm_vcpu_get_regs(vm.vcpu(), &regs); }), needs_host([&] { return crosvm_vcpu_get_sregs(vm.vcpu(), &sregs); }),
          needs_host([&] { return crosvm_vcpu_get_debugregs(vm.vcpu(), &debugregs); })};
}

crosvm_hint hint_at(uint64_t address, crosvm_hint_detail* details, uint16_t count) {
  return {0, 0, CROSVM_ADDRESS_SPACE_IOPORT, CROSVM_HINT_ON_WRITE, count, address, details};
}

PLUGIN_TEST(Statement18_TheFirstDetailThatFitsDecides, 1) {
  // mov dx, 500h; mov eax, 11h; out dx, al; inc ax; out dx, al; inc ax; out dx, al; in al, dx
  Vm vm({0xba, 0x00, 0x05, 0x66, 0xb8, 0x11, 0x00, 0x00, 0x00, 0xee, 0x40, 0xee, 0x40, 0xee, 0xec, END});
  vm.reserve(0x500, 1);
  crosvm_hint_detail details[3] = {};
  details[0].match_rax = details[1].match_rax = details[2].match_rax = true;
  details[0].rax = details[2].rax = 0x11;
  details[0].send_debugregs = details[1].send_sregs = details[2].send_sregs = true;
  details[1].rax = 0x12;
  const crosvm_hint hint = hint_at(0x500, details, 3);
  ASSERT_EQ(crosvm_set_hypercall_hint(vm.get(), 1, &hint), 0);
  std::vector<Needs> seen;
  vm.run([&](auto&) { seen.push_back(what_needs_the_host(vm)); });
  EXPECT_THAT(seen, testing::ElementsAre(Needs{false, true, false}, Needs{false, false, true}, Needs{false, true, true}, Needs{true, true, true}))
      << "the last is a read";
}

PLUGIN_TEST(Statement18_AfterASetTheHostIsAsked, 1) {
  Vm vm({0xba, 0x00, 0x05, 0xee, 0xa2, 0x00, 0x30, END});  // mov dx, 500h; out dx, al; mov [3000h], al
  vm.reserve(0x500, 1);
  const crosvm_hint hint = hint_at(0x500, nullptr, 0);
  ASSERT_EQ(crosvm_set_hypercall_hint(vm.get(), 1, &hint), 0);
  vm.run([&](auto&) {
    kvm_regs regs, seen;
    EXPECT_FALSE(needs_host([&] { return crosvm_vcpu_get_regs(vm.vcpu(), &regs); }));
    regs.rax = 0x77;
    EXPECT_FALSE(needs_host([&] { return crosvm_vcpu_set_regs(vm.vcpu(), &regs); }));
    EXPECT_TRUE(needs_host([&] { return crosvm_vcpu_get_regs(vm.vcpu(), &seen); }));
    EXPECT_EQ(seen.rax, 0x77u);
  });
  EXPECT_EQ(vm.memory[0x3000], 0x77);
}

PLUGIN_TEST(Statement18_AddressZeroClearsTheHint, 1) {
  Vm vm({0xba, 0x00, 0x05, 0xee, END});
  vm.reserve(0x500, 1);
  const crosvm_hint hint = hint_at(0x500, nullptr, 0);
  ASSERT_EQ(crosvm_set_hypercall_hint(vm.get(), 1, &hint), 0);
  EXPECT_EQ(raw(raw_socket(), "9a01021801"), "a20100") << "space 0, address 0, on write";
  kvm_regs regs;
  vm.run([&](auto&) { EXPECT_TRUE(needs_host([&] { return crosvm_vcpu_get_regs(vm.vcpu(), &regs); })); });
}

PLUGIN_TEST(Statement18_AnAsynchronousRangeCarriesNoRegisters, 1) {
  Vm vm({0xba, 0x00, 0x05, 0xb0, 0x11, 0xee, END});
  const std::vector<int> pipes = fds_for(raw_socket(), "8a0100");
  ASSERT_EQ(crosvm_reserve_async_write_range(vm.get(), CROSVM_ADDRESS_SPACE_IOPORT, 0x500, 1), 0);
  const crosvm_hint hint = hint_at(0x500, nullptr, 0);
  ASSERT_EQ(crosvm_set_hypercall_hint(vm.get(), 1, &hint), 0);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init();
  char bytes[64] = {};
  ASSERT_EQ(read(pipes[1], bytes, 15), 15);
  EXPECT_EQ(to_hex({bytes, 15}), "0e120c120a10800a180120012a0111") << "so many bytes and no registers";
  vm.serve_until_end();
}

}  // namespace
}  // namespace mv::test
