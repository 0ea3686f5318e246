// WebSocket frame headers and masking, RFC 6455 section 5.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI::ws {

/// RFC 6455 section 5.2; the other values are reserved.
enum class opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

/// Which end of the connection this is: servers read masked frames and write plain ones,
/// clients the other way round (RFC 6455 section 5.1).
enum class role : std::uint8_t { server, client };

using mask_key = std::array<std::byte, 4>;

inline constexpr std::size_t max_header_size = 14;
inline constexpr std::size_t max_control_payload = 125;

constexpr bool is_control(opcode code) noexcept { return static_cast<unsigned>(code) >= 8; }

struct frame_header {
  std::uint64_t length = 0;  ///< payload bytes claimed; below 2^63
  mask_key key{};            ///< zero on frames that are not masked
  opcode code = opcode::continuation;
  bool fin = false;
  bool rsv1 = false;
};

/// What `read_header` made of the bytes at hand.
struct header_reading {
  std::uint8_t size = 0;  ///< bytes of the header; 0: more bytes are needed, or `error` is set
  errc error{};           ///< set as soon as the bytes at hand can't begin a legal frame
};

/// Reads one frame header (RFC 6455 section 5.2) and refuses, at the first byte that shows it:
/// RSV2, RSV3, and RSV1 unless `rsv1_allowed` and on a data frame that isn't a continuation;
/// reserved opcodes; a mask that is missing or present against `reader`'s role; fragmented or
/// long control frames; lengths not in their shortest form or over 2^63.
inline header_reading read_header(bytes_view in, role reader, bool rsv1_allowed,
                                  frame_header& header) noexcept {
  if (in.empty()) return {};
  auto const first = std::to_integer<unsigned>(in[0]);
  auto const code = static_cast<opcode>(first & 0x0f);
  header.code = code;
  header.fin = (first & 0x80) != 0;
  header.rsv1 = (first & 0x40) != 0;
  // One bit per opcode: 0, 1, 2, 8, 9, 10 exist.
  if (((0x0707u >> (first & 0x0f)) & 1) == 0) return {0, errc::reserved_opcode};
  if ((first & 0x70) != 0) {
    bool const may_be_compressed = code == opcode::text || code == opcode::binary;
    if ((first & 0x30) != 0 || !rsv1_allowed || !may_be_compressed) {
      return {0, errc::reserved_bits};
    }
  }
  if (is_control(code) && !header.fin) return {0, errc::control_fragmented};
  if (in.size() < 2) return {};

  auto const second = std::to_integer<unsigned>(in[1]);
  bool const masked = (second & 0x80) != 0;
  if (masked != (reader == role::server)) {
    return {0, masked ? errc::frame_masked : errc::frame_not_masked};
  }
  unsigned const short_length = second & 0x7f;
  if (is_control(code) && short_length > max_control_payload) return {0, errc::control_too_long};

  std::size_t size = 2;
  if (short_length < 126) {
    header.length = short_length;
  } else if (short_length == 126) {
    if (in.size() < 4) return {};
    header.length = codec::load_big<std::uint16_t>(in.data() + 2);
    if (header.length < 126) return {0, errc::length_not_minimal};
    size = 4;
  } else {
    if (in.size() < 10) return {};
    header.length = codec::load_big<std::uint64_t>(in.data() + 2);
    if ((header.length >> 63) != 0) return {0, errc::length_overflow};
    if (header.length <= 0xffff) return {0, errc::length_not_minimal};
    size = 10;
  }
  if (masked) {
    if (in.size() < size + 4) return {};
    std::memcpy(header.key.data(), in.data() + size, 4);
    size += 4;
  } else {
    header.key = {};
  }
  return {static_cast<std::uint8_t>(size), {}};
}

/// Bytes that `write_header` will write for a payload of `length`.
constexpr std::size_t header_size(std::uint64_t length, role writer) noexcept {
  std::size_t const mask = writer == role::client ? 4 : 0;
  return mask + (length < 126 ? 2 : length <= 0xffff ? 4 : 10);
}

/// Writes the header of an unmasked frame, as servers send; at most 10 bytes. Returns its size.
inline std::size_t write_header(std::byte* out, opcode code, std::uint64_t length, bool fin = true,
                                bool rsv1 = false) noexcept {
  out[0] = static_cast<std::byte>(static_cast<unsigned>(code) | (fin ? 0x80u : 0u) |
                                  (rsv1 ? 0x40u : 0u));
  if (length < 126) {
    out[1] = static_cast<std::byte>(length);
    return 2;
  }
  if (length <= 0xffff) {
    out[1] = std::byte{126};
    codec::store_big(out + 2, static_cast<std::uint16_t>(length));
    return 4;
  }
  out[1] = std::byte{127};
  codec::store_big(out + 2, length);
  return 10;
}

/// The same for up to 125 bytes of payload.
[[gnu::always_inline]] inline std::size_t write_short_header(std::byte* out, opcode code,
                                                             std::size_t length) noexcept {
  out[0] = static_cast<std::byte>(static_cast<unsigned>(code) | 0x80u);
  out[1] = static_cast<std::byte>(length);
  return 2;
}

/// Writes the header of a masked frame, as clients send; at most `max_header_size` bytes. The key
/// has to be fresh and unpredictable for every frame (RFC 6455 section 10.3).
inline std::size_t write_header(std::byte* out, opcode code, std::uint64_t length, mask_key key,
                                bool fin = true, bool rsv1 = false) noexcept {
  std::size_t const size = write_header(out, code, length, fin, rsv1);
  out[1] |= std::byte{0x80};
  std::memcpy(out + size, key.data(), 4);
  return size + 4;
}

/// The long part of `apply_mask`: 32 bytes a round, by hand, since g++ vectorises neither the byte
/// loop nor an 8-byte loop at -O2. Returns where it has come to.
inline std::byte* mask_blocks(std::byte* at, std::size_t blocks, std::uint64_t wide) noexcept {
  for (; blocks > 0; --blocks, at += 32) {
    std::uint64_t words[4];
    std::memcpy(words, at, 32);
    words[0] ^= wide;
    words[1] ^= wide;
    words[2] ^= wide;
    words[3] ^= wide;
    std::memcpy(at, words, 32);
  }
  return at;
}

/// The whole of `apply_mask` for so many bytes as `Words` of 8 have, to twice as many: from both
/// ends, which may overlap, so they are read before either is written.
template <std::size_t Words>
[[gnu::always_inline]] inline void mask_ends(std::byte* at, std::size_t size,
                                             std::uint64_t wide) noexcept {
  std::uint64_t front[Words], back[Words];
  std::byte* const behind = at + size - sizeof back;
  std::memcpy(front, at, sizeof front);
  std::memcpy(back, behind, sizeof back);
  int const turn = static_cast<int>(size & 3) * 8;
  std::uint64_t const turned =
      std::endian::native == std::endian::big ? std::rotl(wide, turn) : std::rotr(wide, turn);
  for (std::size_t i = 0; i < Words; ++i) {
    front[i] ^= wide;
    back[i] ^= turned;
  }
  std::memcpy(at, front, sizeof front);
  std::memcpy(behind, back, sizeof back);
}

/// Masks or unmasks in place (RFC 6455 section 5.3). `phase` is the number of payload bytes of
/// the same frame that came before, modulo 4. Touches no byte outside `data`. Always inlined, as
/// for a short message the call would cost as much as the work.
[[gnu::always_inline]] inline void apply_mask(mutable_bytes data, mask_key key,
                                              std::size_t phase = 0) noexcept {
  // The key as it falls on the first four bytes of `data`.
  std::uint32_t narrow;
  std::memcpy(&narrow, key.data(), 4);
  int const turn = static_cast<int>(phase & 3) * 8;
  narrow =
      std::endian::native == std::endian::big ? std::rotl(narrow, turn) : std::rotr(narrow, turn);
  std::uint64_t const wide = std::uint64_t{narrow} << 32 | narrow;
  std::byte* at = data.data();
  std::size_t left = data.size();
  if (left >= 16 && left <= 32) return mask_ends<2>(at, left, wide);
  if (left >= 32) {
    at = mask_blocks(at, left / 32, wide);
    left %= 32;
  }
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    word ^= wide;
    std::memcpy(at, &word, 8);
  }
  if (left >= 4) {
    std::uint32_t word;
    std::memcpy(&word, at, 4);
    word ^= narrow;
    std::memcpy(at, &word, 4);
    left -= 4;
    at += 4;
  }
  std::byte rest[4];
  std::memcpy(rest, &narrow, 4);
  for (std::size_t i = 0; i < left; ++i) at[i] ^= rest[i];
}

}  // namespace hawser::inline HAWSER_ABI::ws
