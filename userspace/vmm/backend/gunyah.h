// SPDX-License-Identifier: MIT
// The gunyah backend: /dev/gunyah, one thread in VCPU_RUN per vCPU.
//
//   memory      lent to the guest page by page, out of the VMM's sight, and where there are virtio devices a pool that is
//               shared; unprotected: shared, by Android's call, for v17's shared memory executes no code
//   interrupts  an irqfd for each device's line, its doorbell's label is the number of the shared interrupt
//   doorbells   ioeventfds
//   reset       a VM starts once: the guest gets another one
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
  std::span<std::byte> memory() override;
  uint64_t memory_gpa() const override;
  void irq_line(uint32_t gsi, bool high) override;
  std::unique_ptr<Doorbell> doorbell(uint64_t gpa, unsigned size) override;
  Ending run(Server& server) override;
  void stop() override;
  void reset() override;
  std::optional<WalkStamps> walk(unsigned vcpu) override;
  std::optional<uint64_t> instructions(unsigned vcpu) override;

 private:
  struct Vcpu {
    unsigned id = 0;
    Fd fd;
    Mapping page;
    gunyah_vcpu_run* run = nullptr;
  };

  struct Line {
    TreeDoorbell bell;
    Fd event;
  };

  // Memory that has bytes before the start: a file that is lent, or a mapping that is shared.
  struct Region {
    uint64_t gpa = 0, bytes = 0;
    bool writable = true;
    Fd file;
    Mapping shared;
  };

  void build();
  void map_memory();
  void lend(Region& r);
  void share(Region& r, uint32_t label);
  Fd map_file(uint64_t gpa, uint64_t size, uint32_t flags);
  void map_pool();
  void load_image(const Image& image);
  void add_lines();
  void add_vcpus();
  void start();
  Ending run_vcpu(Vcpu& v, Server& server);

  VmConfig config_;
  Fd device_;
  Control control_;
  Fd vm_;
  std::vector<Region> regions_;  // memory first, then flash
  Mapping pool_;
  std::vector<Vcpu> vcpus_;
  std::vector<Line> lines_;
  std::mutex runners_mutex_;  // and the vCPUs, for stop() from another thread
  std::vector<pthread_t> runners_;  // threads inside run_vcpu, for the kick
  std::atomic<bool> stopping_ = false;
};

}  // namespace mv
