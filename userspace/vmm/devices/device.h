// SPDX-License-Identifier: MIT
// A device: registers at offsets.  It makes no system calls and knows no thread; whoever serves holds the devices' lock.
#pragma once

#include <cstdint>
#include <string_view>

namespace mv {

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string_view name() const = 0;
  // offset: bytes from where the device was claimed; size: 1 to 8 bytes; a value's bytes above size are ignored.
  virtual uint64_t read(uint64_t offset, unsigned size) = 0;
  virtual void write(uint64_t offset, unsigned size, uint64_t value) = 0;
};

}  // namespace mv
