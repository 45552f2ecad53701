// SPDX-License-Identifier: MIT
#include "vmm/machine/machine.h"

#include "vmm/backend/device_tree.h"
#include "vmm/devices/debug_exit.h"
#include "vmm/devices/pl011.h"
#include "vmm/devices/scratch.h"
#include "vmm/dispatch/dispatch.h"

namespace mv {

Machine::Machine(const MachineConfig& config, MachineSinks sinks)
    : sinks_(std::move(sinks)),
      backend_(make_backend(config.backend, config.arch, config.vm)),
      console_([this](uint8_t byte) {
        if (sinks_.console) sinks_.console(byte);
      }) {
  if (backend_->arch() == Arch::x86_64) {
    loop_ = std::make_unique<DeviceLoop>();
    pc_ = std::make_unique<Pc>(PcWorld{*backend_, bus_, mutex_, *loop_, console_, [this](Outcome o) { end(std::move(o)); }}, config.vm);
  } else {
    add_arm64_devices();
  }
  if (config.vm.walk && sinks_.walk) walk_.emplace(*backend_, sinks_.walk);
  backend_->load(config.images);
}

Machine::~Machine() {
  if (loop_) loop_->stop();
}

void Machine::add(Space space, uint64_t base, uint64_t length, std::unique_ptr<Device> device) {
  bus_.claim(space, base, length, *device);
  devices_.push_back(std::move(device));
}

void Machine::add_arm64_devices() {
  add(Space::mmio, Arm64Layout::kPl011, Pl011::kSize, std::make_unique<Pl011>(console_));
  add(Space::mmio, Arm64Layout::kDebugExit, DebugExit::kSize, std::make_unique<DebugExit>([this](uint64_t code) { end({OutcomeKind::exited, code, {}}); }));
  add(Space::mmio, Arm64Layout::kScratch, Scratch::kSize, std::make_unique<Scratch>());
}

// Called from serve(), with the lock held: the first ending counts.
void Machine::end(Outcome outcome) {
  if (!outcome_) outcome_ = std::move(outcome);
  backend_->stop();
}

Reply Machine::serve(const Access& access) {
  std::lock_guard lock(mutex_);
  if (walk_) walk_->before(access.vcpu);
  const uint64_t start = walk_ ? monotonic_ns() : 0;
  const Reply reply = dispatch(bus_, access);
  if (walk_) walk_->after({access, reply, start, monotonic_ns()});
  ++served_;
  if (sinks_.served) sinks_.served(access, reply);
  return reply;
}

static Outcome outcome_of(const Ending& e) {
  switch (e.kind) {
    case EndKind::powered_off:
      return {OutcomeKind::powered_off, 0, {}};
    case EndKind::reset:
      return {OutcomeKind::reset, 0, {}};
    case EndKind::crashed:
      return {OutcomeKind::crashed, 0, e.detail};
    case EndKind::stopped:
      break;
  }
  return {};
}

Outcome Machine::run() {
  const Ending ending = backend_->run(*this);
  std::lock_guard lock(mutex_);
  if (walk_) walk_->finish();
  return outcome_ ? *outcome_ : outcome_of(ending);
}

void Machine::stop() { backend_->stop(); }

void Machine::type(std::span<const uint8_t> bytes) {
  std::lock_guard lock(mutex_);
  for (uint8_t b : bytes) console_.type(b);
}

}  // namespace mv
