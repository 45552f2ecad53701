// SPDX-License-Identifier: MIT
#include "vmm/devices/uart16550.h"

namespace mv {

uint8_t Uart16550::read_register(Register r) {
  switch (r) {
    case RBR_THR:
      return dlab() ? divisor_ & 0xff : port_.receive();
    case IER:
      return dlab() ? divisor_ >> 8 : ier_;
    case IIR_FCR:
      return IIR_NONE | (fcr_ & 1 ? IIR_FIFO : 0);
    case LCR:
      return lcr_;
    case MCR:
      return mcr_;
    case LSR:
      return LSR_THR_EMPTY | LSR_IDLE | (port_.has_input() ? LSR_DATA_READY : 0);
    case MSR:
      return MSR_CONNECTED;
    case SCR:
      return scr_;
  }
  return 0;
}

void Uart16550::write_register(Register r, uint8_t value) {
  switch (r) {
    case RBR_THR:
      if (dlab()) {
        divisor_ = (divisor_ & 0xff00) | value;
      } else if (!(mcr_ & MCR_LOOP)) {
        port_.transmit(value);
      }
      break;
    case IER:
      if (dlab()) {
        divisor_ = static_cast<uint16_t>((divisor_ & 0xff) | value << 8);
      } else {
        ier_ = value & 0x0f;
      }
      break;
    case IIR_FCR:
      fcr_ = value;
      break;
    case LCR:
      lcr_ = value;
      break;
    case MCR:
      mcr_ = value & 0x1f;
      break;
    case SCR:
      scr_ = value;
      break;
    case LSR:
    case MSR:
      break;  // read-only
  }
}

// A wider access reaches consecutive registers, lowest first, as on the ISA bus.
uint64_t Uart16550::read(uint64_t offset, unsigned size) {
  uint64_t value = 0;
  for (unsigned i = 0; i < size; ++i) value |= uint64_t{read_register(static_cast<Register>((offset + i) & 7))} << (8 * i);
  return value;
}

void Uart16550::write(uint64_t offset, unsigned size, uint64_t value) {
  for (unsigned i = 0; i < size; ++i) write_register(static_cast<Register>((offset + i) & 7), static_cast<uint8_t>(value >> (8 * i)));
}

}  // namespace mv
