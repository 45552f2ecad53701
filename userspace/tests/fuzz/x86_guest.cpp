// SPDX-License-Identifier: MIT
// Whole small guests of random bytes: 16, 32 and 64 bits, in blocks by both dispatchers and one instruction at a
// time.  All three must come to the same state; memory outside the guest's stays untouched (AddressSanitizer).
#include <cstdint>

#include "fuzz/three_ways.h"
#include "unit/x86_machine.h"

using namespace x86_test;
using mv::fuzz::End;

namespace {

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

End end_of(const uint8_t *data, size_t size, hv_exit_kind (*step)(x86_cpu *, u64), u64 piece) {
  const int bits = data[0] % 3 == 0 ? 16 : data[0] % 3 == 1 ? 32 : 64;
  Machine m(bits);
  prepare(m, data, size, bits);
  const hv_exit_kind kind = mv::fuzz::run(m.cpu, step, piece);
  const x86_state s = m.state();
  End end{kind, {std::begin(s.gpr), std::end(s.gpr)}, {m.ram, m.ram + kRam}};
  end.registers.insert(end.registers.end(), {s.rip, s.rflags & ~u64{X86_FLAG_AF}, m.cpu->hv.retired});
  return end;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 11 || size > 512) return 0;
  const End whole = end_of(data, size, x86_step, mv::fuzz::kLimit);
  mv::fuzz::must_agree(whole, end_of(data, size, x86_step_switch, mv::fuzz::kLimit));
  mv::fuzz::must_agree(whole, end_of(data, size, x86_step, 1));
  return 0;
}
