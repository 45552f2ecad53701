// SPDX-License-Identifier: MIT
// ACPI tables of the PC machine: RSDP, XSDT, FADT, FACS, MADT, MCFG and a DSDT with a PCI host bridge, a UART and S5.
#pragma once

#include <cstdint>
#include <vector>

#include "vmm/backend/backend.h"

namespace mv {

// Below the BIOS area's end, where operating systems also search for it.
constexpr uint64_t kAcpiTables = 0xe0000;
constexpr uint64_t kAcpiTablesEnd = 0x100000;

struct AcpiConfig {
  unsigned vcpus = 1;
};

// The tables; the RSDP is their first bytes.
Image acpi_x86(const AcpiConfig& config);

}  // namespace mv
