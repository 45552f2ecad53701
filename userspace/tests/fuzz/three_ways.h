// SPDX-License-Identifier: MIT
// What the fuzzers of both CPUs do with a guest: run it for a while in pieces, and hold the ends of several runs together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

extern "C" {
#include "core/exit.h"
}

namespace mv::fuzz {

constexpr u64 kLimit = 500;  // instructions
constexpr unsigned kAccesses = 200;

struct End {
  hv_exit_kind kind;
  std::vector<uint64_t> registers;  // all that is compared: general ones first, then the program counter and so on
  std::vector<uint8_t> ram;
};

// Every device answers the same.  A pause is advice to the host, and comes where the pieces end.
template <class Cpu>
hv_exit_kind run(Cpu *cpu, hv_exit_kind (*step)(Cpu *, u64), u64 piece) {
  hv_exit_kind kind = HV_EXIT_BUDGET;
  unsigned accesses = 0;
  for (unsigned n = 0; n < 4 * kLimit && cpu->hv.retired < kLimit && accesses < kAccesses; n++) {
    kind = step(cpu, std::min<u64>(piece, kLimit - cpu->hv.retired));
    if (kind == HV_EXIT_PAUSE) kind = HV_EXIT_BUDGET;
    if (kind == HV_EXIT_ACCESS) {
      hv_cpu_complete(&cpu->hv, cpu->hv.exit.cookie, 0x5a5a5a5a5a5a5a5aull);
      accesses++;
    } else if (kind != HV_EXIT_BUDGET) {
      break;
    }
  }
  return kind;
}

inline void must_agree(const End &a, const End &b) {
  if (a.kind == b.kind && a.registers == b.registers && a.ram == b.ram) return;
  fprintf(stderr, "exit %d/%d ram %s\n", a.kind, b.kind, a.ram == b.ram ? "same" : "differs");
  for (size_t n = 0; n < a.registers.size(); n++)
    if (a.registers[n] != b.registers[n])
      fprintf(stderr, "  register %zu: %llx/%llx\n", n, static_cast<unsigned long long>(a.registers[n]), static_cast<unsigned long long>(b.registers[n]));
  abort();
}

}  // namespace mv::fuzz
