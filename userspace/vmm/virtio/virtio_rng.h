// SPDX-License-Identifier: MIT
// virtio entropy device.  VIRTIO 1.2, section 5.4: the driver's buffers are filled with random bytes.
#pragma once

#include <algorithm>
#include <functional>

#include "vmm/virtio/virtio_device.h"

namespace mv {

class VirtioRng : public VirtioDevice {
 public:
  using Source = std::function<bool(std::span<std::byte>)>;
  // source: fills the whole span, or returns false.
  explicit VirtioRng(Source source) : source_(std::move(source)) {}

  std::string_view name() const override { return "virtio-rng"; }
  uint16_t type() const override { return 4; }
  uint32_t pci_class() const override { return 0xff0000; }
  unsigned queues() const override { return 1; }
  uint16_t queue_size() const override { return 64; }

  void notify(unsigned queue, std::unique_lock<std::mutex>&) override {
    Virtqueue& ring = host().queue(queue);
    // one round at most: a driver that always has another buffer does not keep the loop
    for (unsigned n = 0; n < ring.size(); ++n) {
      auto chain = ring.pop();
      if (!chain) return host().pushed(queue);
      ring.push(chain->head, fill(*chain));
      host().pushed(queue);
    }
    host().kick(queue);
  }

 private:
  // At most 64 KiB a request: the device may give less than was asked (section 5.4.6.1), not nothing.
  uint32_t fill(VirtqChain& chain) {
    uint32_t written = 0;
    for (VirtqChain::Buffer b : chain.writable) {
      if (written >= 65536) break;
      b = b.first(std::min<size_t>(b.size(), 65536 - written));
      if (!source_(b)) break;
      written += static_cast<uint32_t>(b.size());
    }
    return written;
  }

  Source source_;
};

}  // namespace mv
