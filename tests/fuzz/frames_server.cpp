// Fuzzes the frames that a server reads: any cut gives what a plain decoder gives.
#include "frames.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  hawser_fuzz::fuzz_frames(data, size, hawser::ws::role::server);
  return 0;
}
