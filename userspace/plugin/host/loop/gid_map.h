// SPDX-License-Identifier: MIT
// Whom a sandbox's users and groups are outside of it.
#pragma once

#include <sys/types.h>

#include <vector>

#include "plugin/host/loop/sandbox_config.h"

namespace mv::plugin {

// Bubblewrap has written what it knows to `info`, and waits: user 0 and group 0 of its child's namespace become the caller's, and the
// groups of `maps` those that they name.  That takes CAP_SETGID.  Throws std::system_error, or std::runtime_error if it wrote nothing.
void map_ids(int info, const std::vector<GidMap>& maps);

}  // namespace mv::plugin
