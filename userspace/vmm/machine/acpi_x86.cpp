// SPDX-License-Identifier: MIT
#include "vmm/machine/acpi_x86.h"

#include <cstring>
#include <string_view>

#include "vmm/machine/aml.h"

namespace mv {

namespace {

using aml::Bytes;
using aml::operator+;

constexpr uint32_t kLocalApic = 0xfee00000, kIoApic = 0xfec00000;
constexpr uint16_t kPm1Control = 4, kResetPort = 0xcf9, kCom1 = 0x3f8;
constexpr uint8_t kSci = 9, kResetValue = 6, kSleepTypeS5 = 5;
constexpr unsigned kFirstPciPin = 16, kPciPins = 8;

// Fields at their offsets, as ACPI's tables of tables have them.
class Table {
 public:
  Table(std::string_view signature, size_t size, uint8_t revision) : bytes_(size) {
    std::memcpy(bytes_.data(), signature.data(), signature.size());
    set(8, revision, 1);
    std::memcpy(bytes_.data() + 10, "MOCKVSMOCKVSR ", 14);
    set(24, 1, 4);
    std::memcpy(bytes_.data() + 28, "MVSR", 4);
    set(32, 1, 4);
  }
  Table& set(size_t at, uint64_t v, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) bytes_.at(at + i) = static_cast<uint8_t>(v >> (8 * i));
    return *this;
  }
  // Generic address: an I/O port (section 5.2.3.2).
  Table& port(size_t at, uint16_t address, uint8_t bits, uint8_t width) { return set(at, 1, 1).set(at + 1, bits, 1).set(at + 2, 0, 1).set(at + 3, width, 1).set(at + 4, address, 8); }
  Table& append(const Bytes& more) {
    bytes_ = std::move(bytes_) + more;
    return *this;
  }
  // With length and checksum.
  Bytes done() {
    set(4, bytes_.size(), 4);
    set(9, 0, 1);
    uint8_t sum = 0;
    for (uint8_t b : bytes_) sum = static_cast<uint8_t>(sum + b);
    bytes_[9] = static_cast<uint8_t>(-sum);
    return bytes_;
  }

 private:
  Bytes bytes_;
};

constexpr size_t kHeader = 36;

// Pin n of device d arrives at I/O APIC pin 16 + (d + n) % 8.
Bytes interrupt_routing() {
  std::vector<Bytes> rows;
  for (uint64_t device = 0; device < 32; ++device) {
    for (uint64_t pin = 0; pin < 4; ++pin) {
      rows.push_back(aml::package({aml::integer(device << 16 | 0xffff), aml::integer(pin), aml::integer(0), aml::integer(kFirstPciPin + (device + pin) % kPciPins)}));
    }
  }
  return aml::package(rows);
}

Bytes host_bridge(const AcpiConfig& config) {
  Bytes windows = aml::bus_numbers(0, 255) + aml::io(0xcf8, 8) + aml::io_window(0, 0xcf7) + aml::io_window(0xd00, 0xffff);
  for (const auto& [first, last] : config.windows) windows = std::move(windows) + aml::memory_window(first, last);
  return aml::device("PCI0", aml::name("_HID", aml::eisa_id("PNP0A08")) + aml::name("_CID", aml::eisa_id("PNP0A03")) + aml::name("_SEG", aml::integer(0)) +
                                 aml::name("_BBN", aml::integer(0)) + aml::name("_CRS", aml::resources(windows)) + aml::name("_PRT", interrupt_routing()));
}

Bytes uart() {
  return aml::device("COM1", aml::name("_HID", aml::eisa_id("PNP0501")) + aml::name("_UID", aml::integer(1)) +
                                 aml::name("_CRS", aml::resources(aml::io(kCom1, 8) + aml::irq(4))));
}

Bytes clock() {
  return aml::device("RTC0", aml::name("_HID", aml::eisa_id("PNP0B00")) + aml::name("_CRS", aml::resources(aml::io(0x70, 2) + aml::irq(8))));
}

Bytes dsdt(const AcpiConfig& config) {
  const Bytes s5 = aml::package({aml::integer(kSleepTypeS5), aml::integer(kSleepTypeS5), aml::integer(0), aml::integer(0)});
  return Table("DSDT", kHeader, 2).append(aml::name("\\_S5", s5) + aml::scope("\\_SB", host_bridge(config) + uart() + clock())).done();
}

// Section 5.2.9.  No SMI command port: the machine is always in ACPI mode.
Bytes fadt(const AcpiConfig& config, uint64_t facs, uint64_t dsdt_at) {
  constexpr uint32_t kWbinvd = 1, kC1 = 1 << 2, kNoPowerButton = 1 << 4, kNoSleepButton = 1 << 5, kResetSupported = 1 << 10;
  constexpr uint16_t kLegacyDevices = 1, kNoVga = 1 << 2;
  Table t("FACP", 276, 6);
  t.set(36, facs, 4).set(40, dsdt_at, 4).set(46, kSci, 2);
  t.set(56, config.pm_base, 4).set(64, config.pm_base + kPm1Control, 4).set(88, 4, 1).set(89, 2, 1);
  t.set(96, 0xffff, 2).set(98, 0xffff, 2);  // no C2, no C3
  t.set(109, kLegacyDevices | kNoVga, 2).set(112, kWbinvd | kC1 | kNoPowerButton | kNoSleepButton | kResetSupported, 4);
  t.port(116, kResetPort, 8, 1).set(128, kResetValue, 1).set(131, 5, 1);
  t.set(140, dsdt_at, 8).port(148, config.pm_base, 32, 3).port(172, static_cast<uint16_t>(config.pm_base + kPm1Control), 16, 2);
  if (config.pm_timer) t.set(76, config.pm_timer, 4).set(91, 4, 1).port(208, static_cast<uint16_t>(config.pm_timer), 32, 3);
  return t.done();
}

Bytes facs() {
  Bytes b(64);
  std::memcpy(b.data(), "FACS", 4);
  b[4] = 64;
  b[32] = 2;
  return b;
}

// Section 5.2.12: APIC ids are the vCPUs' numbers; ISA interrupt 0 is pin 2, and the SCI is level triggered.
Bytes madt(unsigned vcpus) {
  Table t("APIC", kHeader + 8, 4);
  t.set(36, kLocalApic, 4).set(40, 1, 4);
  for (unsigned i = 0; i < vcpus; ++i) t.append({0, 8, static_cast<uint8_t>(i), static_cast<uint8_t>(i), 1, 0, 0, 0});
  t.append({1, 12, 0, 0, kIoApic & 0xff, kIoApic >> 8 & 0xff, kIoApic >> 16 & 0xff, kIoApic >> 24, 0, 0, 0, 0});
  t.append({2, 10, 0, 0, 2, 0, 0, 0, 0, 0});
  t.append({2, 10, 0, kSci, kSci, 0, 0, 0, 0x0d, 0});
  return t.done();
}

Bytes mcfg(uint64_t ecam) { return Table("MCFG", kHeader + 24, 1).set(44, ecam, 8).set(55, 255, 1).done(); }

// The RSDP (section 5.2.5) has two checksums of its own.
Bytes rsdp(uint64_t xsdt) {
  Bytes b(36);
  std::memcpy(b.data(), "RSD PTR ", 8);
  std::memcpy(b.data() + 9, "MOCKVS", 6);
  b[15] = 2;
  b[20] = 36;
  for (unsigned i = 0; i < 8; ++i) b[24 + i] = static_cast<uint8_t>(xsdt >> (8 * i));
  const auto sum = [&](size_t n) {
    uint8_t s = 0;
    for (size_t i = 0; i < n; ++i) s = static_cast<uint8_t>(s + b[i]);
    return static_cast<uint8_t>(-s);
  };
  b[8] = sum(20);
  b[32] = sum(36);
  return b;
}

// Lays tables one behind the other and tells where they are.
class Area {
 public:
  explicit Area(uint64_t base) : base_(base) { tables.bytes.resize(AcpiTables::kTables); }
  uint64_t add(const Bytes& table, const std::vector<AcpiTables::Pointer>& pointers = {}) {
    tables.bytes.resize((tables.bytes.size() + 63) & ~size_t{63});
    const size_t at = tables.bytes.size();
    tables.bytes = std::move(tables.bytes) + table;
    for (const auto& p : pointers) tables.pointers.push_back({at + p.at, p.size});
    if (!pointers.empty()) tables.checksums.push_back({at + 9, at, table.size()});
    return base_ + at;
  }
  AcpiTables tables;

 private:
  uint64_t base_;
};

}  // namespace

AcpiTables acpi_tables(const AcpiConfig& config, uint64_t base) {
  Area area(base);
  const uint64_t dsdt_at = area.add(dsdt(config)), facs_at = area.add(facs());
  const uint64_t fadt_at = area.add(fadt(config, facs_at, dsdt_at), {{36, 4}, {40, 4}, {140, 8}});
  const uint64_t tables[] = {fadt_at, area.add(madt(config.vcpus)), area.add(mcfg(config.ecam))};
  Table xsdt("XSDT", kHeader, 1);
  std::vector<AcpiTables::Pointer> entries;
  for (uint64_t t : tables) {
    Bytes pointer(8);
    std::memcpy(pointer.data(), &t, 8);
    entries.push_back({kHeader + 8 * entries.size(), 8});
    xsdt.append(pointer);
  }
  const Bytes root = rsdp(area.add(xsdt.done(), entries));
  std::memcpy(area.tables.bytes.data(), root.data(), root.size());
  area.tables.pointers.push_back({24, 8});
  area.tables.checksums.push_back({8, 0, 20});
  area.tables.checksums.push_back({32, 0, AcpiTables::kRsdpSize});
  return std::move(area.tables);
}

Image acpi_x86(const AcpiConfig& config) {
  const AcpiTables tables = acpi_tables(config, kAcpiTables);
  Image image{kAcpiTables, std::vector<std::byte>(tables.bytes.size())};
  std::memcpy(image.bytes.data(), tables.bytes.data(), tables.bytes.size());
  return image;
}

}  // namespace mv
