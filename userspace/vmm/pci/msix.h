// SPDX-License-Identifier: MIT
// MSI-X: the table and the pending bits as a window of 4 KiB, and sending.  PCI Local Bus Specification 3.0, section 6.8.2.
#pragma once

#include <memory>
#include <vector>

#include "vmm/devices/device.h"
#include "vmm/devices/message.h"

namespace mv {

class Msix : public Device {
 public:
  static constexpr uint8_t kCapability = 0x11;
  static constexpr uint32_t kWindow = 0x1000, kPending = 0x800;
  static constexpr unsigned kEntry = 16, kMost = kPending / kEntry;
  enum Control : uint16_t { CONTROL_MASK = 1 << 14, CONTROL_ENABLE = 1 << 15 };
  enum Entry : unsigned { ADDRESS = 0, ADDRESS_HIGH = 4, DATA = 8, VECTOR_CONTROL = 12 };
  static constexpr uint32_t kMasked = 1;

  // vectors: 1 to kMost.
  Msix(unsigned vectors, MessageRouter router);

  unsigned vectors() const { return static_cast<unsigned>(entries_.size()); }
  // The capability's bytes after id and link: control, table and pending bits in window `bar`.
  std::vector<uint8_t> capability(unsigned bar) const;
  // The guest's value of message control.
  void control(uint16_t value);
  bool enabled() const { return control_ & CONTROL_ENABLE; }

  // Sends the vector's message, or remembers it while it is masked; nothing while MSI-X is off.
  void fire(unsigned vector);

  std::string_view name() const override { return "msi-x"; }
  uint64_t read(uint64_t offset, unsigned size) override;
  void write(uint64_t offset, unsigned size, uint64_t value) override;

 private:
  struct Vector {
    uint32_t word[4] = {0, 0, 0, kMasked};
    bool pending = false;
    std::unique_ptr<MessageRoute> route;  // for the address and data as they are
  };
  uint32_t word(uint64_t offset) const;
  void set_word(uint64_t offset, uint32_t value);
  void send_pending();

  MessageRouter router_;
  std::vector<Vector> entries_;
  uint16_t control_ = 0;
};

}  // namespace mv
