// SPDX-License-Identifier: MIT
#include "glue/gunyah_vm.h"

#include <csignal>
#include <cstring>

#include "vmm/backend/control.h"

namespace mv::glue {

static int must(Result r, const char* what) {
  if (r.value < 0) throw std::system_error(-r.value, std::generic_category(), what);
  return r.value;
}

GunyahDevice::GunyahDevice() : fd_(open_node("/dev/gunyah")) {}

Result GunyahDevice::create_memory(uint64_t size, uint64_t flags) {
  gunyah_create_mem_args a{};
  a.size = size;
  a.flags = flags;
  return call(fd(), GUNYAH_CREATE_GUEST_MEM, &a);
}

GuestMemory::GuestMemory(GunyahDevice& device, uint64_t size) : fd_(must(device.create_memory(size), "CREATE_GUEST_MEM")), size_(size) {}

void GuestMemory::write(uint64_t offset, std::span<const std::byte> bytes) const {
  const uint64_t page = offset & ~uint64_t{4095};
  Mapping m = map(page, offset - page + bytes.size());
  std::memcpy(m.as() + (offset - page), bytes.data(), bytes.size());
}

uint64_t GuestMemory::word(uint64_t offset) const {
  const uint64_t page = offset & ~uint64_t{4095};
  Mapping m = map(page, 4096);
  return *reinterpret_cast<volatile uint64_t*>(m.as() + (offset - page));
}

void PrintTo(const MmioExit& e, std::ostream* out) {
  *out << (e.is_write ? "write 0x" : "read 0x") << std::hex << e.address << "/" << e.size << " = 0x" << e.data << std::dec;
}

GunyahVcpu::GunyahVcpu(Fd fd) : fd_(std::move(fd)), page_(4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0, "vCPU page") {}

Result GunyahVcpu::run() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &action, nullptr);
  ::alarm(20);
  const Result r = call(fd(), GUNYAH_VCPU_RUN, 0);
  ::alarm(0);
  return r;
}

std::optional<MmioExit> GunyahVcpu::mmio() {
  if (run() != ok || page().exit_reason != GUNYAH_VCPU_EXIT_MMIO) return std::nullopt;
  MmioExit e{page().mmio.phys_addr, page().mmio.len, page().mmio.is_write != 0, 0};
  if (e.is_write && e.size <= 8) std::memcpy(&e.data, page().mmio.data, e.size);
  return e;
}

std::optional<MmioExit> GunyahVcpu::mmio_after(uint64_t data) {
  std::memcpy(page().mmio.data, &data, sizeof data);
  return mmio();
}

std::optional<unsigned> GunyahVcpu::ended() {
  if (run() != ok || page().exit_reason != GUNYAH_VCPU_EXIT_STATUS || page().status.status != GUNYAH_VM_STATUS_EXITED) return std::nullopt;
  return page().status.exit_info.type;
}

GunyahVm::GunyahVm(GunyahDevice& device) : fd_(must(device.create_vm(), "CREATE_VM")) {}

Result GunyahVm::map(const GuestMemory& m, uint64_t gpa, uint32_t flags, uint64_t offset, uint64_t size) {
  return map({.guest_addr = gpa, .flags = flags, .guest_mem_fd = static_cast<__u32>(m.fd()), .offset = offset, .size = size});
}

Result GunyahVm::function(unsigned long number, uint32_t type, const void* argument, uint32_t size) {
  gunyah_fn_desc d{.type = type, .arg_size = size, .arg = reinterpret_cast<uint64_t>(argument)};
  return call(fd(), number, &d);
}

Result GunyahVm::set_dtb(uint64_t gpa, uint64_t size) {
  gunyah_vm_dtb_config c{.guest_phys_addr = gpa, .size = size};
  return call(fd(), GUNYAH_VM_SET_DTB_CONFIG, &c);
}

Result GunyahVm::boot_context(uint32_t set, uint32_t index, uint64_t value) {
  gunyah_vm_boot_context c{.reg = set << 8 | index, .reserved = 0, .value = value};
  return call(fd(), GUNYAH_VM_SET_BOOT_CONTEXT, &c);
}

GunyahGuest::GunyahGuest(unsigned vcpus, uint32_t access, std::span<const TreeDoorbell> doorbells) : vm_(device_), memory_(device_, kMemory) {
  must(vm_.map(memory_, kBase, access | kRwx), "MAP_MEM");
  const auto tree = make_device_tree(kMemory, vcpus, doorbells);
  memory_.write(kTree, tree);
  must(vm_.set_dtb(kBase + kTree, tree.size()), "SET_DTB_CONFIG");
  for (unsigned i = 0; i < vcpus; ++i) vcpus_.emplace_back(Fd(must(vm_.add_vcpu(i), "ADD_FUNCTION")));
}

void GunyahGuest::load_vectors() {
  // current EL with SP_ELx, synchronous
  load(A64Code().mov(20, kReport).mrs_esr(0).mrs_far(1).str(3, 0, 20).str(3, 1, 20, 8).spin(), kVectors + 0x200);
}

void GunyahGuest::boot(const A64Code& code) {
  load(code);
  must(start(), "VM_START");
}

}  // namespace mv::glue
