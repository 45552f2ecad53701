// SPDX-License-Identifier: MIT
// Gunyah: module parameter strict_v17 brings the v17 driver's bugs back, and nothing without it.
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>

#include "glue/gunyah_vm.h"
#include "glue/runner.h"

namespace mv::glue {

constexpr uint64_t kPage = 4096, kOther = 0x90000000, kReport = 0x4000;

// For as long as it lives.
class Strict {
 public:
  explicit Strict(unsigned bits) { set(bits); }
  ~Strict() { set(0); }

 private:
  static void set(unsigned bits) {
    std::ofstream file("/sys/module/mockvisor/parameters/strict_v17");
    file << bits << std::flush;
    if (!file) throw std::runtime_error("cannot set strict_v17");
  }
};

// A guest that loads from a device and reports what it got.
static void boot_loader(GunyahGuest& g) { g.boot(A64Code().mov(1, 0x1000).mov(2, kReport).ldr(3, 0, 1).str(3, 0, 2).spin()); }

TEST(GunyahStrict, Q1ReplyIsLostWithImmediateExit) {
  for (unsigned bits : {0u, 1u, 1u << 1}) {
    const Strict strict(bits);
    GunyahGuest g;
    boot_loader(g);
    ASSERT_EQ(g.vcpu().mmio(), load(0x1000, 8));
    const uint64_t data = 0x1234;
    std::memcpy(g.vcpu().page().mmio.data, &data, sizeof data);
    g.vcpu().immediate_exit() = 1;
    EXPECT_EQ(g.vcpu().run(), fails(EINTR));
    g.vcpu().immediate_exit() = 0;
    EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, bits ? 0 : data)) << bits;
  }
}

// Signals whose handler restarts calls, every 2 ms, to whatever thread of the process runs.
class Ticks {
 public:
  Ticks() {
    struct sigaction action {};
    action.sa_handler = [](int) { seen_ = seen_ + 1; };
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGUSR2, &action, nullptr);
    struct sigevent event {};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR2;
    if (::timer_create(CLOCK_MONOTONIC, &event, &timer_)) throw std::system_error(errno, std::generic_category(), "timer_create");
    const itimerspec every{{0, 2000000}, {0, 2000000}};
    ::timer_settime(timer_, 0, &every, nullptr);
    seen_ = 0;
  }
  ~Ticks() { ::timer_delete(timer_); }
  int seen() const { return seen_; }

 private:
  static inline volatile sig_atomic_t seen_ = 0;
  timer_t timer_{};
};

// The guest reports 1, 2, 3 and so on, with a while in between for a signal to come in; not so long that the kernel looks for one
// before the report is recorded.
static void boot_counter(GunyahGuest& g) {
  constexpr uint32_t kLess = 0xd1000484, kBackWhileLeft = 0xb5ffffe4;  // sub x4, x4, #1; cbnz x4, -1
  const int body = 1 + 2 + 2;
  g.boot(A64Code().mov(1, kReport).mov(0, 0).mov(4, 4000).word(kLess).word(kBackWhileLeft).add(0, 0, 1).str(3, 0, 1).jump(-body));
}

// Reports until one was never seen or `ticks` signals have come; the one that was missing, or 0.
static uint64_t first_unseen(GunyahVcpu& v, const Ticks& ticks, int most) {
  for (uint64_t wanted = 1; ticks.seen() < most; ++wanted) {
    if (call(v.fd(), GUNYAH_VCPU_RUN, 0) != ok || v.page().exit_reason != GUNYAH_VCPU_EXIT_MMIO) throw std::runtime_error("no report");
    uint64_t data;
    std::memcpy(&data, v.page().mmio.data, sizeof data);
    if (data != wanted) return wanted;
  }
  return 0;
}

TEST(GunyahStrict, Q2RestartedCallCompletesAnExitUnseen) {
  for (unsigned bits : {0u, 1u, 1u << 2}) {
    const Strict strict(bits);
    GunyahGuest g;
    boot_counter(g);
    const Ticks ticks;
    const uint64_t unseen = first_unseen(g.vcpu(), ticks, bits ? 400 : 60);
    EXPECT_EQ(unseen != 0, bits != 0) << "strict_v17=" << bits << ": report " << unseen << " after " << ticks.seen() << " signals";
  }
}

TEST(GunyahStrict, Q7TreeInSharedMemory) {
  for (unsigned bits : {0u, 1u << 7}) {
    const Strict strict(bits);
    GunyahGuest g(1, kShare);
    EXPECT_EQ(g.start(), bits ? fails(ENOMEM) : ok);
  }
}

TEST(GunyahStrict, Q8BootValueOfZeroErases) {
  for (unsigned bits : {0u, 1u << 8}) {
    const Strict strict(bits);
    GunyahGuest g;
    ASSERT_EQ(g.vm().boot_context(REG_SET_X, 5, 77), ok);
    ASSERT_EQ(g.vm().boot_context(REG_SET_X, 6, 88), ok);
    ASSERT_EQ(g.vm().boot_context(REG_SET_X, 0, 99), ok);
    ASSERT_EQ(g.vm().boot_context(REG_SET_X, 0, 0), ok);
    EXPECT_EQ(g.vm().boot_context(REG_SET_X, 7, 2), bits ? fails(EINVAL) : ok);
    g.boot(A64Code().mov(20, kReport).str(3, 0, 20).str(3, 5, 20).spin());
    EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, bits ? GunyahGuest::kBase + GunyahGuest::kTree : 0)) << "x0: the tree's address unless it is set";
    EXPECT_EQ(g.vcpu().mmio(), store(kReport, 8, 77));
  }
}

TEST(GunyahStrict, Q9IoeventfdMayWrap) {
  for (unsigned bits : {0u, 1u << 9}) {
    const Strict strict(bits);
    GunyahGuest g;
    const gunyah_fn_ioeventfd_arg a{0, ~0ull, 8, -1, 0, 0};
    EXPECT_EQ(g.vm().function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_IOEVENTFD, &a, sizeof a), bits ? fails(EBADF) : fails(EINVAL)) << "the check comes before the eventfd";
  }
}

// The guest holds page 2 of four.
struct Held {
  GunyahGuest guest;
  GuestMemory other{guest.device(), 4 * kPage};
  Held() {
    EXPECT_EQ(guest.vm().map(other, kOther, kLend | kRwx), ok);
    guest.boot(A64Code().mov(1, kOther + 2 * kPage).mov(2, kReport).str(3, 0, 1).str(3, 0, 2).spin());
    EXPECT_TRUE(guest.vcpu().mmio());
  }
};

TEST(GunyahStrict, Q10MappingWantsTheRestOfTheBinding) {
  for (unsigned bits : {0u, 1u << 10}) {
    const Strict strict(bits);
    Held h;
    if (bits) {
      EXPECT_THROW(h.other.map(0, kPage), std::system_error);
    } else {
      EXPECT_NO_THROW(h.other.map(0, kPage));
    }
    EXPECT_NO_THROW(h.other.map(3 * kPage, kPage)) << "behind it";
  }
}

TEST(GunyahStrict, Q11UnmappingAPrefixWantsTheRest) {
  for (unsigned bits : {0u, 1u << 11}) {
    const Strict strict(bits);
    Held h;
    EXPECT_EQ(h.guest.vm().map(h.other, kOther, kLend | kRwx | GUNYAH_MEM_UNMAP, 0, kPage), bits ? fails(EBUSY) : ok);
    EXPECT_EQ(h.guest.vm().map(h.other, kOther + 3 * kPage, kLend | kRwx | GUNYAH_MEM_UNMAP, 3 * kPage, kPage), ok);
  }
}

}  // namespace mv::glue
