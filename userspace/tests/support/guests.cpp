// SPDX-License-Identifier: MIT
#include "support/guests.h"

#include "vmm/machine/flat.h"

namespace mv::test {

std::string guest_file(const std::string& name, const Target& target) { return std::string(MV_GUEST_DIR) + "/" + name + "." + target.port + ".bin"; }

static StartMode mode_of(const Target& t) {
  if (t.port == "x86_64") return StartMode::long64;
  if (t.port == "i386") return StartMode::protected32;
  return t.port == "x86_16" ? StartMode::real16 : StartMode::arm64;
}

MachineConfig guest_config(const std::string& name, const Target& target, unsigned vcpus) {
  const uint64_t base = target.x86() ? 0x10000 : 0x80000000;
  MachineConfig c;
  c.backend = target.backend;
  c.arch = target.arch();
  c.vm.memory_bytes = 4 << 20;
  c.vm.vcpus = vcpus;
  c.vm.entry = base;
  c.vm.mode = mode_of(target);
  c.images.push_back(read_flat({guest_file(name, target), base}));
  return c;
}

Bench::Bench(MachineConfig config)
    : machine_(std::move(config), {.console =
                                       [this](uint8_t b) {
                                         std::lock_guard lock(mutex_);
                                         output_.push_back(static_cast<char>(b));
                                       },
                                   .walk = [this](const std::string& line) { walk_lines_.push_back(line); },
                                   .served =
                                       [this](const Access& a, const Reply&) {
                                         std::lock_guard lock(mutex_);
                                         if (accesses_.size() < 100000) accesses_.push_back(a);
                                       },
                                   .virtio_console = {}}) {}

std::string Bench::output() const {
  std::lock_guard lock(mutex_);
  return output_;
}

std::vector<Access> Bench::accesses() const {
  std::lock_guard lock(mutex_);
  return accesses_;
}

void Bench::type(const std::string& text) { machine_.type({reinterpret_cast<const uint8_t*>(text.data()), text.size()}); }

}  // namespace mv::test
