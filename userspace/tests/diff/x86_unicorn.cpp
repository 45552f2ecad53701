// SPDX-License-Identifier: MIT
// Random single instructions on our x86 CPU and on Unicorn: registers, defined flags, memory, fault or not must agree.
// MV_SEED chooses the run (printed), MV_COUNT the instructions per mode.
#include <gtest/gtest.h>
#include <unicorn/unicorn.h>

#include "x86_generator.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

extern "C" {
#include "core/cpu/x86/x86.h"
int x86_translate(struct x86_cpu *cpu, u64 lin, u32 how, u8 **host, u64 *gpa);
}

using namespace x86_test;

namespace {

constexpr u64 kCode = 0x1000, kData = 0x2000, kMemory = 0x4000;

struct Outcome {
  std::array<u64, 16> gpr;
  u64 rip, flags;
  bool fault;
  std::vector<u8> memory;
};

constexpr std::array<int, 16> kUcRegisters = {
    UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX, UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI,
    UC_X86_REG_R8,  UC_X86_REG_R9,  UC_X86_REG_R10, UC_X86_REG_R11, UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15};
constexpr std::array<int, 8> kUcRegisters32 = {UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX,
                                               UC_X86_REG_ESP, UC_X86_REG_EBP, UC_X86_REG_ESI, UC_X86_REG_EDI};

// Where Unicorn is not what a processor does, and who says so.  What the list excuses is the upper half of one register.
struct Excuse {
  u8 opcode;  // of map 0F, 32-bit operands, register form
  bool rm;    // the register is r/m, else reg
  const char *why;
};
constexpr Excuse kExcuses[] = {
    {0xb1, true, "CMPXCHG that fails does not write its destination: processors leave the upper half alone (Host.SingleInstructions), Unicorn clears it"},
    {0xbc, false, "BSF of 0 leaves the destination undefined (SDM 2A, BSF); processors leave it alone, Unicorn clears the upper half"},
    {0xbd, false, "BSR of 0: the same"},
};

// The registers that may differ above bit 31, a bit each.  @equal: ZF afterwards.
unsigned excused(const std::vector<u8> &bytes, int bits, bool equal) {
  size_t at = 0;
  u8 rex = 0;
  while (at < bytes.size() && (bytes[at] == 0xf0 || (bytes[at] & 0xf0) == 0x40)) rex = bytes[at++];
  if (bits != 64 || rex & 8 || at + 2 >= bytes.size() || bytes[at] != 0x0f) return 0;
  // CMPXCHG that succeeds leaves EAX alone, as processors do (X86Cmpxchg.*): Unicorn writes it and clears the upper half
  unsigned out = bytes[at + 1] == 0xb1 && equal ? 1u << X86_RAX : 0;
  for (const Excuse &e : kExcuses) {
    const int field = e.rm ? bytes[at + 2] & 7 : bytes[at + 2] >> 3 & 7;
    if (bytes[at + 1] == e.opcode && bytes[at + 2] >= 0xc0) out |= 1u << (field | (rex >> (e.rm ? 0 : 2) & 1) << 3);
  }
  return out;
}

class Differential : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    bits_ = GetParam();
    ASSERT_EQ(uc_open(UC_ARCH_X86, bits_ == 64 ? UC_MODE_64 : bits_ == 32 ? UC_MODE_32 : UC_MODE_16, &uc_), UC_ERR_OK);
    ASSERT_EQ(uc_mem_map(uc_, 0, kMemory, UC_PROT_ALL), UC_ERR_OK);
    ram_ = static_cast<u8 *>(aligned_alloc(4096, 1 << 20));
    memset(ram_, 0, 1 << 20);
    hv_memmap_init(&map_);
    hv_memmap_add(&map_, 0, 1 << 20, ram_, nullptr, HV_MEM_RWX);
    cpu_ = static_cast<x86_cpu *>(calloc(1, sizeof(x86_cpu)));
    arena_ = malloc(1 << 20);
    x86_cpu_init(cpu_, &map_, 0, arena_, 1 << 20, 1 << 20);
  }
  void TearDown() override {
    uc_close(uc_);
    free(ram_);
    free(cpu_);
    free(arena_);
  }

  u64 code() const { return kCode; }
  u64 data() const { return kData; }

  Outcome ours(const std::array<u64, 16> &gpr, u64 flags, const Case &c, const std::vector<u8> &data_bytes, bool hot) {
    x86_state s;
    x86_state_get(cpu_, &s);
    for (auto &seg : s.seg) seg = {0, 0xc093, 0xffffffff, 0};
    s.seg[X86_TR].attributes = 0x8b;
    s.seg[X86_LDTR].attributes = 0;
    s.cr0 = bits_ == 16 ? 0x30 : bits_ == 64 ? 0x80000033 : 0x33;
    if (bits_ == 16) for (auto &seg : s.seg) { seg.attributes = 0x93; seg.limit = 0xffff; }
    s.efer = bits_ == 64 ? 0x500 : 0;
    s.cr4 = bits_ == 64 ? 0x20 : 0;
    s.cr3 = 0x80000;
    s.seg[X86_CS].attributes = bits_ == 64 ? 0xa09b : bits_ == 32 ? 0xc09b : 0x9b;
    s.idt = {0, 0};
    for (int n = 0; n < 16; n++) s.gpr[n] = gpr[n];
    s.rip = code();
    s.rflags = flags;
    memset(ram_, 0, kMemory);
    memcpy(ram_ + code(), c.bytes.data(), c.bytes.size());
    memset(ram_ + code() + c.bytes.size(), 0x90, 16);
    memcpy(ram_ + data(), data_bytes.data(), data_bytes.size());
    // identity map for 64-bit mode, behind the memory that is compared
    auto *table = reinterpret_cast<u64 *>(ram_ + 0x80000);
    table[0] = 0x81003;
    table[512] = 0x82003;
    table[1024] = 0x83;
    x86_state_set(cpu_, &s);
    if (hot) {
      // The executor's own operations run in blocks (not single steps) and on TLB hits: HLT around, translations there.
      memset(ram_ + code() + c.bytes.size(), 0xf4, 512);
      for (u64 page = data(); page < data() + 0x1000; page += 0x1000) {
        u8 *host;
        u64 gpa;
        x86_translate(cpu_, page, 0, &host, &gpa);
        x86_translate(cpu_, page, 1, &host, &gpa);
      }
    }
    hv_exit_kind k = x86_step(cpu_, hot ? 2 : 1);
    Outcome o;
    x86_state_get(cpu_, &s);
    for (int n = 0; n < 16; n++) o.gpr[n] = s.gpr[n];
    o.rip = hot && k == HV_EXIT_IDLE ? s.rip - 1 : s.rip;
    o.flags = s.rflags;
    o.fault = k == HV_EXIT_SHUTDOWN;
    if (hot) memset(ram_ + code() + c.bytes.size(), 0, 512);
    if (hot) memset(ram_ + code() + c.bytes.size(), 0x90, 16);
    o.memory.assign(ram_, ram_ + kMemory);
    return o;
  }

  Outcome unicorn(const std::array<u64, 16> &gpr, u64 flags, const Case &c, const std::vector<u8> &data_bytes) {
    std::vector<u8> zero(kMemory, 0);
    memcpy(zero.data() + code(), c.bytes.data(), c.bytes.size());
    memset(zero.data() + code() + c.bytes.size(), 0x90, 16);
    memcpy(zero.data() + data(), data_bytes.data(), data_bytes.size());
    uc_mem_write(uc_, 0, zero.data(), kMemory);
    for (int n = 0; n < (bits_ == 64 ? 16 : 8); n++) uc_reg_write(uc_, bits_ == 64 ? kUcRegisters[n] : kUcRegisters32[n], &gpr[n]);
    uc_reg_write(uc_, bits_ == 64 ? UC_X86_REG_RFLAGS : UC_X86_REG_EFLAGS, &flags);
    uc_ctl_remove_cache(uc_, code(), code() + 64);
    // a count of one would stop REP after one iteration
    uc_err e = c.string ? uc_emu_start(uc_, code(), code() + c.bytes.size(), 0, 0) : uc_emu_start(uc_, code(), ~0ull, 0, 1);
    Outcome o;
    o.gpr.fill(0);
    for (int n = 0; n < (bits_ == 64 ? 16 : 8); n++) uc_reg_read(uc_, bits_ == 64 ? kUcRegisters[n] : kUcRegisters32[n], &o.gpr[n]);
    o.flags = 0;
    o.rip = 0;
    uc_reg_read(uc_, bits_ == 64 ? UC_X86_REG_RFLAGS : UC_X86_REG_EFLAGS, &o.flags);
    uc_reg_read(uc_, bits_ == 64 ? UC_X86_REG_RIP : bits_ == 32 ? UC_X86_REG_EIP : UC_X86_REG_IP, &o.rip);
    o.fault = e != UC_ERR_OK;
    o.memory.resize(kMemory);
    uc_mem_read(uc_, 0, o.memory.data(), kMemory);
    return o;
  }

  int bits_ = 64;
  uc_engine *uc_ = nullptr;
  hv_memmap map_;
  x86_cpu *cpu_ = nullptr;
  u8 *ram_ = nullptr;
  void *arena_ = nullptr;
};

std::string hex(const std::vector<u8> &b) {
  std::string s;
  char t[4];
  for (u8 x : b) snprintf(t, sizeof(t), "%02x ", x), s += t;
  return s;
}

TEST_P(Differential, SingleInstructions) {
  u64 seed = environment("MV_SEED", 20240607), count = environment("MV_COUNT", 1500);
  printf("MV_SEED=%llu MV_COUNT=%llu\n", seed, count);
  Rng rng(seed + static_cast<u64>(bits_));
  Generator generator(rng, bits_);
  int bad = 0;
  for (u64 n = 0; n < count && bad < 10; n++) {
    Case c = generator.make();
    std::array<u64, 16> gpr{};
    u64 mask = bits_ == 64 ? ~0ull : 0xffffffff;
    for (auto &r : gpr) {
      switch (rng() % 4) {
        case 0: r = rng(); break;
        case 1: r = rng() % 256; break;
        case 2: r = 1ull << (rng() % 64); break;
        default: r = 0 - rng() % 4;
      }
      r &= mask;
    }
    u64 middle = data() + 0x800;
    gpr[X86_RSP] = middle + 0x400;
    gpr[X86_RBP] = middle + 0x500;
    gpr[X86_RBX] = middle + rng() % 64;
    gpr[X86_RSI] = bits_ == 16 ? rng() % 64 : rng() % 256;
    gpr[X86_RDI] = middle + rng() % 64;
    if (c.string) {
      gpr[X86_RSI] = middle + rng() % 64;
      gpr[X86_RCX] = rng() % 8;
    }
    u64 flags = 2 | (rng() & X86_FLAGS_ARITH) | (rng() % 4 ? 0 : X86_FLAG_DF);
    std::vector<u8> bytes(0x1000);
    for (auto &b : bytes) b = static_cast<u8>(rng());
    Outcome them = unicorn(gpr, flags, c, bytes);
    for (int pass = 0; pass < 2; pass++) {
      // pass 0: the general path; pass 1: the executor's operations
      Outcome us = ours(gpr, flags, c, bytes, pass == 1);
      u64 defined = X86_FLAGS_ARITH & ~c.undefined;
      bool same = us.fault == them.fault;
      if (same && !us.fault) {
        same = us.rip == them.rip && ((us.flags ^ them.flags) & (defined | X86_FLAG_DF)) == 0 && us.memory == them.memory;
        const unsigned free_halves = excused(c.bytes, bits_, us.flags & X86_FLAG_ZF);
        for (int r = 0; r < (bits_ == 64 ? 16 : 8); r++) same &= free_halves >> r & 1 ? u32(us.gpr[r]) == u32(them.gpr[r]) : us.gpr[r] == them.gpr[r];
      }
      if (same) continue;
      bad++;
      ADD_FAILURE() << bits_ << "-bit, case " << n << " of MV_SEED=" << seed << ": " << hex(c.bytes) << "\n pass " << pass << " fault " << us.fault
                    << " / unicorn " << them.fault << std::hex << "\n rip " << us.rip << " / " << them.rip << "\n flags "
                    << us.flags << " / " << them.flags << " defined " << defined << " before " << flags << "\n memory "
                    << (us.memory == them.memory ? "same" : "differs");
      for (int r = 0; r < (bits_ == 64 ? 16 : 8); r++)
        if (us.gpr[r] != them.gpr[r])
          printf("  r%d before %llx: %llx / unicorn %llx\n", r, gpr[r], us.gpr[r], them.gpr[r]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, Differential, testing::Values(64, 32, 16),
                         [](const auto &info) { return "Bits" + std::to_string(info.param); });

}  // namespace
