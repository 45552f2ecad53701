// SPDX-License-Identifier: MIT
// ACRN: calls that fail because their user asked for that (MOCKVISOR_FAULT_SET).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <mockvisor.h>

#include "glue/acrn_vm.h"
#include "glue/system.h"

namespace mv::glue {

static Fd control() { return Fd(::open("/dev/mockvisor", O_RDWR | O_CLOEXEC)); }
static mockvisor_fault fault(int fd, unsigned long number, uint32_t error, uint32_t skip = 0, uint32_t times = 0) {
  return {.fd = fd, .call = static_cast<uint32_t>(number), .error = error, .skip = skip, .times = times, .reserved = 0, .passed = 0, .fired = 0};
}
static Result arm(const mockvisor_fault& f) { return call(control().get(), MOCKVISOR_FAULT_SET, &f); }
static mockvisor_fault read(int fd, unsigned long number) {
  mockvisor_fault f = fault(fd, number, 0);
  EXPECT_EQ(call(control().get(), MOCKVISOR_FAULT_GET, &f), ok);
  return f;
}

TEST(AcrnFault, TheFirstTwoFailAndHaveNoEffect) {
  AcrnVm vm;
  ASSERT_EQ(arm(fault(vm.fd(), ACRN_IOCTL_START_VM, EIO, 0, 2)), ok);
  EXPECT_EQ(vm.start(), fails(EIO));
  EXPECT_EQ(vm.start(), fails(EIO));
  EXPECT_EQ(vm.start(), ok);
  EXPECT_EQ(vm.start(), fails(EPERM)) << "what the state refuses does not come to the point";
  const mockvisor_fault f = read(vm.fd(), ACRN_IOCTL_START_VM);
  EXPECT_EQ(f.fired, 2u);
  EXPECT_EQ(f.passed, 1u);
}

TEST(AcrnFault, TheThirdFails) {
  AcrnVm vm;
  ASSERT_EQ(arm(fault(vm.fd(), ACRN_IOCTL_INJECT_MSI, EBUSY, 2, 1)), ok);
  EXPECT_EQ(vm.inject_msi(0xfee00000, 0x30), ok);
  EXPECT_EQ(vm.inject_msi(0xfee00000, 0x30), ok);
  EXPECT_EQ(vm.inject_msi(0xfee00000, 0x30), fails(EBUSY));
  EXPECT_EQ(vm.inject_msi(0xfee00000, 0x30), ok);
}

TEST(AcrnFault, CreateOfADescriptorWithoutVm) {
  const Baseline before;
  {
    AcrnDevice device;
    Pages requests(4096);
    acrn_vm_creation c = creation(requests);
    ASSERT_EQ(arm(fault(device.fd(), ACRN_IOCTL_CREATE_VM, ENOMEM, 0, 1)), ok);
    EXPECT_EQ(device.create(c), fails(ENOMEM));
    EXPECT_EQ(device.start(), fails(EINVAL)) << "there is no VM";
    EXPECT_EQ(device.create(c), ok);
  }
  EXPECT_TRUE(before.restored());
}

// Every call of the table has its point, and it says what was asked for.
TEST(AcrnFault, EveryCall) {
  alignas(8) uint8_t argument[512] = {};
  for (unsigned long number : std::initializer_list<unsigned long>{ACRN_IOCTL_PAUSE_VM, ACRN_IOCTL_SET_VCPU_REGS, ACRN_IOCTL_INJECT_MSI, ACRN_IOCTL_VM_INTR_MONITOR, ACRN_IOCTL_SET_IRQLINE,
                               ACRN_IOCTL_NOTIFY_REQUEST_FINISH, ACRN_IOCTL_CREATE_IOREQ_CLIENT, ACRN_IOCTL_ATTACH_IOREQ_CLIENT, ACRN_IOCTL_DESTROY_IOREQ_CLIENT,
                               ACRN_IOCTL_CLEAR_VM_IOREQ, ACRN_IOCTL_SET_MEMSEG, ACRN_IOCTL_UNSET_MEMSEG, ACRN_IOCTL_SET_PTDEV_INTR, ACRN_IOCTL_RESET_PTDEV_INTR,
                               ACRN_IOCTL_ASSIGN_PCIDEV, ACRN_IOCTL_DEASSIGN_PCIDEV, ACRN_IOCTL_ASSIGN_MMIODEV, ACRN_IOCTL_DEASSIGN_MMIODEV, ACRN_IOCTL_CREATE_VDEV,
                               ACRN_IOCTL_DESTROY_VDEV, ACRN_IOCTL_PM_GET_CPU_STATE, ACRN_IOCTL_IOEVENTFD, ACRN_IOCTL_IRQFD, ACRN_IOCTL_START_VM}) {
    AcrnVm vm;
    ASSERT_EQ(arm(fault(vm.fd(), number, EXDEV)), ok) << std::hex << number;
    EXPECT_EQ(call(vm.fd(), number, argument), fails(EXDEV)) << std::hex << number;
    EXPECT_EQ(read(vm.fd(), number).fired, 1u);
  }
  for (unsigned long number : std::initializer_list<unsigned long>{ACRN_IOCTL_RESET_VM, ACRN_IOCTL_DESTROY_VM}) {
    AcrnVm vm;
    ASSERT_EQ(vm.pause(), ok);
    ASSERT_EQ(arm(fault(vm.fd(), number, EXDEV)), ok);
    EXPECT_EQ(call(vm.fd(), number, 0), fails(EXDEV)) << std::hex << number;
  }
}

TEST(AcrnFault, DisarmedAndArmedAgain) {
  AcrnVm vm;
  ASSERT_EQ(arm(fault(vm.fd(), ACRN_IOCTL_PAUSE_VM, EIO)), ok);
  EXPECT_EQ(vm.pause(), fails(EIO));
  ASSERT_EQ(arm(fault(vm.fd(), ACRN_IOCTL_PAUSE_VM, 0)), ok);
  EXPECT_EQ(vm.pause(), ok);
  EXPECT_EQ(read(vm.fd(), ACRN_IOCTL_PAUSE_VM).fired, 0u) << "arming begins anew";
}

TEST(AcrnFault, OthersAreLeftAlone) {
  AcrnVm vm, other("other");
  ASSERT_EQ(arm(fault(vm.fd(), ACRN_IOCTL_START_VM, EIO)), ok);
  EXPECT_EQ(other.start(), ok);
  EXPECT_EQ(vm.pause(), ok);
}

TEST(AcrnFault, BadArguments) {
  AcrnVm vm;
  mockvisor_fault f = fault(vm.fd(), ACRN_IOCTL_START_VM, EIO);
  f.reserved = 1;
  EXPECT_EQ(arm(f), fails(EINVAL));
  EXPECT_EQ(arm(fault(vm.fd(), ACRN_IOCTL_START_VM, 512)), fails(EINVAL)) << "a code of the kernel's own";
  EXPECT_EQ(arm(fault(vm.fd(), 0xa2ff, EIO)), fails(EINVAL)) << "no such call";
  EXPECT_EQ(arm(fault(-1, ACRN_IOCTL_START_VM, EIO)), fails(EBADF));
  const Fd own = control();
  EXPECT_EQ(arm(fault(own.get(), ACRN_IOCTL_START_VM, EIO)), fails(EINVAL)) << "no VM's";
  const Fd null(::open("/dev/null", O_RDWR));
  EXPECT_EQ(arm(fault(null.get(), ACRN_IOCTL_START_VM, EIO)), fails(EINVAL));
  EXPECT_EQ(call(control().get(), MOCKVISOR_FAULT_SET, nullptr), fails(EFAULT));
  f = fault(vm.fd(), ACRN_IOCTL_START_VM, 0);
  EXPECT_EQ(call(control().get(), MOCKVISOR_FAULT_GET, &f), fails(ENOENT)) << "never armed";
  unsigned armed = 0;
  for (unsigned long number : std::initializer_list<unsigned long>{ACRN_IOCTL_START_VM, ACRN_IOCTL_PAUSE_VM, ACRN_IOCTL_RESET_VM, ACRN_IOCTL_DESTROY_VM, ACRN_IOCTL_SET_VCPU_REGS, ACRN_IOCTL_INJECT_MSI,
                               ACRN_IOCTL_SET_IRQLINE, ACRN_IOCTL_IRQFD, ACRN_IOCTL_IOEVENTFD}) {
    armed += arm(fault(vm.fd(), number, EIO)) == ok;
  }
  EXPECT_EQ(armed, 8u);
  EXPECT_EQ(arm(fault(vm.fd(), ACRN_IOCTL_IOEVENTFD, EIO)), fails(ENOSPC));
}

}  // namespace mv::glue
