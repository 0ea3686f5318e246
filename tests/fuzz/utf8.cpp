// Compares the incremental UTF-8 check, at every split the input names, with a plain decoder.
#include <hawser/codec/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

/// 1: valid; 0: cut short; -1: lost.
int reference(std::uint8_t const* p, std::size_t n) {
  static constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  for (std::size_t i = 0; i < n;) {
    std::uint8_t const lead = p[i++];
    if (lead < 0x80) continue;
    int const more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4) return -1;
    std::uint32_t low = lead & (0x3fu >> more), high = low;
    for (int k = more - 1; k >= 0; --k) {
      bool const given = i < n;
      if (given && (p[i] & 0xc0) != 0x80) return -1;
      low = (low << 6) | (given ? p[i] & 0x3fu : 0);
      high = (high << 6) | (given ? p[i] & 0x3fu : 0x3f);
      i += given;
      if (given && k > 0) continue;
      // Some code point in [low, high] completed by the missing bytes must be a valid one.
      for (int rest = k; rest > 0; --rest) low <<= 6, high = (high << 6) | 0x3f;
      if (high < least[more] || low > 0x10ffff || (low >= 0xd800 && high <= 0xdfff)) return -1;
      if (!given) return 0;
    }
  }
  return 1;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::size_t const step = 1 + data[0] % 96;
  ++data;
  --size;
  hawser::bytes_view const text(reinterpret_cast<std::byte const*>(data), size);
  int const expected = reference(data, size);
  require(hawser::codec::is_utf8(text) == (expected == 1));
  hawser::codec::utf8_validator validator;
  for (std::size_t at = 0; at < size; at += step) {
    std::size_t const piece = std::min(step, size - at);
    bool const good = validator.feed(text.subspan(at, piece));
    require(good == (reference(data, at + piece) >= 0));
  }
  require(validator.complete() == (expected == 1));
  return 0;
}
