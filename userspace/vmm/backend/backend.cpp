// SPDX-License-Identifier: MIT
#include "vmm/backend/backend.h"

#include <chrono>
#include <stdexcept>

namespace mv {

uint64_t Backend::now_ns() const {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

void Backend::irq_line(uint32_t, bool) { throw std::logic_error(std::string(name()) + ": this backend has no interrupt lines"); }

void Backend::msi(uint64_t, uint64_t) { throw std::logic_error(std::string(name()) + ": this backend takes no messages"); }

namespace {

class PlainRoute : public MessageRoute {
 public:
  PlainRoute(Backend& backend, uint64_t address, uint32_t data) : backend_(backend), address_(address), data_(data) {}
  void send() override { backend_.msi(address_, data_); }

 private:
  Backend& backend_;
  uint64_t address_;
  uint32_t data_;
};

}  // namespace

std::unique_ptr<MessageRoute> Backend::message_route(uint64_t address, uint32_t data) { return std::make_unique<PlainRoute>(*this, address, data); }

void Backend::reset() { throw std::logic_error(std::string(name()) + ": this backend cannot reset a VM"); }

}  // namespace mv
