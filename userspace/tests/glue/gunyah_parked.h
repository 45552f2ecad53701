// SPDX-License-Identifier: MIT
// The guest that does one thing at a time (payloads/parked_arm64.S), in a Gunyah VM.
#pragma once

#include <functional>
#include <initializer_list>

#include "glue/gunyah_vm.h"

namespace mv::glue {

class ParkedGuest {
 public:
  enum Command : uint8_t { kNothing, kLoad, kStore, kWord, kCall, kHvc, kWait, kReport, kBreak, kSpin, kMask };
  static constexpr uint64_t kArguments = 0x6008, kCommand = 0x6000, kResult = 0x7000;

  // What came of a command.
  struct Outcome {
    bool done = false;  // false: VCPU_RUN ended otherwise
    uint64_t value = 0;
    bool exception = false, interrupt = false;
    uint64_t esr = 0, far = 0;
    unsigned exception_class() const { return static_cast<unsigned>(esr >> 26); }
    unsigned fault_status() const { return esr & 0x3f; }
  };
  // An access that is not the guest's own protocol: a write is given, a read is answered with what it returns.
  using Device = std::function<uint64_t(const MmioExit&)>;

  explicit ParkedGuest(unsigned vcpus = 1, std::span<const TreeDoorbell> doorbells = {});
  GunyahGuest& guest() { return guest_; }
  GunyahVcpu& vcpu() { return guest_.vcpu(0); }
  void on_device(Device d) { device_ = std::move(d); }
  // After guest().start().
  Outcome run(Command c, std::initializer_list<uint64_t> arguments = {}, unsigned size_log2 = 0);
  Outcome load(uint64_t address, unsigned size_log2) { return run(kLoad, {address}, size_log2); }
  Outcome store(uint64_t address, uint64_t value, unsigned size_log2) { return run(kStore, {address, value}, size_log2); }
  // One instruction, with x1 and x2 set; the result is x0.
  Outcome word(uint32_t w, uint64_t x1 = 0, uint64_t x2 = 0) { return run(kWord, {w, x1, x2}); }
  Outcome hvc(uint64_t x0, uint64_t x1 = 0, uint64_t x2 = 0, uint64_t x3 = 0) { return run(kHvc, {x0, x1, x2, x3}); }

 private:
  uint64_t answer(const MmioExit& e, uint64_t command, std::span<const uint64_t> arguments);

  GunyahGuest guest_;
  Device device_;
  std::optional<MmioExit> at_;  // the read of the next command
};

}  // namespace mv::glue
