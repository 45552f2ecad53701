// SPDX-License-Identifier: MIT
// ELF and multiboot kernels: what lies where, what the kernel is told, and one sentence for each malformed file.
#include "vmm/machine/kernel_x86.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace {

using File = std::vector<std::byte>;
using mv::KernelKind;
using testing::HasSubstr;
constexpr uint64_t kMemory = 16 << 20;

template <typename T>
void put(File& f, size_t at, const T& v) {
  if (f.size() < at + sizeof v) f.resize(at + sizeof v);
  std::memcpy(f.data() + at, &v, sizeof v);
}
template <typename T>
T get(const mv::LinuxStart& s, uint64_t gpa) {
  for (const mv::Image& i : s.images) {
    if (gpa < i.gpa || gpa + sizeof(T) > i.gpa + i.bytes.size()) continue;
    T v;
    std::memcpy(&v, &i.bytes[gpa - i.gpa], sizeof v);
    return v;
  }
  ADD_FAILURE() << "nothing at " << std::hex << gpa;
  return {};
}

// Two segments: code of 16 bytes at 1 MiB, data of 8 bytes and 24 zeroes at 2 MiB.
struct Elf32 {
  Elf32_Ehdr header{};
  Elf32_Phdr segment[2]{};
  Elf32() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS32;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_EXEC;
    header.e_machine = EM_386;
    header.e_entry = 0x100004;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof segment[0];
    header.e_phnum = 2;
    segment[0] = {PT_LOAD, 0x200, 0x100000, 0x100000, 16, 16, PF_X, 0};
    segment[1] = {PT_LOAD, 0x210, 0x200000, 0x200000, 8, 32, PF_W, 0};
  }
  File file() const {
    File f(0x218, std::byte{0x5a});
    put(f, 0, header);
    put(f, sizeof header, segment[0]);
    put(f, sizeof header + sizeof segment[0], segment[1]);
    return f;
  }
};

File multiboot_elf(uint32_t flags = 3) {
  File f = Elf32().file();
  const uint32_t header[] = {0x1badb002, flags, ~(0x1badb002 + flags) + 1};
  put(f, 0x200, header);
  return f;
}

// The header at 0x40 of a file that is loaded from 0x20 on to 1 MiB.
struct Flat {
  uint32_t magic = 0x1badb002, flags = 0x10003, checksum = 0, header_addr = 0x100020, load_addr = 0x100000, load_end = 0, bss_end = 0x100400, entry = 0x100030;
  File file(size_t size = 0x100) {
    checksum = ~(magic + flags) + 1;
    File f(size, std::byte{0x11});
    put(f, 0x40, *this);
    f.resize(size);
    return f;
  }
};

std::string refusal(const File& f, uint64_t memory = kMemory, mv::LinuxImages more = {}) {
  more.kernel = f;
  try {
    switch (mv::kernel_kind(f)) {
      case KernelKind::multiboot:
        mv::load_multiboot(more, memory);
        break;
      case KernelKind::bzimage:
        return "(bzimage)";
      default:
        mv::load_elf(more, memory);
    }
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "(accepted)";
}

template <typename Change>
std::string elf_refusal(Change change) {
  Elf32 e;
  change(e);
  return refusal(e.file());
}
template <typename Change>
std::string flat_refusal(Change change, size_t size = 0x100) {
  Flat f;
  change(f);
  return refusal(f.file(size));
}

TEST(KernelX86, KindsByMagic) {
  EXPECT_EQ(mv::kernel_kind(Elf32().file()), KernelKind::elf32);
  EXPECT_EQ(mv::kernel_kind(multiboot_elf()), KernelKind::multiboot);
  EXPECT_EQ(mv::kernel_kind(Flat().file()), KernelKind::multiboot);
  File f = Elf32().file();
  f[EI_CLASS] = std::byte{ELFCLASS64};
  EXPECT_EQ(mv::kernel_kind(f), KernelKind::elf64);
  f.resize(0x1000);
  put<uint32_t>(f, 0x202, 0x53726448);
  EXPECT_EQ(mv::kernel_kind(f), KernelKind::bzimage);
  EXPECT_THAT(refusal(File(100)), HasSubstr("no Linux bzImage, no multiboot kernel and no ELF"));
  EXPECT_THAT(refusal({}), HasSubstr("no Linux bzImage"));
  f = multiboot_elf();
  put<uint32_t>(f, 0x208, 1);
  EXPECT_EQ(mv::kernel_kind(f), KernelKind::elf32) << "a wrong checksum is no multiboot header";
  f = File(8192);
  const uint32_t header[] = {0x1badb002, 0, ~uint32_t{0x1badb002} + 1};
  put(f, 8192, header);
  EXPECT_THAT(refusal(f), HasSubstr("no Linux bzImage")) << "beyond the first 8 KiB";
}

TEST(KernelX86, ElfIsLoadedByPhysicalAddress) {
  Elf32 e;
  e.segment[0].p_vaddr = 0xc0100000;
  e.header.e_entry = 0xc0100004;
  const auto s = mv::load_elf({e.file(), {}, ""}, kMemory);
  EXPECT_EQ(s.entry, 0x100004u);
  EXPECT_EQ(get<uint8_t>(s, 0x10000f), 0x5a);
  EXPECT_EQ(get<uint8_t>(s, 0x200007), 0x5a);
  EXPECT_EQ(get<uint64_t>(s, 0x200008), 0u) << "zeroes behind the file's bytes";
  EXPECT_EQ(s.images[1].bytes.size(), 32u);
}

TEST(KernelX86, MalformedElf) {
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.header.e_machine = EM_ARM; }), HasSubstr("another kind of machine"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.header.e_ident[EI_DATA] = ELFDATA2MSB; }), HasSubstr("another kind of machine"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.header.e_type = ET_DYN; }), HasSubstr("fixed addresses"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.header.e_phnum = 0; }), HasSubstr("no program headers"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.header.e_phentsize = 8; }), HasSubstr("no program headers"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.header.e_phoff = 0xffffffff; }), HasSubstr("cut off"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.header.e_phnum = 100; }), HasSubstr("cut off"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.segment[1].p_offset = 0x211; }), HasSubstr("cut off: a segment"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.segment[1].p_offset = 0xffffffff; }), HasSubstr("cut off: a segment"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.segment[1].p_filesz = 33; }), HasSubstr("more bytes in the file"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.segment[1].p_paddr = kMemory - 31; }), HasSubstr("outside guest memory"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.segment[1].p_memsz = 0xffffffff; }), HasSubstr("outside guest memory"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.segment[1].p_paddr = 0x10000f; }), HasSubstr("overlap"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.segment[1].p_paddr = mv::kX86TablesEnd - 1; }), HasSubstr("start's own tables"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.header.e_entry = 0x300000; }), HasSubstr("entry lies in none"));
  EXPECT_THAT(elf_refusal([](Elf32& e) { e.segment[0].p_type = e.segment[1].p_type = PT_NOTE; }), HasSubstr("nothing to load"));
  File f = Elf32().file();
  for (size_t n = 0; n < f.size(); ++n) EXPECT_NE(refusal({f.begin(), f.begin() + static_cast<ptrdiff_t>(n)}), "(accepted)") << n << " bytes of it";
  EXPECT_THAT(refusal(f, kMemory, {{}, File(1), ""}), HasSubstr("need Linux or multiboot"));
  EXPECT_THAT(refusal(f, kMemory, {{}, {}, "x"}), HasSubstr("need Linux or multiboot"));
}

TEST(KernelX86, MultibootTellsTheMachine) {
  const auto s = mv::load_multiboot({multiboot_elf(), File(5000, std::byte{7}), "one two"}, kMemory);
  EXPECT_EQ(s.entry, 0x100004u);
  const uint64_t i = s.argument;
  EXPECT_EQ(get<uint32_t>(s, i), 0x24du);
  EXPECT_EQ(get<uint32_t>(s, i + 4), 639u);
  EXPECT_EQ(get<uint32_t>(s, i + 8), 15u << 10);
  EXPECT_EQ(get<uint64_t>(s, get<uint32_t>(s, i + 16)), 0x6f777420656e6fu) << "one two";
  EXPECT_EQ(get<uint32_t>(s, i + 20), 1u);
  const uint64_t module = get<uint32_t>(s, i + 24);
  EXPECT_EQ(get<uint32_t>(s, module), 0x201000u) << "a page behind the kernel";
  EXPECT_EQ(get<uint32_t>(s, module + 4), 0x201000u + 5000);
  EXPECT_EQ(get<uint8_t>(s, 0x201000 + 4999), 7);
  EXPECT_EQ(get<uint32_t>(s, i + 44), 72u);
  const uint64_t map = get<uint32_t>(s, i + 48);
  EXPECT_EQ(get<uint64_t>(s, map + 4 + 48), 0x100000u);
  EXPECT_EQ(get<uint64_t>(s, map + 12 + 48), kMemory - 0x100000);
  const auto alone = mv::load_multiboot({multiboot_elf(), {}, ""}, kMemory);
  EXPECT_EQ(get<uint32_t>(alone, alone.argument), 0x245u);
  EXPECT_EQ(get<uint32_t>(alone, alone.argument + 20), 0u);
}

TEST(KernelX86, MultibootWithAddresses) {
  const auto s = mv::load_multiboot({Flat().file(), {}, ""}, kMemory);
  EXPECT_EQ(s.entry, 0x100030u);
  EXPECT_EQ(s.images[0].gpa, 0x100000u);
  EXPECT_EQ(s.images[0].bytes.size(), 0x400u);
  EXPECT_EQ(get<uint32_t>(s, 0x100020), 0x1badb002u);
  EXPECT_EQ(get<uint8_t>(s, 0x1000df), 0x11) << "the file's last byte";
  EXPECT_EQ(get<uint8_t>(s, 0x1000e0), 0);
}

TEST(KernelX86, MalformedMultiboot) {
  EXPECT_THAT(refusal(multiboot_elf(7)), HasSubstr("flags 7"));
  EXPECT_THAT(flat_refusal([](Flat& f) { f.flags = 3; }), HasSubstr("no ELF file"));
  EXPECT_THAT(flat_refusal([](Flat& f) { f.load_addr = 0x100021; }), HasSubstr("load address"));
  EXPECT_THAT(flat_refusal([](Flat& f) { f.load_addr = 0xfffdf; }), HasSubstr("load address")) << "before the file";
  EXPECT_THAT(flat_refusal([](Flat& f) { f.load_end = 0xfffff; }), HasSubstr("load end"));
  EXPECT_THAT(flat_refusal([](Flat& f) { f.load_end = 0x1000e1; }), HasSubstr("cut off: a segment"));
  EXPECT_THAT(flat_refusal([](Flat& f) { f.bss_end = 0xffffffff; }), HasSubstr("outside guest memory"));
  EXPECT_THAT(flat_refusal([](Flat& f) { f.entry = 0x100400; }), HasSubstr("entry lies outside"));
  EXPECT_THAT(flat_refusal([](Flat& f) { f.entry = 0; }), HasSubstr("entry lies outside"));
  EXPECT_THAT(flat_refusal([](Flat&) {}, 0x50), HasSubstr("cut off: its multiboot header"));
  EXPECT_THAT(refusal(multiboot_elf(), 3 << 20, {{}, File(2 << 20), ""}), HasSubstr("too small"));
}

}  // namespace
