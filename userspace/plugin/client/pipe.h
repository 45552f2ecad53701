// SPDX-License-Identifier: MIT
// Writing to a pipe whose reader may be gone, inside somebody else's program.
#pragma once

#include <string_view>

namespace mv::plugin {

// All of it: 0 or a negative errno.  The program never sees a SIGPIPE of this.
int write_quietly(int pipe, std::string_view bytes);
// The same on kernels that have no flag for it.
int write_masked(int pipe, std::string_view bytes);

}  // namespace mv::plugin
