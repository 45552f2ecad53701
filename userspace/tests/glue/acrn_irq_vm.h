// SPDX-License-Identifier: MIT
// A VM whose guest waits for interrupts in flat 32-bit mode and reports each vector at port 0x80.
#pragma once

#include "glue/acrn_vm.h"

namespace mv::glue {

// Instructions for flat 32-bit code.
class Flat32 {
 public:
  Flat32& bytes(std::initializer_list<int> list) {
    code_.bytes(list);
    return *this;
  }
  Flat32& store(uint32_t address, uint32_t v) {
    code_.bytes({0xc7, 0x05}).imm32(address).imm32(v);
    return *this;
  }
  Flat32& load_eax(uint32_t address) {
    code_.bytes({0xa1}).imm32(address);
    return *this;
  }
  Flat32& mov_eax(uint32_t v) {
    code_.bytes({0xb8}).imm32(v);
    return *this;
  }
  Flat32& out8(uint8_t port, uint8_t v) { return bytes({0xb0, v, 0xe6, port}); }
  Flat32& out_eax(uint16_t port) {
    code_.bytes({0x66, 0xba}).imm16(port).bytes({0xef});
    return *this;
  }
  Flat32& in_eax(uint16_t port) {
    code_.bytes({0x66, 0xba}).imm16(port).bytes({0xed});
    return *this;
  }
  Flat32& ioapic(uint32_t pin, uint64_t rte) {
    return store(0xfec00000, 0x11 + 2 * pin).store(0xfec00010, static_cast<uint32_t>(rte >> 32)).store(0xfec00000, 0x10 + 2 * pin).store(0xfec00010, static_cast<uint32_t>(rte));
  }
  Flat32& sti_and_wait() { return bytes({0xfb, 0xf4, 0xeb, 0xfd}); }
  const X86Code& code() const { return code_; }

 private:
  X86Code code_;
};

class AcrnIrqVm : public AcrnVm {
 public:
  static constexpr uint16_t kGdt = 0x800, kIdt = 0x2000, kHandlers = 0x4000, kReportPort = 0x80, kReadyPort = 0x7f;

  explicit AcrnIrqVm(const std::string& name = "irq", uint64_t affinity = 1, uint64_t flags = 0) : AcrnVm(name, affinity, flags) { tables(); }

  // The local APIC is switched on, then `setup` runs, then the guest says so (see ready()) and waits.
  void boot_waiting(const Flat32& setup = {});
  // Waits until the guest has come to its wait.
  bool ready();
  // What the guest runs is all of `code`.
  void boot_flat(const Flat32& code);
  // The vector that the guest reports next, its report answered; -1 if none comes.
  int reported(unsigned vcpu = 0);
  // Nothing is reported for a while.
  bool quiet(unsigned vcpu = 0);

 private:
  void tables();
  bool resumed(unsigned vcpu) const;
};

}  // namespace mv::glue
