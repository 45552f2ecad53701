// SPDX-License-Identifier: MIT
// ACPI tables: pointers, lengths and checksums as the specification has them, and what ACPICA makes of the bytes.
#include "vmm/machine/acpi_x86.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "vmm/machine/aml.h"

namespace {

using mv::Image;

template <typename T>
T get(const Image& image, uint64_t gpa) {
  T v{};
  EXPECT_LE(gpa - image.gpa + sizeof v, image.bytes.size());
  std::memcpy(&v, image.bytes.data() + (gpa - image.gpa), sizeof v);
  return v;
}

unsigned sum(const Image& image, uint64_t gpa, size_t bytes) {
  unsigned s = 0;
  for (size_t i = 0; i < bytes; ++i) s += get<uint8_t>(image, gpa + i);
  return s & 0xff;
}

std::string text(const Image& image, uint64_t gpa, size_t bytes) { return {reinterpret_cast<const char*>(image.bytes.data()) + (gpa - image.gpa), bytes}; }

// Signature to address, found as a guest finds them.
std::map<std::string, uint64_t> tables(const Image& image) {
  std::map<std::string, uint64_t> found;
  const auto xsdt = get<uint64_t>(image, image.gpa + 24);
  found["XSDT"] = xsdt;
  for (uint64_t at = xsdt + 36; at < xsdt + get<uint32_t>(image, xsdt + 4); at += 8) {
    const auto table = get<uint64_t>(image, at);
    found[text(image, table, 4)] = table;
  }
  found["DSDT"] = get<uint64_t>(image, found.at("FACP") + 140);
  found["FACS"] = get<uint64_t>(image, found.at("FACP") + 36) & 0xffffffff;
  return found;
}

TEST(Acpi, PointersLengthsAndChecksums) {
  const Image image = mv::acpi_x86({.vcpus = 3});
  EXPECT_EQ(image.gpa, mv::kAcpiTables);
  EXPECT_LE(image.gpa + image.bytes.size(), mv::kAcpiTablesEnd);
  EXPECT_EQ(text(image, image.gpa, 8), "RSD PTR ");
  EXPECT_EQ(sum(image, image.gpa, 20), 0u);
  EXPECT_EQ(sum(image, image.gpa, 36), 0u);
  const auto all = tables(image);
  for (const char* name : {"XSDT", "FACP", "APIC", "MCFG", "DSDT"}) {
    ASSERT_TRUE(all.count(name)) << name;
    EXPECT_EQ(text(image, all.at(name), 4), name);
    EXPECT_EQ(sum(image, all.at(name), get<uint32_t>(image, all.at(name) + 4)), 0u) << name;
  }
  EXPECT_EQ(text(image, all.at("FACS"), 4), "FACS");
  EXPECT_EQ(all.at("FACS") % 64, 0u);
}

TEST(Acpi, OneLocalApicPerVcpu) {
  for (unsigned vcpus : {1u, 4u, 16u}) {
    const Image image = mv::acpi_x86({.vcpus = vcpus});
    const uint64_t madt = tables(image).at("APIC");
    unsigned apics = 0;
    for (uint64_t at = madt + 44; at < madt + get<uint32_t>(image, madt + 4); at += get<uint8_t>(image, at + 1)) {
      if (get<uint8_t>(image, at) != 0) continue;
      EXPECT_EQ(get<uint8_t>(image, at + 3), apics);
      ++apics;
    }
    EXPECT_EQ(apics, vcpus);
  }
}

// ACPICA's disassembler and compiler, as an independent reader: the DSDT means what it was built to mean.
TEST(Acpi, AcpicaReadsTheDsdt) {
  const Image image = mv::acpi_x86({.vcpus = 2});
  const auto all = tables(image);
  char pattern[] = "/tmp/mv-acpi-XXXXXX";
  const std::filesystem::path dir = mkdtemp(pattern);
  for (const auto& [name, at] : all) {
    const uint32_t bytes = get<uint32_t>(image, at + 4);
    std::ofstream(dir / (name + ".aml"), std::ios::binary) << text(image, at, bytes);
    const std::string command = "cd " + dir.string() + " && iasl -d " + name + ".aml >" + name + ".log 2>&1";
    EXPECT_EQ(system(command.c_str()), 0) << command;
  }
  EXPECT_EQ(system(("cd " + dir.string() + " && iasl -oa -p again DSDT.dsl >again.log 2>&1").c_str()), 0) << "ACPICA compiles it again";
  std::stringstream dsl, log;
  dsl << std::ifstream(dir / "DSDT.dsl").rdbuf();
  log << std::ifstream(dir / "again.log").rdbuf();
  EXPECT_TRUE(log.str().find(" 0 Errors") != std::string::npos);
  EXPECT_TRUE(dsl.str().find("Name (_HID, EisaId (\"PNP0A08\")") != std::string::npos);
  EXPECT_TRUE(dsl.str().find("Name (_HID, EisaId (\"PNP0501\")") != std::string::npos);
  EXPECT_TRUE(dsl.str().find("Name (\\_S5, Package (0x04)") != std::string::npos);
  std::stringstream madt;
  madt << std::ifstream(dir / "APIC.dsl").rdbuf();
  EXPECT_TRUE(madt.str().find("Interrupt Source Override") != std::string::npos);
  std::filesystem::remove_all(dir);
}

TEST(Aml, LengthsOfAllSizes) {
  // PkgLength: one byte to 63, two to 4095, three beyond.
  for (size_t n : {0, 61, 62, 63, 4092, 4093, 4094, 70000}) {
    const mv::aml::Bytes b = mv::aml::scope("A", mv::aml::Bytes(n, 0xa3));
    const unsigned more = b[1] >> 6;
    size_t length = b[1] & (more ? 0xf : 0x3f);
    for (unsigned i = 0; i < more; ++i) length |= size_t{b[2 + i]} << (4 + 8 * i);
    EXPECT_EQ(length, b.size() - 1) << n;
  }
}

TEST(Aml, Names) {
  using mv::aml::Bytes;
  EXPECT_EQ(mv::aml::path("\\"), (Bytes{'\\', 0}));
  EXPECT_EQ(mv::aml::path("_SB"), (Bytes{'_', 'S', 'B', '_'}));
  EXPECT_EQ(mv::aml::path("\\AB.CD"), (Bytes{'\\', 0x2e, 'A', 'B', '_', '_', 'C', 'D', '_', '_'}));
  EXPECT_EQ(mv::aml::path("A.B.C").front(), 0x2f);
  EXPECT_THROW(mv::aml::path("TOOLONG"), std::invalid_argument);
  EXPECT_THROW(mv::aml::eisa_id("PNP05"), std::invalid_argument);
}

}  // namespace
