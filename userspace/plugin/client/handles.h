// SPDX-License-Identifier: MIT
// What the opaque handles of crosvm.h are, and how exceptions stop at the C boundary.
#pragma once

#include <crosvm.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <new>
#include <vector>

#include "plugin/client/main_link.h"
#include "plugin/client/vcpu.h"

namespace mv::plugin {

// Common to all connections of one plugin.
struct Machine {
  std::atomic<uint32_t> next_id = 0;
  std::vector<std::unique_ptr<crosvm_vcpu>> vcpus;
};

// No exception leaves the library: the only ones are of memory that has run out.
template <typename Body>
int guarded(Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  } catch (...) {
    return -EPROTO;
  }
}

}  // namespace mv::plugin

struct crosvm {
  mv::plugin::MainLink link;
  std::shared_ptr<mv::plugin::Machine> machine;
};

struct crosvm_io {
  uint32_t id;
  mv::Fd event;
};

struct crosvm_memory {
  uint32_t id;
  uint64_t length;
};

struct crosvm_irq {
  uint32_t id;
  mv::Fd trigger, resample;
};
