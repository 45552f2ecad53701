// SPDX-License-Identifier: MIT
#include "app/plugin.h"

#include <cstdio>
#include <stdexcept>

#ifdef MV_PLUGIN
#include "plugin/host/loop/plugin_host.h"
#endif

namespace mv {

#ifdef MV_PLUGIN
namespace {

std::unique_ptr<plugin::Machine> make_machine(const std::string& backend, unsigned vcpus) {
  if (backend == "acrn") return plugin::make_acrn_machine(vcpus);
  if (backend == "kvm") return plugin::make_kvm_machine(vcpus);
  return plugin::make_inproc_machine(vcpus);
}

}  // namespace

int run_plugin(const Options& options) {
  const auto machine = make_machine(options.machine.backend, options.machine.vm.vcpus);
  const auto wire = options.plugin->wire_2018 ? plugin::Wire::y2018 : plugin::Wire::today;
  const std::string error = plugin::run_plugin(*machine, {options.plugin->program, options.plugin->arguments, wire});
  if (error.empty()) return 0;
  std::fprintf(stderr, "mvmm: %s\n", error.c_str());
  return kExitFailed;
}
#else
int run_plugin(const Options&) { throw std::invalid_argument("--plugin: this mvmm was built without plugins (they are for x86-64)"); }
#endif

}  // namespace mv
