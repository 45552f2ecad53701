// SPDX-License-Identifier: MIT
// How firmware is told where to put ACPI tables: three fw_cfg files and a script of allocations, pointers and checksums.
// Source: QEMU's hw/acpi/bios-linker-loader.c describes the format; 128 bytes a command, little endian.
#pragma once

#include "vmm/devices/fw_cfg.h"
#include "vmm/machine/acpi_x86.h"

namespace mv {

constexpr const char* kTablesFile = "etc/acpi/tables";
constexpr const char* kRsdpFile = "etc/acpi/rsdp";
constexpr const char* kLoaderFile = "etc/table-loader";

struct LoaderFiles {
  FwCfg::Bytes tables, rsdp, script;
};

// tables: made for base 0.
LoaderFiles table_loader(const AcpiTables& tables);

}  // namespace mv
