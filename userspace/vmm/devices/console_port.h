// SPDX-License-Identifier: MIT
// Where a UART's bytes come from and go to.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

namespace mv {

class ConsolePort {
 public:
  using Output = std::function<void(uint8_t)>;

  explicit ConsolePort(Output output) : output_(std::move(output)) {}

  void transmit(uint8_t byte) { output_(byte); }

  // Who wants to know of input, with the devices' lock held: the one device that takes it.
  void on_input(std::function<void()> listener) { listener_ = std::move(listener); }

  void type(uint8_t byte) {
    input_.push_back(byte);
    if (listener_) listener_();
  }
  bool has_input() const { return !input_.empty(); }
  size_t waiting() const { return input_.size(); }
  // The next byte typed, or 0.
  uint8_t receive() {
    if (input_.empty()) return 0;
    const uint8_t byte = input_.front();
    input_.pop_front();
    return byte;
  }

 private:
  Output output_;
  std::function<void()> listener_;
  std::deque<uint8_t> input_;
};

}  // namespace mv
