// SPDX-License-Identifier: MIT
// A few instructions for guests in real mode (16-bit operands) and in flat 32-bit mode, as bytes.  Intel SDM volume 2.
#pragma once

#include <cstdint>
#include <vector>

namespace mv::test {

class X86Code {
 public:
  X86Code& bytes(std::initializer_list<int> list) {
    for (int b : list) code_.push_back(static_cast<uint8_t>(b));
    return *this;
  }
  X86Code& imm16(uint16_t v) { return bytes({v & 0xff, v >> 8}); }
  X86Code& imm32(uint32_t v) { return imm16(static_cast<uint16_t>(v)).imm16(static_cast<uint16_t>(v >> 16)); }

  X86Code& mov_al(uint8_t v) { return bytes({0xb0, v}); }
  X86Code& mov_ax(uint16_t v) { return bytes({0xb8}).imm16(v); }
  X86Code& mov_eax(uint32_t v) { return bytes({0x66, 0xb8}).imm32(v); }
  X86Code& mov_dx(uint16_t v) { return bytes({0xba}).imm16(v); }
  X86Code& mov_sp(uint16_t v) { return bytes({0xbc}).imm16(v); }
  X86Code& load_al(uint16_t address) { return bytes({0xa0}).imm16(address); }
  X86Code& store_al(uint16_t address) { return bytes({0xa2}).imm16(address); }
  X86Code& load_eax(uint16_t address) { return bytes({0x66, 0xa1}).imm16(address); }
  X86Code& store_eax(uint16_t address) { return bytes({0x66, 0xa3}).imm16(address); }

  X86Code& out8(uint16_t port) { return mov_dx(port).bytes({0xee}); }
  X86Code& out16(uint16_t port) { return mov_dx(port).bytes({0xef}); }
  X86Code& out32(uint16_t port) { return mov_dx(port).bytes({0x66, 0xef}); }
  X86Code& in8(uint16_t port) { return mov_dx(port).bytes({0xec}); }
  X86Code& in16(uint16_t port) { return mov_dx(port).bytes({0xed}); }
  X86Code& in32(uint16_t port) { return mov_dx(port).bytes({0x66, 0xed}); }

  X86Code& spin() { return bytes({0xeb, 0xfe}); }
  X86Code& jump_to_start() {
    const int distance = -static_cast<int>(code_.size()) - 3;
    return bytes({0xe9}).imm16(static_cast<uint16_t>(distance));
  }

  const std::vector<uint8_t>& get() const { return code_; }

 private:
  std::vector<uint8_t> code_;
};

// Instructions for flat 32-bit code.
class Flat32 {
 public:
  Flat32& bytes(std::initializer_list<int> list) {
    code_.bytes(list);
    return *this;
  }
  Flat32& store(uint32_t address, uint32_t v) {
    code_.bytes({0xc7, 0x05}).imm32(address).imm32(v);
    return *this;
  }
  Flat32& load_eax(uint32_t address) {
    code_.bytes({0xa1}).imm32(address);
    return *this;
  }
  Flat32& mov_eax(uint32_t v) {
    code_.bytes({0xb8}).imm32(v);
    return *this;
  }
  Flat32& out8(uint8_t port, uint8_t v) { return bytes({0xb0, v, 0xe6, port}); }
  Flat32& out_eax(uint16_t port) {
    code_.bytes({0x66, 0xba}).imm16(port).bytes({0xef});
    return *this;
  }
  Flat32& in_eax(uint16_t port) {
    code_.bytes({0x66, 0xba}).imm16(port).bytes({0xed});
    return *this;
  }
  Flat32& ioapic(uint32_t pin, uint64_t rte) {
    return store(0xfec00000, 0x11 + 2 * pin).store(0xfec00010, static_cast<uint32_t>(rte >> 32)).store(0xfec00000, 0x10 + 2 * pin).store(0xfec00010, static_cast<uint32_t>(rte));
  }
  Flat32& sti() { return bytes({0xfb}); }
  Flat32& lidt(uint32_t address) {
    code_.bytes({0x0f, 0x01, 0x1d}).imm32(address);
    return *this;
  }
  Flat32& end_of_interrupt() { return store(0xfee000b0, 0); }
  Flat32& iret() { return bytes({0xcf}); }
  Flat32& wait() { return bytes({0xf4, 0xeb, 0xfd}); }
  Flat32& sti_and_wait() { return bytes({0xfb, 0xf4, 0xeb, 0xfd}); }
  const X86Code& code() const { return code_; }

 private:
  X86Code code_;
};

}  // namespace mv::test
