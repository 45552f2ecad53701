// SPDX-License-Identifier: MIT
#include "vmm/machine/pci_devices.h"

namespace mv {

constexpr unsigned kNotification = 2;  // bytes that a driver writes

PciDevices::PciDevices(const VirtioDevicesWorld& world, const VirtioPlan& plan, PciFunction* bridge)
    : world_(world),
      devices_(world, kNotification),
      bus_(world.bus, [this](uint32_t gsi, bool high) { world_.backend.irq_line(gsi, high); }) {
  bus_.plug(0, bridge ? *bridge : bridge_);
  devices_.build(plan, [this](VirtioWorld w, std::unique_ptr<VirtioDevice> device) {
    functions_.emplace_back(std::move(w), std::move(device));
    bus_.plug(static_cast<unsigned>(functions_.size()), functions_.back());
  });
}

}  // namespace mv
