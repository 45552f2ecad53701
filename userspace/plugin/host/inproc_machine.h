// SPDX-License-Identifier: MIT
// A plugin's machine on the software CPU, with the interrupt controllers of kmod/core and the VMM's 8254.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "plugin/host/gate.h"
#include "plugin/host/hyperv.h"
#include "plugin/host/machine.h"
#include "vmm/backend/inproc_common.h"
#include "vmm/devices/pit8254.h"
#include "vmm/loop/device_loop.h"

extern "C" {
#include "core/cpu/x86/x86.h"
#include "core/irqchip/irqchip.h"
}

namespace mv::plugin {

class InprocMachine;

class InprocVcpu final : public MachineVcpu {
 public:
  InprocVcpu(InprocMachine& machine, unsigned id);

  VcpuExit run() override;
  void complete(uint64_t data) override;
  void kick() override;
  int get_state(VcpuState set, std::span<std::byte> state) override;
  int set_state(VcpuState set, std::span<const std::byte> state) override;
  bool get_msr(uint32_t index, uint64_t& value) override;
  bool set_msr(uint32_t index, uint64_t value) override;
  int set_cpuid(const std::vector<kvm_cpuid_entry2>& entries) override;
  int hyperv_cpuid(std::vector<kvm_cpuid_entry2>& entries) override;
  int enable_capability(uint32_t capability) override;

  x86_cpu& cpu() { return *cpu_; }
  lapic& apic() { return *lapic_; }
  // KVM_MP_STATE_*
  uint32_t& mp() { return mp_state_; }
  // An access that is Hyper-V's interface (x86.h).  Answered here: `value`, and where the plugin is told of a write an exit for that.
  // Else a call that is the plugin's to answer.
  struct Hyperv {
    bool answered;
    uint64_t value;
    VcpuExit exit;
  };
  static bool is_hyperv(Space space, uint64_t address) { return space == Space::mmio && address >= X86_HYPERV_MSRS; }
  Hyperv serve_hyperv(uint64_t address, bool write, uint64_t data);

 private:
  VcpuExit step(uint64_t budget);
  VcpuExit step_hyperv();
  void sleep();
  bool start_up();
  x86_state registers() const;
  void put_registers(const x86_state& s);
  int set_sregs(const kvm_sregs& k);

  InprocMachine& machine_;
  unsigned id_;
  CorePtr<x86_cpu> cpu_ = core_new<x86_cpu>();
  CorePtr<lapic> lapic_ = core_new<lapic>();
  HypervVcpu hyperv_;
  Arena arena_;
  std::vector<x86_cpuid_leaf> leaves_;
  std::atomic<bool> kicked_ = false;
  bool access_out_ = false;
  uint32_t mp_state_;
  uint32_t apic_page_[256] = {};  // what KVM_SET_LAPIC gave for registers that are kept nowhere else
};

class InprocMachine : public Machine {
 public:
  explicit InprocMachine(unsigned vcpus);
  ~InprocMachine() override;

  unsigned vcpus() const override { return static_cast<unsigned>(vcpus_.size()); }
  MachineVcpu& vcpu(unsigned n) override { return *vcpus_.at(n); }
  int add_memory(uint32_t key, uint64_t start, std::span<std::byte> memory, bool read_only, bool dirty_log) override;
  int remove_memory(uint32_t key) override;
  int dirty_log(uint32_t key, std::string& bitmap) override;
  int add_io_event(uint32_t key, const IoEventSpec& spec, int eventfd) override;
  int remove_io_event(uint32_t key) override;
  int add_irq_event(uint32_t key, uint32_t gsi, int trigger, int resample) override;
  int remove_irq_event(uint32_t key) override;
  int irq_line(uint32_t gsi, bool high) override;
  int set_routes(const std::vector<kvm_irq_routing_entry>& routes) override;
  int get_state(MachineState set, std::span<std::byte> state) override;
  int set_state(MachineState set, std::span<const std::byte> state) override;
  int set_identity_map_address(uint32_t) override { return 0; }
  bool check_extension(uint32_t extension) override;
  int supported_cpuid(std::vector<kvm_cpuid_entry2>& entries) override;
  int emulated_cpuid(std::vector<kvm_cpuid_entry2>& entries) override;
  int msr_index_list(std::vector<uint32_t>& indices) override;

  // For the vCPUs.  An access that ends inside the machine: its answer.
  bool serve(InprocVcpu& vcpu, const hv_exit& access, uint64_t& value);
  Gate& gate() { return gate_; }
  Bell& bell() { return bell_; }
  irqchip& chip() { return *chip_; }
  hv_memmap& map() { return *map_; }
  HypervPartition& hyperv() { return hyperv_; }
  // In the guest's name, and logged as its own; where it has no memory that it may write, nothing.
  void store(const HypervStore& store);

 protected:
  InprocVcpu& inproc_vcpu(unsigned n) { return *vcpus_.at(n); }
  // What is there besides the interrupt controllers: timer, I/O events, memory whose writes are logged.
  bool serve_devices(const hv_exit& access, uint64_t& value);
  // Where the controllers are: here, or with the CPU.
  virtual void drive_pin(const kvm_irq_routing_irqchip& pin, bool high);
  virtual void send_message(uint64_t address, uint32_t data);
  // The guest has finished with these inputs, given as controller and pin.  Where that has lowered them already they are driven again if
  // somebody else still holds their line.
  using Pins = std::vector<std::pair<uint32_t, uint32_t>>;
  void finished(const Pins& pins);
  // Those that an eventfd's line leads to.
  Pins pins_of_events();
  DeviceLoop& loop() { return loop_; }
  // To be called by a derived class first: nothing of its own is called any more.
  void stop_devices() { loop_.stop(); }

 private:
  struct Memory {
    int slot;
    uint64_t start;
    std::span<std::byte> host;
    bool logged;
    std::set<uint64_t> dirty;  // numbers of pages: memory may be long and never used
    bool writable;
  };
  struct IoEvent {
    IoEventSpec spec;
    int eventfd;
  };
  struct IrqEvent {
    uint32_t gsi;
    int resample;
    bool high = false;
    std::unique_ptr<DeviceLoop::Watch> watch;
  };
  // The line of a GSI is high as long as anybody holds it there.
  struct Line {
    bool by_request = false;
    unsigned by_events = 0;
    bool high() const { return by_request || by_events; }
  };

  void kick_all();
  bool serve_logged_write(const hv_exit& access);
  bool serve_io_event(const hv_exit& access);
  bool serve_pit(const hv_exit& access, uint64_t& value);
  bool serve_chip(InprocVcpu& vcpu, const hv_exit& access, uint64_t& value);
  void drive(uint32_t gsi, bool was, bool is);
  void let_go(uint32_t gsi);
  void triggered(uint32_t key);
  std::vector<int> release(const Pins& pins);
  void program_pit();

  Gate gate_;
  Bell bell_;
  HypervPartition hyperv_;
  CorePtr<hv_memmap> map_ = core_new<hv_memmap>();
  CorePtr<irqchip> chip_ = core_new<irqchip>();
  std::vector<std::unique_ptr<InprocVcpu>> vcpus_;
  std::mutex mutex_;  // everything below
  std::map<uint32_t, Memory> memory_;
  std::map<uint32_t, IoEvent> io_events_;
  std::map<uint32_t, IrqEvent> irq_events_;
  std::map<uint32_t, Line> lines_;
  std::vector<kvm_irq_routing_entry> routes_;
  kvm_pit_state2 pit_state_ = {};
  uint64_t clock_offset_ = 0;  // modulo 2^64
  std::recursive_mutex pit_mutex_;
  DeviceLoop loop_;
  std::unique_ptr<DeviceLoop::Alarm> pit_alarm_;
  std::unique_ptr<Pit8254> pit_;
  std::unique_ptr<Port61> port61_;
};

}  // namespace mv::plugin
