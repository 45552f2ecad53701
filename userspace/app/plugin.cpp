// SPDX-License-Identifier: MIT
#include "app/plugin.h"

#include <fcntl.h>

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

std::optional<plugin::Tap> make_tap(const PluginSpec& spec) {
  if (spec.tap_fd >= 0) return plugin::Tap(Fd(::fcntl(spec.tap_fd, F_DUPFD_CLOEXEC, 3)));
  if (!spec.net) return std::nullopt;
  return plugin::Tap(plugin::NetConfig{plugin::parse_mac(spec.net->mac, "--mac"), plugin::parse_ipv4(spec.net->address, "--host_ip"),
                                       plugin::parse_ipv4(spec.net->netmask, "--netmask")});
}

}  // namespace

int run_plugin(const Options& options) {
  const auto machine = make_machine(options.machine.backend, options.machine.vm.vcpus);
  const PluginSpec& spec = *options.plugin;
  const std::optional<plugin::Tap> tap = make_tap(spec);
  const auto wire = spec.wire_2018 ? plugin::Wire::y2018 : plugin::Wire::today;
  plugin::PluginConfig config{spec.program, spec.arguments, wire};
  config.tap = tap ? &*tap : nullptr;
  config.vcpu_cgroup = spec.vcpu_cgroup;
  if (spec.sandbox) {
    plugin::check_sandbox();
    config.sandbox = spec.sandbox;
  }
  const std::string error = plugin::run_plugin(*machine, config);
  if (error.empty()) return 0;
  std::fprintf(stderr, "mvmm: %s\n", error.c_str());
  return kExitFailed;
}
#else
int run_plugin(const Options&) { throw std::invalid_argument("--plugin: this mvmm was built without plugins (they are for x86-64)"); }
#endif

}  // namespace mv
