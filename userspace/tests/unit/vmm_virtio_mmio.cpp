// SPDX-License-Identifier: MIT
// virtio over MMIO: the registers of VIRTIO 1.2, table 4.1, with a device that answers nothing by itself.
#include "vmm/virtio/virtio_mmio.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace {

using V = mv::VirtioMmio;

class Silent : public mv::VirtioDevice {
 public:
  std::string_view name() const override { return "silent"; }
  uint16_t type() const override { return 4; }
  uint32_t pci_class() const override { return 0; }
  unsigned queues() const override { return 2; }
  uint16_t queue_size() const override { return 8; }
  void notify(unsigned queue, std::unique_lock<std::mutex>&) override {
    notified.push_back(queue);
    if (auto chain = host().queue(queue).pop()) host().queue(queue).push(chain->head, 0);
    host().pushed(queue);
  }
  std::vector<unsigned> notified;
};

struct VirtioMmioTest : testing::Test {
  static constexpr uint64_t kRam = 0x80000000;
  std::vector<std::byte> ram = std::vector<std::byte>(65536);
  std::mutex lock;
  std::vector<std::function<void()>> jobs;
  std::function<void()> rung;
  int edges = 0;
  Silent* silent = new Silent;
  V v{{.ram = mv::GuestRam(ram, kRam),
       .devices = lock,
       .post = [this](std::function<void()> job) { jobs.push_back(std::move(job)); },
       .route = {},
       .doorbell = [this](uint64_t gpa, std::function<void()> job) -> std::shared_ptr<void> {
         EXPECT_EQ(gpa, 0xa000050u);
         rung = std::move(job);
         return std::make_shared<int>();
       }},
      std::unique_ptr<mv::VirtioDevice>(silent),
      mv::IrqLine([this](bool high) { edges += high; }),
      0xa000000};

  uint64_t get(uint64_t r) { return v.read(r, 4); }
  void put(uint64_t r, uint64_t value) { v.write(r, 4, value); }
  void run() {
    for (auto& job : std::exchange(jobs, {})) job();
  }
  void negotiate() {
    put(V::STATUS, 3);
    put(V::DRIVER_FEATURES_SEL, 1);
    put(V::DRIVER_FEATURES, 1);
    put(V::STATUS, 11);
  }
  void make_ready(unsigned queue) {
    put(V::QUEUE_SEL, queue);
    put(V::QUEUE_NUM, 8);
    put(V::QUEUE_DESC_LOW, kRam);
    put(V::QUEUE_DRIVER_LOW, kRam + 0x1000);
    put(V::QUEUE_DEVICE_LOW, kRam + 0x2000);
    put(V::QUEUE_READY, 1);
  }
};

TEST_F(VirtioMmioTest, SaysWhatItIs) {
  EXPECT_EQ(get(V::MAGIC_VALUE), 0x74726976u);
  EXPECT_EQ(get(V::VERSION), 2u);
  EXPECT_EQ(get(V::DEVICE_ID), 4u);
  put(V::DEVICE_FEATURES_SEL, 1);
  EXPECT_EQ(get(V::DEVICE_FEATURES), 1u) << "version 1";
  put(V::DEVICE_FEATURES_SEL, 2);
  EXPECT_EQ(get(V::DEVICE_FEATURES), 0u);
  EXPECT_EQ(get(V::QUEUE_NUM_MAX), 8u);
  put(V::QUEUE_SEL, 2);
  EXPECT_EQ(get(V::QUEUE_NUM_MAX), 0u) << "no such queue";
  put(V::QUEUE_SEL, 0x10000);
  EXPECT_EQ(get(V::QUEUE_NUM_MAX), 0u) << "nor this one";
}

TEST_F(VirtioMmioTest, WithoutVersion1NoFeaturesOk) {
  put(V::STATUS, 11);
  EXPECT_EQ(get(V::STATUS), 3u);
  negotiate();
  EXPECT_EQ(get(V::STATUS), 11u);
}

TEST_F(VirtioMmioTest, ARequestAndItsInterrupt) {
  negotiate();
  make_ready(1);
  EXPECT_EQ(get(V::QUEUE_READY), 1u);
  put(V::STATUS, 15);
  const uint64_t buffer[2] = {kRam + 0x3000, 4};  // descriptor 0: four bytes to read
  std::memcpy(ram.data(), buffer, sizeof buffer);
  ram[0x1002] = std::byte{1};  // available, once
  put(V::QUEUE_NOTIFY, 1);
  put(V::QUEUE_NOTIFY, 7);
  run();
  EXPECT_EQ(silent->notified, std::vector<unsigned>{1});
  EXPECT_EQ(ram[0x2002], std::byte{1}) << "used";
  EXPECT_EQ(get(V::INTERRUPT_STATUS), 1u);
  EXPECT_EQ(edges, 1);
  put(V::INTERRUPT_ACK, 1);
  EXPECT_EQ(get(V::INTERRUPT_STATUS), 0u);
  ram[0x1002] = std::byte{2};
  rung();
  EXPECT_EQ(edges, 2) << "by the doorbell";
}

TEST_F(VirtioMmioTest, ResetForgetsEverything) {
  negotiate();
  make_ready(0);
  put(V::STATUS, 0);
  EXPECT_EQ(get(V::STATUS), 0u);
  put(V::QUEUE_SEL, 0);
  EXPECT_EQ(get(V::QUEUE_READY), 0u);
  EXPECT_EQ(get(V::INTERRUPT_STATUS), 0u);
}

TEST_F(VirtioMmioTest, AQueueOutsideRamNeedsReset) {
  negotiate();
  put(V::QUEUE_NUM, 8);
  put(V::QUEUE_READY, 1);
  EXPECT_EQ(get(V::STATUS) & V::NEEDS_RESET, unsigned{V::NEEDS_RESET});
}

}  // namespace
