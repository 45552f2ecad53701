// SPDX-License-Identifier: MIT
// 16550A UART, eight byte-wide registers.  Source: National Semiconductor PC16550D data sheet, section 8.
// Transmission is immediate, so the transmitter is always empty.  No interrupt line yet: guests poll LSR.
#pragma once

#include "vmm/devices/console_port.h"
#include "vmm/devices/device.h"

namespace mv {

class Uart16550 : public Device {
 public:
  static constexpr uint64_t kPorts = 8;

  enum Register : uint64_t { RBR_THR = 0, IER = 1, IIR_FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };
  enum LineStatus : uint8_t { LSR_DATA_READY = 0x01, LSR_THR_EMPTY = 0x20, LSR_IDLE = 0x40 };
  static constexpr uint8_t LCR_DLAB = 0x80;
  static constexpr uint8_t MCR_LOOP = 0x10;
  static constexpr uint8_t IIR_NONE = 0x01;
  static constexpr uint8_t IIR_FIFO = 0xc0;
  static constexpr uint8_t MSR_CONNECTED = 0xb0;  // DCD, DSR, CTS

  explicit Uart16550(ConsolePort& port) : port_(port) {}

  std::string_view name() const override { return "16550"; }
  uint64_t read(uint64_t offset, unsigned size) override;
  void write(uint64_t offset, unsigned size, uint64_t value) override;

 private:
  uint8_t read_register(Register r);
  void write_register(Register r, uint8_t value);
  bool dlab() const { return lcr_ & LCR_DLAB; }

  ConsolePort& port_;
  uint16_t divisor_ = 1;
  uint8_t ier_ = 0;
  uint8_t fcr_ = 0;
  uint8_t lcr_ = 3;
  uint8_t mcr_ = 0;
  uint8_t scr_ = 0;
};

}  // namespace mv
