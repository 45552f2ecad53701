// SPDX-License-Identifier: MIT
// A whole machine: a backend, devices at their addresses, and how it ended.
//
//   x86-64  RAM at 0; the rest is the PC's (pc.h)
//   arm64   RAM at 0x80000000, with firmware at 0x40000000; the rest is the board's (board.h)
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <span>

#include "vmm/backend/backend.h"
#include "vmm/bus/bus.h"
#include "vmm/devices/console_port.h"
#include "vmm/devices/device.h"
#include "vmm/machine/board.h"
#include "vmm/machine/outcome.h"
#include "vmm/machine/pc.h"
#include "vmm/machine/walk_log.h"

namespace mv {

// A disk image that the guest sees as a virtio block device.
struct DiskSpec {
  std::string file;
  bool read_only = false;
};

enum class OnReset { exit, restart };

struct MachineConfig {
  std::string backend = "inproc";
  Arch arch = Arch::x86_64;
  VmConfig vm;
  std::vector<Image> images;
  // gunyah: with unprotected memory or a pool only, for the devices
  std::vector<DiskSpec> disks;
  bool rng = false;
  bool virtio_console = false;  // its output goes to the sink of that name
  bool type_at_virtio = false;  // what is typed goes to the virtio console instead of the UART
  OnReset on_reset = OnReset::exit;
};

struct MachineSinks {
  ConsolePort::Output console;                      // a byte from the guest's UART
  std::function<void(const std::string&)> walk;     // a line of --walk
  std::function<void(const Access&, const Reply&)> served;  // every access, after it was served (tests)
  VirtioConsole::Output virtio_console;  // bytes from the guest's virtio console
  std::function<void(uint8_t)> debug = {};  // a byte written to firmware's debug ports
};

class Machine : private Server {
 public:
  // Creates the VM and loads the images.  Throws std::invalid_argument and std::system_error with one sentence.
  Machine(const MachineConfig& config, MachineSinks sinks);
  ~Machine() override;

  // Runs the guest in the calling thread (and the backend's) until it ends or stop() is called.
  Outcome run();
  // From any thread.
  void stop();
  // Bytes typed at the guest's console, from any thread.
  void type(std::span<const uint8_t> bytes);

  uint64_t served() const { return served_; }
  Backend& backend() { return *backend_; }
  // Before run(): another device.
  void add(Space space, uint64_t base, uint64_t length, std::unique_ptr<Device> device);

 private:
  Reply serve(const Access& access) override;
  void end(Outcome outcome);
  void plan_pci();
  void build();
  void power_cycle();

  MachineConfig config_;
  MachineSinks sinks_;
  std::unique_ptr<Backend> backend_;
  std::mutex mutex_;  // devices, bus users, walk log, outcome
  ConsolePort console_;
  Bus bus_;
  std::vector<std::unique_ptr<Device>> devices_;
  VirtioPlan plan_;
  std::unique_ptr<DeviceLoop> loop_;  // stopped before the devices go
  std::unique_ptr<Pc> pc_;        // this or the board
  std::unique_ptr<Board> board_;
  std::optional<WalkLog> walk_;
  std::optional<Outcome> outcome_;
  std::atomic<bool> quit_ = false;
  uint64_t served_ = 0;
};

}  // namespace mv
