// SPDX-License-Identifier: MIT
// What an untrusted program writes, as lines that can be shown: of bounded length, and without what terminals obey.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace mv::plugin {

class Lines {
 public:
  // Bytes; a longer line becomes several.
  static constexpr size_t kLongest = 1024;

  explicit Lines(std::function<void(std::string_view)> line) : line_(std::move(line)) {}

  void feed(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n') {
        end();
        continue;
      }
      // UTF-8 passes; C1 controls in it are for terminals that take it for Latin-1
      const auto byte = static_cast<unsigned char>(c);
      held_.push_back((byte < 0x20 && c != '\t') || byte == 0x7f ? '?' : c);
      if (held_.size() == kLongest) end();
    }
  }
  // Nothing more comes: what is left without a newline is a line.
  void finish() {
    if (!held_.empty()) end();
  }

 private:
  void end() {
    line_(held_);
    held_.clear();
  }

  std::function<void(std::string_view)> line_;
  std::string held_;
};

}  // namespace mv::plugin
