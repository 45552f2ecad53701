// SPDX-License-Identifier: MIT
// Guest memory that a driver pins: ordinary pages, or huge ones where that was asked for.
#pragma once

#include "vmm/backend/backend.h"
#include "vmm/backend/fd.h"

namespace mv {

constexpr uint64_t kHugePage = 2 << 20;

// Throws std::invalid_argument with one sentence if huge pages were asked for and there are too few.
Mapping guest_mapping(const VmConfig& config);

}  // namespace mv
