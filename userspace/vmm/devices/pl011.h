// SPDX-License-Identifier: MIT
// Arm PL011 UART.  Source: Arm PrimeCell UART (PL011) Technical Reference Manual, DDI 0183, chapter 3.
// Transmission is immediate, so the transmit FIFO is always empty: its interrupt rises with each byte sent, as when the FIFO
// falls through its level, and stays until ICR clears it (section 3.4.1).  A byte received is there to be read at once.
#pragma once

#include "vmm/devices/console_port.h"
#include "vmm/devices/device.h"
#include "vmm/devices/irq_line.h"

namespace mv {

class Pl011 : public Device {
 public:
  static constexpr uint64_t kSize = 0x1000;

  enum Register : uint64_t {
    DR = 0x000, RSR_ECR = 0x004, FR = 0x018, ILPR = 0x020, IBRD = 0x024, FBRD = 0x028, LCR_H = 0x02c, CR = 0x030,
    IFLS = 0x034, IMSC = 0x038, RIS = 0x03c, MIS = 0x040, ICR = 0x044, DMACR = 0x048, ID = 0xfe0
  };
  enum Flag : uint32_t { FR_RXFE = 0x10, FR_TXFF = 0x20, FR_TXFE = 0x80 };
  enum Interrupt : uint32_t { INT_RX = 0x10, INT_TX = 0x20 };

  explicit Pl011(ConsolePort& port, IrqLine irq = {}) : port_(port), irq_(std::move(irq)) {
    port_.on_input([this] { update(); });
  }
  ~Pl011() override { port_.on_input({}); }

  std::string_view name() const override { return "PL011"; }
  uint64_t read(uint64_t offset, unsigned size) override;
  void write(uint64_t offset, unsigned size, uint64_t value) override;

 private:
  uint32_t raw_interrupts() const { return sent_ | (port_.has_input() ? INT_RX : 0u); }
  void update() { irq_.set(raw_interrupts() & imsc_); }
  uint64_t read_register(uint64_t offset);
  void write_register(uint64_t offset, uint32_t word);

  ConsolePort& port_;
  IrqLine irq_;
  uint32_t sent_ = 0;  // INT_TX or nothing
  uint32_t ibrd_ = 0;
  uint32_t fbrd_ = 0;
  uint32_t lcr_h_ = 0;
  uint32_t cr_ = 0x300;
  uint32_t ifls_ = 0x12;
  uint32_t imsc_ = 0;
  uint32_t dmacr_ = 0;
};

}  // namespace mv
