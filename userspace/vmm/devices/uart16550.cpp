// SPDX-License-Identifier: MIT
#include "vmm/devices/uart16550.h"

#include <array>

namespace mv {

// What the modem's lines are; in loop mode they are our own outputs (section 8.6.7).
uint8_t Uart16550::modem_lines() const {
  if (!loop()) return MSR_CONNECTED;
  return static_cast<uint8_t>((mcr_ & MCR_RTS ? MSR_CTS : 0) | (mcr_ & MCR_DTR ? MSR_DSR : 0) | (mcr_ & MCR_OUT1 ? MSR_RI : 0) |
                              (mcr_ & MCR_OUT2 ? MSR_DCD : 0));
}

// RI counts when it falls, the others when they change (section 8.8).
void Uart16550::modem_changed(uint8_t before) {
  const uint8_t now = modem_lines();
  uint8_t changed = static_cast<uint8_t>(before ^ now);
  if (now & MSR_RI) changed &= static_cast<uint8_t>(~MSR_RI);
  modem_deltas_ |= changed >> 4;
}

uint8_t Uart16550::receive() {
  if (!loop()) return port_.receive();
  if (looped_.empty()) return 0;
  const uint8_t byte = looped_.front();
  looped_.pop_front();
  return byte;
}

void Uart16550::transmit(uint8_t value) {
  thr_emptied_ = true;
  if (!loop()) return port_.transmit(value);
  if (looped_.size() < (fcr_ & FCR_ENABLE ? kFifo : 1)) looped_.push_back(value);
}

// The pending interrupt of the highest priority (table 5).  Fewer bytes than the trigger level are a timeout: they came
// long ago by the guest's measure.
uint8_t Uart16550::interrupt() const {
  constexpr std::array<size_t, 4> kTrigger{1, 4, 8, 14};
  if (const size_t n = received(); n && (ier_ & IER_RECEIVED)) {
    return !(fcr_ & FCR_ENABLE) || n >= kTrigger[fcr_ >> 6] ? IIR_RECEIVED : IIR_TIMEOUT;
  }
  if (thr_emptied_ && (ier_ & IER_THR_EMPTY)) return IIR_THR_EMPTY;
  if (modem_deltas_ && (ier_ & IER_MODEM)) return IIR_MODEM;
  return IIR_NONE;
}

// On a PC, OUT2 connects the interrupt to its line.
void Uart16550::update() { irq_.set(interrupt() != IIR_NONE && (mcr_ & MCR_OUT2) && !loop()); }

uint8_t Uart16550::read_register(Register r) {
  switch (r) {
    case RBR_THR:
      return dlab() ? divisor_ & 0xff : receive();
    case IER:
      return dlab() ? divisor_ >> 8 : ier_;
    case IIR_FCR: {
      const uint8_t source = interrupt();
      if (source == IIR_THR_EMPTY) thr_emptied_ = false;
      return source | (fcr_ & FCR_ENABLE ? IIR_FIFO : 0);
    }
    case LCR:
      return lcr_;
    case MCR:
      return mcr_;
    case LSR:
      return LSR_THR_EMPTY | LSR_IDLE | (received() ? LSR_DATA_READY : 0);
    case MSR: {
      const uint8_t deltas = modem_deltas_;
      modem_deltas_ = 0;
      return modem_lines() | deltas;
    }
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
      } else {
        transmit(value);
      }
      break;
    case IER:
      if (dlab()) {
        divisor_ = static_cast<uint16_t>((divisor_ & 0xff) | value << 8);
      } else {
        // drivers rely on an interrupt at once when they ask for it with an empty transmitter
        if (value & ~ier_ & IER_THR_EMPTY) thr_emptied_ = true;
        ier_ = value & 0x0f;
      }
      break;
    case IIR_FCR:
      fcr_ = value;
      if (value & FCR_CLEAR_RECEIVE || !(value & FCR_ENABLE)) looped_.clear();
      break;
    case LCR:
      lcr_ = value;
      break;
    case MCR: {
      const uint8_t before = modem_lines();
      mcr_ = value & 0x1f;
      if (!loop()) looped_.clear();
      modem_changed(before);
      break;
    }
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
  update();
  return value;
}

void Uart16550::write(uint64_t offset, unsigned size, uint64_t value) {
  for (unsigned i = 0; i < size; ++i) write_register(static_cast<Register>((offset + i) & 7), static_cast<uint8_t>(value >> (8 * i)));
  update();
}

}  // namespace mv
