// SPDX-License-Identifier: MIT
// A VM whose vCPUs all access devices without end, and the thread that serves them as a VMM does.
#pragma once

#include <atomic>
#include <thread>

#include "glue/acrn_irq_vm.h"

namespace mv::glue {

// Every vCPU writes to port 0x80 for ever; the others are started by the first.
class AcrnBusyVm : public AcrnIrqVm {
 public:
  AcrnBusyVm(const std::string& name, unsigned vcpus) : AcrnIrqVm(name, (uint64_t{1} << vcpus) - 1) {
    const X86Code loop = X86Code().bytes({0xe6, 0x80, 0xeb, 0xfc});
    load(loop, 0x7000);
    Flat32 code;
    if (vcpus > 1) code.store(0xfee00300, 0xc4500).store(0xfee00300, 0xc4607);
    code_ = code.bytes({0xe6, 0x80, 0xeb, 0xfc});
  }
  ~AcrnBusyVm() { stop(); }

  // Boots, and serves until stop().
  void serve() {
    boot_flat(code_);
    thread_ = std::thread([this] {
      while (!done_ && attach() == ok) {
        for (unsigned i = 0; i < vcpus(); ++i) {
          if (processed(i) != ACRN_IOREQ_STATE_PROCESSING) continue;
          notify(i);
          served_.fetch_add(1, std::memory_order_relaxed);
          seen_.fetch_or(1u << i, std::memory_order_relaxed);
        }
      }
    });
  }
  void stop() {
    done_ = true;
    destroy_client();
    if (thread_.joinable()) thread_.join();
  }
  uint64_t served() const { return served_; }
  // Every vCPU was served at least once.
  bool all_seen() const { return seen_ == (1u << vcpus()) - 1; }

 private:
  Flat32 code_;
  std::thread thread_;
  std::atomic<bool> done_ = false;
  std::atomic<uint64_t> served_ = 0;
  std::atomic<uint32_t> seen_ = 0;
};

}  // namespace mv::glue
