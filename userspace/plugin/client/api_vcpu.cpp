// SPDX-License-Identifier: MIT
// The vCPU functions of crosvm.h.
#include "plugin/client/handles.h"
#include "plugin/client/spaces.h"

using mv::plugin::guarded;
using mv::wire::VcpuRequest;
using mv::wire::VcpuResponse;

namespace {

template <typename State>
int get(crosvm_vcpu* self, VcpuRequest::State set, State* state) {
  return guarded([&] { return self->get_state(set, state, sizeof(*state)); });
}

template <typename State>
int put(crosvm_vcpu* self, VcpuRequest::State set, const State* state) {
  return guarded([&] { return self->set_state(set, state, sizeof(*state)); });
}

template <typename State>
int put_later(crosvm_vcpu* self, VcpuRequest::State set, const State* state) {
  return guarded([&] { return self->set_later(set, state, sizeof(*state)); });
}

}  // namespace

int crosvm_vcpu_wait(crosvm_vcpu* self, crosvm_vcpu_event* event) {
  return guarded([&] { return self->wait(*event); });
}
int crosvm_vcpu_resume(crosvm_vcpu* self) {
  return guarded([&] { return self->resume(); });
}

int crosvm_vcpu_get_regs(crosvm_vcpu* self, kvm_regs* regs) { return get(self, VcpuRequest::REGS, regs); }
int crosvm_vcpu_set_regs(crosvm_vcpu* self, const kvm_regs* regs) { return put_later(self, VcpuRequest::REGS, regs); }
int crosvm_vcpu_get_sregs(crosvm_vcpu* self, kvm_sregs* sregs) { return get(self, VcpuRequest::SREGS, sregs); }
int crosvm_vcpu_set_sregs(crosvm_vcpu* self, const kvm_sregs* sregs) { return put_later(self, VcpuRequest::SREGS, sregs); }
int crosvm_vcpu_get_debugregs(crosvm_vcpu* self, kvm_debugregs* regs) { return get(self, VcpuRequest::DEBUGREGS, regs); }
int crosvm_vcpu_set_debugregs(crosvm_vcpu* self, const kvm_debugregs* regs) { return put_later(self, VcpuRequest::DEBUGREGS, regs); }

int crosvm_vcpu_get_fpu(crosvm_vcpu* self, kvm_fpu* fpu) { return get(self, VcpuRequest::FPU, fpu); }
int crosvm_vcpu_set_fpu(crosvm_vcpu* self, const kvm_fpu* fpu) { return put(self, VcpuRequest::FPU, fpu); }
int crosvm_vcpu_get_xcrs(crosvm_vcpu* self, kvm_xcrs* xcrs) { return get(self, VcpuRequest::XCREGS, xcrs); }
int crosvm_vcpu_set_xcrs(crosvm_vcpu* self, const kvm_xcrs* xcrs) { return put(self, VcpuRequest::XCREGS, xcrs); }
int crosvm_vcpu_get_lapic_state(crosvm_vcpu* self, kvm_lapic_state* state) { return get(self, VcpuRequest::LAPIC, state); }
int crosvm_vcpu_set_lapic_state(crosvm_vcpu* self, const kvm_lapic_state* state) { return put(self, VcpuRequest::LAPIC, state); }
int crosvm_vcpu_get_mp_state(crosvm_vcpu* self, kvm_mp_state* state) { return get(self, VcpuRequest::MP, state); }
int crosvm_vcpu_set_mp_state(crosvm_vcpu* self, const kvm_mp_state* state) { return put(self, VcpuRequest::MP, state); }
int crosvm_vcpu_get_vcpu_events(crosvm_vcpu* self, kvm_vcpu_events* events) { return get(self, VcpuRequest::EVENTS, events); }
int crosvm_vcpu_set_vcpu_events(crosvm_vcpu* self, const kvm_vcpu_events* events) { return put(self, VcpuRequest::EVENTS, events); }

int crosvm_vcpu_get_msrs(crosvm_vcpu* self, uint32_t msr_count, kvm_msr_entry* entries, uint32_t* out_count) {
  return guarded([&] {
    *out_count = 0;
    VcpuRequest request;
    VcpuResponse response;
    request.mutable_get_msrs();
    for (uint32_t i = 0; i < msr_count; ++i) request.mutable_get_msrs()->add_entry_indices(entries[i].index);
    if (const int error = self->ask(request, VcpuResponse::kGetMsrs, response)) return error;
    const auto& data = response.get_msrs().entry_data();
    *out_count = static_cast<uint32_t>(data.size());
    if (*out_count > msr_count) return -E2BIG;
    for (uint32_t i = 0; i < *out_count; ++i) entries[i].data = data[static_cast<int>(i)];
    return 0;
  });
}

int crosvm_vcpu_set_msrs(crosvm_vcpu* self, uint32_t msr_count, const kvm_msr_entry* entries) {
  return guarded([&] {
    VcpuRequest request;
    VcpuResponse response;
    request.mutable_set_msrs();
    for (uint32_t i = 0; i < msr_count; ++i) {
      auto& e = *request.mutable_set_msrs()->add_entries();
      e.set_index(entries[i].index);
      e.set_data(entries[i].data);
    }
    return self->ask(request, VcpuResponse::kSetMsrs, response);
  });
}

int crosvm_vcpu_set_cpuid(crosvm_vcpu* self, uint32_t cpuid_count, const kvm_cpuid_entry2* entries) {
  return guarded([&] {
    VcpuRequest request;
    VcpuResponse response;
    request.mutable_set_cpuid();
    for (uint32_t i = 0; i < cpuid_count; ++i) {
      auto& e = *request.mutable_set_cpuid()->add_entries();
      e.set_function(entries[i].function);
      e.set_has_index(entries[i].flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
      e.set_index(entries[i].index);
      e.set_eax(entries[i].eax);
      e.set_ebx(entries[i].ebx);
      e.set_ecx(entries[i].ecx);
      e.set_edx(entries[i].edx);
    }
    return self->ask(request, VcpuResponse::kSetCpuid, response);
  });
}

int crosvm_vcpu_get_hyperv_cpuid(crosvm_vcpu* self, uint32_t entry_count, kvm_cpuid_entry2* entries, uint32_t* out_count) {
  return guarded([&] {
    *out_count = 0;
    VcpuRequest request;
    VcpuResponse response;
    request.mutable_get_hyperv_cpuid();
    if (const int error = self->ask(request, VcpuResponse::kGetHypervCpuid, response)) return error;
    return mv::plugin::copy_cpuid(response.get_hyperv_cpuid(), entry_count, entries, out_count);
  });
}

int crosvm_vcpu_enable_capability(crosvm_vcpu* self, uint32_t capability, uint32_t flags, uint64_t args[4]) {
  return guarded([&] {
    if (flags || (args && (args[0] | args[1] | args[2] | args[3]))) return -EINVAL;
    VcpuRequest request;
    VcpuResponse response;
    request.mutable_enable_capability()->set_capability(capability);
    return self->ask(request, VcpuResponse::kEnableCapability, response);
  });
}
