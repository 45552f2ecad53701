// SPDX-License-Identifier: MIT
#include "app/plugin_options.h"

#include <charconv>
#include <filesystem>
#include <stdexcept>

#include "vmm/text_lines.h"

namespace mv {

namespace po = boost::program_options;

namespace {

using Strings = std::vector<std::string>;
constexpr const char* kGidForm = "INNER[:OUTER[:COUNT]], numbers above 0";
constexpr const char* kMountForm = "SOURCE[:TARGET[:WRITABLE]], absolute paths and true or false";

Strings split(const std::string& text) {
  Strings parts(1);
  for (const char c : text) {
    if (c == ':') parts.emplace_back();
    else parts.back().push_back(c);
  }
  return parts;
}

plugin::SandboxMount parse_mount(const std::string& text, const std::string& what) {
  const Strings parts = split(text);
  plugin::SandboxMount m{parts[0], parts.size() > 1 && !parts[1].empty() ? parts[1] : parts[0], parts.size() > 2 && parts[2] == "true"};
  const bool form = parts.size() <= 3 && (parts.size() < 3 || parts[2] == "true" || parts[2] == "false");
  if (!form || m.source.substr(0, 1) != "/" || m.target.substr(0, 1) != "/") throw std::invalid_argument(what + " " + text + ": valid is " + kMountForm);
  if (!std::filesystem::exists(m.source)) throw std::invalid_argument(what + " " + text + ": " + m.source + " does not exist");
  return m;
}

plugin::GidMap parse_gids(const std::string& text, const std::string& what) {
  const auto number = [&](const std::string& part) {
    uint32_t n = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), n);
    if (error != std::errc() || end != part.data() + part.size()) throw std::invalid_argument(what + " " + text + ": valid is " + kGidForm);
    return n;
  };
  const Strings parts = split(text);
  if (parts.size() > 3) number("");
  const uint32_t inner = number(parts[0]);
  const plugin::GidMap g{inner, parts.size() > 1 ? number(parts[1]) : inner, parts.size() > 2 ? number(parts[2]) : 1};
  if (!g.inner || !g.count) throw std::invalid_argument(what + " " + text + ": valid is " + kGidForm + "; 0 is mvmm's own group");
  return g;
}

template <typename Thing>
std::vector<Thing> parse_each(const po::variables_map& given, const std::string& option, Thing (*parse)(const std::string&, const std::string&)) {
  std::vector<Thing> things;
  if (given.count(option)) {
    for (const std::string& text : given[option].as<Strings>()) things.push_back(parse(text, "--" + option));
  }
  const std::string in_file = option + "-file", what = "--" + in_file + " ";
  if (given.count(in_file)) {
    for (const auto& [text, where] : text_lines(what, given[in_file].as<std::string>())) things.push_back(parse(text, what + where + ":"));
  }
  return things;
}

std::optional<plugin::SandboxConfig> parse_sandbox(const po::variables_map& given) {
  plugin::SandboxConfig s;
  if (given.count("plugin-root")) {
    s.root = given["plugin-root"].as<std::string>();
    if (!std::filesystem::is_directory(s.root)) throw std::invalid_argument("--plugin-root " + s.root + ": valid is a directory");
  }
  s.mounts = parse_each(given, "plugin-mount", parse_mount);
  s.gid_maps = parse_each(given, "plugin-gid-map", parse_gids);
  if (given.count("seccomp-policy-dir")) s.seccomp_policy_dir = given["seccomp-policy-dir"].as<std::string>();
  s.log_seccomp_failures = given.count("seccomp-log-failures");
  if (s.log_seccomp_failures && s.seccomp_policy_dir.empty()) throw std::invalid_argument("--seccomp-log-failures: with --seccomp-policy-dir only");
  const bool wanted = given.count("sandbox") || !s.root.empty() || !s.mounts.empty() || !s.gid_maps.empty() || !s.seccomp_policy_dir.empty();
  if (given.count("sandbox") && given.count("disable-sandbox")) throw std::invalid_argument("--sandbox and --disable-sandbox: one of them");
  if (!wanted || given.count("disable-sandbox")) return std::nullopt;
  return s;
}

std::optional<PluginNet> parse_net(const po::variables_map& given) {
  const size_t n = given.count("host_ip") + given.count("netmask") + given.count("mac");
  if (!n) return std::nullopt;
  if (n != 3) throw std::invalid_argument("--host_ip, --netmask and --mac: all three, or none");
  if (given.count("tap-fd")) throw std::invalid_argument("--tap-fd and --host_ip: one of them");
  return PluginNet{given["host_ip"].as<std::string>(), given["netmask"].as<std::string>(), given["mac"].as<std::string>()};
}

}  // namespace

void add_plugin_options(po::options_description& all) {
  // clang-format off
  all.add_options()
      ("plugin", po::value<std::string>(), "a program that owns the machine through crosvm.h; inproc, acrn or kvm, x86-64")
      ("params", po::value<Strings>()->composing(), "an argument for that program; may be repeated")
      ("plugin-wire", po::value<std::string>()->default_value("last"), "last or 2018: the protocol that the program speaks")
      ("sandbox", "the program runs in namespaces of its own, made by bubblewrap; the options below imply it")
      ("plugin-root", po::value<std::string>(), "a directory that becomes the program's /, read-only")
      ("plugin-mount", po::value<Strings>()->composing(), "SOURCE[:TARGET[:WRITABLE]]: what else it sees; may be repeated")
      ("plugin-mount-file", po::value<std::string>(), "a file with one such mount in each line")
      ("plugin-gid-map", po::value<Strings>()->composing(), "INNER[:OUTER[:COUNT]]: groups that exist inside; may be repeated")
      ("plugin-gid-map-file", po::value<std::string>(), "a file with one such map in each line")
      ("seccomp-policy-dir", po::value<std::string>(), "where plugin.bpf or plugin.policy says which system calls there are inside")
      ("seccomp-log-failures", "calls that plugin.policy refuses happen, and are logged")
      ("vcpu-cgroup-path", po::value<std::string>(), "a control group for mvmm and its vCPUs' threads")
      ("disable-sandbox", "no sandbox, whatever other options say")
      ("tap-fd", po::value<int>(), "an inherited descriptor of a TAP device, for the program")
      ("host_ip", po::value<std::string>(), "with --netmask and --mac: a new TAP device for the program, with these addresses")
      ("netmask", po::value<std::string>(), "of that device")
      ("mac", po::value<std::string>(), "of that device");
  // clang-format on
}

PluginSpec parse_plugin(const po::variables_map& given) {
  const std::string wire = given["plugin-wire"].as<std::string>();
  if (wire != "last" && wire != "2018") throw std::invalid_argument("--plugin-wire: valid are last and 2018");
  PluginSpec spec;
  spec.program = given["plugin"].as<std::string>();
  spec.wire_2018 = wire == "2018";
  if (given.count("params")) spec.arguments = given["params"].as<Strings>();
  spec.sandbox = parse_sandbox(given);
  spec.net = parse_net(given);
  if (given.count("vcpu-cgroup-path")) spec.vcpu_cgroup = given["vcpu-cgroup-path"].as<std::string>();
  if (given.count("tap-fd")) spec.tap_fd = given["tap-fd"].as<int>();
  if (given.count("tap-fd") && spec.tap_fd < 3) throw std::invalid_argument("--tap-fd: valid is the number of an open descriptor above 2");
  return spec;
}

void refuse_plugin_options(const po::variables_map& given) {
  for (const char* option : {"params", "sandbox", "plugin-root", "plugin-mount", "plugin-mount-file", "plugin-gid-map", "plugin-gid-map-file",
                             "seccomp-policy-dir", "seccomp-log-failures", "vcpu-cgroup-path", "disable-sandbox", "tap-fd", "host_ip", "netmask", "mac"}) {
    if (given.count(option)) throw std::invalid_argument(std::string("--") + option + ": with --plugin only");
  }
  if (!given["plugin-wire"].defaulted()) throw std::invalid_argument("--plugin-wire: with --plugin only");
}

}  // namespace mv
