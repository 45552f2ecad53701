// SPDX-License-Identifier: MIT
#include "glue/acrn_vm.h"

#include <fcntl.h>

#include <atomic>
#include <cstring>
#include <stdexcept>

#include "glue/runner.h"
#include "vmm/backend/control.h"

namespace mv::glue {

AcrnDevice::AcrnDevice() : fd_(open_node("/dev/acrn_hsm")) {}

acrn_vm_creation creation(const Pages& requests, const std::string& name, uint64_t affinity, uint64_t flags) {
  acrn_vm_creation c{};
  std::memcpy(c.uuid, name.data(), std::min<size_t>(name.size(), 15));
  c.vm_flag = flags;
  c.ioreq_buf = requests.address();
  c.cpu_affinity = affinity;
  return c;
}

acrn_vm_memmap ram(uint64_t gpa, uint64_t vma_base, uint64_t len, uint32_t attr) {
  acrn_vm_memmap m{};
  m.type = ACRN_MEMMAP_RAM;
  m.attr = attr | ACRN_MEM_TYPE_WB;
  m.user_vm_pa = gpa;
  m.vma_base = vma_base;
  m.len = len;
  return m;
}

acrn_vcpu_regs real_mode(uint16_t rip, uint16_t vcpu) {
  acrn_vcpu_regs r{};
  r.vcpu_id = vcpu;
  r.vcpu_regs.rip = rip;
  r.vcpu_regs.cs_limit = 0xffff;
  r.vcpu_regs.cs_ar = 0x9f;
  r.vcpu_regs.cr0 = 0x30;
  r.vcpu_regs.idt.limit = 0x3ff;
  return r;
}

void PrintTo(const Request& r, std::ostream* out) {
  *out << "type " << r.type << (r.direction ? " write 0x" : " read 0x") << std::hex << r.address << "/" << r.size << " = 0x" << r.value << std::dec;
}

static void must(Result r, const char* what) {
  if (r.value < 0) throw std::system_error(-r.value, std::generic_category(), what);
}

AcrnVm::AcrnVm(const std::string& name, uint64_t affinity, uint64_t flags) {
  acrn_vm_creation c = creation(requests_, name, affinity, flags);
  must(create(c), "CREATE_VM");
  vcpus_ = c.vcpu_num;
  must(set_memseg(ram(0, memory_.address(), kMemory)), "SET_MEMSEG");
}

uint32_t AcrnVm::processed(unsigned vcpu) const { return std::atomic_ref(slot(vcpu).processed).load(std::memory_order_acquire); }

void AcrnVm::load(const X86Code& code, uint16_t at) { std::memcpy(memory() + at, code.get().data(), code.get().size()); }

void AcrnVm::boot(const X86Code& code) {
  load(code);
  must(set_regs(real_mode(kCode)), "SET_VCPU_REGS");
  must(create_client(), "CREATE_IOREQ_CLIENT");
  must(start(), "START_VM");
}

bool AcrnVm::slot_becomes(uint32_t state, unsigned vcpu) const {
  return eventually([&] { return processed(vcpu) == state; });
}

std::optional<Request> AcrnVm::request(unsigned vcpu) {
  if (!slot_becomes(ACRN_IOREQ_STATE_PROCESSING, vcpu)) return std::nullopt;
  const acrn_io_request& s = slot(vcpu);
  Request r{s.type, s.reqs.pio_request.direction, s.reqs.pio_request.address, s.reqs.pio_request.size, 0};
  r.value = s.type == ACRN_IOREQ_TYPE_PORTIO ? s.reqs.pio_request.value : s.reqs.mmio_request.value;
  if (r.direction == ACRN_IOREQ_DIR_READ) r.value = 0;
  return r;
}

bool AcrnVm::reply(uint64_t value, unsigned vcpu) {
  acrn_io_request& s = slot(vcpu);
  if (s.reqs.pio_request.direction == ACRN_IOREQ_DIR_READ) {
    if (s.type == ACRN_IOREQ_TYPE_MMIO) {
      s.reqs.mmio_request.value = value;
    } else {
      s.reqs.pio_request.value = static_cast<uint32_t>(value);
    }
  }
  return notify(vcpu) == ok;
}

}  // namespace mv::glue
