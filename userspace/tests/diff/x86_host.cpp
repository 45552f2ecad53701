// SPDX-License-Identifier: MIT
// Random single user-mode instructions on our x86 CPU and on this machine's own: integer, x87, MMX, SSE to SSE4.2, AES, BMI.
// Registers, defined flags, XMM, MXCSR, x87 state, memory and the exception's vector must agree.
//
// MV_SEED chooses the run (printed), MV_COUNT the instructions.  A difference is written as a text file (MV_REPLAY_DIR, or
// /tmp); MV_REPLAY=FILE runs such a file again.
#ifdef __x86_64__
#include <cpuid.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#define noinline __attribute__((noinline))
#include "x86_generator.h"

extern "C" {
#include "core/cpu/x86/absent.h"
#include "core/cpu/x86/simd/simd.h"
}

using namespace x86_test;

namespace {

constexpr u64 kBase = 0x10000000, kCodePage = kBase, kDataPage = kBase + 0x10000, kMiddle = kDataPage + 0x800, kWindow = 0x400;
constexpr u64 kArena = 0x20000;  // bytes from kBase that both have

struct alignas(64) Fx {
  u16 fcw, fsw;
  u8 used, pad;
  u16 fop;
  u64 fip, fdp;
  u32 mxcsr, mask;
  u8 st[8][16];
  u8 xmm[16][16];
  u8 rest[96];
};
static_assert(sizeof(Fx) == 512);

struct State {
  u64 gpr[16];
  u64 flags, rip;
  Fx fx;
  u8 memory[kWindow];
  int vector;  // -1: none
};

extern "C" {
// Used by the assembler below: what to load, what was found.
struct {
  u64 gpr[16];
  u64 flags, rip, host_rsp;
} mv_native_in __attribute__((used)), mv_native_out __attribute__((used));
Fx mv_native_fx __attribute__((used));
u32 mv_native_mxcsr __attribute__((used)) = 0x1f80;
void mv_native_enter();
extern char mv_native_exit[], mv_native_tail[];
}

// The instruction is followed by a jump to mv_native_exit, so that only faults cost a signal.
asm(R"(
  .text
  .globl mv_native_enter
mv_native_enter:
  pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp, mv_native_in+144(%rip)
  fxrstor64 mv_native_fx(%rip)
  pushq mv_native_in+128(%rip)
  movq mv_native_in+0(%rip), %rax
  movq mv_native_in+8(%rip), %rcx
  movq mv_native_in+16(%rip), %rdx
  movq mv_native_in+24(%rip), %rbx
  movq mv_native_in+40(%rip), %rbp
  movq mv_native_in+48(%rip), %rsi
  movq mv_native_in+56(%rip), %rdi
  movq mv_native_in+64(%rip), %r8
  movq mv_native_in+72(%rip), %r9
  movq mv_native_in+80(%rip), %r10
  movq mv_native_in+88(%rip), %r11
  movq mv_native_in+96(%rip), %r12
  movq mv_native_in+104(%rip), %r13
  movq mv_native_in+112(%rip), %r14
  movq mv_native_in+120(%rip), %r15
  popfq
  movq mv_native_in+32(%rip), %rsp
  jmp *mv_native_in+136(%rip)
  .globl mv_native_exit
mv_native_exit:
  movq %rsp, mv_native_out+32(%rip)
  movq mv_native_in+144(%rip), %rsp
  pushfq
  popq mv_native_out+128(%rip)
  movq %rax, mv_native_out+0(%rip)
  movq %rcx, mv_native_out+8(%rip)
  movq %rdx, mv_native_out+16(%rip)
  movq %rbx, mv_native_out+24(%rip)
  movq %rbp, mv_native_out+40(%rip)
  movq %rsi, mv_native_out+48(%rip)
  movq %rdi, mv_native_out+56(%rip)
  movq %r8, mv_native_out+64(%rip)
  movq %r9, mv_native_out+72(%rip)
  movq %r10, mv_native_out+80(%rip)
  movq %r11, mv_native_out+88(%rip)
  movq %r12, mv_native_out+96(%rip)
  movq %r13, mv_native_out+104(%rip)
  movq %r14, mv_native_out+112(%rip)
  movq %r15, mv_native_out+120(%rip)
  fxsave64 mv_native_fx(%rip)
  .globl mv_native_tail
mv_native_tail:
  cld
  fninit
  ldmxcsr mv_native_mxcsr(%rip)
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx
  ret
)");

volatile int native_vector;
bool native_running;

void on_fault(int, siginfo_t *, void *context) {
  static const int order[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  auto *uc = static_cast<ucontext_t *>(context);
  auto *g = uc->uc_mcontext.gregs;
  if (!native_running) _exit(99);
  for (int n = 0; n < 16; n++) mv_native_out.gpr[n] = static_cast<u64>(g[order[n]]);
  mv_native_out.flags = static_cast<u64>(g[REG_EFL]);
  mv_native_out.rip = static_cast<u64>(g[REG_RIP]);
  memcpy(&mv_native_fx, uc->uc_mcontext.fpregs, sizeof(Fx));
  native_vector = static_cast<int>(g[REG_TRAPNO]);
  g[REG_RIP] = reinterpret_cast<long long>(mv_native_tail);
  g[REG_RSP] = static_cast<long long>(mv_native_in.host_rsp);
  g[REG_EFL] = 0x202;
  uc->uc_mcontext.fpregs->mxcsr = 0x1f80;
  uc->uc_mcontext.fpregs->swd = 0;
  uc->uc_mcontext.fpregs->cwd = 0x37f;
}

class Native {
 public:
  Native() {
    memory_ = static_cast<u8 *>(mmap(reinterpret_cast<void *>(kBase), kArena, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    if (memory_ == MAP_FAILED) return;
    stack_.ss_sp = malloc(64 << 10);
    stack_.ss_size = 64 << 10;
    sigaltstack(&stack_, nullptr);
    struct sigaction sa {};
    sa.sa_sigaction = on_fault;
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (int s : kSignals) sigaction(s, &sa, &old_[s]);
  }
  ~Native() {
    for (int s : kSignals) sigaction(s, &old_[s], nullptr);
    stack_.ss_flags = SS_DISABLE;
    sigaltstack(&stack_, nullptr);
    free(stack_.ss_sp);
    if (ok()) munmap(memory_, kArena);
  }
  bool ok() const { return memory_ != MAP_FAILED; }

  void run(const std::vector<u8> &insn, const State &in, State *out) {
    u8 *code = memory_ + (kCodePage - kBase);
    memcpy(code, insn.data(), insn.size());
    // jmp *[rip+0]; wherever a short branch leads is the same
    for (u64 at = insn.size(); at < insn.size() + 112; at += 14) {
      static const u8 jump[] = {0xff, 0x25, 0, 0, 0, 0};
      memcpy(code + at, jump, 6);
      u64 to = reinterpret_cast<u64>(mv_native_exit);
      memcpy(code + at + 6, &to, 8);
      break;
    }
    memcpy(memory_ + (kMiddle - kBase) - kWindow / 2, in.memory, kWindow);
    memcpy(mv_native_in.gpr, in.gpr, sizeof(in.gpr));
    mv_native_in.flags = in.flags;
    mv_native_in.rip = kCodePage;
    mv_native_fx = in.fx;
    native_vector = -1;
    native_running = true;
    mv_native_enter();
    native_running = false;
    memcpy(out->gpr, mv_native_out.gpr, sizeof(out->gpr));
    out->flags = mv_native_out.flags;
    out->rip = native_vector < 0 ? kCodePage + insn.size() : mv_native_out.rip;
    out->fx = mv_native_fx;
    out->vector = native_vector;
    memcpy(out->memory, memory_ + (kMiddle - kBase) - kWindow / 2, kWindow);
  }

 private:
  static constexpr int kSignals[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP};
  u8 *memory_;
  stack_t stack_{};
  struct sigaction old_[65];
};

// Our CPU in 64-bit mode at privilege 3, the same addresses; gates lead to HLTs at privilege 0.
class Core {
 public:
  Core() {
    ram_ = static_cast<u8 *>(aligned_alloc(4096, kArena));
    low_ = static_cast<u8 *>(aligned_alloc(4096, 1 << 20));
    memset(ram_, 0, kArena);
    memset(low_, 0, 1 << 20);
    hv_memmap_init(&map_);
    hv_memmap_add(&map_, 0, 1 << 20, low_, nullptr, HV_MEM_RWX);
    hv_memmap_add(&map_, kBase, kArena, ram_, nullptr, HV_MEM_RWX);
    cpu_ = static_cast<x86_cpu *>(calloc(1, sizeof(x86_cpu)));
    arena_ = malloc(1 << 20);
    x86_cpu_init(cpu_, &map_, 0, arena_, 1 << 20, 1 << 20);
    put(0x1000, 0x2007);
    put(0x2000, 0x3007);
    for (u64 n = 0; n < 512; n++) put(0x3000 + n * 8, n << 21 | 0x87);
    put(0x8008, 0x00af9b000000ffff);
    put(0x8010, 0x00cf93000000ffff);
    for (u64 v = 0; v < 32; v++) {
      u64 to = 0xa000 + v * 16;
      put(0x9000 + v * 16, to | 8 << 16 | 0x8e00ull << 32);
      low_[to] = 0xf4;
    }
    put(0xb004, 0x60000);  // RSP0
    x86_state s;
    x86_state_get(cpu_, &s);
    for (auto &seg : s.seg) seg = {0x2b, 0xc0f3, 0xffffffff, 0};
    s.seg[X86_CS] = {0x33, 0xa0fb, 0xffffffff, 0};
    s.seg[X86_LDTR] = {0, 0, 0, 0};
    s.seg[X86_TR] = {0x18, 0x8b, 0x67, 0xb000};
    s.gdt = {0x8000, 0x17};
    s.idt = {0x9000, 0x1ff};
    s.cr0 = 0x80010033;
    s.cr3 = 0x1000;
    s.cr4 = 0x20 | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE;
    s.efer = 0xd01;
    start_ = s;
    x86_state_set(cpu_, &s);
  }
  ~Core() { free(ram_); free(low_); free(cpu_); free(arena_); }
  x86_cpu *cpu() { return cpu_; }

  void run(const std::vector<u8> &insn, const State &in, State *out, bool hot) {
    u8 *code = ram_ + (kCodePage - kBase);
    memcpy(code, insn.data(), insn.size());
    if (hot) memcpy(code + insn.size(), "\xeb\xfe", 2);
    memcpy(ram_ + (kMiddle - kBase) - kWindow / 2, in.memory, kWindow);
    cpu_->seg[X86_CS] = start_.seg[X86_CS];
    cpu_->seg[X86_SS] = start_.seg[X86_SS];
    cpu_->seg[X86_FS].base = cpu_->seg[X86_GS].base = 0;
    cpu_->cpl = 3;
    cpu_->hv.idle = 0;
    cpu_->shutdown = 0;
    cpu_->trap = cpu_->shadow = 0;
    cpu_->hv.epoch++;
    memcpy(cpu_->r, in.gpr, sizeof(in.gpr));
    x86_flags_load(cpu_, in.flags);
    cpu_->rip = kCodePage;
    x86_fpu f{};
    f.fcw = in.fx.fcw;
    f.fsw = in.fx.fsw;
    f.used = in.fx.used;
    f.mxcsr = in.fx.mxcsr;
    f.xcr0 = 1;
    u32 top = (f.fsw >> 11) & 7;
    for (u32 n = 0; n < 8; n++) memcpy(&f.st[(top + n) & 7], in.fx.st[n], 10);
    memcpy(f.xmm, in.fx.xmm, 256);
    x86_fpu_set(cpu_, &f);
    x86_mode_update(cpu_);
    if (hot) {
      u8 *host;
      u64 gpa;
      x86_translate(cpu_, kMiddle, X86_USER, &host, &gpa);
      x86_translate(cpu_, kMiddle, X86_USER | X86_WRITE, &host, &gpa);
    }
    x86_step(cpu_, hot ? 2 : 1);
    memset(out, 0, sizeof(*out));
    memcpy(out->gpr, cpu_->r, sizeof(out->gpr));
    out->flags = x86_flags_get(cpu_);
    out->rip = cpu_->rip;
    out->vector = -1;
    if (cpu_->rip >= 0xa000 && cpu_->rip < 0xa200) {
      out->vector = static_cast<int>((cpu_->rip - 0xa000) / 16);
      u64 sp = cpu_->r[X86_RSP];
      if ((sp & 15) == 0) sp += 8;  // an error code is there
      memcpy(&out->rip, low_ + sp, 8);
      memcpy(&out->flags, low_ + sp + 16, 8);
      memcpy(&out->gpr[X86_RSP], low_ + sp + 24, 8);
    }
    x86_fpu_get(cpu_, &f);
    out->fx.fcw = f.fcw;
    out->fx.fsw = f.fsw;
    out->fx.used = f.used;
    out->fx.mxcsr = f.mxcsr;
    top = (f.fsw >> 11) & 7;
    for (u32 n = 0; n < 8; n++) memcpy(out->fx.st[n], &f.st[(top + n) & 7], 10);
    memcpy(out->fx.xmm, f.xmm, 256);
    memcpy(out->memory, ram_ + (kMiddle - kBase) - kWindow / 2, kWindow);
  }

 private:
  void put(u64 at, u64 v) { memcpy(low_ + at, &v, 8); }
  hv_memmap map_;
  x86_cpu *cpu_;
  u8 *ram_, *low_;
  void *arena_;
  x86_state start_;
};

// --- what to run ---

struct Trial {
  std::vector<u8> bytes;
  u64 undefined = 0;
  bool x87_environment = false;  // memory holds instruction pointers
  const char *kind = "";
};

class Mixer {
 public:
  explicit Mixer(Rng &rng) : rng_(rng), integers_(rng, 64) {}

  Trial make() {
    switch (pick(8)) {
      case 0: case 1: {
        for (;;) {
          Case c = integers_.make();
          Trial t;
          t.bytes = c.bytes;
          t.undefined = c.undefined;
          t.kind = "integer";
          if (usable(c)) return t;
        }
      }
      case 2: case 3: return x87();
      case 4: return extension();
      default: return vector();
    }
  }

 private:
  u32 pick(u32 n) { return static_cast<u32>(rng_() % n); }

  // Branches would leave the page; everything that changes RSP stays near it.
  static bool usable(const Case &c) {
    size_t n = 0;
    while (n < c.bytes.size() && (c.bytes[n] == 0x66 || c.bytes[n] == 0xf0 || c.bytes[n] == 0xf2 || c.bytes[n] == 0xf3 || (c.bytes[n] & 0xf0) == 0x40)) n++;
    u8 op = c.bytes[n], op2 = n + 1 < c.bytes.size() ? c.bytes[n + 1] : 0;
    if ((op & 0xf0) == 0x70 || (op >= 0xe0 && op <= 0xe3) || op == 0xeb || op == 0xe8 || (op == 0x0f && (op2 & 0xf0) == 0x80)) return false;
    return op != 0xc8 && op != 0xc9 && !c.string && op != 0xd7;
  }

  void modrm(Trial &t, int reg, bool memory, bool registers) {
    if (registers || (!memory && pick(2))) t.bytes.push_back(static_cast<u8>(0xc0 | reg << 3 | pick(8)));
    else {
      t.bytes.push_back(static_cast<u8>(0x40 | reg << 3 | 3));
      t.bytes.push_back(static_cast<u8>(pick(4) ? pick(8) * 16 : pick(128)));
    }
  }

  Trial vector() {
    for (;;) {
      u32 fn = 1 + pick(X86_VECS - 1), column = pick(4);
      const x86_vec_row &r = x86_vec_rows[fn];
      if (!(r.prefixes & (1u << column)) || fn == X86_V_RCP || fn == X86_V_RSQRT) continue;
      Trial t;
      t.kind = r.name;
      static const u8 prefix[] = {0, 0x66, 0xf3, 0xf2};
      if (column) t.bytes.push_back(prefix[column]);
      // REX.B would move the memory base
      bool rex = pick(3) == 0;
      u8 r_bit = static_cast<u8>((pick(2) ? 8 : 0) | (pick(2) ? 4 : 0));
      if (fn == X86_V_PINSRW || fn == X86_V_PEXTRW) r_bit &= 7;
      if (rex) t.bytes.push_back(static_cast<u8>(0x40 | r_bit));
      t.bytes.push_back(0x0f);
      if (r.map) t.bytes.push_back(r.map == 1 ? 0x38 : 0x3a);
      t.bytes.push_back(r.opcode);
      int reg = static_cast<int>(pick(8));
      // RSP as destination of a general register would be found to differ in the fault frame only
      modrm(t, reg, r.flags & VF_MEM, r.flags & VF_REG);
      if (r.flags & VF_IMM) t.bytes.push_back(static_cast<u8>(rng_()));
      return t;
    }
  }

  Trial x87() {
    for (;;) {
      u8 op = static_cast<u8>(0xd8 + pick(8)), m = static_cast<u8>(rng_());
      Trial t;
      t.kind = "x87";
      if (op == 0xd9 && m >= 0xf0 && m != 0xf4 && m != 0xf5 && m != 0xf6 && m != 0xf7 && m != 0xf8 && m != 0xfa && m != 0xfc && m != 0xfd) continue;  // ulps: see below
      if (pick(16) == 0) t.bytes.push_back(0x66);
      t.bytes.push_back(op);
      if (m >= 0xc0) t.bytes.push_back(m);
      else {
        u32 digit = (m >> 3) & 7;
        if ((op == 0xd9 && digit == 6) || (op == 0xdd && digit == 6)) t.x87_environment = true;
        if ((op == 0xd9 || op == 0xdd) && digit == 4 && pick(8)) continue;
        t.bytes.push_back(static_cast<u8>(0x43 | digit << 3));
        t.bytes.push_back(static_cast<u8>(pick(128)));
      }
      return t;
    }
  }

  Trial extension() {
    Trial t;
    t.kind = "extension";
    bool w = pick(2);
    int reg = static_cast<int>(pick(8));
    constexpr u64 all = X86_FLAG_OF | X86_FLAG_SF | X86_FLAG_AF | X86_FLAG_PF;
    auto rex = [&] { if (w || pick(3) == 0) t.bytes.push_back(static_cast<u8>(0x40 | (w ? 8 : 0) | (pick(2) ? 4 : 0))); };
    auto op = [&](std::initializer_list<int> b) { for (int x : b) t.bytes.push_back(static_cast<u8>(x)); };
    switch (pick(8)) {
      case 0: if (pick(4) == 0) op({0x66}); op({0xf3}); rex(); op({0x0f, 0xb8}); modrm(t, reg, false, false); break;
      case 1: if (pick(4) == 0) op({0x66}); op({0xf3}); rex(); op({0x0f, static_cast<int>(0xbc + pick(2))}); modrm(t, reg, false, false); t.undefined = all; break;
      case 2: if (pick(4) == 0) op({0x66}); rex(); op({0x0f, 0x38, static_cast<int>(0xf0 + pick(2))}); modrm(t, reg, true, false); break;
      case 3: if (pick(4) == 0) op({0x66}); op({0xf2}); rex(); op({0x0f, 0x38, static_cast<int>(0xf0 + pick(2))}); modrm(t, reg, false, false); break;
      case 4: op({pick(2) ? 0x66 : 0xf3}); rex(); op({0x0f, 0x38, 0xf6}); modrm(t, reg, false, false); break;
      case 5: op({0xf0}); op({w ? 0x48 : 0x40}); op({0x0f, 0xc7}); modrm(t, 1, true, false); break;
      default: {
        static const struct { int map, pp, opcode, digit; } bmi[] = {{2, 0, 0xf2, -1}, {2, 0, 0xf3, 1}, {2, 0, 0xf3, 2}, {2, 0, 0xf3, 3}, {2, 0, 0xf5, -1}, {2, 2, 0xf5, -1},
                                                                    {2, 3, 0xf5, -1}, {2, 3, 0xf6, -1}, {2, 0, 0xf7, -1}, {2, 1, 0xf7, -1}, {2, 2, 0xf7, -1}, {2, 3, 0xf7, -1}, {3, 3, 0xf0, -1}};
        auto &b = bmi[pick(13)];
        u32 v = b.map == 3 ? 15 : pick(16);
        if (v == 11) v = 10;  // RSP
        op({0xc4, 0xe0 | b.map, (w ? 0x80 : 0) | static_cast<int>(v << 3) | b.pp, b.opcode});
        modrm(t, b.digit >= 0 ? b.digit : reg, false, false);
        if (b.map == 3) op({static_cast<int>(pick(256))});
        t.undefined = b.map == 2 && (b.opcode == 0xf2 || b.opcode == 0xf3 || (b.opcode == 0xf5 && b.pp == 0)) ? X86_FLAG_AF | X86_FLAG_PF : b.opcode == 0xf7 && !b.pp ? X86_FLAG_SF | X86_FLAG_AF | X86_FLAG_PF : 0;
      }
    }
    return t;
  }

  Rng &rng_;
  Generator integers_;
};

u32 float32(Rng &rng) {
  u32 v = static_cast<u32>(rng()), e;
  switch (rng() % 8) {
    case 0: e = static_cast<u32>(rng() % 3); break;
    case 1: e = 255 - static_cast<u32>(rng() % 3); break;
    case 2: return v;
    default: e = 120 + static_cast<u32>(rng() % 40);
  }
  v = (v & 0x807fffff) | e << 23;
  if (rng() % 4 == 0) v &= 0xff800000 | (1u << rng() % 23);
  return v;
}

u64 float64(Rng &rng) {
  u64 v = rng(), e;
  switch (rng() % 8) {
    case 0: e = rng() % 3; break;
    case 1: e = 2047 - rng() % 3; break;
    case 2: return v;
    default: e = 1015 + rng() % 80;
  }
  v = (v & 0x800fffffffffffff) | e << 52;
  if (rng() % 4 == 0) v &= 0xfff0000000000000 | (1ull << rng() % 52);
  return v;
}

void float80(Rng &rng, u8 *to) {
  u64 sig = rng() | 1ull << 63;
  u16 e;
  switch (rng() % 8) {
    case 0: e = rng() % 3; sig = rng() % 2 ? sig : sig & (~0ull >> (rng() % 64)); break;
    case 1: e = 0x7fff - rng() % 3; break;
    case 2: e = rng() & 0x7fff; break;
    default: e = 0x3fff - 20 + rng() % 100;
  }
  if (rng() % 3 == 0) sig &= ~0ull << (rng() % 64);
  if (rng() % 8 == 0) sig = 1ull << 63;
  if (rng() % 8 == 0) e = 0, sig = 0;
  e |= (rng() & 1) << 15;
  memcpy(to, &sig, 8);
  memcpy(to + 8, &e, 2);
}

void fill(Rng &rng, State &s) {
  memset(&s, 0, sizeof(s));
  for (auto &r : s.gpr) {
    switch (rng() % 4) {
      case 0: r = rng(); break;
      case 1: r = rng() % 256; break;
      case 2: r = 1ull << (rng() % 64); break;
      default: r = 0 - rng() % 4;
    }
  }
  s.gpr[X86_RSP] = kMiddle + 0x100;
  s.gpr[X86_RBP] = kMiddle + 0x80;
  s.gpr[X86_RBX] = kMiddle - 0x80 + (rng() % 4 ? 0 : rng() % 16);
  s.gpr[X86_RSI] = rng() % 32;
  s.gpr[X86_RDI] = kMiddle + rng() % 64;
  s.flags = 0x202 | (rng() & X86_FLAGS_ARITH);
  for (auto &x : s.fx.xmm) {
    for (int n = 0; n < 16; n += 8) {
      u64 v = 0;
      u32 w;
      switch (rng() % 4) {
        case 0: v = rng(); break;
        case 1: v = float64(rng); break;
        case 2: w = float32(rng); v = w | static_cast<u64>(float32(rng)) << 32; break;
        default:  // bytes that are often alike, for comparisons and strings
          for (int k = 0; k < 8; k++) v |= (rng() % 5 ? rng() % 4 : rng() & 0xff) << (k * 8);
      }
      memcpy(x + n, &v, 8);
    }
  }
  for (auto &x : s.fx.st) float80(rng, x);
  for (u32 n = 0; n < kWindow; n += 8) {
    u64 v = rng();
    if (rng() % 2) v = float64(rng);
    if (rng() % 4 == 0) v = float32(rng) | static_cast<u64>(float32(rng)) << 32;
    memcpy(s.memory + n, &v, 8);
  }
  if (rng() % 4 == 0) float80(rng, s.memory + 0x180 + rng() % 64);
  s.fx.mxcsr = 0x1f80;
  if (rng() % 2) s.fx.mxcsr = 0x1f80 | static_cast<u32>(rng() & 0xe07f);
  if (rng() % 8 == 0) s.fx.mxcsr = static_cast<u32>(rng() & 0xffff);
  s.fx.fcw = 0x37f;
  if (rng() % 2) {
    static const u16 pc[] = {0, 0x200, 0x300};
    s.fx.fcw = static_cast<u16>(0x7f | (rng() & 0xc00) | pc[rng() % 3]);
  }
  if (rng() % 8 == 0) s.fx.fcw = static_cast<u16>((s.fx.fcw & ~0x3f) | (rng() & 0x3f));
  s.fx.fsw = static_cast<u16>(rng() & 0x7f7f);
  if (rng() % 16) s.fx.fsw &= ~0x3fu;
  if (s.fx.fsw & ~s.fx.fcw & 0x3f) s.fx.fsw |= 0x8080;
  s.fx.used = rng() % 4 ? 0xff : static_cast<u8>(rng());
  if (rng() % 2) s.fx.used &= static_cast<u8>(~(1u << (((s.fx.fsw >> 11) - 1) & 7)));
}

std::string hex(const void *p, size_t n) {
  std::string s;
  char t[4];
  for (size_t k = 0; k < n; k++) snprintf(t, sizeof(t), "%02x", static_cast<const u8 *>(p)[k]), s += t;
  return s;
}

// --- differences that are explained: where vendors differ, ours is Intel's ---

u32 x87_opcode(const Trial &t) {
  size_t n = t.bytes[0] == 0x66;
  return (t.bytes[n] & 0xf8) == 0xd8 ? static_cast<u32>(t.bytes[n] << 8 | t.bytes[n + 1]) : 0;
}
// FCOMI, FCOMIP, FUCOMI, FUCOMIP
bool x87_flags_compare(const Trial &t) {
  u32 op = x87_opcode(t);
  return ((op & 0xfb00) == 0xdb00) && ((op & 0xff) >= 0xe8) && (op & 0xff) < 0xf8;
}
u32 explained_fsw(const Trial &t) {
  // SDM 2A FCOMI: C1 is cleared, and EFLAGS change only if the invalid operation is masked.  AMD keeps C1 and sets EFLAGS.
  if (x87_flags_compare(t)) return 0x200;
  return 0;
}

u32 explained_mxcsr(const Trial &t, u32 mxcsr) {
  // SDM 1 11.5.2.6: an inexact result sets PE; with a trapping overflow or underflow (4.9.1.4, 4.9.1.5) AMD's do not.
  (void)t;
  if ((mxcsr & ~(mxcsr >> 7) & 0x18)) return 0x20;
  return 0;
}

// Names of what differs; empty if nothing.
std::string difference(const Trial &t, const State &in, const State &us, const State &them) {
  std::ostringstream o;
  o << std::hex;
  if (us.vector != them.vector) {
    o << " vector " << us.vector << "/" << them.vector;
    return o.str();
  }
  if (us.rip != them.rip) o << " rip " << us.rip << "/" << them.rip;
  for (int n = 0; n < 16; n++)
    if (us.gpr[n] != them.gpr[n]) o << " r" << std::dec << n << std::hex << " " << us.gpr[n] << "/" << them.gpr[n];
  u64 mask = X86_FLAGS_ARITH & ~t.undefined;
  if (x87_flags_compare(t) && (us.fx.fsw & ~us.fx.fcw & 3)) mask = 0;
  if ((us.flags ^ them.flags) & mask) o << " flags " << (us.flags & mask) << "/" << (them.flags & mask);
  if ((us.fx.mxcsr ^ them.fx.mxcsr) & ~explained_mxcsr(t, us.fx.mxcsr)) o << " mxcsr " << us.fx.mxcsr << "/" << them.fx.mxcsr << " was " << in.fx.mxcsr;
  if (us.fx.fcw != them.fx.fcw) o << " fcw " << us.fx.fcw << "/" << them.fx.fcw;
  u16 fsw_mask = static_cast<u16>(~explained_fsw(t));
  if ((us.fx.fsw ^ them.fx.fsw) & fsw_mask) o << " fsw " << us.fx.fsw << "/" << them.fx.fsw << " was " << in.fx.fsw << " fcw " << in.fx.fcw;
  if (us.fx.used != them.fx.used) o << " tags " << +us.fx.used << "/" << +them.fx.used << " was " << +in.fx.used;
  for (int n = 0; n < 8; n++)
    if (memcmp(us.fx.st[n], them.fx.st[n], 10)) o << " st" << n << " " << hex(us.fx.st[n], 10) << "/" << hex(them.fx.st[n], 10);
  for (int n = 0; n < 16; n++)
    if (memcmp(us.fx.xmm[n], them.fx.xmm[n], 16)) o << " xmm" << n << " " << hex(us.fx.xmm[n], 16) << "/" << hex(them.fx.xmm[n], 16) << " was " << hex(in.fx.xmm[n], 16);
  if (memcmp(us.memory, them.memory, kWindow) && !t.x87_environment) {
    for (u32 n = 0; n < kWindow; n++)
      if (us.memory[n] != them.memory[n]) {
        o << " memory+" << n << " " << hex(us.memory + n, 10) << "/" << hex(them.memory + n, 10);
        break;
      }
  }
  return o.str();
}

void save(const std::string &path, const Trial &t, const State &s) {
  std::ofstream f(path);
  f << "# x86 instruction, 64-bit user mode; run with MV_REPLAY=" << path << "\n";
  f << "bytes " << hex(t.bytes.data(), t.bytes.size()) << "\nundefined " << std::hex << t.undefined << "\nstate " << hex(&s, sizeof(s)) << "\n";
}

std::vector<u8> unhex(const std::string &s) {
  std::vector<u8> v;
  for (size_t n = 0; n + 1 < s.size(); n += 2) v.push_back(static_cast<u8>(std::stoi(s.substr(n, 2), nullptr, 16)));
  return v;
}

bool load(const std::string &path, Trial &t, State &s) {
  std::ifstream f(path);
  std::string key, value;
  bool good = false;
  while (f >> key) {
    if (key == "bytes" && f >> value) t.bytes = unhex(value);
    else if (key == "undefined" && f >> value) t.undefined = std::stoull(value, nullptr, 16);
    else if (key == "state" && f >> value) {
      auto v = unhex(value);
      good = v.size() == sizeof(s);
      if (good) memcpy(&s, v.data(), sizeof(s));
    } else std::getline(f, value);
  }
  return good && !t.bytes.empty();
}

bool host_has_it() {
  u32 a = 0, b = 0, c = 0, d = 0;
  __get_cpuid_count(7, 0, &a, &b, &c, &d);
  bool adx = b >> 19 & 1;
  __get_cpuid(1, &a, &b, &c, &d);
  bool movbe = c >> 22 & 1;
  return adx && movbe && __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("lzcnt");
}

class Host : public testing::Test {
 protected:
  std::string both(const Trial &t, const State &in, State *us, State *them) {
    native_.run(t.bytes, in, them);
    for (int hot = 0; hot < 2; hot++) {
      core_.run(t.bytes, in, us, hot);
      std::string d = difference(t, in, *us, *them);
      if (!d.empty()) return (hot ? " (executor)" : "") + d;
    }
    return "";
  }
  // Zero whatever the difference does not need.
  void minimise(const Trial &t, State &s) {
    State us, them;
    auto *p = reinterpret_cast<u8 *>(&s.fx.st);
    for (size_t at = 0; at + 16 <= sizeof(s.fx.st) + sizeof(s.fx.xmm); at += 16) {
      u8 old[16];
      memcpy(old, p + at, 16);
      memset(p + at, 0, 16);
      if (both(t, s, &us, &them).empty()) memcpy(p + at, old, 16);
    }
    for (int n = 0; n < 16; n++) {
      u64 old = s.gpr[n];
      if (n == X86_RSP || n == X86_RBX || n == X86_RDI || n == X86_RBP) continue;
      s.gpr[n] = 0;
      if (both(t, s, &us, &them).empty()) s.gpr[n] = old;
    }
  }
  Native native_;
  Core core_;
};

TEST_F(Host, SingleInstructions) {
  if (!native_.ok() || !host_has_it()) GTEST_SKIP() << "this machine lacks an instruction set, or the addresses are taken";
  State in, us, them;
  if (const char *path = getenv("MV_REPLAY")) {
    Trial t;
    ASSERT_TRUE(load(path, t, in)) << path << " is no replay file";
    EXPECT_EQ(both(t, in, &us, &them), "");
    return;
  }
  u64 seed = environment("MV_SEED", 20261121), count = environment("MV_COUNT", 300000);
  printf("MV_SEED=%llu MV_COUNT=%llu\n", seed, count);
  Rng rng(seed);
  Mixer mixer(rng);
  u64 bad = 0, faults = 0;
  fill(rng, in);
  for (u64 n = 0; n < count && bad < environment("MV_FAILURES", 10); n++) {
    Trial t = mixer.make();
    if (n % 3 == 0) fill(rng, in);  // the state is the expensive part
    std::string d = both(t, in, &us, &them);
    faults += them.vector >= 0;
    if (d.empty()) continue;
    bad++;
    State small = in;
    minimise(t, small);
    const char *dir = getenv("MV_REPLAY_DIR");
    std::string path = std::string(dir ? dir : "/tmp") + "/mv-x86-" + std::to_string(seed) + "-" + std::to_string(n) + ".txt";
    save(path, t, small);
    ADD_FAILURE() << t.kind << " " << hex(t.bytes.data(), t.bytes.size()) << ":" << d << "\n  MV_REPLAY=" << path;
  }
  printf("%llu instructions compared twice, %llu of them faulted, %llu differences\n", count, faults, bad);
}

// Which opcodes exist: what this machine runs and we do not is intentionally absent.  Maps 0F 38 and 0F 3A, register forms:
// all of them are harmless.
TEST_F(Host, OpcodesThatExist) {
  if (!native_.ok() || !host_has_it()) GTEST_SKIP() << "this machine lacks an instruction set, or the addresses are taken";
  auto absent = [](int map, int opcode, int column) {
#define X(m, o, c, name) if (map == m && opcode == o && (c >> column & 1)) return true;
    X86_ABSENT_LIST(X)
#undef X
    return false;
  };
  Rng rng(1);
  State in, us, them;
  fill(rng, in);
  in.fx.mxcsr = 0x1f80;
  in.fx.fcw = 0x37f;
  in.fx.fsw = 0;
  for (int map = 3; map <= 4; map++)
    for (int opcode = 0; opcode < 256; opcode++)
      for (int column = 0; column < 4; column++) {
        static const u8 prefix[] = {0, 0x66, 0xf3, 0xf2};
        Trial t;
        if (column) t.bytes.push_back(prefix[column]);
        t.bytes.insert(t.bytes.end(), {0x0f, static_cast<u8>(map == 3 ? 0x38 : 0x3a), static_cast<u8>(opcode), 0xc1});
        if (map == 4) t.bytes.push_back(0);
        native_.run(t.bytes, in, &them);
        core_.run(t.bytes, in, &us, false);
        if (absent(map, opcode, column)) EXPECT_EQ(us.vector, 6) << hex(t.bytes.data(), t.bytes.size());
        else if (us.vector == 6 && them.vector != 6) printf("newer than our list: %s\n", hex(t.bytes.data(), t.bytes.size()).c_str());
        else EXPECT_EQ(us.vector == 6, them.vector == 6) << hex(t.bytes.data(), t.bytes.size());
      }
}

// RCPSS, RSQRTSS: no two vendors agree in the last bits; the manual allows 1.5 * 2^-12 (SDM 1 10.4.1.1).
TEST_F(Host, Approximations) {
  Rng rng(environment("MV_SEED", 20261121));
  State in, us;
  double worst = 0;
  for (int n = 0; n < 20000; n++) {
    fill(rng, in);
    float x, r;
    u32 bits = (static_cast<u32>(rng()) & 0x7fffff) | static_cast<u32>(2 + rng() % 250) << 23;
    memcpy(in.fx.xmm[1], &bits, 4);
    memcpy(&x, &bits, 4);
    bool root = n & 1;
    core_.run({0xf3, 0x0f, static_cast<u8>(root ? 0x52 : 0x53), 0xc1}, in, &us, false);
    memcpy(&r, us.fx.xmm[0], 4);
    double exact = root ? 1 / std::sqrt(static_cast<double>(x)) : 1 / static_cast<double>(x);
    worst = std::max(worst, std::fabs(r - exact) / exact);
  }
  printf("worst relative error 2^%.2f\n", std::log2(worst));
  EXPECT_LE(worst, 1.5 / 4096);
}

// Below 1 in magnitude: near multiples of pi / 2 this machine reduces with a shorter pi, ours is exact.
// Transcendental x87 instructions: how far this machine's results are from ours, in ulps.
TEST_F(Host, Transcendentals) {
  if (!native_.ok()) GTEST_SKIP() << "the addresses are taken";
  Rng rng(environment("MV_SEED", 20261121));
  State in, us, them;
  static const struct { u8 op; const char *name; int low, high; } cases[] = {{0xf0, "f2xm1", -60, -1}, {0xf1, "fyl2x", -40, 40}, {0xf2, "fptan", -40, 0}, {0xf3, "fpatan", -40, 40}, {0xf9, "fyl2xp1", -50, -3}, {0xfb, "fsincos", -40, 0}, {0xfe, "fsin", -40, 0}, {0xff, "fcos", -40, 0}};
  for (auto &c : cases) {
    u64 worst = 0, differ = 0;
    for (int n = 0; n < 4000; n++) {
      fill(rng, in);
      in.fx.fcw = 0x37f;
      in.fx.fsw = 0;
      in.fx.used = 0x03;
      for (int k = 0; k < 2; k++) {
        u64 sig = rng() | 1ull << 63;
        u16 se = static_cast<u16>(0x3fff + c.low + static_cast<int>(rng() % static_cast<u64>(c.high - c.low)));
        if (c.op != 0xf1 && rng() % 2) se |= 0x8000;
        memcpy(in.fx.st[k], &sig, 8);
        memcpy(in.fx.st[k] + 8, &se, 2);
      }
      native_.run({0xd9, c.op}, in, &them);
      core_.run({0xd9, c.op}, in, &us, false);
      ASSERT_EQ((us.fx.fsw ^ them.fx.fsw) & 0x3c1f, 0) << c.name << std::hex << " " << us.fx.fsw << " " << them.fx.fsw;
      ASSERT_EQ(us.fx.used, them.fx.used);
      u64 a, b;
      memcpy(&a, us.fx.st[0], 8);
      memcpy(&b, them.fx.st[0], 8);
      u64 d = a > b ? a - b : b - a;
      if (memcmp(us.fx.st[0] + 8, them.fx.st[0] + 8, 2)) d = d ? 0 - d : 0;  // neighbours across a power of two
      differ += d != 0;
      worst = std::max(worst, d);
    }
    printf("%s: %llu of 4000 differ, by %llu ulp at most\n", c.name, differ, worst);
    EXPECT_LE(worst, 2u) << c.name;
  }
}

}  // namespace
#endif
