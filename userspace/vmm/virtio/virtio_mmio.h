// SPDX-License-Identifier: MIT
// virtio over MMIO, version 2 (without the legacy interface).  VIRTIO 1.2, section 4.2.
// The interrupt is one line, level while INTERRUPT_STATUS is not zero.
#pragma once

#include "vmm/devices/device.h"
#include "vmm/devices/irq_line.h"
#include "vmm/virtio/virtio_transport.h"

namespace mv {

class VirtioMmio : public Device, public VirtioTransport {
 public:
  static constexpr uint64_t kSize = 0x1000, kConfig = 0x100;
  static constexpr uint32_t kMagic = 0x74726976, kVersion = 2, kVendor = 0x4b434f4d;  // "virt", "MOCK"

  enum Register : uint64_t {
    MAGIC_VALUE = 0x000, VERSION = 0x004, DEVICE_ID = 0x008, VENDOR_ID = 0x00c, DEVICE_FEATURES = 0x010, DEVICE_FEATURES_SEL = 0x014,
    DRIVER_FEATURES = 0x020, DRIVER_FEATURES_SEL = 0x024, QUEUE_SEL = 0x030, QUEUE_NUM_MAX = 0x034, QUEUE_NUM = 0x038, QUEUE_READY = 0x044,
    QUEUE_NOTIFY = 0x050, INTERRUPT_STATUS = 0x060, INTERRUPT_ACK = 0x064, STATUS = 0x070, QUEUE_DESC_LOW = 0x080, QUEUE_DRIVER_LOW = 0x090,
    QUEUE_DEVICE_LOW = 0x0a0, CONFIG_GENERATION = 0x0fc
  };

  // gpa: where it is claimed, for the doorbell.
  VirtioMmio(VirtioWorld world, std::unique_ptr<VirtioDevice> device, IrqLine irq, uint64_t gpa);

  std::string_view name() const override { return device_->name(); }
  uint64_t read(uint64_t offset, unsigned size) override;
  void write(uint64_t offset, unsigned size, uint64_t value) override;

 private:
  void write_queue(Queue& q, uint64_t offset, uint32_t value);
  void interrupt(Isr why, const Queue* queue) override;
  void queue_enabled() override;
  void transport_reset() override;

  IrqLine irq_;
  uint64_t gpa_;
  std::shared_ptr<void> doorbell_;  // one for all queues: they notify by the same register
};

}  // namespace mv
