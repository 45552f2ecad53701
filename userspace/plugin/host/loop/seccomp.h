// SPDX-License-Identifier: MIT
// Which system calls a plugin in a sandbox may make: filters made with libseccomp, as files that bubblewrap reads.
#pragma once

#include <string>

#include "vmm/backend/fd.h"

namespace mv::plugin {

// Everything but what changes the machine, traces others or makes namespaces: EPERM.
Fd default_filter();

// crosvm's policy of a directory: plugin.bpf, a filter as the kernel takes it, or else plugin.policy.  That has one call in each line:
// `name: 1` allows it, `name: return ERRNO` (a name or a number) refuses it; `@default allow`, `@default return ERRNO` or
// `@default kill`, which it is without, says what happens to others; # begins a comment.  `name: CONDITION` (argument_filter.h) allows it if
// its arguments are so; if not, what happens to others happens to it, or, with `name: CONDITION; return ERRNO`, that.
// `log`: what is refused happens, and the kernel logs it.  Throws std::invalid_argument with file and line.
Fd policy_filter(const std::string& directory, bool log);

}  // namespace mv::plugin
