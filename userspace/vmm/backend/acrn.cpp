// SPDX-License-Identifier: MIT
#include "vmm/backend/acrn.h"

#include <cstring>
#include <stdexcept>

#include "vmm/backend/acrn_eventfd.h"
#include "vmm/backend/guest_mapping.h"
#include "vmm/backend/ioreq_slot.h"
#include "vmm/backend/x86_start.h"

namespace mv {

AcrnBackend::AcrnBackend(const VmConfig& config)
    : config_(config),
      device_(open_node("/dev/acrn_hsm")),
      memory_(guest_mapping(config)),
      requests_(4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0, "request page") {
  create();
  set_memory();
}

// In acrn-dm's order; closing the device would end the VM in whatever state it is.
AcrnBackend::~AcrnBackend() {
  ::ioctl(device_.get(), ACRN_IOCTL_DESTROY_IOREQ_CLIENT, 0);
  ::ioctl(device_.get(), ACRN_IOCTL_PAUSE_VM, 0);
  ::ioctl(device_.get(), ACRN_IOCTL_DESTROY_VM, 0);
}

void AcrnBackend::create() {
  acrn_vm_creation c{};
  // the hypervisor finds VMs by name: 15 characters, one VM a name
  const std::string name = "mvmm" + std::to_string(::getpid() % 1000000) + "." + std::to_string(device_.get());
  std::memcpy(c.uuid, name.data(), std::min<size_t>(name.size(), 15));
  c.ioreq_buf = reinterpret_cast<uint64_t>(requests_.as<void>());
  c.cpu_affinity = (uint64_t{1} << config_.vcpus) - 1;
  must_ioctl("CREATE_VM", device_.get(), ACRN_IOCTL_CREATE_VM, &c);
  vcpus_ = c.vcpu_num;
}

void AcrnBackend::set_memory() {
  acrn_vm_memmap m{};
  m.type = ACRN_MEMMAP_RAM;
  m.attr = ACRN_MEM_ACCESS_RWX | ACRN_MEM_TYPE_WB;
  m.vma_base = reinterpret_cast<uint64_t>(memory_.as<void>());
  m.len = config_.memory_bytes;
  must_ioctl("SET_MEMSEG", device_.get(), ACRN_IOCTL_SET_MEMSEG, &m);
  if (!config_.rom_bytes) return;
  rom_ = Mapping(config_.rom_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0, "ROM");
  m.attr = ACRN_MEM_ACCESS_READ | ACRN_MEM_ACCESS_EXEC | ACRN_MEM_TYPE_WB;
  m.vma_base = reinterpret_cast<uint64_t>(rom_.as<void>());
  m.user_vm_pa = kRomEnd - config_.rom_bytes;
  m.len = config_.rom_bytes;
  must_ioctl("SET_MEMSEG", device_.get(), ACRN_IOCTL_SET_MEMSEG, &m);
}

void AcrnBackend::load(std::span<const Image> images) {
  for (const Image& i : images) {
    const uint64_t rom = kRomEnd - config_.rom_bytes;
    const bool in_rom = config_.rom_bytes && i.gpa >= rom;
    const Mapping& memory = in_rom ? rom_ : memory_;
    const uint64_t at = in_rom ? i.gpa - rom : i.gpa;
    if (at > memory.size() || i.bytes.size() > memory.size() - at) throw std::invalid_argument("image lies outside guest memory");
    std::memcpy(memory.as() + at, i.bytes.data(), i.bytes.size());
  }
}

std::span<std::byte> AcrnBackend::memory() { return {memory_.as(), memory_.size()}; }

// The operation is the high half of the value: 0 raises, 1 lowers.
void AcrnBackend::irq_line(uint32_t gsi, bool high) {
  must_ioctl("SET_IRQLINE", device_.get(), ACRN_IOCTL_SET_IRQLINE, uint64_t{!high} << 32 | gsi);
}

// Address and data are the guest's: a message that the hypervisor refuses (EPERM) goes nowhere, as on a bus.
void AcrnBackend::msi(uint64_t address, uint64_t data) {
  acrn_msi_entry m{.msi_addr = address, .msi_data = data};
  ::ioctl(device_.get(), ACRN_IOCTL_INJECT_MSI, &m);
}

std::unique_ptr<MessageRoute> AcrnBackend::message_route(uint64_t address, uint32_t data) {
  try {
    return std::make_unique<AcrnMessageRoute>(device_.get(), address, data);
  } catch (const std::system_error&) {
    return Backend::message_route(address, data);  // out of descriptors: the long way
  }
}

std::unique_ptr<Doorbell> AcrnBackend::doorbell(uint64_t gpa, unsigned size) {
  try {
    return std::make_unique<AcrnDoorbell>(device_.get(), gpa, size);
  } catch (const std::system_error&) {
    return nullptr;
  }
}

// Every slot that is out, once.  False: a request could not be finished because the VM is going down.
bool AcrnBackend::serve_slots(Server& server) {
  auto* slots = requests_.as<acrn_io_request_buffer>()->req_slot;
  for (unsigned i = 0; i < vcpus_; ++i) {
    if (!slot_is_ours(slots[i])) continue;
    const Access access = slot_access(slots[i], i);
    slot_reply(slots[i], access, server.serve(access));
    if (stopping_) return false;
    acrn_ioreq_notify n{.vmid = 0, .reserved = 0, .vcpu = i};
    must_ioctl("NOTIFY_REQUEST_FINISH", device_.get(), ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &n);
  }
  return true;
}

Ending AcrnBackend::run(Server& server) {
  const int fd = device_.get();
  load(x86_start_tables(config_.mode));
  acrn_vcpu_regs regs = x86_start_regs(config_.mode, config_.entry, config_.argument);
  must_ioctl("SET_VCPU_REGS", fd, ACRN_IOCTL_SET_VCPU_REGS, &regs);
  server_ = std::this_thread::get_id();
  if (!client_.exchange(true)) must_ioctl("CREATE_IOREQ_CLIENT", fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT, 0);
  if (config_.walk) control_.walk_switch(fd, true);
  must_ioctl("START_VM", fd, ACRN_IOCTL_START_VM, 0);
  bool gone = false;
  while (!stopping_ && !gone) {
    // 0 also after a signal; ENODEV: the client was destroyed by stop()
    gone = ::ioctl(fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT, 0) < 0 || !serve_slots(server);
  }
  const bool asked = stopping_;
  must_ioctl("PAUSE_VM", fd, ACRN_IOCTL_PAUSE_VM, 0);
  server_ = std::thread::id();
  if (!asked) return {EndKind::crashed, "the I/O request client is gone"};
  return {};
}

// The thread in ATTACH is woken by taking its client away.  If it is that thread that calls, from inside serve(), nothing
// has to be woken, and the client serves again after a reset.
void AcrnBackend::stop() {
  stopping_ = true;
  if (server_.load() == std::this_thread::get_id()) return;
  client_ = false;
  ::ioctl(device_.get(), ACRN_IOCTL_DESTROY_IOREQ_CLIENT, 0);
}

// acrn-dm's order for a system reset: the request that asked for it is not notified.
void AcrnBackend::reset() {
  must_ioctl("CLEAR_VM_IOREQ", device_.get(), ACRN_IOCTL_CLEAR_VM_IOREQ, 0);
  must_ioctl("RESET_VM", device_.get(), ACRN_IOCTL_RESET_VM, 0);
  stopping_ = false;
}

std::optional<WalkStamps> AcrnBackend::walk(unsigned vcpu) { return control_.walk(device_.get(), vcpu); }

std::optional<uint64_t> AcrnBackend::instructions(unsigned vcpu) {
  const auto c = control_.counters(device_.get(), vcpu);
  return c ? std::optional<uint64_t>(c->instructions) : std::nullopt;
}

}  // namespace mv
