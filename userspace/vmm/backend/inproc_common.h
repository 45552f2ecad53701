// SPDX-License-Identifier: MIT
// What both inproc backends need: guest memory, block arenas, and threads that sleep until something happens.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>

#include "vmm/backend/backend.h"
#include "vmm/backend/fd.h"

extern "C" {
#include "core/cpu/block.h"
#include "core/walk.h"
}

namespace mv {

// Instructions between two looks at the world: some milliseconds.  A prime, as the module's (kmod/glue/acrn_hsm.h).
constexpr uint64_t kInprocBatch = 200003;

// How often a vCPU that waits for another gives its processor away before it sleeps: gunyah_vcpu_pause_ns(), acrn_vcpu_pause_ns().
inline unsigned polite_pauses() {
  static const unsigned often = std::thread::hardware_concurrency() > 1 ? 255 : 1;
  return often;
}
constexpr size_t kArenaFirst = 256 << 10;
constexpr size_t kArenaLimit = 4 << 20;

// A core object is large, zeroed, and not C++'s to construct.
template <typename T>
struct CoreFree {
  void operator()(T* p) const { std::free(p); }
};
template <typename T>
using CorePtr = std::unique_ptr<T, CoreFree<T>>;

template <typename T>
CorePtr<T> core_new() {
  void* p = std::aligned_alloc(alignof(std::max_align_t) > 64 ? alignof(std::max_align_t) : 64, (sizeof(T) + 63) & ~size_t{63});
  if (!p) throw std::bad_alloc();
  std::memset(p, 0, sizeof(T));
  return CorePtr<T>(static_cast<T*>(p));
}

// The memory for decoded blocks, grown on demand.
class Arena {
 public:
  Arena() : memory_(std::make_unique<std::byte[]>(kArenaFirst)) {}
  void* data() { return memory_.get(); }
  static constexpr size_t size() { return kArenaFirst; }
  // The answer to HV_EXIT_ARENA.
  void grow(hv_blocks& blocks) {
    const size_t want = blocks.want;
    auto larger = std::make_unique<std::byte[]>(want);
    hv_blocks_set_arena(&blocks, larger.get(), want);
    memory_ = std::move(larger);
    held_ = want;
  }
  size_t held() const { return held_; }

 private:
  std::unique_ptr<std::byte[]> memory_;
  size_t held_ = kArenaFirst;
};

// Where vCPU threads sleep.  Whoever changes what they wait for calls wake().
class Bell {
 public:
  template <typename Condition>
  void wait(Condition condition) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, condition);
  }
  // The same, but at most for @ns nanoseconds; ~0 is for ever.
  template <typename Condition>
  void wait_ns(uint64_t ns, Condition condition) {
    constexpr uint64_t kLong = 3600ull * 1000000000;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::nanoseconds(ns < kLong ? ns : kLong), condition);
  }
  // A vCPU that waits for another gives its processor away: asleep, or, with @ns 0, for whoever can run.
  template <typename Condition>
  void pause_ns(uint64_t ns, Condition condition) {
    if (ns) wait_ns(ns, condition);
    else std::this_thread::yield();
  }
  void wake() {
    { std::lock_guard lock(mutex_); }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class GuestMemory {
 public:
  GuestMemory(uint64_t base, uint64_t bytes)
      : base_(base), map_(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, "guest memory") {}
  uint64_t base() const { return base_; }
  uint8_t* host() { return map_.as<uint8_t>(); }
  uint64_t bytes() const { return map_.size(); }
  void load(std::span<const Image> images) {
    for (const Image& i : images) {
      if (i.gpa < base_ || i.gpa - base_ > bytes() || i.bytes.size() > bytes() - (i.gpa - base_)) {
        throw std::invalid_argument("image lies outside guest memory");
      }
      std::memcpy(host() + (i.gpa - base_), i.bytes.data(), i.bytes.size());
    }
  }

 private:
  uint64_t base_;
  Mapping map_;
};

inline std::optional<WalkStamps> walk_stamps(hv_walk& walk) {
  hv_walk_record r;
  if (hv_walk_get(&walk, 0, &r) != 0) return std::nullopt;
  WalkStamps s{.cookie = r.cookie, .end = r.end};
  for (unsigned w = 0; w < HV_WORDS; ++w) s.start[w] = r.start[w];
  return s;
}

}  // namespace mv
