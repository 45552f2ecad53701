// SPDX-License-Identifier: MIT
// Whole small guests of random bytes: 16, 32 and 64 bits, in blocks by both dispatchers and one instruction at a
// time.  All three must come to the same state; memory outside the guest's stays untouched (AddressSanitizer).
#include <cstdint>
#include <cstdio>

#include "unit/x86_machine.h"

using namespace x86_test;

namespace {

constexpr u64 kLimit = 500;  // instructions

struct End {
  x86_state state;
  hv_exit_kind kind;
  u64 retired;
  std::vector<u8> ram;
};

// byte 0: mode; byte 1: what is enabled; then eight bytes for the registers, then code
void prepare(Machine &m, const uint8_t *data, size_t size, int bits) {
  x86_state s = m.state();
  u64 seed;
  memcpy(&seed, data + 2, 8);
  for (int n = 0; n < 16; n++) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    if (n != X86_RSP) s.gpr[n] = n & 1 ? 0x20000 + (seed >> 50) : seed >> (n % 3 ? 32 : 8);
  }
  if (data[1] & 1) s.cr4 |= 0x600;  // FXSAVE and SIMD exceptions
  if (data[1] & 2) s.rflags |= 0x200;
  if (data[1] & 4) s.rflags |= 0x100;
  if (data[1] & 8 && bits == 64) s.cr4 |= 0x300000;  // SMEP, SMAP
  m.set(s);
  Bytes code(data + 10, data + size);
  if (bits == 16) m.code(code, 0x1000);
  else m.code(code);
  for (int vector = 0; vector < 32; vector++) {
    if (bits == 64) m.gate64(vector, kCode + (seed >> (vector % 32) & 0xff));
    else if (bits == 32) m.gate32(vector, kCode + (seed >> (vector % 32) & 0xff));
  }
}

End run(const uint8_t *data, size_t size, hv_exit_kind (*step)(x86_cpu *, u64), u64 piece) {
  const int bits = data[0] % 3 == 0 ? 16 : data[0] % 3 == 1 ? 32 : 64;
  Machine m(bits);
  prepare(m, data, size, bits);
  hv_exit_kind kind = HV_EXIT_BUDGET;
  unsigned exits = 0;
  while (m.cpu->hv.retired < kLimit && exits < 200) {
    const u64 left = kLimit - m.cpu->hv.retired;
    kind = step(m.cpu, piece < left ? piece : left);
    if (kind == HV_EXIT_ACCESS) hv_cpu_complete(&m.cpu->hv, m.cpu->hv.exit.cookie, 0x5a5a5a5a5a5a5a5aull);
    else if (kind != HV_EXIT_BUDGET) break;
    exits += kind == HV_EXIT_ACCESS;
  }
  End end{m.state(), kind, m.cpu->hv.retired, std::vector<u8>(m.ram, m.ram + kRam)};
  end.state.tsc = 0;
  return end;
}

void must_agree(const End &a, const End &b) {
  const bool flags = ((a.state.rflags ^ b.state.rflags) & ~0x10ull) == 0;
  bool same = a.kind == b.kind && a.retired == b.retired && a.state.rip == b.state.rip && flags && a.ram == b.ram;
  for (int n = 0; n < 16; n++) same &= a.state.gpr[n] == b.state.gpr[n];
  if (same) return;
  fprintf(stderr, "exit %d/%d retired %llu/%llu rip %llx/%llx flags %llx/%llx ram %s\n", a.kind, b.kind, a.retired, b.retired, a.state.rip,
          b.state.rip, a.state.rflags, b.state.rflags, a.ram == b.ram ? "same" : "differs");
  for (int n = 0; n < 16; n++)
    if (a.state.gpr[n] != b.state.gpr[n]) fprintf(stderr, "  r%d %llx/%llx\n", n, a.state.gpr[n], b.state.gpr[n]);
  abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 11 || size > 512) return 0;
  const End whole = run(data, size, x86_step, kLimit);
  must_agree(whole, run(data, size, x86_step_switch, kLimit));
  must_agree(whole, run(data, size, x86_step, 1));
  return 0;
}
