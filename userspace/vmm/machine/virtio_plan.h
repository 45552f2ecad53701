// SPDX-License-Identifier: MIT
// Which virtio devices a machine has, and what they are given of the world, whatever bus they are on.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "vmm/backend/backend.h"
#include "vmm/bus/bus.h"
#include "vmm/loop/device_loop.h"
#include "vmm/virtio/virtio_blk.h"
#include "vmm/virtio/virtio_console.h"
#include "vmm/virtio/virtio_transport.h"

namespace mv {

// What is plugged in.  Files stay open when the machine is reset.
struct VirtioPlan {
  static constexpr size_t kMostDisks = 16;
  std::vector<std::shared_ptr<DiskFile>> disks;
  VirtioConsole::Output console;  // none: no virtio console
  bool rng = false;
};

// What these devices are given of the world.  devices: the lock that serve() holds.
struct VirtioDevicesWorld {
  Backend& backend;
  Bus& bus;
  std::mutex& devices;
  DeviceLoop& loop;
};

// The devices of a plan, each put into its slot by the bus; disks first, then the console, the source of entropy.
class VirtioDevices {
 public:
  using Plug = std::function<void(VirtioWorld world, std::unique_ptr<VirtioDevice> device)>;
  // notification: bytes that a driver writes to notify a queue.
  VirtioDevices(const VirtioDevicesWorld& world, unsigned notification) : world_(world), notification_(notification) {}
  // Once.  This outlives what is plugged.
  void build(const VirtioPlan& plan, const Plug& plug);

  // Files are no longer used, doorbells no longer answered.  Before destruction, without the devices' lock.
  void stop();
  VirtioConsole* console() { return console_; }

 private:
  VirtioWorld world_of(DeviceLoop& loop);

  VirtioDevicesWorld world_;
  unsigned notification_;
  std::list<DeviceLoop> file_loops_;  // one for each disk: waiting for a file holds up nobody else
  VirtioConsole* console_ = nullptr;
};

}  // namespace mv
