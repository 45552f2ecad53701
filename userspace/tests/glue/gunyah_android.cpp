// SPDX-License-Identifier: MIT
// Gunyah: Android's calls on the VM fd, and a client in crosvm's order.
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <cstring>

#include "glue/gunyah_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

constexpr uint64_t kBase = Arm64Layout::kMemoryBase, kBytes = 2 << 20, kTree = kBytes - Arm64Layout::kTreeSize;

static Mapping pages(size_t bytes, int protection = PROT_READ | PROT_WRITE) { return Mapping(bytes, protection, MAP_SHARED | MAP_ANONYMOUS, -1, 0, "pages"); }
static gh_userspace_memory_region region(const Mapping& m, uint32_t label, uint64_t gpa, uint32_t flags = GH_MEM_ALLOW_RWX) {
  return {label, flags, gpa, m.size(), reinterpret_cast<uint64_t>(m.as<void>())};
}
static Result share(GunyahVm& vm, const gh_userspace_memory_region& r) { return call(vm.fd(), GH_VM_SET_USER_MEM_REGION, &r); }
static Result lend(GunyahVm& vm, const gh_userspace_memory_region& r) { return call(vm.fd(), GH_VM_ANDROID_LEND_USER_MEM, &r); }
static Result reclaim(GunyahVm& vm, uint64_t gpa, uint64_t size) {
  const gh_vm_reclaim_region r{gpa, size};
  return call(vm.fd(), GH_VM_RECLAIM_REGION, &r);
}
static void put(const Mapping& m, uint64_t at, std::span<const std::byte> bytes) { std::memcpy(m.as<uint8_t>() + at, bytes.data(), bytes.size()); }

TEST(GunyahAndroid, Statement38_BootsInCrosvmsOrder) {
  const Baseline before;
  {
    GunyahDevice device;
    GunyahVm vm(device);
    const Mapping memory = pages(kBytes), swiotlb = pages(64 << 10);
    ASSERT_EQ(lend(vm, region(memory, 0, kBase)), ok);
    ASSERT_EQ(share(vm, region(swiotlb, 1, kBase + kBytes, GH_MEM_ALLOW_READ | GH_MEM_ALLOW_WRITE)), ok);
    const Result fd = vm.add_vcpu(0);
    ASSERT_GE(fd.value, 0);
    GunyahVcpu vcpu{Fd(fd.value)};
    const Fd irq(::eventfd(0, EFD_CLOEXEC)), io(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const gunyah_fn_irqfd_arg bell{static_cast<uint32_t>(irq.get()), 4, 0, 0};
    ASSERT_EQ(vm.function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_IRQFD, &bell, sizeof bell), ok);
    const gunyah_fn_ioeventfd_arg kick{0, 0x10000, 0, io.get(), 0, 0};
    ASSERT_EQ(vm.function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_IOEVENTFD, &kick, sizeof kick), ok);
    EXPECT_EQ(call(vm.fd(), GH_VM_CHECK_EXTENSION, GH_CAP_VCPU_TIMER_WAKEUP), Result{1});
    const TreeDoorbell bells[] = {{4, 4}};
    const auto tree = make_device_tree(kBytes, 1, bells);
    put(memory, kTree, tree);
    const A64Code code = A64Code().mov(20, 0x10000).mov(1, 5).str(2, 1, 20).mov(20, 0x3f8).str(0, 1, 20).spin();
    put(memory, 0x1000, std::as_bytes(std::span(code.get())));
    ASSERT_EQ(vm.set_dtb(kBase + kTree, tree.size()), ok);
    ASSERT_EQ(vm.boot_context(REG_SET_PC, 0, kBase + 0x1000), ok);
    ASSERT_EQ(vm.start(), ok);
    EXPECT_EQ(vcpu.mmio(), store(0x3f8, 1, 5)) << "the first exit that is the VMM's";
    eventfd_t kicks = 0;
    EXPECT_EQ(::eventfd_read(io.get(), &kicks), 0);
    EXPECT_EQ(kicks, 1u);
  }
  EXPECT_TRUE(before.restored());
}

TEST(GunyahAndroid, Statement38_UnknownCalls) {
  GunyahDevice device;
  GunyahVm vm(device);
  for (unsigned long number : {0x4114ul, 0x40284115ul, 0x4118ul, 0x4110ul}) EXPECT_EQ(call(vm.fd(), number, 0), fails(ENOTTY)) << std::hex << number;
  EXPECT_EQ(call(device.fd(), 0x4114ul, 4096), fails(ENOTTY)) << "CMA memory";
}

TEST(GunyahAndroid, BadRegions) {
  const Baseline before;
  {
    GunyahDevice device;
    GunyahVm vm(device);
    const Mapping m = pages(64 << 10), constant = pages(4096, PROT_READ);
    gh_userspace_memory_region r = region(m, 0, kBase);
    EXPECT_EQ(call(vm.fd(), GH_VM_SET_USER_MEM_REGION, nullptr), fails(EFAULT));
    r.memory_size = 0;
    EXPECT_EQ(share(vm, r), fails(EINVAL));
    r = region(m, 0, kBase + 1);
    EXPECT_EQ(share(vm, r), fails(EINVAL));
    r = region(m, 0, kBase, 8);
    EXPECT_EQ(share(vm, r), fails(EINVAL));
    r = region(m, 0, ~0ull << 12);
    EXPECT_EQ(share(vm, r), fails(EOVERFLOW));
    r = region(m, 0, kBase);
    r.memory_size = 1ull << 62;
    EXPECT_EQ(share(vm, r), fails(ENOMEM)) << "more pages than any machine has";
    EXPECT_EQ(share(vm, region(constant, 0, kBase)), fails(EFAULT)) << "cannot be written";
    ASSERT_EQ(share(vm, region(m, 0, kBase)), ok);
    EXPECT_EQ(share(vm, region(m, 0, kBase + (1 << 20))), fails(EEXIST)) << "the label";
    EXPECT_EQ(lend(vm, region(m, 1, kBase + 0x8000)), fails(EEXIST)) << "the addresses";
    EXPECT_EQ(lend(vm, region(m, 1, kBase + 0x10000)), ok) << "the same pages once more are the VMM's own affair";
  }
  EXPECT_TRUE(before.restored()) << "every page is unpinned";
}

TEST(GunyahAndroid, SharedWithTheGuestBothWays) {
  GunyahGuest g;
  const Mapping m = pages(4096);
  m.as<volatile uint64_t>()[0] = 41;
  ASSERT_EQ(share(g.vm(), region(m, 0, kBase + GunyahGuest::kMemory, GH_MEM_ALLOW_READ | GH_MEM_ALLOW_WRITE)), ok);
  g.boot(A64Code().mov(21, kBase + GunyahGuest::kMemory).mov(20, GunyahGuest::kReport).ldr(3, 1, 21).add(1, 1, 1).str(3, 1, 21, 8).str(3, 1, 20).spin());
  EXPECT_EQ(g.vcpu().mmio(), store(GunyahGuest::kReport, 8, 42));
  EXPECT_EQ(m.as<volatile uint64_t>()[1], 42u);
}

TEST(GunyahAndroid, Reclaim) {
  const Baseline before;
  {
    GunyahGuest g;
    const Mapping m = pages(4096);
    ASSERT_EQ(lend(g.vm(), region(m, 0, kBase + GunyahGuest::kMemory)), ok);
    EXPECT_EQ(reclaim(g.vm(), kBase + GunyahGuest::kMemory, 8192), fails(ENOENT));
    EXPECT_EQ(reclaim(g.vm(), kBase + GunyahGuest::kMemory, 4096), ok);
    EXPECT_EQ(reclaim(g.vm(), kBase + GunyahGuest::kMemory, 4096), fails(ENOENT));
    ASSERT_EQ(lend(g.vm(), region(m, 0, kBase + GunyahGuest::kMemory)), ok) << "the label is free again";
    g.boot(A64Code().psci(kPsciOff));
    EXPECT_EQ(reclaim(g.vm(), kBase + GunyahGuest::kMemory, 4096), fails(EBUSY)) << "it runs";
    EXPECT_EQ(g.vcpu().ended(), 1u);
    EXPECT_EQ(reclaim(g.vm(), kBase + GunyahGuest::kMemory, 4096), ok);
  }
  EXPECT_TRUE(before.restored());
}

TEST(GunyahAndroid, LoadingChoices) {
  GunyahGuest g;
  const gh_vm_firmware_config fw{kBase, 4096};
  const gh_vm_qtvm_auth_arg qtvm{};
  gh_vm_auth_desc auth{2, sizeof qtvm, reinterpret_cast<uint64_t>(&qtvm)};
  EXPECT_EQ(call(g.vm().fd(), GH_VM_ANDROID_SET_FW_CONFIG, nullptr), fails(EFAULT));
  EXPECT_EQ(call(g.vm().fd(), GH_VM_ANDROID_SET_FW_CONFIG, &fw), ok);
  EXPECT_EQ(call(g.vm().fd(), GH_VM_ANDROID_SET_AUTH_TYPE, &auth), ok);
  auth.arg = 1;
  EXPECT_EQ(call(g.vm().fd(), GH_VM_ANDROID_SET_AUTH_TYPE, &auth), fails(EFAULT));
  auth.arg_size = 23;
  EXPECT_EQ(call(g.vm().fd(), GH_VM_ANDROID_SET_AUTH_TYPE, &auth), fails(EINVAL));
  ASSERT_EQ(g.start(), ok);
  EXPECT_EQ(call(g.vm().fd(), GH_VM_ANDROID_SET_FW_CONFIG, &fw), fails(EINVAL)) << "too late";
}

}  // namespace mv::glue
