#include <hawser/codec/json/numbers.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;
using namespace hawser::codec;

TEST_CASE("numbers: literals are seen outside strings only", "[codec][json]") {
  std::string seen;
  for_number_literals(R"([1,-2.5e+3,"7 \" 8",{"9\\":10},true,"11)", [&](std::string_view literal) {
    seen += std::string(literal) + ";";
    return true;
  });
  CHECK(seen == "1;-2.5e+3;10;");
}

TEST_CASE("numbers: no run that is too long hides between the places looked at", "[codec][json]") {
  seeded_random random(3);
  auto const draw = [&](std::uint64_t below) { return random() % below; };
  for (int i = 0; i < 3'000; ++i) {
    std::string text(draw(60), ' ');
    std::size_t longest = 0, run = 0;
    for (char& c : text) {
      c = draw(4) == 0 ? ' ' : '1';
      run = c == '1' ? run + 1 : 0;
      longest = std::max(longest, run);
    }
    for (std::size_t max = 0; max < text.size(); ++max) {
      REQUIRE(has_longer_run(text, max) == (longest > max));
      REQUIRE(has_longer_number(text, max) == (longest > max));
    }
    REQUIRE_FALSE(has_longer_number(text, text.size()));
    REQUIRE_FALSE(has_longer_number(text, SIZE_MAX));
  }
}

TEST_CASE("numbers: oversized are integers beyond 64 bits, to the last digit", "[codec][json]") {
  for (std::string_view const fits :
       {"0", "-", "-0", "18446744073709551615", "-9223372036854775808", "9223372036854775808",
        "999999999999999999", "18446744073709551616.0", "18446744073709551616e0",
        "1844674407370955161-6", "1e00000000000000000000000"}) {
    CAPTURE(fits);
    CHECK_FALSE(is_oversized_integer(fits));
  }
  for (std::string_view const large : {"18446744073709551616", "-9223372036854775809",
                                       "100000000000000000000", "-10000000000000000000"}) {
    CAPTURE(large);
    CHECK(is_oversized_integer(large));
  }
  byte_buffer out;
  CHECK_FALSE(widen_integers(R"([1,"18446744073709551616"])", out));
  CHECK(widen_integers("[18446744073709551616,1,-9223372036854775809]", out));
  CHECK(as_text(out.view()) == "[18446744073709551616e0,1,-9223372036854775809e0]");
}
