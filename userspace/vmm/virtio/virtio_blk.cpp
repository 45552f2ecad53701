// SPDX-License-Identifier: MIT
#include "vmm/virtio/virtio_blk.h"

#include <algorithm>
#include <cstring>

namespace mv {

namespace {

// struct virtio_blk_config: capacity, size_max, seg_max, geometry, blk_size
constexpr size_t kSegMax = 12, kBlkSize = 20;

template <size_t N>
void put(std::array<uint8_t, N>& to, size_t at, uint64_t v, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) to.at(at + i) = static_cast<uint8_t>(v >> (8 * i));
}

}  // namespace

VirtioBlk::VirtioBlk(std::shared_ptr<DiskFile> file, const std::string& identity) : file_(std::move(file)) {
  put(config_, 0, file_->sectors(), 8);
  put(config_, kSegMax, queue_size() - 2u, 4);  // a header and a status besides
  put(config_, kBlkSize, DiskFile::kSector, 4);
  std::memcpy(identity_.data(), identity.data(), std::min(identity.size(), identity_.size()));
}

// Header in front, status in the last byte, wherever the driver has cut its buffers (section 2.7.4.1).
bool VirtioBlk::parse(Request& r) {
  std::array<std::byte, kHeader> header;
  if (r.chain.writable.empty() || r.chain.take(header) != header.size()) return false;
  std::memcpy(&r.type, header.data(), 4);
  std::memcpy(&r.sector, header.data() + 8, 8);
  VirtqChain::Buffer& last = r.chain.writable.back();
  r.status = &last.back();
  last = last.first(last.size() - 1);
  if (last.empty()) r.chain.writable.pop_back();
  return true;
}

VirtioBlk::Status VirtioBlk::transfer(Request& r) {
  const bool in = r.type == IN;
  auto& buffers = in ? r.chain.writable : r.chain.readable;
  const uint64_t bytes = VirtqChain::bytes(buffers), sectors = bytes / DiskFile::kSector;
  if (bytes % DiskFile::kSector || r.sector > file_->sectors() || sectors > file_->sectors() - r.sector) return IOERR;
  if (!in && file_->read_only()) return IOERR;
  const uint64_t offset = r.sector * DiskFile::kSector;
  if (!(in ? file_->read(offset, buffers) : file_->write(offset, buffers))) return IOERR;
  if (in) r.written = static_cast<uint32_t>(bytes);
  return OK;
}

VirtioBlk::Status VirtioBlk::tell_identity(Request& r) {
  if (VirtqChain::bytes(r.chain.writable) < kIdentity) return IOERR;
  r.written = static_cast<uint32_t>(r.chain.give(identity_));
  return OK;
}

VirtioBlk::Status VirtioBlk::carry_out(Request& r) {
  switch (r.type) {
    case IN:
    case OUT:
      return transfer(r);
    case FLUSH:
      return file_->flush() ? OK : IOERR;
    case GET_ID:
      return tell_identity(r);
    default:
      return UNSUPP;
  }
}

// All that is there is taken, carried out without the lock, and given back together, until nothing new has come.
void VirtioBlk::notify(unsigned queue, std::unique_lock<std::mutex>& lock) {
  Virtqueue& ring = host().queue(queue);
  while (host().live()) {
    std::vector<Request> requests;
    bool sound = true;
    while (sound && requests.size() < ring.size()) {
      auto chain = ring.pop();
      if (!chain) break;
      requests.push_back({.chain = std::move(*chain)});
      sound = parse(requests.back());
    }
    if (!sound) return host().needs_reset();
    if (requests.empty()) break;
    {
      VirtioBusy busy(host(), lock);
      for (Request& r : requests) *r.status = static_cast<std::byte>(carry_out(r));
    }
    if (!host().live()) return;
    for (const Request& r : requests) ring.push(r.chain.head, r.written + 1);
    host().pushed(queue);
  }
  host().pushed(queue);
}

}  // namespace mv
