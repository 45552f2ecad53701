// SPDX-License-Identifier: MIT
// The PC's PCI bus: host bridge at device 0, then disks in their order, the virtio console, the source of entropy.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "vmm/backend/backend.h"
#include "vmm/loop/device_loop.h"
#include "vmm/pci/host_bridge.h"
#include "vmm/pci/pci_bus.h"
#include "vmm/virtio/virtio_blk.h"
#include "vmm/virtio/virtio_console.h"
#include "vmm/virtio/virtio_pci.h"

namespace mv {

// What is plugged in.  Files stay open when the machine is reset.
struct PciPlan {
  static constexpr size_t kMostDisks = 16;
  std::vector<std::shared_ptr<DiskFile>> disks;
  VirtioConsole::Output console;  // none: no virtio console
  bool rng = false;
};

// What these devices are given of the world.  devices: the lock that serve() holds.
struct PciDevicesWorld {
  Backend& backend;
  Bus& bus;
  std::mutex& devices;
  DeviceLoop& loop;
};

class PciDevices {
 public:
  PciDevices(const PciDevicesWorld& world, const PciPlan& plan);

  // Files are no longer used, doorbells no longer answered.  Before destruction, without the devices' lock.
  void stop();
  VirtioConsole* console() { return console_; }

 private:
  void add(std::unique_ptr<VirtioDevice> device, DeviceLoop& loop);

  PciDevicesWorld world_;
  std::list<DeviceLoop> file_loops_;  // one for each disk: waiting for a file holds up nobody else
  HostBridge bridge_;
  std::list<VirtioPci> functions_;
  VirtioConsole* console_ = nullptr;
  PciBus bus_;
};

}  // namespace mv
