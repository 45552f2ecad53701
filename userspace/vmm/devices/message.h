// SPDX-License-Identifier: MIT
// A message-signalled interrupt whose address and data stay the same for a while: a backend may have a fast way for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace mv {

class MessageRoute {
 public:
  virtual ~MessageRoute() = default;
  // Sends the message once.  From any thread.
  virtual void send() = 0;
};

// Where a device gets its routes from.
using MessageRouter = std::function<std::unique_ptr<MessageRoute>(uint64_t address, uint32_t data)>;

}  // namespace mv
