// What the fuzz targets of whole servers and clients share: input as decisions, frames to send.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>

#include <asio/error.hpp>

#include <hawser/codec/ws/frame.hpp>
#include <hawser/testing/memory_network.hpp>

namespace hawser_fuzz {

/// Says where, since everything is inlined here.
inline void require(bool holds, std::source_location at = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: broken promise\n", at.file_name(), static_cast<unsigned>(at.line()));
  std::abort();
}

/// The input, taken piece by piece; zeros when it is used up.
class script {
 public:
  script(std::uint8_t const* data, std::size_t size)
      : rest_(reinterpret_cast<char const*>(data), size) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    auto const taken = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return taken;
  }
  std::string_view bytes() {
    std::size_t const wanted = byte();
    std::string_view const taken = rest_.substr(0, wanted);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

/// Times from nothing to a minute.
inline std::chrono::milliseconds time_of(std::uint8_t code) {
  static constexpr int table[] = {0, 1, 7, 100, 600, 1'100, 5'200, 10'100, 31'000, 61'000};
  return std::chrono::milliseconds(table[code % std::size(table)]);
}

inline std::error_code fault_of(std::uint8_t code) {
  switch (code % 5) {
    case 0: return hawser::would_block();
    case 1: return make_error_code(asio::error::connection_reset);
    case 2: return make_error_code(asio::error::eof);
    case 3: return make_error_code(asio::error::no_descriptors);
    default: return make_error_code(asio::error::broken_pipe);
  }
}

inline hawser::memory_link link_of(std::uint8_t code) {
  hawser::memory_link made;
  if ((code & 1) != 0) made.latency = std::chrono::milliseconds(20);
  if ((code & 2) != 0) made.bandwidth = 10'000;
  if ((code & 4) != 0) made.buffer = 64;
  if ((code & 8) != 0) made.max_read = 1;
  if ((code & 16) != 0) made.max_write = 3;
  return made;
}

/// A frame as the fuzzer wants it; `first` has FIN, RSV and opcode.
inline std::string frame(std::uint8_t first, std::string_view payload, bool masked) {
  namespace ws = hawser::ws;
  std::array<std::byte, ws::max_header_size> head;
  hawser::ws::mask_key const key{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  std::size_t const size =
      masked ? ws::write_header(head.data(), ws::opcode::binary, payload.size(), key)
             : ws::write_header(head.data(), ws::opcode::binary, payload.size());
  head[0] = std::byte{first};
  std::string made(hawser::as_text({head.data(), size}));
  made += payload;
  auto* const at = reinterpret_cast<std::byte*>(made.data()) + size;
  if (masked) ws::apply_mask({at, payload.size()}, key);
  return made;
}

}  // namespace hawser_fuzz
