// SPDX-License-Identifier: MIT
// The result of a system call as a test compares and prints it: EXPECT_EQ(vm.start(), fails(EPERM)).
#pragma once

#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <ostream>

namespace mv::glue {

// The call's value, or minus errno.
struct Result {
  int value = 0;
  friend bool operator==(const Result&, const Result&) = default;
  friend void PrintTo(const Result& r, std::ostream* out) {
    if (r.value < 0) {
      *out << "-" << (::strerrorname_np(-r.value) ? ::strerrorname_np(-r.value) : "?");
    } else {
      *out << r.value;
    }
  }
};

inline constexpr Result ok{};
constexpr Result fails(int error) { return {-error}; }

inline Result result(long r) { return {r < 0 ? -errno : static_cast<int>(r)}; }

template <typename... Argument>
Result call(int fd, unsigned long number, Argument... argument) {
  return result(::ioctl(fd, number, argument...));
}

}  // namespace mv::glue
