// SPDX-License-Identifier: MIT
// Where an arm64 Image and its initrd lie, what the device tree says of them, and what is refused.
// Offsets: Documentation/arch/arm64/booting.rst.
#include "vmm/machine/linux_arm64.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libfdt.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>

namespace {

using testing::HasSubstr;
using L = mv::Arm64Layout;
constexpr uint64_t kMiB = 1 << 20;

template <typename T>
void put(std::vector<std::byte>& b, size_t at, T v) {
  std::memcpy(b.data() + at, &v, sizeof v);
}

// 4 KiB pages, text_offset 0, 3 MiB in memory of which 8 KiB are in the file.
mv::LinuxImages image() {
  mv::LinuxImages f;
  f.kernel.resize(8192, std::byte{0x1f});
  put<uint64_t>(f.kernel, 0, 0x91005a4d);
  put<uint64_t>(f.kernel, 8, 0);
  put<uint64_t>(f.kernel, 16, 3 * kMiB);
  put<uint64_t>(f.kernel, 24, 1 << 1 | 1 << 3);
  put<uint32_t>(f.kernel, 56, 0x644d5241);
  f.command_line = "console=ttyAMA0";
  return f;
}

std::string refusal(const mv::LinuxImages& f, uint64_t memory = 64 * kMiB) {
  try {
    mv::TreeChosen c;
    mv::linux_arm64(f, memory, c);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "(accepted)";
}

TEST(LinuxArm64, PlacesEverything) {
  mv::LinuxImages f = image();
  f.initrd.resize(5000, std::byte{7});
  mv::TreeChosen c;
  const mv::LinuxStart s = mv::linux_arm64(f, 64 * kMiB, c);
  EXPECT_EQ(s.entry, L::kMemoryBase);
  ASSERT_EQ(s.images.size(), 2u);
  EXPECT_EQ(s.images[0].gpa, s.entry);
  EXPECT_EQ(s.images[0].bytes, f.kernel) << "with its header, which is code";
  EXPECT_EQ(s.images[1].gpa, L::kMemoryBase + 64 * kMiB - L::kTreeSize - 8192) << "page aligned, right below the tree";
  EXPECT_EQ(s.images[1].bytes, f.initrd);
  EXPECT_EQ(c.initrd, s.images[1].gpa);
  EXPECT_EQ(c.initrd_size, 5000u);
  EXPECT_EQ(c.command_line, "console=ttyAMA0");
}

TEST(LinuxArm64, TextOffset) {
  mv::LinuxImages f = image();
  mv::TreeChosen c;
  put<uint64_t>(f.kernel, 8, 0x10000);
  EXPECT_EQ(mv::linux_arm64(f, 64 * kMiB, c).entry, L::kMemoryBase + 0x10000);
  put<uint64_t>(f.kernel, 16, 0);
  EXPECT_EQ(mv::linux_arm64(f, 64 * kMiB, c).entry, L::kMemoryBase + 0x80000) << "kernels before 3.17 say nothing";
}

TEST(LinuxArm64, Refusals) {
  EXPECT_EQ(refusal(image()), "(accepted)");
  mv::LinuxImages f = image();
  put<uint32_t>(f.kernel, 0, 0x00088b1f);
  EXPECT_THAT(refusal(f), HasSubstr("gunzip"));
  put<uint64_t>(f.kernel, 0, 0x676d697a00005a4d);
  EXPECT_THAT(refusal(f), HasSubstr("unpacks itself"));
  f = image();
  put<uint32_t>(f.kernel, 56, 0);
  EXPECT_THAT(refusal(f), HasSubstr("no arm64 Linux Image"));
  f.kernel.resize(63);
  EXPECT_THAT(refusal(f), HasSubstr("no arm64 Linux Image"));
  f.kernel.clear();
  EXPECT_THAT(refusal(f), HasSubstr("no arm64 Linux Image"));
  f = image();
  put<uint64_t>(f.kernel, 24, 1 | 1 << 1);
  EXPECT_THAT(refusal(f), HasSubstr("big-endian"));
  put<uint64_t>(f.kernel, 24, 3 << 1);
  EXPECT_THAT(refusal(f), HasSubstr("4 KiB pages"));
  f = image();
  f.command_line.resize(2048, 'x');
  EXPECT_THAT(refusal(f), HasSubstr("too long"));
}

TEST(LinuxArm64, MemoryTooSmall) {
  mv::LinuxImages f = image();
  f.initrd.resize(kMiB);
  const uint64_t just = 4 * kMiB + L::kTreeSize + 4096;
  EXPECT_EQ(refusal(f, just), "(accepted)");
  for (uint64_t memory : {just - 4096, 3 * kMiB, kMiB, uint64_t{4096}}) EXPECT_THAT(refusal(f, memory), HasSubstr("too small")) << memory;
  put<uint64_t>(f.kernel, 16, ~uint64_t{0});
  EXPECT_THAT(refusal(f), HasSubstr("too small"));
  f = image();
  put<uint64_t>(f.kernel, 8, ~uint64_t{0} - 4095);
  EXPECT_THAT(refusal(f), HasSubstr("too small"));
}

std::string property(const std::vector<std::byte>& tree, const char* path, const char* name) {
  int size = 0;
  const void* p = fdt_getprop(tree.data(), fdt_path_offset(tree.data(), path), name, &size);
  return p ? std::string(static_cast<const char*>(p), static_cast<size_t>(size)) : "(absent)";
}

std::string cells(std::initializer_list<uint32_t> values) {
  std::string s;
  for (uint32_t v : values) {
    const fdt32_t big = cpu_to_fdt32(v);
    s.append(reinterpret_cast<const char*>(&big), sizeof big);
  }
  return s;
}

TEST(DeviceTree, SaysWhatTheKernelNeeds) {
  const auto t = mv::make_device_tree(64 << 20, 2, {}, {.command_line = "quiet", .initrd = 0x83000000, .initrd_size = 0x1234, .virtio = 2});
  ASSERT_EQ(fdt_check_full(t.data(), t.size()), 0);
  EXPECT_EQ(property(t, "/chosen", "bootargs"), std::string("quiet\0", 6));
  EXPECT_EQ(property(t, "/chosen", "linux,initrd-start"), cells({0, 0x83000000}));
  EXPECT_EQ(property(t, "/chosen", "linux,initrd-end"), cells({0, 0x83001234}));
  EXPECT_EQ(property(t, "/uart@9000000", "interrupts"), cells({0, 1, 1}));
  EXPECT_EQ(property(t, "/uart@9000000", "compatible"), std::string("arm,pl011\0arm,primecell\0", 24));
  EXPECT_EQ(property(t, "/uart@9000000", "clock-names"), std::string("uartclk\0apb_pclk\0", 17));
  EXPECT_EQ(property(t, "/rtc@9050000", "interrupts"), cells({0, 2, 1}));
  EXPECT_EQ(property(t, "/virtio@a001000", "interrupts"), cells({0, 17, 1}));
  EXPECT_EQ(property(t, "/virtio@a001000", "reg"), cells({0, 0x0a001000, 0, 0x1000}));
  EXPECT_EQ(property(t, "/virtio@a002000", "reg"), "(absent)");
  const auto bare = mv::make_device_tree(64 << 20, 1);
  EXPECT_EQ(property(bare, "/chosen", "bootargs"), "(absent)");
  EXPECT_EQ(property(bare, "/chosen", "linux,initrd-start"), "(absent)");
}

TEST(DeviceTree, FirmwaresMemoryBeginsWhereItLooks) {
  const auto t = mv::make_device_tree(64 << 20, 1, {}, {.command_line = "", .firmware = true});
  ASSERT_EQ(fdt_check_full(t.data(), t.size()), 0);
  EXPECT_EQ(property(t, "/memory@40000000", "reg"), cells({0, 0x40000000, 0, 64 << 20}));
  EXPECT_EQ(property(t, "/memory@80000000", "reg"), "(absent)");
  EXPECT_EQ(property(t, "/gunyah-vm-config/memory", "base-address"), cells({0, 0x40000000}));
}

TEST(DeviceTree, PoolIsReservedAndTheDevicesMemory) {
  const auto t = mv::make_device_tree(64 << 20, 1, {}, {.command_line = "", .virtio = 2, .pool_size = 8 << 20});
  ASSERT_EQ(fdt_check_full(t.data(), t.size()), 0);
  EXPECT_EQ(property(t, "/memory@80000000", "reg"), cells({0, 0x80000000, 0, 72 << 20})) << "the kernel reaches it as it reaches all memory";
  const char* pool = "/reserved-memory/restricted-dma-pool@84000000";
  EXPECT_EQ(property(t, pool, "compatible"), std::string("restricted-dma-pool\0", 20));
  EXPECT_EQ(property(t, pool, "reg"), cells({0, 0x84000000, 0, 8 << 20}));
  const std::string phandle = property(t, pool, "phandle");
  for (const char* device : {"/virtio@a000000", "/virtio@a001000"}) EXPECT_EQ(property(t, device, "memory-region"), phandle);
  EXPECT_EQ(property(t, "/reserved-memory", "ranges"), "");
  EXPECT_EQ(property(mv::make_device_tree(64 << 20, 1, {}, {.command_line = "", .virtio = 1}), "/virtio@a000000", "memory-region"), "(absent)");
}

// The device tree compiler knows the rules about names, cells and phandles; a label is a number to the resource manager.
TEST(DeviceTree, DtcFindsNothing) {
  const std::string file = fmt::format("{}/mv-tree-{}.dtb", testing::TempDir(), ::getpid());
  const mv::TreeDoorbell bells[] = {{1, 1}, {17, 17}};
  const auto t = mv::make_device_tree(64 << 20, 4, bells, {.command_line = "quiet", .initrd = 0x83000000, .initrd_size = 4, .virtio = 3, .pool_size = 1 << 20});
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(file.c_str(), "wb"), std::fclose);
  ASSERT_TRUE(out);
  ASSERT_EQ(std::fwrite(t.data(), 1, t.size(), out.get()), t.size());
  std::fflush(out.get());
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> dtc(::popen(fmt::format("dtc -W no-label_is_string -I dtb -O dts -o /dev/null {} 2>&1", file).c_str(), "r"), ::pclose);
  std::string said(1 << 16, 0);
  said.resize(std::fread(said.data(), 1, said.size(), dtc.get()));
  std::remove(file.c_str());
  EXPECT_EQ(said, "");
}

}  // namespace
