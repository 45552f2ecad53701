// SPDX-License-Identifier: MIT
#include "vmm/devices/pl011.h"

namespace mv {

// UARTPeriphID and UARTPCellID: PL011 revision r1p5 by Arm
static constexpr uint8_t kIdentification[8] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

uint64_t Pl011::read_register(uint64_t offset) {
  if (offset >= ID && offset < kSize) return kIdentification[(offset - ID) / 4];
  switch (offset & ~uint64_t{3}) {
    case DR:
      return port_.receive();
    case FR:
      return FR_TXFE | (port_.has_input() ? 0u : FR_RXFE);
    case IBRD:
      return ibrd_;
    case FBRD:
      return fbrd_;
    case LCR_H:
      return lcr_h_;
    case CR:
      return cr_;
    case IFLS:
      return ifls_;
    case IMSC:
      return imsc_;
    case RIS:
      return raw_interrupts();
    case MIS:
      return raw_interrupts() & imsc_;
    case DMACR:
      return dmacr_;
    default:
      return 0;
  }
}

void Pl011::write_register(uint64_t offset, uint32_t word) {
  switch (offset & ~uint64_t{3}) {
    case DR:
      port_.transmit(static_cast<uint8_t>(word));
      sent_ = INT_TX;
      break;
    case IBRD:
      ibrd_ = word & 0xffff;
      break;
    case FBRD:
      fbrd_ = word & 0x3f;
      break;
    case LCR_H:
      lcr_h_ = word & 0xff;
      break;
    case CR:
      cr_ = word & 0xffff;
      break;
    case IFLS:
      ifls_ = word & 0x3f;
      break;
    case IMSC:
      imsc_ = word & 0x7ff;
      break;
    case ICR:
      sent_ &= ~word;
      break;
    case DMACR:
      dmacr_ = word & 7;
      break;
    default:
      break;  // read-only, or not there
  }
}

uint64_t Pl011::read(uint64_t offset, unsigned) {
  const uint64_t value = read_register(offset);
  update();
  return value;
}

void Pl011::write(uint64_t offset, unsigned, uint64_t value) {
  write_register(offset, static_cast<uint32_t>(value));
  update();
}

}  // namespace mv
