// SPDX-License-Identifier: MIT
// A small builder of ACPI machine language: the few terms that this VMM's DSDT needs.  ACPI 6.5, chapter 20.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mv::aml {

using Bytes = std::vector<uint8_t>;

Bytes operator+(Bytes a, const Bytes& b);

// A name path: "\\_SB_", "PCI0", "\\_SB_.PCI0"; each segment four characters.
Bytes path(std::string_view name);
Bytes integer(uint64_t v);
Bytes string(std::string_view text);
// EISA identifier such as "PNP0A08", compressed to 32 bits (ACPI 6.5, section 19.3.4).
Bytes eisa_id(std::string_view id);
Bytes package(std::initializer_list<Bytes> elements);
Bytes package(std::span<const Bytes> elements);
Bytes buffer(const Bytes& content);

Bytes name(std::string_view path, const Bytes& value);
Bytes scope(std::string_view path, const Bytes& content);
Bytes device(std::string_view path, const Bytes& content);

// Resource descriptors (section 6.4), to be joined and closed by resources().
Bytes io(uint16_t first, uint8_t length);
Bytes irq(uint8_t line);
Bytes bus_numbers(uint16_t first, uint16_t last);
Bytes io_window(uint16_t first, uint16_t last);
Bytes memory_window(uint32_t first, uint32_t last);
Bytes resources(const Bytes& descriptors);

}  // namespace mv::aml
