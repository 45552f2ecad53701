// SPDX-License-Identifier: MIT
#include "vmm/virtio/virtio_transport.h"

#include <utility>

namespace mv {

VirtioTransport::VirtioTransport(VirtioWorld world, std::unique_ptr<VirtioDevice> device)
    : world_(std::move(world)), device_(std::move(device)), queues_(device_->queues()) {
  device_->attach(*this);
}

uint64_t VirtioTransport::read_device_config(uint64_t offset, unsigned size) const {
  const auto bytes = device_->config();
  uint64_t v = 0;
  for (unsigned i = 0; i < size && offset + i < bytes.size(); ++i) v |= uint64_t{bytes[offset + i]} << (8 * i);
  return v;
}

void VirtioTransport::accept_part(uint64_t value) {
  if ((status_ & FEATURES_OK) || driver_feature_select_ > 1) return;
  driver_features_ &= ~(uint64_t{0xffffffff} << (32 * driver_feature_select_));
  driver_features_ |= (value & 0xffffffff) << (32 * driver_feature_select_);
}

void VirtioTransport::enable(Queue& q) {
  q.place.event_idx = driver_features_ & kEventIdx;
  q.place.indirect = driver_features_ & kIndirect;
  q.enabled = true;
  if (!q.ring.start(world_.ram, q.place)) return needs_reset();
  queue_enabled();
}

// Section 3.1.1.  FEATURES_OK stays only if the features can be had, and those that are needed are taken.
void VirtioTransport::set_status(uint8_t value) {
  if (value == 0) {
    resetting_ = true;
    if (!busy_) reset();
    return;
  }
  const bool acceptable = !(driver_features_ & ~offered()) && !(needed() & ~driver_features_);
  if ((value & FEATURES_OK) && !acceptable) value = static_cast<uint8_t>(value & ~FEATURES_OK);
  status_ = static_cast<uint8_t>((status_ & NEEDS_RESET) | (value & ~NEEDS_RESET));
}

void VirtioTransport::reset() {
  for (Queue& q : queues_) {
    const bool posted = q.posted;
    q = {};
    q.posted = posted;
    q.place.size = device_->queue_size();
  }
  device_->reset();
  driver_features_ = 0;
  device_feature_select_ = driver_feature_select_ = 0;
  queue_select_ = 0;
  status_ = isr_ = 0;
  resetting_ = false;
  transport_reset();
}

// A driver that resets while a file is being read sees the old status until that is over (section 2.4.1).
void VirtioTransport::busy(int change) {
  busy_ += change;
  if (!busy_ && resetting_) reset();
}

void VirtioTransport::kick(unsigned index) {
  Queue& q = queues_.at(index);
  if (std::exchange(q.posted, true)) return;
  world_.post([this, index] {
    {
      std::lock_guard lock(world_.devices);
      queues_[index].posted = false;
    }
    rung(index);
  });
}

void VirtioTransport::rung(unsigned index) {
  std::unique_lock lock(world_.devices);
  if (live() && queues_.at(index).ring.running()) device_->notify(index, lock);
}

void VirtioTransport::pushed(unsigned index) {
  Queue& q = queues_.at(index);
  if (q.ring.wants_interrupt()) interrupt(ISR_QUEUE, &q);
  if (q.ring.broken()) needs_reset();
}

void VirtioTransport::needs_reset() {
  if (status_ & NEEDS_RESET) return;
  status_ |= NEEDS_RESET;
  if (status_ & DRIVER_OK) interrupt(ISR_CONFIG, nullptr);
}

}  // namespace mv
