// SPDX-License-Identifier: MIT
// Interrupt controllers with CPUs that execute nothing: messages in, vectors out.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <vector>

extern "C" {
#include "core/irqchip/irqchip.h"
}

namespace mv::test {

class IrqchipTest : public testing::Test {
 protected:
  static constexpr u32 kArena = 64 << 10;

  struct Cpu {
    std::unique_ptr<x86_cpu, void (*)(void*)> cpu{static_cast<x86_cpu*>(std::calloc(1, sizeof(x86_cpu))), std::free};
    std::vector<u8> arena = std::vector<u8>(kArena);
    lapic apic{};
  };

  explicit IrqchipTest(u32 cpus = 2, u32 pins = 48) {
    irqchip_init(&chip, pins);
    chip.context = this;
    chip.kick = [](void* self, u32 n) { static_cast<IrqchipTest*>(self)->kicks |= 1u << n; };
    hv_memmap_init(&map);
    cpu_.resize(cpus);
    for (u32 i = 0; i < cpus; ++i) {
      x86_cpu_init(cpu_[i].cpu.get(), &map, i, cpu_[i].arena.data(), kArena, kArena);
      // time stands still: a test moves it
      cpu_[i].cpu->virtual_time = 1;
      irqchip_add(&chip, &cpu_[i].apic, cpu_[i].cpu.get(), i);
    }
  }

  lapic* apic(u32 n = 0) { return &cpu_[n].apic; }
  x86_cpu* cpu(u32 n = 0) { return cpu_[n].cpu.get(); }
  void switch_on(u32 n = 0) { lapic_write(apic(n), LAPIC_SVR, 0x1ff); }
  int take(u32 n = 0) { return irqchip_acknowledge(apic(n)); }
  void eoi(u32 n = 0) { lapic_write(apic(n), LAPIC_EOI, 0); }
  void msi(u8 vector, u8 destination = 0, u32 bits = 0) {
    EXPECT_TRUE(irqchip_msi(&chip, 0xfee00000u | u32{destination} << 12 | bits, vector));
  }
  void rte(u32 pin, u64 value) {
    ioapic_write(&chip, 0, 0x11 + 2 * pin);
    ioapic_write(&chip, 0x10, static_cast<u32>(value >> 32));
    ioapic_write(&chip, 0, 0x10 + 2 * pin);
    ioapic_write(&chip, 0x10, static_cast<u32>(value));
  }
  void out(u32 port, u8 v) { pic_port_write(&chip.pic, port, v); }
  u8 in(u32 port) { return pic_port_read(&chip.pic, port); }
  // As PC firmware sets the pair up: vectors 0x20.. and 0x28.., nothing masked.
  void start_pic(u8 icw4 = 1) {
    out(0x20, 0x11), out(0x21, 0x20), out(0x21, 4), out(0x21, icw4), out(0x21, 0);
    out(0xa0, 0x11), out(0xa1, 0x28), out(0xa1, 2), out(0xa1, icw4), out(0xa1, 0);
  }

  irqchip chip{};
  hv_memmap map{};
  u32 kicks = 0;
  std::vector<Cpu> cpu_;
};

}  // namespace mv::test
