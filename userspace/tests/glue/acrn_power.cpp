// SPDX-License-Identifier: MIT
// ACRN: PM_GET_CPU_STATE.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "glue/acrn_vm.h"

namespace mv::glue {

class AcrnPower : public testing::Test {
 protected:
  AcrnPower() {
    acrn_vm_creation c = creation(requests, "power");
    EXPECT_EQ(vm.create(c), ok);
    vmid = c.vmid;
  }
  // The word goes in, 0xa5 fills the rest of the buffer.
  Result ask(uint64_t type, uint64_t state = 0) {
    std::memset(buffer, 0xa5, sizeof buffer);
    const uint64_t word = type | state << 8 | vmid << 24;
    std::memcpy(buffer, &word, sizeof word);
    return vm.pm(buffer);
  }
  // How many bytes at the end were left alone.
  size_t untouched() const {
    size_t n = 0;
    while (n < sizeof buffer && buffer[sizeof buffer - 1 - n] == 0xa5) ++n;
    return n;
  }
  uint64_t count() const {
    uint64_t v;
    std::memcpy(&v, buffer, sizeof v);
    return v;
  }

  AcrnDevice vm;
  Pages requests{4096};
  uint64_t vmid = 0;
  uint8_t buffer[96];
};

TEST_F(AcrnPower, Statement36_UnknownTypeWritesNothing) {
  EXPECT_EQ(ask(7), ok);
  EXPECT_EQ(count(), 7 | vmid << 24);
  EXPECT_EQ(untouched(), sizeof buffer - 8);
}

TEST_F(AcrnPower, Statement36_CountsHaveEightBytes) {
  for (uint64_t type : {0, 2}) {
    ASSERT_EQ(ask(type), ok);
    EXPECT_GT(count(), 0u);
    EXPECT_LT(count(), 256u) << "upper bytes are 0";
    EXPECT_EQ(untouched(), sizeof buffer - 8);
  }
}

TEST_F(AcrnPower, Statement36_StatesByNumber) {
  ASSERT_EQ(ask(2), ok);
  const uint64_t cx = count();
  EXPECT_EQ(ask(3, 0), fails(EPERM)) << "C-states count from 1";
  uint32_t latency = 0;
  for (uint64_t n = 1; n <= cx; ++n) {
    ASSERT_EQ(ask(3, n), ok);
    acrn_cstate_data d;
    std::memcpy(&d, buffer, sizeof d);
    EXPECT_EQ(d.type, n);
    EXPECT_GT(d.latency, latency) << "deeper is slower";
    latency = d.latency;
    EXPECT_EQ(untouched(), sizeof buffer - 32);
  }
  EXPECT_EQ(ask(3, cx + 1), fails(EPERM));
  ASSERT_EQ(ask(0), ok);
  const uint64_t px = count();
  uint64_t frequency = ~0ull;
  for (uint64_t n = 0; n < px; ++n) {
    ASSERT_EQ(ask(1, n), ok);
    acrn_pstate_data d;
    std::memcpy(&d, buffer, sizeof d);
    EXPECT_LT(d.core_frequency, frequency) << "P0 is the fastest";
    frequency = d.core_frequency;
    EXPECT_EQ(untouched(), sizeof buffer - 48);
  }
  EXPECT_EQ(ask(1, px), fails(EPERM));
}

TEST_F(AcrnPower, Statement36_TheWordNamesTheVm) {
  const uint64_t mine = vmid;
  vmid = 255;
  EXPECT_EQ(ask(2), fails(ENOTTY));
  vmid = mine == 15 ? 14 : 15;
  EXPECT_EQ(ask(2), fails(EPERM)) << "no such VM";
  AcrnVm other("other");
  acrn_vm_creation c{};
  Pages page(4096);
  c = creation(page, "third");
  AcrnDevice third;
  ASSERT_EQ(third.create(c), ok);
  vmid = c.vmid;
  EXPECT_EQ(ask(2), ok) << "another's VM will do";
}

TEST_F(AcrnPower, Statement36_NotWhileItRuns) {
  ASSERT_EQ(vm.start(), ok);
  EXPECT_EQ(ask(2), fails(EPERM));
  ASSERT_EQ(vm.pause(), ok);
  EXPECT_EQ(ask(2), ok);
}

TEST_F(AcrnPower, Statement36_BadPointers) {
  EXPECT_EQ(vm.pm(nullptr), fails(EFAULT));
  Pages page(4096);
  const uint64_t word = 2 | vmid << 24;
  std::memcpy(page.bytes(), &word, 8);
  ASSERT_EQ(::mprotect(page.bytes(), 4096, PROT_READ), 0);
  EXPECT_EQ(vm.pm(page.bytes()), fails(EFAULT));
}

}  // namespace mv::glue
