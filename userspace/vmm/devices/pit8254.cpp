// SPDX-License-Identifier: MIT
#include "vmm/devices/pit8254.h"

#include <algorithm>

namespace mv {

namespace {

uint32_t from_bcd(uint16_t v) { return (v >> 12) * 1000u + (v >> 8 & 15) * 100u + (v >> 4 & 15) * 10u + (v & 15); }
uint16_t to_bcd(uint32_t v) { return static_cast<uint16_t>(v / 1000 % 10 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10); }

}  // namespace

// Since the count was loaded or triggered; stands still while the gate is low.
uint64_t Pit8254::ticks(const Channel& c) const {
  if (!c.loaded) return 0;
  if (!c.gate && c.mode != 1 && c.mode != 5) return c.held;
  return c.held + ticks_in(timing_.now() - c.start_ns, kHz);
}

bool Pit8254::output(const Channel& c) const {
  if (!c.loaded) return c.mode != 0;
  const uint64_t t = ticks(c);
  switch (c.mode) {
    case 0:
    case 1:
      return t >= c.count;
    case 2:
      return !c.gate || t % c.count != c.count - 1;
    case 3:
      return !c.gate || t % c.count < (c.count + 1) / 2;
    default:  // 4 and 5: a strobe of one tick
      return t != c.count;
  }
}

uint16_t Pit8254::value(const Channel& c) const {
  const uint64_t t = ticks(c);
  const uint64_t modulus = c.bcd ? 10000 : 0x10000;
  uint64_t v;
  if (c.mode == 2) {
    v = c.count - t % c.count;
  } else if (c.mode == 3) {
    v = c.count - 2 * t % c.count;  // counts by two, twice a period
  } else {
    v = (c.count + modulus - t % modulus) % modulus;
  }
  v %= modulus;
  return c.bcd ? to_bcd(static_cast<uint32_t>(v)) : static_cast<uint16_t>(v);
}

uint8_t Pit8254::status(const Channel& c) const {
  return static_cast<uint8_t>((output(c) ? STATUS_OUTPUT : 0) | (c.loaded ? 0 : STATUS_NULL_COUNT) | c.access << 4 | c.mode << 1 | (c.bcd ? 1 : 0));
}

uint8_t Pit8254::read_counter(Channel& c) {
  if (c.latched_status) {
    const uint8_t s = *c.latched_status;
    c.latched_status.reset();
    return s;
  }
  const uint16_t v = c.latched ? *c.latched : value(c);
  const bool high = c.access == HIGH || (c.access == LOW_HIGH && c.high_next);
  if (c.access == LOW_HIGH) c.high_next = !c.high_next;
  if (c.access != LOW_HIGH || !c.high_next) c.latched.reset();  // read to its end
  return static_cast<uint8_t>(high ? v >> 8 : v);
}

void Pit8254::write_counter(Channel& c, uint8_t value) {
  switch (c.access) {
    case LOW:
      return load(c, value);
    case HIGH:
      return load(c, static_cast<uint16_t>(value << 8));
    default:
      break;
  }
  if (!c.high_next) {
    c.low = value;
    c.high_next = true;
    return;
  }
  c.high_next = false;
  load(c, static_cast<uint16_t>(value << 8 | c.low));
}

void Pit8254::load(Channel& c, uint16_t value) {
  c.count = c.bcd ? from_bcd(value) : value;
  if (c.count == 0) c.count = c.bcd ? 10000 : 0x10000;
  c.loaded = true;
  start(c);
}

void Pit8254::start(Channel& c) {
  c.start_ns = timing_.now();
  c.held = 0;
  c.delivered = 0;
  if (&c == &channels_[0]) {
    if (c.mode == 0) irq_.set(false);
    arm();
  }
}

void Pit8254::control(uint8_t value) {
  if ((value & READ_BACK) == READ_BACK) {
    for (unsigned i = 0; i < 3; ++i) {
      Channel& c = channels_[i];
      if (!(value & 2u << i)) continue;
      // what is latched already stays until it is read
      if (!(value & READ_BACK_NO_STATUS) && !c.latched_status) c.latched_status = status(c);
      if (!(value & READ_BACK_NO_COUNT) && !c.latched) c.latched = this->value(c);
    }
    return;
  }
  Channel& c = channels_[value >> 6];
  const auto access = static_cast<Access>(value >> 4 & 3);
  if (access == LATCH) {
    if (!c.latched) c.latched = this->value(c);
    return;
  }
  const bool gate = c.gate;
  c = Channel{};
  c.gate = gate;
  c.access = access;
  c.mode = value >> 1 & 7;
  if (c.mode > 5) c.mode &= 3;  // 6 and 7 are 2 and 3
  c.bcd = value & 1;
  if (&c == &channels_[0]) {
    if (c.mode == 0) irq_.set(false);
    arm();
  }
}

void Pit8254::gate2(bool high) {
  Channel& c = channels_[2];
  if (high == c.gate) return;
  if (!high) {
    if (c.mode != 1 && c.mode != 5) c.held = ticks(c);
    c.gate = false;
    return;
  }
  c.gate = true;
  const uint64_t held = c.held;
  if (!c.loaded) return;
  start(c);
  // modes 0 and 4 go on where they stopped, the others begin again
  if (c.mode == 0 || c.mode == 4) c.held = held;
}

// Channel 0's next interrupt.  Modes 1 and 5 wait for a trigger that this channel has no pin for.
void Pit8254::arm() {
  const Channel& c = channels_[0];
  uint64_t at = kNever;
  if (c.loaded && periodic(c)) {
    at = c.start_ns + ns_of((c.delivered + 1) * c.count, kHz);
  } else if (c.loaded && (c.mode == 0 || c.mode == 4) && !c.delivered) {
    at = c.start_ns + ns_of(c.count + (c.mode == 4 ? 1 : 0), kHz);
  }
  if (at != kNever) at = std::max(at, timing_.now() + (c.delivered ? kShortestAlarmNs : 0));
  timing_.wake_at(at);
}

void Pit8254::expire() {
  Channel& c = channels_[0];
  const uint64_t t = ticks(c);
  if (c.loaded && periodic(c) && t / c.count > c.delivered) {
    c.delivered = t / c.count;
    irq_.edge();
  } else if (c.loaded && (c.mode == 0 || c.mode == 4) && !c.delivered && t >= c.count) {
    c.delivered = 1;
    irq_.edge();
  }
  arm();
}

uint64_t Pit8254::read(uint64_t offset, unsigned size) {
  uint64_t result = 0;
  for (unsigned i = 0; i < size; ++i) {
    const uint64_t port = offset + i;
    result |= uint64_t{port < CONTROL ? read_counter(channels_[port]) : uint8_t{0xff}} << (8 * i);
  }
  return result;
}

void Pit8254::write(uint64_t offset, unsigned size, uint64_t value) {
  for (unsigned i = 0; i < size; ++i, value >>= 8) {
    const uint64_t port = offset + i;
    if (port == CONTROL) {
      control(static_cast<uint8_t>(value));
    } else {
      write_counter(channels_[port], static_cast<uint8_t>(value));
    }
  }
}

}  // namespace mv
