// Views of bytes, and big-endian integers as the wire has them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

using bytes_view = std::span<std::byte const>;
using mutable_bytes = std::span<std::byte>;

/// The bytes of a text, not copied.
inline bytes_view as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<std::byte const*>(text.data()), text.size()};
}

/// The text of some bytes, neither copied nor checked.
inline std::string_view as_text(bytes_view bytes) noexcept {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

namespace codec {

template <class Unsigned>
constexpr Unsigned byte_swapped(Unsigned value) noexcept {
  static_assert(std::is_unsigned_v<Unsigned>);
  Unsigned swapped = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    swapped = static_cast<Unsigned>((swapped << 8) | ((value >> (8 * i)) & 0xff));
  }
  return swapped;
}

/// Reads an unsigned integer in network byte order; `from` needs no alignment.
template <class Unsigned>
Unsigned load_big(std::byte const* from) noexcept {
  Unsigned value;
  std::memcpy(&value, from, sizeof value);
  return std::endian::native == std::endian::big ? value : byte_swapped(value);
}

/// Writes an unsigned integer in network byte order; `to` needs no alignment.
template <class Unsigned>
void store_big(std::byte* to, Unsigned value) noexcept {
  if constexpr (std::endian::native != std::endian::big) value = byte_swapped(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace codec
}  // namespace hawser::inline HAWSER_ABI
