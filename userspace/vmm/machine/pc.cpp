// SPDX-License-Identifier: MIT
#include "vmm/machine/pc.h"

#include "vmm/devices/timing.h"
#include "vmm/machine/walk_log.h"

namespace mv {

namespace {

constexpr uint64_t kCom1 = 0x3f8;
constexpr uint64_t kDebugExitPort = 0xf4;
constexpr uint64_t kScratchPorts = 0x500;
constexpr uint64_t kScratchMmio = 0xd0000000;
constexpr uint64_t kVirtualEpoch = 1577836800 * kNsPerSecond;  // virtual time begins with the year 2020

}  // namespace

Pc::Pc(const PcWorld& world, const VmConfig& vm, const VirtioPlan& plan)
    : world_(world),
      pit_alarm_(world.loop, [this] { expire_pit(); }),
      com1_(world.console, line(kGsiCom1)),
      pit_({[this] { return world_.backend.now_ns(); }, [this](uint64_t at) { wake_pit(at); }}, line(kGsiTimer)),
      port61_(pit_),
      rtc_(vm.virtual_time ? [this] { return kVirtualEpoch + world_.backend.now_ns(); } : std::function<uint64_t()>(utc_ns), {.below_4g = vm.memory_bytes, .above_4g = 0, .vcpus = vm.vcpus}),
      keyboard_([this] { world_.end({OutcomeKind::reset, 0, {}}); }, line(kGsiKeyboard)),
      pm1_([this] { world_.end({OutcomeKind::powered_off, 0, {}}); }),
      pm_timer_([this] { return world_.backend.now_ns(); }),
      reset_([this] { world_.end({OutcomeKind::reset, 0, {}}); }),
      debug_exit_([this](uint64_t code) { world_.end({OutcomeKind::exited, code, {}}); }),
      firmware_(make_firmware(vm)),
      pci_({world.backend, world.bus, world.devices, world.loop}, plan, firmware_ ? &firmware_->bridge() : nullptr) {
  Bus& bus = world_.bus;
  bus.claim(Space::pio, kCom1, Uart16550::kPorts, com1_);
  bus.claim(Space::pio, Pit8254::kBase, Pit8254::kPorts, pit_);
  bus.claim(Space::pio, Port61::kPort, 1, port61_);
  bus.claim(Space::pio, Rtc146818::kBase, Rtc146818::kPorts, rtc_);
  bus.claim(Space::pio, I8042::kDataPort, 1, keyboard_.data());
  bus.claim(Space::pio, I8042::kCommandPort, 1, keyboard_.command());
  bus.claim(Space::pio, DelayPort::kPost, 1, post_);
  bus.claim(Space::pio, DelayPort::kOther, 1, delay_);
  bus.claim(Space::pio, ResetControl::kPort, 1, reset_);
  bus.claim(Space::pio, kDebugExitPort, DebugExit::kSize, debug_exit_);
  if (firmware_) {
    firmware_->plug(pci_.bus());
    return;
  }
  bus.claim(Space::pio, Pm1Block::kBase, Pm1Block::kPorts, pm1_);
  bus.claim(Space::pio, PmTimer::kBase, PmTimer::kPorts, pm_timer_);
  bus.claim(Space::pio, kScratchPorts, Scratch::kSize, scratch_ports_);
  bus.claim(Space::mmio, kScratchMmio, Scratch::kSize, scratch_);
}

void Pc::expire_pit() {
  std::lock_guard lock(world_.devices);
  pit_.expire();
}

void Pc::wake_pit(uint64_t at) {
  if (!world_.backend.alarm(at, [this] { expire_pit(); })) pit_alarm_.set(at);
}

std::unique_ptr<FirmwareBoard> Pc::make_firmware(const VmConfig& vm) {
  if (!vm.rom_bytes) return nullptr;
  return std::make_unique<FirmwareBoard>(world_.bus, FirmwareBoardConfig{.ram = GuestRam(world_.backend.memory(), 0),
                                                                         .memory_bytes = vm.memory_bytes,
                                                                         .vcpus = vm.vcpus,
                                                                         .debug = world_.debug,
                                                                         .now = [this] { return world_.backend.now_ns(); },
                                                                         .power_off = [this] { world_.end({OutcomeKind::powered_off, 0, {}}); },
                                                                         .reset = [this] { world_.end({OutcomeKind::reset, 0, {}}); }});
}

Pc::~Pc() = default;

IrqLine Pc::line(uint32_t gsi) const {
  return IrqLine([this, gsi](bool high) { world_.backend.irq_line(gsi, high); });
}

}  // namespace mv
