// SPDX-License-Identifier: MIT
#include "plugin/wire/delimited.h"

namespace mv::wire {

std::string delimit(const google::protobuf::MessageLite& message) {
  std::string out;
  size_t size = message.ByteSizeLong();
  for (; size >= 0x80; size >>= 7) out.push_back(static_cast<char>(size | 0x80));
  out.push_back(static_cast<char>(size));
  message.AppendToString(&out);
  return out;
}

// Moving the rest to the front costs little: most of the time there is none.
void Delimited::drop_used() {
  buffer_.erase(0, used_);
  used_ = 0;
}

std::optional<std::string_view> Delimited::next() {
  if (used_) drop_used();
  size_t size = 0;
  for (unsigned at = 0; at < buffer_.size() && !broken_; ++at) {
    const auto byte = static_cast<unsigned char>(buffer_[at]);
    size |= static_cast<size_t>(byte & 0x7f) << (7 * at);
    if (at == 4 || size > kMostDelimited) broken_ = true;
    if (byte & 0x80 || broken_) continue;
    if (buffer_.size() - at - 1 < size) return std::nullopt;
    used_ = at + 1 + size;
    return std::string_view(buffer_).substr(at + 1, size);
  }
  return std::nullopt;
}

}  // namespace mv::wire
