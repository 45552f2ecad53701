// SPDX-License-Identifier: MIT
// The device's side of a split virtqueue.  Virtual I/O Device (VIRTIO) 1.2, section 2.7.
//
// The rings are the guest's, who may be broken or hostile: everything is read once, checked, and then used from the copy.
// A queue that does not make sense is broken from then on: it gives nothing more and takes nothing more.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vmm/virtio/guest_ram.h"

namespace mv {

// One request: buffers in guest memory, in the driver's order.
struct VirtqChain {
  using Buffer = std::span<std::byte>;
  uint16_t head = 0;
  std::vector<Buffer> readable, writable;  // by the device; never empty ones

  static uint64_t bytes(const std::vector<Buffer>& buffers);
  // Copies up to `to.size()` bytes out of the readable buffers and takes them off their front; returns how many.
  size_t take(std::span<std::byte> to);
  // Copies bytes to the front of the writable buffers and takes that room off; returns how many fitted.
  size_t give(std::span<const std::byte> from);
};

class Virtqueue {
 public:
  static constexpr uint16_t kMostEntries = 1024;
  enum Descriptor : uint16_t { NEXT = 1, WRITE = 2, INDIRECT = 4 };
  static constexpr uint16_t kNoInterrupt = 1;  // flag of the available ring

  struct Place {
    uint16_t size = 0;  // entries: a power of two
    uint64_t descriptors = 0, available = 0, used = 0;  // GPAs
    bool event_idx = false, indirect = false;
  };

  // False, and broken: the size is none, or a ring is not aligned or not in RAM.
  bool start(const GuestRam& ram, const Place& place);
  void stop() { *this = {}; }
  bool running() const { return running_; }
  bool broken() const { return broken_; }
  uint16_t size() const { return place_.size; }

  // The next request; nothing if there is none (then the driver will notify of the next) or the queue is broken.
  std::optional<VirtqChain> pop();
  // Gives a request back: the device wrote `written` bytes into it.
  void push(uint16_t head, uint32_t written);
  // Whether the driver wants an interrupt for what was pushed since the last time this was asked.
  bool wants_interrupt();

 private:
  struct Entry {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
  };
  static Entry entry_at(const std::byte* table, uint64_t index);
  bool walk(uint16_t head, VirtqChain& chain);
  bool add(const Entry& e, VirtqChain& chain, uint64_t& total) const;
  std::optional<VirtqChain> fail();

  GuestRam ram_;
  Place place_;
  std::byte* descriptors_ = nullptr;
  std::byte* available_ = nullptr;
  std::byte* used_ = nullptr;
  uint16_t next_available_ = 0, next_used_ = 0, signalled_ = 0;
  bool running_ = false, broken_ = false;
};

}  // namespace mv
