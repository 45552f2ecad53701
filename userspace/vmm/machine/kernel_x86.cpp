// SPDX-License-Identifier: MIT
#include "vmm/machine/kernel_x86.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>

namespace mv {

namespace {

using File = std::vector<std::byte>;

constexpr uint64_t kLowRamEnd = 0x9fc00, kHigh = 0x100000, kPage = 4096;
constexpr uint32_t kHdrS = 0x53726448;
constexpr size_t kHdrSAt = 0x202;

// Multiboot specification, sections 3.1 and 3.3.
constexpr uint32_t kMultiboot = 0x1badb002;
constexpr size_t kSearch = 8192;
enum Flag : uint32_t { ALIGN = 1 << 0, MEMORY = 1 << 1, VIDEO = 1 << 2, ADDRESSES = 1 << 16, MANDATORY = 0xffff };
enum Have : uint32_t { HAVE_MEMORY = 1 << 0, HAVE_LINE = 1 << 2, HAVE_MODULES = 1 << 3, HAVE_MAP = 1 << 6, HAVE_LOADER = 1 << 9 };
struct Header {
  uint32_t magic, flags, checksum, header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument("the kernel " + why); }

template <typename T>
T get(const File& f, uint64_t at, const char* what) {
  if (at > f.size() || sizeof(T) > f.size() - at) refuse(std::string("is cut off: its ") + what + " lies beyond the end of the file");
  T v;
  std::memcpy(&v, f.data() + at, sizeof v);
  return v;
}

std::optional<size_t> find_multiboot(const File& f) {
  for (size_t at = 0; at + 12 <= std::min(f.size(), kSearch); at += 4) {
    uint32_t words[3];
    std::memcpy(words, f.data() + at, sizeof words);
    if (words[0] == kMultiboot && words[0] + words[1] + words[2] == 0) return at;
  }
  return std::nullopt;
}

bool is_elf(const File& f) { return f.size() >= EI_NIDENT && !std::memcmp(f.data(), ELFMAG, SELFMAG); }

// Bytes of the file at a physical address, and zeroes up to `size`.
void add_segment(std::vector<Image>& images, const File& f, uint64_t offset, uint64_t file_size, uint64_t gpa, uint64_t size, uint64_t memory) {
  if (file_size > size) refuse("is malformed: a segment has more bytes in the file than in memory");
  if (offset > f.size() || file_size > f.size() - offset) refuse("is cut off: a segment lies beyond the end of the file");
  if (gpa > memory || size > memory - gpa) refuse("lies outside guest memory: give it more with --memory");
  for (const Image& i : images) {
    if (gpa < i.gpa + i.bytes.size() && i.gpa < gpa + size) refuse("is malformed: two of its segments overlap");
  }
  Image image{gpa, File(size)};
  std::copy_n(f.begin() + static_cast<ptrdiff_t>(offset), file_size, image.bytes.begin());
  images.push_back(std::move(image));
}

// Long mode's tables, the GDT and what multiboot tells have their places: nothing of a kernel may lie there.
void keep_free(const std::vector<Image>& images, uint64_t from, uint64_t to) {
  for (const Image& i : images) {
    if (i.gpa < to && from < i.gpa + i.bytes.size()) refuse(fmt::format("lies where the start's own tables are, {:#x} to {:#x}", from, to));
  }
}

template <typename Ehdr, typename Phdr>
LinuxStart elf(const File& f, uint16_t machine, uint64_t memory) {
  const auto header = get<Ehdr>(f, 0, "ELF header");
  if (header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != machine) refuse("is an ELF file for another kind of machine");
  if (header.e_type != ET_EXEC) refuse("is an ELF file, but no executable with fixed addresses");
  if (header.e_phentsize != sizeof(Phdr) || !header.e_phnum) refuse("is malformed: it has no program headers");
  LinuxStart start{header.e_entry, 0, {}};
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto p = get<Phdr>(f, header.e_phoff + i * sizeof(Phdr), "table of program headers");
    if (p.p_type != PT_LOAD || !p.p_memsz) continue;
    add_segment(start.images, f, p.p_offset, p.p_filesz, p.p_paddr, p.p_memsz, memory);
    // the entry is a virtual address, which a kernel may have elsewhere
    if (header.e_entry >= p.p_vaddr && header.e_entry - p.p_vaddr < p.p_memsz) start.entry = header.e_entry - p.p_vaddr + p.p_paddr;
  }
  if (start.images.empty()) refuse("is malformed: it has nothing to load");
  const bool inside = std::any_of(start.images.begin(), start.images.end(), [&](const Image& i) { return start.entry >= i.gpa && start.entry - i.gpa < i.bytes.size(); });
  if (!inside) refuse("is malformed: its entry lies in none of its segments");
  return start;
}

LinuxStart elf(const File& f, uint64_t memory) {
  LinuxStart start = std::to_integer<int>(f[EI_CLASS]) == ELFCLASS64 ? elf<Elf64_Ehdr, Elf64_Phdr>(f, EM_X86_64, memory)
                                                                     : elf<Elf32_Ehdr, Elf32_Phdr>(f, EM_386, memory);
  keep_free(start.images, kX86Tables, kX86TablesEnd);
  return start;
}

// With addresses in the header, the file is one segment, whatever else it is.
LinuxStart by_addresses(const File& f, size_t at, uint64_t memory) {
  const auto h = get<Header>(f, at, "multiboot header");
  if (h.load_addr > h.header_addr || h.header_addr - h.load_addr > at) refuse("is malformed: multiboot's load address is beyond its header's, or before the file");
  const uint64_t offset = at - (h.header_addr - h.load_addr);
  const uint64_t file_size = h.load_end_addr ? uint64_t{h.load_end_addr} - h.load_addr : f.size() - offset;
  if (h.load_end_addr && h.load_end_addr < h.load_addr) refuse("is malformed: multiboot's load end lies before its start");
  const uint64_t size = std::max<uint64_t>(file_size, h.bss_end_addr > h.load_addr ? h.bss_end_addr - h.load_addr : 0);
  LinuxStart start{h.entry_addr, 0, {}};
  add_segment(start.images, f, offset, file_size, h.load_addr, size, memory);
  if (h.entry_addr < h.load_addr || h.entry_addr - h.load_addr >= size) refuse("is malformed: its entry lies outside of what is loaded");
  return start;
}

// Multiboot's information: the fixed structure, and behind it whatever it points to.
class Info {
 public:
  Info() : bytes_(kSize) {}
  void word(size_t at, uint64_t v) { put(at, v, 4); }
  uint32_t append(const void* data, size_t n) {
    bytes_.resize((bytes_.size() + 7) & ~size_t{7});
    const size_t at = bytes_.size();
    bytes_.resize(at + n);
    std::memcpy(bytes_.data() + at, data, n);
    return static_cast<uint32_t>(kMultibootInfo + at);
  }
  uint32_t text(const std::string& s) { return append(s.c_str(), s.size() + 1); }
  // Section 3.3: size (without itself), base, length, type.
  void range(File& map, uint64_t from, uint64_t to, uint32_t type) {
    const size_t at = map.size();
    map.resize(at + 24);
    const uint32_t size = 20;
    const uint64_t length = to - from;
    std::memcpy(&map[at], &size, 4);
    std::memcpy(&map[at + 4], &from, 8);
    std::memcpy(&map[at + 12], &length, 8);
    std::memcpy(&map[at + 20], &type, 4);
  }
  File& bytes() { return bytes_; }

 private:
  static constexpr size_t kSize = 88;
  void put(size_t at, uint64_t v, unsigned n) { std::memcpy(&bytes_[at], &v, n); }
  File bytes_;
};

}  // namespace

KernelKind kernel_kind(const File& f) {
  uint32_t word = 0;
  if (f.size() >= kHdrSAt + 4) std::memcpy(&word, f.data() + kHdrSAt, 4);
  if (word == kHdrS) return KernelKind::bzimage;
  if (find_multiboot(f)) return KernelKind::multiboot;
  if (is_elf(f)) return std::to_integer<int>(f[EI_CLASS]) == ELFCLASS64 ? KernelKind::elf64 : KernelKind::elf32;
  refuse("is no Linux bzImage, no multiboot kernel and no ELF file");
}

LinuxStart load_elf(const LinuxImages& files, uint64_t memory) {
  if (!files.initrd.empty() || !files.command_line.empty()) refuse("is a flat ELF file: --initrd and --append need Linux or multiboot");
  return elf(files.kernel, memory);
}

LinuxStart load_multiboot(const LinuxImages& files, uint64_t memory) {
  const size_t at = find_multiboot(files.kernel).value();
  const auto flags = get<uint32_t>(files.kernel, at + 4, "multiboot header");
  if (flags & MANDATORY & ~uint32_t{ALIGN | MEMORY}) refuse("wants something of multiboot that there is not: flags " + std::to_string(flags));
  if (!(flags & ADDRESSES) && !is_elf(files.kernel)) refuse("is malformed: a multiboot kernel that is no ELF file has addresses in its header");
  LinuxStart start = flags & ADDRESSES ? by_addresses(files.kernel, at, memory) : elf(files.kernel, memory);
  keep_free(start.images, kX86Tables, kX86TablesEnd);
  Info info;
  uint32_t have = HAVE_MEMORY | HAVE_LINE | HAVE_MAP | HAVE_LOADER;
  info.word(4, kLowRamEnd >> 10);
  info.word(8, memory > kHigh ? (memory - kHigh) >> 10 : 0);
  info.word(16, info.text(files.command_line));
  if (!files.initrd.empty()) {
    uint64_t end = kHigh;
    for (const Image& i : start.images) end = std::max(end, i.gpa + i.bytes.size());
    const uint64_t module = (end + kPage - 1) & ~(kPage - 1);
    if (module > memory || files.initrd.size() > memory - module) throw std::invalid_argument("guest memory is too small for this kernel and initrd");
    const uint32_t entry[4] = {static_cast<uint32_t>(module), static_cast<uint32_t>(module + files.initrd.size()), info.text(""), 0};
    info.word(20, 1);
    info.word(24, info.append(entry, sizeof entry));
    have |= HAVE_MODULES;
    start.images.push_back({module, files.initrd});
  }
  File map;
  info.range(map, 0, kLowRamEnd, 1);
  info.range(map, kLowRamEnd, kHigh, 2);
  info.range(map, kHigh, memory, 1);
  info.word(44, map.size());
  info.word(48, info.append(map.data(), map.size()));
  info.word(64, info.text("mvmm"));
  info.word(0, have);
  keep_free(start.images, kMultibootInfo, kMultibootInfo + info.bytes().size());
  if (memory < (2 << 20)) throw std::invalid_argument("a multiboot kernel needs at least 2m of memory");
  start.images.push_back({kMultibootInfo, std::move(info.bytes())});
  start.argument = kMultibootInfo;
  return start;
}

}  // namespace mv
