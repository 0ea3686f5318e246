#include <hawser/core/bytes.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

using namespace hawser;

TEST_CASE("bytes: a text and its bytes are the same memory", "[core][bytes]") {
  std::string_view const text = "hawser\0rope";
  bytes_view const bytes = as_bytes(text);
  CHECK(static_cast<void const*>(bytes.data()) == static_cast<void const*>(text.data()));
  CHECK(bytes.size() == text.size());
  CHECK(as_text(bytes) == text);
  CHECK(as_bytes({}).empty());
  CHECK(as_text({}).empty());
}

TEST_CASE("bytes: integers are stored in network order, at any alignment", "[core][bytes]") {
  alignas(8) std::array<std::byte, 24> raw{};
  for (std::size_t at = 0; at < 8; ++at) {
    codec::store_big(raw.data() + at, std::uint64_t{0x0102030405060708});
    for (std::size_t i = 0; i < 8; ++i) CHECK(raw[at + i] == static_cast<std::byte>(i + 1));
    CHECK(codec::load_big<std::uint64_t>(raw.data() + at) == 0x0102030405060708);
    CHECK(codec::load_big<std::uint32_t>(raw.data() + at) == 0x01020304);
    CHECK(codec::load_big<std::uint16_t>(raw.data() + at + 1) == 0x0203);
    CHECK(codec::load_big<std::uint8_t>(raw.data() + at + 7) == 8);
  }
}

TEST_CASE("bytes: swapping twice changes nothing", "[core][bytes]") {
  static_assert(codec::byte_swapped(std::uint16_t{0x1234}) == 0x3412);
  static_assert(codec::byte_swapped(std::uint32_t{0x12345678}) == 0x78563412);
  static_assert(codec::byte_swapped(std::uint8_t{0xab}) == 0xab);
  for (std::uint64_t value = 1; value != 0; value <<= 1) {
    CHECK(codec::byte_swapped(codec::byte_swapped(value)) == value);
  }
}

TEST_CASE("bytes: storing writes no byte beside the integer", "[core][bytes]") {
  std::array<std::byte, 6> raw;
  raw.fill(std::byte{0xee});
  codec::store_big(raw.data() + 1, std::uint32_t{0});
  CHECK(raw[0] == std::byte{0xee});
  CHECK(raw[5] == std::byte{0xee});
}
