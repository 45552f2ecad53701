// SPDX-License-Identifier: MIT
// A few A64 instructions as words.  Arm ARM, chapter C6.
#pragma once

#include <cstdint>
#include <vector>

namespace mv::test {

class A64Code {
 public:
  A64Code& word(uint32_t w) {
    code_.push_back(w);
    return *this;
  }
  // MOVZ and MOVK: any value into Xd
  A64Code& mov(unsigned d, uint64_t value) {
    word(0xd2800000 | static_cast<uint32_t>(value & 0xffff) << 5 | d);
    for (unsigned i = 1; i < 4; ++i) {
      const auto part = static_cast<uint32_t>(value >> (16 * i) & 0xffff);
      if (part) word(0xf2800000 | i << 21 | part << 5 | d);
    }
    return *this;
  }
  // size: log2 of the bytes
  A64Code& str(unsigned size, unsigned t, unsigned n, unsigned offset = 0) { return word(0x39000000 | size << 30 | (offset >> size) << 10 | n << 5 | t); }
  A64Code& ldr(unsigned size, unsigned t, unsigned n) { return word(0x39400000 | size << 30 | n << 5 | t); }
  A64Code& ldrs_x(unsigned size, unsigned t, unsigned n) { return word(0x39800000 | size << 30 | n << 5 | t); }
  A64Code& ldrs_w(unsigned size, unsigned t, unsigned n) { return word(0x39c00000 | size << 30 | n << 5 | t); }
  A64Code& ldp(unsigned t, unsigned t2, unsigned n) { return word(0xa9400000 | t2 << 10 | n << 5 | t); }
  A64Code& ldr_post(unsigned t, unsigned n) { return word(0xf8408400 | n << 5 | t); }
  A64Code& ldxr(unsigned t, unsigned n) { return word(0xc85f7c00 | n << 5 | t); }
  A64Code& msr_vbar(unsigned t) { return word(0xd518c000 | t); }
  A64Code& mrs_esr(unsigned t) { return word(0xd5385200 | t); }
  A64Code& mrs_far(unsigned t) { return word(0xd5386000 | t); }
  A64Code& mrs_sp_el0(unsigned t) { return word(0xd5384100 | t); }
  A64Code& mov_from_sp(unsigned d) { return word(0x910003e0 | d); }
  A64Code& add(unsigned d, unsigned n, unsigned value) { return word(0x91000000 | value << 10 | n << 5 | d); }
  A64Code& branch_register(unsigned n) { return word(0xd61f0000 | n << 5); }
  A64Code& msr_pmr(unsigned t) { return word(0xd5184600 | t); }
  A64Code& msr_igrpen1(unsigned t) { return word(0xd518cce0 | t); }
  A64Code& mrs_iar1(unsigned t) { return word(0xd538cc00 | t); }
  A64Code& msr_eoir1(unsigned t) { return word(0xd518cc20 | t); }
  A64Code& msr_sgi1r(unsigned t) { return word(0xd518cba0 | t); }
  A64Code& msr_cntv_tval(unsigned t) { return word(0xd51be300 | t); }
  A64Code& msr_cntv_ctl(unsigned t) { return word(0xd51be320 | t); }
  A64Code& unmask_irqs() { return word(0xd50342ff); }
  A64Code& eret() { return word(0xd69f03e0); }
  A64Code& jump(int words) { return word(0x14000000 | (0x3ffffff & static_cast<uint32_t>(words))); }
  A64Code& cbnz(unsigned t, int words) { return word(0xb5000000 | (0x7ffff & static_cast<uint32_t>(words)) << 5 | t); }
  A64Code& isb() { return word(0xd5033fdf); }
  A64Code& hvc() { return word(0xd4000002); }
  A64Code& wfi() { return word(0xd503207f); }
  A64Code& spin() { return word(0x14000000); }
  A64Code& jump_to_start() { return word(0x14000000 | (0x3ffffff & -static_cast<uint32_t>(code_.size()))); }
  // SMCCC: function in x0, arguments in x1..x3
  A64Code& psci(uint32_t function, uint64_t a1 = 0, uint64_t a2 = 0, uint64_t a3 = 0) { return mov(0, function).mov(1, a1).mov(2, a2).mov(3, a3).hvc(); }

  const std::vector<uint32_t>& get() const { return code_; }

 private:
  std::vector<uint32_t> code_;
};

constexpr uint32_t kPsciCpuOff = 0x84000002, kPsciCpuOn = 0xc4000003, kPsciOff = 0x84000008, kPsciReset = 0x84000009, kPsciReset2 = 0x84000012;

}  // namespace mv::test
