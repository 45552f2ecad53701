// SPDX-License-Identifier: MIT
// Gunyah: calls that need no guest: descriptors, functions, boot context, start.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <csetjmp>
#include <csignal>

#include "glue/gunyah_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

static bool close_on_exec(int fd) { return ::fcntl(fd, F_GETFD) & FD_CLOEXEC; }

// True if reading the byte is a bus error.
static bool is_bus_error(const volatile uint8_t* at) {
  static sigjmp_buf out;
  struct sigaction action {}, before {};
  action.sa_handler = [](int) { siglongjmp(out, 1); };
  ::sigaction(SIGBUS, &action, &before);
  volatile bool hit = true;
  if (!sigsetjmp(out, 1)) {
    (void)*at;
    hit = false;
  }
  ::sigaction(SIGBUS, &before, nullptr);
  return hit;
}

TEST(GunyahCall, Statement1_Device) {
  GunyahDevice d;
  EXPECT_EQ(d.create_vm(1), fails(EINVAL));
  const Result vm = d.create_vm();
  ASSERT_GE(vm.value, 0);
  Fd owner(vm.value);
  EXPECT_TRUE(close_on_exec(vm.value));
  char byte;
  EXPECT_EQ(result(::read(d.fd(), &byte, 1)), fails(EINVAL));
}

TEST(GunyahCall, Statement1_UnknownCalls) {
  GunyahDevice d;
  GunyahVm vm(d);
  const Result vcpu = vm.add_vcpu(0);
  ASSERT_GE(vcpu.value, 0);
  Fd owner(vcpu.value);
  for (int fd : {d.fd(), vm.fd(), vcpu.value}) {
    EXPECT_EQ(call(fd, 0x47ff, 0), fails(ENOTTY));
    EXPECT_EQ(call(fd, 0x4101, 0), fails(ENOTTY));
  }
  EXPECT_EQ(call(d.fd(), GUNYAH_VM_START, 0), fails(ENOTTY)) << "a VM's call";
  EXPECT_EQ(call(vm.fd(), GUNYAH_VCPU_RUN, 0), fails(ENOTTY)) << "a vCPU's call";
  EXPECT_TRUE(close_on_exec(vcpu.value));
}

TEST(GunyahCall, Statement2_GuestMemory) {
  GunyahDevice d;
  EXPECT_EQ(d.create_memory(4097), fails(EINVAL));
  EXPECT_EQ(d.create_memory(4096, 8), fails(EINVAL));
  EXPECT_EQ(call(d.fd(), GUNYAH_CREATE_GUEST_MEM, nullptr), fails(EFAULT));
  Fd plain(d.create_memory(4096, 0).value), closing(d.create_memory(4096, GHMF_CLOEXEC).value), empty(d.create_memory(0).value);
  ASSERT_TRUE(plain && closing && empty);
  EXPECT_FALSE(close_on_exec(plain.get()));
  EXPECT_TRUE(close_on_exec(closing.get()));
}

TEST(GunyahCall, Statement2_GuestMemoryIsZeroSharedAndBounded) {
  GunyahDevice d;
  GuestMemory m(d, 8192);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, m.fd(), 0), MAP_FAILED);
  EXPECT_EQ(errno, EINVAL);
  Mapping a = m.map(0, 8192), b = m.map(4096, 8192);
  EXPECT_EQ(*a.as<uint64_t>(), 0u);
  a.as<uint8_t>()[4096] = 9;
  EXPECT_EQ(b.as<uint8_t>()[0], 9);
  EXPECT_TRUE(is_bus_error(b.as<uint8_t>() + 4096)) << "beyond the end";
}

TEST(GunyahCall, Statement3_FunctionChecksInOrder) {
  GunyahDevice d;
  GunyahVm vm(d);
  const uint64_t argument = 0;
  const auto bad = reinterpret_cast<const void*>(8);
  EXPECT_EQ(call(vm.fd(), GUNYAH_VM_ADD_FUNCTION, nullptr), fails(EFAULT));
  EXPECT_EQ(vm.function(GUNYAH_VM_ADD_FUNCTION, 99, bad, 257), fails(EINVAL)) << "size before pointer";
  EXPECT_EQ(vm.function(GUNYAH_VM_ADD_FUNCTION, 99, bad, 8), fails(EFAULT)) << "pointer before type";
  EXPECT_EQ(vm.function(GUNYAH_VM_ADD_FUNCTION, 99, &argument, 8), fails(ENOENT));
  EXPECT_EQ(vm.function(GUNYAH_VM_ADD_FUNCTION, 0, &argument, 8), fails(ENOENT));
  EXPECT_EQ(vm.function(GUNYAH_VM_REMOVE_FUNCTION, GUNYAH_FN_VCPU, bad, 4), fails(EFAULT));
}

TEST(GunyahCall, Statement4_VcpuIds) {
  GunyahDevice d;
  GunyahVm vm(d);
  const uint64_t wide = 0;
  EXPECT_EQ(vm.function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_VCPU, &wide, 8), fails(EINVAL));
  Fd first(vm.add_vcpu(0).value);
  ASSERT_TRUE(first);
  EXPECT_EQ(vm.add_vcpu(0), fails(EEXIST));
  first.reset();
  EXPECT_EQ(vm.add_vcpu(0), fails(EEXIST)) << "the function stays when its descriptor goes";
  EXPECT_EQ(vm.remove_vcpu(0), ok);
  EXPECT_EQ(vm.remove_vcpu(0), fails(ENOENT));
  Fd again(vm.add_vcpu(0).value);
  EXPECT_TRUE(again);
  EXPECT_EQ(vm.remove_vcpu(500), fails(ENOENT));
  EXPECT_EQ(vm.function(GUNYAH_VM_REMOVE_FUNCTION, GUNYAH_FN_VCPU, &wide, 8), fails(ENOENT)) << "wrong size";
  EXPECT_EQ(vm.function(GUNYAH_VM_REMOVE_FUNCTION, 99, &wide, 4), fails(ENOENT)) << "wrong type";
}

TEST(GunyahCall, Statement4_AnyNumberIsAnId) {
  GunyahDevice d;
  GunyahVm vm(d);
  Fd a(vm.add_vcpu(500).value), b(vm.add_vcpu(~0u).value);
  EXPECT_TRUE(a && b);
  EXPECT_EQ(vm.remove_vcpu(500), ok);
}

TEST(GunyahCall, Statement5_RunWithoutResource) {
  GunyahGuest g;
  Fd stranger_fd(g.vm().add_vcpu(7).value);
  ASSERT_TRUE(stranger_fd);
  GunyahVcpu stranger(std::move(stranger_fd));
  EXPECT_EQ(g.vcpu().run(), fails(ENODEV)) << "before the start";
  g.boot(A64Code().spin());
  EXPECT_EQ(stranger.run(), fails(ENODEV)) << "the tree does not name it";
  EXPECT_EQ(stranger.page().exit_reason, static_cast<uint32_t>(GUNYAH_VCPU_EXIT_UNKNOWN));
}

TEST(GunyahCall, Statement6_VcpuPage) {
  GunyahGuest g;
  const int fd = g.vcpu().fd();
  EXPECT_EQ(call(fd, GUNYAH_VCPU_MMAP_SIZE, 0).value, ::sysconf(_SC_PAGESIZE));
  Mapping two(8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, "two pages");
  for (int i = 0; i < 4096; ++i) ASSERT_EQ(two.as<uint8_t>()[i], 0) << i;
  EXPECT_TRUE(is_bus_error(two.as<uint8_t>() + 4096));
  Mapping second(4096, PROT_READ, MAP_SHARED, fd, 4096, "second page");
  EXPECT_TRUE(is_bus_error(second.as<uint8_t>()));
}

TEST(GunyahCall, Statement6_PrivateMappingIsACopy) {
  GunyahGuest g;
  Mapping copy(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, g.vcpu().fd(), 0, "private");
  copy.as<gunyah_vcpu_run>()->immediate_exit = 1;
  EXPECT_EQ(g.vcpu().immediate_exit(), 0);
}

TEST(GunyahCall, Statement7_StartTwice) {
  GunyahGuest g;
  EXPECT_EQ(g.start(), ok);
  EXPECT_EQ(g.start(), ok);
}

TEST(GunyahCall, Statement7_StartAfterTheEnd) {
  GunyahGuest g;
  g.boot(A64Code().psci(kPsciOff));
  EXPECT_EQ(g.vcpu().ended(), 1u);
  EXPECT_EQ(g.start(), fails(ENODEV));
}

TEST(GunyahCall, Statement7_FailedStartIsFinal) {
  GunyahDevice d;
  GunyahVm vm(d);
  EXPECT_EQ(vm.start(), fails(EINVAL)) << "no device tree";
  EXPECT_EQ(vm.start(), fails(ENODEV));
}

TEST(GunyahCall, Statement7_GarbageForATree) {
  GunyahGuest g;
  const std::byte zeros[64] = {};
  g.memory().write(GunyahGuest::kTree, zeros);
  EXPECT_EQ(g.start(), fails(EINVAL));
  EXPECT_EQ(g.vcpu().run(), fails(ENODEV)) << "no resource was handed out";
}

TEST(GunyahCall, Statement8_WhereTheTreeMayBe) {
  constexpr uint64_t base = GunyahGuest::kBase, end = base + GunyahGuest::kMemory;
  const auto start_with = [](uint64_t gpa, uint64_t size) {
    GunyahGuest g;
    EXPECT_EQ(g.vm().set_dtb(~uint64_t{0}, ~uint64_t{0}), ok);
    EXPECT_EQ(g.vm().set_dtb(gpa, size), ok);
    return g.start();
  };
  EXPECT_EQ(start_with(base + GunyahGuest::kTree, 0x800), fails(EINVAL));
  EXPECT_EQ(start_with(0x70000000, 4096), fails(ENOENT));
  EXPECT_EQ(start_with(~uint64_t{0}, ~uint64_t{0}), fails(ENOENT));
  EXPECT_EQ(start_with(end - 4096, 8192), fails(ENOENT));
  EXPECT_EQ(start_with(base + GunyahGuest::kTree, ~uint64_t{0}), fails(ENOENT));
  EXPECT_EQ(start_with(base + GunyahGuest::kTree, Arm64Layout::kTreeSize), ok);
}

TEST(GunyahCall, Statement8_NullPointers) {
  GunyahDevice d;
  GunyahVm vm(d);
  EXPECT_EQ(call(vm.fd(), GUNYAH_VM_SET_DTB_CONFIG, nullptr), fails(EFAULT));
  EXPECT_EQ(call(vm.fd(), GUNYAH_VM_SET_BOOT_CONTEXT, nullptr), fails(EFAULT));
  EXPECT_EQ(call(vm.fd(), GUNYAH_VM_MAP_MEM, nullptr), fails(EFAULT));
  EXPECT_EQ(call(vm.fd(), GUNYAH_VM_REMOVE_FUNCTION, nullptr), fails(EFAULT));
}

TEST(GunyahCall, Statement9_TreeInLentMemoryThatIsMapped) {
  GunyahGuest g;
  Mapping alive = g.memory().map(GunyahGuest::kTree, 4096);
  EXPECT_EQ(g.start(), fails(EPERM));
}

TEST(GunyahCall, Statement9_TreeInSharedMemoryThatIsMapped) {
  GunyahGuest g(1, kShare);
  Mapping alive = g.memory().map(0, GunyahGuest::kMemory);
  EXPECT_EQ(g.start(), ok);
}

TEST(GunyahCall, Statement10_BootContextRegisters) {
  GunyahGuest g;
  const auto set = [&](uint32_t bank, uint32_t index) { return g.vm().boot_context(bank, index, 0); };
  for (uint32_t i = 0; i <= 31; ++i) EXPECT_EQ(set(REG_SET_X, i), ok) << "X" << i;
  EXPECT_EQ(set(REG_SET_X, 32), fails(EINVAL));
  EXPECT_EQ(set(REG_SET_PC, 1), fails(EINVAL));
  EXPECT_EQ(set(REG_SET_SP, 2), ok);
  EXPECT_EQ(set(REG_SET_SP, 3), fails(EINVAL));
  EXPECT_EQ(set(3, 0), fails(EINVAL));
  for (uint64_t value : {uint64_t{0}, uint64_t{2}, uint64_t{0x1002}, ~uint64_t{0}}) {
    EXPECT_EQ(g.vm().boot_context(REG_SET_X, 5, value), ok) << value;
  }
  gunyah_vm_boot_context high{.reg = 0x7fff0000, .reserved = 0, .value = 0};
  EXPECT_EQ(call(g.vm().fd(), GUNYAH_VM_SET_BOOT_CONTEXT, &high), ok) << "bits 16 and above are ignored";
  ASSERT_EQ(g.start(), ok);
  EXPECT_EQ(set(REG_SET_X, 0), fails(EINVAL)) << "started";
}

TEST(GunyahCall, MemoryCallsOnTheWrongFile) {
  GunyahDevice d;
  GuestMemory m(d, 4096);
  char byte;
  EXPECT_EQ(result(::read(m.fd(), &byte, 1)), fails(EINVAL));
  EXPECT_EQ(call(m.fd(), GUNYAH_VM_START, 0), fails(ENOTTY));
}

}  // namespace mv::glue
