// SPDX-License-Identifier: MIT
// The probe of KVM against files that are no KVM.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>

#include "plugin/host/kvm_probe.h"
#include "vmm/backend/fd.h"

namespace mv::test {
namespace {

TEST(KvmProbe, SaysWhatIsMissing) {
  EXPECT_EQ(plugin::kvm_trouble("/no/such/kvm"), "/no/such/kvm: it cannot be opened: No such file or directory");
  EXPECT_EQ(plugin::kvm_trouble("/dev/null"), "/dev/null: KVM_GET_API_VERSION fails: Inappropriate ioctl for device");
}

// A file whose lease somebody holds cannot be opened for 45 seconds: as good as a guest that hangs.
TEST(KvmProbe, WaitsNoLongerThanItSays) {
  char name[] = "/tmp/mv-kvm-probe-XXXXXX";
  { const Fd made(mkstemp(name)); }
  const Fd holder(open(name, O_RDONLY | O_CLOEXEC));
  const auto before = std::signal(SIGIO, SIG_IGN);  // somebody wants the lease
  ASSERT_EQ(fcntl(holder.get(), F_SETLEASE, F_RDLCK), 0);
  const auto start = std::chrono::steady_clock::now();
  const std::string trouble = plugin::kvm_trouble(name);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(trouble, std::string(name) + ": a guest of a few instructions did not finish in 2 s");
  EXPECT_GE(took, std::chrono::milliseconds(plugin::kKvmProbeMilliseconds));
  EXPECT_LT(took, std::chrono::milliseconds(plugin::kKvmProbeMilliseconds + 1000));
  fcntl(holder.get(), F_SETLEASE, F_UNLCK);
  std::signal(SIGIO, before);
  unlink(name);
}

}  // namespace
}  // namespace mv::test
