// SPDX-License-Identifier: MIT
// The gunyah backend: /dev/gunyah, one thread in VCPU_RUN per vCPU, all memory lent to the guest.
#pragma once

#include <linux/gunyah.h>

#include <pthread.h>

#include <atomic>
#include <mutex>

#include "vmm/backend/control.h"

namespace mv {

class GunyahBackend : public Backend {
 public:
  explicit GunyahBackend(const VmConfig& config);
  ~GunyahBackend() override;

  std::string_view name() const override { return "gunyah"; }
  Arch arch() const override { return Arch::arm64; }
  uint64_t memory_base() const override;
  void load(std::span<const Image> images) override;
  Ending run(Server& server) override;
  void stop() override;
  std::optional<WalkStamps> walk(unsigned vcpu) override;
  std::optional<uint64_t> instructions(unsigned vcpu) override;

 private:
  struct Vcpu {
    unsigned id = 0;
    Fd fd;
    Mapping page;
    gunyah_vcpu_run* run = nullptr;
  };

  void map_memory();
  void add_vcpus();
  void start();
  Ending run_vcpu(Vcpu& v, Server& server);

  VmConfig config_;
  Fd device_;
  Control control_;
  Fd vm_;
  Fd memory_;
  std::vector<Vcpu> vcpus_;
  std::mutex runners_mutex_;
  std::vector<pthread_t> runners_;  // threads inside run_vcpu, for the kick
  std::atomic<bool> stopping_ = false;
};

}  // namespace mv
