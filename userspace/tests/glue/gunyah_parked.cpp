// SPDX-License-Identifier: MIT
#include "glue/gunyah_parked.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <vector>

#include "glue/system.h"
#include "support/guests.h"
#include "vmm/machine/flat.h"

namespace mv::glue {

ParkedGuest::ParkedGuest(unsigned vcpus, std::span<const TreeDoorbell> doorbells) : guest_(vcpus, kLend, doorbells) {
  guest_.memory().write(0, read_flat({test::guest_file("parked", {"gunyah", "arm64"}), 0}).bytes);
}

uint64_t ParkedGuest::answer(const MmioExit& e, uint64_t command, std::span<const uint64_t> arguments) {
  if (e.address == kCommand) return command;
  const uint64_t n = (e.address - kArguments) / 8;
  if (e.address >= kArguments && n < 4) return n < arguments.size() ? arguments[n] : 0;
  return device_ ? device_(e) : 0;
}

ParkedGuest::Outcome ParkedGuest::run(Command c, std::initializer_list<uint64_t> list, unsigned size_log2) {
  const std::vector<uint64_t> arguments(list);
  Outcome o;
  std::optional<MmioExit> e = at_ ? at_ : vcpu().mmio();
  while (e) {
    at_ = e;
    if (e->is_write && e->address >= kResult && e->address < kResult + 0x20) {
      switch ((e->address - kResult) / 8) {
        case 0:
          o.done = true;
          o.value = e->data;
          at_ = vcpu().mmio();
          return o;
        case 1: o.esr = e->data; break;
        case 2: o.far = e->data; break;
        default: (e->data ? o.interrupt : o.exception) = true;
      }
      e = vcpu().mmio();
    } else if (e->is_write) {
      if (device_) device_(*e);
      e = vcpu().mmio();
    } else {
      e = vcpu().mmio_after(answer(*e, c | uint64_t{size_log2} << 8, arguments));
    }
  }
  at_.reset();
  return o;
}

constexpr uint64_t kData = GunyahGuest::kBase + 0x10000, kDevice = 0x9000, kNowhere = 0x60000000;

TEST(GunyahParked, LoadsAndStoresOfEverySize) {
  ParkedGuest p;
  ASSERT_EQ(p.guest().start(), ok);
  for (unsigned size : {0u, 1u, 2u, 3u}) {
    const uint64_t mask = size == 3 ? ~0ull : (1ull << (8 << size)) - 1;
    std::vector<MmioExit> seen;
    p.on_device([&](const MmioExit& e) {
      seen.push_back(e);
      return 0xfedcba9876543210;
    });
    EXPECT_EQ(p.store(kData, 0x1122334455667788, size).value, 0u);
    EXPECT_EQ(p.load(kData, size).value, 0x1122334455667788 & mask) << "memory";
    EXPECT_EQ(p.load(kDevice, size).value, 0xfedcba9876543210 & mask) << "device";
    EXPECT_TRUE(p.store(kDevice + 8, 0x1122334455667788, size).done);
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_EQ(seen[0], load(kDevice, 1u << size));
    EXPECT_EQ(seen[1], store(kDevice + 8, 1u << size, 0x1122334455667788 & mask));
  }
}

TEST(GunyahParked, AbortsTellWhere) {
  ParkedGuest p;
  ASSERT_EQ(p.guest().start(), ok);
  const auto o = p.load(kNowhere, 3);
  EXPECT_TRUE(o.exception);
  EXPECT_EQ(o.exception_class(), 0x25u) << "data abort, same level";
  EXPECT_EQ(o.fault_status(), 0x10u) << "synchronous external abort";
  EXPECT_EQ(o.far, kNowhere);
  EXPECT_EQ(p.store(kNowhere + 8, 1, 3).far, kNowhere + 8);
  EXPECT_EQ(p.run(ParkedGuest::kCall, {kNowhere}).exception_class(), 0x21u) << "instruction abort";
  EXPECT_EQ(p.run(ParkedGuest::kBreak).exception_class(), 0x3cu);
  EXPECT_EQ(p.run(ParkedGuest::kNothing).value, 0u) << "and it is parked again";
}

TEST(GunyahParked, OneInstruction) {
  ParkedGuest p;
  ASSERT_EQ(p.guest().start(), ok);
  EXPECT_EQ(p.word(0x8b020020, 40, 2).value, 42u) << "add x0, x1, x2";
  EXPECT_EQ(p.word(0x9b027c20, 6, 7).value, 42u) << "mul x0, x1, x2";
  EXPECT_EQ(p.word(0).exception_class(), 0u) << "udf";
  EXPECT_TRUE(p.word(0).exception);
  EXPECT_EQ(p.word(0xd5384240).value, 4u) << "mrs x0, CurrentEL: EL1";
  EXPECT_EQ(p.word(0xd53be000).value, 19200000u) << "mrs x0, cntfrq_el0";
}

TEST(GunyahParked, Calls) {
  ParkedGuest p;
  ASSERT_EQ(p.guest().start(), ok);
  for (const auto& [offset, word] : {std::pair{0u, 0xd2800540u}, {4u, 0xd65f03c0u}}) EXPECT_TRUE(p.store(kData + offset, word, 2).done);
  EXPECT_EQ(p.run(ParkedGuest::kCall, {kData}).value, 42u) << "mov x0, #42; ret";
}

TEST(GunyahParked, PsciAndSmccc) {
  ParkedGuest p(2);
  ASSERT_EQ(p.guest().start(), ok);
  EXPECT_EQ(p.hvc(0x84000000).value, 0x10001u) << "PSCI 1.1";
  EXPECT_EQ(p.hvc(0x8400000a, 0x84000008).value, 0u) << "SYSTEM_OFF is there";
  EXPECT_EQ(static_cast<int32_t>(p.hvc(0x8400000a, 0x84000099).value), -1);
  EXPECT_EQ(p.hvc(0xc4000004, 0, 0).value, 0u) << "AFFINITY_INFO: vCPU 0 is on";
  EXPECT_EQ(p.hvc(0xc4000004, 1, 0).value, 1u) << "vCPU 1 is off";
  EXPECT_EQ(static_cast<int32_t>(p.hvc(0xc4000004, 2, 0).value), -2) << "there is no vCPU 2";
  EXPECT_EQ(static_cast<int32_t>(p.hvc(0xc4000003, 9, 0, 0).value), -2) << "CPU_ON of nobody";
  EXPECT_EQ(static_cast<int32_t>(p.hvc(0xc4000003, 0, 0, 0).value), -4) << "CPU_ON of itself";
  EXPECT_EQ(static_cast<int64_t>(p.hvc(0xc600ffff).value), -1) << "no such hypercall";
  EXPECT_FALSE(p.hvc(0x84000008).done) << "SYSTEM_OFF";
  EXPECT_EQ(p.vcpu().page().status.exit_info.type, 1u);
}

TEST(GunyahParked, RegistersAtTheStart) {
  ParkedGuest p;
  ASSERT_EQ(p.guest().vm().boot_context(REG_SET_X, 7, 0x7777), ok);
  ASSERT_EQ(p.guest().vm().boot_context(REG_SET_X, 30, 0x3030), ok);
  ASSERT_EQ(p.guest().vm().boot_context(REG_SET_SP, 1, 0x80001230), ok);
  ASSERT_EQ(p.guest().start(), ok);
  const auto report = [&](uint64_t n) { return p.run(ParkedGuest::kReport, {n}).value; };
  EXPECT_EQ(report(0), GunyahGuest::kBase + GunyahGuest::kTree);
  for (uint64_t n = 1; n < 30; ++n) EXPECT_EQ(report(n), n == 7 ? 0x7777u : 0u) << n;
  EXPECT_EQ(report(30), 0x3030u);
  EXPECT_EQ(report(31), 0x80001230u);
  EXPECT_EQ(report(32), 4u) << "EL1";
  EXPECT_EQ(report(33), 0x80000000u) << "the first of the VM";
  EXPECT_EQ(report(34), ~0ull) << "no such register";
}

TEST(GunyahParked, WaitEndsWithAnInterrupt) {
  const TreeDoorbell bells[] = {{3, 9}};
  ParkedGuest p(1, bells);
  const Fd e(::eventfd(0, EFD_CLOEXEC));
  const gunyah_fn_irqfd_arg irq{static_cast<uint32_t>(e.get()), 3, 0, 0};
  ASSERT_EQ(p.guest().vm().function(GUNYAH_VM_ADD_FUNCTION, GUNYAH_FN_IRQFD, &irq, sizeof irq), ok);
  ASSERT_EQ(p.guest().start(), ok);
  constexpr uint64_t kDist = Arm64Layout::kGicDistributor;
  EXPECT_TRUE(p.store(kDist, 2, 2).done);
  EXPECT_TRUE(p.store(kDist + 0x84, 1u << 9, 2).done);
  EXPECT_TRUE(p.store(kDist + 0x104, 1u << 9, 2).done);
  EXPECT_TRUE(p.word(0xd5184601, 0xff).done) << "msr icc_pmr_el1, x1";
  EXPECT_TRUE(p.word(0xd518cce1, 1).done) << "msr icc_igrpen1_el1, x1";
  EXPECT_TRUE(p.run(ParkedGuest::kMask, {0}).done);
  ASSERT_EQ(::eventfd_write(e.get(), 1), 0);
  const auto o = p.run(ParkedGuest::kWait);
  EXPECT_TRUE(o.interrupt);
  EXPECT_EQ(o.value, 41u);
}

}  // namespace mv::glue
