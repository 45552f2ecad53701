// SPDX-License-Identifier: MIT
#include "vmm/machine/file.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace mv {

std::vector<std::byte> read_file(std::string_view option, const std::string& file, uint64_t most) {
  const auto cannot = [&] { return std::system_error(errno, std::generic_category(), fmt::format("{}: cannot read {}", option, file)); };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "rb"), std::fclose);
  if (!stream) throw cannot();
  std::vector<std::byte> bytes;
  std::array<std::byte, 65536> part;
  while (const size_t n = std::fread(part.data(), 1, part.size(), stream.get())) {
    if (n > most - bytes.size()) throw std::invalid_argument(fmt::format("{}: {} is larger than guest memory, which is {:#x} bytes", option, file, most));
    bytes.insert(bytes.end(), part.begin(), part.begin() + n);
  }
  // a directory opens, and only then refuses
  if (std::ferror(stream.get())) throw cannot();
  if (bytes.empty()) throw std::invalid_argument(fmt::format("{}: {} is empty", option, file));
  return bytes;
}

}  // namespace mv
