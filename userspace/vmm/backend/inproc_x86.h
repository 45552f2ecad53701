// SPDX-License-Identifier: MIT
// ACRN's half of kmod/core in this process: no module, no root, no QEMU.
#pragma once

#include <atomic>
#include <thread>

#include "vmm/backend/inproc_common.h"

extern "C" {
#include "core/acrn/acrn.h"
}

namespace mv {

class InprocX86 : public Backend {
 public:
  explicit InprocX86(const VmConfig& config);
  ~InprocX86() override;

  std::string_view name() const override { return "inproc"; }
  Arch arch() const override { return Arch::x86_64; }
  uint64_t memory_base() const override { return 0; }
  void load(std::span<const Image> images) override;
  std::span<std::byte> memory() override;
  void irq_line(uint32_t gsi, bool high) override;
  void msi(uint64_t address, uint64_t data) override;
  uint64_t now_ns() const override;
  bool alarm(uint64_t at, std::function<void()> job) override;
  Ending run(Server& server) override;
  void stop() override;
  void reset() override;
  std::optional<WalkStamps> walk(unsigned vcpu) override;
  std::optional<Footprint> footprint() const override;
  std::optional<uint64_t> instructions(unsigned vcpu) override;

  acrn_core_vm& core() { return *vm_; }

 private:
  struct Vcpu {
    CorePtr<acrn_vcpu> core = core_new<acrn_vcpu>();
    Arena arena;
  };

  void run_vcpu(Vcpu& v, Server& server);
  void serve(Vcpu& v, Server& server);
  bool answer(Vcpu& v, Server& server, acrn_next next);
  void pause(Vcpu& v);
  void run_virtual(Vcpu& v, Server& server);
  void ring();
  uint64_t until_event(Vcpu& v) const;
  void sleep(Vcpu& v);

  VmConfig config_;
  GuestMemory memory_;
  std::optional<GuestMemory> rom_;
  CorePtr<acrn_io_request_buffer> requests_ = core_new<acrn_io_request_buffer>();
  CorePtr<acrn_core_vm> vm_ = core_new<acrn_core_vm>();
  std::vector<std::unique_ptr<Vcpu>> vcpus_;
  Bell bell_;
  std::atomic<bool> stopping_ = false;
  // virtual time
  uint64_t slept_ = 0;  // nanoseconds that no instruction has taken
  uint64_t alarm_at_ = ~uint64_t{0};
  std::function<void()> alarm_;
};

}  // namespace mv
