// SPDX-License-Identifier: MIT
#include "plugin/host/vcpu_session.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "plugin/host/main_session.h"
#include "plugin/wire/delimited.h"

namespace mv::plugin {

namespace {

constexpr size_t kMuch = 64 << 10;  // bytes that wait to be written

// KVM_GET_REGS keeps them in another order than the hint names them.
bool fits(const HintDetail& d, const kvm_regs& regs) {
  const uint64_t now[4] = {regs.rax, regs.rbx, regs.rcx, regs.rdx};
  for (int i = 0; i < 4; ++i) {
    if (d.match[i] && d.value[i] != now[i]) return false;
  }
  return true;
}

}  // namespace

VcpuSession::Next VcpuSession::post(const Response& response, std::string& out) {
  out += wire::delimit(response);
  phase_ = Phase::stopped;
  return Next::read;
}

VcpuSession::Next VcpuSession::post_init() {
  phase_ = Phase::offered;
  return Next::read;
}

VcpuSession::Next VcpuSession::post_paused(uint64_t user, std::string& out) {
  Response response;
  response.mutable_wait()->mutable_user()->set_user(user);
  return post(response, out);
}

VcpuSession::Next VcpuSession::post_hyperv_call(const HypervWords& words, std::string& out) {
  Response response;
  auto& call = *response.mutable_wait()->mutable_hyperv_call();
  call.set_input(words[0]);
  call.set_params0(words[1]);
  call.set_params1(words[2]);
  access_out_ = true;
  read_size_ = sizeof(uint64_t);
  return post(response, out);
}

VcpuSession::Next VcpuSession::post_hyperv_synic(const HypervWords& words, std::string& out) {
  Response response;
  auto& synic = *response.mutable_wait()->mutable_hyperv_synic();
  synic.set_msr(static_cast<uint32_t>(words[0]));
  synic.set_control(words[1]);
  synic.set_evt_page(words[2]);
  synic.set_msg_page(words[3]);
  return post(response, out);
}

std::string VcpuSession::state_of(VcpuState set) const {
  std::string bytes(state_size(set), '\0');
  return vcpu_.get_state(set, std::as_writable_bytes(std::span(bytes))) ? std::string() : bytes;
}

void VcpuSession::add_registers(const GuestAccess& access, Response::Wait::Io& io) const {
  const auto& hint = shared_.hint;
  if (!hint || hint->space != access.space || hint->address != access.address || hint->on_write != access.write) return;
  io.set_regs(state_of(VcpuState::regs));
  kvm_regs regs;
  if (io.regs().size() != sizeof(regs)) return;
  std::memcpy(&regs, io.regs().data(), sizeof(regs));
  const auto detail = std::find_if(hint->details.begin(), hint->details.end(), [&](const HintDetail& d) { return fits(d, regs); });
  if (detail == hint->details.end()) return;
  if (detail->send_sregs) io.set_sregs(state_of(VcpuState::sregs));
  if (detail->send_debugregs) io.set_debugregs(state_of(VcpuState::debugregs));
}

VcpuSession::Next VcpuSession::post_access(const GuestAccess& access, std::string& out) {
  std::shared_lock lock(shared_.mutex);
  const auto range = shared_.ranges.find(access.space, access.address);
  if (!range || (range->async_write && !access.write)) {
    vcpu_.complete(0);
    return Next::run;
  }
  Response response;
  auto& io = *response.mutable_wait()->mutable_io();
  io.set_space(access.space == Space::mmio ? wire::MMIO : wire::IOPORT);
  io.set_address(access.address);
  io.set_is_write(access.write);
  io.set_no_resume(range->async_write);
  io.mutable_data()->assign(access.size, '\0');
  if (access.write) std::memcpy(io.mutable_data()->data(), &access.data, access.size);
  if (range->async_write) {
    out += wire::delimit(response);
    vcpu_.complete(0);
    return Next::run;
  }
  add_registers(access, io);
  lock.unlock();
  access_out_ = true;
  read_size_ = access.write ? 0 : access.size;
  return post(response, out);
}

VcpuSession::Next VcpuSession::take(std::string_view bytes, std::string& out) {
  in_.feed(bytes);
  Next next = Next::read;
  more_ = false;
  while (next == Next::read) {
    if ((more_ = out.size() > kMuch)) return next;
    const auto message = in_.next();
    if (!message) break;
    next = serve(*message, out);
  }
  if (in_.broken()) {
    in_ = {};
    Response response;
    response.set_error(EPROTO);
    out += wire::delimit(response);
  }
  return next;
}

VcpuSession::Next VcpuSession::serve(std::string_view message, std::string& out) {
  Request request;
  Response response;
  if (!request.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    response.set_error(EPROTO);
    out += wire::delimit(response);
    return Next::read;
  }
  if (request.has_shutdown()) return Next::finish;
  if (phase_ == Phase::offered) {
    if (request.has_wait()) {
      response.mutable_wait()->mutable_init();
      return post(response, out);
    }
    response.set_error(EPROTO);
  } else if (request.has_wait()) {
    response.set_error(EPROTO);
  } else if (request.has_resume()) {
    const int error = resume(request.resume());
    if (!error) return Next::run;
    response.set_error(-error);
  } else if (const int error = answer(request, response)) {
    response.set_error(-error);
  }
  out += wire::delimit(response);
  return Next::read;
}

int VcpuSession::resume(const Request::Resume& r) {
  const std::pair<Request::State, const std::string*> later[] = {
      {Request::REGS, &r.regs()}, {Request::SREGS, &r.sregs()}, {Request::DEBUGREGS, &r.debugregs()}};
  uint64_t data = 0;
  // shorter data than asked for is filled with zeros
  if (read_size_) std::memcpy(&data, r.data().data(), std::min<size_t>(r.data().size(), read_size_));
  for (const auto& [set, state] : later) {
    if (state->empty()) continue;
    if (const int error = put_state(set, *state)) return error;
  }
  if (access_out_) vcpu_.complete(data);
  access_out_ = false;
  read_size_ = 0;
  phase_ = Phase::running;
  return 0;
}

int VcpuSession::put_state(int set, const std::string& state) {
  if (!Request::State_IsValid(set)) return -EINVAL;
  const auto which = static_cast<VcpuState>(set);
  if (state.size() != state_size(which)) return -EINVAL;
  return vcpu_.set_state(which, std::as_bytes(std::span(state)));
}

int VcpuSession::answer(const Request& r, Response& out) {
  switch (r.message_case()) {
    case Request::kGetState: {
      auto& state = *out.mutable_get_state()->mutable_state();
      if (!Request::State_IsValid(r.get_state().set())) return -EINVAL;
      state = state_of(static_cast<VcpuState>(r.get_state().set()));
      return state.empty() ? -EINVAL : 0;
    }
    case Request::kSetState:
      out.mutable_set_state();
      return put_state(r.set_state().set(), r.set_state().state());
    case Request::kGetMsrs:
      out.mutable_get_msrs();
      for (const uint32_t index : r.get_msrs().entry_indices()) {
        uint64_t value;
        if (!vcpu_.get_msr(index, value)) break;
        out.mutable_get_msrs()->add_entry_data(value);
      }
      return 0;
    case Request::kSetMsrs:
      out.mutable_set_msrs();
      for (const auto& e : r.set_msrs().entries()) {
        if (!vcpu_.set_msr(e.index(), e.data())) break;
      }
      return 0;
    case Request::kSetCpuid: {
      out.mutable_set_cpuid();
      std::vector<kvm_cpuid_entry2> entries;
      for (const auto& e : r.set_cpuid().entries()) {
        entries.push_back({e.function(), e.has_index() ? e.index() : 0, e.has_index() ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0u, e.eax(), e.ebx(),
                           e.ecx(), e.edx(), {}});
      }
      return vcpu_.set_cpuid(entries);
    }
    case Request::kGetHypervCpuid: {
      std::vector<kvm_cpuid_entry2> entries;
      const int error = vcpu_.hyperv_cpuid(entries);
      put_cpuid(entries, *out.mutable_get_hyperv_cpuid());
      return error;
    }
    case Request::kEnableCapability:
      out.mutable_enable_capability();
      return vcpu_.enable_capability(r.enable_capability().capability());
    default:
      return -ENOTTY;
  }
}

}  // namespace mv::plugin
