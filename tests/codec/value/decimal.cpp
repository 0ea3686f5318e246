#include <hawser/codec/value/decimal.hpp>

#include <catch2/catch.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace {

template <class Number>
std::string decimal(Number what) {
  char text[hawser::codec::max_decimal_size];
  char* const end = hawser::codec::write_decimal(text, what);
  return end ? std::string(text, end) : std::string();
}

template <class Number>
std::string shortest(Number what) {
  char text[400];
  return {text, std::to_chars(text, text + sizeof text, what, std::chars_format::fixed).ptr};
}

// What it writes is what the general algorithm writes; answers whether it wrote anything.
template <class Number>
bool agrees(Number what) {
  std::string const text = decimal(what);
  if (text.empty()) return false;
  if (text != shortest(what)) FAIL(text << " for " << shortest(what));
  return true;
}

}  // namespace

TEST_CASE("numbers of few decimals are written out", "[codec]") {
  CHECK(decimal(0.5) == "0.5");
  CHECK(decimal(-0.25) == "-0.25");
  CHECK(decimal(20.25) == "20.25");
  CHECK(decimal(0.1) == "0.1");
  CHECK(decimal(0.000001) == "0.000001");
  CHECK(decimal(-123456.789) == "-123456.789");
  CHECK(decimal(99999999999999.5) == "99999999999999.5");
  CHECK(decimal(0.1f) == "0.1");
  CHECK(decimal(-12.34f) == "-12.34");
  CHECK(decimal(99999.5f) == "99999.5");
}

TEST_CASE("numbers of more digits are left to the general algorithm", "[codec]") {
  CHECK(decimal(0.1 + 0.2).empty());
  CHECK(decimal(1.0 / 3).empty());
  CHECK(decimal(0.0000001).empty());
  CHECK(decimal(999999999999999.5).empty());
  CHECK(decimal(4503599627370496.5).empty());
  CHECK(decimal(std::nextafter(0.5, 1.0)).empty());
  CHECK(decimal(5e-324).empty());
  CHECK(decimal(1.0f / 3).empty());
  CHECK(decimal(std::nextafter(12.34f, 0.0f)).empty());
}

TEST_CASE("a decimal is the shortest text that reads back", "[codec]") {
  std::mt19937_64 random(20261129);
  std::uint64_t const scales[] = {10, 100, 1'000, 10'000, 100'000, 1'000'000};
  int written = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto const scale = static_cast<double>(scales[random() % 6]);
    auto const digits = static_cast<double>(random() % (std::uint64_t{1} << (1 + random() % 50)));
    if (std::floor(digits / scale) < digits / scale) written += agrees(digits / scale) ? 1 : 0;
    auto const few = static_cast<float>(random() % 1'000'000);
    auto const small = static_cast<float>(scale);
    if (std::floor(few / small) < few / small) written += agrees(few / small) ? 1 : 0;
    // And their neighbours, which are none.
    (void)agrees(std::nextafter(digits / scale + 0.5, 1e300));
    (void)agrees(std::nextafter(few / small + 0.5f, 0.0f));
  }
  CHECK(written > 250'000);
}
