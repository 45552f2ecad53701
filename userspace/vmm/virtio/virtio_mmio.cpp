// SPDX-License-Identifier: MIT
#include "vmm/virtio/virtio_mmio.h"

#include <utility>

namespace mv {

VirtioMmio::VirtioMmio(VirtioWorld world, std::unique_ptr<VirtioDevice> device, IrqLine irq, uint64_t gpa)
    : VirtioTransport(std::move(world), std::move(device)), irq_(std::move(irq)), gpa_(gpa) {
  reset();
}

uint64_t VirtioMmio::read(uint64_t offset, unsigned size) {
  if (offset >= kConfig) return read_device_config(offset - kConfig, size);
  const Queue* q = selected();
  switch (offset) {
    case MAGIC_VALUE:
      return kMagic;
    case VERSION:
      return kVersion;
    case DEVICE_ID:
      return device_->type();
    case VENDOR_ID:
      return kVendor;
    case DEVICE_FEATURES:
      return offered_part();
    case QUEUE_NUM_MAX:
      return q ? device_->queue_size() : 0u;
    case QUEUE_READY:
      return q && q->enabled;
    case INTERRUPT_STATUS:
      return isr_;
    case STATUS:
      return status_;
    default:
      return 0;  // write-only, or not there; the configuration of these devices never changes, so its generation is 0
  }
}

void VirtioMmio::write(uint64_t offset, unsigned size, uint64_t value) {
  if (offset >= kConfig) return device_->write_config(offset - kConfig, size, value);
  const auto word = static_cast<uint32_t>(value);
  switch (offset) {
    case DEVICE_FEATURES_SEL:
      device_feature_select_ = word;
      return;
    case DRIVER_FEATURES:
      return accept_part(word);
    case DRIVER_FEATURES_SEL:
      driver_feature_select_ = word;
      return;
    case QUEUE_SEL:
      queue_select_ = static_cast<uint16_t>(word < kNoVector ? word : kNoVector);
      return;
    case QUEUE_NOTIFY:
      if (word < queues_.size()) kick(word);
      return;
    case INTERRUPT_ACK:
      isr_ = static_cast<uint8_t>(isr_ & ~word);
      irq_.set(isr_);
      return;
    case STATUS:
      return set_status(static_cast<uint8_t>(word));
    default:
      if (Queue* q = selected()) write_queue(*q, offset, word);
  }
}

static uint64_t* address_field(Virtqueue::Place& p, uint64_t offset) {
  switch (offset & ~uint64_t{4}) {
    case VirtioMmio::QUEUE_DESC_LOW:
      return &p.descriptors;
    case VirtioMmio::QUEUE_DRIVER_LOW:
      return &p.available;
    case VirtioMmio::QUEUE_DEVICE_LOW:
      return &p.used;
    default:
      return nullptr;
  }
}

// A queue's place is fixed once it is ready; 0 in QueueReady takes it out of use.
void VirtioMmio::write_queue(Queue& q, uint64_t offset, uint32_t value) {
  if (offset == QUEUE_READY && value == 0 && !busy_) {
    const bool posted = q.posted;
    q = {};
    q.posted = posted;
    q.place.size = device_->queue_size();
    return;
  }
  if (q.enabled) return;
  if (offset == QUEUE_READY && value == 1) return enable(q);
  if (offset == QUEUE_NUM && value <= device_->queue_size()) q.place.size = static_cast<uint16_t>(value);
  uint64_t* address = address_field(q.place, offset);
  if (!address) return;
  *address = offset & 4 ? (*address & 0xffffffff) | uint64_t{value} << 32 : (*address & ~uint64_t{0xffffffff}) | value;
}

void VirtioMmio::interrupt(Isr why, const Queue*) {
  isr_ |= why;
  irq_.set(true);
}

// The doorbell does not say which queue was meant: all of them are looked at.
void VirtioMmio::queue_enabled() {
  if (doorbell_ || !world_.doorbell) return;
  doorbell_ = world_.doorbell(gpa_ + QUEUE_NOTIFY, [this] {
    for (unsigned i = 0; i < queues_.size(); ++i) rung(i);
  });
}

void VirtioMmio::transport_reset() {
  doorbell_.reset();
  irq_.set(false);
}

}  // namespace mv
