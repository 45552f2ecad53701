// SPDX-License-Identifier: MIT
#include "vmm/machine/walk_log.h"

#include <fmt/format.h>

namespace mv {

namespace {

enum Word { STEP, EXIT, POST, DELIVER, SERVE, COMPLETE, RESUME, WORDS };
constexpr const char* kWords[WORDS] = {"step", "exit", "post", "deliver", "serve", "complete", "resume"};

std::string duration(uint64_t from, uint64_t to) {
  if (from == 0 || to < from) return "-";
  const double us = static_cast<double>(to - from) / 1000;
  return us < 1000 ? fmt::format("{:.1f}us", us) : fmt::format("{:.1f}ms", us / 1000);
}

}  // namespace

uint64_t monotonic_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

std::string format_walk_line(const WalkLine& line, const WalkStamps* stamps) {
  const Access& a = line.access;
  const uint64_t data = a.direction == Direction::write ? a.data : line.reply.data;
  std::string text = fmt::format("vcpu{} {} {} {:#x}/{} = {:#x} ", a.vcpu, name(a.space), name(a.direction), a.address, a.size, data);
  uint64_t at[WORDS + 1] = {};
  if (stamps) {
    for (int w = 0; w < WORDS; ++w) at[w] = stamps->start[w];
    at[WORDS] = stamps->end;
  }
  at[SERVE] = line.serve_start;
  for (int w = 0; w < WORDS; ++w) {
    text += fmt::format(" {} {}", kWords[w], duration(at[w], w == SERVE ? line.serve_end : w == COMPLETE && !at[w] ? line.serve_end : at[w + 1]));
  }
  return text;
}

void WalkLog::flush(unsigned vcpu, const WalkLine& line) {
  const auto stamps = backend_.walk(vcpu);
  print_(format_walk_line(line, stamps ? &*stamps : nullptr));
}

void WalkLog::before(unsigned vcpu) {
  if (const auto it = open_.find(vcpu); it != open_.end()) {
    flush(vcpu, it->second);
    open_.erase(it);
  }
}

// The last access of each vCPU was perhaps never resumed (the guest ended in it): then its stamps are another's.
void WalkLog::finish() {
  for (const auto& [vcpu, line] : open_) print_(format_walk_line(line, nullptr));
  open_.clear();
}

}  // namespace mv
