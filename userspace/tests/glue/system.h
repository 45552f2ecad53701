// SPDX-License-Identifier: MIT
// What the kernel tells about leaks: pinned pages, the module's users, memory, and its log.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

namespace mv::glue {

// Long-term pins that nobody has released, in the whole system.
int64_t pinned_pages();
// Users of mockvisor.ko: open files and what they hold.
int module_users();
int64_t available_bytes();
// What the kernel uses for itself: slabs, vmalloc areas, stacks, page tables.  Not what is free: freed pages wait in lists
// that nobody counts.
int64_t kernel_bytes();
// Built with KASAN: its shadow, redzones and quarantine count as used memory.
bool kernel_checks_memory();
// Waits until deferred work (final fput, RCU) is over: pins and users are back at these values.
class Baseline {
 public:
  Baseline() : pins_(pinned_pages()), users_(module_users()) {}
  bool restored() const;

 private:
  int64_t pins_;
  int users_;
};

// A process of its own that runs `body` and then sleeps; body's end is waited for, and true is its success.
class Child {
 public:
  explicit Child(const std::function<bool()>& body);
  ~Child() { kill(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  bool ready() const { return ready_; }
  // SIGKILL, and the process is gone when this returns.
  void kill();

 private:
  pid_t pid_ = -1;
  bool ready_ = false;
};

}  // namespace mv::glue
