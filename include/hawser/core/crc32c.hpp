// CRC-32C, which tells bytes that were damaged by accident, though not those changed on purpose.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <hawser/core/bytes.hpp>

namespace hawser::inline HAWSER_ABI {
namespace codec {

/// The remainders of all bytes with 0 to 7 zero bytes behind them; the polynomial of Castagnoli
/// (RFC 3720, 12.1), bits reversed.
inline constexpr auto crc32c_tables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t rest = i;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0x82f63b78u : 0);
    tables[0][i] = rest;
  }
  for (std::size_t zeros = 1; zeros < 8; ++zeros) {
    for (std::size_t i = 0; i < 256; ++i) {
      std::uint32_t const rest = tables[zeros - 1][i];
      tables[zeros][i] = (rest >> 8) ^ tables[0][rest & 0xff];
    }
  }
  return tables;
}();

/// The CRC-32C of some bytes, or of what has the CRC-32C `before` and them behind it. Any change of
/// up to 32 bits in a row changes it.
constexpr std::uint32_t crc32c(bytes_view bytes, std::uint32_t before = 0) noexcept {
  auto const& tables = crc32c_tables;
  auto const at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
  std::uint32_t rest = ~before;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    rest ^= at(0) | at(1) << 8 | at(2) << 16 | at(3) << 24;
    rest = tables[7][rest & 0xff] ^ tables[6][rest >> 8 & 0xff] ^ tables[5][rest >> 16 & 0xff] ^
           tables[4][rest >> 24] ^ tables[3][at(4)] ^ tables[2][at(5)] ^ tables[1][at(6)] ^
           tables[0][at(7)];
  }
  for (std::byte const each : bytes) {
    rest = (rest >> 8) ^ tables[0][(rest ^ std::to_integer<std::uint32_t>(each)) & 0xff];
  }
  return ~rest;
}

}  // namespace codec
}  // namespace hawser::inline HAWSER_ABI
