// SPDX-License-Identifier: MIT
// Memory, I/O events and accesses of a plugin's machine; interrupts are in inproc_irq.cpp.
#include "plugin/host/inproc_machine.h"

#include <algorithm>
#include <cstring>

#include "plugin/host/signal.h"

namespace mv::plugin {

namespace {

constexpr uint64_t kPage = 4096;
constexpr unsigned kIoapicPins = 24;
constexpr unsigned kDefaultPicLines = 16;

uint64_t steady_ns() { return env_now_ns(); }

std::vector<kvm_irq_routing_entry> default_routes() {
  std::vector<kvm_irq_routing_entry> routes;
  for (uint32_t gsi = 0; gsi < kIoapicPins; ++gsi) {
    kvm_irq_routing_entry entry = {};
    entry.gsi = gsi;
    entry.type = KVM_IRQ_ROUTING_IRQCHIP;
    entry.u.irqchip = {KVM_IRQCHIP_IOAPIC, gsi};
    routes.push_back(entry);
    if (gsi >= kDefaultPicLines) continue;
    entry.u.irqchip = {gsi / 8, gsi % 8};  // KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE
    routes.push_back(entry);
  }
  return routes;
}

}  // namespace

std::unique_ptr<Machine> make_inproc_machine(unsigned vcpus) { return std::make_unique<InprocMachine>(vcpus); }

InprocMachine::InprocMachine(unsigned vcpus) : routes_(default_routes()) {
  if (vcpus < 1 || vcpus > IRQCHIP_CPUS) throw std::invalid_argument("--cpus: the software CPU's interrupt controllers serve 1 to 32");
  hv_memmap_init(map_.get());
  irqchip_init(chip_.get(), kIoapicPins);
  // plugins use the 8259s as they are after power-on: all inputs open, vectors from 0
  for (pic& p : chip_->pic.chip) p.initialised = 1;
  chip_->context = this;
  chip_->kick = [](void* self, u32) { static_cast<InprocMachine*>(self)->bell_.wake(); };
  for (unsigned i = 0; i < vcpus; ++i) vcpus_.push_back(std::make_unique<InprocVcpu>(*this, i));
  for (kvm_pit_channel_state& c : pit_state_.channels) c = {.count = 0x10000, .latched_count = 0, .count_latched = 0, .status_latched = 0, .status = 0, .read_state = 0, .write_state = 0, .write_latch = 0, .rw_mode = 0, .mode = 0xff, .bcd = 0, .gate = 1, .count_load_time = 0};
  pit_state_.channels[2].gate = 0;
  pit_alarm_ = std::make_unique<DeviceLoop::Alarm>(loop_, [this] {
    std::lock_guard lock(pit_mutex_);
    pit_->expire();
  });
  pit_ = std::make_unique<Pit8254>(Timing{steady_ns, [this](uint64_t at) { pit_alarm_->set(at); }}, IrqLine([this](bool high) { irq_line(0, high); }));
  port61_ = std::make_unique<Port61>(*pit_);
}

InprocMachine::~InprocMachine() { loop_.stop(); }

void InprocMachine::kick_all() {
  for (auto& v : vcpus_) hv_cpu_request(&v->cpu().hv, HV_REQ_STOP | HV_REQ_FLUSH);
}

int InprocMachine::add_memory(uint32_t key, uint64_t start, std::span<std::byte> memory, bool read_only, bool dirty_log) {
  return gate_.alone([this] { kick_all(); }, [&] {
    std::lock_guard lock(mutex_);
    // writes that are logged come as exits, and so do those to memory that cannot be written
    const u32 access = read_only || dirty_log ? HV_MEM_READ | HV_MEM_EXEC : HV_MEM_RWX;
    const auto at = memory_.insert_or_assign(key, Memory{-1, start, memory, dirty_log, {}, !read_only}).first;
    at->second.slot = hv_memmap_add(map_.get(), start, memory.size(), reinterpret_cast<u8*>(memory.data()), nullptr, access);
    if (at->second.slot >= 0) return 0;
    const int error = at->second.slot;
    memory_.erase(at);
    return error;
  });
}

int InprocMachine::remove_memory(uint32_t key) {
  return gate_.alone([this] { kick_all(); }, [&] {
    std::lock_guard lock(mutex_);
    const auto at = memory_.find(key);
    if (at == memory_.end()) return -ENOENT;
    hv_memmap_retire(map_.get(), static_cast<u32>(at->second.slot));
    memory_.erase(at);
    return 0;
  });
}

int InprocMachine::dirty_log(uint32_t key, std::string& bitmap) {
  std::lock_guard lock(mutex_);
  const auto at = memory_.find(key);
  if (at == memory_.end() || !at->second.logged) return -ENOENT;
  bitmap.assign((at->second.host.size() / kPage + 7) / 8, '\0');
  for (const uint64_t page : at->second.dirty) bitmap[page / 8] = static_cast<char>(bitmap[page / 8] | 1 << (page % 8));
  at->second.dirty.clear();
  return 0;
}

int InprocMachine::add_io_event(uint32_t key, const IoEventSpec& spec, int eventfd) {
  std::lock_guard lock(mutex_);
  for (const auto& [other, e] : io_events_) {
    const bool same_place = e.spec.space == spec.space && e.spec.address == spec.address;
    const bool any_length = !e.spec.length || !spec.length;
    if (same_place && (any_length || (e.spec.length == spec.length && e.spec.datamatch == spec.datamatch))) return -EEXIST;
  }
  io_events_.emplace(key, IoEvent{spec, eventfd});
  return 0;
}

int InprocMachine::remove_io_event(uint32_t key) {
  std::lock_guard lock(mutex_);
  return io_events_.erase(key) ? 0 : -ENOENT;
}

bool InprocMachine::serve_io_event(const hv_exit& access) {
  const Space space = access.space == HV_SPACE_MMIO ? Space::mmio : Space::ioport;
  std::lock_guard lock(mutex_);
  for (const auto& [key, e] : io_events_) {
    if (e.spec.space != space || e.spec.address != access.address) continue;
    if (e.spec.length && (e.spec.length != access.size || e.spec.datamatch != access.data)) continue;
    signal_eventfd(e.eventfd);
    return true;
  }
  return false;
}

// The store that the CPU was kept from.
bool InprocMachine::serve_logged_write(const hv_exit& access) {
  std::lock_guard lock(mutex_);
  for (auto& [key, m] : memory_) {
    if (access.address - m.start >= m.host.size()) continue;
    if (!m.logged || !m.writable) return false;
    const uint64_t offset = access.address - m.start;
    std::memcpy(m.host.data() + offset, &access.data, std::min<uint64_t>(access.size, m.host.size() - offset));
    m.dirty.insert(offset / kPage);
    return true;
  }
  return false;
}

void InprocMachine::store(const HypervStore& store) {
  std::lock_guard lock(mutex_);
  for (auto& [key, m] : memory_) {
    const uint64_t offset = store.address - m.start;
    if (offset >= m.host.size() || !m.writable) continue;
    std::memset(m.host.data() + offset, 0, store.size);  // within one page, of which memory has whole ones
    std::memcpy(m.host.data() + offset, store.bytes.data(), store.bytes.size());
    if (m.logged) m.dirty.insert(offset / kPage);
  }
}

bool InprocMachine::serve_pit(const hv_exit& access, uint64_t& value) {
  Device* device = nullptr;
  uint64_t offset = 0;
  if (access.address >= Pit8254::kBase && access.address < Pit8254::kBase + Pit8254::kPorts) {
    device = pit_.get();
    offset = access.address - Pit8254::kBase;
  } else if (access.address == Port61::kPort) {
    device = port61_.get();
  } else {
    return false;
  }
  std::lock_guard lock(pit_mutex_);
  if (access.direction == HV_WRITE) {
    device->write(offset, access.size, access.data);
  } else {
    value = device->read(offset, access.size);
  }
  return true;
}

bool InprocMachine::serve(InprocVcpu& vcpu, const hv_exit& access, uint64_t& value) {
  value = 0;
  return serve_chip(vcpu, access, value) || serve_devices(access, value);
}

bool InprocMachine::serve_devices(const hv_exit& access, uint64_t& value) {
  if (access.space == HV_SPACE_PIO && serve_pit(access, value)) return true;
  if (access.direction != HV_WRITE) return false;
  return serve_io_event(access) || (access.space == HV_SPACE_MMIO && serve_logged_write(access));
}

// Capabilities of which KVM says just "1", and which are true here.
bool InprocMachine::check_extension(uint32_t extension) {
  static constexpr uint32_t kTrue[] = {KVM_CAP_IRQCHIP,      KVM_CAP_HLT,          KVM_CAP_USER_MEMORY, KVM_CAP_EXT_CPUID,  KVM_CAP_MP_STATE,
                                       KVM_CAP_IRQFD,        KVM_CAP_PIT2,         KVM_CAP_PIT_STATE2,  KVM_CAP_IOEVENTFD,  KVM_CAP_SET_IDENTITY_MAP_ADDR,
                                       KVM_CAP_VCPU_EVENTS,  KVM_CAP_DEBUGREGS,    KVM_CAP_XCRS,        KVM_CAP_READONLY_MEM, KVM_CAP_IRQFD_RESAMPLE,
                                       KVM_CAP_IOEVENTFD_NO_LENGTH};
  return std::find(std::begin(kTrue), std::end(kTrue), extension) != std::end(kTrue);
}

int InprocMachine::supported_cpuid(std::vector<kvm_cpuid_entry2>& entries) {
  static constexpr std::pair<uint32_t, int> kLeaves[] = {{0, -1},          {1, -1},          {2, -1},          {4, 0},           {4, 1},
                                                         {4, 2},           {6, -1},          {7, 0},           {0xd, 0},         {0xd, 1},
                                                         {0x15, -1},       {0x16, -1},       {0x80000000, -1}, {0x80000001, -1}, {0x80000002, -1},
                                                         {0x80000003, -1}, {0x80000004, -1}, {0x80000006, -1}, {0x80000007, -1}, {0x80000008, -1}};
  // a CPU of its own: the vCPU's belongs to its thread
  auto scratch = core_new<x86_cpu>();
  x86_cpu_init(scratch.get(), map_.get(), 0, nullptr, 0, 0);
  scratch->apic = vcpus_[0]->cpu().apic;
  for (const auto& [leaf, sub] : kLeaves) {
    u32 out[4];
    x86_cpuid_read(scratch.get(), leaf, sub < 0 ? 0 : static_cast<u32>(sub), out);
    entries.push_back({leaf, sub < 0 ? 0 : static_cast<uint32_t>(sub), sub < 0 ? 0u : KVM_CPUID_FLAG_SIGNIFCANT_INDEX, out[0], out[1], out[2], out[3], {}});
  }
  return 0;
}

// MOVBE is all that KVM emulates; here everything is, and so it is the supported list that says it.
int InprocMachine::emulated_cpuid(std::vector<kvm_cpuid_entry2>& entries) {
  entries.push_back({0, 0, 0, 1, 0, 0, 0, {}});
  entries.push_back({1, 0, 0, 0, 0, 1u << 22, 0, {}});
  return 0;
}

int InprocMachine::msr_index_list(std::vector<uint32_t>& indices) {
  indices = {0x10,       0x1b,       0x174,      0x175,      0x176,      0x1a0,      0x277,     0x6e0,
             0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102, 0xc0000103};
  return 0;
}

}  // namespace mv::plugin
