// SPDX-License-Identifier: MIT
// The device tree reader: what it finds in good trees, and that bad ones are -EINVAL and nothing worse.
#include <gtest/gtest.h>
#include <libfdt.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "vmm/backend/device_tree.h"

extern "C" {
#include "core/gunyah/dt.h"
}

namespace {

using Blob = std::vector<uint8_t>;

// The exact bytes in a block of their own, so that a sanitizer sees a read beyond them.
int read(const Blob& blob, gunyah_dt* dt = nullptr) {
  std::unique_ptr<uint8_t[]> exact(new uint8_t[blob.size()]);
  if (!blob.empty()) std::memcpy(exact.get(), blob.data(), blob.size());
  gunyah_dt own;
  const char* where = nullptr;
  const int r = gunyah_dt_read(exact.get(), blob.size(), dt ? dt : &own, &where);
  EXPECT_TRUE(r == 0 || r == -EINVAL) << r;
  if (r) {
    EXPECT_NE(where, nullptr) << "a refusal names the part";
  }
  return r;
}

// A tree whose root holds what `fill` writes.
Blob tree(const std::function<void(void*)>& fill) {
  Blob b(1 << 16);
  EXPECT_EQ(fdt_create(b.data(), static_cast<int>(b.size())), 0);
  fdt_finish_reservemap(b.data());
  fdt_begin_node(b.data(), "");
  fill(b.data());
  fdt_end_node(b.data());
  EXPECT_EQ(fdt_finish(b.data()), 0);
  b.resize(fdt_totalsize(b.data()));
  return b;
}

void cpu(void* f, int n, const char* status = nullptr, const char* type = "cpu") {
  fdt_begin_node(f, ("cpu@" + std::to_string(n)).c_str());
  if (type) fdt_property_string(f, "device_type", type);
  if (status) fdt_property_string(f, "status", status);
  fdt_end_node(f);
}

Blob cpus(const std::function<void(void*)>& fill) {
  return tree([&](void* f) {
    fdt_begin_node(f, "cpus");
    fill(f);
    fdt_end_node(f);
  });
}

Blob mvmm_tree(unsigned vcpus) {
  const auto t = mv::make_device_tree(64 << 20, vcpus);
  Blob b(t.size());
  std::memcpy(b.data(), t.data(), t.size());
  return b;
}

TEST(Dt, OwnTree) {
  for (unsigned n : {1u, 2u, 16u}) {
    gunyah_dt dt;
    ASSERT_EQ(read(mvmm_tree(n), &dt), 0);
    EXPECT_EQ(dt.cpus, n);
    EXPECT_EQ(dt.enabled, (1u << n) - 1);
    EXPECT_EQ(dt.has_memory_base, 1u);
    EXPECT_EQ(dt.memory_base, 0x80000000u);
  }
}

TEST(Dt, GicAndDoorbells) {
  const mv::TreeDoorbell bells[] = {{0x10, 4}, {0x20, 987}, {0x30, 988}};
  const auto t = mv::make_device_tree(64 << 20, 4, bells);
  gunyah_dt dt;
  const char* where = nullptr;
  ASSERT_EQ(gunyah_dt_read(t.data(), t.size(), &dt, &where), 0);
  EXPECT_EQ(dt.gic_dist, mv::Arm64Layout::kGicDistributor);
  EXPECT_EQ(dt.gic_redist, mv::Arm64Layout::kGicRedistributor);
  EXPECT_EQ(dt.gic_redist_size, 4 * 0x20000u);
  ASSERT_EQ(dt.doorbells, 3u);
  EXPECT_EQ(dt.doorbell[0].label, 0x10u);
  EXPECT_EQ(dt.doorbell[0].intid, 36u);
  EXPECT_EQ(dt.doorbell[1].intid, 1019u);
  EXPECT_EQ(dt.doorbell[2].intid, 0u) << "beyond the last shared interrupt";
}

TEST(Dt, AtMost64Doorbells) {
  std::vector<mv::TreeDoorbell> bells(65, mv::TreeDoorbell{1, 1});
  const auto t = mv::make_device_tree(64 << 20, 1, bells);
  gunyah_dt dt;
  const char* where = nullptr;
  EXPECT_EQ(gunyah_dt_read(t.data(), t.size(), &dt, &where), -EINVAL);
  EXPECT_STREQ(where, "/gunyah-vm-config/vdevices: too many doorbells");
}

TEST(Dt, StatusDecides) {
  gunyah_dt dt;
  ASSERT_EQ(read(cpus([](void* f) {
                   cpu(f, 0, "disabled");
                   cpu(f, 1, "okay");
                   cpu(f, 2, "fail");
                   cpu(f, 3, "ok");
                   cpu(f, 4);
                 }),
                 &dt),
            0);
  EXPECT_EQ(dt.cpus, 5u);
  EXPECT_EQ(dt.enabled, 0b11010u);
}

TEST(Dt, OtherNodesBelowCpusAreNone) {
  gunyah_dt dt;
  ASSERT_EQ(read(cpus([](void* f) {
                   cpu(f, 0, nullptr, nullptr);
                   cpu(f, 1);
                   fdt_begin_node(f, "cpu-map");
                   fdt_end_node(f);
                   cpu(f, 2, nullptr, "cache");
                 }),
                 &dt),
            0);
  EXPECT_EQ(dt.cpus, 1u);
}

TEST(Dt, NoCpuIsAnError) {
  EXPECT_EQ(read(tree([](void*) {})), -EINVAL);
  EXPECT_EQ(read(cpus([](void* f) { cpu(f, 0, "disabled"); })), -EINVAL);
}

TEST(Dt, AtMost32Cpus) {
  const auto many = [](int n) {
    return cpus([n](void* f) {
      for (int i = 0; i < n; ++i) cpu(f, i);
    });
  };
  gunyah_dt dt;
  EXPECT_EQ(read(many(32), &dt), 0);
  EXPECT_EQ(dt.enabled, 0xffffffffu);
  EXPECT_EQ(read(many(33)), -EINVAL);
}

TEST(Dt, MemoryBase) {
  const auto with_base = [](const char* config, int bytes, uint64_t base) {
    return tree([=](void* f) {
      fdt_begin_node(f, "cpus");
      cpu(f, 0);
      fdt_end_node(f);
      fdt_begin_node(f, config);
      fdt_begin_node(f, "memory");
      const fdt64_t wide = cpu_to_fdt64(base);
      const fdt32_t narrow = cpu_to_fdt32(static_cast<uint32_t>(base));
      fdt_property(f, "base-address", bytes == 4 ? static_cast<const void*>(&narrow) : &wide, bytes);
      fdt_end_node(f);
      fdt_end_node(f);
    });
  };
  gunyah_dt dt;
  ASSERT_EQ(read(with_base("gunyah-vm-config", 8, 0x180000000), &dt), 0);
  EXPECT_EQ(dt.memory_base, 0x180000000u);
  ASSERT_EQ(read(with_base("qcom,vm-config", 4, 0x80000000), &dt), 0);
  EXPECT_EQ(dt.memory_base, 0x80000000u);
  ASSERT_EQ(read(with_base("gunyah-vm-config", 3, 0), &dt), 0);
  EXPECT_EQ(dt.has_memory_base, 0u);
  ASSERT_EQ(read(with_base("elsewhere", 8, 1), &dt), 0);
  EXPECT_EQ(dt.has_memory_base, 0u);
}

TEST(Dt, DepthIsBounded) {
  const auto nested = [](int depth) {
    return tree([depth](void* f) {
      fdt_begin_node(f, "cpus");
      cpu(f, 0);
      fdt_end_node(f);
      for (int i = 0; i < depth; ++i) fdt_begin_node(f, "n");
      for (int i = 0; i < depth; ++i) fdt_end_node(f);
    });
  };
  EXPECT_EQ(read(nested(10)), 0);
  EXPECT_EQ(read(nested(100)), -EINVAL);
}

TEST(Dt, EveryTruncation) {
  Blob whole = mvmm_tree(2);
  whole.resize(fdt_totalsize(whole.data()));
  for (size_t n = 0; n < whole.size(); ++n) ASSERT_EQ(read(Blob(whole.begin(), whole.begin() + static_cast<long>(n))), -EINVAL) << n;
  EXPECT_EQ(read(whole), 0);
}

// As above, but the header says that it is that short, so that the inner bounds are what holds.
TEST(Dt, EveryTruncationThatTheHeaderAdmits) {
  Blob whole = mvmm_tree(2);
  whole.resize(fdt_totalsize(whole.data()));
  for (size_t n = sizeof(fdt_header); n < whole.size(); ++n) {
    Blob cut(whole.begin(), whole.begin() + static_cast<long>(n));
    fdt_set_totalsize(cut.data(), static_cast<uint32_t>(n));
    const uint32_t structs = fdt_off_dt_struct(cut.data()), strings = fdt_off_dt_strings(cut.data());
    fdt_set_size_dt_struct(cut.data(), n > structs ? static_cast<uint32_t>(std::min<size_t>(n - structs, fdt_size_dt_struct(whole.data()))) : 0);
    fdt_set_size_dt_strings(cut.data(), n > strings ? static_cast<uint32_t>(n - strings) : 0);
    read(cut);
  }
}

TEST(Dt, EveryHeaderWord) {
  const Blob whole = mvmm_tree(2);
  for (size_t word = 0; word < 10; ++word) {
    for (uint32_t value : {0u, 1u, 3u, 4u, 0x7fffffffu, 0x80000000u, 0xfffffffcu, 0xffffffffu, static_cast<uint32_t>(whole.size())}) {
      Blob b = whole;
      const fdt32_t big = cpu_to_fdt32(value);
      std::memcpy(b.data() + 4 * word, &big, 4);
      read(b);
    }
  }
}

TEST(Dt, RandomDamage) {
  const char* given = std::getenv("MV_SEED");
  const unsigned seed = given ? static_cast<unsigned>(std::strtoul(given, nullptr, 0)) : 20261121u;
  SCOPED_TRACE("MV_SEED=" + std::to_string(seed));
  std::printf("MV_SEED=%u\n", seed);
  std::mt19937 random(seed);
  Blob whole = mvmm_tree(4);
  whole.resize(fdt_totalsize(whole.data()));
  for (int round = 0; round < 20000; ++round) {
    Blob b = whole;
    for (unsigned n = 1 + random() % 8; n; --n) b[random() % b.size()] = static_cast<uint8_t>(random());
    read(b);
  }
}

}  // namespace
