// SPDX-License-Identifier: MIT
#include "vmm/virtio/disk_file.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace mv {

DiskFile::DiskFile(const std::string& path, bool read_only)
    : path_(path), read_only_(read_only), fd_(::open(path.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC)) {
  if (!fd_) throw_errno("cannot open the disk image " + path);
  const off_t bytes = ::lseek(fd_.get(), 0, SEEK_END);
  if (bytes < 0) throw_errno("cannot tell the size of the disk image " + path);
  if (bytes == 0 || static_cast<uint64_t>(bytes) % kSector) {
    throw std::invalid_argument("the disk image " + path + " is no whole number of 512-byte sectors: make one with truncate -s 64M");
  }
  sectors_ = static_cast<uint64_t>(bytes) / kSector;
}

// Calls may do less than they were asked; the rest is asked for again.
static bool whole(uint64_t offset, std::vector<std::span<std::byte>>& buffers, auto call) {
  constexpr size_t kMost = 256;  // buffers in one call
  size_t first = 0;
  while (first < buffers.size()) {
    iovec parts[kMost];
    const size_t n = std::min(kMost, buffers.size() - first);
    for (size_t i = 0; i < n; ++i) parts[i] = {buffers[first + i].data(), buffers[first + i].size()};
    ssize_t done = call(parts, static_cast<int>(n), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    offset += static_cast<uint64_t>(done);
    while (first < buffers.size() && static_cast<size_t>(done) >= buffers[first].size()) done -= static_cast<ssize_t>(buffers[first++].size());
    if (done) buffers[first] = buffers[first].subspan(static_cast<size_t>(done));
  }
  return true;
}

bool DiskFile::read(uint64_t offset, std::vector<std::span<std::byte>> buffers) {
  return whole(offset, buffers, [&](const iovec* parts, int n, off_t at) { return ::preadv(fd_.get(), parts, n, at); });
}

bool DiskFile::write(uint64_t offset, std::vector<std::span<std::byte>> buffers) {
  return whole(offset, buffers, [&](const iovec* parts, int n, off_t at) { return ::pwritev(fd_.get(), parts, n, at); });
}

bool DiskFile::flush() { return ::fdatasync(fd_.get()) == 0; }

}  // namespace mv
