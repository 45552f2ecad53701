// SPDX-License-Identifier: MIT
// A plugin's machine behind /dev/acrn_hsm.  CPUs and interrupt controllers are the module's; timer, I/O events and routes are those of
// the inproc machine, whose own CPUs never run: they are where the module's state is put into the kernel's structures.
#pragma once

#include <mockvisor.h>

#include <thread>

#include "plugin/host/inproc_machine.h"

namespace mv::plugin {

class AcrnMachine;

class AcrnVcpu final : public MachineVcpu {
 public:
  AcrnVcpu(AcrnMachine& machine, InprocVcpu& shadow, unsigned id);

  VcpuExit run() override;
  void complete(uint64_t data) override;
  void kick() override;
  int get_state(VcpuState set, std::span<std::byte> state) override;
  int set_state(VcpuState set, std::span<const std::byte> state) override;
  bool get_msr(uint32_t index, uint64_t& value) override;
  bool set_msr(uint32_t index, uint64_t value) override;
  int set_cpuid(const std::vector<kvm_cpuid_entry2>& entries) override;
  int hyperv_cpuid(std::vector<kvm_cpuid_entry2>& entries) override { return shadow_.hyperv_cpuid(entries); }
  int enable_capability(uint32_t capability) override;

  // The dispatcher has an access for run(), or the machine is gone.
  void hand_over(const GuestAccess& access);
  void abandon();
  bool has_access();
  // As a plugin's vCPU begins.
  void put();

 private:
  bool fetch();
  bool hold(bool on);
  void answer(uint64_t data);
  VcpuExit hyperv();

  AcrnMachine& machine_;
  InprocVcpu& shadow_;
  unsigned id_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<GuestAccess> access_;  // posted, not answered
  bool told_ = false;                  // run() has returned it
  bool kicked_ = false, gone_ = false, held_ = false;
  std::unique_ptr<x86_state> scratch_ = std::make_unique<x86_state>();
  mockvisor_x86_state image_ = {};
};

class AcrnMachine final : public InprocMachine {
 public:
  explicit AcrnMachine(unsigned vcpus);
  ~AcrnMachine() override;

  MachineVcpu& vcpu(unsigned n) override { return *acrn_vcpus_.at(n); }
  int add_memory(uint32_t key, uint64_t start, std::span<std::byte> memory, bool read_only, bool dirty_log) override;
  int remove_memory(uint32_t key) override;
  int add_irq_event(uint32_t key, uint32_t gsi, int trigger, int resample) override;
  int remove_irq_event(uint32_t key) override;
  int set_routes(const std::vector<kvm_irq_routing_entry>& routes) override;
  int get_state(MachineState set, std::span<std::byte> state) override;
  int set_state(MachineState set, std::span<const std::byte> state) override;

  // For the vCPUs.  Negative errno on failure.
  int control(unsigned long call, void* argument) const;
  int vm() const { return vm_.get(); }
  void start();  // once all vCPUs are set up; later calls do nothing
  void answer(unsigned vcpu, bool write, uint64_t data);

 protected:
  void drive_pin(const kvm_irq_routing_irqchip& pin, bool high) override;
  void send_message(uint64_t address, uint32_t data) override;

 private:
  struct Segment {
    uint64_t start, length;
  };
  void dispatch();
  bool serve_slot(unsigned vcpu);
  void fetch_chip();
  void put_chip();
  int watch_ends();
  void take_ends();

  Fd vm_, control_;
  Fd ends_;  // an eventfd: the guest has finished with interrupts of eventfds
  std::unique_ptr<DeviceLoop::Watch> ends_watch_;
  Mapping requests_;
  std::map<uint32_t, Segment> segments_;
  std::vector<std::unique_ptr<AcrnVcpu>> acrn_vcpus_;
  std::atomic<bool> stopping_ = false;
  std::once_flag started_;
  std::thread dispatcher_;
};

}  // namespace mv::plugin
