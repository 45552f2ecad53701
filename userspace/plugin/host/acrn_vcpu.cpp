// SPDX-License-Identifier: MIT
#include "plugin/host/acrn_machine.h"

extern "C" {
#include "core/cpu/x86/image.h"
}

namespace mv::plugin {

namespace {

// In the guest's name, when it faults three times: there is no exit for it.
constexpr uint64_t kPm1Control = 0x404;
constexpr uint64_t kPm1Off = 0x3400;

}  // namespace

AcrnVcpu::AcrnVcpu(AcrnMachine& machine, InprocVcpu& shadow, unsigned id) : machine_(machine), shadow_(shadow), id_(id) {}

bool AcrnVcpu::fetch() {
  image_.vm_fd = machine_.vm();
  image_.vcpu = id_;
  if (machine_.control(MOCKVISOR_X86_STATE_GET, &image_)) return false;
  // the shadow's own instruction pointer must not hold back its exit
  x86_image_set(&shadow_.cpu(), &shadow_.apic(), scratch_.get(), &image_);
  if (!image_.waits) {
    shadow_.mp() = KVM_MP_STATE_RUNNABLE;
  } else if (shadow_.mp() == KVM_MP_STATE_RUNNABLE) {
    shadow_.mp() = KVM_MP_STATE_UNINITIALIZED;
  }
  return true;
}

void AcrnVcpu::put() {
  image_.vm_fd = machine_.vm();
  image_.vcpu = id_;
  x86_image_get(&shadow_.cpu(), &shadow_.apic(), scratch_.get(), &image_);
  const uint32_t mp = shadow_.mp();
  image_.waits = mp != KVM_MP_STATE_RUNNABLE && mp != KVM_MP_STATE_HALTED;
  if (mp == KVM_MP_STATE_HALTED) image_.idle = 1;
  machine_.control(MOCKVISOR_X86_STATE_SET, &image_);
}

// False: an access is out; the vCPU is held all the same, inside the instruction.
bool AcrnVcpu::hold(bool on) {
  mockvisor_vcpu_hold h = {machine_.vm(), id_, on, 0};
  const int r = machine_.control(MOCKVISOR_VCPU_HOLD, &h);
  held_ = on && (!r || r == -EBUSY || r == -ENOMEM);
  return !r;
}

void AcrnVcpu::hand_over(const GuestAccess& access) {
  std::lock_guard lock(mutex_);
  access_ = access;
  told_ = false;
  changed_.notify_all();
}

void AcrnVcpu::abandon() {
  std::lock_guard lock(mutex_);
  gone_ = true;
  changed_.notify_all();
}

bool AcrnVcpu::has_access() {
  std::lock_guard lock(mutex_);
  return access_.has_value();
}

void AcrnVcpu::kick() {
  std::lock_guard lock(mutex_);
  kicked_ = true;
  changed_.notify_all();
}

// The slot shows the access until NOTIFY returns: were it forgotten before, the dispatcher would hand it over once more.
void AcrnVcpu::answer(uint64_t data) {
  machine_.answer(id_, access_->write, data);
  access_.reset();
}

// Of a write the plugin is told with the vCPU held behind the WRMSR.
VcpuExit AcrnVcpu::hyperv() {
  if (!fetch()) return {VcpuExit::shut_down, {}};
  const InprocVcpu::Hyperv h = shadow_.serve_hyperv(access_->address, access_->write, access_->data);
  if (!h.answered) return h.exit;
  const bool tells = h.exit.kind != VcpuExit::again;
  if (tells || kicked_) hold(true);
  answer(h.value);
  while (tells && !hold(true) && held_) std::this_thread::yield();
  return h.exit;
}

// A kick holds the vCPU, until this is called again; but first comes the access that may be out, and of the instruction that made it the
// rest: not more.
VcpuExit AcrnVcpu::run() {
  machine_.start();
  std::unique_lock lock(mutex_);
  if (held_ && !kicked_) hold(false);
  for (;;) {
    changed_.wait(lock, [&] { return (access_ && !told_) || kicked_ || gone_; });
    if (access_ && !told_) {
      told_ = true;
      if (InprocVcpu::is_hyperv(access_->space, access_->address)) return hyperv();
      if (access_->space == Space::ioport && access_->address == kPm1Control && access_->write && access_->data == kPm1Off && fetch() && image_.shutdown) {
        return {VcpuExit::shut_down, {}};
      }
      return {VcpuExit::accessed, *access_};
    }
    if (gone_) return {VcpuExit::shut_down, {}};
    lock.unlock();
    const bool done = hold(true);
    lock.lock();
    if (!done) {  // the access is on its way here
      changed_.wait_for(lock, std::chrono::milliseconds(1), [&] { return access_ && !told_; });
      continue;
    }
    kicked_ = false;
    return {};
  }
}

void AcrnVcpu::complete(uint64_t data) {
  std::lock_guard lock(mutex_);
  if (!access_) return;
  if (kicked_) hold(true);
  answer(data);
}

int AcrnVcpu::get_state(VcpuState set, std::span<std::byte> state) { return fetch() ? shadow_.get_state(set, state) : -EIO; }

int AcrnVcpu::set_state(VcpuState set, std::span<const std::byte> state) {
  if (!fetch()) return -EIO;
  const int error = shadow_.set_state(set, state);
  if (!error) put();
  return error;
}

bool AcrnVcpu::get_msr(uint32_t index, uint64_t& value) { return fetch() && shadow_.get_msr(index, value); }

bool AcrnVcpu::set_msr(uint32_t index, uint64_t value) {
  if (!fetch() || !shadow_.set_msr(index, value)) return false;
  put();
  return true;
}

int AcrnVcpu::enable_capability(uint32_t capability) {
  if (!fetch()) return -EIO;
  const int error = shadow_.enable_capability(capability);
  if (!error) put();
  return error;
}

int AcrnVcpu::set_cpuid(const std::vector<kvm_cpuid_entry2>& entries) {
  std::vector<mockvisor_x86_leaf> leaves;
  for (const kvm_cpuid_entry2& e : entries) {
    leaves.push_back({e.function, e.index, e.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX, {e.eax, e.ebx, e.ecx, e.edx}});
  }
  mockvisor_x86_cpuid c = {machine_.vm(), id_, reinterpret_cast<uintptr_t>(leaves.data()), static_cast<uint32_t>(leaves.size()), 0};
  return machine_.control(MOCKVISOR_X86_CPUID_SET, &c);
}

}  // namespace mv::plugin
