// SPDX-License-Identifier: MIT
// ACRN: SET_VCPU_REGS.
#include <gtest/gtest.h>

#include "glue/acrn_vm.h"

namespace mv::glue {

TEST(AcrnRegs, Statement11_EveryReservedWord) {
  AcrnVm vm;
  const acrn_vcpu_regs good = real_mode(0x1000);
  acrn_vcpu_regs r = good;
  const auto refused = [&](auto& word) {
    word = 1;
    const Result result = vm.set_regs(r);
    r = good;
    return result;
  };
  for (auto& w : r.reserved) EXPECT_EQ(refused(w), fails(EINVAL));
  for (auto& w : r.vcpu_regs.reserved_32) EXPECT_EQ(refused(w), fails(EINVAL));
  for (auto& w : r.vcpu_regs.reserved_64) EXPECT_EQ(refused(w), fails(EINVAL));
  for (int i = 0; i < 3; ++i) {  // packed: no references
    r.vcpu_regs.gdt.reserved[i] = 1;
    EXPECT_EQ(vm.set_regs(r), fails(EINVAL));
    r = good;
  }
  for (int i = 0; i < 3; ++i) {  // packed: no references
    r.vcpu_regs.idt.reserved[i] = 1;
    EXPECT_EQ(vm.set_regs(r), fails(EINVAL));
    r = good;
  }
  EXPECT_EQ(vm.set_regs(good), ok);
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_SET_VCPU_REGS, nullptr), fails(EFAULT));
}

TEST(AcrnRegs, Statement12_WhenAndForWhom) {
  AcrnVm vm("glue", 0b11);
  EXPECT_EQ(vm.set_regs(real_mode(0x1000, 1)), ok) << "any vCPU, not only 0";
  EXPECT_EQ(vm.set_regs(real_mode(0x1000, 2)), fails(EPERM));
  EXPECT_EQ(vm.set_regs(real_mode(0x1000, 0xffff)), fails(EPERM));
  ASSERT_EQ(vm.start(), ok);
  EXPECT_EQ(vm.set_regs(real_mode(0x1000)), fails(EPERM)) << "running";
  ASSERT_EQ(vm.pause(), ok);
  EXPECT_EQ(vm.set_regs(real_mode(0x1000)), ok) << "paused";
}

TEST(AcrnRegs, Statement12_ReservedControlBits) {
  AcrnVm vm;
  acrn_vcpu_regs r = real_mode(0x1000);
  r.vcpu_regs.cr0 |= 1 << 6;
  EXPECT_EQ(vm.set_regs(r), fails(EPERM));
  r = real_mode(0x1000);
  r.vcpu_regs.cr4 = uint64_t{1} << 40;
  EXPECT_EQ(vm.set_regs(r), fails(EPERM));
}

TEST(AcrnRegs, Statement12_NothingElseIsChecked) {
  AcrnVm vm;
  acrn_vcpu_regs r{};
  r.vcpu_regs.rip = ~uint64_t{0};
  r.vcpu_regs.cs_sel = 0xffff;
  r.vcpu_regs.cs_ar = 0xffffffff;
  r.vcpu_regs.ia32_efer = ~uint64_t{0};
  r.vcpu_regs.rflags = ~uint64_t{0};
  EXPECT_EQ(vm.set_regs(r), ok);
  EXPECT_EQ(vm.start(), ok) << "whatever it then does";
  EXPECT_EQ(vm.pause(), ok);
}

TEST(AcrnRegs, Statement13_FlagsOfZeroReadAsTwo) {
  AcrnVm vm;
  // PUSHF; POP AX
  vm.boot(X86Code().mov_sp(0x800).bytes({0x9c, 0x58}).out16(0x3f8).spin());
  EXPECT_EQ(vm.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x3f8, 2, 2));
}

TEST(AcrnRegs, Statement13_ArithmeticFlagsAreCleared) {
  AcrnVm vm;
  vm.load(X86Code().mov_sp(0x800).bytes({0x9c, 0x58}).out16(0x3f8).spin());
  acrn_vcpu_regs r = real_mode(AcrnVm::kCode);
  r.vcpu_regs.rflags = 0x8d5 | 0x400;
  ASSERT_EQ(vm.set_regs(r), ok);
  ASSERT_EQ(vm.create_client(), ok);
  ASSERT_EQ(vm.start(), ok);
  EXPECT_EQ(vm.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x3f8, 2, 0x402));
}

TEST(AcrnRegs, Statement13_DataSelectorsDoNotMoveTheBase) {
  AcrnVm vm;
  vm.load(X86Code().load_al(0x2000).out8(0x3f8).spin());
  vm.memory()[0x2000] = 'd';
  acrn_vcpu_regs r = real_mode(AcrnVm::kCode);
  r.vcpu_regs.ds_sel = 0x1234;
  ASSERT_EQ(vm.set_regs(r), ok);
  ASSERT_EQ(vm.create_client(), ok);
  ASSERT_EQ(vm.start(), ok);
  EXPECT_EQ(vm.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x3f8, 1, 'd'));
}

}  // namespace mv::glue
