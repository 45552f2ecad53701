// SPDX-License-Identifier: MIT
// Messages in a stream of bytes: each one behind its length as a base-128 varint.  No I/O here.
#pragma once

#include <google/protobuf/message_lite.h>

#include <optional>
#include <string>
#include <string_view>

namespace mv::wire {

// Longer than any message of this protocol: a dirty log never goes through a vCPU's pipe.
constexpr size_t kMostDelimited = 1 << 20;

// The bytes of `message` with its length in front.
std::string delimit(const google::protobuf::MessageLite& message);

// Takes bytes as they come, gives messages as they are complete.
class Delimited {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next message's bytes, valid until feed(); nothing if it is not complete.
  std::optional<std::string_view> next();
  // The length in front is no length: nothing that follows can be read.
  bool broken() const { return broken_; }

 private:
  void drop_used();

  std::string buffer_;
  size_t used_ = 0;
  bool broken_ = false;
};

}  // namespace mv::wire
