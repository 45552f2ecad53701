// SPDX-License-Identifier: MIT
// Without libFuzzer: plays every file of a directory, each as it is, cut short at every length and with every byte inverted in turn.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kMostVariants = 512;

void play(const std::string& input) { LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size()); }

}  // namespace

int main(int argc, char** argv) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argc > 1 ? argv[1] : ".")) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::string input((std::istreambuf_iterator<char>(file)), {});
    play(input);
    for (size_t at = 0; at < input.size() && at < kMostVariants; ++at) {
      play(input.substr(0, at));
      input[at] = static_cast<char>(~input[at]);
      play(input);
      input[at] = static_cast<char>(~input[at]);
    }
    ++files;
  }
  std::printf("%zu files\n", files);
  return files ? 0 : 1;
}
