// SPDX-License-Identifier: MIT
#include "plugin/client/vcpu.h"

#include <cstring>

#include "plugin/client/main_link.h"

using mv::wire::VcpuRequest;
using mv::wire::VcpuResponse;

namespace {

constexpr uint64_t kHypervResult = 8;

uint8_t* bytes_of(std::string& s) { return reinterpret_cast<uint8_t*>(s.data()); }

}  // namespace

void crosvm_vcpu::take_io(const VcpuResponse::Wait::Io& io, crosvm_vcpu_event& event) {
  data_ = io.data();
  event.kind = CROSVM_VCPU_EVENT_KIND_IO_ACCESS;
  event.io_access.address_space = io.space() == mv::wire::MMIO ? CROSVM_ADDRESS_SPACE_MMIO : CROSVM_ADDRESS_SPACE_IOPORT;
  event.io_access.address = io.address();
  event.io_access.data = bytes_of(data_);
  event.io_access.length = static_cast<uint32_t>(data_.size());
  event.io_access.is_write = io.is_write();
  event.io_access.no_resume = io.no_resume();
  if (!io.is_write()) std::memset(data_.data(), 0, data_.size());
  carried_[VcpuRequest::REGS].hint = io.regs();
  carried_[VcpuRequest::SREGS].hint = io.sregs();
  carried_[VcpuRequest::DEBUGREGS].hint = io.debugregs();
}

int crosvm_vcpu::take_event(const VcpuResponse::Wait& wait, crosvm_vcpu_event& event) {
  std::memset(&event, 0, sizeof(event));
  for (Carried& c : carried_) c.hint.clear();
  data_.clear();
  switch (wait.exit_case()) {
    case VcpuResponse::Wait::kInit:
      event.kind = CROSVM_VCPU_EVENT_KIND_INIT;
      return 0;
    case VcpuResponse::Wait::kIo:
      take_io(wait.io(), event);
      return 0;
    case VcpuResponse::Wait::kUser:
      event.kind = CROSVM_VCPU_EVENT_KIND_PAUSED;
      event.user = reinterpret_cast<void*>(static_cast<uintptr_t>(wait.user().user()));
      return 0;
    case VcpuResponse::Wait::kHypervCall:
      data_.assign(kHypervResult, '\0');
      event.kind = CROSVM_VCPU_EVENT_KIND_HYPERV_HCALL;
      event.hyperv_call.input = wait.hyperv_call().input();
      event.hyperv_call.result = bytes_of(data_);
      event.hyperv_call.params[0] = wait.hyperv_call().params0();
      event.hyperv_call.params[1] = wait.hyperv_call().params1();
      return 0;
    case VcpuResponse::Wait::kHypervSynic:
      event.kind = CROSVM_VCPU_EVENT_KIND_HYPERV_SYNIC;
      event.hyperv_synic.msr = wait.hyperv_synic().msr();
      event.hyperv_synic.control = wait.hyperv_synic().control();
      event.hyperv_synic.evt_page = wait.hyperv_synic().evt_page();
      event.hyperv_synic.msg_page = wait.hyperv_synic().msg_page();
      return 0;
    default:
      return -EPROTO;
  }
}

int crosvm_vcpu::wait(crosvm_vcpu_event& event) {
  if (stopped_) return -EPROTO;
  if (!asked_ || link_->of_2018()) {
    VcpuRequest request;
    request.mutable_wait();
    if (const int error = link_->send(request)) return error;
    asked_ = true;
  }
  VcpuResponse response;
  if (const int error = link_->receive(response)) return error;
  if (response.error()) {
    // the host refused what the last resume was to set: the vCPU is where it was
    stopped_ = true;
    return mv::plugin::returned_error(response.error());
  }
  if (!response.has_wait()) return -EPROTO;
  const int error = take_event(response.wait(), event);
  stopped_ = !error && !(event.kind == CROSVM_VCPU_EVENT_KIND_IO_ACCESS && event.io_access.no_resume);
  return error;
}

int crosvm_vcpu::resume() {
  if (!stopped_) return -EPROTO;
  if (const int error = link_->of_2018() ? flush_all() : 0) return error;
  VcpuRequest request;
  VcpuRequest::Resume& r = *request.mutable_resume();
  r.set_data(data_);
  r.set_regs(carried_[VcpuRequest::REGS].later);
  r.set_sregs(carried_[VcpuRequest::SREGS].later);
  r.set_debugregs(carried_[VcpuRequest::DEBUGREGS].later);
  if (const int error = link_->send(request)) return error;
  for (Carried& c : carried_) c = {};
  stopped_ = false;
  return 0;
}

int crosvm_vcpu::ask(const VcpuRequest& request, VcpuResponse::MessageCase answer, VcpuResponse& response) {
  // while the vCPU runs, the next message is an event and not a response
  if (!stopped_) return -EPROTO;
  if (const int error = link_->send(request)) return error;
  if (const int error = link_->receive(response)) return error;
  if (response.error()) return mv::plugin::returned_error(response.error());
  return response.message_case() == answer ? 0 : -EPROTO;
}

int crosvm_vcpu::flush(State set) {
  const std::string state = std::move(carried_[set].later);
  carried_[set].later.clear();
  return state.empty() ? 0 : set_state(set, state.data(), state.size());
}

int crosvm_vcpu::flush_all() {
  for (const State set : {VcpuRequest::REGS, VcpuRequest::SREGS, VcpuRequest::DEBUGREGS}) {
    if (const int error = flush(set)) return error;
  }
  return 0;
}

int crosvm_vcpu::get_state(State set, void* state, size_t size) {
  std::string found;
  if (static_cast<unsigned>(set) < kCarried) {
    if (const int error = flush(set)) return error;
    if (stopped_) found = carried_[set].hint;
  }
  if (found.empty()) {
    VcpuRequest request;
    VcpuResponse response;
    request.mutable_get_state()->set_set(set);
    if (const int error = ask(request, VcpuResponse::kGetState, response)) return error;
    found = std::move(*response.mutable_get_state()->mutable_state());
  }
  if (found.size() != size) return -EPROTO;
  std::memcpy(state, found.data(), size);
  return 0;
}

int crosvm_vcpu::set_state(State set, const void* state, size_t size) {
  VcpuRequest request;
  VcpuResponse response;
  request.mutable_set_state()->set_set(set);
  request.mutable_set_state()->set_state(state, size);
  return ask(request, VcpuResponse::kSetState, response);
}

int crosvm_vcpu::set_later(State set, const void* state, size_t size) {
  if (!stopped_) return -EPROTO;
  carried_[set].hint.clear();
  carried_[set].later.assign(static_cast<const char*>(state), size);
  return 0;
}
