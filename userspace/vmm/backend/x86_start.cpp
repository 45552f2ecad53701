// SPDX-License-Identifier: MIT
#include "vmm/backend/x86_start.h"

#include <cstring>

namespace mv {

namespace {

// Selectors of the flat GDT: 32-bit code, data, 64-bit code.  Descriptor format: Intel SDM volume 3, section 3.4.5.
constexpr uint16_t kCode32 = 0x08;
constexpr uint16_t kData = 0x10;
constexpr uint16_t kCode64 = 0x18;
constexpr uint64_t kGdt[] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff};

// Linux's boot protocol fixes __BOOT_CS and __BOOT_DS (Documentation/arch/x86/boot.rst, "64-bit boot protocol").
constexpr uint16_t kLinuxCode = 0x10;
constexpr uint16_t kLinuxData = 0x18;
constexpr uint64_t kLinuxGdt[] = {0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff};
constexpr uint64_t kLinuxGdt32[] = {0, 0, 0x00cf9b000000ffff, 0x00cf93000000ffff};

// Multiboot specification 0.6.96, section 3.2.
constexpr uint32_t kMultibootEax = 0x2badb002;

constexpr uint64_t kPml4 = kX86Tables;
constexpr uint64_t kPdpt = kX86Tables + 0x1000;
constexpr uint64_t kDirectories = kX86Tables + 0x2000;  // four, one a GiB
constexpr uint64_t kGdtAt = kX86Tables + 0x6000;

constexpr uint64_t kPresentWritable = 3;
constexpr uint64_t kLarge = 1 << 7;

constexpr uint64_t kCr0Real = 0x30;       // ET, NE
constexpr uint64_t kCr0Protected = 0x31;  // + PE
constexpr uint64_t kCr0Long = 0x80000031;  // + PG
constexpr uint64_t kCr4Pae = 0x20;
constexpr uint64_t kEferLong = 0x500;  // LME, LMA

void put64(std::vector<std::byte>& bytes, uint64_t at, uint64_t value) { std::memcpy(bytes.data() + at, &value, sizeof value); }

bool is_long(StartMode mode) { return mode == StartMode::long64 || mode == StartMode::linux64; }

std::vector<std::byte> identity_map() {
  std::vector<std::byte> t(0x6000);
  put64(t, 0, kPdpt | kPresentWritable);
  for (uint64_t gib = 0; gib < 4; ++gib) put64(t, kPdpt - kPml4 + 8 * gib, (kDirectories + 0x1000 * gib) | kPresentWritable);
  for (uint64_t i = 0; i < 2048; ++i) put64(t, kDirectories - kPml4 + 8 * i, (i << 21) | kPresentWritable | kLarge);
  return t;
}

}  // namespace

std::vector<Image> x86_start_tables(StartMode mode) {
  std::vector<Image> images;
  if (mode == StartMode::real16 || mode == StartMode::reset) return images;
  std::vector<std::byte> gdt(sizeof kGdt);
  std::memcpy(gdt.data(), mode == StartMode::linux64 ? kLinuxGdt : mode == StartMode::linux32 ? kLinuxGdt32 : kGdt, sizeof kGdt);
  images.push_back({kGdtAt, std::move(gdt)});
  if (is_long(mode)) images.push_back({kPml4, identity_map()});
  return images;
}

// Intel SDM volume 3, table 9-1.
static acrn_vcpu_regs reset_regs() {
  acrn_vcpu_regs r{};
  acrn_regs& v = r.vcpu_regs;
  v.cs_sel = 0xf000;
  v.cs_base = 0xffff0000;
  v.cs_limit = v.gdt.limit = v.idt.limit = 0xffff;
  v.cs_ar = 0x9f;
  v.rip = 0xfff0;
  v.cr0 = kCr0Real;
  return r;
}

acrn_vcpu_regs x86_start_regs(StartMode mode, uint64_t entry, uint64_t argument) {
  if (mode == StartMode::reset) return reset_regs();
  acrn_vcpu_regs r{};
  acrn_regs& v = r.vcpu_regs;
  v.gprs.rsi = argument;
  if (mode == StartMode::multiboot) {
    v.gprs.rax = kMultibootEax;
    v.gprs.rbx = argument;
  }
  if (mode == StartMode::real16) {
    // data segments have base 0 whatever their selector: ACRN does not multiply by 16 here
    v.cs_sel = static_cast<uint16_t>(entry >> 4 & 0xf000);
    v.cs_base = entry & ~uint64_t{0xffff};
    v.cs_limit = 0xffff;
    v.cs_ar = 0x9f;
    v.rip = entry & 0xffff;
    v.cr0 = kCr0Real;
    v.idt.limit = 0x3ff;
    return r;
  }
  const bool linux_entry = mode == StartMode::linux64 || mode == StartMode::linux32, wide = is_long(mode);
  v.gdt.base = kGdtAt;
  v.gdt.limit = sizeof kGdt - 1;
  v.rip = entry;
  v.cs_sel = linux_entry ? kLinuxCode : wide ? kCode64 : kCode32;
  v.cs_ar = wide ? 0xa09b : 0xc09b;
  v.cs_limit = 0xffffffff;
  v.ss_sel = v.ds_sel = v.es_sel = v.fs_sel = v.gs_sel = linux_entry ? kLinuxData : kData;
  v.cr0 = wide ? kCr0Long : kCr0Protected;
  if (wide) {
    v.cr3 = kPml4;
    v.cr4 = kCr4Pae;
    v.ia32_efer = kEferLong;
  }
  return r;
}

}  // namespace mv
