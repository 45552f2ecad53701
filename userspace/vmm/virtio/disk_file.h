// SPDX-License-Identifier: MIT
// A raw disk image: a file, or a block device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vmm/backend/fd.h"

namespace mv {

class DiskFile {
 public:
  static constexpr uint64_t kSector = 512;

  // Throws std::system_error, or std::invalid_argument for an image that is empty or no whole number of sectors.
  DiskFile(const std::string& path, bool read_only);

  uint64_t sectors() const { return sectors_; }
  bool read_only() const { return read_only_; }
  const std::string& path() const { return path_; }

  // Everything, or false: at `offset` bytes, into or out of the buffers in their order.
  bool read(uint64_t offset, std::vector<std::span<std::byte>> buffers);
  bool write(uint64_t offset, std::vector<std::span<std::byte>> buffers);
  bool flush();

 private:
  std::string path_;
  bool read_only_;
  Fd fd_;
  uint64_t sectors_ = 0;
};

}  // namespace mv
