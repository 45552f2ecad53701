// SPDX-License-Identifier: MIT
// A VM whose guest waits for interrupts in flat 32-bit mode and reports each vector at port 0x80.
#pragma once

#include "glue/acrn_vm.h"

namespace mv::glue {

class AcrnIrqVm : public AcrnVm {
 public:
  static constexpr uint16_t kGdt = 0x800, kIdt = 0x2000, kHandlers = 0x4000, kReportPort = 0x80, kReadyPort = 0x7f;

  explicit AcrnIrqVm(const std::string& name = "irq", uint64_t affinity = 1, uint64_t flags = 0) : AcrnVm(name, affinity, flags) { tables(); }

  // The local APIC is switched on, then `setup` runs, then the guest says so (see ready()) and waits.
  void boot_waiting(const Flat32& setup = {});
  // Waits until the guest has come to its wait.
  bool ready();
  // What the guest runs is all of `code`.
  void boot_flat(const Flat32& code);
  // The vector that the guest reports next, its report answered; -1 if none comes.
  int reported(unsigned vcpu = 0);
  // Nothing is reported for a while.
  bool quiet(unsigned vcpu = 0);

 private:
  void tables();
  bool resumed(unsigned vcpu) const;
};

}  // namespace mv::glue
