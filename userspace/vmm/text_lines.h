// SPDX-License-Identifier: MIT
// Files that people write: one thing in each line; # begins a comment.
#pragma once

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace mv {

inline std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

struct TextLine {
  std::string text;   // neither empty nor with spaces at its ends
  std::string where;  // "FILE:NUMBER"
};

// Throws std::invalid_argument, whose text begins with `what`, if the file cannot be read.
inline std::vector<TextLine> text_lines(const std::string& what, const std::string& file) {
  std::ifstream in(file);
  if (!in) throw std::invalid_argument(what + file + " cannot be read");
  std::vector<TextLine> lines;
  unsigned number = 0;
  for (std::string text; std::getline(in, text);) {
    ++number;
    text = trimmed(text.substr(0, text.find('#')));
    if (!text.empty()) lines.push_back({text, file + ":" + std::to_string(number)});
  }
  return lines;
}

}  // namespace mv
