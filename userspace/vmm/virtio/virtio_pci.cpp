// SPDX-License-Identifier: MIT
#include "vmm/virtio/virtio_pci.h"

#include <utility>

#include "vmm/dispatch/access.h"

namespace mv {

namespace {

constexpr uint16_t kVendor = 0x1af4, kModernDevice = 0x1040;
constexpr uint8_t kVendorCapability = 0x09;
constexpr uint8_t kCommonCfg = 1, kNotifyCfg = 2, kIsrCfg = 3, kDeviceCfg = 4, kPciCfg = 5;
constexpr unsigned kCapBar = 4, kCapOffset = 8, kCapLength = 12, kCapData = 16;  // in struct virtio_pci_cap, from its id

PciIdentity identity(const VirtioDevice& d) {
  const auto id = static_cast<uint16_t>(kModernDevice + d.type());
  return {.vendor = kVendor, .device = id, .revision = 1, .class_code = d.pci_class(), .subsystem_vendor = kVendor, .subsystem = id};
}

}  // namespace

VirtioPci::VirtioPci(VirtioWorld world, std::unique_ptr<VirtioDevice> device)
    : PciFunction(identity(*device)), VirtioTransport(std::move(world), std::move(device)), msix_(device_->queues() + 1, world_.route) {
  add_bar(0, kSize, *this);
  add_bar(1, Msix::kWindow, msix_);
  use_intx_pin();
  add_capabilities();
  reset();
}

// Section 4.1.4.
void VirtioPci::add_capability_of(uint8_t type, uint64_t offset, uint64_t length, std::vector<uint8_t> more) {
  std::vector<uint8_t> body{static_cast<uint8_t>(16 + more.size()), type, 0, 0, 0, 0};
  for (uint64_t v : {offset, length}) {
    for (unsigned i = 0; i < 4; ++i) body.push_back(static_cast<uint8_t>(v >> (8 * i)));
  }
  body.insert(body.end(), more.begin(), more.end());
  backdoor_at_ = add_capability(kVendorCapability, body);
}

void VirtioPci::add_capabilities() {
  msix_at_ = add_capability(Msix::kCapability, msix_.capability(1));
  set_writable(msix_at_ + 2, Msix::CONTROL_ENABLE | Msix::CONTROL_MASK, 2);
  add_capability_of(kCommonCfg, kCommon, COMMON_END);
  add_capability_of(kNotifyCfg, kNotify, kNotifyStep * queues_.size(), {kNotifyStep, 0, 0, 0});
  add_capability_of(kIsrCfg, kIsr, 1);
  if (!device_->config().empty()) add_capability_of(kDeviceCfg, kDevice, device_->config().size());
  add_capability_of(kPciCfg, 0, 0, {0, 0, 0, 0});
  set_writable(backdoor_at_ + kCapBar, 0xff, 1);
  set_writable(backdoor_at_ + kCapOffset, 0xffffffff, 4);
  set_writable(backdoor_at_ + kCapLength, 0xffffffff, 4);
}

// The window through configuration space (section 4.1.4.9): where it leads, if that makes sense.
std::optional<uint64_t> VirtioPci::backdoor(unsigned& size) {
  const uint64_t offset = get(backdoor_at_ + kCapOffset, 4), length = get(backdoor_at_ + kCapLength, 4);
  if (get(backdoor_at_ + kCapBar, 1) != 0 || (length != 1 && length != 2 && length != 4) || offset % length || offset >= kSize) return std::nullopt;
  size = static_cast<unsigned>(length);
  return offset;
}

uint64_t VirtioPci::config_read(unsigned reg, unsigned size) {
  unsigned bytes;
  if (reg == backdoor_at_ + kCapData) {
    if (const auto offset = backdoor(bytes)) set(reg, read(*offset, bytes), bytes);
  }
  return PciFunction::config_read(reg, size);
}

void VirtioPci::config_write(unsigned reg, unsigned size, uint64_t value) {
  unsigned bytes;
  if (reg == backdoor_at_ + kCapData) {
    if (const auto offset = backdoor(bytes)) write(*offset, bytes, value & size_mask(bytes));
    return;
  }
  PciFunction::config_write(reg, size, value);
}

void VirtioPci::config_written(unsigned reg, unsigned size) {
  if (reg < msix_at_ + 4 && reg + size > msix_at_ + 2) {
    msix_.control(static_cast<uint16_t>(get(msix_at_ + 2, 2)));
    if (msix_.enabled()) set_intx(false);
  }
}

void VirtioPci::windows_placed() { ring_doorbells(); }

// Doorbells are where the window is, for queues in use; a window that moves takes them along.
void VirtioPci::ring_doorbells() {
  const uint64_t at = bar_address(0);
  const bool moved = at != doorbells_at_;
  doorbells_at_ = at;
  for (unsigned i = 0; i < queues_.size(); ++i) {
    Queue& q = queues_[i];
    if (moved || !q.enabled) q.doorbell.reset();
    if (at && q.enabled && !q.doorbell && world_.doorbell) q.doorbell = world_.doorbell(at + kNotify + kNotifyStep * i, [this, i] { rung(i); });
  }
}

uint64_t VirtioPci::read(uint64_t offset, unsigned size) {
  switch (offset & ~(kRegion - 1)) {
    case kCommon:
      return read_common(offset - kCommon, size);
    case kIsr:
      if (offset != kIsr) return 0;
      set_intx(false);
      return std::exchange(isr_, uint8_t{0});
    case kDevice:
      return read_device_config(offset - kDevice, size);
    default:
      return 0;
  }
}

uint64_t VirtioPci::read_common(uint64_t offset, unsigned size) {
  switch (offset) {
    case DEVICE_FEATURE_SELECT:
      return device_feature_select_;
    case DEVICE_FEATURE:
      return offered_part();
    case DRIVER_FEATURE_SELECT:
      return driver_feature_select_;
    case DRIVER_FEATURE:
      return driver_feature_select_ < 2 ? driver_features_ >> (32 * driver_feature_select_) & 0xffffffff : 0;
    case CONFIG_VECTOR:
      return config_vector_;
    case QUEUES:
      return queues_.size();
    case DEVICE_STATUS:
      return status_;
    case QUEUE_SELECT:
      return queue_select_;
    default:
      return read_queue(offset, size);
  }
}

static uint64_t* address_field(Virtqueue::Place& p, uint64_t offset) {
  switch (offset & ~uint64_t{7}) {
    case VirtioPci::QUEUE_DESCRIPTORS:
      return &p.descriptors;
    case VirtioPci::QUEUE_DRIVER:
      return &p.available;
    case VirtioPci::QUEUE_DEVICE:
      return &p.used;
    default:
      return nullptr;
  }
}

uint64_t VirtioPci::read_queue(uint64_t offset, unsigned) {
  Queue* q = selected();
  if (!q) return 0;
  switch (offset) {
    case QUEUE_SIZE:
      return q->place.size;
    case QUEUE_VECTOR:
      return q->vector;
    case QUEUE_ENABLE:
      return q->enabled;
    case QUEUE_NOTIFY_OFFSET:
      return queue_select_;
    default:
      break;
  }
  const uint64_t* address = address_field(q->place, offset);
  return address ? *address >> (8 * (offset & 4)) : 0;
}

void VirtioPci::write(uint64_t offset, unsigned size, uint64_t value) {
  if (offset < kIsr) {
    write_common(offset, size, value);
  } else if (offset >= kDevice && offset < kNotify) {
    device_->write_config(offset - kDevice, size, value);
  } else if (offset >= kNotify && (offset - kNotify) / kNotifyStep < queues_.size()) {
    kick(static_cast<unsigned>((offset - kNotify) / kNotifyStep));
  }
}

void VirtioPci::write_common(uint64_t offset, unsigned size, uint64_t value) {
  switch (offset) {
    case DEVICE_FEATURE_SELECT:
      device_feature_select_ = static_cast<uint32_t>(value);
      return;
    case DRIVER_FEATURE_SELECT:
      driver_feature_select_ = static_cast<uint32_t>(value);
      return;
    case DRIVER_FEATURE:
      return accept_part(value);
    case CONFIG_VECTOR:
      config_vector_ = vector_or_none(value);
      return;
    case DEVICE_STATUS:
      return set_status(static_cast<uint8_t>(value));
    case QUEUE_SELECT:
      queue_select_ = static_cast<uint16_t>(value);
      return;
    default:
      if (Queue* q = selected()) write_queue(*q, offset, size, value);
  }
}

// A queue's place is fixed once it is enabled.
void VirtioPci::write_queue(Queue& q, uint64_t offset, unsigned size, uint64_t value) {
  if (offset == QUEUE_VECTOR) q.vector = vector_or_none(value);
  if (q.enabled) return;
  if (offset == QUEUE_SIZE && value <= device_->queue_size()) q.place.size = static_cast<uint16_t>(value);
  if (offset == QUEUE_ENABLE && value == 1) return enable(q);
  uint64_t* address = address_field(q.place, offset);
  if (!address || (size != 4 && size != 8) || offset % size) return;
  if (size == 8) {
    *address = value;
  } else if (offset & 4) {
    *address = (*address & 0xffffffff) | value << 32;
  } else {
    *address = (*address & ~uint64_t{0xffffffff}) | (value & 0xffffffff);
  }
}

void VirtioPci::transport_reset() {
  doorbells_at_ = 0;
  config_vector_ = kNoVector;
  set_intx(false);
}

void VirtioPci::interrupt(Isr why, const Queue* queue) {
  if (msix_.enabled()) return msix_.fire(queue ? queue->vector : config_vector_);
  isr_ |= why;
  set_intx(true);
}

}  // namespace mv
