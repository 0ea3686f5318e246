// Texts on their way out: what JSON has to escape, and U+FFFD for what is not UTF-8.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <hawser/codec/utf8.hpp>
#include <hawser/core/buffer.hpp>

namespace hawser::inline HAWSER_ABI {
namespace codec {

/// Bytes at the front of `text` that are one code point; negative for as many bytes that are none
/// and stand for one U+FFFD (the maximal subpart, as the WHATWG's decoder has it). Not for the
/// empty text.
inline int code_point_size(std::string_view text) noexcept {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char const lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  int const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  for (int have = 1; have < length; ++have, low = 0x80, high = 0xbf) {
    auto const at = static_cast<std::size_t>(have);
    if (at == text.size() || byte(at) < low || byte(at) > high) return -have;
  }
  return length;
}

/// Calls `put(text)` for the pieces of `text` with U+FFFD in place of what is not UTF-8.
template <class Put>
void for_valid_pieces(std::string_view text, Put put) {
  std::size_t good = 0;
  while (good < text.size()) {
    int const size = code_point_size(text.substr(good));
    if (size > 0) {
      good += static_cast<std::size_t>(size);
      continue;
    }
    if (good > 0) put(text.substr(0, good));
    put(std::string_view("\xef\xbf\xbd"));
    text.remove_prefix(good + static_cast<std::size_t>(-size));
    good = 0;
  }
  if (!text.empty()) put(text);
}

/// Eight bytes of a text, in any order and some of them twice, or blanks in place of those that it
/// hasn't: enough to ask something of every byte of a short text at once. Precondition: less than 8
/// of them.
inline std::uint64_t all_bytes(char const* text, std::size_t size) noexcept {
  std::uint64_t word = 0x2020202020202020;
  if (size >= 4) {
    std::uint32_t ends[2];
    std::memcpy(&ends[0], text, 4);
    std::memcpy(&ends[1], text + size - 4, 4);
    return std::uint64_t{ends[1]} << 32 | ends[0];
  }
  if (size > 0) {
    char const bytes[] = {text[0], text[size / 2], text[size - 1]};
    std::memcpy(&word, bytes, sizeof bytes);
  }
  return word;
}

/// Whether JSON takes a text as it is, by one look at every byte: ASCII without `"`, `\` or what is
/// below 0x20. False for some that it takes, too.
inline bool is_plain_ascii(std::string_view text) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  std::uint64_t found = 0;
  auto const look = [&](std::uint64_t word) {
    std::uint64_t const quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    found |= word | (word - ones * 0x20) | (quote - ones) | (slash - ones);
  };
  std::size_t const size = text.size();
  if (size < 8) {
    look(all_bytes(text.data(), size));
    return (found & highs) == 0;
  }
  for (std::size_t at = 0;; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + (size - at < 8 ? size - 8 : at), 8);  // the last overlap
    look(word);
    if (size - at <= 8) return (found & highs) == 0;
  }
}

/// How many bytes at the front of `text` JSON takes as they are: not `"`, `\` or below 0x20.
inline std::size_t plain_prefix(std::string_view text) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  std::size_t at = 0;
  for (; text.size() - at >= 8; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    std::uint64_t const quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    // A byte's highest bit says: below 0x20, or zero after the xor. Bytes of 0x80 and more are
    // masked out; borrows only ever come from a byte that is itself a hit, so the word is exact.
    std::uint64_t const hit =
        (((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) &
        highs;
    if (hit != 0) break;
  }
  while (at < text.size()) {
    auto const c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 || c == '"' || c == '\\') break;
    ++at;
  }
  return at;
}

/// Appends valid UTF-8 with JSON's escapes (RFC 8259 section 7), as JSON.stringify chooses them.
inline void append_escaped(byte_buffer& out, std::string_view text) {
  for (;;) {
    std::size_t const plain = plain_prefix(text);
    out.append(as_bytes(text.substr(0, plain)));
    if (plain == text.size()) return;
    auto const c = static_cast<unsigned char>(text[plain]);
    text.remove_prefix(plain + 1);
    char const* const at = std::strchr("\"\"\\\\\bb\ff\nn\rr\tt", c);
    char escape[6] = {'\\', 'u', '0', '0', '0', '0'};
    if (c != 0 && at != nullptr) {
      escape[1] = at[1];
      out.append(as_bytes({escape, 2}));
    } else {
      escape[4] = static_cast<char>('0' + (c >> 4));
      escape[5] = "0123456789abcdef"[c & 15];
      out.append(as_bytes({escape, 6}));
    }
  }
}

}  // namespace codec
}  // namespace hawser::inline HAWSER_ABI
