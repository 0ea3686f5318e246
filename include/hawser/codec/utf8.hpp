// Whether bytes are UTF-8: whole texts at once, or chunk by chunk with the earliest refusal.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(_WIN32)
#include <simdjson.h>  // declared with a linkage of its own there
#endif

#include <hawser/core/bytes.hpp>

#if !defined(_WIN32)
// Its header adds a sixth to the compile time of a server, for this one function, whose declaration
// is the same in simdjson 3.0 and in the newest.
namespace simdjson {
[[nodiscard]] bool validate_utf8(char const* text, std::size_t size) noexcept;
}
#endif

namespace hawser::inline HAWSER_ABI {
namespace codec {

/// Checks a text that arrives in chunks cut anywhere (RFC 3629: shortest form, no surrogates,
/// nothing above U+10FFFF).
///
/// Fails fast: `feed` refuses the first byte that no valid text can have in its place, in the call
/// that brings it (after F4, a 90 is refused without waiting for the rest of the code point).
/// Refusal is final until `reset`. Four bytes of state; no text is kept.
class utf8_validator {
 public:
  /// True as long as everything fed so far can begin a valid text.
  bool feed(bytes_view bytes) noexcept {
    auto const* at = reinterpret_cast<unsigned char const*>(bytes.data());
    auto const* const end = at + bytes.size();
    if ((pending_ | refused_) != 0) [[unlikely]] {
      if (!finish_pending(at, end)) return false;
    }
    at = skip_ascii(at, end);
    return at == end || feed_from_boundary(at, end);
  }

  /// True when what was fed is a whole valid text: nothing refused, no code point cut short.
  bool complete() const noexcept { return (pending_ | refused_) == 0; }

  /// Ready for another text.
  void reset() noexcept { *this = utf8_validator{}; }

 private:
  using byte_pointer = unsigned char const*;

  static constexpr std::uint64_t high_bits = 0x8080808080808080;

  static std::uint64_t load(byte_pointer from) noexcept {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    return word;
  }

  /// Bytes below 0x80 at the front of a word that has a byte of 0x80 or more.
  static std::size_t ascii_prefix(std::uint64_t word) noexcept {
    std::uint64_t const high = word & high_bits;
    int const bits =
        std::endian::native == std::endian::big ? std::countl_zero(high) : std::countr_zero(high);
    return static_cast<std::size_t>(bits) / 8;
  }

  /// The first byte of 0x80 or more, or the end.
  static byte_pointer skip_ascii(byte_pointer at, byte_pointer end) noexcept {
    if (end - at >= 8) {
      while (end - at >= 32) {
        std::uint64_t const all = load(at) | load(at + 8) | load(at + 16) | load(at + 24);
        if ((all & high_bits) != 0) break;
        at += 32;
      }
      while (end - at >= 8) {
        std::uint64_t const word = load(at);
        if ((word & high_bits) != 0) return at + ascii_prefix(word);
        at += 8;
      }
      // The last word overlaps bytes that were already found to be ASCII.
      std::uint64_t const last = load(end - 8);
      return (last & high_bits) == 0 ? end : end - 8 + ascii_prefix(last);
    }
    while (at != end && *at < 0x80) ++at;
    return at;
  }

  /// Takes in a lead byte: what must follow it. False when it can't lead.
  bool lead(unsigned char byte) noexcept {
    if (byte < 0xc2 || byte > 0xf4) return refuse();
    pending_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    low_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    high_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    return true;
  }

  bool refuse() noexcept {
    refused_ = 1;
    return false;
  }

  /// Goes on with the code point that was cut; moves `at` behind what it took.
  bool finish_pending(byte_pointer& at, byte_pointer end) noexcept {
    if (refused_ != 0) return false;
    while (pending_ != 0 && at != end) {
      if (*at < low_ || *at > high_) return refuse();
      low_ = 0x80;
      high_ = 0xbf;
      --pending_;
      ++at;
    }
    return true;
  }

  /// `at` is the start of a code point.
  bool feed_from_boundary(byte_pointer at, byte_pointer end) noexcept {
    // A vectorised check costs tens of nanoseconds to start with.
    if (end - at >= 48) {
      byte_pointer const cut = last_boundary(at, end);
      auto const* const text = reinterpret_cast<char const*>(at);
      if (!simdjson::validate_utf8(text, static_cast<std::size_t>(cut - at))) return refuse();
      at = cut;
    }
    while (at != end) {
      unsigned char const byte = *at++;
      if (byte < 0x80) {
        if (end - at >= 8 && (load(at) & high_bits) == 0) at += 8;
      } else if (byte >= 0xc2 && byte < 0xe0 && at != end) {
        if ((*at++ & 0xc0) != 0x80) return refuse();
      } else if (!lead(byte) || !finish_pending(at, end)) {
        return false;
      }
    }
    return true;
  }

  /// The end, or the start of the code point that the end cuts in two.
  static byte_pointer last_boundary(byte_pointer at, byte_pointer end) noexcept {
    for (std::ptrdiff_t back = 1; back <= 3 && back <= end - at; ++back) {
      unsigned char const byte = *(end - back);
      if (byte < 0x80) return end;
      if (byte < 0xc0) continue;
      std::ptrdiff_t const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return length > back ? end - back : end;
    }
    return end;
  }

  std::uint8_t pending_ = 0;  // continuation bytes that the current code point still needs
  std::uint8_t low_ = 0x80;   // what the next of them may be
  std::uint8_t high_ = 0xbf;
  std::uint8_t refused_ = 0;
};

/// True when `bytes` is a whole valid UTF-8 text; the empty text is one.
inline bool is_utf8(bytes_view bytes) noexcept {
  utf8_validator validator;
  return validator.feed(bytes) && validator.complete();
}

}  // namespace codec
}  // namespace hawser::inline HAWSER_ABI
