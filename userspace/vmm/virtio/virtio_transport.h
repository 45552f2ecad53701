// SPDX-License-Identifier: MIT
// What virtio's transports share: queues, feature negotiation, status, notifications.  VIRTIO 1.2, sections 2 and 3.
#pragma once

#include <functional>
#include <memory>

#include "vmm/devices/message.h"
#include "vmm/virtio/virtio_device.h"

namespace mv {

// What a transport is given of the world.
struct VirtioWorld {
  GuestRam ram;
  bool restricted = false;  // that is a part of the guest's memory: its driver has to use the platform's rules for DMA
  std::mutex& devices;  // the lock that serve() holds
  // From any thread: a job for the device's loop thread, which comes without the lock.
  std::function<void(std::function<void()>)> post;
  MessageRouter route;
  // A way by which writes of the driver to a GPA call a job on the loop's thread without being served; it ends with what is
  // returned.  Null, or nothing returned: there is no such way, and the writes are served.
  std::function<std::shared_ptr<void>(uint64_t gpa, std::function<void()> rung)> doorbell;
};

class VirtioTransport : protected VirtioHost {
 public:
  enum DeviceStatus : uint8_t { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 0x40, FAILED = 0x80 };
  static constexpr uint64_t kIndirect = uint64_t{1} << 28, kEventIdx = uint64_t{1} << 29, kVersion1 = uint64_t{1} << 32,
                            kAccessPlatform = uint64_t{1} << 33;
  static constexpr uint16_t kNoVector = 0xffff;
  enum Isr : uint8_t { ISR_QUEUE = 1, ISR_CONFIG = 2 };

  VirtioTransport(VirtioWorld world, std::unique_ptr<VirtioDevice> device);

  VirtioDevice& device() { return *device_; }
  uint8_t status() const { return status_; }

 protected:
  struct Queue {
    Virtqueue ring;
    Virtqueue::Place place;
    uint16_t vector = kNoVector;
    bool enabled = false;
    bool posted = false;  // a notification is on its way
    std::shared_ptr<void> doorbell;
  };

  // The transport's own: an interrupt (of this queue, or of the configuration), a queue came into use, the driver's reset.
  virtual void interrupt(Isr why, const Queue* queue) = 0;
  virtual void queue_enabled() = 0;
  virtual void transport_reset() = 0;

  uint64_t offered() const { return device_->features() | kIndirect | kEventIdx | needed(); }
  // Without these there is no device here (section 6.2).
  uint64_t needed() const { return kVersion1 | (world_.restricted ? kAccessPlatform : 0); }
  Queue* selected() { return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr; }
  uint64_t read_device_config(uint64_t offset, unsigned size) const;
  uint64_t offered_part() const { return device_feature_select_ < 2 ? offered() >> (32 * device_feature_select_) & 0xffffffff : 0; }
  void accept_part(uint64_t value);
  void set_status(uint8_t value);
  void enable(Queue& q);
  void reset();
  void rung(unsigned index);

  // VirtioHost
  Virtqueue& queue(unsigned index) override { return queues_.at(index).ring; }
  void pushed(unsigned index) override;
  void needs_reset() override;
  bool live() const override { return (status_ & DRIVER_OK) && !(status_ & NEEDS_RESET) && !resetting_; }
  void busy(int change) override;
  void kick(unsigned index) override;

  VirtioWorld world_;
  std::unique_ptr<VirtioDevice> device_;
  std::vector<Queue> queues_;
  uint64_t driver_features_ = 0;
  uint32_t device_feature_select_ = 0, driver_feature_select_ = 0;
  uint16_t queue_select_ = 0;
  uint8_t status_ = 0, isr_ = 0;
  int busy_ = 0;
  bool resetting_ = false;
};

}  // namespace mv
