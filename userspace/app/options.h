// SPDX-License-Identifier: MIT
// mvmm's command line.
#pragma once

#include <optional>
#include <string>

#include "app/plugin_options.h"
#include "vmm/machine/flat.h"
#include "vmm/machine/machine.h"

namespace mv {

// --kernel, --initrd, --append
struct LinuxSpec {
  std::string kernel, initrd, command_line;
  bool entry32 = false;  // a bzImage at its 32-bit entry although it has the other
};

struct Options {
  MachineConfig machine;
  std::vector<FlatSpec> flat;
  std::optional<LinuxSpec> linux_guest;
  std::optional<PluginSpec> plugin;
  std::string firmware;        // a file, or empty
  std::string debug_port;      // a file, "-", or empty
  std::string virtio_console;  // a file, "-", or empty
  bool walk = false;
  bool stats = false;
};

// Nothing to run: --help or --version was asked for, and this is to be printed.
struct Printout {
  std::string text;
};

// Throws std::invalid_argument (or a Program_options error) with one sentence that holds the valid form.
std::optional<Printout> parse_options(int argc, const char* const* argv, Options& options);

}  // namespace mv
