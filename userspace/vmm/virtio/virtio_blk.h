// SPDX-License-Identifier: MIT
// virtio block device: read, write, flush, identity.  VIRTIO 1.2, section 5.2.
#pragma once

#include <array>
#include <memory>

#include "vmm/virtio/disk_file.h"
#include "vmm/virtio/virtio_device.h"

namespace mv {

class VirtioBlk : public VirtioDevice {
 public:
  enum Feature : uint64_t { F_SEG_MAX = 1 << 2, F_RO = 1 << 5, F_BLK_SIZE = 1 << 6, F_FLUSH = 1 << 9 };
  enum Type : uint32_t { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8 };
  enum Status : uint8_t { OK = 0, IOERR = 1, UNSUPP = 2 };
  static constexpr size_t kHeader = 16, kIdentity = 20;

  // identity: up to 20 characters, what the guest sees as the serial number.
  VirtioBlk(std::shared_ptr<DiskFile> file, const std::string& identity);

  std::string_view name() const override { return "virtio-blk"; }
  uint16_t type() const override { return 2; }
  uint32_t pci_class() const override { return 0x018000; }
  uint64_t features() const override { return F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (file_->read_only() ? uint64_t{F_RO} : 0); }
  unsigned queues() const override { return 1; }
  std::span<const uint8_t> config() const override { return config_; }
  void notify(unsigned queue, std::unique_lock<std::mutex>& lock) override;

 private:
  struct Request {
    VirtqChain chain;
    uint32_t type = 0;
    uint64_t sector = 0;
    std::byte* status = nullptr;
    uint32_t written = 0;
  };
  static bool parse(Request& r);
  Status carry_out(Request& r);
  Status transfer(Request& r);
  Status tell_identity(Request& r);

  std::shared_ptr<DiskFile> file_;
  std::array<std::byte, kIdentity> identity_{};
  std::array<uint8_t, 24> config_{};
};

}  // namespace mv
