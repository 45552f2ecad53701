// SPDX-License-Identifier: MIT
// Conversions between crosvm.h and the wire that several functions need.
#pragma once

#include <crosvm.h>

#include <cerrno>

#include "plugin.pb.h"

namespace mv::plugin {

// Whether `space` is one.
template <typename Message>
bool put_space(Message& message, uint32_t space) {
  if (space != CROSVM_ADDRESS_SPACE_IOPORT && space != CROSVM_ADDRESS_SPACE_MMIO) return false;
  message.set_space(space == CROSVM_ADDRESS_SPACE_MMIO ? wire::MMIO : wire::IOPORT);
  return true;
}

// -E2BIG if `room` entries are too few; *count is how many there are anyway.
inline int copy_cpuid(const wire::CpuidList& list, uint32_t room, kvm_cpuid_entry2* entries, uint32_t* count) {
  *count = static_cast<uint32_t>(list.entries_size());
  if (*count > room) return -E2BIG;
  for (const wire::CpuidEntry& e : list.entries()) {
    *entries++ = {.function = e.function(),
                  .index = e.index(),
                  .flags = e.has_index() ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0u,
                  .eax = e.eax(),
                  .ebx = e.ebx(),
                  .ecx = e.ecx(),
                  .edx = e.edx(),
                  .padding = {}};
  }
  return 0;
}

}  // namespace mv::plugin
