// SPDX-License-Identifier: MIT
// Gunyah: MAP_MEM, UNMAP, lending and sharing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/uio.h>

#include "glue/gunyah_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

constexpr uint32_t kUnmap = GUNYAH_MEM_UNMAP;
constexpr uint64_t kPage = 4096;

class GunyahMap : public testing::Test {
 protected:
  GunyahDevice device;
  GunyahVm vm{device};
  GuestMemory memory{device, 16 * kPage};
};

TEST_F(GunyahMap, Statement12_BadArguments) {
  const gunyah_map_mem_args good{
      .guest_addr = 0x80000000, .flags = kShare | kRwx, .guest_mem_fd = static_cast<__u32>(memory.fd()), .offset = 0, .size = kPage};
  const auto with = [&](auto change) {
    gunyah_map_mem_args a = good;
    change(a);
    return vm.map(a);
  };
  Fd null(::open("/dev/null", O_RDWR));
  EXPECT_EQ(with([&](auto& a) { a.guest_mem_fd = static_cast<__u32>(null.get()); }), fails(EINVAL));
  EXPECT_EQ(with([](auto& a) { a.guest_mem_fd = ~0u; }), fails(EINVAL));
  EXPECT_EQ(with([](auto& a) { a.flags = kRwx | 3; }), fails(EINVAL));
  EXPECT_EQ(with([](auto& a) { a.flags = kRwx | 7; }), fails(EINVAL));
  EXPECT_EQ(with([](auto& a) { a.flags = kLend; }), fails(EINVAL)) << "none of R, W, X";
  EXPECT_EQ(with([](auto& a) { a.flags |= 0x80; }), fails(EINVAL));
  EXPECT_EQ(with([](auto& a) { a.flags |= 0x200; }), fails(EINVAL));
  EXPECT_EQ(with([](auto& a) { a.guest_addr += 1; }), fails(EINVAL));
  EXPECT_EQ(with([](auto& a) { a.offset += 1; }), fails(EINVAL));
  EXPECT_EQ(with([](auto& a) { a.size += 1; }), fails(EINVAL));
  EXPECT_EQ(with([](auto& a) { a.size = 0; }), fails(EINVAL));
  EXPECT_EQ(with([](auto&) {}), ok) << "and all of it was this call's fault";
}

TEST_F(GunyahMap, Statement12_HugePageMemoryWantsItsAlignment) {
  Fd huge(device.create_memory(4 << 20, GHMF_ALLOW_HUGEPAGE).value);
  ASSERT_TRUE(huge);
  const gunyah_map_mem_args small{
      .guest_addr = 0x80000000, .flags = kRwx, .guest_mem_fd = static_cast<__u32>(huge.get()), .offset = 0, .size = kPage};
  EXPECT_EQ(vm.map(small), fails(EINVAL));
  gunyah_map_mem_args whole = small;
  whole.size = 2 << 20;
  EXPECT_EQ(vm.map(whole), ok);
}

TEST_F(GunyahMap, Statement12_AbsurdSizes) {
  EXPECT_LT(vm.map(memory, 0, kRwx, 0, uint64_t{1} << 45).value, 0);
  EXPECT_LT(vm.map(memory, 0, kRwx, 0, ~(kPage - 1)).value, 0);
  EXPECT_LT(vm.map(memory, ~(kPage - 1), kRwx, 0, 2 * kPage).value, 0) << "wraps";
}

TEST_F(GunyahMap, Statement12_RangeMayGoBeyondTheFile) { EXPECT_EQ(vm.map(memory, 0x80000000, kRwx, 8 * kPage, 16 * kPage), ok); }

TEST_F(GunyahMap, Statement13_EachPartOnce) {
  GunyahVm second(device);
  GuestMemory other(device, 4 * kPage);
  ASSERT_EQ(vm.map(memory, 0x80000000, kRwx, 0, 4 * kPage), ok);
  EXPECT_EQ(second.map(memory, 0x80000000, kRwx, 0, 4 * kPage), fails(EEXIST)) << "one binding of a file's part, in any VM";
  EXPECT_EQ(second.map(memory, 0x90000000, kShare | kRwx, 3 * kPage, kPage), fails(EEXIST));
  EXPECT_EQ(vm.map(other, 0x80003000, kRwx), fails(EEXIST)) << "one binding of a guest page";
  EXPECT_EQ(vm.map(other, 0x80004000, kRwx), ok) << "adjacent";
  EXPECT_EQ(second.map(memory, 0x80000000, kRwx, 4 * kPage, kPage), ok) << "adjacent";
}

TEST_F(GunyahMap, Statement13_TheEndOfAVmGivesItsMemoryBack) {
  {
    GunyahVm second(device);
    ASSERT_EQ(second.map(memory, 0x80000000, kRwx), ok);
  }
  EXPECT_EQ(vm.map(memory, 0x80000000, kRwx), ok);
}

TEST_F(GunyahMap, Statement14_Unmap) {
  constexpr uint64_t at = 0x80000000;
  ASSERT_EQ(vm.map(memory, at, kShare | kRwx, 2 * kPage, 8 * kPage), ok);
  const auto unmap = [&](uint64_t page, uint64_t offset, uint64_t pages, uint32_t flags = kShare | kRwx) {
    return vm.map(memory, at + page * kPage, flags | kUnmap, offset * kPage, pages * kPage);
  };
  EXPECT_EQ(unmap(0, 2, 8, kLend | kRwx), fails(ENOENT)) << "other flags";
  EXPECT_EQ(unmap(0, 3, 8), fails(ENOENT)) << "other offset";
  EXPECT_EQ(unmap(0, 2, 9), fails(ENOENT)) << "more than there is";
  EXPECT_EQ(unmap(3, 5, 2), fails(EINVAL)) << "the middle";
  EXPECT_EQ(unmap(0, 2, 2), ok) << "the front";
  EXPECT_EQ(unmap(0, 2, 2), fails(ENOENT));
  EXPECT_EQ(unmap(6, 8, 2), ok) << "the end";
  EXPECT_EQ(unmap(6, 8, 2), fails(ENOENT));
  EXPECT_EQ(unmap(3, 5, 1), fails(EINVAL)) << "the middle of what is left";
  EXPECT_EQ(unmap(2, 4, 4), ok) << "what is left";
  EXPECT_EQ(unmap(2, 4, 4), fails(ENOENT));
  EXPECT_EQ(vm.map(memory, at, kRwx), ok) << "and everything is free";
}

TEST_F(GunyahMap, Statement14_FileOutlivesItsDescriptorWhileBound) {
  Baseline before;
  {
    GunyahVm other(device);
    GuestMemory m(device, kPage);
    ASSERT_EQ(other.map(m, 0x80000000, kRwx), ok);
    m.close();
  }
  EXPECT_TRUE(before.restored());
}

TEST_F(GunyahMap, ManyBindings) {
  GuestMemory large(device, 1024 * kPage);
  int bound = 0;
  while (bound < 1024 && vm.map(large, 0x80000000 + 2 * kPage * bound, kRwx, kPage * bound, kPage) == ok) ++bound;
  EXPECT_GE(bound, 512);
  EXPECT_EQ(vm.map(large, 0x80000000, kRwx | kUnmap, 0, kPage), ok) << "a place is free again";
  EXPECT_EQ(vm.map(large, 0x80000000, kRwx, 0, kPage), ok);
}

// --- with a guest ---

constexpr uint64_t kOther = 0x90000000;

// One binding of its own at kOther, and a guest that loads or stores there and then tells the value at 0x4000.
struct OtherMemory {
  GunyahGuest guest;
  GuestMemory other{guest.device(), 4 * kPage};

  void boot_load(uint64_t at) {
    guest.load_vectors();
    guest.boot(A64Code().mov(9, GunyahGuest::kBase + GunyahGuest::kVectors).msr_vbar(9).isb().mov(1, at).ldr(3, 0, 1).mov(2, 0x4000).str(3, 0, 2).spin());
  }
  void boot_store(uint64_t at) {
    guest.load_vectors();
    guest.boot(A64Code().mov(9, GunyahGuest::kBase + GunyahGuest::kVectors).msr_vbar(9).isb().mov(1, at).mov(0, 7).str(3, 0, 1).mov(2, 0x4000).str(3, 0, 2).spin());
  }
  // Runs into a page fault: its errno, or 0.
  int fault(uint64_t at) {
    GunyahVcpu& v = guest.vcpu();
    if (v.run() != ok || v.page().exit_reason != GUNYAH_VCPU_EXIT_PAGE_FAULT || v.page().page_fault.phys_addr != at) return 0;
    EXPECT_EQ(v.page().page_fault.resume_action, GUNYAH_VCPU_RESUME_FAULT) << "preset";
    return -v.page().page_fault.attempt;
  }
};

TEST(GunyahLend, Statement21_HostMappingKeepsThePageFromTheGuest) {
  OtherMemory m;
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kLend | kRwx), ok);
  Mapping alive = m.other.map(0, 4 * kPage);
  alive.as<uint64_t>()[1] = 0x1234;
  m.boot_load(kOther + 8);
  EXPECT_EQ(m.fault(kOther + 8), EPERM);
  EXPECT_EQ(m.fault(kOther + 8), EPERM) << "again";
  alive.reset();
  EXPECT_EQ(m.guest.vcpu().mmio(), store(0x4000, 8, 0x1234)) << "whatever resume_action says";
}

TEST(GunyahLend, Statement21_UntouchedMappingAndForkedMappingCount) {
  OtherMemory m;
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kLend | kRwx), ok);
  Mapping alive = m.other.map(0, kPage);
  m.boot_load(kOther);
  EXPECT_EQ(m.fault(kOther), EPERM);
  {
    Child child([] { return true; });
    ASSERT_TRUE(child.ready());
    alive.reset();
    EXPECT_EQ(m.fault(kOther), EPERM) << "the child's copy";
  }
  EXPECT_TRUE(m.guest.vcpu().mmio());
}

TEST(GunyahLend, Statement21_PartlyUnmappedMapping) {
  OtherMemory m;
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kLend | kRwx), ok);
  Mapping alive = m.other.map(0, 4 * kPage);
  ASSERT_EQ(::munmap(alive.as() + kPage, kPage), 0);
  m.boot_load(kOther + kPage);
  EXPECT_EQ(m.guest.vcpu().mmio(), store(0x4000, 8, 0)) << "the hole belongs to the guest";
}

TEST(GunyahLend, Statement22_UnmappedAfterTheStart) {
  OtherMemory m;
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kLend | kRwx), ok);
  m.boot_load(kOther + 16);
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kLend | kRwx | kUnmap), ok);
  EXPECT_EQ(m.fault(kOther + 16), ENOENT);
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kShare | kRwx), ok);
  EXPECT_EQ(m.guest.vcpu().mmio(), store(0x4000, 8, 0)) << "the access is tried again";
}

TEST(GunyahLend, Statement22_WriteToReadOnly) {
  OtherMemory m;
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kLend | GUNYAH_MEM_ALLOW_READ), ok);
  m.boot_store(kOther);
  EXPECT_EQ(m.fault(kOther), EPERM);
}

TEST(GunyahLend, Statement22_LentAfterTheStartIsNotAnnounced) {
  OtherMemory m;
  m.boot_store(kOther);
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kLend | GUNYAH_MEM_ALLOW_READ), ok);
  const auto esr = m.guest.vcpu().mmio();
  ASSERT_TRUE(esr) << "an abort in the guest, no page fault exit";
  EXPECT_EQ(esr->address, GunyahGuest::kReport);
  EXPECT_EQ(esr->data & 0x3f, 0x10u);
}

TEST(GunyahLend, Statement24_HeldPagesAreTheGuests) {
  OtherMemory m;
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kLend | kRwx), ok);
  m.boot_store(kOther);
  EXPECT_TRUE(m.guest.vcpu().mmio());
  EXPECT_THROW(m.other.map(0, kPage), std::system_error);
  EXPECT_NO_THROW(m.other.map(kPage, kPage)) << "a page that the guest has not touched";
  EXPECT_LT(m.guest.vm().map(m.other, kOther, kLend | kRwx | kUnmap).value, 0) << "the guest holds a part";
}

// The guest counts in page 5 of 4096; the VMM tries every way in that it has.
struct CountingGuest {
  static constexpr uint64_t kPages = 4096, kCounted = 5;
  GunyahGuest guest;
  GuestMemory other{guest.device(), kPages * kPage};

  void boot() {
    ASSERT_EQ(guest.vm().map(other, kOther, kLend | kRwx), ok);
    guest.boot(A64Code().mov(1, kOther + kCounted * kPage).mov(2, 0x4000).mov(0, 0).add(0, 0, 1).str(3, 0, 1).str(3, 0, 2).jump(-3));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(guest.vcpu().mmio());
  }
  bool mappable(uint64_t page, int protection = PROT_READ) const {
    void* at = ::mmap(nullptr, kPage, protection, MAP_SHARED, other.fd(), static_cast<off_t>(page * kPage));
    if (at == MAP_FAILED) return false;
    ::munmap(at, kPage);
    return true;
  }
};

TEST(GunyahLend, GuestGetsThePagesItTouchesAndNoOthers) {
  CountingGuest g;
  ASSERT_NO_FATAL_FAILURE(g.boot());
  for (uint64_t page = 0; page < g.kPages; ++page) EXPECT_EQ(g.mappable(page), page != g.kCounted) << page;
  const int64_t before = available_bytes();
  GuestMemory large(g.guest.device(), uint64_t{1} << 40);
  EXPECT_EQ(g.guest.vm().map({.guest_addr = uint64_t{1} << 40, .flags = kLend | kRwx, .guest_mem_fd = static_cast<__u32>(large.fd()), .offset = 0, .size = 256 << 20}), ok);
  EXPECT_LT(before - available_bytes(), 32 << 20) << "memory that nobody touched takes its page table only";
}

TEST(GunyahLend, NoHostAccessWhileTheGuestRuns) {
  CountingGuest g;
  Mapping early = g.other.map(0, 16 * kPage);
  // the VMM's pointer to the page, a hole between neighbours that it keeps
  const iovec remote{early.as() + g.kCounted * kPage, kPage};
  *static_cast<volatile uint64_t*>(remote.iov_base) = 1;
  ASSERT_EQ(::munmap(remote.iov_base, kPage), 0);
  ASSERT_NO_FATAL_FAILURE(g.boot());
  std::atomic<bool> over = false;
  Runner runner([&] {
    Result r = ok;
    while (r == ok && !over) r = call(g.guest.vcpu().fd(), GUNYAH_VCPU_RUN, 0);
    return r;
  });
  const std::unique_ptr<std::atomic<bool>, void (*)(std::atomic<bool>*)> end(&over, [](std::atomic<bool>* flag) { *flag = true; });
  EXPECT_TRUE(runner.blocks());
  uint64_t word = 0;
  const iovec local{&word, sizeof word};
  for (int i = 0; i < 200; ++i) {
    for (int protection : {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE}) ASSERT_FALSE(g.mappable(g.kCounted, protection));
    ASSERT_EQ(::mmap(nullptr, 16 * kPage, PROT_READ, MAP_SHARED, g.other.fd(), 0), MAP_FAILED) << "neighbours included";
    ASSERT_EQ(::mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, g.other.fd(), g.kCounted * kPage), MAP_FAILED) << "a copy";
    ASSERT_LT(::pread(g.other.fd(), &word, sizeof word, g.kCounted * kPage), 0);
    ASSERT_LT(::pwrite(g.other.fd(), &word, sizeof word, g.kCounted * kPage), 0);
    ASSERT_LT(::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0), 0) << "the VMM's old pointer";
    ASSERT_LT(::process_vm_writev(::getpid(), &local, 1, &remote, 1, 0), 0);
  }
  const std::string path = "/proc/self/fd/" + std::to_string(g.other.fd());
  const Fd again(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (again) {
    EXPECT_EQ(::mmap(nullptr, kPage, PROT_READ, MAP_SHARED, again.get(), g.kCounted * kPage), MAP_FAILED);
  }
  EXPECT_FALSE(runner.done()) << "the guest ran all the while";
}

// What sits in a pipe is read when its reader comes, mapping or no mapping.
TEST(GunyahLend, PageThatSomebodyKeepsIsNotLent) {
  OtherMemory m;
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kLend | kRwx), ok);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Fd reader(ends[0]), writer(ends[1]);
  {
    Mapping early = m.other.map(0, kPage);
    early.as<uint64_t>()[0] = 7;
    const iovec page{early.as(), kPage};
    ASSERT_EQ(::vmsplice(writer.get(), &page, 1, 0), static_cast<ssize_t>(kPage));
  }
  m.boot_store(kOther);
  EXPECT_EQ(m.fault(kOther), EPERM);
  reader.reset();
  writer.reset();
  EXPECT_TRUE(m.guest.vcpu().mmio()) << "given back, it is lent";
}

TEST(GunyahLend, Statement24_AfterTheVmTheHostReadsTheData) {
  GunyahDevice d;
  GuestMemory kept(d, kPage);
  {
    GunyahGuest g;
    ASSERT_EQ(g.vm().map(kept, kOther, kLend | kRwx), ok);
    g.boot(A64Code().mov(1, kOther).mov(0, 0x600d).str(3, 0, 1).psci(kPsciOff));
    EXPECT_EQ(g.vcpu().ended(), 1u);
  }
  EXPECT_EQ(kept.word(0), 0x600du);
}

TEST(GunyahShare, Statement23_BothSeeOnePage) {
  OtherMemory m;
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kShare | kRwx), ok);
  Mapping host = m.other.map(0, kPage);
  host.as<uint64_t>()[0] = 0xcafe;
  m.guest.boot(A64Code().mov(1, kOther).ldr(3, 0, 1).mov(2, 0x4000).str(3, 0, 2).str(3, 0, 1, 8).str(3, 0, 2).spin());
  EXPECT_EQ(m.guest.vcpu().mmio(), store(0x4000, 8, 0xcafe));
  EXPECT_TRUE(m.guest.vcpu().mmio());
  EXPECT_EQ(host.as<uint64_t>()[1], 0xcafeu);
}

TEST(GunyahShare, Statement23_SharedMemoryDoesNotExecute) {
  OtherMemory m;
  ASSERT_EQ(m.guest.vm().map(m.other, kOther, kShare | kRwx), ok);
  m.guest.load_vectors();
  m.guest.boot(A64Code().mov(9, GunyahGuest::kBase + GunyahGuest::kVectors).msr_vbar(9).isb().mov(1, kOther).branch_register(1));
  const auto esr = m.guest.vcpu().mmio();
  ASSERT_TRUE(esr);
  EXPECT_EQ(esr->address, GunyahGuest::kReport);
  EXPECT_EQ(esr->data >> 26, 0x21u) << "instruction abort from the same level";
  EXPECT_EQ(esr->data & 0x3f, 0x10u);
}

TEST(GunyahShare, UnmapWhileTheGuestRuns) {
  OtherMemory m;
  GunyahVm& vm = m.guest.vm();
  ASSERT_EQ(vm.map(m.other, kOther, kShare | kRwx), ok);
  m.guest.load_vectors();
  m.guest.boot(A64Code().mov(9, GunyahGuest::kBase + GunyahGuest::kVectors).msr_vbar(9).isb().mov(1, kOther).ldr(3, 0, 1).word(0x17ffffff));
  Runner run([&] { return call(m.guest.vcpu().fd(), GUNYAH_VCPU_RUN, 0); });
  EXPECT_TRUE(run.blocks());
  // what the guest does not touch goes and comes without it noticing
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(vm.map(m.other, kOther + 3 * kPage, kShare | kRwx | kUnmap, 3 * kPage, kPage), i ? fails(ENOENT) : ok);
    ASSERT_EQ(vm.map(m.other, kOther + 4 * kPage, kShare | kRwx, 3 * kPage, kPage), ok);
    ASSERT_EQ(vm.map(m.other, kOther + 4 * kPage, kShare | kRwx | kUnmap, 3 * kPage, kPage), ok);
  }
  EXPECT_FALSE(run.done());
  ASSERT_EQ(vm.map(m.other, kOther, kShare | kRwx | kUnmap, 0, 3 * kPage), ok);
  EXPECT_EQ(run.result(), ok) << "its page is gone: it faults and reports";
  EXPECT_EQ(m.guest.vcpu().page().mmio.phys_addr, GunyahGuest::kReport);
}

}  // namespace mv::glue
