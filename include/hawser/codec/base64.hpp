// Base64 (RFC 4648 section 4), strict in what it reads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/core/bytes.hpp>

namespace hawser::inline HAWSER_ABI {
namespace codec {

inline constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With padding, without line breaks.
inline std::string base64_encode(bytes_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::size_t const left = bytes.size() - at;
    std::uint32_t group = std::to_integer<std::uint32_t>(bytes[at]) << 16;
    if (left > 1) group |= std::to_integer<std::uint32_t>(bytes[at + 1]) << 8;
    if (left > 2) group |= std::to_integer<std::uint32_t>(bytes[at + 2]);
    text += base64_alphabet[group >> 18];
    text += base64_alphabet[(group >> 12) & 63];
    text += left > 1 ? base64_alphabet[(group >> 6) & 63] : '=';
    text += left > 2 ? base64_alphabet[group & 63] : '=';
  }
  return text;
}

/// Reads what `base64_encode` writes and nothing else: no white space, no missing padding, no bits
/// set that are thrown away; so every value has one text. The outcome may hold any octet.
inline std::optional<std::string> base64_decode(std::string_view text) {
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
  std::size_t const digits = text.size() - padding;
  std::string decoded;
  decoded.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  for (std::size_t at = 0; at < digits; ++at) {
    int const value = values[static_cast<unsigned char>(text[at])];
    if (value < 0) return std::nullopt;
    group = (group << 6) | static_cast<std::uint32_t>(value);
    if (at % 4 == 3) {
      decoded += static_cast<char>((group >> 16) & 0xff);
      decoded += static_cast<char>((group >> 8) & 0xff);
      decoded += static_cast<char>(group & 0xff);
      group = 0;
    }
  }
  if (padding == 2) {
    if ((group & 0x0f) != 0) return std::nullopt;
    decoded += static_cast<char>((group >> 4) & 0xff);
  } else if (padding == 1) {
    if ((group & 0x03) != 0) return std::nullopt;
    decoded += static_cast<char>((group >> 10) & 0xff);
    decoded += static_cast<char>((group >> 2) & 0xff);
  }
  return decoded;
}

}  // namespace codec
}  // namespace hawser::inline HAWSER_ABI
