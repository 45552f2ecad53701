// SPDX-License-Identifier: MIT
// The PC's PCI bus: host bridge at device 0, then disks in their order, the virtio console, the source of entropy.
#pragma once

#include "vmm/machine/virtio_plan.h"
#include "vmm/pci/host_bridge.h"
#include "vmm/pci/pci_bus.h"
#include "vmm/virtio/virtio_pci.h"

namespace mv {

class PciDevices {
 public:
  // bridge: device 0; null: one that does nothing but be there.
  PciDevices(const VirtioDevicesWorld& world, const VirtioPlan& plan, PciFunction* bridge = nullptr);

  // Before destruction, without the devices' lock.
  void stop() { devices_.stop(); }
  VirtioConsole* console() { return devices_.console(); }
  PciBus& bus() { return bus_; }

 private:
  VirtioDevicesWorld world_;
  VirtioDevices devices_;
  HostBridge bridge_;
  std::list<VirtioPci> functions_;
  PciBus bus_;
};

}  // namespace mv
