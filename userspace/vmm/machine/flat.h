// SPDX-License-Identifier: MIT
// --flat FILE@ADDR: raw bytes at a guest-physical address.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vmm/backend/backend.h"

namespace mv {

struct FlatSpec {
  std::string file;
  uint64_t gpa = 0;
};

// "FILE@ADDR" with ADDR in C notation (0x.., 0.., decimal).  Throws std::invalid_argument with the valid form.
FlatSpec parse_flat(std::string_view text);
// Bytes with an optional suffix k, m or g.  Throws std::invalid_argument with the valid form.
uint64_t parse_size(std::string_view text, std::string_view option = "--memory");
// Reads the file, of at most so many bytes.  Throws as read_file() does.
Image read_flat(const FlatSpec& spec, uint64_t most = UINT64_MAX);
// Throws std::invalid_argument if an image lies outside [base, base + bytes) or two overlap, naming the files.
void check_images(const std::vector<FlatSpec>& specs, const std::vector<Image>& images, uint64_t base, uint64_t bytes);

}  // namespace mv
