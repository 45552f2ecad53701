// SPDX-License-Identifier: MIT
// A bare x86 machine for unit tests and fuzzers: RAM at 0, paging one to one in 64-bit mode, devices above.
#pragma once

#include <cstdlib>
#include <cstring>
#include <vector>

extern "C" {
#include "core/cpu/x86/x86.h"
}

namespace x86_test {

using Bytes = std::vector<u8>;
// a fuzzer wants less of it
#ifndef MV_TEST_RAM
#define MV_TEST_RAM (4 << 20)
#endif
constexpr u64 kRam = MV_TEST_RAM, kCode = 0x10000, kStack = 0x80000, kIdt = 0x9000, kGdt = 0x8000;

// A machine with RAM at 0; everything above is a device.
struct Machine {
  explicit Machine(int bits = 64, u8 *shared = nullptr) {
    own = shared ? nullptr : static_cast<u8 *>(aligned_alloc(4096, kRam));
    ram = shared ? shared : own;
    if (own) memset(ram, 0, kRam);
    hv_memmap_init(&map);
    hv_memmap_add(&map, 0, kRam, ram, nullptr, HV_MEM_RWX);
    cpu = static_cast<x86_cpu *>(calloc(1, sizeof(x86_cpu)));
    arena = malloc(1 << 20);
    x86_cpu_init(cpu, &map, 0, arena, 1 << 20, 1 << 20);
    setup(bits);
  }
  ~Machine() { free(own); free(cpu); free(arena); }

  void qword(u64 at, u64 v) { memcpy(ram + at, &v, 8); }
  void setup(int bits) {
    qword(0x1000, 0x2007);
    qword(0x2000, 0x3007);
    for (u64 n = 0; n < 512; n++) qword(0x3000 + n * 8, n << 21 | 0x87);
    qword(kGdt + 8, bits == 64 ? 0x00af9b000000ffff : 0x00cf9b000000ffff);
    qword(kGdt + 16, 0x00cf93000000ffff);
    x86_state s = state();
    for (auto &g : s.seg) g = {16, 0xc093, 0xffffffff, 0};
    s.seg[X86_CS] = {8, static_cast<u16>(bits == 64 ? 0xa09b : 0xc09b), 0xffffffff, 0};
    s.seg[X86_LDTR] = {0, 0, 0, 0};
    s.seg[X86_TR] = {0, 0x8b, 0xffff, 0};
    s.gdt = {kGdt, 0x17};
    s.idt = {kIdt, 0xfff};
    s.cr0 = bits == 64 ? 0x80010033 : 0x33;
    s.cr3 = 0x1000;
    s.cr4 = bits == 64 ? 0x20 : 0;
    s.efer = bits == 64 ? 0x500 : 0;
    s.rip = kCode;
    s.gpr[X86_RSP] = kStack;
    if (bits == 16) {
      x86_reset(cpu);
      s = state();
      s.seg[X86_CS].base = 0;
      s.seg[X86_CS].selector = 0;
      s.rip = 0x1000;
      s.gpr[X86_RSP] = 0x8000;
      s.idt = {0, 0x3ff};
    }
    set(s);
  }
  void gate64(int vector, u64 to) { qword(kIdt + vector * 16, (to & 0xffff) | 8 << 16 | 0x8e00ull << 32 | (to >> 16) << 48); qword(kIdt + vector * 16 + 8, to >> 32); }
  void gate32(int vector, u64 to) { qword(kIdt + vector * 8, (to & 0xffff) | 8 << 16 | 0x8e00ull << 32 | (to >> 16) << 48); }
  x86_state state() const { x86_state s; x86_state_get(cpu, &s); return s; }
  void set(const x86_state &s) { x86_state_set(cpu, &s); }
  void code(const Bytes &b, u64 at = kCode) { memcpy(ram + at, b.data(), b.size()); }
  u64 reg(int n) const { return cpu->r[n]; }
  u64 read(u64 at) const { u64 v; memcpy(&v, ram + at, 8); return v; }

  hv_memmap map;
  x86_cpu *cpu;
  u8 *ram, *own;
  void *arena;
};

}  // namespace x86_test
