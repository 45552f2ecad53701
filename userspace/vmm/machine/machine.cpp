// SPDX-License-Identifier: MIT
#include "vmm/machine/machine.h"

#include "vmm/dispatch/dispatch.h"

namespace mv {

// The device tree is the backend's: it has to know how many devices are in it.
static VmConfig with_virtio(const MachineConfig& config) {
  VmConfig vm = config.vm;
  vm.chosen.virtio = static_cast<unsigned>(config.disks.size() + config.virtio_console + config.rng);
  if (vm.chosen.virtio && config.backend == "gunyah" && !vm.unprotected && !vm.chosen.pool_size) {
    throw std::invalid_argument(
        "virtio devices need to see guest memory, and gunyah lends it to the guest: add --unprotected, or --swiotlb SIZE if the guest's "
        "kernel has CONFIG_DMA_RESTRICTED_POOL");
  }
  return vm;
}

Machine::Machine(const MachineConfig& config, MachineSinks sinks)
    : config_(config),
      sinks_(std::move(sinks)),
      backend_(make_backend(config.backend, config.arch, with_virtio(config))),
      console_([this](uint8_t byte) {
        if (sinks_.console) sinks_.console(byte);
      }) {
  plan_pci();
  build();
  if (config.vm.walk && sinks_.walk) walk_.emplace(*backend_, sinks_.walk);
  backend_->load(config.images);
}

Machine::~Machine() {
  if (loop_) loop_->stop();
  if (pc_) pc_->stop();
  if (board_) board_->stop();
}

void Machine::plan_pci() {
  for (const DiskSpec& d : config_.disks) plan_.disks.push_back(std::make_shared<DiskFile>(d.file, d.read_only));
  plan_.rng = config_.rng;
  if (!config_.virtio_console) return;
  plan_.console = [this](std::span<const std::byte> bytes) {
    if (sinks_.virtio_console) sinks_.virtio_console(bytes);
  };
}

void Machine::build() {
  loop_ = std::make_unique<DeviceLoop>();
  const PcWorld world{*backend_, bus_, mutex_, *loop_, console_, [this](Outcome o) { end(std::move(o)); }, sinks_.debug};
  if (backend_->arch() == Arch::x86_64) {
    pc_ = std::make_unique<Pc>(world, config_.vm, plan_);
  } else {
    board_ = std::make_unique<Board>(world, plan_);
  }
}

// After run(): all devices new, the images where they were.  Threads of the old devices wait for the lock: they end first.
void Machine::power_cycle() {
  loop_->stop();
  if (pc_) pc_->stop();
  if (board_) board_->stop();
  std::lock_guard lock(mutex_);
  pc_.reset();
  board_.reset();
  bus_ = {};
  backend_->reset();
  build();
  backend_->load(config_.images);
  outcome_.reset();
}

void Machine::add(Space space, uint64_t base, uint64_t length, std::unique_ptr<Device> device) {
  bus_.claim(space, base, length, *device);
  devices_.push_back(std::move(device));
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
  for (;;) {
    const Ending ending = backend_->run(*this);
    const Outcome outcome = [&] {
      std::lock_guard lock(mutex_);
      return outcome_ ? *outcome_ : outcome_of(ending);
    }();
    if (outcome.kind != OutcomeKind::reset || config_.on_reset == OnReset::exit || quit_) {
      if (walk_) walk_->finish();
      return outcome;
    }
    power_cycle();
    if (quit_) return {};
  }
}

void Machine::stop() {
  quit_ = true;
  backend_->stop();
}

void Machine::type(std::span<const uint8_t> bytes) {
  std::lock_guard lock(mutex_);
  VirtioConsole* v = pc_ ? pc_->virtio_console() : board_->virtio_console();
  if (config_.type_at_virtio && v) return v->type(bytes);
  for (uint8_t b : bytes) console_.type(b);
}

}  // namespace mv
