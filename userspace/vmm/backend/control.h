// SPDX-License-Identifier: MIT
// /dev/mockvisor: walk stamps and counters of a VM in the module.  Absent on a real hypervisor: then there are none.
#pragma once

#include <mockvisor.h>

#include <optional>

#include "vmm/backend/backend.h"
#include "vmm/backend/fd.h"

namespace mv {

class Control {
 public:
  Control();
  void walk_switch(int vm_fd, bool on) const;
  std::optional<WalkStamps> walk(int vm_fd, unsigned vcpu) const;
  std::optional<mockvisor_counters> counters(int vm_fd, unsigned vcpu) const;

 private:
  Fd fd_;
};

// Opens a hypervisor's device node; throws std::system_error with what to do about it.
Fd open_node(const char* path);

}  // namespace mv
