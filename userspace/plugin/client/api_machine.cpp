// SPDX-License-Identifier: MIT
// Interrupt lines and routes, the hypercall hint, state of the machine.
#include <cstring>

#include "plugin/client/handles.h"
#include "plugin/client/spaces.h"

using mv::plugin::guarded;
using mv::wire::MainRequest;
using mv::wire::MainResponse;

namespace {

using Hint = MainRequest::SetCallHint;

int get_state(crosvm* self, MainRequest::State set, void* state, size_t size) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    request.mutable_get_state()->set_set(set);
    if (const int error = self->link.ask(request, MainRequest::kGetState, response)) return error;
    if (response.get_state().state().size() != size) return -EPROTO;
    std::memcpy(state, response.get_state().state().data(), size);
    return 0;
  });
}

int set_state(crosvm* self, MainRequest::State set, const void* state, size_t size) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    request.mutable_set_state()->set_set(set);
    request.mutable_set_state()->set_state(state, size);
    return self->link.ask(request, MainRequest::kSetState, response);
  });
}

bool put_route(const crosvm_irq_route& from, MainRequest::SetIrqRouting::Route& to) {
  to.set_irq_id(from.irq_id);
  if (from.kind == CROSVM_IRQ_ROUTE_IRQCHIP) {
    to.mutable_irqchip()->set_irqchip(from.irqchip.irqchip);
    to.mutable_irqchip()->set_pin(from.irqchip.pin);
  } else if (from.kind == CROSVM_IRQ_ROUTE_MSI) {
    to.mutable_msi()->set_address(from.msi.address);
    to.mutable_msi()->set_data(from.msi.data);
  } else {
    return false;
  }
  return true;
}

void put_detail(const crosvm_hint_detail& from, Hint::RegHint& to) {
  to.set_match_rax(from.match_rax);
  to.set_match_rbx(from.match_rbx);
  to.set_match_rcx(from.match_rcx);
  to.set_match_rdx(from.match_rdx);
  to.set_rax(from.rax);
  to.set_rbx(from.rbx);
  to.set_rcx(from.rcx);
  to.set_rdx(from.rdx);
  to.set_send_sregs(from.send_sregs);
  to.set_send_debugregs(from.send_debugregs);
}

bool put_hint(const crosvm_hint& from, Hint& to) {
  if (from.hint_version || from._reserved || !from.address || from.details_count > CROSVM_MAX_HINT_DETAIL_COUNT) return false;
  if (from.address_flags & ~CROSVM_HINT_ON_WRITE || !mv::plugin::put_space(to, from.address_space)) return false;
  if (from.details_count && !from.details) return false;
  to.set_address(from.address);
  to.set_on_write(from.address_flags & CROSVM_HINT_ON_WRITE);
  for (unsigned i = 0; i < from.details_count; ++i) put_detail(from.details[i], *to.add_hints());
  return true;
}

}  // namespace

int crosvm_set_irq(crosvm* self, uint32_t irq_id, bool active) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    request.mutable_set_irq()->set_irq_id(irq_id);
    request.mutable_set_irq()->set_active(active);
    return self->link.ask(request, MainRequest::kSetIrq, response);
  });
}

int crosvm_set_irq_routing(crosvm* self, uint32_t route_count, const crosvm_irq_route* routes) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    auto& table = *request.mutable_set_irq_routing();
    for (uint32_t i = 0; i < route_count; ++i) {
      if (!put_route(routes[i], *table.add_routes())) return -EINVAL;
    }
    return self->link.ask(request, MainRequest::kSetIrqRouting, response);
  });
}

int crosvm_set_hypercall_hint(crosvm* self, uint32_t hints_count, const crosvm_hint* hints) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    Hint& hint = *request.mutable_set_call_hint();
    if (hints_count > CROSVM_MAX_HINT_COUNT || (hints_count && !put_hint(*hints, hint))) return -EINVAL;
    return self->link.ask(request, MainRequest::kSetCallHint, response);
  });
}

int crosvm_set_identity_map_addr(crosvm* self, uint32_t address) {
  return guarded([&] {
    MainRequest request;
    MainResponse response;
    request.mutable_set_identity_map_address()->set_address(address);
    return self->link.ask(request, MainRequest::kSetIdentityMapAddress, response);
  });
}

int crosvm_get_pic_state(crosvm* self, bool primary, kvm_pic_state* state) {
  return get_state(self, primary ? MainRequest::PIC0 : MainRequest::PIC1, state, sizeof(*state));
}
int crosvm_set_pic_state(crosvm* self, bool primary, const kvm_pic_state* state) {
  return set_state(self, primary ? MainRequest::PIC0 : MainRequest::PIC1, state, sizeof(*state));
}
int crosvm_get_ioapic_state(crosvm* self, kvm_ioapic_state* state) { return get_state(self, MainRequest::IOAPIC, state, sizeof(*state)); }
int crosvm_set_ioapic_state(crosvm* self, const kvm_ioapic_state* state) { return set_state(self, MainRequest::IOAPIC, state, sizeof(*state)); }
int crosvm_get_pit_state(crosvm* self, kvm_pit_state2* state) { return get_state(self, MainRequest::PIT, state, sizeof(*state)); }
int crosvm_set_pit_state(crosvm* self, const kvm_pit_state2* state) { return set_state(self, MainRequest::PIT, state, sizeof(*state)); }
int crosvm_get_clock(crosvm* self, kvm_clock_data* clock) { return get_state(self, MainRequest::CLOCK, clock, sizeof(*clock)); }
int crosvm_set_clock(crosvm* self, const kvm_clock_data* clock) { return set_state(self, MainRequest::CLOCK, clock, sizeof(*clock)); }
