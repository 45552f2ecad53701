// SPDX-License-Identifier: MIT
#include "vmm/machine/table_loader.h"

#include <cstring>
#include <string_view>

namespace mv {

namespace {

constexpr size_t kCommand = 128, kName = 56;
enum Command : uint32_t { ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3 };
enum Zone : uint8_t { ZONE_HIGH = 1, ZONE_FSEG = 2 };

class Script {
 public:
  void allocate(std::string_view file, uint32_t alignment, Zone zone) {
    begin(ALLOCATE);
    name(file);
    number(alignment, 4);
    number(zone, 1);
  }
  // The number at `at` in `in` is an offset in `to`, and becomes an address.
  void pointer(std::string_view in, std::string_view to, size_t at, unsigned size) {
    begin(ADD_POINTER);
    name(in);
    name(to);
    number(at, 4);
    number(size, 1);
  }
  void checksum(std::string_view file, size_t at, size_t start, size_t length) {
    begin(ADD_CHECKSUM);
    name(file);
    number(at, 4);
    number(start, 4);
    number(length, 4);
  }
  FwCfg::Bytes done() {
    bytes_.resize(end_);
    return std::move(bytes_);
  }

 private:
  void begin(Command c) {
    bytes_.resize(end_);
    end_ += kCommand;
    number(c, 4);
  }
  void name(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    bytes_.resize(bytes_.size() + kName - text.size());
  }
  void number(uint64_t v, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) bytes_.push_back(static_cast<uint8_t>(v >> (8 * i)));
  }

  FwCfg::Bytes bytes_;
  size_t end_ = 0;
};

}  // namespace

// The RSDP is a file of its own: it has to lie below 1 MiB.  A checksum that will be computed starts from zero: firmware sums up
// what it finds.
LoaderFiles table_loader(const AcpiTables& t) {
  FwCfg::Bytes all = t.bytes;
  Script script;
  script.allocate(kRsdpFile, 16, ZONE_FSEG);
  script.allocate(kTablesFile, 64, ZONE_HIGH);
  const auto in_rsdp = [](size_t at) { return at < AcpiTables::kTables; };
  for (const auto& p : t.pointers) {
    uint64_t address = 0;
    std::memcpy(&address, all.data() + p.at, p.size);
    address -= AcpiTables::kTables;
    std::memcpy(all.data() + p.at, &address, p.size);
    script.pointer(in_rsdp(p.at) ? kRsdpFile : kTablesFile, kTablesFile, in_rsdp(p.at) ? p.at : p.at - AcpiTables::kTables, p.size);
  }
  for (const auto& c : t.checksums) {
    all[c.at] = 0;
    const size_t shift = in_rsdp(c.at) ? 0 : AcpiTables::kTables;
    script.checksum(in_rsdp(c.at) ? kRsdpFile : kTablesFile, c.at - shift, c.start - shift, c.length);
  }
  const auto split = all.begin() + static_cast<ptrdiff_t>(AcpiTables::kTables);
  return {{split, all.end()}, {all.begin(), all.begin() + static_cast<ptrdiff_t>(AcpiTables::kRsdpSize)}, script.done()};
}

}  // namespace mv
