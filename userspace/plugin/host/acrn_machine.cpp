// SPDX-License-Identifier: MIT
#include "plugin/host/acrn_machine.h"

#include <linux/acrn.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>

#include "vmm/backend/control.h"
#include "vmm/backend/ioreq_slot.h"

namespace mv::plugin {

namespace {

constexpr unsigned kMostVcpus = ACRN_IO_REQUEST_MAX;

}  // namespace

std::unique_ptr<Machine> make_acrn_machine(unsigned vcpus) {
  if (vcpus > kMostVcpus) throw std::invalid_argument("--cpus: ACRN has 1 to " + std::to_string(kMostVcpus) + "; inproc and kvm have more");
  return std::make_unique<AcrnMachine>(vcpus);
}

AcrnMachine::AcrnMachine(unsigned vcpus)
    : InprocMachine(vcpus),
      vm_(open_node("/dev/acrn_hsm")),
      control_(open_node("/dev/mockvisor")),
      ends_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      requests_(4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0, "request page") {
  acrn_vm_creation c{};
  const std::string name = "plugin" + std::to_string(::getpid() % 1000000);
  std::memcpy(c.uuid, name.data(), std::min<size_t>(name.size(), 15));
  c.ioreq_buf = reinterpret_cast<uint64_t>(requests_.as<void>());
  c.cpu_affinity = (uint64_t{1} << vcpus) - 1;
  must_ioctl("CREATE_VM", vm_.get(), ACRN_IOCTL_CREATE_VM, &c);
  put_chip();  // as KVM's are at power-on
  for (unsigned i = 0; i < vcpus; ++i) {
    acrn_vcpus_.push_back(std::make_unique<AcrnVcpu>(*this, inproc_vcpu(i), i));
    acrn_vcpus_.back()->put();
  }
  must_ioctl("CREATE_IOREQ_CLIENT", vm_.get(), ACRN_IOCTL_CREATE_IOREQ_CLIENT, 0);
  ends_watch_ = std::make_unique<DeviceLoop::Watch>(loop(), ends_.get(), [this] { take_ends(); });
}

AcrnMachine::~AcrnMachine() {
  stop_devices();
  stopping_ = true;
  ::ioctl(vm_.get(), ACRN_IOCTL_DESTROY_IOREQ_CLIENT, 0);
  if (dispatcher_.joinable()) dispatcher_.join();
  ::ioctl(vm_.get(), ACRN_IOCTL_PAUSE_VM, 0);
  ::ioctl(vm_.get(), ACRN_IOCTL_DESTROY_VM, 0);
}

int AcrnMachine::control(unsigned long call, void* argument) const { return ::ioctl(control_.get(), call, argument) < 0 ? -errno : 0; }

void AcrnMachine::start() {
  std::call_once(started_, [this] {
    must_ioctl("START_VM", vm_.get(), ACRN_IOCTL_START_VM, 0);
    dispatcher_ = std::thread([this] { dispatch(); });
  });
}

// ATTACH returns while any request is out, so with one at the plugin the others are looked for from time to time.
void AcrnMachine::dispatch() {
  while (!stopping_) {
    const bool any_out = std::any_of(acrn_vcpus_.begin(), acrn_vcpus_.end(), [](auto& v) { return v->has_access(); });
    if (any_out) std::this_thread::sleep_for(std::chrono::microseconds(50));
    if (::ioctl(vm_.get(), ACRN_IOCTL_ATTACH_IOREQ_CLIENT, 0) < 0) break;
    for (unsigned i = 0; i < acrn_vcpus_.size() && !stopping_; ++i) serve_slot(i);
  }
  for (auto& v : acrn_vcpus_) v->abandon();
}

bool AcrnMachine::serve_slot(unsigned vcpu) {
  const acrn_io_request& slot = requests_.as<acrn_io_request_buffer>()->req_slot[vcpu];
  if (acrn_vcpus_[vcpu]->has_access() || !slot_is_ours(slot)) return false;
  const Access access = slot_access(slot, vcpu);
  hv_exit e = {};
  e.kind = HV_EXIT_ACCESS;
  e.space = access.space == mv::Space::pio ? HV_SPACE_PIO : HV_SPACE_MMIO;
  e.direction = access.direction == Direction::write ? HV_WRITE : HV_READ;
  e.size = static_cast<u8>(access.size);
  e.address = access.address;
  e.data = access.data;
  uint64_t value = 0;
  const bool write = e.direction == HV_WRITE;
  if (serve_devices(e, value)) {
    answer(vcpu, write, value);
  } else {
    acrn_vcpus_[vcpu]->hand_over({e.space == HV_SPACE_MMIO ? Space::mmio : Space::ioport, e.address, write, access.size, e.data});
  }
  return true;
}

void AcrnMachine::answer(unsigned vcpu, bool write, uint64_t data) {
  acrn_io_request& slot = requests_.as<acrn_io_request_buffer>()->req_slot[vcpu];
  if (!write && slot.type == ACRN_IOREQ_TYPE_MMIO) slot.reqs.mmio_request.value = data;
  if (!write && slot.type != ACRN_IOREQ_TYPE_MMIO) slot.reqs.pio_request.value = static_cast<__u32>(data);
  acrn_ioreq_notify n{.vmid = 0, .reserved = 0, .vcpu = vcpu};
  ::ioctl(vm_.get(), ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &n);
}

// The inproc machine keeps the books: what overlaps, what is logged.
int AcrnMachine::add_memory(uint32_t key, uint64_t start, std::span<std::byte> memory, bool read_only, bool dirty_log) {
  if (const int error = InprocMachine::add_memory(key, start, memory, read_only, dirty_log)) return error;
  acrn_vm_memmap m{};
  m.type = ACRN_MEMMAP_RAM;
  m.attr = (read_only || dirty_log ? ACRN_MEM_ACCESS_READ | ACRN_MEM_ACCESS_EXEC : ACRN_MEM_ACCESS_RWX) | ACRN_MEM_TYPE_WB;
  m.vma_base = reinterpret_cast<uint64_t>(memory.data());
  m.user_vm_pa = start;
  m.len = memory.size();
  if (::ioctl(vm_.get(), ACRN_IOCTL_SET_MEMSEG, &m) < 0) {
    const int error = -errno;
    InprocMachine::remove_memory(key);
    return error;
  }
  segments_.insert_or_assign(key, Segment{start, memory.size()});
  return 0;
}

int AcrnMachine::remove_memory(uint32_t key) {
  if (const int error = InprocMachine::remove_memory(key)) return error;
  const auto segment = segments_.extract(key);
  mockvisor_memory_forget m = {vm_.get(), 0, segment.mapped().start, segment.mapped().length};
  return control(MOCKVISOR_MEMORY_FORGET, &m);
}

void AcrnMachine::fetch_chip() {
  mockvisor_x86_chip c = {};
  c.vm_fd = vm_.get();
  if (control(MOCKVISOR_X86_CHIP_GET, &c)) return;
  env_lock_take(&chip().lock);
  std::memcpy(chip().pic.chip, c.pic, sizeof(c.pic));
  chip().ioapic.id = c.ioapic_id;
  chip().ioapic.select = c.ioapic_select;
  chip().ioapic.lines = c.ioapic_lines;
  std::memcpy(chip().ioapic.rte, c.redirection, sizeof(c.redirection));
  env_lock_drop(&chip().lock);
}

void AcrnMachine::put_chip() {
  mockvisor_x86_chip c = {};
  c.vm_fd = vm_.get();
  env_lock_take(&chip().lock);
  std::memcpy(c.pic, chip().pic.chip, sizeof(c.pic));
  c.pins = chip().ioapic.pins;
  c.ioapic_id = chip().ioapic.id;
  c.ioapic_select = chip().ioapic.select;
  c.ioapic_lines = chip().ioapic.lines;
  std::memcpy(c.redirection, chip().ioapic.rte, sizeof(c.redirection));
  env_lock_drop(&chip().lock);
  control(MOCKVISOR_X86_CHIP_SET, &c);
}

int AcrnMachine::get_state(MachineState set, std::span<std::byte> state) {
  fetch_chip();
  return InprocMachine::get_state(set, state);
}

int AcrnMachine::set_state(MachineState set, std::span<const std::byte> state) {
  const bool of_chip = set == MachineState::pic0 || set == MachineState::pic1 || set == MachineState::ioapic;
  if (of_chip) fetch_chip();
  const int error = InprocMachine::set_state(set, state);
  if (of_chip && !error) put_chip();
  return error;
}

void AcrnMachine::drive_pin(const kvm_irq_routing_irqchip& pin, bool high) {
  const bool ioapic = pin.irqchip == KVM_IRQCHIP_IOAPIC;
  const uint32_t input = ioapic ? pin.pin : pin.irqchip * 8 + pin.pin;
  if (!ioapic && input == PIC_CASCADE) return;
  mockvisor_x86_pin p = {vm_.get(), static_cast<uint16_t>(ioapic ? KVM_IRQCHIP_IOAPIC : 0), static_cast<uint16_t>(input), high, 0};
  control(MOCKVISOR_X86_PIN, &p);
}

void AcrnMachine::send_message(uint64_t address, uint32_t data) {
  acrn_msi_entry m{.msi_addr = address, .msi_data = data};
  ::ioctl(vm_.get(), ACRN_IOCTL_INJECT_MSI, &m);
}

// Only the inputs of eventfds: what irq_line() drives stays as it was driven.
int AcrnMachine::watch_ends() {
  mockvisor_x86_ends e = {vm_.get(), ends_.get(), 0, 0};
  for (const auto& [chip, pin] : pins_of_events()) {
    if (chip == KVM_IRQCHIP_IOAPIC) e.ioapic |= uint64_t{1} << pin;
    else e.pic |= uint64_t{1} << (chip * 8 + pin);
  }
  return control(MOCKVISOR_X86_ENDS_WATCH, &e);
}

void AcrnMachine::take_ends() {
  mockvisor_x86_ends e = {vm_.get(), -1, 0, 0};
  if (control(MOCKVISOR_X86_ENDS_TAKE, &e)) return;
  Pins pins;
  for (uint32_t i = 0; i < 64; ++i) {
    if (e.pic >> i & 1) pins.emplace_back(i / 8, i % 8);
    if (e.ioapic >> i & 1) pins.emplace_back(KVM_IRQCHIP_IOAPIC, i);
  }
  finished(pins);
}

int AcrnMachine::add_irq_event(uint32_t key, uint32_t gsi, int trigger, int resample) {
  const int error = InprocMachine::add_irq_event(key, gsi, trigger, resample);
  return error ? error : watch_ends();
}

int AcrnMachine::remove_irq_event(uint32_t key) {
  const int error = InprocMachine::remove_irq_event(key);
  return error ? error : watch_ends();
}

int AcrnMachine::set_routes(const std::vector<kvm_irq_routing_entry>& routes) {
  const int error = InprocMachine::set_routes(routes);
  return error ? error : watch_ends();
}

}  // namespace mv::plugin
