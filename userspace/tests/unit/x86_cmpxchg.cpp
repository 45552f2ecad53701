// SPDX-License-Identifier: MIT
// CMPXCHG of 32 bits in 64-bit mode beside the machine's own CPU: which upper halves it clears, and which it leaves alone.
#include <gtest/gtest.h>

#include <tuple>

#include "x86_machine.h"

namespace {

using namespace x86_test;

constexpr u64 kHigh = 0x1111111100000000;

// RAX, RCX, memory at RBX, ZF
using Seen = std::tuple<u64, u64, u64, bool>;

#ifdef __x86_64__
template <bool kMemory>
Seen host(u64 rax, u64 rcx, u64 memory) {
  bool zero;
  if (kMemory) asm("cmpxchgl %%esi, %1" : "+a"(rax), "+m"(memory), "=@ccz"(zero) : "S"(0x46ull));
  else asm("cmpxchgl %%esi, %%ecx" : "+a"(rax), "+c"(rcx), "=@ccz"(zero) : "S"(0x46ull));
  return {rax, rcx, memory, zero};
}

template <bool kMemory>
Seen ours(u64 rax, u64 rcx, u64 memory) {
  Machine m;
  m.code(kMemory ? Bytes{0x0f, 0xb1, 0x33, 0xf4} : Bytes{0x0f, 0xb1, 0xf1, 0xf4});  // cmpxchg [rbx], esi / ecx, esi; hlt
  x86_state s = m.state();
  s.gpr[X86_RAX] = rax;
  s.gpr[X86_RCX] = rcx;
  s.gpr[X86_RSI] = 0x46;
  s.gpr[X86_RBX] = 0x20000;
  m.set(s);
  m.qword(0x20000, memory);
  EXPECT_EQ(x86_step(m.cpu, 10), HV_EXIT_IDLE);
  return {m.reg(X86_RAX), m.reg(X86_RCX), m.read(0x20000), m.state().rflags & X86_FLAG_ZF};
}

TEST(X86Cmpxchg, UpperHalvesAsOnTheMachinesOwnCpu) {
  for (const u64 high : {u64{0}, kHigh}) {
    for (const u64 low : {0xfffffffdu, 0xfdu}) {
      const u64 rax = high | 0xfffffffd, other = kHigh | low;
      EXPECT_EQ(ours<false>(rax, other, 7), host<false>(rax, other, 7)) << std::hex << high << " " << low;
      EXPECT_EQ(ours<true>(rax, 7, other), host<true>(rax, 7, other)) << std::hex << high << " " << low;
    }
  }
}
#endif

}  // namespace
