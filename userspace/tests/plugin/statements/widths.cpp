// SPDX-License-Identifier: MIT
// Statements about accesses of every width, and about answers that have another.
#include <unistd.h>

#include <cstring>

#include "tests/plugin/hex.h"
#include "tests/plugin/statements/protected_mode.h"

namespace mv::test {
namespace {

constexpr uint64_t kDevice = 0x200000;  // in a page without memory

PLUGIN_TEST(Statement19_MemoryMappedAccessesOfOneToEightBytes, 1) {
  Code code;
  // al, ax, eax, rax from and to the device (rbx points there), each kept at 3000h and on
  code.ebx(kDevice).bytes({0x8a, 0x03, 0x88, 0x04, 0x25, 0x00, 0x30, 0, 0, 0x88, 0x43, 0x10});
  code.bytes({0x66, 0x8b, 0x03, 0x66, 0x89, 0x04, 0x25, 0x10, 0x30, 0, 0, 0x66, 0x89, 0x43, 0x10});
  code.bytes({0x8b, 0x03, 0x89, 0x04, 0x25, 0x20, 0x30, 0, 0, 0x89, 0x43, 0x10});
  code.bytes({0x48, 0x8b, 0x03, 0x48, 0x89, 0x04, 0x25, 0x30, 0x30, 0, 0, 0x48, 0x89, 0x43, 0x10}).end();
  Vm vm;
  vm.reserve(kDevice, 0x1000, CROSVM_ADDRESS_SPACE_MMIO);
  std::memset(vm.memory + 0x3000, 0xaa, 0x40);
  begin_protected(vm, code, true);
  std::vector<uint32_t> lengths;
  uint8_t given[8] = {};
  vm.serve_until_end([&](crosvm_vcpu_event& e) {
    ASSERT_LE(e.io_access.length, 8u);
    lengths.push_back(e.io_access.length);
    EXPECT_EQ(e.io_access.address, e.io_access.is_write ? kDevice + 0x10 : kDevice);
    if (e.io_access.is_write) {
      EXPECT_EQ(std::memcmp(e.io_access.data, given, e.io_access.length), 0);
      return;
    }
    for (uint32_t i = 0; i < e.io_access.length; ++i) given[i] = e.io_access.data[i] = static_cast<uint8_t>(0x10 * lengths.size() + i + 1);
  });
  EXPECT_THAT(lengths, testing::ElementsAre(1, 1, 2, 2, 4, 4, 8, 8));
  EXPECT_EQ(std::memcmp(vm.memory + 0x3000, "\x11\xaa", 2), 0);
  EXPECT_EQ(std::memcmp(vm.memory + 0x3010, "\x31\x32\xaa", 3), 0);
  EXPECT_EQ(std::memcmp(vm.memory + 0x3020, "\x51\x52\x53\x54\xaa", 5), 0);
  EXPECT_EQ(std::memcmp(vm.memory + 0x3030, "\x71\x72\x73\x74\x75\x76\x77\x78\xaa", 9), 0);
}

// Upstream's host ends when a plugin answers with less than was asked for; the library never does.
PLUGIN_TEST(Bad_AnAnswerOfAnotherLengthIsFilledUpOrCut, 1) {
  // mov dx, 500h; in eax, dx; mov [3000h], eax; in al, dx; mov [3010h], al; in eax, dx; mov [3020h], eax
  Vm vm({0xba, 0x00, 0x05, 0x66, 0xed, 0x66, 0xa3, 0x00, 0x30, 0xec, 0xa2, 0x10, 0x30, 0x66, 0xed, 0x66, 0xa3, 0x20, 0x30, END});
  const std::vector<int> pipes = fds_for(raw_socket(), "8a0100");
  ASSERT_EQ(pipes.size(), 2u);
  vm.reserve(0x500, 1);
  std::memset(vm.memory + 0x3000, 0xaa, 0x30);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  vm.init();
  // past the library: an event, and a resume with one byte, with nine, with none
  char event[64];
  for (const char* resume : {"12030a0177", "120b0a09556677885566778855", "1200"}) {
    ASSERT_GT(read(pipes[1], event, sizeof(event)), 0);
    const std::string bytes = from_hex(resume);
    ASSERT_EQ(write(pipes[0], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  const ssize_t n = read(pipes[1], event, sizeof(event));
  ASSERT_GT(n, 0);
  EXPECT_THAT(to_hex({event, static_cast<size_t>(n)}), testing::HasSubstr("10800c1801")) << "a write to the last port";
  EXPECT_EQ(std::memcmp(vm.memory + 0x3000, "\x77\0\0\0\xaa", 5), 0);
  EXPECT_EQ(std::memcmp(vm.memory + 0x3010, "\x55\xaa", 2), 0);
  EXPECT_EQ(std::memcmp(vm.memory + 0x3020, "\0\0\0\0\xaa", 5), 0);
}

}  // namespace
}  // namespace mv::test
