// SPDX-License-Identifier: MIT
// Whether a guest runs on this kernel's KVM.  A /dev/kvm that can be opened and whose guests hang is common, so one is run.
#pragma once

#include <string>

namespace mv::plugin {

constexpr unsigned kKvmProbeMilliseconds = 2000;

// Empty if a guest of a few real-mode instructions ran, and took an interrupt; otherwise why not, a part of a sentence.  Takes kKvmProbeMilliseconds at most:
// the guest runs in a process of its own, which is killed then.
std::string kvm_trouble(const char* device = "/dev/kvm");

}  // namespace mv::plugin
