// SPDX-License-Identifier: MIT
#include "plugin/host/machine.h"

namespace mv::plugin {

size_t state_size(MachineState set) {
  switch (set) {
    case MachineState::pic0:
    case MachineState::pic1:
      return sizeof(kvm_pic_state);
    case MachineState::ioapic:
      return sizeof(kvm_ioapic_state);
    case MachineState::pit:
      return sizeof(kvm_pit_state2);
    case MachineState::clock:
      return sizeof(kvm_clock_data);
  }
  return 0;
}

size_t state_size(VcpuState set) {
  switch (set) {
    case VcpuState::regs:
      return sizeof(kvm_regs);
    case VcpuState::sregs:
      return sizeof(kvm_sregs);
    case VcpuState::fpu:
      return sizeof(kvm_fpu);
    case VcpuState::debugregs:
      return sizeof(kvm_debugregs);
    case VcpuState::lapic:
      return sizeof(kvm_lapic_state);
    case VcpuState::mp:
      return sizeof(kvm_mp_state);
    case VcpuState::xcrs:
      return sizeof(kvm_xcrs);
    case VcpuState::events:
      return sizeof(kvm_vcpu_events);
  }
  return 0;
}

}  // namespace mv::plugin
