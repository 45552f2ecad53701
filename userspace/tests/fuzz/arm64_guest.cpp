// SPDX-License-Identifier: MIT
// Whole small AArch64 guests of random words, in blocks by both dispatchers and one instruction at a time.
#include <cstdint>
#include <cstdio>

#include "unit/arm64_machine.h"

namespace {

constexpr uint64_t kLimit = 500;  // instructions

struct End {
  arm64_state state;
  hv_exit_kind kind;
  uint64_t retired;
  std::vector<uint8_t> ram;
};

// byte 0: what is enabled; eight bytes for the registers; then code
End run(const uint8_t *data, size_t size, hv_exit_kind (*step)(arm64_cpu *, u64), uint64_t piece) {
  arm64::Machine m;
  uint64_t seed;
  memcpy(&seed, data + 1, 8);
  for (int n = 0; n < 31; n++) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    m.s.x[n] = n & 1 ? arm64::ram_at + 0x20000 + (seed >> 50) : seed >> (n % 3 ? 32 : 8);
  }
  if (data[0] & 1) m.s.cpacr_el1 = 3 << 20;
  m.set();
  memcpy(m.host(arm64::ram_at), data + 9, size - 9);
  for (int vector = 0; vector < 16; vector++) memcpy(m.host(arm64::vectors + 128 * vector), data + 9, size - 9 < 128 ? size - 9 : 128);
  hv_exit_kind kind = HV_EXIT_BUDGET;
  unsigned exits = 0;
  while (m.cpu->hv.retired < kLimit && exits < 200) {
    const uint64_t left = kLimit - m.cpu->hv.retired;
    kind = step(m.cpu.get(), piece < left ? piece : left);
    if (kind == HV_EXIT_ACCESS) hv_cpu_complete(&m.cpu->hv, m.cpu->hv.exit.cookie, 0x5a5a5a5a5a5a5a5aull);
    else if (kind != HV_EXIT_BUDGET) break;
    exits += kind == HV_EXIT_ACCESS;
  }
  m.get();
  return {m.s, kind, m.cpu->hv.retired, std::vector<uint8_t>(m.ram.get(), m.ram.get() + arm64::ram_size)};
}

void must_agree(const End &a, const End &b) {
  bool same = a.kind == b.kind && a.retired == b.retired && a.state.pc == b.state.pc && a.ram == b.ram;
  for (int n = 0; n < 31; n++) same &= a.state.x[n] == b.state.x[n];
  if (same) return;
  fprintf(stderr, "exit %d/%d retired %llu/%llu pc %llx/%llx ram %s\n", a.kind, b.kind, static_cast<unsigned long long>(a.retired),
          static_cast<unsigned long long>(b.retired), static_cast<unsigned long long>(a.state.pc), static_cast<unsigned long long>(b.state.pc),
          a.ram == b.ram ? "same" : "differs");
  for (int n = 0; n < 31; n++)
    if (a.state.x[n] != b.state.x[n])
      fprintf(stderr, "  x%d %llx/%llx\n", n, static_cast<unsigned long long>(a.state.x[n]), static_cast<unsigned long long>(b.state.x[n]));
  abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 13 || size > 512) return 0;
  const End whole = run(data, size, arm64_step, kLimit);
  must_agree(whole, run(data, size, arm64_step_switch, kLimit));
  must_agree(whole, run(data, size, arm64_step, 1));
  return 0;
}
