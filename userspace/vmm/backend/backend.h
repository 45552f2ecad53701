// SPDX-License-Identifier: MIT
// A backend brings a hypervisor's way of running a VM: post, deliver, complete, resume.  Everything above it sees accesses
// and replies only.
//
// Life: construct, load() the images, run(), destroy.  run() returns when the guest has ended or stop() was called; after
// that reset() makes the VM ready to be loaded and run once more, where the backend can.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/backend/device_tree.h"
#include "vmm/devices/message.h"
#include "vmm/dispatch/access.h"

namespace mv {

// How the boot vCPU starts.
// linux32, linux64: with the selectors Linux asks for; multiboot: 32-bit as its specification says; reset: as after power-on,
// at the last 16 bytes below 4 GiB, for firmware.
enum class StartMode { real16, protected32, long64, linux32, linux64, multiboot, reset, arm64 };

constexpr uint64_t kRomEnd = uint64_t{1} << 32;

struct VmConfig {
  uint64_t memory_bytes = 64 << 20;  // multiple of 4 KiB
  unsigned vcpus = 1;
  uint64_t entry = 0;  // GPA where the boot vCPU starts
  StartMode mode = StartMode::protected32;
  uint64_t argument = 0;  // what the boot vCPU is told: x86-64 in RSI, with multiboot EBX, AArch64 in x0 (where no device tree goes there)
  // inproc, x86-64, one vCPU: time is the number of instructions, a nanosecond each, and jumps while the guest sleeps.  The value
  // is the seed of what is random otherwise.
  std::optional<uint64_t> virtual_time = std::nullopt;
  uint64_t rom_bytes = 0;  // memory that the guest cannot write, multiple of 4 KiB: x86-64 up to 4 GiB, AArch64 with chosen.firmware from 0 on
  TreeChosen chosen;      // AArch64: what the device tree says beside the machine
  bool walk = false;      // time stamps of the walk are wanted
  bool unprotected = false;  // memory is shared with the VMM, not lent; gunyah only
  bool huge_pages = false;  // memory from the pool of huge pages; acrn only
};

// Bytes to be in guest memory when the guest starts.
struct Image {
  uint64_t gpa = 0;
  std::vector<std::byte> bytes;
};

// Why run() returned.
enum class EndKind { stopped, powered_off, reset, crashed };

struct Ending {
  EndKind kind = EndKind::stopped;
  std::string detail;  // one sentence, for crashed
};

// When the words of one access began, nanoseconds of CLOCK_MONOTONIC; serve is stamped by the VMM itself.
struct WalkStamps {
  uint64_t cookie = 0;
  uint64_t start[7] = {};
  uint64_t end = 0;
};

// The VMM's side: what happens between deliver and complete.  Called from the backend's threads, one at a time a vCPU.
class Server {
 public:
  virtual ~Server() = default;
  virtual Reply serve(const Access& access) = 0;
};

// An eventfd that a guest's writes signal without being served.  The writes do so as long as it exists.
class Doorbell {
 public:
  virtual ~Doorbell() = default;
  virtual int eventfd() const = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;
  virtual Arch arch() const = 0;
  // GPA of the first byte of RAM.
  virtual uint64_t memory_base() const = 0;
  // Puts images into guest memory.  Throws std::system_error.
  virtual void load(std::span<const Image> images) = 0;
  // Guest RAM from memory_gpa() on, as devices see it; empty where the VMM may not look.
  virtual std::span<std::byte> memory() { return {}; }
  virtual uint64_t memory_gpa() const { return memory_base(); }
  // A device's interrupt: drives the line that leads to I/O APIC pin or SPI `gsi`.  From any thread.
  virtual void irq_line(uint32_t gsi, bool high);
  // A device's message.  From any thread.
  virtual void msi(uint64_t address, uint64_t data);
  // The same for a message that will be sent often; where the backend has no way of its own, send() calls msi().
  virtual std::unique_ptr<MessageRoute> message_route(uint64_t address, uint32_t data);
  // A doorbell for writes of up to `size` bytes (1, 2, 4 or 8) to a GPA, or null: then they are served like any other.
  virtual std::unique_ptr<Doorbell> doorbell(uint64_t, unsigned) { return nullptr; }
  // Time as the guest's devices have it, nanoseconds.
  virtual uint64_t now_ns() const;
  // In virtual time only: calls `job` at that time, in the vCPU's thread, instead of what was set before; false where time is real.
  virtual bool alarm(uint64_t, std::function<void()>) { return false; }
  virtual Ending run(Server& server) = 0;
  // From any thread, also from inside serve(): run() returns soon.
  virtual void stop() = 0;
  // After run(): vCPUs and interrupt controllers as after power-on; memory stays.
  virtual void reset();
  // Stamps of the newest access of the vCPU that is complete, if the backend keeps them.
  virtual std::optional<WalkStamps> walk(unsigned vcpu) = 0;
  // Bytes that the VM takes besides guest memory, and the most it may ever take, if the backend can tell.
  struct Footprint {
    uint64_t now = 0, most = 0;
  };
  virtual std::optional<Footprint> footprint() const { return std::nullopt; }
  // Instructions retired by the vCPU since reset, if the backend can tell.
  virtual std::optional<uint64_t> instructions(unsigned vcpu) = 0;
};

// name: inproc, acrn or gunyah; arch matters to inproc only.  Throws std::invalid_argument for an unknown name,
// std::system_error with one actionable sentence if the device node is missing or not permitted.
std::unique_ptr<Backend> make_backend(std::string_view name, Arch arch, const VmConfig& config);

}  // namespace mv
