// SPDX-License-Identifier: MIT
// Split virtqueues: what a driver asks for, and what a broken or hostile one gets.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

#include "virtio_driver.h"

namespace {

using mv::Virtqueue, mv::test::Ring;
constexpr uint16_t kNext = Virtqueue::NEXT, kWrite = Virtqueue::WRITE, kIndirect = Virtqueue::INDIRECT;

class VirtqueueTest : public testing::Test {
 protected:
  VirtqueueTest() { EXPECT_TRUE(queue.start(r.ram, Ring::place())); }
  void breaks() {
    EXPECT_FALSE(queue.pop());
    EXPECT_TRUE(queue.broken());
    queue.push(0, 0);
    EXPECT_EQ(r.used_index(), 0) << "a broken queue takes nothing";
  }
  std::unique_ptr<Ring> ring = std::make_unique<Ring>();
  Ring& r = *ring;
  Virtqueue queue;
};

TEST_F(VirtqueueTest, AChainInTheDriversOrder) {
  r.descriptor(Ring::kDescriptors, 3, Ring::kBuffers, 16, kNext, 5);
  r.descriptor(Ring::kDescriptors, 5, Ring::kBuffers + 0x100, 512, kNext | kWrite, 0);
  r.descriptor(Ring::kDescriptors, 0, Ring::kBuffers + 0x400, 1, kWrite);
  EXPECT_FALSE(queue.pop());
  r.offer(3);
  const auto chain = queue.pop();
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->head, 3);
  ASSERT_EQ(chain->readable.size(), 1u);
  ASSERT_EQ(chain->writable.size(), 2u);
  EXPECT_EQ(chain->readable[0].data(), r.memory + (Ring::kBuffers - Ring::kBase));
  EXPECT_EQ(chain->writable[0].size(), 512u);
  EXPECT_FALSE(queue.pop());
  queue.push(3, 513);
  EXPECT_EQ(r.used_index(), 1);
  EXPECT_EQ(r.used_id(0), 3u);
  EXPECT_EQ(r.used_length(0), 513u);
}

TEST_F(VirtqueueTest, AnIndirectTable) {
  const uint64_t table = Ring::kBuffers + 0x1000;
  r.descriptor(Ring::kDescriptors, 1, table, 3 * 16, kIndirect);
  r.descriptor(table, 0, Ring::kBuffers, 16, kNext, 2);
  r.descriptor(table, 2, Ring::kBuffers + 64, 8, kNext | kWrite, 1);
  r.descriptor(table, 1, Ring::kBuffers + 128, 1, kWrite);
  r.offer(1);
  const auto chain = queue.pop();
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->writable.size(), 2u);
}

TEST_F(VirtqueueTest, TakeAndGiveCrossBuffers) {
  r.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, 3, kNext, 1);
  r.descriptor(Ring::kDescriptors, 1, Ring::kBuffers + 16, 3, kNext, 2);
  r.descriptor(Ring::kDescriptors, 2, Ring::kBuffers + 32, 2, kWrite);
  std::memcpy(r.memory + 0x8000, "abc", 3);
  std::memcpy(r.memory + 0x8010, "def", 3);
  r.offer(0);
  auto chain = queue.pop();
  ASSERT_TRUE(chain);
  char text[4];
  EXPECT_EQ(chain->take(std::as_writable_bytes(std::span(text))), 4u);
  EXPECT_EQ(std::string_view(text, 4), "abcd");
  EXPECT_EQ(mv::VirtqChain::bytes(chain->readable), 2u);
  EXPECT_EQ(chain->give(std::as_bytes(std::span("xyz", 3))), 2u);
  EXPECT_TRUE(chain->writable.empty());
}

TEST_F(VirtqueueTest, BuffersBeyondRam) {
  for (auto [address, length] : {std::pair<uint64_t, uint32_t>{Ring::kBase + Ring::kBytes - 4, 5}, {Ring::kBase - 1, 1}, {~uint64_t{0} - 3, 8}, {0, 1}}) {
    r.clear();
    ASSERT_TRUE(queue.start(r.ram, Ring::place()));
    r.descriptor(Ring::kDescriptors, 0, address, length);
    r.offer(0);
    breaks();
  }
}

TEST_F(VirtqueueTest, AChainThatBitesItsTail) {
  r.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, 1, kNext, 1);
  r.descriptor(Ring::kDescriptors, 1, Ring::kBuffers, 1, kNext, 0);
  r.offer(0);
  breaks();
}

TEST_F(VirtqueueTest, NumbersBeyondTheTable) {
  r.offer(Ring::kSize);
  breaks();
  r.clear();
  ASSERT_TRUE(queue.start(r.ram, Ring::place()));
  r.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, 1, kNext, Ring::kSize);
  r.offer(0);
  breaks();
}

TEST_F(VirtqueueTest, MoreThanFitsTheRing) {
  r.put<uint16_t>(Ring::kAvailable + 2, Ring::kSize + 1);
  breaks();
}

TEST_F(VirtqueueTest, ReadableAfterWritable) {
  r.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, 1, kNext | kWrite, 1);
  r.descriptor(Ring::kDescriptors, 1, Ring::kBuffers, 1);
  r.offer(0);
  breaks();
}

TEST_F(VirtqueueTest, IndirectTablesThatMakeNoSense) {
  const uint64_t table = Ring::kBuffers;
  const auto tries = [&](uint64_t address, uint32_t length, uint16_t flags) {
    r.clear();
    ASSERT_TRUE(queue.start(r.ram, Ring::place()));
    r.descriptor(table, 0, table, 16, kIndirect);  // an indirect table in an indirect table
    r.descriptor(Ring::kDescriptors, 0, address, length, flags);
    r.offer(0);
    breaks();
  };
  tries(table, 16, kIndirect);
  tries(table, 0, kIndirect);
  tries(table, 17, kIndirect);
  tries(table, 16, kIndirect | kNext);
  tries(table + 4, 16, kIndirect);
  tries(Ring::kBase + Ring::kBytes - 16, 32, kIndirect);
  EXPECT_TRUE(queue.start(r.ram, Ring::place(false, false)));
  r.clear();
  r.descriptor(table, 0, Ring::kBuffers, 1);
  r.descriptor(Ring::kDescriptors, 0, table, 16, kIndirect);
  r.offer(0);
  breaks();  // not negotiated
}

TEST_F(VirtqueueTest, PlacesThatMakeNoSense) {
  const auto refused = [&](auto change) {
    Virtqueue::Place p = Ring::place();
    change(p);
    EXPECT_FALSE(queue.start(r.ram, p));
    EXPECT_TRUE(queue.broken());
    EXPECT_FALSE(queue.pop());
  };
  refused([](auto& p) { p.size = 0; });
  refused([](auto& p) { p.size = 6; });
  refused([](auto& p) { p.size = 2048; });
  refused([](auto& p) { p.descriptors += 8; });
  refused([](auto& p) { p.available += 1; });
  refused([](auto& p) { p.used += 2; });
  refused([](auto& p) { p.descriptors = 0; });
  refused([](auto& p) { p.available = Ring::kBase + Ring::kBytes - 4; });
  refused([](auto& p) { p.used = ~uint64_t{3}; });
}

TEST_F(VirtqueueTest, InterruptsByFlag) {
  EXPECT_FALSE(queue.wants_interrupt()) << "nothing was pushed";
  queue.push(0, 0);
  EXPECT_TRUE(queue.wants_interrupt());
  EXPECT_FALSE(queue.wants_interrupt());
  r.put<uint16_t>(Ring::kAvailable, Virtqueue::kNoInterrupt);
  queue.push(0, 0);
  EXPECT_FALSE(queue.wants_interrupt());
}

TEST_F(VirtqueueTest, InterruptsByIndex) {
  ASSERT_TRUE(queue.start(r.ram, Ring::place(true)));
  r.put<uint16_t>(Ring::kAvailable + 4 + 2 * Ring::kSize, 2);  // used_event: tell me of the third
  queue.push(0, 0);
  EXPECT_FALSE(queue.wants_interrupt());
  queue.push(0, 0);
  queue.push(0, 0);
  queue.push(0, 0);
  EXPECT_TRUE(queue.wants_interrupt()) << "passed, though not the last";
  queue.push(0, 0);
  EXPECT_FALSE(queue.wants_interrupt());
}

TEST_F(VirtqueueTest, AnEmptyQueueAsksForTheNextNotification) {
  ASSERT_TRUE(queue.start(r.ram, Ring::place(true)));
  r.descriptor(Ring::kDescriptors, 0, Ring::kBuffers, 1);
  r.offer(0);
  ASSERT_TRUE(queue.pop());
  EXPECT_FALSE(queue.pop());
  EXPECT_EQ(r.get<uint16_t>(Ring::kUsed + 4 + 8 * Ring::kSize), 1) << "avail_event";
}

// Random rings: whatever they say, it ends, and no buffer lies outside guest memory.
TEST_F(VirtqueueTest, RandomRings) {
  const char* given = std::getenv("MV_SEED");
  const uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
  SCOPED_TRACE("MV_SEED=" + std::to_string(seed));
  std::printf("MV_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  unsigned chains = 0, broken = 0;
  for (unsigned round = 0; round < 20000; ++round) {
    const auto pick = [&](uint64_t n) { return random() % n; };
    for (unsigned i = 0; i < 32; ++i) {
      const uint64_t table = i < Ring::kSize ? Ring::kDescriptors : Ring::kBuffers, at = i % Ring::kSize;
      const uint64_t address = pick(16) ? Ring::kBuffers + 8 * pick(0x800) : random();
      r.descriptor(table, static_cast<unsigned>(at), address, static_cast<uint32_t>(pick(16) ? 16 * pick(9) : random()), static_cast<uint16_t>(pick(32) ? pick(4) : pick(8)),
                   static_cast<uint16_t>(pick(24) ? pick(Ring::kSize) : random()));
    }
    r.put<uint64_t>(Ring::kAvailable, 0);
    ASSERT_TRUE(queue.start(r.ram, Ring::place(random() & 1)));
    r.put<uint16_t>(Ring::kAvailable + 2, static_cast<uint16_t>(pick(50) ? pick(Ring::kSize + 1) : random()));
    for (unsigned i = 0; i < Ring::kSize; ++i) r.put<uint16_t>(Ring::kAvailable + 4 + 2 * i, static_cast<uint16_t>(pick(Ring::kSize)));
    while (const auto chain = queue.pop()) {
      ++chains;
      for (const auto* list : {&chain->readable, &chain->writable}) {
        for (const auto& b : *list) ASSERT_TRUE(b.data() >= r.memory && b.data() + b.size() <= r.memory + Ring::kBytes && !b.empty());
      }
      queue.push(chain->head, 1);
    }
    broken += queue.broken();
  }
  EXPECT_GT(chains, 100u);
  EXPECT_GT(broken, 100u);
}

}  // namespace
