// SPDX-License-Identifier: MIT
// Requests of a vCPU in a stream of bytes: nothing is in front of them, but each is a single field, which says how long it is.  No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mv::wire {

class SingleFields {
 public:
  void feed(std::string_view bytes) {
    buffer_.erase(0, used_);
    used_ = 0;
    buffer_.append(bytes);
  }
  // The next request's bytes, valid until feed(); nothing if it is not complete.
  std::optional<std::string_view> next();
  // What stands there is no field with a length, or is too long: nothing that follows can be read.
  bool broken() const { return broken_; }

 private:
  // A varint at `at`, which is moved behind it.  False: incomplete, or broken.
  bool number(size_t& at, uint64_t& value);

  std::string buffer_;
  size_t used_ = 0;
  bool broken_ = false;
};

}  // namespace mv::wire
