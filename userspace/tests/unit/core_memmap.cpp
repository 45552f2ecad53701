// SPDX-License-Identifier: MIT
// Guest-physical memory map: what may be added, what a page is, copies.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

extern "C" {
#include "core/memmap.h"
}

namespace {

constexpr u64 kPage = HV_PAGE_SIZE;

class Memmap : public testing::Test {
 protected:
  Memmap() { hv_memmap_init(map.get()); }
  int add(u64 gpa, u64 pages, u8* host, u32 access = HV_MEM_RWX) { return hv_memmap_add(map.get(), gpa, pages * kPage, host, nullptr, access); }
  hv_page page(u64 gpa, u32 want = HV_MEM_READ) { return hv_memmap_page(map.get(), gpa, want, &host, &access); }

  std::unique_ptr<hv_memmap> map = std::make_unique<hv_memmap>();
  std::vector<u8> ram = std::vector<u8>(16 * kPage);
  u8* host = nullptr;
  u32 access = 0;
};

TEST_F(Memmap, AddWantsWholePagesAndNoWrap) {
  EXPECT_EQ(add(0x1001, 1, ram.data()), -EINVAL);
  EXPECT_EQ(hv_memmap_add(map.get(), 0x1000, 0, ram.data(), nullptr, HV_MEM_RWX), -EINVAL);
  EXPECT_EQ(hv_memmap_add(map.get(), 0x1000, 100, ram.data(), nullptr, HV_MEM_RWX), -EINVAL);
  EXPECT_EQ(add(~u64{0} - kPage + 1, 2, ram.data()), -EINVAL);
  EXPECT_EQ(add(0x1000, 1, ram.data()), 0);
}

TEST_F(Memmap, NeighboursTouchButDoNotOverlap) {
  ASSERT_EQ(add(0x10000, 4, ram.data()), 0);
  EXPECT_EQ(add(0xf000, 2, ram.data()), -EEXIST);
  EXPECT_EQ(add(0x13000, 1, ram.data()), -EEXIST);
  EXPECT_EQ(add(0x11000, 1, ram.data()), -EEXIST);
  EXPECT_EQ(add(0xe000, 8, ram.data()), -EEXIST);
  EXPECT_EQ(add(0xf000, 1, ram.data()), 1);
  EXPECT_EQ(add(0x14000, 1, ram.data()), 2);
}

TEST_F(Memmap, RetiredPlacesAreUsedAgain) {
  ASSERT_EQ(add(0x10000, 1, ram.data()), 0);
  ASSERT_EQ(add(0x20000, 1, ram.data()), 1);
  hv_memmap_retire(map.get(), 0);
  EXPECT_EQ(page(0x10000), HV_PAGE_NONE);
  EXPECT_EQ(add(0x10000, 1, ram.data() + kPage), 0);
  EXPECT_EQ(page(0x10000), HV_PAGE_RAM);
  EXPECT_EQ(host, ram.data() + kPage);
}

TEST_F(Memmap, PlacesEnd) {
  for (int i = 0; i < HV_SLOTS; ++i) ASSERT_EQ(add(u64(i) * 2 * kPage, 1, ram.data()), i);
  EXPECT_EQ(add(u64{1} << 40, 1, ram.data()), -ENOMEM);
  EXPECT_EQ(hv_memmap_shrink(map.get(), 0, 0, kPage, nullptr), -ENOMEM);
  EXPECT_EQ(page(0), HV_PAGE_RAM) << "nothing was lost";
}

TEST_F(Memmap, FillKeepsWhatIsThere) {
  u8* first = ram.data();
  u8* second = ram.data() + 8 * kPage;
  ASSERT_EQ(add(0x2000, 1, first), 0);
  ASSERT_EQ(add(0x5000, 1, first + kPage), 1);
  ASSERT_EQ(hv_memmap_fill(map.get(), 0x1000, 6 * kPage, second, HV_MEM_READ), 0);
  for (u64 i = 1; i <= 6; ++i) {
    ASSERT_EQ(page(i * kPage), HV_PAGE_RAM) << i;
    EXPECT_EQ(host, i == 2 ? first : i == 5 ? first + kPage : second + (i - 1) * kPage) << i;
  }
  EXPECT_EQ(page(0), HV_PAGE_NONE);
  EXPECT_EQ(page(7 * kPage), HV_PAGE_NONE);
  EXPECT_EQ(hv_memmap_fill(map.get(), 0x1000, 6 * kPage, first, HV_MEM_RWX), 0) << "nothing left to fill";
  EXPECT_EQ(map->count, 5u);
}

TEST_F(Memmap, FillAtTheTopOfTheAddressSpace) {
  const u64 last = ~u64{0} - kPage + 1;
  EXPECT_EQ(hv_memmap_fill(map.get(), last - kPage, 2 * kPage, ram.data(), HV_MEM_RWX), -EINVAL) << "the end is not expressible";
  EXPECT_EQ(hv_memmap_fill(map.get(), last - kPage, kPage, ram.data(), HV_MEM_RWX), 0);
  EXPECT_EQ(page(last - 1), HV_PAGE_RAM);
}

TEST_F(Memmap, PageSaysWhy) {
  u8* pages[2] = {nullptr, ram.data()};
  ASSERT_EQ(hv_memmap_add(map.get(), 0x8000, 2 * kPage, nullptr, pages, HV_MEM_READ), 0);
  EXPECT_EQ(page(0x7fff), HV_PAGE_NONE);
  EXPECT_EQ(page(0x8000), HV_PAGE_ABSENT);
  EXPECT_EQ(page(0x9008), HV_PAGE_RAM);
  EXPECT_EQ(host, ram.data()) << "the page, not the byte";
  EXPECT_EQ(page(0x9008, HV_MEM_WRITE), HV_PAGE_DENIED);
  EXPECT_EQ(access, HV_MEM_READ);
  EXPECT_EQ(page(0xa000), HV_PAGE_NONE);
}

TEST_F(Memmap, ShrinkKeepsAPart) {
  u8* old_pages[4] = {ram.data(), ram.data() + kPage, ram.data() + 2 * kPage, ram.data() + 3 * kPage};
  u8* part[2] = {old_pages[1], old_pages[2]};
  ASSERT_EQ(hv_memmap_add(map.get(), 0x8000, 4 * kPage, nullptr, old_pages, HV_MEM_READ), 0);
  EXPECT_EQ(hv_memmap_shrink(map.get(), 0, 0x9000, 2 * kPage, part), 1);
  EXPECT_EQ(page(0x8000), HV_PAGE_NONE);
  EXPECT_EQ(page(0x9000), HV_PAGE_RAM);
  EXPECT_EQ(host, old_pages[1]);
  EXPECT_EQ(access, HV_MEM_READ);
  EXPECT_EQ(page(0xb000), HV_PAGE_NONE);
}

TEST_F(Memmap, DemandedRangesAreAbsentWithoutASlot) {
  ASSERT_EQ(hv_memmap_demand(map.get(), 0x8000, 2 * kPage), 0);
  EXPECT_EQ(page(0x8000), HV_PAGE_ABSENT);
  EXPECT_EQ(page(0x9fff), HV_PAGE_ABSENT);
  EXPECT_EQ(page(0x7fff), HV_PAGE_NONE);
  EXPECT_EQ(page(0xa000), HV_PAGE_NONE);
  ASSERT_EQ(add(0x8000, 1, ram.data()), 0);
  EXPECT_EQ(page(0x8000), HV_PAGE_RAM);
  for (int i = 1; i < HV_SLOTS; ++i) ASSERT_EQ(hv_memmap_demand(map.get(), 0, kPage), 0);
  EXPECT_EQ(hv_memmap_demand(map.get(), 0, kPage), -ENOMEM);
}

TEST_F(Memmap, CopiesCrossPagesAndSlots) {
  u8* pages[2] = {ram.data() + 4 * kPage, ram.data()};  // not in order
  ASSERT_EQ(add(0x7000, 1, ram.data() + 8 * kPage, HV_MEM_READ), 0);
  ASSERT_EQ(hv_memmap_add(map.get(), 0x8000, 2 * kPage, nullptr, pages, HV_MEM_READ), 1);
  std::vector<u8> in(2 * kPage + 200), out(in.size());
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<u8>(i * 7);
  EXPECT_EQ(hv_memmap_copy_in(map.get(), 0x8000 - 100, in.data(), in.size() - 100), 0) << "rights do not matter";
  EXPECT_EQ(hv_memmap_copy_out(map.get(), 0x8000 - 100, out.data(), in.size() - 100), 0);
  EXPECT_EQ(std::vector<u8>(in.begin(), in.end() - 100), std::vector<u8>(out.begin(), out.end() - 100));
  EXPECT_EQ(pages[0][0], in[100]);
  EXPECT_EQ(hv_memmap_copy_in(map.get(), 0x8000 - 100, in.data(), in.size()), -EFAULT) << "beyond the end";
  EXPECT_EQ(hv_memmap_copy_out(map.get(), 0x1000, out.data(), 1), -EFAULT);
  EXPECT_EQ(hv_memmap_copy_out(map.get(), 0x1000, out.data(), 0), 0);
}

}  // namespace
