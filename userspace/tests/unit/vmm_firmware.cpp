// SPDX-License-Identifier: MIT
// What firmware finds: the firmware configuration device, the loader's script, bridges that move windows, debug ports, images.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "vmm/dispatch/dispatch.h"
#include "vmm/machine/firmware_board.h"
#include "vmm/machine/firmware_image.h"
#include "vmm/machine/table_loader.h"

namespace {

using mv::Direction, mv::FwCfg, mv::Space;
using Bytes = FwCfg::Bytes;
using testing::ElementsAre, testing::HasSubstr;

uint64_t be(const uint8_t* p, unsigned n) {
  uint64_t v = 0;
  while (n--) v = v << 8 | *p++;
  return v;
}
uint64_t le(const uint8_t* p, unsigned n) {
  uint64_t v = 0;
  std::memcpy(&v, p, n);
  return v;
}

class Firmware : public testing::Test {
 protected:
  Firmware() {
    pci.emplace(bus, [](uint32_t, bool) {});
    pci->plug(0, board->bridge());
    board->plug(*pci);
  }
  ~Firmware() override { pci.reset(); }

  uint64_t in(uint64_t port, unsigned size) { return dispatch(bus, {Space::pio, Direction::read, size, port}).data; }
  void out(uint64_t port, unsigned size, uint64_t v) { dispatch(bus, {Space::pio, Direction::write, size, port, v}); }
  uint64_t config(unsigned device, unsigned reg, unsigned size) { return dispatch(bus, {Space::config, Direction::read, size, device << 15 | reg}).data; }
  void config(unsigned device, unsigned reg, unsigned size, uint64_t v) { dispatch(bus, {Space::config, Direction::write, size, device << 15 | reg, v}); }
  uint64_t mmio(uint64_t gpa, unsigned size) { return dispatch(bus, {Space::mmio, Direction::read, size, gpa}).data; }

  Bytes item(uint16_t key, size_t n) {
    out(0x510, 2, key);
    Bytes b;
    while (n--) b.push_back(static_cast<uint8_t>(in(0x511, 1)));
    return b;
  }
  // By the directory: key and size.
  std::pair<uint16_t, uint32_t> find(const std::string& name) {
    const Bytes count = item(FwCfg::DIRECTORY, 4);
    const size_t n = be(count.data(), 4);
    const Bytes all = item(FwCfg::DIRECTORY, 4 + 64 * n);
    for (size_t i = 0; i < n; ++i) {
      const uint8_t* e = all.data() + 4 + 64 * i;
      if (name == reinterpret_cast<const char*>(e + 8)) return {static_cast<uint16_t>(be(e + 4, 2)), static_cast<uint32_t>(be(e, 4))};
    }
    return {0, 0};
  }
  Bytes file(const std::string& name) {
    const auto [key, size] = find(name);
    return item(key, size);
  }
  void dma(uint64_t at, uint32_t control, uint32_t length, uint64_t to) {
    for (unsigned i = 0; i < 4; ++i) ram[at + i] = std::byte(control >> (24 - 8 * i)), ram[at + 4 + i] = std::byte(length >> (24 - 8 * i));
    for (unsigned i = 0; i < 8; ++i) ram[at + 8 + i] = std::byte(to >> (56 - 8 * i));
    out(0x514, 4, __builtin_bswap32(static_cast<uint32_t>(at >> 32)));
    out(0x518, 4, __builtin_bswap32(static_cast<uint32_t>(at)));
  }
  uint32_t control(uint64_t at) { return static_cast<uint32_t>(be(reinterpret_cast<uint8_t*>(&ram[at]), 4)); }

  std::vector<std::byte> ram = std::vector<std::byte>(1 << 20);
  std::string said;
  int off = 0, resets = 0;
  mv::Bus bus;
  std::unique_ptr<mv::FirmwareBoard> board = std::make_unique<mv::FirmwareBoard>(
      bus, mv::FirmwareBoardConfig{.ram = mv::GuestRam(ram, 0), .memory_bytes = 256 << 20, .vcpus = 3, .debug = [this](uint8_t b) { said += static_cast<char>(b); }, .now = [] { return uint64_t{1000000}; },
                                   .power_off = [this] { ++off; }, .reset = [this] { ++resets; }});
  std::optional<mv::PciBus> pci;
};

TEST_F(Firmware, ConfigurationItemsByPort) {
  EXPECT_EQ(item(FwCfg::SIGNATURE, 6), (Bytes{'Q', 'E', 'M', 'U', 0, 0})) << "zero beyond the end";
  EXPECT_EQ(item(FwCfg::ID, 4), (Bytes{3, 0, 0, 0}));
  EXPECT_EQ(item(FwCfg::VCPUS, 2), (Bytes{3, 0}));
  EXPECT_EQ(item(0x8000, 4), (Bytes{0, 0, 0, 0})) << "an item of the architecture is not item 0";
  EXPECT_EQ(item(0x1234, 2), (Bytes{0, 0}));
  const Bytes e820 = file("etc/e820");
  ASSERT_EQ(e820.size(), 20u);
  EXPECT_EQ(le(&e820[8], 8), 256u << 20);
  EXPECT_EQ(file("etc/sercon-port"), (Bytes{0xf8, 0x03}));
  EXPECT_EQ(find("etc/nothing").second, 0u);
}

TEST_F(Firmware, ConfigurationItemsByDma) {
  EXPECT_EQ(in(0x514, 4), 0x554d4551u) << "'QEMU'";
  EXPECT_EQ(in(0x518, 4), 0x47464320u) << "' CFG'";
  dma(0x100, FwCfg::SIGNATURE << 16 | FwCfg::DMA_SELECT | FwCfg::DMA_READ, 4, 0x200);
  EXPECT_EQ(control(0x100), 0u);
  EXPECT_EQ(std::memcmp(&ram[0x200], "QEMU", 4), 0);
  dma(0x100, FwCfg::DMA_SELECT | FwCfg::DMA_SKIP, 2, 0);
  dma(0x100, FwCfg::DMA_READ, 4, 0x210);
  EXPECT_EQ(std::memcmp(&ram[0x210], "MU\0\0", 4), 0);
}

TEST_F(Firmware, DmaOutsideOfMemoryIsAnErrorOrNothing) {
  dma(0x100, FwCfg::DMA_SELECT | FwCfg::DMA_READ, 4, (1 << 20) - 3);
  EXPECT_EQ(control(0x100), uint32_t{FwCfg::DMA_ERROR});
  dma(0x100, FwCfg::DMA_READ, 0xffffffff, 0x200);
  EXPECT_EQ(control(0x100), uint32_t{FwCfg::DMA_ERROR});
  dma(0x100, FwCfg::DMA_SELECT | FwCfg::DMA_WRITE, 4, 0x200);
  EXPECT_EQ(control(0x100), uint32_t{FwCfg::DMA_ERROR});
  out(0x518, 4, __builtin_bswap32(0xfffffff0));  // the request itself: nothing happens
  dma(0x100, FwCfg::DMA_SELECT | FwCfg::DMA_SKIP, 0xffffffff, 0);
  EXPECT_EQ(control(0x100), 0u);
  dma(0x100, FwCfg::DMA_READ, 1, 0x200);
  EXPECT_EQ(ram[0x200], std::byte{0});
}

// What firmware does with the script, done here: then the tables must hold together.
TEST_F(Firmware, LoaderScriptMakesTables) {
  config(31, mv::Ich9Lpc::PMBASE, 4, 0x601);
  config(31, mv::Ich9Lpc::ACPI_CNTL, 1, 0x80);
  std::map<std::string, Bytes> files;
  std::map<std::string, uint64_t> at;
  uint64_t next = 0x12340000;
  const Bytes script = file("etc/table-loader");
  ASSERT_EQ(script.size() % 128, 0u);
  for (size_t c = 0; c < script.size(); c += 128) {
    const uint8_t* p = &script[c + 4];
    const std::string name = reinterpret_cast<const char*>(p);
    switch (le(&script[c], 4)) {
      case 1: {
        files[name] = file(name);
        const uint64_t align = le(p + 56, 4);
        at[name] = next = (next + align - 1) & ~(align - 1);
        next += files[name].size();
        break;
      }
      case 2: {
        const std::string to = reinterpret_cast<const char*>(p + 56);
        const uint64_t offset = le(p + 112, 4);
        const auto size = static_cast<unsigned>(p[116]);
        ASSERT_LE(offset + size, files.at(name).size());
        const uint64_t v = le(&files[name][offset], size) + at.at(to);
        ASSERT_LT(v - at[to], files[to].size());
        std::memcpy(&files[name][offset], &v, size);
        break;
      }
      case 3: {
        const uint64_t offset = le(p + 56, 4), start = le(p + 60, 4), length = le(p + 64, 4);
        uint8_t sum = 0;
        for (uint64_t i = start; i < start + length; ++i) sum = static_cast<uint8_t>(sum + files.at(name).at(i));
        files[name].at(offset) = static_cast<uint8_t>(files[name][offset] - sum);
        break;
      }
      default:
        FAIL() << "command " << le(&script[c], 4);
    }
  }
  const Bytes& rsdp = files.at(mv::kRsdpFile);
  const Bytes& tables = files.at(mv::kTablesFile);
  const auto sum = [](const uint8_t* p, size_t n) {
    unsigned s = 0;
    while (n--) s += *p++;
    return s & 0xff;
  };
  EXPECT_EQ(std::memcmp(rsdp.data(), "RSD PTR ", 8), 0);
  EXPECT_EQ(sum(rsdp.data(), 20), 0u);
  EXPECT_EQ(sum(rsdp.data(), 36), 0u);
  const auto table = [&](uint64_t gpa) { return tables.data() + (gpa - at.at(mv::kTablesFile)); };
  const uint8_t* xsdt = table(le(&rsdp[24], 8));
  EXPECT_EQ(std::memcmp(xsdt, "XSDT", 4), 0);
  std::map<std::string, const uint8_t*> found;
  for (size_t i = 36; i < le(xsdt + 4, 4); i += 8) {
    const uint8_t* t = table(le(xsdt + i, 8));
    found[std::string(t, t + 4)] = t;
  }
  found["DSDT"] = table(le(found.at("FACP") + 140, 8));
  found["XSDT"] = xsdt;
  for (const auto& [name, t] : found) EXPECT_EQ(sum(t, le(t + 4, 4)), 0u) << name;
  EXPECT_EQ(std::memcmp(found["DSDT"], "DSDT", 4), 0);
  EXPECT_EQ(le(found["FACP"] + 40, 4), le(found["FACP"] + 140, 8));
  EXPECT_EQ(le(found["FACP"] + 56, 4), 0x600u) << "where the firmware has put the block";
  EXPECT_EQ(le(found["FACP"] + 76, 4), 0x608u);
  EXPECT_EQ(le(found.at("MCFG") + 44, 8), mv::PciBus::kEcam);
}

TEST_F(Firmware, ConfigurationSpaceMoves) {
  EXPECT_EQ(config(0, 0, 4), 0x29c08086u);
  EXPECT_EQ(config(0, 0x2c, 4), 0x11001af4u);
  EXPECT_EQ(mmio(mv::PciBus::kEcam, 4), 0xffffffffu) << "off until firmware places it";
  config(0, mv::Q35Host::PCIEXBAR, 4, 0xb0000001);
  EXPECT_EQ(mmio(0xb0000000, 4), 0x29c08086u);
  EXPECT_EQ(mmio(0xb00f8000, 4), 0x29188086u);
  config(0, mv::Q35Host::PCIEXBAR, 4, 0xe0000001);
  EXPECT_EQ(mmio(0xb0000000, 4), 0xffffffffu);
  EXPECT_EQ(mmio(0xe0000000, 4), 0x29c08086u);
}

TEST_F(Firmware, PowerManagementBlockIsWhereTheBridgeSays) {
  EXPECT_EQ(in(0x608, 4), 0xffffffffu);
  config(31, mv::Ich9Lpc::PMBASE, 4, 0x601);
  EXPECT_EQ(in(0x608, 4), 0xffffffffu) << "not enabled";
  config(31, mv::Ich9Lpc::ACPI_CNTL, 1, 0x80);
  EXPECT_LT(in(0x608, 4), 1u << 24);
  EXPECT_EQ(in(0x630, 4) & 0x20, 0x20u);
  out(0x604, 2, 0x3400);
  out(0x604, 2, 0x2000);
  EXPECT_EQ(off, 2);
  config(31, mv::Ich9Lpc::PMBASE, 4, 0x501);  // upon fw_cfg: not decoded
  EXPECT_EQ(in(0x608, 4), 0xffffffffu);
  EXPECT_EQ(item(FwCfg::SIGNATURE, 1), (Bytes{'Q'}));
  out(0x404, 2, 0x3400);
  EXPECT_EQ(off, 3) << "the hypervisor's word for a triple fault";
}

TEST_F(Firmware, DebugPortsAndPort92) {
  EXPECT_EQ(in(0x402, 1), 0xe9u);
  out(0x402, 1, 'o');
  out(0xe9, 1, 'k');
  EXPECT_EQ(said, "ok");
  EXPECT_EQ(in(0x92, 1), 2u);
  out(0x92, 1, 0);
  EXPECT_EQ(in(0x92, 1), 0u);
  EXPECT_EQ(resets, 0);
  out(0x92, 1, 3);
  EXPECT_EQ(resets, 1);
}

TEST(FirmwareImage, LiesTwice) {
  std::vector<std::byte> file(256 << 10);
  file[file.size() - 1] = std::byte{1};
  file[128 << 10] = std::byte{2};
  const auto images = mv::firmware_images(file, 64 << 20);
  ASSERT_EQ(images.size(), 2u);
  EXPECT_EQ(images[0].gpa, 0xfffc0000u);
  EXPECT_EQ(images[0].bytes, file);
  EXPECT_EQ(images[1].gpa, 0xe0000u);
  EXPECT_EQ(images[1].bytes.front(), std::byte{2});
  EXPECT_EQ(images[1].bytes.back(), std::byte{1});
  EXPECT_EQ(mv::firmware_images(std::vector<std::byte>(64 << 10), 1 << 20)[1].gpa, 0xf0000u);
}

TEST(FirmwareImage, Arm64IsFlashAndAnErasedBank) {
  const auto images = mv::firmware_images_arm64(std::vector<std::byte>(5000, std::byte{1}));
  ASSERT_EQ(images.size(), 2u);
  EXPECT_EQ(images[0].gpa, 0u);
  EXPECT_EQ(images[0].bytes.size(), 5000u);
  EXPECT_EQ(mv::firmware_room(5000), 8192u);
  EXPECT_EQ(images[1].gpa, 0x04000000u);
  EXPECT_EQ(images[1].bytes, std::vector(mv::Arm64Layout::kFlashVariablesSize, std::byte{0xff}));
  EXPECT_THROW(mv::firmware_images_arm64({}), std::invalid_argument);
  EXPECT_THROW(mv::firmware_images_arm64(std::vector<std::byte>((16 << 20) + 1)), std::invalid_argument);
}

TEST(FirmwareImage, Refusals) {
  const auto refusal = [](size_t bytes, uint64_t memory) -> std::string {
    try {
      mv::firmware_images(std::vector<std::byte>(bytes), memory);
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "(accepted)";
  };
  for (size_t bytes : {size_t{100}, size_t{60 << 10}, size_t{(128 << 10) + 1}, size_t{17 << 20}}) EXPECT_THAT(refusal(bytes, 64 << 20), HasSubstr("64 KiB to 16 MiB"));
  EXPECT_THAT(refusal(128 << 10, uint64_t{3} << 30), HasSubstr("2 GiB"));
}

}  // namespace
