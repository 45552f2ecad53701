// SPDX-License-Identifier: MIT
#include "glue/acrn_irq_vm.h"

#include <cstring>
#include <thread>

#include "glue/runner.h"

namespace mv::glue {

// Descriptors 8 (code) and 0x10 (data); for each vector a gate to a handler that reports it, ends it and returns.
void AcrnIrqVm::tables() {
  const uint64_t gdt[] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff};
  std::memcpy(memory() + kGdt, gdt, sizeof gdt);
  for (unsigned v = 0; v < 256; ++v) {
    const uint32_t at = kHandlers + 16 * v;
    const uint64_t gate = uint64_t{at & 0xffff0000} << 32 | 0x8e00ull << 32 | 8u << 16 | (at & 0xffff);
    std::memcpy(memory() + kIdt + 8 * v, &gate, 8);
    load(X86Code().bytes({0xb0, static_cast<int>(v), 0xe6, kReportPort, 0xc7, 0x05}).imm32(0xfee000b0).imm32(0).bytes({0xcf}), static_cast<uint16_t>(at));
  }
}

void AcrnIrqVm::boot_waiting(const Flat32& setup) {
  X86Code all = Flat32().store(0xfee000f0, 0x1ff).code();
  for (uint8_t b : setup.code().get()) all.bytes({b});
  const Flat32 wait = Flat32().out8(kReadyPort, 0).sti_and_wait();
  for (uint8_t b : wait.code().get()) all.bytes({b});
  Flat32 code;
  for (uint8_t b : all.get()) code.bytes({b});
  boot_flat(code);
}

// The answer was taken; the next request may be out already.
bool AcrnIrqVm::resumed(unsigned vcpu) const {
  return eventually([&] { return processed(vcpu) != ACRN_IOREQ_STATE_COMPLETE; });
}

bool AcrnIrqVm::ready() {
  const std::optional<Request> r = request();
  return r == pio(ACRN_IOREQ_DIR_WRITE, kReadyPort, 1, 0) && reply() && resumed(0);
}

void AcrnIrqVm::boot_flat(const Flat32& code) {
  load(code.code());
  acrn_vcpu_regs r{};
  r.vcpu_regs.rip = kCode;
  r.vcpu_regs.cr0 = 0x31;
  r.vcpu_regs.cs_sel = 8;
  r.vcpu_regs.cs_ar = 0xc09b;
  r.vcpu_regs.cs_limit = ~0u;
  r.vcpu_regs.ds_sel = r.vcpu_regs.ss_sel = r.vcpu_regs.es_sel = 0x10;
  r.vcpu_regs.gdt.limit = 0x17;
  r.vcpu_regs.gdt.base = kGdt;
  r.vcpu_regs.idt.limit = 0x7ff;
  r.vcpu_regs.idt.base = kIdt;
  r.vcpu_regs.gprs.rsp = 0x8000;
  if (set_regs(r) != ok || create_client() != ok || start() != ok) throw std::runtime_error("flat guest does not start");
}

int AcrnIrqVm::reported(unsigned vcpu) {
  const std::optional<Request> r = request(vcpu);
  if (!r || r->address != kReportPort || r->direction != ACRN_IOREQ_DIR_WRITE) return -1;
  const int vector = static_cast<int>(r->value & 0xff);
  return reply(0, vcpu) && resumed(vcpu) ? vector : -1;
}

bool AcrnIrqVm::quiet(unsigned vcpu) {
  std::this_thread::sleep_for(kWhile);
  return processed(vcpu) == ACRN_IOREQ_STATE_FREE;
}

}  // namespace mv::glue
