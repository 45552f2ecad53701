// SPDX-License-Identifier: MIT
#include "vmm/devices/rtc146818.h"

#include <algorithm>

#include "vmm/devices/timing.h"

namespace mv {

Rtc146818::Rtc146818(std::function<uint64_t()> utc_ns, const Memory& memory) : utc_ns_(std::move(utc_ns)) {
  cmos_[A] = 0x26;  // 32768 Hz, 1024 Hz
  cmos_[B] = B_24_HOURS;
  cmos_[D] = D_VALID;
  const uint64_t kib = memory.below_4g >> 10;
  put16(BASE_MEMORY, std::min<uint64_t>(kib, 640));
  const uint64_t extended = kib > 1024 ? std::min<uint64_t>(kib - 1024, 0xffff) : 0;
  put16(EXTENDED_MEMORY, extended);
  put16(EXTENDED_MEMORY_AGAIN, extended);
  put16(ABOVE_16M, kib > 16384 ? std::min<uint64_t>((kib - 16384) / 64, 0xffff) : 0);
  const uint64_t high = memory.above_4g >> 16;
  put16(ABOVE_4G, high);
  cmos_[ABOVE_4G + 2] = static_cast<uint8_t>(high >> 16);
  cmos_[BOOT_ORDER] = 2;  // the hard disk
  cmos_[MORE_CPUS] = static_cast<uint8_t>(memory.vcpus - 1);
  seen_s_ = utc_ns_() / kNsPerSecond;
}

void Rtc146818::put16(uint8_t index, uint64_t value) {
  cmos_[index] = static_cast<uint8_t>(value);
  cmos_[index + 1u] = static_cast<uint8_t>(value >> 8);
}

bool Rtc146818::is_time(uint8_t index) {
  return index == SECONDS || index == MINUTES || index == HOURS || (index >= WEEKDAY && index <= YEAR) || index == CENTURY;
}

uint8_t Rtc146818::encode(unsigned v) const { return static_cast<uint8_t>(cmos_[B] & B_BINARY ? v : v / 10 << 4 | v % 10); }
unsigned Rtc146818::decode(uint8_t v) const { return cmos_[B] & B_BINARY ? v : (v >> 4) * 10u + (v & 15); }

std::tm Rtc146818::time() const {
  if (cmos_[B] & B_SET) return frozen_;
  const auto s = static_cast<std::time_t>(static_cast<int64_t>(utc_ns_() / kNsPerSecond) + offset_s_);
  std::tm t{};
  ::gmtime_r(&s, &t);
  return t;
}

uint8_t Rtc146818::from_tm(uint8_t index, const std::tm& t) const {
  switch (index) {
    case SECONDS:
      return encode(static_cast<unsigned>(t.tm_sec));
    case MINUTES:
      return encode(static_cast<unsigned>(t.tm_min));
    case HOURS: {
      const auto h = static_cast<unsigned>(t.tm_hour);
      if (cmos_[B] & B_24_HOURS) return encode(h);
      return static_cast<uint8_t>(encode(h % 12 ? h % 12 : 12) | (h >= 12 ? 0x80 : 0));
    }
    case WEEKDAY:
      return encode(static_cast<unsigned>(t.tm_wday) + 1);
    case DAY:
      return encode(static_cast<unsigned>(t.tm_mday));
    case MONTH:
      return encode(static_cast<unsigned>(t.tm_mon) + 1);
    case YEAR:
      return encode(static_cast<unsigned>(t.tm_year) % 100);
    default:  // CENTURY
      return encode((static_cast<unsigned>(t.tm_year) + 1900) / 100);
  }
}

void Rtc146818::into_tm(uint8_t index, std::tm& t, uint8_t value) const {
  const auto v = static_cast<int>(decode(value));
  switch (index) {
    case SECONDS:
      t.tm_sec = v;
      break;
    case MINUTES:
      t.tm_min = v;
      break;
    case HOURS:
      t.tm_hour = cmos_[B] & B_24_HOURS ? v : static_cast<int>(decode(value & 0x7f) % 12) + (value & 0x80 ? 12 : 0);
      break;
    case DAY:
      t.tm_mday = v;
      break;
    case MONTH:
      t.tm_mon = v - 1;
      break;
    case YEAR:
      t.tm_year = t.tm_year / 100 * 100 + v;
      break;
    case CENTURY:
      t.tm_year = v * 100 - 1900 + (t.tm_year % 100);
      break;
    default:  // the weekday follows from the date
      break;
  }
}

uint8_t Rtc146818::read_register(uint8_t index) {
  if (is_time(index)) return from_tm(index, time());
  const uint64_t now = utc_ns_();
  if (index == A) {
    const bool updating = !(cmos_[B] & B_SET) && now % kNsPerSecond >= kNsPerSecond - kUpdateNs;
    return static_cast<uint8_t>(cmos_[A] | (updating ? A_UPDATING : 0));
  }
  if (index == C) {
    const bool updated = now / kNsPerSecond != seen_s_;
    seen_s_ = now / kNsPerSecond;
    return updated ? C_UPDATED : 0;
  }
  return cmos_[index];
}

void Rtc146818::write_register(uint8_t index, uint8_t value) {
  if (is_time(index)) {
    std::tm t = time();
    into_tm(index, t, value);
    if (cmos_[B] & B_SET) {
      frozen_ = t;
    } else {
      offset_s_ = ::timegm(&t) - static_cast<int64_t>(utc_ns_() / kNsPerSecond);
    }
    return;
  }
  switch (index) {
    case A:
      cmos_[A] = value & static_cast<uint8_t>(~A_UPDATING);
      break;
    case B: {
      const bool was_set = cmos_[B] & B_SET;
      if (value & B_SET && !was_set) frozen_ = time();
      cmos_[B] = value;
      if (!(value & B_SET) && was_set) {
        std::tm t = frozen_;
        offset_s_ = ::timegm(&t) - static_cast<int64_t>(utc_ns_() / kNsPerSecond);
      }
      break;
    }
    case C:
    case D:
      break;  // read-only
    default:
      cmos_[index] = value;
      break;
  }
}

// Port 0x70 is write-only; its bit 7 masks NMIs, which nobody raises.
uint64_t Rtc146818::read(uint64_t offset, unsigned) { return offset == 0 ? 0xff : read_register(index_); }

void Rtc146818::write(uint64_t offset, unsigned size, uint64_t value) {
  if (offset == 0) index_ = value & 0x7f;
  if (offset == 1) write_register(index_, static_cast<uint8_t>(value));
  if (offset == 0 && size > 1) write_register(index_, static_cast<uint8_t>(value >> 8));
}

}  // namespace mv
