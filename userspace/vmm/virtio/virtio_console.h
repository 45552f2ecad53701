// SPDX-License-Identifier: MIT
// virtio console with one port.  VIRTIO 1.2, section 5.3.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>

#include "vmm/virtio/virtio_device.h"

namespace mv {

class VirtioConsole : public VirtioDevice {
 public:
  static constexpr unsigned kReceive = 0, kTransmit = 1;
  using Output = std::function<void(std::span<const std::byte>)>;

  explicit VirtioConsole(Output output) : output_(std::move(output)) {}

  std::string_view name() const override { return "virtio-console"; }
  uint16_t type() const override { return 3; }
  uint32_t pci_class() const override { return 0x078000; }
  unsigned queues() const override { return 2; }
  uint16_t queue_size() const override { return 64; }
  void notify(unsigned queue, std::unique_lock<std::mutex>&) override { queue == kTransmit ? transmit() : receive(); }

  // Bytes for the guest; with the devices' lock held.  They wait until the driver has a buffer for them.
  void type(std::span<const uint8_t> bytes) {
    input_.insert(input_.end(), bytes.begin(), bytes.end());
    host().kick(kReceive);
  }

 private:
  void transmit() {
    Virtqueue& ring = host().queue(kTransmit);
    for (unsigned n = 0; n < ring.size(); ++n) {
      auto chain = ring.pop();
      if (!chain) return host().pushed(kTransmit);
      for (const VirtqChain::Buffer& b : chain->readable) output_(b);
      ring.push(chain->head, 0);
      host().pushed(kTransmit);
    }
    host().kick(kTransmit);
  }

  void receive() {
    Virtqueue& ring = host().queue(kReceive);
    for (unsigned n = 0; n < ring.size() && !input_.empty(); ++n) {
      auto chain = ring.pop();
      if (!chain) break;
      uint32_t written = 0;
      for (const VirtqChain::Buffer& b : chain->writable) {
        const size_t bytes = std::min(b.size(), input_.size());
        for (size_t i = 0; i < bytes; ++i) b[i] = static_cast<std::byte>(input_[i]);
        input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(bytes));
        written += static_cast<uint32_t>(bytes);
      }
      ring.push(chain->head, written);
    }
    host().pushed(kReceive);
  }

  Output output_;
  std::deque<uint8_t> input_;
};

}  // namespace mv
