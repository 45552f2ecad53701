// SPDX-License-Identifier: MIT
// Device 0 of the bus: a host bridge that does nothing but be there.  Its numbers are those of Intel's 440FX, which every
// operating system knows and leaves alone.
#pragma once

#include "vmm/pci/function.h"

namespace mv {

class HostBridge : public PciFunction {
 public:
  HostBridge() : PciFunction({.vendor = 0x8086, .device = 0x1237, .revision = 2, .class_code = 0x060000}) {}
};

}  // namespace mv
