// SPDX-License-Identifier: MIT
#include "vmm/backend/backend.h"

#include <stdexcept>

namespace mv {

void Backend::irq_line(uint32_t, bool) { throw std::logic_error(std::string(name()) + ": this backend has no interrupt lines"); }

void Backend::msi(uint64_t, uint64_t) { throw std::logic_error(std::string(name()) + ": this backend takes no messages"); }

}  // namespace mv
