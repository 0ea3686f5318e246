// Inflates arbitrary bytes under a limit, in one piece and in many, and round-trips them as text.
#include <hawser/codec/ws/deflate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <system_error>

namespace {

using hawser::byte_buffer;
using hawser::bytes_view;
using hawser::ws::deflater;
using hawser::ws::inflater;

void require(bool condition) {
  if (!condition) std::abort();
}

std::error_code inflate(inflater& in, bytes_view payload, std::size_t piece, byte_buffer& out,
                        std::size_t limit) {
  while (!payload.empty()) {
    std::size_t const size = std::min(piece, payload.size());
    if (auto const error = in.append(payload.first(size), out, limit)) return error;
    payload = payload.subspan(size);
  }
  return in.finish(out, limit);
}

bool same(bytes_view a, bytes_view b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 4) return 0;
  int const bits = 9 + data[0] % 7;
  std::size_t const piece = 1 + data[1];
  std::size_t const limit = std::size_t{data[2]} << (data[3] % 12);
  bool const keep = (data[3] & 0x80) != 0;
  bytes_view const input(reinterpret_cast<std::byte const*>(data) + 4, size - 4);

  inflater whole(bits);
  inflater pieces(bits);
  for (int round = 0; round < 2; ++round) {
    byte_buffer a;
    byte_buffer b;
    auto const first = inflate(whole, input, input.size(), a, limit);
    auto const second = inflate(pieces, input, piece, b, limit);
    require(a.size() <= limit && b.size() <= limit);
    require(a.capacity() <= 2 * limit + 512);
    // References beyond a smaller window are refused only when their target is gone.
    if (bits == 15) require(first == second && same(a.view(), b.view()));
    if (!keep) {
      whole.reset();
      pieces.reset();
    }
  }

  deflater de(bits, 1 + data[1] % 9, 1 + data[2] % 9);
  whole.reset();
  for (int round = 0; round < 3; ++round) {
    byte_buffer payload;
    byte_buffer text;
    require(!de.compress(input, payload, keep));
    require(!payload.empty());
    require(!inflate(whole, payload.view(), piece, text, input.size()));
    require(same(text.view(), input));
    if (!keep) whole.reset();
  }
  return 0;
}
