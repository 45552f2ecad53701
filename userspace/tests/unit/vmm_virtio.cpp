// SPDX-License-Identifier: MIT
// virtio over PCI: the modern transport as a driver sees it, and the devices behind it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>

#include "virtio_driver.h"
#include "vmm/pci/pci_bus.h"
#include "vmm/virtio/virtio_blk.h"
#include "vmm/virtio/virtio_console.h"
#include "vmm/virtio/virtio_pci.h"
#include "vmm/virtio/virtio_rng.h"

namespace {

using mv::VirtioPci, mv::Virtqueue, mv::VirtioBlk, mv::test::Ring;
constexpr uint16_t kNext = Virtqueue::NEXT, kWrite = Virtqueue::WRITE;
constexpr uint8_t kReady = VirtioPci::ACKNOWLEDGE | VirtioPci::DRIVER | VirtioPci::FEATURES_OK | VirtioPci::DRIVER_OK;

// A driver, a function, and a world whose loop runs when the test says so.
class Driver {
 public:
  explicit Driver(std::unique_ptr<mv::VirtioDevice> device)
      : function({.ram = ring.ram,
                  .devices = lock,
                  .post = [this](std::function<void()> job) { jobs.push_back(std::move(job)); },
                  .route = [this](uint64_t, uint32_t data) { return std::make_unique<Route>(messages, data); },
                  .doorbell = {}},
                 std::move(device)) {
    function.connect(mv::IrqLine([this](bool high) { intx = high; }), {});
  }
  uint64_t read(uint64_t offset, unsigned size) { return function.bars()[0].device->read(offset, size); }
  void write(uint64_t offset, unsigned size, uint64_t value) { function.bars()[0].device->write(offset, size, value); }
  uint8_t status() { return static_cast<uint8_t>(read(VirtioPci::DEVICE_STATUS, 1)); }
  void set_status(uint8_t s) { write(VirtioPci::DEVICE_STATUS, 1, s); }
  void features(uint64_t f) {
    for (unsigned half : {0u, 1u}) {
      write(VirtioPci::DRIVER_FEATURE_SELECT, 4, half);
      write(VirtioPci::DRIVER_FEATURE, 4, f >> (32 * half) & 0xffffffff);
    }
  }
  void queue(uint16_t index, uint64_t descriptors = Ring::kDescriptors) {
    write(VirtioPci::QUEUE_SELECT, 2, index);
    write(VirtioPci::QUEUE_SIZE, 2, Ring::kSize);
    write(VirtioPci::QUEUE_DESCRIPTORS, 4, descriptors);
    write(VirtioPci::QUEUE_DESCRIPTORS + 4, 4, descriptors >> 32);
    write(VirtioPci::QUEUE_DRIVER, 8, Ring::kAvailable);
    write(VirtioPci::QUEUE_DEVICE, 8, Ring::kUsed);
    write(VirtioPci::QUEUE_ENABLE, 2, 1);
  }
  void start(uint16_t index = 0) {
    set_status(VirtioPci::ACKNOWLEDGE | VirtioPci::DRIVER);
    features(VirtioPci::kVersion1 | VirtioPci::kIndirect);
    set_status(kReady & ~VirtioPci::DRIVER_OK);
    queue(index);
    set_status(kReady);
  }
  void notify(unsigned index = 0) {
    write(VirtioPci::kNotify + VirtioPci::kNotifyStep * index, 2, index);
    run();
  }
  void run() {
    while (!jobs.empty()) {
      auto job = std::move(jobs.front());
      jobs.erase(jobs.begin());
      job();
    }
  }

  struct Route : mv::MessageRoute {
    Route(std::vector<uint32_t>& to, uint32_t data) : to(to), data(data) {}
    void send() override { to.push_back(data); }
    std::vector<uint32_t>& to;
    uint32_t data;
  };
  Ring ring;
  std::mutex lock;
  std::vector<std::function<void()>> jobs;
  std::vector<uint32_t> messages;
  bool intx = false;
  VirtioPci function;
};

std::unique_ptr<mv::VirtioDevice> rng(uint8_t byte = 0x5a) {
  return std::make_unique<mv::VirtioRng>([byte](std::span<std::byte> to) {
    std::fill(to.begin(), to.end(), std::byte{byte});
    return true;
  });
}

TEST(VirtioPci, Capabilities) {
  Driver d(rng());
  EXPECT_EQ(d.function.config_read(0, 4), 0x10441af4u);
  std::vector<unsigned> types;
  bool msix = false;
  for (auto at = static_cast<unsigned>(d.function.config_read(0x34, 1)); at; at = static_cast<unsigned>(d.function.config_read(at + 1, 1))) {
    if (d.function.config_read(at, 1) == 0x11) msix = true;
    if (d.function.config_read(at, 1) == 0x09) types.push_back(static_cast<unsigned>(d.function.config_read(at + 3, 1)));
  }
  EXPECT_TRUE(msix);
  EXPECT_THAT(types, testing::ElementsAre(1, 2, 3, 5)) << "no device configuration, so none is told";
}

TEST(VirtioPci, FeaturesAreNegotiated) {
  Driver d(rng());
  d.write(VirtioPci::DEVICE_FEATURE_SELECT, 4, 1);
  EXPECT_EQ(d.read(VirtioPci::DEVICE_FEATURE, 4), 1u) << "version 1";
  d.write(VirtioPci::DEVICE_FEATURE_SELECT, 4, 2);
  EXPECT_EQ(d.read(VirtioPci::DEVICE_FEATURE, 4), 0u);
  d.set_status(VirtioPci::FEATURES_OK);
  EXPECT_FALSE(d.status() & VirtioPci::FEATURES_OK) << "without version 1";
  d.features(VirtioPci::kVersion1 | 1);
  d.set_status(VirtioPci::FEATURES_OK);
  EXPECT_FALSE(d.status() & VirtioPci::FEATURES_OK) << "not offered";
  d.features(VirtioPci::kVersion1);
  d.set_status(VirtioPci::FEATURES_OK);
  EXPECT_TRUE(d.status() & VirtioPci::FEATURES_OK);
}

TEST(VirtioPci, ARequestByIntx) {
  Driver d(rng());
  d.start();
  d.ring.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, 32, kWrite);
  d.ring.offer(0);
  d.notify();
  EXPECT_EQ(d.ring.used_length(0), 32u);
  EXPECT_EQ(d.ring.get<uint8_t>(Ring::kBuffers + 31), 0x5a);
  EXPECT_EQ(d.ring.get<uint8_t>(Ring::kBuffers + 32), 0);
  EXPECT_TRUE(d.intx);
  EXPECT_EQ(d.read(VirtioPci::kIsr, 1), 1u);
  EXPECT_FALSE(d.intx) << "reading the ISR acknowledges";
  EXPECT_EQ(d.read(VirtioPci::kIsr, 1), 0u);
}

TEST(VirtioPci, ARequestByMsix) {
  Driver d(rng());
  mv::Device& table = *d.function.bars()[1].device;
  table.write(16, 8, 0xfee00000);
  table.write(24, 8, 0x77);
  const auto at = static_cast<unsigned>(d.function.config_read(0x34, 1));
  d.function.config_write(at + 2, 2, 0x8000);
  d.write(VirtioPci::QUEUE_VECTOR, 2, 9);
  EXPECT_EQ(d.read(VirtioPci::QUEUE_VECTOR, 2), 0xffffu) << "there are two";
  d.write(VirtioPci::QUEUE_VECTOR, 2, 1);
  d.start();
  d.ring.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, 32, kWrite);
  d.ring.offer(0);
  d.notify();
  EXPECT_THAT(d.messages, testing::ElementsAre(0x77));
  EXPECT_FALSE(d.intx);
}

TEST(VirtioPci, ABrokenRingNeedsAReset) {
  Driver d(rng());
  d.start();
  d.ring.descriptor(Ring::kDescriptors, 0, 0, 32, kWrite);
  d.ring.offer(0);
  d.notify();
  EXPECT_TRUE(d.status() & VirtioPci::NEEDS_RESET);
  EXPECT_EQ(d.read(VirtioPci::kIsr, 1), VirtioPci::ISR_CONFIG);
  EXPECT_EQ(d.ring.used_index(), 0);
  d.set_status(kReady);
  EXPECT_TRUE(d.status() & VirtioPci::NEEDS_RESET) << "only a reset helps";
  d.set_status(0);
  EXPECT_EQ(d.status(), 0);
  d.ring.clear();
  d.start();
  d.ring.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, 32, kWrite);
  d.ring.offer(0);
  d.notify();
  EXPECT_EQ(d.ring.used_index(), 1) << "and it did";
}

TEST(VirtioPci, AQueueOutsideMemoryNeedsAReset) {
  Driver d(rng());
  d.set_status(VirtioPci::ACKNOWLEDGE | VirtioPci::DRIVER);
  d.features(VirtioPci::kVersion1);
  d.set_status(kReady & ~VirtioPci::DRIVER_OK);
  d.queue(0, 0xffff'ffff'0000);
  EXPECT_TRUE(d.status() & VirtioPci::NEEDS_RESET);
  d.set_status(kReady);
  d.notify();
}

TEST(VirtioPci, NothingHappensBeforeDriverOk) {
  Driver d(rng());
  d.notify();
  d.notify(1);
  d.write(VirtioPci::kSize - 4, 4, 0);
  d.write(VirtioPci::QUEUE_SELECT, 2, 7);
  EXPECT_EQ(d.read(VirtioPci::QUEUE_SIZE, 2), 0u) << "no such queue";
  d.write(VirtioPci::QUEUE_ENABLE, 2, 1);
  EXPECT_EQ(d.status(), 0);
}

TEST(VirtioPci, TheWindowInConfigurationSpace) {
  Driver d(rng());
  unsigned at = static_cast<unsigned>(d.function.config_read(0x34, 1)), last = at;
  for (; at; at = static_cast<unsigned>(d.function.config_read(at + 1, 1))) last = at;
  d.function.config_write(last + 8, 4, VirtioPci::QUEUES);
  d.function.config_write(last + 12, 4, 2);
  EXPECT_EQ(d.function.config_read(last + 16, 2), 1u);
  d.function.config_write(last + 8, 4, VirtioPci::DEVICE_STATUS);
  d.function.config_write(last + 12, 4, 1);
  d.function.config_write(last + 16, 1, 3);
  EXPECT_EQ(d.status(), 3);
  d.function.config_write(last + 8, 4, 0xfffffff0);
  d.function.config_write(last + 16, 4, 1);
  d.function.config_read(last + 16, 4);
}

TEST(VirtioConsole, BothWays) {
  std::string out;
  auto device = std::make_unique<mv::VirtioConsole>([&](std::span<const std::byte> b) { out.append(reinterpret_cast<const char*>(b.data()), b.size()); });
  mv::VirtioConsole& console = *device;
  Driver d(std::move(device));
  d.start(mv::VirtioConsole::kTransmit);
  std::memcpy(d.ring.memory + 0x8000, "hello", 5);
  d.ring.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, 5);
  d.ring.offer(0);
  d.notify(1);
  EXPECT_EQ(out, "hello");
  d.set_status(0);
  d.ring.clear();
  console.type(std::span(reinterpret_cast<const uint8_t*>("abc"), 3));
  d.run();
  d.start(mv::VirtioConsole::kReceive);
  d.ring.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, 2, kWrite);
  d.ring.offer(0);
  d.notify(0);
  EXPECT_EQ(d.ring.used_length(0), 2u);
  EXPECT_EQ(d.ring.get<uint16_t>(Ring::kBuffers), 'a' | 'b' << 8) << "typed before there was room; the rest waits";
}

class BlkTest : public testing::Test {
 protected:
  BlkTest() {
    std::ofstream file(path);
    for (int i = 0; i < 8; ++i) file << std::string(512, static_cast<char>('0' + i));
  }
  ~BlkTest() override { ::unlink(path.c_str()); }
  void open(bool read_only = false) {
    driver = std::make_unique<Driver>(std::make_unique<VirtioBlk>(std::make_shared<mv::DiskFile>(path, read_only), "serial"));
    driver->start();
  }
  // One request of a header, data and a status; returns the status.
  int request(uint32_t type, uint64_t sector, uint32_t bytes, bool in) {
    Ring& r = driver->ring;
    r.put<uint32_t>(Ring::kBuffers, type);
    r.put<uint64_t>(Ring::kBuffers + 8, sector);
    r.put<uint8_t>(kStatus, 0xee);
    r.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, 16, kNext, 1);
    r.descriptor(Ring::kDescriptors, 1, kData, bytes, static_cast<uint16_t>(kNext | (in ? kWrite : 0)), 2);
    r.descriptor(Ring::kDescriptors, 2, kStatus, 1, kWrite);
    r.offer(0);
    driver->notify();
    return r.get<uint8_t>(kStatus);
  }
  static constexpr uint64_t kData = Ring::kBuffers + 0x1000, kStatus = Ring::kBuffers + 0x100;
  std::string path = testing::TempDir() + "mvdisk" + std::to_string(::getpid());
  std::unique_ptr<Driver> driver;
};

TEST_F(BlkTest, ReadsAndWrites) {
  open();
  EXPECT_EQ(driver->read(VirtioPci::kDevice, 8), 8u) << "sectors";
  EXPECT_EQ(request(VirtioBlk::IN, 3, 1024, true), VirtioBlk::OK);
  EXPECT_EQ(driver->ring.get<uint8_t>(kData), '3');
  EXPECT_EQ(driver->ring.get<uint8_t>(kData + 1023), '4');
  EXPECT_EQ(driver->ring.used_length(0), 1025u);
  std::memset(driver->ring.memory + (kData - Ring::kBase), 'x', 512);
  EXPECT_EQ(request(VirtioBlk::OUT, 7, 512, false), VirtioBlk::OK);
  EXPECT_EQ(request(VirtioBlk::FLUSH, 0, 0, false), VirtioBlk::OK);
  std::ifstream file(path);
  std::string all(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(all.substr(3584), std::string(512, 'x'));
  EXPECT_EQ(all.size(), 4096u);
  EXPECT_EQ(all[3583], '6');
}

TEST_F(BlkTest, Identity) {
  open();
  EXPECT_EQ(request(VirtioBlk::GET_ID, 0, 20, true), VirtioBlk::OK);
  EXPECT_STREQ(reinterpret_cast<char*>(driver->ring.memory + (kData - Ring::kBase)), "serial");
  EXPECT_EQ(request(VirtioBlk::GET_ID, 0, 19, true), VirtioBlk::IOERR);
}

TEST_F(BlkTest, RequestsThatCannotBe) {
  open();
  EXPECT_EQ(request(VirtioBlk::IN, 8, 512, true), VirtioBlk::IOERR);
  EXPECT_EQ(request(VirtioBlk::IN, 7, 1024, true), VirtioBlk::IOERR);
  EXPECT_EQ(request(VirtioBlk::OUT, ~uint64_t{0}, 512, false), VirtioBlk::IOERR);
  EXPECT_EQ(request(VirtioBlk::IN, 0, 100, true), VirtioBlk::IOERR) << "no whole sector";
  EXPECT_EQ(request(99, 0, 512, true), VirtioBlk::UNSUPP);
}

TEST_F(BlkTest, ReadOnly) {
  open(true);
  EXPECT_TRUE(driver->function.device().features() & VirtioBlk::F_RO);
  EXPECT_EQ(request(VirtioBlk::OUT, 0, 512, false), VirtioBlk::IOERR);
  EXPECT_EQ(request(VirtioBlk::IN, 0, 512, true), VirtioBlk::OK);
}

TEST_F(BlkTest, ARequestWithoutHeaderOrStatusBreaksTheDevice) {
  for (bool status : {false, true}) {
    open();
    driver->ring.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, status ? 15 : 16, status ? kNext : uint16_t{0}, 1);
    driver->ring.descriptor(Ring::kDescriptors, 1, kStatus, 1, kWrite);
    driver->ring.offer(0);
    driver->notify();
    EXPECT_TRUE(driver->status() & VirtioPci::NEEDS_RESET);
  }
}

TEST_F(BlkTest, ImagesThatCannotBe) {
  EXPECT_THROW(mv::DiskFile("/nonexistent", false), std::system_error);
  std::ofstream(path) << "x";
  EXPECT_THROW(mv::DiskFile(path, false), std::invalid_argument);
}

}  // namespace
