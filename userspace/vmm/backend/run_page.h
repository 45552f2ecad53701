// SPDX-License-Identifier: MIT
// Gunyah's vCPU run page as an Access, and a Reply back into it.  Shared by the gunyah backend and by inproc.
#pragma once

#include <linux/gunyah.h>

#include <cstring>
#include <string>

#include "vmm/backend/backend.h"

namespace mv {

inline Access run_page_access(const gunyah_vcpu_run& run, unsigned vcpu) {
  Access a{.space = Space::mmio, .size = run.mmio.len, .address = run.mmio.phys_addr, .vcpu = vcpu};
  a.direction = run.mmio.is_write ? Direction::write : Direction::read;
  if (run.mmio.is_write && run.mmio.len <= 8) std::memcpy(&a.data, run.mmio.data, run.mmio.len);
  return a;
}

inline void run_page_reply(gunyah_vcpu_run& run, const Reply& reply) {
  std::memcpy(run.mmio.data, &reply.data, sizeof(run.mmio.data));
  run.mmio.resume_action = reply.fault ? GUNYAH_VCPU_RESUME_FAULT : GUNYAH_VCPU_RESUME_HANDLED;
}

// exit_info.type: 0 exit, 1 PSCI off, 2 and 3 PSCI reset, 4 watchdog, 5 and 6 errors, 7 stopped from outside
inline Ending run_page_ending(const gunyah_vcpu_run& run) {
  if (run.status.status != GUNYAH_VM_STATUS_EXITED) {
    return {EndKind::crashed, "the VM's status is " + std::to_string(run.status.status)};
  }
  switch (run.status.exit_info.type) {
    case 0:
    case 1:
      return {EndKind::powered_off, {}};
    case 2:
    case 3:
      return {EndKind::reset, {}};
    case 7:
      return {EndKind::stopped, {}};
    default:
      return {EndKind::crashed, "exit type " + std::to_string(run.status.exit_info.type)};
  }
}

inline Ending run_page_fault(const gunyah_vcpu_run& run) {
  return {EndKind::crashed, "page fault at guest address " + std::to_string(run.page_fault.phys_addr) + ", errno " +
                                std::to_string(-run.page_fault.attempt)};
}

}  // namespace mv
