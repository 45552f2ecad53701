// SPDX-License-Identifier: MIT
// An ACRN I/O request slot as an Access, and a Reply back into it.  Shared by the acrn backend and by inproc.
#pragma once

#include <linux/acrn.h>

#include <atomic>

#include "vmm/dispatch/access.h"

namespace mv {

inline bool slot_is_ours(const acrn_io_request& slot) {
  return std::atomic_ref(const_cast<__u32&>(slot.processed)).load(std::memory_order_acquire) == ACRN_IOREQ_STATE_PROCESSING &&
         slot.kernel_handled == 0;
}

inline Access slot_access(const acrn_io_request& slot, unsigned vcpu) {
  Access a{.vcpu = vcpu};
  switch (slot.type) {
    case ACRN_IOREQ_TYPE_PORTIO:
      a.space = Space::pio;
      a.address = slot.reqs.pio_request.address;
      a.size = static_cast<unsigned>(slot.reqs.pio_request.size);
      a.data = slot.reqs.pio_request.value;
      break;
    case ACRN_IOREQ_TYPE_PCICFG:
      a.space = Space::config;
      a.address = static_cast<uint64_t>(slot.reqs.pci_request.bus) << 20 | slot.reqs.pci_request.dev << 15 |
                  slot.reqs.pci_request.func << 12 | slot.reqs.pci_request.reg;
      a.size = static_cast<unsigned>(slot.reqs.pci_request.size);
      a.data = slot.reqs.pci_request.value;
      break;
    default:
      a.address = slot.reqs.mmio_request.address;
      a.size = static_cast<unsigned>(slot.reqs.mmio_request.size);
      a.data = slot.reqs.mmio_request.value;
      break;
  }
  a.direction = slot.reqs.pio_request.direction == ACRN_IOREQ_DIR_WRITE ? Direction::write : Direction::read;
  if (a.direction == Direction::read) a.data = 0;
  return a;
}

inline void slot_reply(acrn_io_request& slot, const Access& access, const Reply& reply) {
  if (access.direction == Direction::write) return;
  if (slot.type == ACRN_IOREQ_TYPE_MMIO) {
    slot.reqs.mmio_request.value = reply.data;
  } else {
    slot.reqs.pio_request.value = static_cast<__u32>(reply.data);
  }
}

}  // namespace mv
