// SPDX-License-Identifier: MIT
#include "plugin/wire/single_fields.h"

#include <utility>

#include "plugin/wire/delimited.h"

namespace mv::wire {

namespace {

constexpr uint64_t kWithLength = 2;  // protobuf's wire type
constexpr unsigned kMostVarint = 5;  // of 32 bits

}  // namespace

bool SingleFields::number(size_t& at, uint64_t& value) {
  value = 0;
  for (unsigned i = 0; at < buffer_.size(); ++i) {
    const auto byte = static_cast<unsigned char>(buffer_[at++]);
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (!(byte & 0x80)) return true;
    if (i + 1 == kMostVarint) {
      broken_ = true;
      return false;
    }
  }
  return false;
}

std::optional<std::string_view> SingleFields::next() {
  size_t at = used_;
  uint64_t tag, length;
  if (broken_ || !number(at, tag)) return std::nullopt;
  if ((tag & 7) != kWithLength) broken_ = true;
  if (broken_ || !number(at, length)) return std::nullopt;
  if (length > kMostDelimited) broken_ = true;
  if (broken_ || buffer_.size() - at < length) return std::nullopt;
  const size_t start = std::exchange(used_, at + length);
  return std::string_view(buffer_).substr(start, used_ - start);
}

}  // namespace mv::wire
