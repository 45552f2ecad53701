// SPDX-License-Identifier: MIT
// 16550A UART, eight byte-wide registers.  Source: National Semiconductor PC16550D data sheet, section 8.
// Transmission is immediate, so the transmitter is always empty.  What is typed waits on the line until the guest reads it:
// the receive FIFO shows at most 16 bytes of it, and clearing the FIFO loses none.
#pragma once

#include <deque>

#include "vmm/devices/console_port.h"
#include "vmm/devices/device.h"
#include "vmm/devices/irq_line.h"

namespace mv {

class Uart16550 : public Device {
 public:
  static constexpr uint64_t kPorts = 8;
  static constexpr size_t kFifo = 16;

  enum Register : uint64_t { RBR_THR = 0, IER = 1, IIR_FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };
  enum InterruptEnable : uint8_t { IER_RECEIVED = 0x01, IER_THR_EMPTY = 0x02, IER_LINE = 0x04, IER_MODEM = 0x08 };
  enum Identification : uint8_t { IIR_MODEM = 0x00, IIR_NONE = 0x01, IIR_THR_EMPTY = 0x02, IIR_RECEIVED = 0x04, IIR_TIMEOUT = 0x0c, IIR_FIFO = 0xc0 };
  enum FifoControl : uint8_t { FCR_ENABLE = 0x01, FCR_CLEAR_RECEIVE = 0x02 };
  enum ModemControl : uint8_t { MCR_DTR = 0x01, MCR_RTS = 0x02, MCR_OUT1 = 0x04, MCR_OUT2 = 0x08, MCR_LOOP = 0x10 };
  enum LineStatus : uint8_t { LSR_DATA_READY = 0x01, LSR_THR_EMPTY = 0x20, LSR_IDLE = 0x40 };
  enum ModemStatus : uint8_t { MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80, MSR_CONNECTED = 0xb0 };
  static constexpr uint8_t LCR_DLAB = 0x80;

  explicit Uart16550(ConsolePort& port, IrqLine irq = {}) : port_(port), irq_(std::move(irq)) {
    port_.on_input([this] { update(); });
  }
  ~Uart16550() override { port_.on_input({}); }

  std::string_view name() const override { return "16550"; }
  uint64_t read(uint64_t offset, unsigned size) override;
  void write(uint64_t offset, unsigned size, uint64_t value) override;

 private:
  uint8_t read_register(Register r);
  void write_register(Register r, uint8_t value);
  bool dlab() const { return lcr_ & LCR_DLAB; }
  bool loop() const { return mcr_ & MCR_LOOP; }
  size_t received() const { return loop() ? looped_.size() : port_.waiting(); }
  uint8_t receive();
  void transmit(uint8_t value);
  uint8_t interrupt() const;
  uint8_t modem_lines() const;
  void modem_changed(uint8_t before);
  void update();

  ConsolePort& port_;
  IrqLine irq_;
  std::deque<uint8_t> looped_;  // sent to ourselves
  bool thr_emptied_ = false;    // not yet told
  uint8_t modem_deltas_ = 0;
  uint16_t divisor_ = 1;
  uint8_t ier_ = 0;
  uint8_t fcr_ = 0;
  uint8_t lcr_ = 3;
  uint8_t mcr_ = 0;
  uint8_t scr_ = 0;
};

}  // namespace mv
