// SPDX-License-Identifier: MIT
// virtio over PCI, modern interface only.  VIRTIO 1.2, section 4.1.
//
//   window 0   16 KiB: 0x0000 common configuration, 0x1000 ISR, 0x2000 device configuration, 0x3000 + 4 * queue notification
//   window 1    4 KiB: MSI-X table and pending bits
#pragma once

#include <memory>

#include "vmm/pci/function.h"
#include "vmm/pci/msix.h"
#include "vmm/virtio/virtio_transport.h"

namespace mv {

class VirtioPci : public PciFunction, private Device, public VirtioTransport {
 public:
  enum Common : uint64_t {
    DEVICE_FEATURE_SELECT = 0x00, DEVICE_FEATURE = 0x04, DRIVER_FEATURE_SELECT = 0x08, DRIVER_FEATURE = 0x0c, CONFIG_VECTOR = 0x10,
    QUEUES = 0x12, DEVICE_STATUS = 0x14, CONFIG_GENERATION = 0x15, QUEUE_SELECT = 0x16, QUEUE_SIZE = 0x18, QUEUE_VECTOR = 0x1a,
    QUEUE_ENABLE = 0x1c, QUEUE_NOTIFY_OFFSET = 0x1e, QUEUE_DESCRIPTORS = 0x20, QUEUE_DRIVER = 0x28, QUEUE_DEVICE = 0x30, COMMON_END = 0x38
  };
  static constexpr uint64_t kCommon = 0, kIsr = 0x1000, kDevice = 0x2000, kNotify = 0x3000, kSize = 0x4000, kRegion = 0x1000;
  static constexpr uint64_t kNotifyStep = 4;

  VirtioPci(VirtioWorld world, std::unique_ptr<VirtioDevice> device);

  uint64_t config_read(unsigned reg, unsigned size) override;
  void config_write(unsigned reg, unsigned size, uint64_t value) override;

 private:
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

  uint16_t vector_or_none(uint64_t value) const { return value < msix_.vectors() ? static_cast<uint16_t>(value) : kNoVector; }
  void ring_doorbells();
  void queue_enabled() override { ring_doorbells(); }
  void transport_reset() override;
  void interrupt(Isr why, const Queue* queue) override;

  Msix msix_;
  unsigned msix_at_ = 0, backdoor_at_ = 0;
  uint64_t doorbells_at_ = 0;
  uint16_t config_vector_ = kNoVector;
};

}  // namespace mv
