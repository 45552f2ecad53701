// SPDX-License-Identifier: MIT
// State of a vCPU in the kernel's structures.  What is refused is what KVM refuses.
#include <bit>
#include <cstring>

#include "plugin/host/inproc_machine.h"

namespace mv::plugin {

namespace {

constexpr uint64_t kCr4Known = 0x7ff | CR4_FSGSBASE | CR4_OSXSAVE | CR4_SMEP | CR4_SMAP;
constexpr uint32_t kEventFlags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM;
constexpr uint32_t kEventFlagsKnown = 0x1f;
constexpr size_t kMostLeaves = 256;  // KVM_MAX_CPUID_ENTRIES

kvm_segment to_kvm(const x86_segment& s) {
  const u16 a = s.attributes;
  kvm_segment k = {};
  k.base = s.base;
  k.limit = s.limit;
  k.selector = s.selector;
  k.type = a & 15;
  k.s = a >> 4 & 1;
  k.dpl = a >> 5 & 3;
  k.present = a >> 7 & 1;
  k.avl = a >> 12 & 1;
  k.l = a >> 13 & 1;
  k.db = a >> 14 & 1;
  k.g = a >> 15 & 1;
  k.unusable = !k.present;
  return k;
}

x86_segment from_kvm(const kvm_segment& k) {
  const unsigned present = k.unusable ? 0 : k.present & 1;
  const unsigned a = (k.type & 15) | (k.s & 1) << 4 | (k.dpl & 3) << 5 | present << 7 | (k.avl & 1) << 12 | (k.l & 1) << 13 | (k.db & 1) << 14 | (k.g & 1) << 15;
  return {k.selector, static_cast<u16>(a), k.limit, k.base};
}

// KVM's names in the order of enum x86_register.
constexpr __u64 kvm_regs::*kGpr[16] = {&kvm_regs::rax, &kvm_regs::rcx, &kvm_regs::rdx, &kvm_regs::rbx, &kvm_regs::rsp, &kvm_regs::rbp,
                                       &kvm_regs::rsi, &kvm_regs::rdi, &kvm_regs::r8,  &kvm_regs::r9,  &kvm_regs::r10, &kvm_regs::r11,
                                       &kvm_regs::r12, &kvm_regs::r13, &kvm_regs::r14, &kvm_regs::r15};
constexpr kvm_segment kvm_sregs::*kSegments[X86_SEGMENTS] = {&kvm_sregs::es, &kvm_sregs::cs, &kvm_sregs::ss,  &kvm_sregs::ds,
                                                             &kvm_sregs::fs, &kvm_sregs::gs, &kvm_sregs::ldt, &kvm_sregs::tr};

kvm_sregs sregs_of(const x86_state& s) {
  kvm_sregs k = {};
  for (unsigned i = 0; i < X86_SEGMENTS; ++i) k.*kSegments[i] = to_kvm(s.seg[i]);
  k.gdt = {s.gdt.base, s.gdt.limit, {}};
  k.idt = {s.idt.base, s.idt.limit, {}};
  k.cr0 = s.cr0;
  k.cr2 = s.cr2;
  k.cr3 = s.cr3;
  k.cr4 = s.cr4;
  k.efer = s.efer;
  return k;
}

// The registers of an FXSAVE image count from the top of the stack.
kvm_fpu fpu_of(const x86_fpu& f) {
  kvm_fpu k = {};
  for (unsigned i = 0; i < 8; ++i) {
    const fp80& st = f.st[((f.fsw >> 11) + i) & 7];
    std::memcpy(k.fpr[i], &st.sig, 8);
    std::memcpy(k.fpr[i] + 8, &st.se, 2);
  }
  std::memcpy(k.xmm, f.xmm, sizeof(k.xmm));
  k.fcw = f.fcw;
  k.fsw = f.fsw;
  k.ftwx = f.used;
  k.last_opcode = f.fop;
  k.last_ip = f.fip;
  k.last_dp = f.fdp;
  return k;
}

void put_fpu(const kvm_fpu& k, x86_fpu& f) {
  for (unsigned i = 0; i < 8; ++i) {
    fp80& st = f.st[((k.fsw >> 11) + i) & 7];
    std::memcpy(&st.sig, k.fpr[i], 8);
    std::memcpy(&st.se, k.fpr[i] + 8, 2);
  }
  std::memcpy(f.xmm, k.xmm, sizeof(k.xmm));
  f.fcw = k.fcw;
  f.fsw = k.fsw;
  f.used = k.ftwx;
  f.fop = k.last_opcode;
  f.fip = k.last_ip;
  f.fdp = k.last_dp;
}

void put_bits(uint32_t* page, uint32_t offset, const u32* bits) {
  for (unsigned i = 0; i < 8; ++i) page[offset / 4 + i * 4] = bits[i];
}

void take_bits(const uint32_t* page, uint32_t offset, u32* bits) {
  for (unsigned i = 0; i < 8; ++i) bits[i] = page[offset / 4 + i * 4];
}

void lapic_to_page(lapic& l, uint32_t* page) {
  for (const u32 at : {LAPIC_ID, LAPIC_VERSION, LAPIC_PPR, LAPIC_TIMER_CURRENT}) page[at / 4] = lapic_read(&l, at);
  page[LAPIC_TPR / 4] = l.tpr;
  page[LAPIC_LDR / 4] = l.ldr;
  page[LAPIC_DFR / 4] = l.dfr;
  page[LAPIC_SVR / 4] = l.svr;
  page[LAPIC_ESR / 4] = l.esr;
  page[LAPIC_ICR_LOW / 4] = l.icr_low;
  page[LAPIC_ICR_HIGH / 4] = l.icr_high;
  page[LAPIC_TIMER_INITIAL / 4] = l.timer_initial;
  page[LAPIC_TIMER_DIVIDE / 4] = l.timer_divide;
  for (unsigned i = 0; i < LVTS; ++i) page[LAPIC_LVT_TIMER / 4 + i * 4] = l.lvt[i];
  put_bits(page, LAPIC_ISR, l.isr);
  put_bits(page, LAPIC_TMR, l.tmr);
  put_bits(page, LAPIC_IRR, l.irr);
}

void page_to_lapic(const uint32_t* page, lapic& l) {
  l.tpr = page[LAPIC_TPR / 4] & 0xff;
  l.ldr = page[LAPIC_LDR / 4];
  l.dfr = page[LAPIC_DFR / 4];
  l.svr = page[LAPIC_SVR / 4];
  l.esr = page[LAPIC_ESR / 4];
  l.icr_low = page[LAPIC_ICR_LOW / 4];
  l.icr_high = page[LAPIC_ICR_HIGH / 4];
  l.timer_divide = page[LAPIC_TIMER_DIVIDE / 4];
  for (unsigned i = 0; i < LVTS; ++i) l.lvt[i] = page[LAPIC_LVT_TIMER / 4 + i * 4];
  take_bits(page, LAPIC_ISR, l.isr);
  take_bits(page, LAPIC_TMR, l.tmr);
  take_bits(page, LAPIC_IRR, l.irr);
  // written as the guest writes it: the timer starts
  lapic_write(&l, LAPIC_TIMER_INITIAL, page[LAPIC_TIMER_INITIAL / 4]);
  hv_cpu_request(&l.cpu->hv, HV_REQ_IRQ);
}

template <typename State>
int out(std::span<std::byte> to, const State& state) {
  std::memcpy(to.data(), &state, sizeof(state));
  return 0;
}

template <typename State>
State in(std::span<const std::byte> from) {
  State state;
  std::memcpy(&state, from.data(), sizeof(state));
  return state;
}

}  // namespace

x86_state InprocVcpu::registers() const {
  x86_state s;
  x86_state_get(cpu_.get(), &s);
  return s;
}

// An access that waits for its data goes on after registers were changed, unless its instruction is left; so does a halt.
void InprocVcpu::put_registers(const x86_state& s) {
  hv_cpu& hv = cpu_->hv;
  const hv_exit exit = hv.exit;
  const hv_replay replay = hv.replay;
  const bool stays = s.rip == cpu_->rip;
  const u32 idle = hv.idle;
  const u8 shadow = cpu_->shadow, nmi_blocked = cpu_->nmi_blocked;
  x86_state_set(cpu_.get(), &s);
  cpu_->nmi_blocked = nmi_blocked;
  if (stays) {
    hv.exit = exit;
    hv.replay = replay;
    hv.idle = idle;
    cpu_->shadow = shadow;
  } else {
    access_out_ = false;
  }
}

int InprocVcpu::set_sregs(const kvm_sregs& k) {
  if ((k.cr0 & CR0_PG) && !(k.cr0 & CR0_PE)) return -EINVAL;
  if (k.cr4 & ~kCr4Known) return -EINVAL;
  if ((k.cr0 & CR0_PG) && (k.efer & X86_EFER_LME) && (!(k.cr4 & CR4_PAE) || !(k.efer & X86_EFER_LMA))) return -EINVAL;
  x86_state s = registers();
  for (unsigned i = 0; i < X86_SEGMENTS; ++i) s.seg[i] = from_kvm(k.*kSegments[i]);
  s.gdt = {k.gdt.base, k.gdt.limit};
  s.idt = {k.idt.base, k.idt.limit};
  s.cr0 = k.cr0;
  s.cr2 = k.cr2;
  s.cr3 = k.cr3;
  s.cr4 = k.cr4;
  s.cr8 = k.cr8;
  s.efer = k.efer;
  __atomic_store_n(&lapic_->base, k.apic_base, __ATOMIC_RELEASE);
  put_registers(s);
  cpu_->apic->write_cr8(cpu_->hv.irq.context, k.cr8 & 15);
  for (unsigned i = 0; i < 4; ++i) {
    if (k.interrupt_bitmap[i]) cpu_->pending = static_cast<u16>(i * 64 + static_cast<unsigned>(std::countr_zero(k.interrupt_bitmap[i])) + 1);
  }
  return 0;
}

int InprocVcpu::get_state(VcpuState set, std::span<std::byte> state) {
  const x86_state s = registers();
  switch (set) {
    case VcpuState::regs: {
      kvm_regs k = {};
      for (unsigned i = 0; i < 16; ++i) k.*kGpr[i] = s.gpr[i];
      k.rip = s.rip;
      k.rflags = s.rflags;
      return out(state, k);
    }
    case VcpuState::sregs: {
      kvm_sregs k = sregs_of(s);
      k.cr8 = cpu_->apic->read_cr8(cpu_->hv.irq.context);
      k.apic_base = lapic_->base;
      if (cpu_->pending) k.interrupt_bitmap[(cpu_->pending - 1) / 64] = 1ull << ((cpu_->pending - 1) % 64);
      return out(state, k);
    }
    case VcpuState::fpu: {
      x86_fpu f;
      x86_fpu_get(cpu_.get(), &f);
      return out(state, fpu_of(f));
    }
    case VcpuState::debugregs: {
      kvm_debugregs k = {};
      for (unsigned i = 0; i < 4; ++i) k.db[i] = s.dr[i];
      k.dr6 = s.dr[6];
      k.dr7 = s.dr[7];
      return out(state, k);
    }
    case VcpuState::lapic:
      lapic_to_page(*lapic_, apic_page_);
      return out(state, apic_page_);
    case VcpuState::mp:
      return out(state, kvm_mp_state{mp_state_ == KVM_MP_STATE_RUNNABLE && cpu_->hv.idle ? KVM_MP_STATE_HALTED : mp_state_});
    case VcpuState::xcrs: {
      kvm_xcrs k = {};
      k.nr_xcrs = 1;
      k.xcrs[0].value = cpu_->fpu.xcr0;
      return out(state, k);
    }
    case VcpuState::events: {
      kvm_vcpu_events k = {};
      k.flags = kEventFlags;
      k.interrupt.shadow = cpu_->shadow;
      k.nmi.masked = cpu_->nmi_blocked;
      k.nmi.pending = (__atomic_load_n(&cpu_->hv.request, __ATOMIC_RELAXED) & HV_REQ_NMI) != 0;
      return out(state, k);
    }
  }
  return -EINVAL;
}

int InprocVcpu::set_state(VcpuState set, std::span<const std::byte> state) {
  switch (set) {
    case VcpuState::regs: {
      const auto k = in<kvm_regs>(state);
      x86_state s = registers();
      for (unsigned i = 0; i < 16; ++i) s.gpr[i] = k.*kGpr[i];
      s.rip = k.rip;
      s.rflags = k.rflags | 2;
      put_registers(s);
      return 0;
    }
    case VcpuState::sregs:
      return set_sregs(in<kvm_sregs>(state));
    case VcpuState::fpu: {
      x86_fpu f;
      x86_fpu_get(cpu_.get(), &f);
      put_fpu(in<kvm_fpu>(state), f);
      x86_fpu_set(cpu_.get(), &f);
      return 0;
    }
    case VcpuState::debugregs: {
      const auto k = in<kvm_debugregs>(state);
      if (k.flags || k.dr6 >> 32 || k.dr7 >> 32) return -EINVAL;
      x86_state s = registers();
      for (unsigned i = 0; i < 4; ++i) s.dr[i] = k.db[i];
      s.dr[6] = k.dr6;
      s.dr[7] = k.dr7;
      put_registers(s);
      return 0;
    }
    case VcpuState::lapic:
      std::memcpy(apic_page_, state.data(), sizeof(apic_page_));
      page_to_lapic(apic_page_, *lapic_);
      return 0;
    case VcpuState::mp: {
      const uint32_t mp = in<kvm_mp_state>(state).mp_state;
      if (mp > KVM_MP_STATE_SIPI_RECEIVED) return -EINVAL;
      mp_state_ = mp;
      if (mp == KVM_MP_STATE_RUNNABLE) cpu_->hv.idle = 0;
      return 0;
    }
    case VcpuState::xcrs: {
      const auto k = in<kvm_xcrs>(state);
      if (k.nr_xcrs > KVM_MAX_XCRS || k.flags) return -EINVAL;
      for (unsigned i = 0; i < k.nr_xcrs; ++i) {
        if (k.xcrs[i].xcr) continue;
        if (!(k.xcrs[i].value & 1) || k.xcrs[i].value & ~3ull) return -EINVAL;
        cpu_->fpu.xcr0 = k.xcrs[i].value;
      }
      return 0;
    }
    case VcpuState::events: {
      const auto k = in<kvm_vcpu_events>(state);
      if (k.flags & ~kEventFlagsKnown) return -EINVAL;
      cpu_->nmi_blocked = k.nmi.masked != 0;
      if (k.flags & KVM_VCPUEVENT_VALID_SHADOW) cpu_->shadow = k.interrupt.shadow != 0;
      if (k.flags & KVM_VCPUEVENT_VALID_NMI_PENDING && k.nmi.pending) hv_cpu_request(&cpu_->hv, HV_REQ_NMI);
      return 0;
    }
  }
  return -EINVAL;
}

bool InprocVcpu::get_msr(uint32_t index, uint64_t& value) {
  if (HypervVcpu::is_msr(index)) return hyperv_.get_msr(index, value);
  u64 v;
  if (!x86_msr_get(cpu_.get(), index, &v)) return false;
  value = v;
  return true;
}

bool InprocVcpu::set_msr(uint32_t index, uint64_t value) {
  return HypervVcpu::is_msr(index) ? hyperv_.set_msr(index, value) : x86_msr_set(cpu_.get(), index, value);
}

int InprocVcpu::set_cpuid(const std::vector<kvm_cpuid_entry2>& entries) {
  if (entries.size() > kMostLeaves) return -E2BIG;
  leaves_.clear();
  for (const kvm_cpuid_entry2& e : entries) {
    leaves_.push_back({e.function, e.index, e.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX, {e.eax, e.ebx, e.ecx, e.edx}});
  }
  x86_cpuid_give(cpu_.get(), leaves_.data(), static_cast<u32>(leaves_.size()));
  return 0;
}

int InprocVcpu::hyperv_cpuid(std::vector<kvm_cpuid_entry2>& entries) {
  entries = plugin::hyperv_cpuid();
  return 0;
}

int InprocVcpu::enable_capability(uint32_t capability) {
  if (capability != KVM_CAP_HYPERV_SYNIC && capability != KVM_CAP_HYPERV_SYNIC2) return -EINVAL;
  hyperv_.enable_synic(capability == KVM_CAP_HYPERV_SYNIC);
  cpu_->synic = 1;
  return 0;
}

}  // namespace mv::plugin
