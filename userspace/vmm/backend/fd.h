// SPDX-License-Identifier: MIT
// RAII for file descriptors and mappings, and calls that must succeed.
#pragma once

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace mv {

[[noreturn]] inline void throw_errno(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept {
    if (this != &o) {
      reset();
      fd_ = std::exchange(o.fd_, -1);
    }
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

class Mapping {
 public:
  Mapping() = default;
  // Throws std::system_error.
  Mapping(size_t size, int protection, int flags, int fd, uint64_t offset, const char* what) : size_(size) {
    address_ = ::mmap(nullptr, size, protection, flags, fd, static_cast<off_t>(offset));
    if (address_ == MAP_FAILED) throw_errno(what);
  }
  Mapping(Mapping&& o) noexcept : address_(std::exchange(o.address_, MAP_FAILED)), size_(o.size_) {}
  Mapping& operator=(Mapping&& o) noexcept {
    if (this != &o) {
      reset();
      address_ = std::exchange(o.address_, MAP_FAILED);
      size_ = o.size_;
    }
    return *this;
  }
  ~Mapping() { reset(); }

  template <typename T = std::byte>
  T* as() const {
    return static_cast<T*>(address_);
  }
  size_t size() const { return size_; }
  explicit operator bool() const { return address_ != MAP_FAILED; }
  void reset() {
    if (address_ != MAP_FAILED) ::munmap(address_, size_);
    address_ = MAP_FAILED;
  }

 private:
  void* address_ = MAP_FAILED;
  size_t size_ = 0;
};

// The call's result; throws std::system_error naming it if it is negative.
template <typename... Argument>
int must_ioctl(const char* what, int fd, unsigned long number, Argument... argument) {
  const int r = ::ioctl(fd, number, argument...);
  if (r < 0) throw_errno(what);
  return r;
}

}  // namespace mv
