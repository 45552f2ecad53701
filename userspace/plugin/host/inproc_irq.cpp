// SPDX-License-Identifier: MIT
// Interrupts of a plugin's machine: lines, routes, eventfds that are lines, and the controllers' state.
#include <algorithm>
#include <cstring>
#include <ctime>
#include <set>

#include "plugin/host/inproc_machine.h"
#include "plugin/host/signal.h"

namespace mv::plugin {

namespace {

constexpr uint32_t kPins = 24;
constexpr uint32_t kMostGsis = 4096;

class ChipLock {
 public:
  explicit ChipLock(irqchip& chip) : lock_(&chip.lock) { env_lock_take(lock_); }
  ~ChipLock() { env_lock_drop(lock_); }

 private:
  env_lock* lock_;
};

bool good_route(const kvm_irq_routing_entry& r) {
  if (r.gsi >= kMostGsis) return false;
  if (r.type == KVM_IRQ_ROUTING_MSI) return true;
  return r.u.irqchip.irqchip == KVM_IRQCHIP_IOAPIC ? r.u.irqchip.pin < kPins : r.u.irqchip.irqchip < KVM_IRQCHIP_IOAPIC && r.u.irqchip.pin < 8;
}

// Which controller; MSIs are a fourth that bears no company.
uint32_t place_of(const kvm_irq_routing_entry& r) { return r.type == KVM_IRQ_ROUTING_MSI ? 3 : r.u.irqchip.irqchip; }

kvm_pic_state to_kvm(const pic& p, uint8_t elcr_mask) {
  kvm_pic_state k = {};
  k.last_irr = p.lines;
  k.irr = p.irr;
  k.imr = p.imr;
  k.isr = p.isr;
  k.priority_add = (p.lowest + 1) & 7;
  k.irq_base = p.base;
  k.read_reg_select = p.read_isr;
  k.poll = p.poll;
  k.special_mask = p.special_mask;
  k.init_state = p.step ? static_cast<uint8_t>(p.step - 1) : 0;
  k.auto_eoi = p.auto_eoi;
  k.rotate_on_auto_eoi = p.rotate_on_aeoi;
  k.special_fully_nested_mode = p.special_nested;
  k.init4 = p.icw4_follows;
  k.elcr = p.elcr;
  k.elcr_mask = elcr_mask;
  return k;
}

void from_kvm(const kvm_pic_state& k, pic& p) {
  p.lines = k.last_irr;
  p.irr = k.irr;
  p.imr = k.imr;
  p.isr = k.isr;
  p.lowest = static_cast<u8>((k.priority_add - 1) & 7);
  p.base = k.irq_base;
  p.read_isr = k.read_reg_select;
  p.poll = k.poll;
  p.special_mask = k.special_mask;
  p.step = k.init_state ? static_cast<u8>(k.init_state + 1) : 0;
  p.auto_eoi = k.auto_eoi;
  p.rotate_on_aeoi = k.rotate_on_auto_eoi;
  p.special_nested = k.special_fully_nested_mode;
  p.icw4_follows = k.init4;
  p.elcr = k.elcr;
}

uint64_t realtime_ns() {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000000000u + static_cast<uint64_t>(t.tv_nsec);
}

}  // namespace

void InprocMachine::drive_pin(const kvm_irq_routing_irqchip& pin, bool high) {
  ChipLock lock(*chip_);
  if (pin.irqchip == KVM_IRQCHIP_IOAPIC) {
    ioapic_line(chip_.get(), pin.pin, high);
    return;
  }
  const uint32_t input = pin.irqchip * 8 + pin.pin;
  if (input == PIC_CASCADE) return;  // the second chip's
  pic_line(&chip_->pic, input, high);
  if (!pic_output(&chip_->pic)) return;
  hv_cpu_request(&vcpus_[0]->cpu().hv, HV_REQ_IRQ);
  bell_.wake();
}

void InprocMachine::send_message(uint64_t address, uint32_t data) { irqchip_msi(chip_.get(), address, data); }

// With mutex_ held.
void InprocMachine::drive(uint32_t gsi, bool was, bool is) {
  if (was == is) return;
  for (const kvm_irq_routing_entry& r : routes_) {
    if (r.gsi != gsi) continue;
    if (r.type == KVM_IRQ_ROUTING_MSI) {
      if (is) send_message(static_cast<uint64_t>(r.u.msi.address_hi) << 32 | r.u.msi.address_lo, r.u.msi.data);
    } else {
      drive_pin(r.u.irqchip, is);
    }
  }
}

// An eventfd's hold of a line ends; of a line that nobody holds nothing is kept, for there are as many as a plugin likes.
void InprocMachine::let_go(uint32_t gsi) {
  const auto line = lines_.find(gsi);
  --line->second.by_events;
  const bool high = line->second.high();
  if (!high) lines_.erase(line);
  drive(gsi, true, high);
}

// No route leads from GSIs beyond the table, so nothing is kept of their lines.
int InprocMachine::irq_line(uint32_t gsi, bool high) {
  if (gsi >= kMostGsis) return 0;
  std::lock_guard lock(mutex_);
  Line& line = lines_[gsi];
  const bool was = line.high();
  line.by_request = high;
  drive(gsi, was, line.high());
  return 0;
}

int InprocMachine::set_routes(const std::vector<kvm_irq_routing_entry>& routes) {
  std::set<std::pair<uint32_t, uint32_t>> seen;
  std::set<uint32_t> with_msi, with_chip;
  for (const kvm_irq_routing_entry& r : routes) {
    if (!good_route(r) || !seen.emplace(r.gsi, place_of(r)).second) return -EINVAL;
    (r.type == KVM_IRQ_ROUTING_MSI ? with_msi : with_chip).insert(r.gsi);
    if (with_msi.contains(r.gsi) && with_chip.contains(r.gsi)) return -EINVAL;
  }
  std::lock_guard lock(mutex_);
  routes_ = routes;
  return 0;
}

int InprocMachine::add_irq_event(uint32_t key, uint32_t gsi, int trigger, int resample) {
  std::lock_guard lock(mutex_);
  auto watch = std::make_unique<DeviceLoop::Watch>(loop_, trigger, [this, key] { triggered(key); });
  irq_events_.insert_or_assign(key, IrqEvent{.gsi = gsi, .resample = resample, .watch = std::move(watch)});
  return 0;
}

int InprocMachine::remove_irq_event(uint32_t key) {
  std::lock_guard lock(mutex_);
  const auto at = irq_events_.find(key);
  if (at == irq_events_.end()) return -ENOENT;
  if (at->second.high) let_go(at->second.gsi);
  irq_events_.erase(at);
  return 0;
}

void InprocMachine::triggered(uint32_t key) {
  std::lock_guard lock(mutex_);
  const auto at = irq_events_.find(key);
  if (at == irq_events_.end() || at->second.high) return;
  Line& line = lines_[at->second.gsi];
  const bool was = line.high();
  at->second.high = true;
  ++line.by_events;
  drive(at->second.gsi, was, true);
}

// The guest has finished with these inputs: eventfds let go of their lines.  What is to be told so is returned.
std::vector<int> InprocMachine::release(const Pins& pins) {
  std::vector<int> resample;
  if (pins.empty()) return resample;
  std::lock_guard lock(mutex_);
  for (auto& [key, event] : irq_events_) {
    if (!event.high) continue;
    const bool mine = std::any_of(routes_.begin(), routes_.end(), [&, gsi = event.gsi](const kvm_irq_routing_entry& r) {
      return r.gsi == gsi && r.type == KVM_IRQ_ROUTING_IRQCHIP &&
             std::find(pins.begin(), pins.end(), std::pair<uint32_t, uint32_t>(r.u.irqchip.irqchip, r.u.irqchip.pin)) != pins.end();
    });
    if (!mine) continue;
    event.high = false;
    let_go(event.gsi);
    resample.push_back(event.resample);
  }
  return resample;
}

void InprocMachine::finished(const Pins& pins) {
  const std::vector<int> resample = release(pins);
  {
    std::lock_guard lock(mutex_);
    for (const kvm_irq_routing_entry& r : routes_) {
      const auto line = lines_.find(r.gsi);
      if (r.type != KVM_IRQ_ROUTING_IRQCHIP || line == lines_.end() || !line->second.high()) continue;
      if (std::find(pins.begin(), pins.end(), std::pair(r.u.irqchip.irqchip, r.u.irqchip.pin)) != pins.end()) drive_pin(r.u.irqchip, true);
    }
  }
  for (const int fd : resample) signal_eventfd(fd);
}

InprocMachine::Pins InprocMachine::pins_of_events() {
  std::lock_guard lock(mutex_);
  Pins pins;
  for (const kvm_irq_routing_entry& r : routes_) {
    const bool wanted = r.type == KVM_IRQ_ROUTING_IRQCHIP && std::any_of(irq_events_.begin(), irq_events_.end(), [&](auto& e) { return e.second.gsi == r.gsi; });
    if (wanted) pins.emplace_back(r.u.irqchip.irqchip, r.u.irqchip.pin);
  }
  return pins;
}

// An end of interrupt lowers the lines of eventfds first, or a level would be taken again at once.
bool InprocMachine::serve_chip(InprocVcpu& vcpu, const hv_exit& access, uint64_t& value) {
  lapic& l = vcpu.apic();
  std::vector<std::pair<uint32_t, uint32_t>> finished;
  u64 answer = 0;
  const bool write = access.direction == HV_WRITE;
  const bool eoi = write && access.space == HV_SPACE_MMIO && access.address == LAPIC_BASE + LAPIC_EOI && (l.base & 0xc00) == 0x800;
  if (eoi) {
    int vector = -1;
    for (int i = 255; i >= 0 && vector < 0; --i) {
      if (l.isr[i / 32] >> (i % 32) & 1) vector = i;
    }
    ChipLock lock(*chip_);
    for (uint32_t pin = 0; pin < kPins; ++pin) {
      if (vector >= 0 && static_cast<u8>(chip_->ioapic.rte[pin]) == vector) finished.emplace_back(KVM_IRQCHIP_IOAPIC, pin);
    }
  }
  std::vector<int> resample = release(finished);
  const u8 before[2] = {chip_->pic.chip[0].isr, chip_->pic.chip[1].isr};
  if (!irqchip_access(&l, &access, &answer)) return false;
  value = answer;
  finished.clear();
  for (uint32_t c = 0; write && access.space == HV_SPACE_PIO && c < 2; ++c) {
    const unsigned cleared = before[c] & ~chip_->pic.chip[c].isr & 0xff;
    for (uint32_t pin = 0; pin < 8; ++pin) {
      if (cleared >> pin & 1) finished.emplace_back(c, pin);
    }
  }
  for (const int fd : release(finished)) resample.push_back(fd);
  for (const int fd : resample) signal_eventfd(fd);
  return true;
}

int InprocMachine::get_state(MachineState set, std::span<std::byte> state) {
  const auto out = [&](const auto& k) {
    std::memcpy(state.data(), &k, sizeof(k));
    return 0;
  };
  switch (set) {
    case MachineState::pic0:
    case MachineState::pic1: {
      ChipLock lock(*chip_);
      const bool second = set == MachineState::pic1;
      return out(to_kvm(chip_->pic.chip[second], second ? 0xde : 0xf8));
    }
    case MachineState::ioapic: {
      ChipLock lock(*chip_);
      kvm_ioapic_state k = {};
      k.base_address = IOAPIC_BASE;
      k.ioregsel = chip_->ioapic.select;
      k.id = chip_->ioapic.id;
      k.irr = static_cast<uint32_t>(chip_->ioapic.lines);
      for (uint32_t i = 0; i < kPins; ++i) k.redirtbl[i].bits = chip_->ioapic.rte[i];
      return out(k);
    }
    case MachineState::pit: {
      std::lock_guard lock(pit_mutex_);
      return out(pit_state_);
    }
    case MachineState::clock: {
      kvm_clock_data k = {};
      k.clock = env_now_ns() + clock_offset_;
      k.flags = KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME;
      k.realtime = realtime_ns();
      return out(k);
    }
  }
  return -EINVAL;
}

int InprocMachine::set_state(MachineState set, std::span<const std::byte> state) {
  switch (set) {
    case MachineState::pic0:
    case MachineState::pic1: {
      kvm_pic_state k;
      std::memcpy(&k, state.data(), sizeof(k));
      ChipLock lock(*chip_);
      from_kvm(k, chip_->pic.chip[set == MachineState::pic1]);
      hv_cpu_request(&vcpus_[0]->cpu().hv, HV_REQ_IRQ);
      return 0;
    }
    case MachineState::ioapic: {
      kvm_ioapic_state k;
      std::memcpy(&k, state.data(), sizeof(k));
      ChipLock lock(*chip_);
      chip_->ioapic.select = k.ioregsel;
      chip_->ioapic.id = k.id;
      chip_->ioapic.lines = k.irr;
      for (uint32_t i = 0; i < kPins; ++i) chip_->ioapic.rte[i] = k.redirtbl[i].bits;
      return 0;
    }
    case MachineState::pit: {
      std::lock_guard lock(pit_mutex_);
      std::memcpy(&pit_state_, state.data(), sizeof(pit_state_));
      program_pit();
      return 0;
    }
    case MachineState::clock: {
      kvm_clock_data k;
      std::memcpy(&k, state.data(), sizeof(k));
      if (k.flags & ~(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)) return -EINVAL;
      clock_offset_ = k.clock - env_now_ns();
      return 0;
    }
  }
  return -EINVAL;
}

// Channels with a mode are started as a guest would; 0xff is one that was never programmed.
void InprocMachine::program_pit() {
  for (unsigned i = 0; i < 3; ++i) {
    const kvm_pit_channel_state& c = pit_state_.channels[i];
    if (c.mode > 5) continue;
    pit_->write(Pit8254::CONTROL, 1, i << 6 | Pit8254::LOW_HIGH << 4 | static_cast<unsigned>(c.mode) << 1 | (c.bcd ? 1 : 0));
    pit_->write(i, 1, c.count & 0xff);
    pit_->write(i, 1, c.count >> 8 & 0xff);
  }
}

}  // namespace mv::plugin
