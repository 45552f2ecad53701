// SPDX-License-Identifier: MIT
// ACRN's two short cuts: a guest's write that signals an eventfd without an I/O request, and an eventfd that injects a message.
#pragma once

#include "vmm/backend/backend.h"
#include "vmm/backend/fd.h"

namespace mv {

// Both take themselves back when they go; the device stays its owner's and outlives them.  Throw std::system_error.
class AcrnDoorbell : public Doorbell {
 public:
  AcrnDoorbell(int device, uint64_t gpa, unsigned size);
  ~AcrnDoorbell() override;
  int eventfd() const override { return event_.get(); }

 private:
  int device_;
  Fd event_;
};

class AcrnMessageRoute : public MessageRoute {
 public:
  AcrnMessageRoute(int device, uint64_t address, uint32_t data);
  ~AcrnMessageRoute() override;
  void send() override;

 private:
  int device_;
  Fd event_;
};

}  // namespace mv
