// SPDX-License-Identifier: MIT
// ACRN: what a file descriptor, a VM's creation and its states allow.
#include <fcntl.h>
#include <gtest/gtest.h>

#include "glue/acrn_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

constexpr unsigned long kUnknownCall = 0xa2ff;
constexpr unsigned long kSetupAsyncIo = 0x4008a290;

TEST(AcrnState, Statement1_WithoutVmEveryCallIsEinval) {
  AcrnDevice d;
  EXPECT_EQ(d.start(), fails(EINVAL));
  EXPECT_EQ(call(d.fd(), ACRN_IOCTL_SET_MEMSEG, nullptr), fails(EINVAL));
  EXPECT_EQ(call(d.fd(), kUnknownCall, 0), fails(EINVAL));
  EXPECT_EQ(d.attach(), fails(EINVAL));
  EXPECT_EQ(d.destroy(), fails(EINVAL));
}

TEST(AcrnState, Statement1_NeitherReadNorMapped) {
  AcrnDevice d;
  char byte = 0;
  EXPECT_EQ(result(::read(d.fd(), &byte, 1)), fails(EINVAL));
  EXPECT_EQ(result(::write(d.fd(), &byte, 1)), fails(EINVAL));
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, d.fd(), 0), MAP_FAILED);
  EXPECT_EQ(errno, ENODEV);
}

TEST(AcrnState, Statement1_ReadOnlyDescriptorIsEnough) {
  Fd fd(::open("/dev/acrn_hsm", O_RDONLY));
  Pages requests(4096);
  acrn_vm_creation c = creation(requests);
  EXPECT_EQ(call(fd.get(), ACRN_IOCTL_CREATE_VM, &c), ok);
}

TEST(AcrnState, Statement2_CreateNull) {
  AcrnDevice d;
  EXPECT_EQ(call(d.fd(), ACRN_IOCTL_CREATE_VM, nullptr), fails(EFAULT));
}

TEST(AcrnState, Statement2_CreateReservedFields) {
  AcrnDevice d;
  Pages requests(4096);
  acrn_vm_creation c = creation(requests);
  c.reserved0 = 1;
  EXPECT_EQ(d.create(c), fails(EINVAL));
  c.reserved0 = 0;
  c.reserved1 = 1;
  EXPECT_EQ(d.create(c), fails(EINVAL));
  c.reserved1 = 0;
  EXPECT_EQ(d.create(c), ok);
}

TEST(AcrnState, Statement3_RequestPageThatCannotBePinned) {
  AcrnDevice d;
  Pages read_only(4096, PROT_READ);
  acrn_vm_creation c = creation(read_only);
  EXPECT_EQ(d.create(c), fails(EINVAL));
  c.ioreq_buf = 0x1000;
  EXPECT_EQ(d.create(c), fails(EINVAL));
  Pages good(4096);
  c.ioreq_buf = good.address();
  EXPECT_EQ(d.create(c), ok);
}

TEST(AcrnState, Statement3_CreatorThatCannotBeToldHasNoVm) {
  Baseline before;
  Pages requests(4096);
  {
    AcrnDevice d;
    Pages argument(4096);
    *reinterpret_cast<acrn_vm_creation*>(argument.bytes()) = creation(requests);
    ASSERT_EQ(::mprotect(argument.bytes(), 4096, PROT_READ), 0);
    EXPECT_EQ(call(d.fd(), ACRN_IOCTL_CREATE_VM, argument.bytes()), fails(EFAULT));
    EXPECT_EQ(d.start(), fails(EINVAL)) << "no VM";
    AcrnDevice other;
    acrn_vm_creation c = creation(requests);
    EXPECT_EQ(other.create(c), ok) << "the name is free again";
  }
  EXPECT_TRUE(before.restored());
}

TEST(AcrnState, Statement4_CreateFreesTheSlotsAndTouchesNothingElse) {
  AcrnDevice d;
  Pages requests(4096);
  acrn_vm_creation c = creation(requests);
  ASSERT_EQ(d.create(c), ok);
  for (size_t i = 0; i < 4096; i += 4) {
    const uint32_t word = *reinterpret_cast<uint32_t*>(requests.bytes() + i);
    EXPECT_EQ(word, i % 256 == offsetof(acrn_io_request, processed) ? ACRN_IOREQ_STATE_FREE : 0) << "at " << i;
  }
}

TEST(AcrnState, Statement4_RequestAddressIsRoundedDown) {
  AcrnDevice d;
  Pages requests(4096);
  acrn_vm_creation c = creation(requests);
  c.ioreq_buf += 0x123;
  ASSERT_EQ(d.create(c), ok);
  EXPECT_EQ(reinterpret_cast<acrn_io_request*>(requests.bytes())->processed, ACRN_IOREQ_STATE_FREE);
}

TEST(AcrnState, Statement5_AffinityGivesTheNumberOfVcpus) {
  AcrnDevice d;
  Pages requests(4096);
  acrn_vm_creation c = creation(requests, "name kept", 0b1011);
  const acrn_vm_creation before = c;
  ASSERT_EQ(d.create(c), ok);
  EXPECT_EQ(c.vcpu_num, 3);
  EXPECT_NE(c.vmid, 0xffff);
  EXPECT_EQ(std::memcmp(c.uuid, before.uuid, sizeof c.uuid), 0);
  EXPECT_EQ(c.cpu_affinity, before.cpu_affinity);
  EXPECT_EQ(c.ioreq_buf, before.ioreq_buf);
}

TEST(AcrnState, Statement5_EmptyAffinity) {
  EXPECT_GE(AcrnVm("glue", 0).vcpus(), 1u);
}

TEST(AcrnState, Statement5_MoreVcpusThanSlots) {
  AcrnDevice d;
  Pages requests(4096);
  acrn_vm_creation c = creation(requests, "glue", 0x1ffff);
  EXPECT_EQ(d.create(c), fails(EINVAL));
  c.cpu_affinity = 0xffff;
  EXPECT_EQ(d.create(c), ok);
  EXPECT_EQ(c.vcpu_num, 16);
}

TEST(AcrnState, Statement6_SecondCreateKeepsTheFirstVm) {
  AcrnVm vm;
  Pages requests(4096);
  acrn_vm_creation same = creation(requests), another = creation(requests, "another");
  EXPECT_EQ(vm.create(same), fails(EINVAL));
  EXPECT_EQ(vm.create(another), fails(EINVAL));
  EXPECT_EQ(vm.start(), ok);
}

TEST(AcrnState, Statement6_TwoVmsDoNotMix) {
  AcrnVm a("a"), b("b");
  a.boot(X86Code().mov_al('a').out8(0x3f8).spin());
  b.boot(X86Code().mov_al('b').out8(0x3f8).spin());
  EXPECT_EQ(a.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x3f8, 1, 'a'));
  EXPECT_EQ(b.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x3f8, 1, 'b'));
  EXPECT_TRUE(a.reply());
  EXPECT_TRUE(a.slot_becomes(ACRN_IOREQ_STATE_FREE));
  EXPECT_EQ(b.processed(), ACRN_IOREQ_STATE_PROCESSING);
}

TEST(AcrnState, Statement6_NamesAndNumbersAreUnique) {
  AcrnDevice a, b;
  Pages requests(4096), more(4096);
  acrn_vm_creation first = creation(requests), second = creation(more);
  ASSERT_EQ(a.create(first), ok);
  EXPECT_EQ(b.create(second), fails(EINVAL)) << "a live VM of this name";
  second = creation(more, "other");
  ASSERT_EQ(b.create(second), ok);
  EXPECT_NE(first.vmid, second.vmid);
}

TEST(AcrnState, Statement7_UnknownCalls) {
  AcrnVm vm;
  EXPECT_EQ(call(vm.fd(), kUnknownCall, 0), fails(ENOTTY));
  EXPECT_EQ(call(vm.fd(), kSetupAsyncIo, 0), fails(ENOTTY));
}

TEST(AcrnState, Statement8_RunningAndCreatedRefuse) {
  AcrnVm vm;
  EXPECT_EQ(vm.destroy(), fails(EPERM)) << "created";
  EXPECT_EQ(vm.reset(), fails(EPERM)) << "created";
  EXPECT_EQ(vm.start(), ok);
  EXPECT_EQ(vm.start(), fails(EPERM));
  EXPECT_EQ(vm.reset(), fails(EPERM));
  EXPECT_EQ(vm.destroy(), fails(EPERM));
  EXPECT_EQ(vm.pause(), ok) << "and it is alive";
}

TEST(AcrnState, Statement9_PauseResetStartDestroy) {
  AcrnVm vm;
  EXPECT_EQ(vm.pause(), ok) << "created, too";
  EXPECT_EQ(vm.pause(), ok);
  EXPECT_EQ(vm.start(), fails(EPERM));
  EXPECT_EQ(vm.reset(), ok);
  EXPECT_EQ(vm.start(), ok);
  EXPECT_EQ(vm.pause(), ok);
  EXPECT_EQ(vm.destroy(), ok);
  EXPECT_EQ(vm.destroy(), fails(EINVAL));
  EXPECT_EQ(vm.pause(), fails(EINVAL));
}

TEST(AcrnState, Statement9_CreateAfterDestroyIsTornDownToo) {
  Baseline before;
  {
    AcrnVm vm;
    Pages requests(4096);
    ASSERT_EQ(vm.pause(), ok);
    ASSERT_EQ(vm.destroy(), ok);
    acrn_vm_creation c = creation(requests);
    ASSERT_EQ(vm.create(c), ok);
    EXPECT_EQ(vm.set_memseg(ram(0, vm.memory() ? reinterpret_cast<uint64_t>(vm.memory()) : 0, AcrnVm::kMemory)), ok);
    EXPECT_EQ(vm.start(), ok);
  }
  EXPECT_TRUE(before.restored());
}

TEST(AcrnState, SixteenVms) {
  Baseline before;
  {
    std::vector<std::unique_ptr<AcrnVm>> vms;
    for (int i = 0; i < 16; ++i) vms.push_back(std::make_unique<AcrnVm>("vm" + std::to_string(i)));
    AcrnDevice d;
    Pages requests(4096);
    acrn_vm_creation c = creation(requests);
    EXPECT_EQ(d.create(c), fails(EINVAL)) << "the seventeenth";
    for (auto& vm : vms) vm->boot(X86Code().spin());
    vms.pop_back();
    EXPECT_EQ(d.create(c), ok) << "one has gone";
  }
  EXPECT_TRUE(before.restored());
}

}  // namespace mv::glue
