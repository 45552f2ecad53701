// SPDX-License-Identifier: MIT
#include "vmm/machine/flat.h"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

#include "vmm/machine/file.h"

namespace mv {

namespace {

// C notation, whole string; false if it is not a number or does not fit.
bool parse_number(std::string_view text, uint64_t& value) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.starts_with("0")) {
    base = 8;
    text.remove_prefix(1);
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

FlatSpec parse_flat(std::string_view text) {
  const size_t at = text.rfind('@');
  FlatSpec spec;
  if (at == std::string_view::npos || at == 0 || !parse_number(text.substr(at + 1), spec.gpa)) {
    throw std::invalid_argument(fmt::format("--flat {}: the valid form is FILE@ADDRESS, e.g. guest.bin@0x10000", text));
  }
  spec.file = text.substr(0, at);
  return spec;
}

uint64_t parse_size(std::string_view text, std::string_view option) {
  const auto bad = [&] { return std::invalid_argument(fmt::format("{} {}: the valid form is a number of bytes with k, m or g, e.g. 64m", option, text)); };
  if (text.empty()) throw bad();
  std::string_view digits = text;
  unsigned shift = 0;
  switch (digits.back() | 0x20) {
    case 'k':
      shift = 10;
      break;
    case 'm':
      shift = 20;
      break;
    case 'g':
      shift = 30;
      break;
    default:
      break;
  }
  if (shift) digits.remove_suffix(1);
  uint64_t value = 0;
  if (!parse_number(digits, value) || value == 0 || value > (uint64_t{1} << 40) >> shift) throw bad();
  return value << shift;
}

Image read_flat(const FlatSpec& spec, uint64_t most) { return {spec.gpa, read_file("--flat", spec.file, most)}; }

void check_images(const std::vector<FlatSpec>& specs, const std::vector<Image>& images, uint64_t base, uint64_t bytes) {
  for (size_t i = 0; i < images.size(); ++i) {
    const uint64_t start = images[i].gpa, size = images[i].bytes.size();
    if (start < base || start - base > bytes || size > bytes - (start - base)) {
      throw std::invalid_argument(fmt::format("--flat: {} at {:#x} with {} bytes lies outside guest memory, which is {:#x} to {:#x}", specs[i].file,
                                              start, size, base, base + bytes));
    }
    for (size_t k = 0; k < i; ++k) {
      if (start < images[k].gpa + images[k].bytes.size() && images[k].gpa < start + size) {
        throw std::invalid_argument(fmt::format("--flat: {} and {} overlap", specs[k].file, specs[i].file));
      }
    }
  }
}

}  // namespace mv
