// SPDX-License-Identifier: MIT
#include "vmm/machine/aml.h"

#include <stdexcept>

namespace mv::aml {

namespace {

constexpr uint8_t kZero = 0x00, kOne = 0x01, kName = 0x08, kByte = 0x0a, kWord = 0x0b, kDword = 0x0c, kString = 0x0d, kQword = 0x0e, kScope = 0x10, kBuffer = 0x11,
                  kPackage = 0x12, kDualName = 0x2e, kMultiName = 0x2f, kExtended = 0x5b, kDevice = 0x82;

void put(Bytes& out, uint64_t v, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(v >> (8 * i)));
}

// Room for what follows; gcc 12 takes the growth of a one-byte vector for an overflow.
Bytes begin(std::initializer_list<uint8_t> head) {
  Bytes out;
  out.reserve(64);
  for (uint8_t byte : head) out.push_back(byte);
  return out;
}

// PkgLength counts itself: one byte up to 63, else a lead byte with four bits and one to three more (section 20.2.4).
Bytes with_length(const Bytes& content) {
  Bytes out;
  const size_t n = content.size();
  if (n + 1 < 64) {
    out.push_back(static_cast<uint8_t>(n + 1));
  } else {
    unsigned more = 1;
    while (n + 1 + more >= size_t{1} << (4 + 8 * more)) ++more;
    const size_t total = n + 1 + more;
    out.push_back(static_cast<uint8_t>(more << 6 | (total & 0xf)));
    put(out, total >> 4, more);
  }
  return out + content;
}

Bytes opcode(std::initializer_list<uint8_t> op, const Bytes& content) { return Bytes(op) + with_length(content); }

void segment(Bytes& out, std::string_view s) {
  if (s.size() > 4 || s.empty()) throw std::invalid_argument("an AML name segment has one to four characters: " + std::string(s));
  for (size_t i = 0; i < 4; ++i) out.push_back(static_cast<uint8_t>(i < s.size() ? s[i] : '_'));
}

}  // namespace

Bytes operator+(Bytes a, const Bytes& b) {
  a.reserve(a.size() + b.size());
  for (uint8_t byte : b) a.push_back(byte);
  return a;
}

Bytes path(std::string_view name) {
  Bytes out;
  if (name.starts_with('\\')) {
    out.push_back('\\');
    name.remove_prefix(1);
  }
  std::vector<std::string_view> parts;
  while (!name.empty()) {
    const size_t dot = std::min(name.find('.'), name.size());
    parts.push_back(name.substr(0, dot));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  if (parts.empty()) out.push_back(kZero);
  if (parts.size() == 2) out.push_back(kDualName);
  if (parts.size() > 2) {
    out.push_back(kMultiName);
    out.push_back(static_cast<uint8_t>(parts.size()));
  }
  for (std::string_view p : parts) segment(out, p);
  return out;
}

Bytes integer(uint64_t v) {
  if (v <= 1) return {v ? kOne : kZero};
  Bytes out;
  const unsigned bytes = v <= 0xff ? 1 : v <= 0xffff ? 2 : v <= 0xffffffff ? 4 : 8;
  out.push_back(bytes == 1 ? kByte : bytes == 2 ? kWord : bytes == 4 ? kDword : kQword);
  put(out, v, bytes);
  return out;
}

Bytes string(std::string_view text) {
  Bytes out = begin({kString});
  out.insert(out.end(), text.begin(), text.end());
  out.push_back(0);
  return out;
}

Bytes eisa_id(std::string_view id) {
  if (id.size() != 7) throw std::invalid_argument("an EISA identifier has three letters and four digits: " + std::string(id));
  const auto letter = [&](int i) { return static_cast<uint32_t>(id[static_cast<size_t>(i)] - 0x40) & 0x1f; };
  const uint32_t maker = letter(0) << 10 | letter(1) << 5 | letter(2);
  const uint32_t product = static_cast<uint32_t>(std::stoul(std::string(id.substr(3)), nullptr, 16));
  Bytes out = begin({kDword});
  // big-endian halves
  put(out, maker >> 8, 1);
  put(out, maker, 1);
  put(out, product >> 8, 1);
  put(out, product, 1);
  return out;
}

Bytes package(std::span<const Bytes> elements) {
  Bytes content{static_cast<uint8_t>(elements.size())};
  for (const Bytes& e : elements) content.insert(content.end(), e.begin(), e.end());
  return opcode({kPackage}, content);
}

Bytes package(std::initializer_list<Bytes> elements) { return package(std::span(elements.begin(), elements.size())); }

Bytes buffer(const Bytes& content) { return opcode({kBuffer}, integer(content.size()) + content); }

Bytes name(std::string_view where, const Bytes& value) { return Bytes{kName} + path(where) + value; }

Bytes scope(std::string_view where, const Bytes& content) { return opcode({kScope}, path(where) + content); }

Bytes device(std::string_view where, const Bytes& content) { return opcode({kExtended, kDevice}, path(where) + content); }

Bytes io(uint16_t first, uint8_t length) {
  Bytes out = begin({0x47, 1});  // decodes 16 bits
  put(out, first, 2);
  put(out, first, 2);
  out.push_back(1);
  out.push_back(length);
  return out;
}

Bytes irq(uint8_t line) {
  Bytes out = begin({0x22});
  put(out, uint64_t{1} << line, 2);
  return out;
}

// Word and double-word address spaces: producer, positive decode, both ends fixed (sections 6.4.3.5.2 and .3).
static Bytes window(uint8_t tag, uint8_t type, uint8_t specific, uint32_t first, uint32_t last, unsigned bytes) {
  Bytes out = begin({tag});
  put(out, 3 + 5 * bytes, 2);
  out.push_back(type);
  out.push_back(0x0c);
  out.push_back(specific);
  put(out, 0, bytes);
  put(out, first, bytes);
  put(out, last, bytes);
  put(out, 0, bytes);
  put(out, uint64_t{last} - first + 1, bytes);
  return out;
}

Bytes bus_numbers(uint16_t first, uint16_t last) { return window(0x88, 2, 0, first, last, 2); }

Bytes io_window(uint16_t first, uint16_t last) { return window(0x88, 1, 3, first, last, 2); }

Bytes memory_window(uint32_t first, uint32_t last) { return window(0x87, 0, 1, first, last, 4); }

Bytes resources(const Bytes& descriptors) { return buffer(descriptors + Bytes{0x79, 0}); }

}  // namespace mv::aml
