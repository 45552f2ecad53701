// SPDX-License-Identifier: MIT
// mvmm --plugin: a program that owns the machine.
#pragma once

#include "app/options.h"

namespace mv {

// mvmm's exit code.  Throws std::invalid_argument where this mvmm has no plugins, std::system_error if the program does not start.
int run_plugin(const Options& options);

}  // namespace mv
