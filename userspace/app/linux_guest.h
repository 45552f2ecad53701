// SPDX-License-Identifier: MIT
// --kernel and --firmware: from files to a machine that starts in them.
#pragma once

#include "app/options.h"

namespace mv {

// Throws std::invalid_argument or std::system_error with one sentence.
void load_linux(const LinuxSpec& spec, MachineConfig& machine);

void load_firmware(const std::string& file, MachineConfig& machine);

}  // namespace mv
