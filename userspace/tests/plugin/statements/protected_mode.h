// SPDX-License-Identifier: MIT
// Guests of 32 and 64 bits.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

#include "tests/plugin/statements/under_host.h"

namespace mv::test {

// Straight code of 32 or 64 bits, all of whose addresses are below 64 KiB.
class Code {
 public:
  Code& bytes(std::initializer_list<uint8_t> b) {
    code_.insert(code_.end(), b);
    return *this;
  }
  Code& imm(uint8_t opcode, uint32_t v) {
    code_.push_back(opcode);
    for (int i = 0; i < 4; ++i) code_.push_back(static_cast<uint8_t>(v >> (i * 8)));
    return *this;
  }
  Code& eax(uint32_t v) { return imm(0xb8, v); }
  Code& ecx(uint32_t v) { return imm(0xb9, v); }
  Code& edx(uint32_t v) { return imm(0xba, v); }
  Code& ebx(uint32_t v) { return imm(0xbb, v); }
  Code& esi(uint32_t v) { return imm(0xbe, v); }
  Code& edi(uint32_t v) { return imm(0xbf, v); }
  Code& wrmsr(uint32_t msr, uint32_t v) { return ecx(msr).eax(v).edx(0).bytes({0x0f, 0x30}); }
  Code& call(uint64_t to) { return imm(0xe8, static_cast<uint32_t>(to - (Vm::kEntry + code_.size() + 5))); }
  // mov [at], eax; mov [at + 4], edx
  Code& keep(uint32_t at) { return bytes({0x89, 0x04, 0x25}).address(at).bytes({0x89, 0x14, 0x25}).address(at + 4); }
  Code& end() { return edx(Vm::kEnd).bytes({0xee, 0xf4}); }
  void put(Vm& vm) const { std::copy(code_.begin(), code_.end(), vm.memory + Vm::kEntry); }

 private:
  Code& address(uint32_t v) {
    for (int i = 0; i < 4; ++i) code_.push_back(static_cast<uint8_t>(v >> (i * 8)));
    return *this;
  }
  std::vector<uint8_t> code_;
};

// Segments of 4 GiB; wide: code of 64 bits, for which pages() is needed.
inline void flat(kvm_sregs& sregs, bool wide) {
  for (kvm_segment* s : {&sregs.cs, &sregs.ds, &sregs.es, &sregs.ss}) {
    *s = {};
    s->limit = 0xffffffff;
    s->selector = s == &sregs.cs ? 8 : 16;
    s->type = s == &sregs.cs ? 0xb : 3;
    s->present = s->s = s->g = 1;
    s->l = wide && s == &sregs.cs;
    s->db = !s->l;
  }
  sregs.cr0 |= 1;
}

// Long mode, with two pages of 2 MiB, where they are.  For flat(), wide.
inline void pages(Vm& vm, kvm_sregs& sregs) {
  const uint64_t entries[] = {0x9003, 0xa003, 0x83};
  for (unsigned i = 0; i < 3; ++i) std::memcpy(vm.memory + 0x8000 + i * 0x1000, &entries[i], 8);
  const uint64_t second = 0x200083;
  std::memcpy(vm.memory + 0xa008, &second, 8);
  sregs.cr3 = 0x8000;
  sregs.cr4 |= 1 << 5;
  sregs.efer |= 1 << 8 | 1 << 10;
  sregs.cr0 |= 1u << 31;
}

// At the first event: 64 or 32 bits from Vm::kEntry, with a stack below 7000h.
inline void set_protected(Vm& vm, bool wide, const std::function<void(kvm_sregs&)>& change = {}) {
  kvm_sregs sregs;
  ASSERT_EQ(crosvm_vcpu_get_sregs(vm.vcpu(), &sregs), 0);
  flat(sregs, wide);
  if (wide) pages(vm, sregs);
  if (change) change(sregs);
  kvm_regs regs = {};
  regs.rip = Vm::kEntry;
  regs.rsp = 0x7000;
  regs.rflags = 2;
  ASSERT_EQ(crosvm_vcpu_set_sregs(vm.vcpu(), &sregs), 0);
  ASSERT_EQ(crosvm_vcpu_set_regs(vm.vcpu(), &regs), 0);
  vm.resume();
}

inline void begin_protected(Vm& vm, const Code& code, bool wide) {
  code.put(vm);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  ASSERT_EQ(vm.wait().kind, CROSVM_VCPU_EVENT_KIND_INIT);
  std::vector<kvm_cpuid_entry2> leaves(256);
  uint32_t count = 0;
  ASSERT_EQ(crosvm_get_supported_cpuid(vm.get(), 256, leaves.data(), &count), 0);
  ASSERT_EQ(crosvm_vcpu_set_cpuid(vm.vcpu(), count, leaves.data()), 0);  // or there is no long mode
  set_protected(vm, wide);
}

}  // namespace mv::test
