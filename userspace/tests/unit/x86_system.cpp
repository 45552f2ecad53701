// SPDX-License-Identifier: MIT
// Call gates, task switches, virtual-8086 mode, breakpoints, features: what no other CPU here can be asked about.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <vector>

extern "C" {
#include "core/cpu/x86/x86.h"
}

namespace {

using Bytes = std::vector<u8>;
constexpr u64 kRam = 1 << 20, kGdt = 0x8000, kIdt = 0x9000, kTss = 0xa000, kTss2 = 0xa100, kCode = 0x10000, kStack = 0x80000, kStack0 = 0x70000;
// GDT: 08 code 0, 10 data 0, 1b code 3, 23 data 3, 28 TSS, 30 TSS 2, 3b call gate, 40 task gate
constexpr u16 kCode0 = 0x08, kData0 = 0x10, kCode3 = 0x1b, kData3 = 0x23;

class System : public testing::Test {
 protected:
  System() {
    ram = static_cast<u8 *>(aligned_alloc(4096, kRam));
    memset(ram, 0, kRam);
    hv_memmap_init(&map);
    hv_memmap_add(&map, 0, kRam, ram, nullptr, HV_MEM_RWX);
    cpu = static_cast<x86_cpu *>(calloc(1, sizeof(x86_cpu)));
    arena = malloc(1 << 20);
    x86_cpu_init(cpu, &map, 0, arena, 1 << 20, 1 << 20);
    put64(kGdt + 8, 0x00cf9b000000ffff);
    put64(kGdt + 0x10, 0x00cf93000000ffff);
    put64(kGdt + 0x18, 0x00cffb000000ffff);
    put64(kGdt + 0x20, 0x00cff3000000ffff);
    put64(kGdt + 0x28, 0x67 | kTss << 16 | 0x8bull << 40);
    put64(kGdt + 0x30, 0x67 | kTss2 << 16 | 0x89ull << 40);
    fix_gate();
    put64(kGdt + 0x40, 0x30ull << 16 | 0x8500ull << 32);
    put32(kTss + 4, kStack0);
    put32(kTss + 8, kData0);
    put16(kTss + 0x66, 0x68);
    for (u64 v = 0; v < 32; v++) gate(v, 0x20000 + v * 16);
    for (u64 v = 0; v < 32; v++) ram[0x20000 + v * 16] = 0xf4;
  }
  ~System() override { free(ram); free(cpu); free(arena); }

  // DPL 3, two parameters
  void fix_gate() { put64(kGdt + 0x38, ((kCode & 0xffff) + 0x100) | static_cast<u64>(kCode0) << 16 | 0xec02ull << 32 | (kCode >> 16) << 48); }
  void put16(u64 at, u16 v) { memcpy(ram + at, &v, 2); }
  void put32(u64 at, u32 v) { memcpy(ram + at, &v, 4); }
  void put64(u64 at, u64 v) { memcpy(ram + at, &v, 8); }
  u32 get32(u64 at) const { u32 v; memcpy(&v, ram + at, 4); return v; }
  void gate(u64 vector, u64 to) { put64(kIdt + vector * 8, (to & 0xffff) | static_cast<u64>(kCode0) << 16 | 0xee00ull << 32 | (to >> 16) << 48); }
  void code(const Bytes &b, u64 at = kCode) { memcpy(ram + at, b.data(), b.size()); }
  x86_state state() const { x86_state s; x86_state_get(cpu, &s); return s; }
  void start(int cpl) {
    x86_state s = state();
    u16 cs = cpl ? kCode3 : kCode0, ss = cpl ? kData3 : kData0;
    for (auto &g : s.seg) g = {ss, static_cast<u16>(0xc093 | cpl << 5), 0xffffffff, 0};
    s.seg[X86_CS] = {cs, static_cast<u16>(0xc09b | cpl << 5), 0xffffffff, 0};
    s.seg[X86_LDTR] = {0, 0, 0, 0};
    s.seg[X86_TR] = {0x28, 0x8b, 0x67, kTss};
    s.gdt = {kGdt, 0x47};
    s.idt = {kIdt, 0xff};
    s.cr0 = 0x33;
    s.rip = kCode;
    s.rflags = 2;
    s.gpr[X86_RSP] = kStack;
    x86_state_set(cpu, &s);
  }
  int vector() const { return state().rip >= 0x20000 && state().rip < 0x20200 ? static_cast<int>((state().rip - 0x20000) / 16) : -1; }
  hv_exit_kind run() { return x86_step(cpu, 100000); }

  hv_memmap map;
  x86_cpu *cpu;
  u8 *ram;
  void *arena;
};

TEST_F(System, CallGateToTheInnerLevelAndBack) {
  start(3);
  // push 11h; push 22h; call 3b:0; int3
  code({0x6a, 0x11, 0x6a, 0x22, 0x9a, 0, 0, 0, 0, 0x3b, 0, 0xcc});
  // in the gate: mov eax, [esp+8]; mov ebx, [esp+12]; mov cx, cs; retf 8
  code({0x8b, 0x44, 0x24, 0x08, 0x8b, 0x5c, 0x24, 0x0c, 0x8c, 0xc9, 0xca, 8, 0}, kCode + 0x100);
  EXPECT_EQ(run(), HV_EXIT_IDLE);
  EXPECT_EQ(vector(), 3);
  EXPECT_EQ(cpu->r[X86_RAX], 0x22u);
  EXPECT_EQ(cpu->r[X86_RBX], 0x11u);
  EXPECT_EQ(cpu->r[X86_RCX] & 0xffff, kCode0);
  EXPECT_EQ(get32(kStack0 - 8), kStack);           // ESP the INT3 saved: both parameters are gone
  EXPECT_EQ(get32(kStack0 - 16) & 0xffff, kCode3);
}

TEST_F(System, JumpThroughAGateDoesNotChangeTheLevel) {
  start(3);
  code({0xea, 0, 0, 0, 0, 0x3b, 0});
  EXPECT_EQ(run(), HV_EXIT_IDLE);
  EXPECT_EQ(vector(), 13);
  EXPECT_EQ(get32(kStack0 - 24), kCode0);  // #GP(target selector)
}

TEST_F(System, TaskCallAndReturn) {
  start(0);
  put32(kTss2 + 0x20, kCode + 0x200);
  put32(kTss2 + 0x24, 2);
  put32(kTss2 + 0x28, 0x1234);          // EAX
  put32(kTss2 + 0x38, kStack - 0x1000);  // ESP
  for (int n = 0; n < 6; n++) put32(kTss2 + 0x48 + n * 4, n == 1 ? kCode0 : kData0);
  code({0x9a, 0, 0, 0, 0, 0x30, 0, 0xf4});              // call 30:0; hlt
  code({0x89, 0xc3, 0x9c, 0x5a, 0xcf, 0xcc}, kCode + 0x200);  // mov ebx, eax; pushf; pop edx; iret
  x86_state s = state();
  s.gpr[X86_RSI] = 0x77;
  x86_state_set(cpu, &s);
  EXPECT_EQ(run(), HV_EXIT_IDLE);
  s = state();
  EXPECT_EQ(s.rip, kCode + 8);
  EXPECT_EQ(s.gpr[X86_RSI], 0x77u);            // the first task's again
  EXPECT_EQ(get32(kTss2 + 0x28 + 12), 0x1234u);  // EBX of the second, saved by its IRET
  EXPECT_EQ(get32(kTss2 + 0x28 + 8) & 0x4000, 0x4000u);  // it ran with NT set
  EXPECT_EQ(ram[kTss2] | ram[kTss2 + 1] << 8, 0x28);     // the link
  EXPECT_EQ(s.seg[X86_TR].selector, 0x28);
  EXPECT_EQ(ram[kGdt + 0x35] & 0xf, 9);   // available again
  EXPECT_EQ(ram[kGdt + 0x2d] & 0xf, 11);
  EXPECT_TRUE(s.cr0 & 8);
}

TEST_F(System, InterruptThroughATaskGatePushesTheErrorCode) {
  start(0);
  put64(kIdt + 13 * 8, 0x30ull << 16 | 0x8500ull << 32);
  put32(kTss2 + 0x20, kCode + 0x200);
  put32(kTss2 + 0x24, 2);
  put32(kTss2 + 0x38, kStack - 0x1000);
  for (int n = 0; n < 6; n++) put32(kTss2 + 0x48 + n * 4, n == 1 ? kCode0 : kData0);
  code({0xb8, 0x50, 0, 0, 0, 0x8e, 0xd8});  // mov eax, 50h; mov ds, ax: beyond the table
  code({0x58, 0xf4}, kCode + 0x200);        // pop eax; hlt
  EXPECT_EQ(run(), HV_EXIT_IDLE);
  EXPECT_EQ(cpu->r[X86_RAX], 0x50u);
  EXPECT_EQ(get32(kTss + 0x20), kCode + 5);
}

TEST_F(System, Virtual8086AndBack) {
  start(0);
  // IRET frame: EIP CS EFLAGS(VM, IOPL 0) ESP SS ES DS FS GS
  u32 frame[] = {0x10, 0x4000, 0x20002, 0x800, 0x5000, 0x1111, 0x2222, 0x3333, 0x4444};
  memcpy(ram + kStack - sizeof(frame), frame, sizeof(frame));
  x86_state s = state();
  s.gpr[X86_RSP] = kStack - sizeof(frame);
  x86_state_set(cpu, &s);
  code({0xcf});
  // at 4000:0010: mov ax, ds; push ax; cli (IOPL 0: #GP)
  code({0x8c, 0xd8, 0x50, 0xfa}, 0x40010);
  EXPECT_EQ(run(), HV_EXIT_IDLE);
  EXPECT_EQ(vector(), 13);
  s = state();
  EXPECT_EQ(s.gpr[X86_RAX] & 0xffff, 0x2222u);
  EXPECT_EQ(ram[0x50000 + 0x7fe] | ram[0x50000 + 0x7ff] << 8, 0x2222);
  EXPECT_EQ(s.rflags & X86_FLAG_VM, 0u);
  EXPECT_EQ(s.seg[X86_DS].selector, 0);
  // GS FS DS ES SS ESP EFLAGS CS EIP error
  EXPECT_EQ(get32(kStack0 - 4), 0x4444u);
  EXPECT_EQ(get32(kStack0 - 16), 0x1111u);
  EXPECT_EQ(get32(kStack0 - 20), 0x5000u);
  EXPECT_EQ(get32(kStack0 - 28) & 0x20000, 0x20000u);
  EXPECT_EQ(get32(kStack0 - 36), 0x13u);
  EXPECT_EQ(get32(kStack0 - 40), 0u);
}

TEST_F(System, InstructionBreakpointIsAFaultAndRfHoldsItOff) {
  start(0);
  code({0x40, 0x40, 0x40, 0xf4});  // inc eax three times
  x86_state s = state();
  s.dr[0] = kCode + 1;
  s.dr[7] = 0x401;
  x86_state_set(cpu, &s);
  EXPECT_EQ(run(), HV_EXIT_IDLE);
  EXPECT_EQ(vector(), 1);
  EXPECT_EQ(cpu->r[X86_RAX], 1u);
  EXPECT_EQ(state().dr[6] & 0xf00f, 1u);
  EXPECT_EQ(get32(kStack - 12), kCode + 1);
  EXPECT_EQ(get32(kStack - 4) & X86_FLAG_RF, X86_FLAG_RF);
  ram[0x20010] = 0xcf;  // IRET in the handler: goes on over the breakpoint
  s = state();
  s.rip = 0x20010;
  x86_state_set(cpu, &s);
  EXPECT_EQ(run(), HV_EXIT_IDLE);
  EXPECT_EQ(vector(), -1);
  EXPECT_EQ(cpu->r[X86_RAX], 3u);
}

TEST_F(System, DataBreakpointIsATrap) {
  start(0);
  code({0xa3, 0x02, 0, 3, 0, 0x40, 0xf4});  // mov [30002h], eax; inc eax
  x86_state s = state();
  s.dr[1] = 0x30000;
  s.dr[7] = 0x400 | 4 | 0xdu << 20;  // four bytes, writes
  x86_state_set(cpu, &s);
  EXPECT_EQ(run(), HV_EXIT_IDLE);
  EXPECT_EQ(vector(), 1);
  EXPECT_EQ(get32(kStack - 12), kCode + 5);
  EXPECT_EQ(state().dr[6] & 0xf00f, 2u);
  EXPECT_EQ(cpu->r[X86_RAX], 0u);
}

TEST_F(System, BreakpointBehindMovSsWaits) {
  start(0);
  // mov ss, [30000h]; inc eax; inc eax: the #DB comes behind the first INC
  put16(0x30000, kData0);
  code({0x8e, 0x15, 0, 0, 3, 0, 0x40, 0x40, 0xf4});
  x86_state s = state();
  s.dr[0] = 0x30000;
  s.dr[7] = 0x400 | 1 | 7u << 16;
  x86_state_set(cpu, &s);
  EXPECT_EQ(run(), HV_EXIT_IDLE);
  EXPECT_EQ(vector(), 1);
  EXPECT_EQ(cpu->r[X86_RAX], 1u);
}

TEST_F(System, StringInstructionsTrapAfterEachIteration) {
  start(0);
  code({0xf3, 0xaa, 0xf4});  // rep stosb
  x86_state s = state();
  s.gpr[X86_RCX] = 5;
  s.gpr[X86_RDI] = 0x30000;
  s.dr[0] = 0x30001;
  s.dr[7] = 0x400 | 1 | 1u << 16;
  x86_state_set(cpu, &s);
  EXPECT_EQ(run(), HV_EXIT_IDLE);
  EXPECT_EQ(vector(), 1);
  EXPECT_EQ(cpu->r[X86_RCX], 3u);
  EXPECT_EQ(get32(kStack - 12), kCode);
}

TEST_F(System, GeneralDetect) {
  start(0);
  code({0x0f, 0x21, 0xc0});  // mov eax, dr0
  x86_state s = state();
  s.dr[7] = 0x2400;
  x86_state_set(cpu, &s);
  EXPECT_EQ(run(), HV_EXIT_IDLE);
  EXPECT_EQ(vector(), 1);
  EXPECT_EQ(state().dr[6] & 0xf00f, 0x2000u);
  EXPECT_EQ(state().dr[7] & 0x2000, 0u);
}

// Without its bit an instruction is undefined, and CPUID does not have it.
TEST_F(System, FeaturesCanBeNarrowed) {
  const struct { x86_feature feature; Bytes code; } cases[] = {
      {X86_HAS_SSE2, {0x66, 0x0f, 0xef, 0xc0}}, {X86_HAS_SSSE3, {0x66, 0x0f, 0x38, 0x00, 0xc1}}, {X86_HAS_POPCNT, {0xf3, 0x0f, 0xb8, 0xc1}},
      {X86_HAS_AES, {0x66, 0x0f, 0x38, 0xdc, 0xc1}}, {X86_HAS_ADX, {0x66, 0x0f, 0x38, 0xf6, 0xc1}}, {X86_HAS_BMI2, {0xc4, 0xe2, 0x70, 0xf5, 0xc1}},
      {X86_HAS_RDRAND, {0x0f, 0xc7, 0xf0}},
  };
  for (auto &c : cases)
    for (bool has : {true, false}) {
      cpu->features = ((1ull << X86_FEATURES) - 1) & ~(has ? 0 : 1ull << c.feature);
      cpu->cr4 = CR4_OSFXSR;
      start(0);
      Bytes b = c.code;
      b.push_back(0xf4);
      code(b);
      EXPECT_EQ(run(), HV_EXIT_IDLE);
      EXPECT_EQ(vector(), has ? -1 : 6) << "feature " << c.feature;
    }
}

}  // namespace
