// SPDX-License-Identifier: MIT
// The console's escape key as a state machine: bytes in, bytes for the guest and a wish to quit out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mv {

class QuitKeys {
 public:
  static constexpr uint8_t kEscape = 0x01;  // Ctrl-A

  struct Result {
    std::vector<uint8_t> typed;
    bool quit = false;
  };

  Result feed(std::span<const uint8_t> bytes) {
    Result r;
    for (uint8_t b : bytes) {
      if (!escaped_) {
        escaped_ = b == kEscape;
        if (!escaped_) r.typed.push_back(b);
        continue;
      }
      escaped_ = false;
      if (b == 'x' || b == 'X') {
        r.quit = true;
        return r;
      }
      // an unknown command types nothing; the escape key twice types one
      if (b == kEscape) r.typed.push_back(b);
    }
    return r;
  }

 private:
  bool escaped_ = false;
};

}  // namespace mv
