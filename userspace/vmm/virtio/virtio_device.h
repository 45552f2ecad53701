// SPDX-License-Identifier: MIT
// What a virtio device is to its transport, and the transport to it.
//
// Threads: everything happens with the devices' lock held.  notify() runs on the device's loop thread and may give the lock
// back while it waits for a file; meanwhile it holds a Busy, which keeps the driver's reset waiting.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "vmm/virtio/virtqueue.h"

namespace mv {

// What the transport does for the device.
class VirtioHost {
 public:
  virtual ~VirtioHost() = default;
  virtual Virtqueue& queue(unsigned index) = 0;
  // Sends the interrupt if the driver wants one for what was pushed, and says so to it if the queue broke.
  virtual void pushed(unsigned index) = 0;
  // Nothing sensible can be done with what the driver asked (section 2.1.1, DEVICE_NEEDS_RESET).
  virtual void needs_reset() = 0;
  // Whether requests may still be answered: false once the driver has asked for a reset.
  virtual bool live() const = 0;
  virtual void busy(int change) = 0;
  // From any thread: notify(index) soon, on the loop's thread.
  virtual void kick(unsigned index) = 0;
};

class VirtioDevice {
 public:
  virtual ~VirtioDevice() = default;
  virtual std::string_view name() const = 0;
  // VIRTIO 1.2, section 5: the device's type.
  virtual uint16_t type() const = 0;
  virtual uint32_t pci_class() const = 0;
  // Its own feature bits; those of queues and version are the transport's.
  virtual uint64_t features() const { return 0; }
  virtual unsigned queues() const = 0;
  virtual uint16_t queue_size() const { return 256; }
  // The device's own configuration space: what is beyond it reads as zero.
  virtual std::span<const uint8_t> config() const { return {}; }
  virtual void write_config(uint64_t, unsigned, uint64_t) {}
  // The driver has made a queue ready and notified it, or kick() was called.  `lock` is held.
  virtual void notify(unsigned queue, std::unique_lock<std::mutex>& lock) = 0;
  // The driver has reset the device.
  virtual void reset() {}

  void attach(VirtioHost& host) { host_ = &host; }

 protected:
  VirtioHost& host() { return *host_; }

 private:
  VirtioHost* host_ = nullptr;
};

// While it lives the lock is open and no reset of the device is carried out.
class VirtioBusy {
 public:
  VirtioBusy(VirtioHost& host, std::unique_lock<std::mutex>& lock) : host_(host), lock_(lock) {
    host_.busy(1);
    lock_.unlock();
  }
  ~VirtioBusy() {
    lock_.lock();
    host_.busy(-1);
  }

 private:
  VirtioHost& host_;
  std::unique_lock<std::mutex>& lock_;
};

}  // namespace mv
