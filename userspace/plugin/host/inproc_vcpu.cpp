// SPDX-License-Identifier: MIT
// How a vCPU of a plugin's machine runs; its state is in inproc_state.cpp.
#include "plugin/host/inproc_machine.h"

namespace mv::plugin {

namespace {

// The state that KVM gives a new vCPU where it is not the one that ACRN gives.
void reset_as_kvm(x86_cpu& cpu) {
  x86_state s;
  x86_state_get(&cpu, &s);
  s.cr0 = CR0_CD | CR0_NW | CR0_ET;
  s.gpr[X86_RDX] = 0x600;
  s.seg[X86_CS].attributes = 0x9b;
  x86_state_set(&cpu, &s);
  x86_fpu fpu;
  x86_fpu_get(&cpu, &fpu);
  fpu.fcw = 0x37f;
  x86_fpu_set(&cpu, &fpu);
}

}  // namespace

InprocVcpu::InprocVcpu(InprocMachine& machine, unsigned id)
    : machine_(machine), id_(id), hyperv_(machine.hyperv(), id), mp_state_(id ? KVM_MP_STATE_UNINITIALIZED : KVM_MP_STATE_RUNNABLE) {
  x86_cpu_init(cpu_.get(), &machine.map(), id, arena_.data(), Arena::size(), kArenaLimit);
  irqchip_add(&machine.chip(), lapic_.get(), cpu_.get(), id);
  reset_as_kvm(*cpu_);
}

void InprocVcpu::kick() {
  kicked_ = true;
  hv_cpu_request(&cpu_->hv, HV_REQ_STOP);
  machine_.bell().wake();
}

// Start-up IPI: real mode at vector << 12.  Intel SDM volume 3, section 9.4.4.1.
bool InprocVcpu::start_up() {
  if (id_ && lapic_take_init(lapic_.get())) {
    cpu_->hv.idle = 0;
    mp_state_ = KVM_MP_STATE_INIT_RECEIVED;
  }
  const u32 sipi = __atomic_exchange_n(&lapic_->sipi, 0, __ATOMIC_ACQ_REL);
  if (sipi && (mp_state_ == KVM_MP_STATE_INIT_RECEIVED || mp_state_ == KVM_MP_STATE_UNINITIALIZED)) {
    x86_reset(cpu_.get());
    reset_as_kvm(*cpu_);
    x86_state s = registers();
    s.seg[X86_CS].selector = static_cast<u16>((sipi & 0xff) << 8);
    s.seg[X86_CS].base = (sipi & 0xff) << 12;
    s.rip = 0;
    x86_state_set(cpu_.get(), &s);
    mp_state_ = KVM_MP_STATE_RUNNABLE;
  }
  return mp_state_ == KVM_MP_STATE_RUNNABLE || mp_state_ == KVM_MP_STATE_HALTED;
}

// An interrupt, an IPI, a kick; or time for the local APIC's timer.
void InprocVcpu::sleep() {
  const bool runs = mp_state_ == KVM_MP_STATE_RUNNABLE;
  machine_.bell().wait_ns(runs ? lapic_timer_ns(lapic_.get()) : ~uint64_t{0}, [&] {
    if (kicked_ || __atomic_load_n(&lapic_->init, __ATOMIC_ACQUIRE)) return true;
    return runs ? x86_has_work(cpu_.get()) : __atomic_load_n(&lapic_->sipi, __ATOMIC_ACQUIRE) != 0;
  });
}

InprocVcpu::Hyperv InprocVcpu::serve_hyperv(uint64_t address, bool write, uint64_t data) {
  if (address == X86_HYPERV_CALL) {
    const HypervWords call = HypervVcpu::call_of(registers());
    if (const auto result = hyperv_.result_of(call)) return {true, *result, {}};
    return {false, 0, {VcpuExit::hyperv_call, {}, call}};
  }
  const auto msr = static_cast<uint32_t>(X86_HYPERV_MSR_BASE + (address - X86_HYPERV_MSRS) / 8);
  Hyperv done = {true, 0, {}};
  if (!write) {
    hyperv_.get_msr(msr, done.value);
    return done;
  }
  if (const auto store = hyperv_.store_of(msr, data)) machine_.store(*store);
  hyperv_.set_msr(msr, data);
  if (const auto words = hyperv_.told_of(msr)) done.exit = {VcpuExit::hyperv_synic, {}, *words};
  return done;
}

// The plugin sees the vCPU behind the WRMSR that it is told of, as with KVM.
VcpuExit InprocVcpu::step_hyperv() {
  hv_exit& e = cpu_->hv.exit;
  const Hyperv h = serve_hyperv(e.address, e.direction == HV_WRITE, e.data);
  access_out_ = !h.answered;
  if (!h.answered) return h.exit;
  hv_cpu_complete(&cpu_->hv, e.cookie, h.value);
  while (h.exit.kind != VcpuExit::again && cpu_->hv.replay.done) step(1);
  return h.exit;
}

VcpuExit InprocVcpu::step(uint64_t budget) {
  hv_exit& e = cpu_->hv.exit;
  machine_.gate().enter();
  lapic_timer_run(lapic_.get());
  const hv_exit_kind kind = x86_step(cpu_.get(), budget);
  machine_.gate().leave();
  uint64_t value = 0;
  switch (kind) {
    case HV_EXIT_ACCESS:
      if (is_hyperv(e.space == HV_SPACE_MMIO ? Space::mmio : Space::ioport, e.address)) return step_hyperv();
      if (machine_.serve(*this, e, value)) {
        hv_cpu_complete(&cpu_->hv, e.cookie, value);
        return {};
      }
      access_out_ = true;
      return {VcpuExit::accessed, {e.space == HV_SPACE_MMIO ? Space::mmio : Space::ioport, e.address, e.direction == HV_WRITE, e.size, e.data}};
    case HV_EXIT_SHUTDOWN:
      return {VcpuExit::shut_down, {}};
    case HV_EXIT_ARENA:
      arena_.grow(cpu_->hv.blocks);
      return {};
    case HV_EXIT_IDLE:
      sleep();
      return {};
    case HV_EXIT_PAUSE:
      std::this_thread::yield();
      return {};
    default:
      return {};
  }
}

VcpuExit InprocVcpu::run() {
  for (;;) {
    // An instruction whose access was answered is finished first: it is seen behind it, never within.
    const bool within = cpu_->hv.replay.done;
    if (kicked_ && !within) {
      kicked_ = false;
      return {};
    }
    if (!within && !start_up()) {
      sleep();
      continue;
    }
    if (mp_state_ == KVM_MP_STATE_HALTED) {
      mp_state_ = KVM_MP_STATE_RUNNABLE;
      cpu_->hv.idle = 1;
    }
    const VcpuExit exit = step(within && kicked_ ? 1 : kInprocBatch);
    if (exit.kind != VcpuExit::again) return exit;
  }
}

void InprocVcpu::complete(uint64_t data) {
  if (access_out_) hv_cpu_complete(&cpu_->hv, cpu_->hv.exit.cookie, data);
  access_out_ = false;
}

}  // namespace mv::plugin
