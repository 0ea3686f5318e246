// How long a server asks a client to stay away.
#include <hawser/codec/http/retry_after.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

using namespace std::literals;
using hawser::http::max_retry_after;
using hawser::http::parse_retry_after;

namespace {

constexpr std::int64_t november_1994 = 784'111'777;

}  // namespace

TEST_CASE("http retry-after: a number of seconds", "[codec][http]") {
  CHECK(parse_retry_after("0", 0) == 0s);
  CHECK(parse_retry_after("120", 0) == 120s);
  CHECK(parse_retry_after("007", 0) == 7s);
  CHECK(parse_retry_after("86400", 0) == max_retry_after);
  CHECK(parse_retry_after("86401", 0) == max_retry_after);
  CHECK(parse_retry_after(std::string(5000, '9'), 0) == max_retry_after);
}

TEST_CASE("http retry-after: a date is compared with the wall clock", "[codec][http]") {
  for (std::string_view const date :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994"}) {
    CAPTURE(date);
    CHECK(parse_retry_after(date, november_1994 - 90) == 90s);
    CHECK(parse_retry_after(date, november_1994) == 0s);
    CHECK(parse_retry_after(date, november_1994 + 1) == 0s);
    CHECK(parse_retry_after(date, november_1994 - 1'000'000) == max_retry_after);
  }
  std::string_view const date = "Sun, 06 Nov 1994 08:49:37 GMT";
  CHECK(parse_retry_after(date, std::numeric_limits<std::int64_t>::min()) == max_retry_after);
  CHECK(parse_retry_after(date, std::numeric_limits<std::int64_t>::max()) == 0s);
}

TEST_CASE("http retry-after: anything else is nothing", "[codec][http]") {
  for (std::string_view const value :
       {"", " ", "-1", "+1", "1.5", "1s", " 1", "1 ", "0x10", "soon", "1, 2",
        "Sun, 06 Nov 1994 08:49:37 PST"}) {
    CAPTURE(value);
    CHECK_FALSE(parse_retry_after(value, 0));
  }
}
