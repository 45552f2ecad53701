// SPDX-License-Identifier: MIT
// The guests of userspace/payloads, as the tests run them.
#pragma once

#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "vmm/machine/machine.h"

namespace mv::test {

// What a guest is run on.  port: the guest's architecture as in its file name: x86_64, i386, x86_16, arm64.
struct Target {
  std::string backend;
  std::string port;

  Arch arch() const { return port == "arm64" ? Arch::arm64 : Arch::x86_64; }
  bool x86() const { return arch() == Arch::x86_64; }
  unsigned pointer_bytes() const { return port == "i386" ? 4 : 8; }
  friend void PrintTo(const Target& t, std::ostream* out) { *out << t.backend << " " << t.port; }

  // payloads/guest.h
  uint64_t test_device() const { return x86() ? 0xd0001000 : 0x09030000; }
};

std::string guest_file(const std::string& name, const Target& target);
MachineConfig guest_config(const std::string& name, const Target& target, unsigned vcpus = 1);

// A machine whose console output and accesses are kept.
class Bench {
 public:
  explicit Bench(MachineConfig config);
  Machine& machine() { return machine_; }
  Outcome run() { return machine_.run(); }
  std::string output() const;
  std::vector<Access> accesses() const;
  std::vector<std::string> walk_lines() const { return walk_lines_; }
  void type(const std::string& text);

 private:
  mutable std::mutex mutex_;
  std::string output_;
  std::vector<Access> accesses_;
  std::vector<std::string> walk_lines_;
  Machine machine_;
};

}  // namespace mv::test
