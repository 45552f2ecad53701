// SPDX-License-Identifier: MIT
// A file that becomes guest memory, as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mv {

// Reads the file that `option` names; it may be a pipe.  Throws std::system_error, or std::invalid_argument if it is empty or has more
// than `most` bytes, of which no more are read: /dev/zero never ends.
std::vector<std::byte> read_file(std::string_view option, const std::string& file, uint64_t most = UINT64_MAX);

}  // namespace mv
