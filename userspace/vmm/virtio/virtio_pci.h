// SPDX-License-Identifier: MIT
// virtio over PCI, modern interface only.  VIRTIO 1.2, section 4.1.
//
//   window 0   16 KiB: 0x0000 common configuration, 0x1000 ISR, 0x2000 device configuration, 0x3000 + 4 * queue notification
//   window 1    4 KiB: MSI-X table and pending bits
#pragma once

#include <memory>

#include "vmm/pci/function.h"
#include "vmm/pci/msix.h"
#include "vmm/virtio/virtio_device.h"

namespace mv {

// What the transport is given of the world.
struct VirtioWorld {
  GuestRam ram;
  std::mutex& devices;  // the lock that serve() holds
  // From any thread: a job for the device's loop thread, which comes without the lock.
  std::function<void(std::function<void()>)> post;
  MessageRouter route;
  // A way by which writes of the driver to a GPA call a job on the loop's thread without being served; it ends with what is
  // returned.  Null, or nothing returned: there is no such way, and the writes are served.
  std::function<std::shared_ptr<void>(uint64_t gpa, std::function<void()> rung)> doorbell;
};

class VirtioPci : public PciFunction, private Device, private VirtioHost {
 public:
  enum Common : uint64_t {
    DEVICE_FEATURE_SELECT = 0x00, DEVICE_FEATURE = 0x04, DRIVER_FEATURE_SELECT = 0x08, DRIVER_FEATURE = 0x0c, CONFIG_VECTOR = 0x10,
    QUEUES = 0x12, DEVICE_STATUS = 0x14, CONFIG_GENERATION = 0x15, QUEUE_SELECT = 0x16, QUEUE_SIZE = 0x18, QUEUE_VECTOR = 0x1a,
    QUEUE_ENABLE = 0x1c, QUEUE_NOTIFY_OFFSET = 0x1e, QUEUE_DESCRIPTORS = 0x20, QUEUE_DRIVER = 0x28, QUEUE_DEVICE = 0x30, COMMON_END = 0x38
  };
  enum DeviceStatus : uint8_t { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 0x40, FAILED = 0x80 };
  enum Isr : uint8_t { ISR_QUEUE = 1, ISR_CONFIG = 2 };
  static constexpr uint64_t kCommon = 0, kIsr = 0x1000, kDevice = 0x2000, kNotify = 0x3000, kSize = 0x4000, kRegion = 0x1000;
  static constexpr uint64_t kNotifyStep = 4;
  static constexpr uint64_t kIndirect = uint64_t{1} << 28, kEventIdx = uint64_t{1} << 29, kVersion1 = uint64_t{1} << 32;
  static constexpr uint16_t kNoVector = 0xffff;

  VirtioPci(VirtioWorld world, std::unique_ptr<VirtioDevice> device);

  VirtioDevice& device() { return *device_; }
  uint8_t status() const { return status_; }

  uint64_t config_read(unsigned reg, unsigned size) override;
  void config_write(unsigned reg, unsigned size, uint64_t value) override;

 private:
  struct Queue {
    Virtqueue ring;
    Virtqueue::Place place;
    uint16_t vector = kNoVector;
    bool enabled = false;
    bool posted = false;  // a notification is on its way
    std::shared_ptr<void> doorbell;
  };

  void add_capabilities();
  void add_capability_of(uint8_t type, uint64_t offset, uint64_t length, std::vector<uint8_t> more = {});
  void config_written(unsigned reg, unsigned size) override;
  void windows_placed() override;
  std::optional<uint64_t> backdoor(unsigned& size);

  // Device: window 0
  std::string_view name() const override { return device_->name(); }
  uint64_t read(uint64_t offset, unsigned size) override;
  void write(uint64_t offset, unsigned size, uint64_t value) override;
  uint64_t read_common(uint64_t offset, unsigned size);
  uint64_t read_queue(uint64_t offset, unsigned size);
  void write_common(uint64_t offset, unsigned size, uint64_t value);
  void write_queue(Queue& q, uint64_t offset, unsigned size, uint64_t value);
  uint64_t read_device_config(uint64_t offset, unsigned size) const;

  uint64_t offered() const { return device_->features() | kIndirect | kEventIdx | kVersion1; }
  uint16_t vector_or_none(uint64_t value) const { return value < msix_.vectors() ? static_cast<uint16_t>(value) : kNoVector; }
  Queue* selected() { return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr; }
  void set_status(uint8_t value);
  void enable(Queue& q);
  void reset();
  void ring_doorbells();
  void rung(unsigned index);
  void interrupt(Isr why, uint16_t vector);

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
  Msix msix_;
  unsigned msix_at_ = 0, backdoor_at_ = 0;
  uint64_t doorbells_at_ = 0;

  uint64_t driver_features_ = 0;
  uint32_t device_feature_select_ = 0, driver_feature_select_ = 0;
  uint16_t queue_select_ = 0, config_vector_ = kNoVector;
  uint8_t status_ = 0, isr_ = 0;
  int busy_ = 0;
  bool resetting_ = false;
};

}  // namespace mv
