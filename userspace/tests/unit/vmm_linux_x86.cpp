// SPDX-License-Identifier: MIT
// Where a bzImage, its initrd and its zero page lie, and what is refused.  Offsets: Documentation/arch/x86/boot.rst.
#include "vmm/machine/linux_x86.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace {

using testing::HasSubstr;
constexpr uint64_t kMiB = 1 << 20;

template <typename T>
void put(std::vector<std::byte>& b, size_t at, T v) {
  std::memcpy(b.data() + at, &v, sizeof v);
}
template <typename T>
T get(const std::vector<std::byte>& b, size_t at) {
  T v;
  std::memcpy(&v, b.data() + at, sizeof v);
  return v;
}

// A header of protocol 2.15 with two setup sectors and a protected-mode part of 0x1000 bytes of 0x90.
mv::LinuxImages image() {
  mv::LinuxImages f;
  f.kernel.resize(3 * 512 + 0x1000, std::byte{0x90});
  std::fill_n(f.kernel.begin(), 3 * 512, std::byte{0});
  put<uint8_t>(f.kernel, 0x1f1, 2);
  put<uint8_t>(f.kernel, 0x201, 0x6a);
  put<uint32_t>(f.kernel, 0x202, 0x53726448);
  put<uint16_t>(f.kernel, 0x206, 0x20f);
  put<uint32_t>(f.kernel, 0x22c, 0x7fffffff);
  put<uint16_t>(f.kernel, 0x236, 3);
  put<uint32_t>(f.kernel, 0x238, 2047);
  put<uint64_t>(f.kernel, 0x258, 0x1000000);
  put<uint32_t>(f.kernel, 0x260, 0x200000);
  f.command_line = "console=ttyS0";
  return f;
}

const mv::Image& at(const mv::LinuxStart& s, uint64_t gpa) {
  for (const mv::Image& i : s.images)
    if (i.gpa == gpa) return i;
  throw std::runtime_error("nothing at this address");
}

std::string refusal(const mv::LinuxImages& f, uint64_t memory) {
  try {
    mv::linux_x86(f, memory, 0xe0000);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "(accepted)";
}

TEST(LinuxX86, EitherEntry) {
  mv::LinuxImages f = image();
  EXPECT_EQ(mv::linux_x86(f, 64 * kMiB, 0).entry, 0x1000200u);
  EXPECT_EQ(mv::linux_x86(f, 64 * kMiB, 0, false).entry, 0x1000000u);
  put<uint16_t>(f.kernel, 0x236, 2);
  EXPECT_FALSE(mv::linux_x86_has_entry64(f.kernel));
  EXPECT_THAT(refusal(f, 64 * kMiB), HasSubstr("no 64-bit entry"));
  EXPECT_EQ(mv::linux_x86(f, 64 * kMiB, 0, false).entry, 0x1000000u);
}

TEST(LinuxX86, PlacesEverything) {
  mv::LinuxImages f = image();
  f.initrd.resize(5000, std::byte{7});
  const mv::LinuxStart s = mv::linux_x86(f, 64 * kMiB, 0xe0000);
  EXPECT_EQ(s.entry, 0x1000200u);
  EXPECT_EQ(at(s, 0x1000000).bytes.size(), 0x1000u);
  EXPECT_EQ(at(s, 0x1000000).bytes[0], std::byte{0x90}) << "without the setup sectors";
  const auto& zero = at(s, s.argument).bytes;
  ASSERT_EQ(zero.size(), 4096u);
  EXPECT_EQ(get<uint32_t>(zero, 0x202), 0x53726448u) << "the setup header is copied";
  EXPECT_EQ(get<uint8_t>(zero, 0x210), 0xff) << "a loader without a number of its own";
  EXPECT_EQ(get<uint64_t>(zero, 0x70), 0xe0000u);
  const uint64_t initrd = get<uint32_t>(zero, 0x218);
  EXPECT_EQ(get<uint32_t>(zero, 0x21c), 5000u);
  EXPECT_EQ(initrd, 64 * kMiB - 8192) << "page aligned, at the top";
  EXPECT_EQ(at(s, initrd).bytes, f.initrd);
  const auto& line = at(s, get<uint32_t>(zero, 0x228)).bytes;
  EXPECT_STREQ(reinterpret_cast<const char*>(line.data()), "console=ttyS0");
  // e820: no RAM where the ACPI tables and the BIOS area are
  uint64_t ram = 0;
  for (unsigned i = 0; i < get<uint8_t>(zero, 0x1e8); ++i) {
    const size_t row = 0x2d0 + 20 * i;
    if (get<uint32_t>(zero, row + 16) != 1) continue;
    ram += get<uint64_t>(zero, row + 8);
    const uint64_t from = get<uint64_t>(zero, row), to = from + get<uint64_t>(zero, row + 8);
    EXPECT_TRUE(to <= 0x9fc00 || from >= 0x100000) << std::hex << from;
  }
  EXPECT_EQ(ram, 0x9fc00 + 63 * kMiB);
}

TEST(LinuxX86, RefusesInOneSentence) {
  EXPECT_EQ(refusal(image(), 64 * kMiB), "(accepted)");
  mv::LinuxImages f = image();
  f.kernel.resize(100);
  EXPECT_THAT(refusal(f, 64 * kMiB), HasSubstr("no Linux bzImage"));
  f = image();
  put<uint32_t>(f.kernel, 0x202, 0);
  EXPECT_THAT(refusal(f, 64 * kMiB), HasSubstr("no Linux bzImage"));
  f = image();
  put<uint16_t>(f.kernel, 0x236, 0);
  EXPECT_THAT(refusal(f, 64 * kMiB), HasSubstr("no 64-bit entry"));
  EXPECT_THAT(refusal(image(), 4096 * kMiB), HasSubstr("at most 2 GiB"));
  f = image();
  f.command_line.assign(2048, 'x');
  EXPECT_THAT(refusal(f, 64 * kMiB), HasSubstr("command line is too long"));
  f = image();
  f.initrd.resize(60 * kMiB);
  EXPECT_THAT(refusal(f, 64 * kMiB), HasSubstr("too small"));
  EXPECT_THAT(refusal(image(), 16 * kMiB), HasSubstr("too small"));
  f = image();
  put<uint8_t>(f.kernel, 0x1f1, 40);
  EXPECT_THAT(refusal(f, 64 * kMiB), HasSubstr("cut off"));
  f = image();
  put<uint64_t>(f.kernel, 0x258, 0xffffffffffffff00);
  EXPECT_THAT(refusal(f, 64 * kMiB), HasSubstr("too small")) << "a load address that wraps";
}

}  // namespace
