// SHA-1, which the WebSocket handshake is made with; not for anything that must be secure.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <hawser/core/bytes.hpp>

#if HAWSER_WITH_TLS
#include <openssl/sha.h>
#endif

namespace hawser::inline HAWSER_ABI {
namespace codec {

using sha1_digest = std::array<std::byte, 20>;

/// SHA-1 (FIPS 180-4) without OpenSSL.
class portable_sha1 {
 public:
  static sha1_digest of(bytes_view bytes) noexcept {
    portable_sha1 hash;
    std::uint64_t const bits = std::uint64_t{bytes.size()} * 8;
    for (; bytes.size() >= 64; bytes = bytes.subspan(64)) hash.mix(bytes.data());
    std::array<std::byte, 128> tail{};
    for (std::size_t i = 0; i < bytes.size(); ++i) tail[i] = bytes[i];
    tail[bytes.size()] = std::byte{0x80};
    std::size_t const end = bytes.size() < 56 ? 64 : 128;
    store_big(tail.data() + end - 8, bits);
    for (std::size_t at = 0; at < end; at += 64) hash.mix(tail.data() + at);
    sha1_digest digest{};
    for (std::size_t i = 0; i < 5; ++i) store_big(digest.data() + 4 * i, hash.state_[i]);
    return digest;
  }

 private:
  void mix(std::byte const* block) noexcept {
    std::array<std::uint32_t, 80> w{};
    for (std::size_t i = 0; i < 16; ++i) w[i] = load_big<std::uint32_t>(block + 4 * i);
    for (std::size_t i = 16; i < 80; ++i) {
      w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    auto [a, b, c, d, e] = state_;
    for (std::size_t i = 0; i < 80; ++i) {
      std::uint32_t f = b ^ c ^ d;
      if (i < 20) f = (b & c) | (~b & d);
      if (i >= 40 && i < 60) f = (b & c) | (b & d) | (c & d);
      std::uint32_t const next = std::rotl(a, 5) + f + e + rounds[i / 20] + w[i];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    state_[0] += a;
    state_[1] += b;
    state_[2] += c;
    state_[3] += d;
    state_[4] += e;
  }

  static constexpr std::array<std::uint32_t, 4> rounds{0x5a827999, 0x6ed9eba1, 0x8f1bbcdc,
                                                       0xca62c1d6};

  std::array<std::uint32_t, 5> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
};

/// SHA-1 of some bytes, by OpenSSL where it is there.
inline sha1_digest sha1(bytes_view bytes) noexcept {
#if HAWSER_WITH_TLS
  sha1_digest digest{};
  SHA1(reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size(),
       reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
#else
  return portable_sha1::of(bytes);
#endif
}

}  // namespace codec
}  // namespace hawser::inline HAWSER_ABI
