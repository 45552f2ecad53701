// SPDX-License-Identifier: MIT
// QEMU's firmware configuration device, by which firmware learns of the machine: numbered items of bytes, and a directory of
// those that have names.  Source: docs/specs/fw_cfg.rst of QEMU; ports 0x510 (selector), 0x511 (data), 0x514 (DMA, big endian).
// Read-only but for files made to be written, into which the firmware puts what it allocated.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "vmm/devices/device.h"
#include "vmm/virtio/guest_ram.h"

namespace mv {

class FwCfg : public Device {
 public:
  static constexpr uint64_t kBase = 0x510, kPorts = 12;
  enum Port : uint64_t { SELECTOR = 0, DATA = 1, DMA_HIGH = 4, DMA_LOW = 8 };
  enum Item : uint16_t { SIGNATURE = 0x00, ID = 0x01, NOGRAPHIC = 0x04, VCPUS = 0x05, BOOT_MENU = 0x0e, MOST_VCPUS = 0x0f, DIRECTORY = 0x19, FIRST_FILE = 0x20 };
  enum Dma : uint32_t { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
  static constexpr size_t kMostFiles = 64, kNameBytes = 56;

  using Bytes = std::vector<uint8_t>;

  explicit FwCfg(GuestRam ram);

  void add(uint16_t item, Bytes bytes) { items_[item] = {std::move(bytes), {}}; }
  void add16(uint16_t item, uint16_t value) { add(item, {static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8)}); }
  // Throws std::length_error if the name or the directory is too long.
  void add_file(const std::string& name, Bytes bytes);
  // Before the bytes of any of these files are read, all are made anew; their sizes never change.
  void refresh(std::function<void()> make) { make_ = std::move(make); }
  void replace_file(const std::string& name, Bytes bytes) { items_.at(files_.at(name)).bytes = std::move(bytes); }

  std::string_view name() const override { return "fw-cfg"; }
  uint64_t read(uint64_t offset, unsigned size) override;
  void write(uint64_t offset, unsigned size, uint64_t value) override;

 private:
  struct Entry {
    Bytes bytes;
    std::string name;
  };
  void select(uint16_t item);
  uint8_t next();
  void dma(uint64_t gpa);
  bool transfer(uint32_t control, uint64_t gpa, uint32_t length);
  Bytes directory() const;

  GuestRam ram_;
  std::map<uint16_t, Entry> items_;
  std::map<std::string, uint16_t> files_;
  std::function<void()> make_;
  uint16_t selected_ = 0;
  size_t position_ = 0;
  uint64_t dma_high_ = 0;
};

}  // namespace mv
