// SPDX-License-Identifier: MIT
#include "bench_guest.h"

#include <unistd.h>

#include "vmm/machine/flat.h"

namespace mv::bench {

namespace {

class BenchServer : public Server {
 public:
  BenchServer(Backend& backend, uint64_t device, const Serve& serve) : backend_(backend), device_(device), serve_(serve) {}
  Reply serve(const Access& a) override {
    if (a.address - device_ < 0x100) return {.data = serve_(a, backend_)};
    // the debug exit: the guest is done
    backend_.stop();
    return {};
  }

 private:
  Backend& backend_;
  uint64_t device_;
  const Serve& serve_;
};

StartMode mode_of(const std::string& file) {
  return file == "x86_64" ? StartMode::long64 : file == "i386" ? StartMode::protected32 : StartMode::arm64;
}

}  // namespace

bool available(const std::string& backend) {
  if (backend == "inproc") return true;
  return ::access(backend == "acrn" ? "/dev/acrn_hsm" : "/dev/gunyah", R_OK | W_OK) == 0;
}

void run_guest(const std::string& name, const Port& port, const Serve& serve) {
  const uint64_t base = port.arch() == Arch::x86_64 ? 0x10000 : 0x80000000;
  VmConfig c;
  c.memory_bytes = 4 << 20;
  c.entry = base;
  c.mode = mode_of(port.file);
  const auto backend = make_backend(port.backend, port.arch(), c);
  const Image image = read_flat({std::string(MV_GUEST_DIR) + "/" + name + "." + port.file + ".bin", base});
  backend->load({&image, 1});
  BenchServer server(*backend, port.test_device(), serve);
  backend->run(server);
}

}  // namespace mv::bench
