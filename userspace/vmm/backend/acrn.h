// SPDX-License-Identifier: MIT
// The acrn backend: /dev/acrn_hsm, one thread in ATTACH that serves every vCPU's request slot.
#pragma once

#include <linux/acrn.h>

#include <atomic>
#include <thread>

#include "vmm/backend/control.h"

namespace mv {

class AcrnBackend : public Backend {
 public:
  explicit AcrnBackend(const VmConfig& config);
  ~AcrnBackend() override;

  std::string_view name() const override { return "acrn"; }
  Arch arch() const override { return Arch::x86_64; }
  uint64_t memory_base() const override { return 0; }
  void load(std::span<const Image> images) override;
  std::span<std::byte> memory() override;
  void irq_line(uint32_t gsi, bool high) override;
  void msi(uint64_t address, uint64_t data) override;
  std::unique_ptr<MessageRoute> message_route(uint64_t address, uint32_t data) override;
  std::unique_ptr<Doorbell> doorbell(uint64_t gpa, unsigned size) override;
  Ending run(Server& server) override;
  void stop() override;
  void reset() override;
  std::optional<WalkStamps> walk(unsigned vcpu) override;
  std::optional<uint64_t> instructions(unsigned vcpu) override;

 private:
  void create();
  void set_memory();
  bool serve_slots(Server& server);

  VmConfig config_;
  Fd device_;
  Control control_;
  Mapping memory_, rom_;
  Mapping requests_;
  unsigned vcpus_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> client_ = false;  // there is an I/O request client
  std::atomic<std::thread::id> server_;
};

}  // namespace mv
