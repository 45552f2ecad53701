// SPDX-License-Identifier: MIT
// Gunyah's half of kmod/core in this process: no module, no root, no QEMU.
#pragma once

#include <atomic>
#include <thread>

#include "vmm/backend/inproc_common.h"

extern "C" {
#include "core/gunyah/gunyah.h"
}

namespace mv {

class InprocArm64 : public Backend {
 public:
  explicit InprocArm64(const VmConfig& config);
  ~InprocArm64() override;

  std::string_view name() const override { return "inproc"; }
  Arch arch() const override { return Arch::arm64; }
  uint64_t memory_base() const override;
  void load(std::span<const Image> images) override;
  // With a pool it is all that devices see, as on gunyah.
  std::span<std::byte> memory() override { return std::as_writable_bytes(std::span(memory_.host(), memory_.bytes())).subspan(memory_gpa() - memory_base()); }
  uint64_t memory_gpa() const override { return memory_base() + (config_.chosen.pool_size ? config_.memory_bytes : 0); }
  void irq_line(uint32_t gsi, bool high) override;
  Ending run(Server& server) override;
  void stop() override;
  void reset() override;
  std::optional<WalkStamps> walk(unsigned vcpu) override;
  std::optional<uint64_t> instructions(unsigned vcpu) override;

  gunyah_core_vm& core() { return *vm_; }

 private:
  struct Vcpu {
    CorePtr<gunyah_vcpu> core = core_new<gunyah_vcpu>();
    gunyah_vcpu_run run{};
    Arena arena;
  };

  void build();
  Ending run_vcpu(Vcpu& v, Server& server);
  gunyah_next step(Vcpu& v);

  void add_memory(GuestMemory& memory, uint32_t access);

  VmConfig config_;
  GuestMemory memory_;
  std::vector<GuestMemory> flash_;
  CorePtr<gunyah_core_vm> vm_;
  std::vector<std::unique_ptr<Vcpu>> vcpus_;
  Bell bell_;
  std::mutex life_;  // stop() from another thread, and reset()
  std::atomic<bool> stopping_ = false;
};

}  // namespace mv
