// SPDX-License-Identifier: MIT
// Guests under a stopwatch: a backend and a server that does as little as a device can.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "vmm/backend/backend.h"

namespace mv::bench {

using Clock = std::chrono::steady_clock;

struct Port {
  std::string backend;
  std::string file;  // x86_64, i386, arm64
  Arch arch() const { return file == "arm64" ? Arch::arm64 : Arch::x86_64; }
  uint64_t test_device() const { return arch() == Arch::x86_64 ? 0xd0001000 : 0x09030000; }
};

// True if the backend can be had here: inproc always, the others where their node is.
bool available(const std::string& backend);

// Runs a guest; serve gets each access of the guest to its test device, and a way to stop.
using Serve = std::function<uint64_t(const Access&, Backend&)>;
void run_guest(const std::string& name, const Port& port, const Serve& serve);

}  // namespace mv::bench
