// SPDX-License-Identifier: MIT
// Gunyah: fallocate() and ftruncate() of guest memory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "glue/gunyah_vm.h"
#include "glue/runner.h"
#include "glue/system.h"

namespace mv::glue {

constexpr uint64_t kPage = 4096, kOther = 0x90000000, kReport = 0x4000;
constexpr int kPunch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kZero = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;

static Result fallocate(const GuestMemory& m, int mode, uint64_t offset, uint64_t size) {
  return result(::fallocate(m.fd(), mode, static_cast<off_t>(offset), static_cast<off_t>(size)));
}
static Result set_length(const GuestMemory& m, uint64_t size) { return result(::ftruncate(m.fd(), static_cast<off_t>(size))); }
static uint64_t length(const GuestMemory& m) {
  struct stat s {};
  EXPECT_EQ(::fstat(m.fd(), &s), 0);
  return static_cast<uint64_t>(s.st_size);
}

// A guest that loads from kOther and reports, again and again.
static void boot_reader(GunyahGuest& g) { g.boot(A64Code().mov(1, kOther).mov(2, kReport).ldr(3, 0, 1).str(3, 0, 2).jump(-2)); }

TEST(GunyahHoles, Statement23_GuestFindsZeroInAPunchedHole) {
  const Baseline before;
  {
    GunyahGuest g;
    GuestMemory m(g.device(), 4 * kPage);
    ASSERT_EQ(g.vm().map(m, kOther, kShare | kRwx), ok);
    Mapping host = m.map(0, 2 * kPage);
    host.as<volatile uint64_t>()[0] = 0xcafe;
    host.as<volatile uint64_t>()[512] = 0xbeef;
    boot_reader(g);
    EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 0xcafe));
    ASSERT_EQ(fallocate(m, kPunch, 0, kPage), ok);
    EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 0));
    EXPECT_EQ(host.as<volatile uint64_t>()[0], 0u) << "the host's mapping shows the new page";
    host.as<volatile uint64_t>()[0] = 7;
    EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 7)) << "and it is the same again";
    EXPECT_EQ(host.as<volatile uint64_t>()[512], 0xbeefu) << "the neighbour stays";
    ASSERT_EQ(fallocate(m, kZero, 0, kPage), ok);
    EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 0));
  }
  EXPECT_TRUE(before.restored());
}

TEST(GunyahHoles, Statement24_HeldPagesCannotBePunched) {
  GunyahGuest g;
  GuestMemory m(g.device(), 4 * kPage);
  ASSERT_EQ(g.vm().map(m, kOther, kLend | kRwx), ok);
  boot_reader(g);
  EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 0));
  EXPECT_EQ(fallocate(m, kPunch, 0, kPage), fails(EBUSY));
  EXPECT_EQ(fallocate(m, kPunch, 0, 4 * kPage), fails(EBUSY)) << "a part of it is held";
  EXPECT_EQ(fallocate(m, kPunch, kPage, kPage), ok) << "not this one";
  EXPECT_EQ(set_length(m, 0), fails(EBUSY));
}

TEST(GunyahHoles, Modes) {
  GunyahDevice d;
  GuestMemory m(d, 4 * kPage);
  EXPECT_EQ(fallocate(m, 0, 0, kPage), fails(EOPNOTSUPP)) << "the size is kept";
  EXPECT_EQ(fallocate(m, FALLOC_FL_KEEP_SIZE | FALLOC_FL_UNSHARE_RANGE, 0, kPage), fails(EOPNOTSUPP));
  EXPECT_EQ(fallocate(m, kPunch, 1, kPage), fails(EINVAL));
  EXPECT_EQ(fallocate(m, kPunch, 0, 1), fails(EINVAL));
  EXPECT_EQ(fallocate(m, FALLOC_FL_KEEP_SIZE, 0, 4 * kPage), ok);
  EXPECT_EQ(fallocate(m, FALLOC_FL_KEEP_SIZE, 4 * kPage, kPage), fails(EINVAL)) << "beyond the end";
  EXPECT_EQ(fallocate(m, kPunch, 4 * kPage, 100 * kPage), ok) << "nothing to do";
  EXPECT_EQ(fallocate(m, kPunch, 0, uint64_t{1} << 40), ok);
}

TEST(GunyahHoles, Length) {
  GunyahDevice d;
  GuestMemory m(d, 4 * kPage);
  EXPECT_EQ(length(m), 4 * kPage);
  {
    Mapping host = m.map(0, 4 * kPage);
    host.as<volatile uint64_t>()[3 * 512] = 5;
  }
  EXPECT_EQ(set_length(m, kPage + 1), fails(EINVAL));
  EXPECT_EQ(set_length(m, 2 * kPage), ok);
  EXPECT_EQ(length(m), 2 * kPage);
  EXPECT_EQ(set_length(m, 8 * kPage), ok);
  Mapping host = m.map(0, 8 * kPage);
  EXPECT_EQ(host.as<volatile uint64_t>()[3 * 512], 0u) << "what was cut off is gone";
  EXPECT_EQ(host.as<volatile uint64_t>()[7 * 512], 0u);
  char c = 0;
  EXPECT_EQ(result(::read(m.fd(), &c, 1)), fails(EINVAL)) << "it is mapped, not read";
  EXPECT_EQ(result(::fchmod(m.fd(), 0)), fails(EPERM));
}

TEST(GunyahHoles, LengthByNameIsRefused) {
  GunyahDevice d;
  GuestMemory m(d, kPage);
  const std::string name = "/proc/self/fd/" + std::to_string(m.fd());
  EXPECT_EQ(result(::truncate(name.c_str(), 0)), fails(EPERM));
  EXPECT_LT(::open(name.c_str(), O_RDWR), 0);
}

TEST(GunyahHoles, NoPagesIsAFileToo) {
  GunyahDevice d;
  GuestMemory m(d, 0);
  EXPECT_EQ(length(m), 0u);
  EXPECT_EQ(set_length(m, kPage), ok);
  EXPECT_EQ(m.map(0, kPage).as<volatile uint64_t>()[0], 0u);
}

// The guest runs through holes that come and go.
TEST(GunyahHoles, PunchedInAStorm) {
  GunyahGuest g;
  GuestMemory m(g.device(), 4 * kPage);
  ASSERT_EQ(g.vm().map(m, kOther, kShare | kRwx), ok);
  A64Code c;
  c.mov(1, kOther).mov(2, kReport).mov(5, 0).ldr(3, 0, 1).str(3, 5, 1).add(5, 5, 1).jump(-3);
  g.boot(c);
  {
    Runner runner([&] { return g.vcpu().run(); });
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(fallocate(m, kPunch, 0, kPage), ok);
    g.vcpu().immediate_exit() = 1;
  }
}

}  // namespace mv::glue
