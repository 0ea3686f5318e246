#include <hawser/core/crc32c.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace hawser;
using codec::crc32c;

namespace {

std::uint32_t bit_by_bit(std::string_view text) {
  std::uint32_t rest = 0xffffffff;
  for (char const c : text) {
    rest ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0x82f63b78u : 0);
  }
  return ~rest;
}

constexpr std::array<std::byte, 3> abc{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
static_assert(crc32c(abc) == 0x364b3fb7);

}  // namespace

// RFC 3720, B.4, which writes the bytes of the results in the order in which they are sent.
TEST_CASE("crc32c: the examples of the RFC", "[core][crc32c]") {
  std::string up, down;
  for (int i = 0; i < 32; ++i) up += static_cast<char>(i);
  for (int i = 31; i >= 0; --i) down += static_cast<char>(i);
  CHECK(crc32c(as_bytes(std::string(32, '\0'))) == 0x8a9136aa);
  CHECK(crc32c(as_bytes(std::string(32, '\xff'))) == 0x62a8ab43);
  CHECK(crc32c(as_bytes(up)) == 0x46dd794e);
  CHECK(crc32c(as_bytes(down)) == 0x113fdb5c);

  std::string command(48, '\0');  // an iSCSI READ (10)
  command[0] = '\x01';
  command[1] = '\xc0';
  command[16] = '\x14';
  command[22] = '\x04';
  command[27] = '\x14';
  command[31] = '\x18';
  command[32] = '\x28';
  command[40] = '\x02';
  CHECK(crc32c(as_bytes(command)) == 0xd9963a56);

  CHECK(crc32c({}) == 0);
  CHECK(crc32c(as_bytes("123456789")) == 0xe3069283);
}

TEST_CASE("crc32c: any length, in any pieces", "[core][crc32c]") {
  std::string text;
  for (std::size_t size = 0; size < 70; ++size) {
    std::uint32_t const whole = bit_by_bit(text);
    for (std::size_t cut = 0; cut <= size; ++cut) {
      auto const first = crc32c(as_bytes(text).first(cut));
      REQUIRE(crc32c(as_bytes(text).subspan(cut), first) == whole);
    }
    text += static_cast<char>(size * 37 + 11);
  }
}
