// SPDX-License-Identifier: MIT
#include "plugin/host/kvm_machine.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "plugin/host/kvm_probe.h"

namespace mv::plugin {

namespace {

constexpr uint64_t kPage = 4096;
constexpr uint32_t kMostEntries = 4096;

uint32_t chip_of(MachineState set) {
  return set == MachineState::pic0 ? KVM_IRQCHIP_PIC_MASTER : set == MachineState::pic1 ? KVM_IRQCHIP_PIC_SLAVE : KVM_IRQCHIP_IOAPIC;
}

}  // namespace

std::unique_ptr<Machine> make_kvm_machine(unsigned vcpus) { return std::make_unique<KvmMachine>(vcpus); }

// The order is crosvm's: controllers and timer first, vCPUs when the plugin has had its say.
KvmMachine::KvmMachine(unsigned vcpus) : kvm_(::open("/dev/kvm", O_RDWR | O_CLOEXEC)) {
  if (const std::string trouble = kvm_trouble(); !trouble.empty()) throw std::invalid_argument("--backend kvm: " + trouble);
  if (!kvm_) throw_errno("/dev/kvm");
  const int most = ::ioctl(kvm_.get(), KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
  if (most > 0 && vcpus > static_cast<unsigned>(most)) throw std::invalid_argument("--cpus: this kernel's KVM has 1 to " + std::to_string(most));
  vm_ = Fd(must_ioctl("KVM_CREATE_VM", kvm_.get(), KVM_CREATE_VM, 0));
  must_ioctl("KVM_CREATE_IRQCHIP", vm_.get(), KVM_CREATE_IRQCHIP, 0);
  kvm_pit_config pit = {};
  must_ioctl("KVM_CREATE_PIT2", vm_.get(), KVM_CREATE_PIT2, &pit);
  for (unsigned i = 0; i < vcpus; ++i) vcpus_.push_back(std::make_unique<KvmVcpu>(*this, i));
}

int KvmMachine::call(unsigned long number, const void* argument) const { return ::ioctl(vm_.get(), number, argument) < 0 ? -errno : 0; }

int KvmMachine::make_vcpus() {
  std::call_once(made_, [this] {
    const int bytes = ::ioctl(kvm_.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
    make_error_ = bytes < 0 ? -errno : 0;
    for (auto& v : vcpus_) {
      if (!make_error_) make_error_ = v->create(vm_.get(), static_cast<size_t>(bytes));
    }
  });
  return make_error_;
}

int KvmMachine::set_memory(const Memory& m, uint32_t flags, uint64_t size) const {
  kvm_userspace_memory_region r = {};
  r.slot = m.slot;
  r.flags = flags;
  r.guest_phys_addr = m.start;
  r.memory_size = size;
  r.userspace_addr = reinterpret_cast<uintptr_t>(m.host.data());
  return call(KVM_SET_USER_MEMORY_REGION, &r);
}

// The lowest free slot: their number is bounded.
int KvmMachine::add_memory(uint32_t key, uint64_t start, std::span<std::byte> memory, bool read_only, bool dirty_log) {
  std::lock_guard lock(mutex_);
  std::set<uint32_t> used;
  for (const auto& [other, m] : memory_) used.insert(m.slot);
  uint32_t slot = 0;
  while (used.contains(slot)) ++slot;
  const Memory m{slot, start, memory, dirty_log};
  const uint32_t flags = (read_only ? KVM_MEM_READONLY : 0u) | (dirty_log ? KVM_MEM_LOG_DIRTY_PAGES : 0u);
  if (const int error = set_memory(m, flags, memory.size())) return error;
  memory_.emplace(key, m);
  return 0;
}

int KvmMachine::remove_memory(uint32_t key) {
  std::lock_guard lock(mutex_);
  const auto node = memory_.extract(key);
  return node.empty() ? -ENOENT : set_memory(node.mapped(), 0, 0);
}

// The kernel writes whole words of 64 bits.
int KvmMachine::dirty_log(uint32_t key, std::string& bitmap) {
  std::lock_guard lock(mutex_);
  const auto at = memory_.find(key);
  if (at == memory_.end() || !at->second.logged) return -ENOENT;
  const size_t pages = at->second.host.size() / kPage;
  std::vector<uint64_t> words((pages + 63) / 64);
  kvm_dirty_log log = {};
  log.slot = at->second.slot;
  log.dirty_bitmap = words.data();
  if (const int error = call(KVM_GET_DIRTY_LOG, &log)) return error;
  bitmap.assign(reinterpret_cast<const char*>(words.data()), (pages + 7) / 8);
  return 0;
}

int KvmMachine::io_event(const IoEventSpec& spec, int eventfd, uint32_t flags) const {
  kvm_ioeventfd e = {};
  e.addr = spec.address;
  e.len = spec.length;
  e.fd = eventfd;
  e.flags = flags | (spec.space == Space::ioport ? KVM_IOEVENTFD_FLAG_PIO : 0u) | (spec.length ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0u);
  e.datamatch = spec.length ? spec.datamatch : 0;
  return call(KVM_IOEVENTFD, &e);
}

int KvmMachine::add_io_event(uint32_t key, const IoEventSpec& spec, int eventfd) {
  std::lock_guard lock(mutex_);
  if (const int error = io_event(spec, eventfd, 0)) return error;
  io_events_.emplace(key, std::pair(spec, eventfd));
  return 0;
}

int KvmMachine::remove_io_event(uint32_t key) {
  std::lock_guard lock(mutex_);
  const auto node = io_events_.extract(key);
  return node.empty() ? -ENOENT : io_event(node.mapped().first, node.mapped().second, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

int KvmMachine::add_irq_event(uint32_t key, uint32_t gsi, int trigger, int resample) {
  kvm_irqfd e = {};
  e.fd = static_cast<uint32_t>(trigger);
  e.gsi = gsi;
  e.flags = KVM_IRQFD_FLAG_RESAMPLE;
  e.resamplefd = static_cast<uint32_t>(resample);
  std::lock_guard lock(mutex_);
  if (const int error = call(KVM_IRQFD, &e)) return error;
  irq_events_.emplace(key, e);
  return 0;
}

int KvmMachine::remove_irq_event(uint32_t key) {
  std::lock_guard lock(mutex_);
  auto node = irq_events_.extract(key);
  if (node.empty()) return -ENOENT;
  node.mapped().flags = KVM_IRQFD_FLAG_DEASSIGN;
  return call(KVM_IRQFD, &node.mapped());
}

int KvmMachine::irq_line(uint32_t gsi, bool high) {
  kvm_irq_level level = {};
  level.irq = gsi;
  level.level = high;
  return call(KVM_IRQ_LINE, &level);
}

int KvmMachine::set_routes(const std::vector<kvm_irq_routing_entry>& routes) {
  return KvmList<kvm_irq_routing_entry>(routes).call(vm_.get(), KVM_SET_GSI_ROUTING) < 0 ? -errno : 0;
}

int KvmMachine::get_state(MachineState set, std::span<std::byte> state) {
  if (set == MachineState::pit) return call(KVM_GET_PIT2, state.data());
  if (set == MachineState::clock) return call(KVM_GET_CLOCK, state.data());
  kvm_irqchip chip = {};
  chip.chip_id = chip_of(set);
  if (const int error = call(KVM_GET_IRQCHIP, &chip)) return error;
  std::memcpy(state.data(), &chip.chip, state.size());
  return 0;
}

int KvmMachine::set_state(MachineState set, std::span<const std::byte> state) {
  if (set == MachineState::pit) return call(KVM_SET_PIT2, state.data());
  if (set == MachineState::clock) return call(KVM_SET_CLOCK, state.data());
  kvm_irqchip chip = {};
  chip.chip_id = chip_of(set);
  std::memcpy(&chip.chip, state.data(), std::min(state.size(), sizeof(chip.chip)));
  return call(KVM_SET_IRQCHIP, &chip);
}

int KvmMachine::set_identity_map_address(uint32_t address) {
  const uint64_t wide = address;
  return call(KVM_SET_IDENTITY_MAP_ADDR, &wide);
}

bool KvmMachine::check_extension(uint32_t extension) { return ::ioctl(vm_.get(), KVM_CHECK_EXTENSION, static_cast<unsigned long>(extension)) == 1; }

int cpuid_of(int fd, unsigned long number, std::vector<kvm_cpuid_entry2>& entries) {
  for (uint32_t room = 256; room <= kMostEntries; room *= 2) {
    KvmList<kvm_cpuid_entry2> list(room);
    if (!list.call(fd, number)) {
      for (uint32_t i = 0; i < std::min(list.count(), room); ++i) entries.push_back(list.entry(i));
      return 0;
    }
    if (errno != E2BIG) return -errno;
  }
  return -E2BIG;
}

int KvmMachine::supported_cpuid(std::vector<kvm_cpuid_entry2>& entries) { return cpuid_of(kvm_.get(), KVM_GET_SUPPORTED_CPUID, entries); }

int KvmMachine::emulated_cpuid(std::vector<kvm_cpuid_entry2>& entries) { return cpuid_of(kvm_.get(), KVM_GET_EMULATED_CPUID, entries); }

int KvmMachine::msr_index_list(std::vector<uint32_t>& indices) {
  std::vector<uint32_t> list(1 + kMostEntries);  // nmsrs, indices
  list[0] = kMostEntries;
  if (::ioctl(kvm_.get(), number_in_c(KVM_GET_MSR_INDEX_LIST, sizeof(uint32_t)), list.data()) < 0) return -errno;
  indices.assign(list.begin() + 1, list.begin() + 1 + std::min(list[0], kMostEntries));
  return 0;
}

}  // namespace mv::plugin
