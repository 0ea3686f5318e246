// Base64 (RFC 4648 section 4), strict in what it reads, and base64url (section 5) for identifiers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/core/buffer.hpp>
#include <hawser/core/bytes.hpp>

namespace hawser::inline HAWSER_ABI {
namespace codec {

inline constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Characters that `size` bytes take as base64, padding included.
constexpr std::size_t base64_size(std::size_t size) noexcept { return (size + 2) / 3 * 4; }

/// Writes base64 of one of the two alphabets, without line breaks; at most `base64_size`
/// characters. Returns the end of what was written.
inline char* base64_write(char* out, bytes_view bytes, std::string_view alphabet,
                          bool padded) noexcept {
  char const* const digits = alphabet.data();
  std::byte const* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3; left -= 3, at += 3) {
    std::uint32_t const group = std::to_integer<std::uint32_t>(at[0]) << 16 |
                                std::to_integer<std::uint32_t>(at[1]) << 8 |
                                std::to_integer<std::uint32_t>(at[2]);
    *out++ = digits[group >> 18];
    *out++ = digits[(group >> 12) & 63];
    *out++ = digits[(group >> 6) & 63];
    *out++ = digits[group & 63];
  }
  if (left == 0) return out;
  std::uint32_t group = std::to_integer<std::uint32_t>(at[0]) << 16;
  if (left > 1) group |= std::to_integer<std::uint32_t>(at[1]) << 8;
  *out++ = digits[group >> 18];
  *out++ = digits[(group >> 12) & 63];
  if (left > 1) *out++ = digits[(group >> 6) & 63];
  if (padded) {
    if (left == 1) *out++ = '=';
    *out++ = '=';
  }
  return out;
}

/// With padding, without line breaks.
inline std::string base64_encode(bytes_view bytes) {
  std::string text(base64_size(bytes.size()), '\0');
  base64_write(text.data(), bytes, base64_alphabet, true);
  return text;
}

/// `base64_encode` behind what is in the buffer already.
inline void base64_append(byte_buffer& out, bytes_view bytes) {
  std::size_t const size = base64_size(bytes.size());
  base64_write(reinterpret_cast<char*>(out.prepare(size).data()), bytes, base64_alphabet, true);
  out.commit(size);
}

/// For identifiers in URLs: without padding.
inline std::string base64url_encode(bytes_view bytes) {
  std::string text(base64_size(bytes.size()), '\0');
  char* const end = base64_write(text.data(), bytes, base64url_alphabet, false);
  text.resize(static_cast<std::size_t>(end - text.data()));
  return text;
}

/// Reads what `base64_encode` writes and nothing else: no white space, no missing padding, no bits
/// set that are thrown away; so every value has one text. Writes at most 3/4 of the text's size to
/// `out`, which may be where the text is, and returns how much; on nothing, `out` holds no sense.
inline std::optional<std::size_t> base64_read(std::string_view text, char* out) noexcept {
  static constexpr std::array<std::int8_t, 256> values = [] {
    std::array<std::int8_t, 256> table{};
    for (auto& entry : table) entry = -1;
    for (std::size_t i = 0; i < base64_alphabet.size(); ++i) {
      table[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::int8_t>(i);
    }
    return table;
  }();
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.size() > padding && text[text.size() - 1 - padding] == '=') ++padding;
  auto const digit = [](char c) { return int{values[static_cast<unsigned char>(c)]}; };
  char const* at = text.data();
  char* const begin = out;
  for (std::size_t left = text.size() / 4 - (padding > 0 ? 1 : 0); left > 0; --left, at += 4) {
    int const a = digit(at[0]), b = digit(at[1]), c = digit(at[2]), d = digit(at[3]);
    if ((a | b | c | d) < 0) return std::nullopt;
    int const group = a << 18 | b << 12 | c << 6 | d;
    *out++ = static_cast<char>(group >> 16);
    *out++ = static_cast<char>((group >> 8) & 0xff);
    *out++ = static_cast<char>(group & 0xff);
  }
  if (padding == 0) return static_cast<std::size_t>(out - begin);
  int const a = digit(at[0]), b = digit(at[1]), c = padding == 1 ? digit(at[2]) : 0;
  int const lost = padding == 1 ? c & 0x03 : b & 0x0f;
  if ((a | b | c) < 0 || lost != 0) return std::nullopt;
  *out++ = static_cast<char>(a << 2 | b >> 4);
  if (padding == 1) *out++ = static_cast<char>((b & 0x0f) << 4 | c >> 2);
  return static_cast<std::size_t>(out - begin);
}

/// What `base64_read` reads. The outcome may hold any octet.
inline std::optional<std::string> base64_decode(std::string_view text) {
  std::string decoded(text.size() / 4 * 3, '\0');
  auto const size = base64_read(text, decoded.data());
  if (!size) return std::nullopt;
  decoded.resize(*size);
  return decoded;
}

/// What `base64_read` reads, to where the text was: the front of `text`, which is lost either way.
inline std::optional<mutable_bytes> base64_decode_in_place(mutable_bytes text) noexcept {
  auto const size = base64_read(as_text(text), reinterpret_cast<char*>(text.data()));
  if (!size) return std::nullopt;
  return text.first(*size);
}

}  // namespace codec
}  // namespace hawser::inline HAWSER_ABI
