// SHA-1, by OpenSSL and without.
#include <hawser/codec/digest.hpp>

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

using hawser::as_bytes;
using hawser::codec::portable_sha1;
using hawser::codec::sha1;

namespace {

std::string hex(hawser::codec::sha1_digest const& digest) {
  std::string text;
  for (std::byte const b : digest) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15];
  }
  return text;
}

}  // namespace

TEST_CASE("digest: the vectors of FIPS 180", "[codec]") {
  std::string const million(1'000'000, 'a');
  struct {
    std::string_view text;
    char const* digest;
  } const rows[] = {
      {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
      {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
      {million, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
  };
  for (auto const& r : rows) {
    CHECK(hex(sha1(as_bytes(r.text))) == r.digest);
    CHECK(hex(portable_sha1::of(as_bytes(r.text))) == r.digest);
  }
}

TEST_CASE("digest: both implementations agree at every length around a block", "[codec]") {
  std::string text;
  for (int length = 0; length < 300; ++length) {
    CHECK(sha1(as_bytes(text)) == portable_sha1::of(as_bytes(text)));
    text += static_cast<char>(length * 7);
  }
}
