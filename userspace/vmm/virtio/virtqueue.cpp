// SPDX-License-Identifier: MIT
#include "vmm/virtio/virtqueue.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

namespace mv {

namespace {

constexpr uint64_t kEntry = 16, kUsedEntry = 8;
constexpr uint64_t kIndex = 2, kRing = 4;  // in both rings, after the flags

}  // namespace

uint64_t VirtqChain::bytes(const std::vector<Buffer>& buffers) {
  uint64_t n = 0;
  for (const Buffer& b : buffers) n += b.size();
  return n;
}

static size_t move_front(std::vector<VirtqChain::Buffer>& buffers, size_t most, auto copy) {
  size_t done = 0;
  while (done < most && !buffers.empty()) {
    VirtqChain::Buffer& b = buffers.front();
    const size_t n = std::min(most - done, b.size());
    copy(b.data(), done, n);
    done += n;
    b = b.subspan(n);
    if (b.empty()) buffers.erase(buffers.begin());
  }
  return done;
}

size_t VirtqChain::take(std::span<std::byte> to) {
  return move_front(readable, to.size(), [&](std::byte* at, size_t done, size_t n) { std::memcpy(to.data() + done, at, n); });
}

size_t VirtqChain::give(std::span<const std::byte> from) {
  return move_front(writable, from.size(), [&](std::byte* at, size_t done, size_t n) { std::memcpy(at, from.data() + done, n); });
}

bool Virtqueue::start(const GuestRam& ram, const Place& place) {
  stop();
  ram_ = ram;
  place_ = place;
  const uint64_t n = place.size;
  const bool sound = n && n <= kMostEntries && !(n & (n - 1)) && place.descriptors % 16 == 0 && place.available % 2 == 0 && place.used % 4 == 0;
  const auto descriptors = ram.range(place.descriptors, kEntry * n);
  const auto available = ram.range(place.available, kRing + 2 * n + 2);
  const auto used = ram.range(place.used, kRing + kUsedEntry * n + 2);
  broken_ = !sound || !descriptors || !available || !used;
  if (broken_) return false;
  descriptors_ = descriptors->data();
  available_ = available->data();
  used_ = used->data();
  running_ = true;
  return true;
}

std::optional<VirtqChain> Virtqueue::fail() {
  broken_ = true;
  return std::nullopt;
}

Virtqueue::Entry Virtqueue::entry_at(const std::byte* table, uint64_t index) {
  const std::byte* at = table + kEntry * index;
  const auto rest = ram_load<uint64_t>(at + 8);
  return {ram_load<uint64_t>(at), static_cast<uint32_t>(rest), static_cast<uint16_t>(rest >> 32), static_cast<uint16_t>(rest >> 48)};
}

// Buffers that the device writes come after those that it reads (section 2.7.4.2); all of them together are below 4 GiB.
bool Virtqueue::add(const Entry& e, VirtqChain& chain, uint64_t& total) const {
  const auto buffer = ram_.range(e.address, e.length);
  total += e.length;
  if (!buffer || total > UINT32_MAX) return false;
  if (!(e.flags & WRITE) && !chain.writable.empty()) return false;
  if (!buffer->empty()) (e.flags & WRITE ? chain.writable : chain.readable).push_back(*buffer);
  return true;
}

// At most as many buffers as the queue has entries, also by an indirect table (section 2.7.5.3.1).
bool Virtqueue::walk(uint16_t head, VirtqChain& chain) {
  const std::byte* table = descriptors_;
  uint64_t entries = place_.size, index = head, total = 0;
  bool indirect = false;
  for (unsigned n = 0; n < place_.size; ++n) {
    if (index >= entries) return false;
    const Entry e = entry_at(table, index);
    if (e.flags & INDIRECT) {
      const auto more = ram_.range(e.address, e.length);
      // its address has no alignment of its own, but single loads need one
      if (!place_.indirect || indirect || (e.flags & NEXT) || !more || e.length % kEntry || !e.length || e.address % 8) return false;
      table = more->data();
      entries = e.length / kEntry;
      index = 0;
      indirect = true;
      --n;  // the entry that leads there is no buffer; it comes once
      continue;
    }
    if (!add(e, chain, total)) return false;
    if (!(e.flags & NEXT)) return true;
    index = e.next;
  }
  return false;
}

std::optional<VirtqChain> Virtqueue::pop() {
  if (!running_ || broken_) return std::nullopt;
  auto index = ram_load<uint16_t>(available_ + kIndex);
  if (index == next_available_ && place_.event_idx) {
    // ask to be told of the next one, then look again: it may have come in between
    ram_store<uint16_t>(used_ + kRing + kUsedEntry * place_.size, next_available_);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    index = ram_load<uint16_t>(available_ + kIndex);
  }
  if (index == next_available_) return std::nullopt;
  if (static_cast<uint16_t>(index - next_available_) > place_.size) return fail();
  VirtqChain chain;
  chain.head = ram_load<uint16_t>(available_ + kRing + 2 * (next_available_ % place_.size));
  if (chain.head >= place_.size || !walk(chain.head, chain)) return fail();
  ++next_available_;
  return chain;
}

void Virtqueue::push(uint16_t head, uint32_t written) {
  if (!running_ || broken_) return;
  std::byte* entry = used_ + kRing + kUsedEntry * (next_used_ % place_.size);
  ram_store<uint32_t>(entry, head);
  ram_store<uint32_t>(entry + 4, written);
  ++next_used_;
  ram_store<uint16_t>(used_ + kIndex, next_used_);
}

// With event idx: whether the index that the driver waits for was passed (section 2.7.10.2).
bool Virtqueue::wants_interrupt() {
  if (!running_ || broken_ || signalled_ == next_used_) return false;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const uint16_t before = std::exchange(signalled_, next_used_);
  if (!place_.event_idx) return !(ram_load<uint16_t>(available_) & kNoInterrupt);
  const auto event = ram_load<uint16_t>(available_ + kRing + 2 * uint64_t{place_.size});
  return static_cast<uint16_t>(next_used_ - event - 1) < static_cast<uint16_t>(next_used_ - before);
}

}  // namespace mv
