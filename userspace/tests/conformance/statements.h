// SPDX-License-Identifier: MIT
// Statements about the drivers that are true of the core alone: the same guests on inproc and behind the driver.  A case
// named StatementN_X counts for statement N in the table that harness/run prints.
#pragma once

#include "conformance.h"

namespace mv::test {

inline Image image(uint64_t gpa, std::span<const std::byte> bytes) { return {.gpa = gpa, .bytes = {bytes.begin(), bytes.end()}}; }

// Calls back for each access.
class Probe : public Device {
 public:
  using Write = std::function<void(uint64_t offset, uint64_t value)>;
  using Read = std::function<uint64_t(uint64_t offset)>;
  explicit Probe(Write write, Read read = [](uint64_t) { return uint64_t{0}; }) : write_(std::move(write)), read_(std::move(read)) {}
  std::string_view name() const override { return "probe"; }
  uint64_t read(uint64_t offset, unsigned) override { return read_(offset); }
  void write(uint64_t offset, unsigned, uint64_t value) override { write_(offset, value); }

 private:
  Write write_;
  Read read_;
};

// The values of all writes to an address, in order.
inline std::vector<uint64_t> written(const Bench& b, Space space, uint64_t address) {
  std::vector<uint64_t> out;
  for (const Access& a : b.accesses()) {
    if (a.space == space && a.address == address && a.direction == Direction::write) out.push_back(a.data);
  }
  return out;
}

}  // namespace mv::test
