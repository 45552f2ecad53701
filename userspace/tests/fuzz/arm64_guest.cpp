// SPDX-License-Identifier: MIT
// Whole small AArch64 guests of random words, in blocks by both dispatchers and one instruction at a time.
#include <cstdint>

#include "fuzz/three_ways.h"
#include "unit/arm64_machine.h"

using mv::fuzz::End;

namespace {

// byte 0: what is enabled; eight bytes for the registers; then code
End end_of(const uint8_t *data, size_t size, hv_exit_kind (*step)(arm64_cpu *, u64), u64 piece) {
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
  const hv_exit_kind kind = mv::fuzz::run(m.cpu.get(), step, piece);
  m.get();
  End end{kind, {std::begin(m.s.x), std::end(m.s.x)}, {m.ram.get(), m.ram.get() + arm64::ram_size}};
  end.registers.insert(end.registers.end(), {m.s.pc, m.cpu->hv.retired});
  return end;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 13 || size > 512) return 0;
  const End whole = end_of(data, size, arm64_step, mv::fuzz::kLimit);
  mv::fuzz::must_agree(whole, end_of(data, size, arm64_step_switch, mv::fuzz::kLimit));
  mv::fuzz::must_agree(whole, end_of(data, size, arm64_step, 1));
  return 0;
}
