// SPDX-License-Identifier: MIT
// Conditions on the arguments of system calls, in the syntax of minijail's policies, as programs for the kernel's filter.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mv::plugin {

// `arg1 == 0x5401 || arg1 == 3 && arg2 in 7`: comparisons of arguments 0 to 5 with numbers, which may be joined by |.  && binds closer than
// ||.  Operators: == != < <= > >= (of 64 bits, unsigned); & (some of these bits are set); in (no others are).
struct Comparison {
  enum Kind { equal, above, at_least, any_of } kind;
  bool negated;
  unsigned argument;
  uint64_t value;
};
using Condition = std::vector<std::vector<Comparison>>;  // one of these, and of it all

// Throws std::invalid_argument with one sentence that begins with `where`.
Condition parse_condition(const std::string& text, const std::string& where);

// Appends: system call `number` of the native architecture has the result `met` or `otherwise` (SECCOMP_RET_*); what other calls have is up
// to what follows.  Throws std::invalid_argument if it is too long.
void add_conditional_call(std::vector<sock_filter>& program, uint32_t number, const Condition& condition, uint32_t met, uint32_t otherwise,
                          const std::string& where);

}  // namespace mv::plugin
