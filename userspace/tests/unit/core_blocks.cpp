// SPDX-License-Identifier: MIT
// Decoded blocks: found by address and mode, verified against memory, dropped when the arena is full or grows.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

extern "C" {
#include "core/cpu/block.h"
}

namespace {

struct Insn {
  u64 words[2];
};
constexpr size_t kRawMax = 128;
constexpr size_t kNeed = sizeof(hv_block) + HV_BLOCK_MAX * sizeof(Insn) + kRawMax;

class Blocks : public testing::Test {
 protected:
  Blocks() { hv_blocks_init(bs.get(), arena.data(), arena.size(), arena.size(), 0); }

  // A block of one instruction and `bytes` bytes of `code`.
  hv_block* insert(u64 gpa, u32 mode = 0, const u8* code = nullptr, u16 bytes = 4) {
    hv_block* b = hv_blocks_room(bs.get(), sizeof(Insn), kRawMax);
    if (!b) return nullptr;
    b->gpa = gpa;
    b->mode = mode;
    b->epoch = 1;
    b->count = 1;
    b->bytes = b->first = bytes;
    b->code = code ? code : memory;
    b->code2 = nullptr;
    fresh = hv_blocks_insert(bs.get(), b, sizeof(Insn));
    return b;
  }

  std::unique_ptr<hv_blocks> bs = std::make_unique<hv_blocks>();
  std::vector<u8> arena = std::vector<u8>(32 << 10);
  u8 memory[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  bool fresh = false;
};

TEST_F(Blocks, FoundByAddressAndMode) {
  hv_block* a = insert(0x1000, 1);
  hv_block* b = insert(0x1000, 2);
  EXPECT_EQ(hv_blocks_find(bs.get(), 0x1000, 1), a);
  EXPECT_EQ(hv_blocks_find(bs.get(), 0x1000, 2), b);
  EXPECT_EQ(hv_blocks_find(bs.get(), 0x1000, 3), nullptr);
  EXPECT_EQ(hv_blocks_find(bs.get(), 0x1001, 1), nullptr);
}

TEST_F(Blocks, FirstBlockOfAPageIsFresh) {
  EXPECT_FALSE(hv_blocks_cover(bs.get(), 0x1000));
  insert(0x1000);
  EXPECT_TRUE(fresh);
  EXPECT_TRUE(hv_blocks_cover(bs.get(), 0x1fff));
  insert(0x1010);
  EXPECT_FALSE(fresh);
  EXPECT_TRUE(hv_blocks_mark(bs.get(), 0x5000)) << "the second page of a straddling instruction";
  EXPECT_TRUE(hv_blocks_cover(bs.get(), 0x5000));
}

TEST_F(Blocks, VerifyComparesBytes) {
  hv_block* b = insert(0x1000, 0, memory, 11);
  EXPECT_TRUE(hv_block_verify(bs.get(), b, 7));
  EXPECT_EQ(b->epoch, 7u);
  memory[10] ^= 1;
  EXPECT_FALSE(hv_block_verify(bs.get(), b, 8));
  EXPECT_EQ(b->dead, 1);
  EXPECT_EQ(hv_blocks_find(bs.get(), 0x1000, 0), nullptr);
}

TEST_F(Blocks, VerifyLooksAtBothPagesOfAStraddler) {
  u8 second[4] = {9, 9, 9, 9};
  hv_block* b = hv_blocks_room(bs.get(), sizeof(Insn), kRawMax);
  b->gpa = 0x1ffe;
  b->mode = 0;
  b->count = 1;
  b->first = 2;
  b->bytes = 5;
  b->code = memory;
  b->code2 = second;
  hv_blocks_insert(bs.get(), b, sizeof(Insn));
  EXPECT_TRUE(hv_block_verify(bs.get(), b, 2));
  second[3] = 1;
  EXPECT_TRUE(hv_block_verify(bs.get(), b, 3)) << "beyond its bytes";
  second[2] = 1;
  EXPECT_FALSE(hv_block_verify(bs.get(), b, 4));
}

TEST_F(Blocks, FullArenaAtItsLimitIsEmptied) {
  u64 gpa = 0;
  const u64 flushes = bs->flushes;
  while (insert(gpa)) gpa += 16;
  EXPECT_GT(gpa, 16u * 20);
  EXPECT_EQ(bs->want, 0u) << "no larger one to ask for";
  EXPECT_EQ(bs->flushes, flushes + 1);
  EXPECT_EQ(hv_blocks_find(bs.get(), 0, 0), nullptr);
  EXPECT_TRUE(insert(gpa)) << "try once more";
}

TEST_F(Blocks, FullArenaBelowItsLimitAsksForMore) {
  bs->limit = 3 * arena.size();
  u64 gpa = 0;
  while (insert(gpa)) gpa += 16;
  EXPECT_EQ(bs->want, 2 * arena.size());
  std::vector<u8> larger(bs->want);
  EXPECT_EQ(hv_blocks_set_arena(bs.get(), larger.data(), larger.size()), arena.data());
  EXPECT_EQ(hv_blocks_find(bs.get(), 0, 0), nullptr);
  EXPECT_FALSE(hv_blocks_cover(bs.get(), 0));
  u64 more = 0;
  while (insert(more)) more += 16;
  EXPECT_GT(more, gpa);
  EXPECT_EQ(bs->want, 3 * arena.size()) << "doubled, but not beyond the limit";
}

TEST_F(Blocks, ArenaTooSmallForAnyBlockIsNotOverrun) {
  bs->size = bs->limit = kNeed - 1;
  EXPECT_EQ(insert(0), nullptr);
  EXPECT_EQ(insert(0), nullptr);
}

TEST_F(Blocks, JumpCacheKnowsItsKey) {
  hv_block* b = insert(0x1000);
  hv_jump_put(bs.get(), 0x401000, 5, b);
  EXPECT_EQ(hv_jump_get(bs.get(), 0x401000, 5), b);
  EXPECT_EQ(hv_jump_get(bs.get(), 0x401000, 6), nullptr);
  EXPECT_EQ(hv_jump_get(bs.get(), 0x402000, 5), nullptr);
  hv_blocks_forget_jumps(bs.get());
  EXPECT_EQ(hv_jump_get(bs.get(), 0x401000, 5), nullptr);
  EXPECT_EQ(hv_blocks_find(bs.get(), 0x1000, 0), b) << "the block itself stays";
}

// A CPU that never runs has no arena; nothing is found in it, and the first block asks for it.
TEST_F(Blocks, WithoutArena) {
  constexpr size_t kReserve = 1000;
  hv_blocks_init(bs.get(), nullptr, 0, 1 << 20, kReserve);
  EXPECT_EQ(hv_blocks_find(bs.get(), 0x1000, 0), nullptr);
  EXPECT_EQ(hv_jump_get(bs.get(), 0x401000, 5), nullptr);
  EXPECT_EQ(insert(0x1000), nullptr);
  ASSERT_GE(bs->want, kReserve + HV_ARENA_FIRST);
  std::vector<u8> first(bs->want, 0x5a);
  EXPECT_EQ(hv_blocks_set_arena(bs.get(), first.data(), first.size()), nullptr);
  EXPECT_TRUE(insert(0x1000));
  EXPECT_TRUE(hv_blocks_find(bs.get(), 0x1000, 0));
  for (size_t i = 0; i < kReserve; ++i) ASSERT_EQ(first[i], 0x5a) << "the start is the owner's";
}

}  // namespace
