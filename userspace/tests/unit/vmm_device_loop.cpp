// SPDX-License-Identifier: MIT
// The devices' thread: jobs, alarms, eventfds.
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <chrono>
#include <future>
#include <semaphore>

#include "vmm/backend/fd.h"
#include "vmm/loop/device_loop.h"

namespace {

using mv::DeviceLoop;
using namespace std::chrono_literals;

void signal(const mv::Fd& event) {
  const uint64_t one = 1;
  ASSERT_EQ(::write(event.get(), &one, sizeof one), 8);
}

class WatchTest : public testing::Test {
 protected:
  DeviceLoop loop;
  mv::Fd event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  std::counting_semaphore<1000> rung{0};
};

TEST_F(WatchTest, RingsEachTime) {
  DeviceLoop::Watch watch(loop, event.get(), [&] { rung.release(); });
  for (int i = 0; i < 100; ++i) {
    signal(event);
    ASSERT_TRUE(rung.try_acquire_for(10s)) << i;
  }
}

TEST_F(WatchTest, RingsForWhatCameBefore) {
  signal(event);
  DeviceLoop::Watch watch(loop, event.get(), [&] { rung.release(); });
  EXPECT_TRUE(rung.try_acquire_for(10s));
}

TEST_F(WatchTest, TwoOnOneLoopAndOneGoes) {
  mv::Fd second(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  DeviceLoop::Watch watch(loop, event.get(), [&] { rung.release(); });
  std::promise<void> over;
  {
    DeviceLoop::Watch other(loop, second.get(), [] { ADD_FAILURE() << "it is gone"; });
  }
  loop.post([&] { over.set_value(); });
  ASSERT_EQ(over.get_future().wait_for(10s), std::future_status::ready);
  signal(second);
  signal(event);
  EXPECT_TRUE(rung.try_acquire_for(10s));
}

}  // namespace
