// SPDX-License-Identifier: MIT
// --walk: one line per access, the seven words of the walk and how long each took.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "vmm/backend/backend.h"

namespace mv {

struct WalkLine {
  Access access;
  Reply reply;
  uint64_t serve_start = 0;  // nanoseconds of CLOCK_MONOTONIC
  uint64_t serve_end = 0;
};

// A vCPU's line is complete when its next access comes, or when the machine ends: resume is over only then.
class WalkLog {
 public:
  WalkLog(Backend& backend, std::function<void(const std::string&)> print) : backend_(backend), print_(std::move(print)) {}

  // The access that is about to be served ends the one before on that vCPU.
  void before(unsigned vcpu);
  void after(const WalkLine& line) { open_[line.access.vcpu] = line; }
  void finish();

 private:
  void flush(unsigned vcpu, const WalkLine& line);

  Backend& backend_;
  std::function<void(const std::string&)> print_;
  std::map<unsigned, WalkLine> open_;
};

// "vcpu0 mmio write 0x9000000/1 0x48  step 1.2us exit ..."; without stamps only serve is known and the rest reads "-".
std::string format_walk_line(const WalkLine& line, const WalkStamps* stamps);

uint64_t monotonic_ns();

}  // namespace mv
