// SPDX-License-Identifier: MIT
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>

#include "plugin/host/kick.h"
#include "plugin/host/kvm_machine.h"

namespace mv::plugin {

namespace {

struct StateCalls {
  unsigned long get, set;
};

StateCalls calls_of(VcpuState set) {
  switch (set) {
    case VcpuState::regs:
      return {KVM_GET_REGS, KVM_SET_REGS};
    case VcpuState::sregs:
      return {KVM_GET_SREGS, KVM_SET_SREGS};
    case VcpuState::fpu:
      return {KVM_GET_FPU, KVM_SET_FPU};
    case VcpuState::debugregs:
      return {KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS};
    case VcpuState::lapic:
      return {KVM_GET_LAPIC, KVM_SET_LAPIC};
    case VcpuState::mp:
      return {KVM_GET_MP_STATE, KVM_SET_MP_STATE};
    case VcpuState::xcrs:
      return {KVM_GET_XCRS, KVM_SET_XCRS};
    case VcpuState::events:
      return {KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS};
  }
  return {};
}

void set_immediate_exit(kvm_run* run, uint8_t value) { std::atomic_ref<uint8_t>(run->immediate_exit).store(value); }

}  // namespace

int KvmVcpu::create(int vm, size_t run_bytes) {
  catch_kicks();
  fd_ = Fd(::ioctl(vm, KVM_CREATE_VCPU, static_cast<unsigned long>(id_)));
  if (!fd_) return -errno;
  try {
    mapping_ = Mapping(run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0, "kvm_run");
  } catch (const std::system_error& e) {
    return -e.code().value();
  }
  run_ = mapping_.as<kvm_run>();
  return 0;
}

int KvmVcpu::call(unsigned long number, const void* argument) {
  if (const int error = machine_.make_vcpus()) return error;
  return ::ioctl(fd_.get(), number, argument) < 0 ? -errno : 0;
}

// The order matters: a run that has just looked at the flag finds `immediate_exit`, and one that is inside is interrupted.
void KvmVcpu::kick() {
  kicked_ = true;
  if (kvm_run* run = run_) set_immediate_exit(run, 1);
  if (const int thread = thread_) ::syscall(SYS_tgkill, ::getpid(), thread, kick_signal());
}

void KvmVcpu::complete(uint64_t data) {
  if (answer_) std::memcpy(answer_, &data, answer_size_);
  answer_ = nullptr;
}

VcpuExit KvmVcpu::next_of_batch() {
  std::byte* const here = batch_.data;
  VcpuExit exit{VcpuExit::accessed, {Space::ioport, batch_.address, batch_.write, batch_.size, 0}};
  if (batch_.write) std::memcpy(&exit.access.data, here, batch_.size);
  else {
    answer_ = here;
    answer_size_ = batch_.size;
  }
  batch_.data += batch_.size;
  --batch_.left;
  return exit;
}

VcpuExit KvmVcpu::mmio() {
  kvm_run* run = run_;
  auto* data = reinterpret_cast<std::byte*>(run->mmio.data);
  const unsigned size = std::min<unsigned>(run->mmio.len, sizeof(run->mmio.data));
  VcpuExit exit{VcpuExit::accessed, {Space::mmio, run->mmio.phys_addr, run->mmio.is_write != 0, size, 0}};
  if (run->mmio.is_write) std::memcpy(&exit.access.data, data, size);
  else {
    answer_ = data;
    answer_size_ = size;
  }
  return exit;
}

VcpuExit KvmVcpu::hyperv() {
  kvm_hyperv_exit& h = run_.load()->hyperv;
  if (h.type == KVM_EXIT_HYPERV_HCALL) {
    answer_ = reinterpret_cast<std::byte*>(&h.u.hcall.result);
    answer_size_ = sizeof(h.u.hcall.result);
    return {VcpuExit::hyperv_call, {}, {h.u.hcall.input, h.u.hcall.params[0], h.u.hcall.params[1], 0}};
  }
  if (h.type == KVM_EXIT_HYPERV_SYNIC) {
    return {VcpuExit::hyperv_synic, {}, {h.u.synic.msr, h.u.synic.control, h.u.synic.evt_page, h.u.synic.msg_page}};
  }
  return {};
}

// Also finishes the instruction whose access was answered: with `immediate_exit` set it does nothing else.
void KvmVcpu::enter() {
  thread_ = static_cast<int>(::syscall(SYS_gettid));
  int r;
  do {
    r = ::ioctl(fd_.get(), KVM_RUN, 0);
  } while (r < 0 && errno == EAGAIN);
  thread_ = 0;
  kvm_run* run = run_;
  if (r < 0) run->exit_reason = errno == EINTR ? KVM_EXIT_INTR : KVM_EXIT_INTERNAL_ERROR;
}

VcpuExit KvmVcpu::run() {
  if (machine_.make_vcpus()) return {VcpuExit::shut_down};
  kvm_run* run = run_;
  for (;;) {
    if (batch_.left) return next_of_batch();
    if (kicked_) set_immediate_exit(run, 1);
    enter();
    switch (run->exit_reason) {
      case KVM_EXIT_IO:
        batch_ = {reinterpret_cast<std::byte*>(run) + run->io.data_offset, run->io.count, run->io.size, run->io.direction == KVM_EXIT_IO_OUT, run->io.port};
        break;
      case KVM_EXIT_MMIO:
        return mmio();
      case KVM_EXIT_HYPERV: {
        const VcpuExit exit = hyperv();
        if (exit.kind != VcpuExit::again) return exit;
        break;
      }
      case KVM_EXIT_INTR:
        set_immediate_exit(run, 0);
        if (kicked_.exchange(false)) return {};
        break;
      case KVM_EXIT_HLT:  // not with the kernel's interrupt controllers
      case KVM_EXIT_SHUTDOWN:
      case KVM_EXIT_FAIL_ENTRY:
      case KVM_EXIT_INTERNAL_ERROR:
      case KVM_EXIT_SYSTEM_EVENT:
        return {VcpuExit::shut_down};
      default:
        break;
    }
  }
}

int KvmVcpu::get_state(VcpuState set, std::span<std::byte> state) { return call(calls_of(set).get, state.data()); }

int KvmVcpu::set_state(VcpuState set, std::span<const std::byte> state) { return call(calls_of(set).set, state.data()); }

bool KvmVcpu::get_msr(uint32_t index, uint64_t& value) {
  KvmList<kvm_msr_entry> list(std::vector<kvm_msr_entry>{{index, 0, 0}});
  if (machine_.make_vcpus() || list.call(fd_.get(), KVM_GET_MSRS) != 1) return false;
  value = list.entry(0).data;
  return true;
}

bool KvmVcpu::set_msr(uint32_t index, uint64_t value) {
  KvmList<kvm_msr_entry> list(std::vector<kvm_msr_entry>{{index, 0, value}});
  return !machine_.make_vcpus() && list.call(fd_.get(), KVM_SET_MSRS) == 1;
}

int KvmVcpu::set_cpuid(const std::vector<kvm_cpuid_entry2>& entries) {
  if (const int error = machine_.make_vcpus()) return error;
  return KvmList<kvm_cpuid_entry2>(entries).call(fd_.get(), KVM_SET_CPUID2) < 0 ? -errno : 0;
}

int KvmVcpu::hyperv_cpuid(std::vector<kvm_cpuid_entry2>& entries) {
  if (const int error = machine_.make_vcpus()) return error;
  return cpuid_of(fd_.get(), KVM_GET_SUPPORTED_HV_CPUID, entries);
}

int KvmVcpu::enable_capability(uint32_t capability) {
  if (capability != KVM_CAP_HYPERV_SYNIC && capability != KVM_CAP_HYPERV_SYNIC2) return -EINVAL;
  kvm_enable_cap cap = {};
  cap.cap = capability;
  return call(KVM_ENABLE_CAP, &cap);
}

}  // namespace mv::plugin
