// SPDX-License-Identifier: MIT
// ACPI tables of the PC machine: RSDP, XSDT, FADT, FACS, MADT, MCFG and a DSDT with a PCI host bridge, a UART and S5.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "vmm/backend/backend.h"

namespace mv {

// Below the BIOS area's end, where operating systems also search for it.
constexpr uint64_t kAcpiTables = 0xe0000;
constexpr uint64_t kAcpiTablesEnd = 0x100000;

constexpr uint64_t kPmTimerPort = 0x408;  // where the PC has it without firmware

struct AcpiConfig {
  unsigned vcpus = 1;
  uint64_t ecam = 0xe0000000;   // 256 MiB
  uint16_t pm_base = 0x400;     // PM1 event block; control is 4 ports on
  uint64_t pm_timer = 0;        // port, 0: the tables do not tell
  // PCI memory windows, first and last byte
  std::vector<std::pair<uint32_t, uint32_t>> windows = {{0x80000000, 0xcfffffff}};
};

// Tables that lie one behind the other from an address on; the RSDP is the first bytes.
struct AcpiTables {
  static constexpr size_t kRsdpSize = 36, kTables = 64;  // the others begin at kTables
  struct Pointer {
    size_t at;
    unsigned size;  // bytes
  };
  struct Checksum {
    size_t at, start, length;
  };
  std::vector<uint8_t> bytes;
  std::vector<Pointer> pointers;    // addresses, wherever they are
  std::vector<Checksum> checksums;  // of what holds addresses
};
AcpiTables acpi_tables(const AcpiConfig& config, uint64_t base);

// The tables at kAcpiTables.
Image acpi_x86(const AcpiConfig& config);

}  // namespace mv
