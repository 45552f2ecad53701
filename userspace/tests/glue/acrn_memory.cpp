// SPDX-License-Identifier: MIT
// ACRN: SET_MEMSEG and what the guest then sees.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "glue/acrn_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

TEST(AcrnMemory, Statement14_BadSegments) {
  AcrnVm vm;
  Pages page(4096);
  const uint64_t gpa = 0x10000000;
  acrn_vm_memmap m = ram(gpa, page.address(), 4096);
  m.type = 2;
  EXPECT_EQ(vm.set_memseg(m), fails(EINVAL));
  EXPECT_EQ(vm.set_memseg(ram(gpa, page.address(), 0)), fails(EINVAL));
  EXPECT_EQ(vm.set_memseg(ram(gpa, page.address() + 1, 4096)), fails(EINVAL));
  EXPECT_EQ(vm.set_memseg(ram(gpa + 1, page.address(), 4096)), fails(EINVAL));
  EXPECT_EQ(vm.set_memseg(ram(gpa, page.address(), 4097)), fails(EINVAL));
  EXPECT_EQ(vm.set_memseg(ram(~uint64_t{0xfff}, page.address(), 8192)), fails(EINVAL)) << "wraps";
  EXPECT_EQ(call(vm.fd(), ACRN_IOCTL_SET_MEMSEG, nullptr), fails(EFAULT));
}

TEST(AcrnMemory, Statement14_HugeLengthIsRefusedCheaply) {
  AcrnVm vm;
  Pages page(4096);
  EXPECT_EQ(vm.set_memseg(ram(0x10000000, page.address(), uint64_t{1} << 50)), fails(EINVAL));
  const Result r = vm.set_memseg(ram(0x10000000, page.address(), uint64_t{1} << 42));
  EXPECT_LT(r.value, 0) << "a terabyte behind one page: EFAULT or ENOMEM";
}

TEST(AcrnMemory, Statement14_UnpinnableLeavesNothingPinned) {
  AcrnVm vm;
  const int64_t pins = pinned_pages();
  Pages read_only(8192, PROT_READ);
  EXPECT_EQ(vm.set_memseg(ram(0x10000000, read_only.address(), 8192)), fails(EFAULT));
  Pages holed(8192 * 3);
  ASSERT_EQ(::munmap(holed.bytes() + 8192, 8192), 0);
  EXPECT_EQ(vm.set_memseg(ram(0x10000000, holed.address(), holed.size())), fails(EFAULT));
  EXPECT_TRUE(eventually([&] { return pinned_pages() == pins; }));
}

static void expect_coherent(AcrnVm& vm, volatile uint8_t* host) {
  // the guest copies [0x8000] to [0x8001] for ever
  vm.boot(X86Code().load_al(0x8000).store_al(0x8001).jump_to_start());
  for (int v = 1; v < 5; ++v) {
    host[0] = static_cast<uint8_t>(v);
    EXPECT_TRUE(eventually([&] { return host[1] == v; })) << "value " << v;
  }
}

TEST(AcrnMemory, Statement15_SmallPagesAreShared) {
  AcrnVm vm;
  expect_coherent(vm, vm.memory() + 0x8000);
}

TEST(AcrnMemory, Statement15_HugePagesAreShared) {
  if (::access("/proc/sys/vm/nr_hugepages", F_OK) != 0) GTEST_SKIP() << "a kernel without hugetlb";
  std::ofstream("/proc/sys/vm/nr_hugepages") << "2\n";
  {
    Pages huge(2 << 20, PROT_READ | PROT_WRITE, MAP_HUGETLB);
    AcrnDevice d;
    Pages requests(4096);
    acrn_vm_creation c = creation(requests, "hugetlb");
    ASSERT_EQ(d.create(c), ok);
    ASSERT_EQ(d.set_memseg(ram(0, huge.address(), huge.size())), ok);
    const auto code = X86Code().load_al(0x8000).store_al(0x8001).jump_to_start();
    std::copy(code.get().begin(), code.get().end(), huge.bytes() + 0x1000);
    ASSERT_EQ(d.set_regs(real_mode(0x1000)), ok);
    ASSERT_EQ(d.start(), ok);
    volatile uint8_t* shared = huge.bytes() + 0x8000;
    shared[0] = 77;
    EXPECT_TRUE(eventually([&] { return shared[1] == 77; }));
  }
  std::ofstream("/proc/sys/vm/nr_hugepages") << "0\n";
}

TEST(AcrnMemory, Statement16_256Segments) {
  AcrnVm vm;
  Pages page(4096);
  for (uint64_t i = 1; i < 256; ++i) ASSERT_EQ(vm.set_memseg(ram(0x10000000 + i * 8192, page.address(), 4096)), ok) << i;
  EXPECT_EQ(vm.set_memseg(ram(0x20000000, page.address(), 4096)), fails(ENOMEM));
}

TEST(AcrnMemory, Statement16_SegmentsComeInAnyState) {
  AcrnVm vm;
  Pages page(4096);
  vm.boot(X86Code().spin());
  EXPECT_EQ(vm.set_memseg(ram(0x10000000, page.address(), 4096)), ok) << "running";
  ASSERT_EQ(vm.pause(), ok);
  EXPECT_EQ(vm.set_memseg(ram(0x10002000, page.address(), 4096)), ok) << "paused";
  ASSERT_EQ(vm.destroy(), ok);
  EXPECT_EQ(vm.set_memseg(ram(0x10004000, page.address(), 4096)), fails(EINVAL));
}

// A VM whose page 0x8000 has rights of its own.
struct RightsVm : AcrnDevice {
  Pages memory{0x10000}, requests{4096};
  explicit RightsVm(uint32_t attr) {
    acrn_vm_creation c = creation(requests, "rights");
    EXPECT_EQ(create(c), ok);
    EXPECT_EQ(set_memseg(ram(0, memory.address(), 0x8000)), ok);
    EXPECT_EQ(set_memseg(ram(0x8000, memory.address() + 0x8000, 0x1000, attr)), ok);
  }
  void boot(const X86Code& code, uint16_t at) {
    std::copy(code.get().begin(), code.get().end(), memory.bytes() + at);
    EXPECT_EQ(set_regs(real_mode(at)), ok);
    EXPECT_EQ(create_client(), ok);
    EXPECT_EQ(start(), ok);
  }
  const acrn_io_request* request() {
    const auto* s = reinterpret_cast<acrn_io_request*>(requests.bytes());
    return eventually([&] { return *const_cast<volatile uint32_t*>(&s->processed) == ACRN_IOREQ_STATE_PROCESSING; }) ? s : nullptr;
  }
};

TEST(AcrnMemory, Statement17_WriteToReadOnlyBecomesARequest) {
  RightsVm vm(ACRN_MEM_ACCESS_READ);
  vm.boot(X86Code().mov_al(0x5a).store_al(0x8004).spin(), 0x1000);
  const acrn_io_request* s = vm.request();
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->type, ACRN_IOREQ_TYPE_MMIO);
  EXPECT_EQ(s->reqs.mmio_request.direction, ACRN_IOREQ_DIR_WRITE);
  EXPECT_EQ(s->reqs.mmio_request.address, 0x8004u);
  EXPECT_EQ(s->reqs.mmio_request.size, 1u);
  EXPECT_EQ(s->reqs.mmio_request.value, 0x5au);
  EXPECT_EQ(vm.notify(), ok);
  EXPECT_EQ(vm.memory.bytes()[0x8004], 0);
}

// type 3: the header has no name for it, the hypervisor calls it write protection
TEST(AcrnMemory, Statement17_WriteToReadExecuteHasItsOwnType) {
  RightsVm vm(ACRN_MEM_ACCESS_READ | ACRN_MEM_ACCESS_EXEC);
  vm.boot(X86Code().mov_al(0x5a).store_al(0x8004).spin(), 0x1000);
  const acrn_io_request* s = vm.request();
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->type, 3u);
  EXPECT_EQ(s->reqs.mmio_request.address, 0x8004u);
  EXPECT_EQ(vm.memory.bytes()[0x8004], 0);
}

TEST(AcrnMemory, Statement17_FetchWithoutExecStillRuns) {
  RightsVm vm(ACRN_MEM_ACCESS_READ | ACRN_MEM_ACCESS_WRITE);
  vm.boot(X86Code().mov_al('x').out8(0x3f8).spin(), 0x8000);
  const acrn_io_request* s = vm.request();
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->reqs.pio_request.value, static_cast<uint32_t>('x'));
}

TEST(AcrnMemory, Statement18_OverlapKeepsTheFirstMapping) {
  AcrnVm vm;
  Pages other(AcrnVm::kMemory + 4096);
  other.bytes()[0x2000] = 'n';
  other.bytes()[AcrnVm::kMemory] = 'e';
  vm.memory()[0x2000] = 'o';
  ASSERT_EQ(vm.set_memseg(ram(0, other.address(), other.size())), ok);
  vm.boot(X86Code().load_al(0x2000).out8(0x3f8).spin());
  EXPECT_EQ(vm.request(), pio(ACRN_IOREQ_DIR_WRITE, 0x3f8, 1, 'o'));
}

}  // namespace mv::glue
