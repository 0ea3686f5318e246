// Runs a fuzz target without a fuzzer: over nothing, then over every file of the folders named on
// the command line, whole and cut short at every length up to 512.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

int main(int argc, char** argv) {
  LLVMFuzzerTestOneInput(nullptr, 0);
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    for (auto const& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::vector<char> const bytes{std::istreambuf_iterator<char>(in), {}};
      for (std::size_t n = 0; n <= std::min<std::size_t>(bytes.size(), 512); ++n) {
        // A copy of exactly that size, so that reading past its end is seen.
        std::vector<std::uint8_t> const input(bytes.begin(),
                                              bytes.begin() + static_cast<std::ptrdiff_t>(n));
        LLVMFuzzerTestOneInput(input.data(), input.size());
      }
      std::vector<std::uint8_t> const whole(bytes.begin(), bytes.end());
      LLVMFuzzerTestOneInput(whole.data(), whole.size());
      ++files;
    }
  }
  std::printf("replayed %d files\n", files);
}
