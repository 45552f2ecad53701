// SPDX-License-Identifier: MIT
// The x86 CPU's engine: self-modifying code, exits and replay, budgets, interrupts, paging, LOCK.  Programs are bytes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "x86_machine.h"

using namespace x86_test;

namespace {

using Step = hv_exit_kind (*)(x86_cpu *, u64);

class Engine : public testing::TestWithParam<Step> {
 protected:
  hv_exit_kind step(Machine &m, u64 n = 1000000) { return GetParam()(m.cpu, n); }
};
INSTANTIATE_TEST_SUITE_P(Dispatch, Engine, testing::Values(x86_step, x86_step_switch),
                         [](const auto &i) { return i.index ? "Switch" : "Goto"; });

TEST_P(Engine, StoreIntoTheNextInstruction) {
  Machine m;
  // mov byte [rip+3], 0x42 ; nop; mov al, 1 (its immediate becomes 42h) ; hlt
  m.code({0xc6, 0x05, 0x02, 0, 0, 0, 0x42, 0x90, 0xb0, 0x01, 0xf4});
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
  EXPECT_EQ(m.reg(X86_RAX), 0x42u);
  EXPECT_EQ(m.cpu->hv.retired, 4u);
}

TEST_P(Engine, RepStosOverItself) {
  Machine m;
  m.code({0xf3, 0xaa, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90});
  x86_state s = m.state();
  s.gpr[X86_RAX] = 0xf4;  // HLT
  s.gpr[X86_RDI] = kCode;
  s.gpr[X86_RCX] = 8;
  m.set(s);
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
  EXPECT_EQ(m.reg(X86_RCX), 7u);  // the first byte made it HLT
  EXPECT_EQ(m.state().rip, kCode + 1);
}

TEST_P(Engine, InstructionAcrossPages) {
  Machine m;
  m.code({0xe9, 0xf9, 0x0f, 0, 0});                        // jmp to kCode + 0xffe
  m.code({0xb8, 0x78, 0x56, 0x34, 0x12, 0xf4}, kCode + 0xffe);  // mov eax, 12345678h across the boundary
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
  EXPECT_EQ(m.reg(X86_RAX), 0x12345678u);
  m.ram[kCode + 0x1002] = 0x99;  // changed by the host; an exit has completed
  x86_state s = m.state();
  s.rip = kCode;
  m.set(s);
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
  EXPECT_EQ(m.reg(X86_RAX), 0x99345678u);
}

TEST_P(Engine, ReadModifyWriteOnADeviceIsOneReadAndOneWrite) {
  Machine m;
  m.code({0x01, 0x03, 0xf4});  // add [rbx], eax
  x86_state s = m.state();
  s.gpr[X86_RAX] = 5;
  s.gpr[X86_RBX] = 0x10000000;
  m.set(s);
  ASSERT_EQ(step(m), HV_EXIT_ACCESS);
  EXPECT_EQ(m.cpu->hv.exit.direction, HV_READ);
  EXPECT_EQ(m.cpu->hv.exit.address, 0x10000000u);
  EXPECT_EQ(m.cpu->hv.exit.size, 4);
  ASSERT_EQ(hv_cpu_complete(&m.cpu->hv, m.cpu->hv.exit.cookie, 37), 0);
  ASSERT_EQ(step(m), HV_EXIT_ACCESS);
  EXPECT_EQ(m.cpu->hv.exit.direction, HV_WRITE);
  EXPECT_EQ(m.cpu->hv.exit.data, 42u);
  ASSERT_EQ(hv_cpu_complete(&m.cpu->hv, m.cpu->hv.exit.cookie, 0), 0);
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
  EXPECT_EQ(m.cpu->hv.retired, 2u);
}

TEST_P(Engine, DeviceAccessAcrossPagesIsSplit) {
  Machine m;
  m.code({0x48, 0x8b, 0x03, 0xf4});  // mov rax, [rbx]
  x86_state s = m.state();
  s.gpr[X86_RBX] = 0x10000ffd;
  m.set(s);
  std::vector<std::pair<u64, int>> seen;
  while (step(m) == HV_EXIT_ACCESS) {
    seen.push_back({m.cpu->hv.exit.address, m.cpu->hv.exit.size});
    hv_cpu_complete(&m.cpu->hv, m.cpu->hv.exit.cookie, 0x1111111111111111ull * seen.size());
  }
  EXPECT_EQ(seen, (std::vector<std::pair<u64, int>>{{0x10000ffd, 2}, {0x10000fff, 1}, {0x10001000, 4}, {0x10001004, 1}}));
  EXPECT_EQ(m.reg(X86_RAX), 0x4433333333221111u);
}

TEST_P(Engine, PortInAndRepOut) {
  Machine m;
  m.code({0xe4, 0x60, 0xf3, 0x6e, 0xf4});  // in al, 60h; rep outsb
  x86_state s = m.state();
  s.gpr[X86_RSI] = 0x20000;
  s.gpr[X86_RCX] = 3;
  s.gpr[X86_RDX] = 0x3f8;
  m.set(s);
  m.code({'a', 'b', 'c'}, 0x20000);
  std::string out;
  while (step(m) == HV_EXIT_ACCESS) {
    EXPECT_EQ(m.cpu->hv.exit.space, HV_SPACE_PIO);
    if (m.cpu->hv.exit.direction == HV_WRITE) out += static_cast<char>(m.cpu->hv.exit.data);
    hv_cpu_complete(&m.cpu->hv, m.cpu->hv.exit.cookie, 0x7f);
  }
  EXPECT_EQ(out, "abc");
  EXPECT_EQ(m.reg(X86_RAX) & 0xff, 0x7fu);
}

TEST_P(Engine, PageFaultTellsAddressAndReason) {
  Machine m;
  m.qword(0x3000 + 8 * 1, 0);                            // 2 MiB..4 MiB: not present
  m.gate64(14, 0x11000);
  m.code({0xf4}, 0x11000);
  m.code({0x48, 0x89, 0x04, 0x25, 0xfc, 0xff, 0x1f, 0});  // mov [1ffffch], rax: second page faults
  m.qword(0x1ffff8, 0x1122334455667788);
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
  EXPECT_EQ(m.state().cr2, 0x200000u);
  EXPECT_EQ(m.read(m.reg(X86_RSP)), 2u);  // not present, write, supervisor
  EXPECT_EQ(m.read(m.reg(X86_RSP) + 8), kCode);
  EXPECT_EQ(m.read(0x1ffff8), 0x1122334455667788u);  // nothing written to the first page
}

TEST_P(Engine, AccessedAndDirty) {
  Machine m;
  m.qword(0x3000 + 8, 0x200007 | 0x80);
  m.code({0x8b, 0x04, 0x25, 0, 0, 0x20, 0, 0xf4, 0x89, 0x04, 0x25, 0, 0, 0x20, 0, 0xf4});
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
  EXPECT_EQ(m.read(0x3008) & 0x60, 0x20u);
  hv_cpu_request(&m.cpu->hv, HV_REQ_WAKE);
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
  EXPECT_EQ(m.read(0x3008) & 0x60, 0x60u);
}

int give_vector(void *context) {
  int *left = static_cast<int *>(context);
  return (*left)-- > 0 ? 0x40 : -1;
}

TEST_P(Engine, StiHltTakesTheInterrupt) {
  for (int bits : {64, 32, 16}) {
    Machine m(bits);
    u64 at = bits == 16 ? 0x1000 : kCode;
    m.gate64(0x40, 0x11000);
    if (bits == 32) m.gate32(0x40, 0x11000);
    if (bits == 16) m.qword(0x100, 0x00001800), at = 0x1000;
    m.code({0xfb, 0xf4, 0xfa, 0xf4}, at);                                       // sti; hlt; cli; hlt
    m.code(bits == 64 ? Bytes{0xff, 0xc0, 0x48, 0xcf} : Bytes{0x40, 0xcf}, bits == 16 ? 0x1800 : 0x11000);  // inc eax; iret
    EXPECT_EQ(step(m), HV_EXIT_IDLE) << bits;
    int count = 1;
    m.cpu->hv.irq = {give_vector, &count};
    hv_cpu_request(&m.cpu->hv, HV_REQ_IRQ);
    EXPECT_EQ(step(m), HV_EXIT_IDLE) << bits;
    EXPECT_EQ(m.reg(X86_RAX), 1u) << bits;
    EXPECT_EQ(m.state().rip, at + 4) << bits;
  }
}

TEST_P(Engine, DivideErrorAndTripleFault) {
  Machine m;
  m.gate64(0, 0x11000);
  m.code({0xf4}, 0x11000);
  m.code({0x31, 0xc9, 0xf7, 0xf1});
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
  EXPECT_EQ(m.read(m.reg(X86_RSP)), kCode + 2);
  Machine n;
  x86_state s = n.state();
  s.idt.limit = 0;
  n.set(s);
  n.code({0x0f, 0x0b});
  EXPECT_EQ(step(n), HV_EXIT_SHUTDOWN);
  EXPECT_EQ(step(n), HV_EXIT_SHUTDOWN);
}

TEST_P(Engine, HostChangesCodeBehindAnExit) {
  Machine m;
  m.code({0xb0, 0x01, 0xe6, 0x80, 0xeb, 0xfa});  // again: mov al, 1; out 80h, al; jmp again
  for (int n = 1; n < 5; n++) {
    ASSERT_EQ(step(m), HV_EXIT_ACCESS);
    EXPECT_EQ(m.cpu->hv.exit.data, static_cast<u64>(n));
    m.ram[kCode + 1]++;
    hv_cpu_complete(&m.cpu->hv, m.cpu->hv.exit.cookie, 0);
  }
}

// The vCPU is held between two batches, or never: a loop without exits.
TEST_P(Engine, HostChangesCodeBetweenTwoBatches) {
  Machine m;
  m.code({0xeb, 0xfe});  // jmp to itself
  EXPECT_EQ(step(m, 1000), HV_EXIT_BUDGET);
  m.ram[kCode] = 0xf4;  // HLT
  EXPECT_EQ(step(m, 1000), HV_EXIT_IDLE);
  EXPECT_EQ(m.state().rip, kCode + 1);
}

TEST_P(Engine, RepMovsFaultKeepsWhatWasDone) {
  Machine m;
  m.qword(0x3000 + 8, 0);
  m.gate64(14, 0x11000);
  m.code({0xf4}, 0x11000);
  m.code({0xf3, 0xa4});
  x86_state s = m.state();
  s.gpr[X86_RSI] = 0x30000;
  s.gpr[X86_RDI] = 0x1ffffd;
  s.gpr[X86_RCX] = 10;
  m.set(s);
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
  EXPECT_EQ(m.reg(X86_RCX), 7u);
  EXPECT_EQ(m.reg(X86_RDI), 0x200000u);
  EXPECT_EQ(m.read(m.reg(X86_RSP) + 8), kCode);
}

// Random straight code with jumps: N at once, in pieces and one by one must end in the same state.
TEST_P(Engine, AnyDivisionOfTheBudgetGivesTheSameState) {
  const char *env = getenv("MV_SEED");
  u64 seed = env ? strtoull(env, nullptr, 0) : 1;
  printf("MV_SEED=%llu\n", seed);
  for (u64 round = 0; round < 80; round++) {
    std::mt19937_64 rng(seed * 1000 + round);
    Bytes program;
    for (int n = 0; n < 60; n++) {
      u8 mod = static_cast<u8>(0xc0 | (rng() % 64));
      if ((mod & 7) == 4 || (mod & 7) == 3) mod ^= 1;
      switch (rng() % 16) {
        case 0: program.insert(program.end(), {0x48, static_cast<u8>(rng() % 8 << 3 | 1), mod}); break;
        case 1: program.insert(program.end(), {0x39, static_cast<u8>(rng() | 0xc0), static_cast<u8>(0x70 + rng() % 16), 0}); break;
        case 2: program.insert(program.end(), {0x01, 0x43, static_cast<u8>(rng() & 0x7f)}); break;
        case 3: program.insert(program.end(), {0xc1, static_cast<u8>(0xe0 | (rng() % 3)), static_cast<u8>(rng())}); break;
        case 4: program.insert(program.end(), {0x85, static_cast<u8>(rng() | 0xc0), static_cast<u8>(0x70 + rng() % 16), 1, 0x90}); break;
        case 5: program.insert(program.end(), {0x8b, 0x43, static_cast<u8>(rng() & 0x7f)}); break;
        case 6: program.insert(program.end(), {0x50, 0x59}); break;
        case 7: case 8: case 9:  // ROL, ROR: their flags are left out where nothing sees them
          program.insert(program.end(), {static_cast<u8>(0x40 | (rng() % 2) << 3), 0xc1, static_cast<u8>(0xc0 | (rng() % 3) | (rng() % 2) << 3), static_cast<u8>(rng())});
          break;
        case 10: program.insert(program.end(), {static_cast<u8>(0x40 | (rng() % 2) << 3), static_cast<u8>(0x11 | (rng() % 2) << 3), mod}); break;  // ADC, SBB
        case 11: program.insert(program.end(), {static_cast<u8>(0x40 | (rng() % 2) << 3), static_cast<u8>(0x13 | (rng() % 2) << 3), 0x43, static_cast<u8>(rng() & 0x7f)}); break;
        case 12: program.insert(program.end(), {0x83, static_cast<u8>(0xd0 | (rng() % 2) << 3 | (rng() % 3)), static_cast<u8>(rng())}); break;
        case 13: program.insert(program.end(), {0x9c, 0x59}); break;  // PUSHF, POP RCX
        case 14: program.insert(program.end(), {0x89, mod}); break;
        default: program.insert(program.end(), {0x0f, static_cast<u8>(0x40 + rng() % 16), static_cast<u8>(0xc0 | (rng() % 8))});
      }
    }
    program.insert(program.end(), {0xe9, 0, 0, 0, 0});
    s32 back = -static_cast<s32>(program.size());
    memcpy(&program[program.size() - 4], &back, 4);
    x86_state end[3];
    std::vector<u8> ram[3];
    for (int way = 0; way < 3; way++) {
      Machine m;
      m.code(program);
      x86_state s = m.state();
      s.gpr[X86_RBX] = 0x20000;
      m.set(s);
      u64 total = 1500, did = 0;
      while (did < total) {
        u64 n = way == 0 ? total : way == 1 ? 1 : std::min<u64>(1 + (did * 7) % 41, total - did);
        ASSERT_EQ(step(m, n), HV_EXIT_BUDGET);
        did += n;
        ASSERT_EQ(m.cpu->hv.retired, did);
      }
      end[way] = m.state();
      end[way].tsc = 0;
      ram[way].assign(m.ram, m.ram + kRam);
    }
    for (int way = 1; way < 3; way++) {
      for (int r = 0; r < 16; r++) EXPECT_EQ(end[0].gpr[r], end[way].gpr[r]) << "way " << way << " r" << r << " round " << round;
      EXPECT_EQ(end[0].rip, end[way].rip);
      EXPECT_EQ(end[0].rflags & 0x8d5, end[way].rflags & 0x8d5) << "round " << round;
      EXPECT_EQ(ram[0], ram[way]);
    }
    if (HasFailure()) break;
  }
}

TEST_P(Engine, LockIncFromTwoThreads) {
  u8 *ram = static_cast<u8 *>(aligned_alloc(4096, kRam));
  memset(ram, 0, kRam);
  {
    Machine a(64, ram), b(64, ram);
    // mov ecx, 1000000; again: lock inc qword [rbx]; dec ecx; jnz again; hlt
    a.code({0xb9, 0x40, 0x42, 0x0f, 0, 0xf0, 0x48, 0xff, 0x03, 0xff, 0xc9, 0x75, 0xf8, 0xf4});
    for (Machine *m : {&a, &b}) {
      x86_state s = m->state();
      s.gpr[X86_RBX] = 0x20000;
      m->set(s);
    }
    std::thread one([&] { while (step(a) == HV_EXIT_BUDGET) {} }), two([&] { while (step(b) == HV_EXIT_BUDGET) {} });
    one.join();
    two.join();
    EXPECT_EQ(a.read(0x20000), 2000000u);
  }
  free(ram);
}

// Quotient and remainder against arithmetic, #DE where the quotient does not fit; 64 by 64 bits and 128 by 64.
TEST_P(Engine, Division) {
  std::mt19937_64 rng(3);
  for (int n = 0; n < 200; n++) {
    bool is_signed = rng() & 1, wide = rng() & 1;
    int keep = static_cast<int>(rng() % 64);
    u64 by = rng() >> (rng() % 64), low = rng(), high = is_signed && rng() % 2 ? ~0ull << keep % 8 : rng() >> keep;
    if (rng() % 8 == 0) by = 0 - by % 3, low = 1ull << 63, high = is_signed ? ~0ull : 0;
    Machine *m = new Machine;
    m->gate64(0, 0x11000);
    m->code({0xf4}, 0x11000);
    if (wide) m->code({0x48, 0xf7, static_cast<u8>(is_signed ? 0xf9 : 0xf1), 0xf4});
    else m->code({0xf7, static_cast<u8>(is_signed ? 0xf9 : 0xf1), 0xf4});
    x86_state s = m->state();
    s.gpr[X86_RAX] = low, s.gpr[X86_RDX] = high, s.gpr[X86_RCX] = by;
    m->set(s);
    ASSERT_EQ(step(*m), HV_EXIT_IDLE);
    bool fits = false;
    u64 q = 0, r = 0;
    if (wide) {
      __extension__ typedef __int128 wide_t;
      __extension__ typedef unsigned __int128 uwide_t;
      uwide_t u = static_cast<uwide_t>(high) << 64 | low;
      wide_t d = static_cast<wide_t>(u);
      if (is_signed && by && !(d == static_cast<wide_t>(static_cast<uwide_t>(1) << 127) && by == ~0ull)) {
        wide_t wq = d / static_cast<s64>(by);
        q = static_cast<u64>(wq), r = static_cast<u64>(d % static_cast<s64>(by)), fits = wq == static_cast<s64>(q);
      } else if (!is_signed && by) {
        uwide_t wq = u / by;
        q = static_cast<u64>(wq), r = static_cast<u64>(u % by), fits = wq == q;
      }
    } else {
      u64 d = high << 32 | (low & 0xffffffff);
      s64 sby = static_cast<s32>(by);
      if (is_signed && sby && !(d == 1ull << 63 && sby == -1)) {
        s64 wq = static_cast<s64>(d) / sby;
        q = static_cast<u32>(wq), r = static_cast<u32>(static_cast<s64>(d) % sby), fits = wq == static_cast<s32>(q);
      } else if (!is_signed && static_cast<u32>(by)) {
        u64 wq = d / static_cast<u32>(by);
        q = wq, r = d % static_cast<u32>(by), fits = wq >> 32 == 0;
      }
    }
    EXPECT_EQ(m->state().rip < 0x11000, fits) << n;
    if (fits) { EXPECT_EQ(m->reg(X86_RAX), q) << n; }
    if (fits) { EXPECT_EQ(m->reg(X86_RDX), r) << n; }
    delete m;
    if (HasFailure()) break;
  }
}

TEST_P(Engine, KickAndBudget) {
  Machine m;
  m.code({0xeb, 0xfe});
  hv_cpu_request(&m.cpu->hv, HV_REQ_STOP);
  EXPECT_EQ(step(m), HV_EXIT_KICK);
  EXPECT_EQ(step(m, 12345), HV_EXIT_BUDGET);
  EXPECT_EQ(m.cpu->hv.retired, 12345u);
}

// A vCPU that left its step to get a larger arena, and whose registers are set before it steps again.
TEST_P(Engine, StateSetWhileTheArenaIsExchanged) {
  Machine m;
  m.code({0xf4});
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
  std::vector<u8> larger(2 << 20);
  ASSERT_EQ(hv_blocks_set_arena(&m.cpu->hv.blocks, larger.data(), larger.size()), m.arena);
  memset(m.arena, 0x5a, 1 << 20);
  m.set(m.state());
  u64 touched = 0;
  for (u64 n = 0; n < 1 << 20; n++) touched += static_cast<u8 *>(m.arena)[n] != 0x5a;
  EXPECT_EQ(touched, 0u) << "bytes of memory that is no longer the CPU's";
  m.code({0xb8, 7, 0, 0, 0, 0xf4}, kCode + 1);
  EXPECT_EQ(step(m), HV_EXIT_IDLE);
}

}  // namespace
