// SPDX-License-Identifier: MIT
#include "plugin/host/loop/gid_map.h"

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "vmm/backend/fd.h"

namespace mv::plugin {

namespace {

// One object, and then no more comes.
pid_t child_of(int info) {
  std::string text;
  char bytes[256];
  ssize_t n;
  while (!nlohmann::json::accept(text) && (n = ::read(info, bytes, sizeof(bytes))) > 0) text.append(bytes, static_cast<size_t>(n));
  const auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object() || !object.contains("child-pid")) throw std::runtime_error("--plugin-gid-map: bwrap did not tell its child");
  return object["child-pid"];
}

void write_to(const std::string& path, const std::string& text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) < 0) throw_errno("--plugin-gid-map: " + path);
}

}  // namespace

void map_ids(int info, const std::vector<GidMap>& maps) {
  const std::string process = "/proc/" + std::to_string(child_of(info));
  std::string groups = "0 " + std::to_string(::getegid()) + " 1\n";
  for (const GidMap& m : maps) groups += std::to_string(m.inner) + " " + std::to_string(m.outer) + " " + std::to_string(m.count) + "\n";
  write_to(process + "/setgroups", "deny");
  write_to(process + "/uid_map", "0 " + std::to_string(::geteuid()) + " 1\n");
  write_to(process + "/gid_map", groups);
}

}  // namespace mv::plugin
