// Dates in the forms of HTTP, and as cookies have them.
#include <hawser/codec/http/date.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

namespace http = hawser::http;

namespace {

constexpr std::int64_t november_1994 = 784'111'777;  // of RFC 9110's examples
constexpr std::int64_t january_2026 = 1'767'225'600;

}  // namespace

TEST_CASE("http date: its three forms are one moment", "[codec][http]") {
  CHECK(http::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == november_1994);
  CHECK(http::parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == november_1994);
  CHECK(http::parse_http_date("Sun Nov  6 08:49:37 1994") == november_1994);
  CHECK(http::parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
  CHECK(http::parse_http_date("Wed, 31 Dec 1969 23:59:59 GMT") == -1);
  CHECK(http::parse_http_date("Fri Dec 31 23:59:59 9999") == 253'402'300'799);
  CHECK(http::parse_http_date("Thu, 29 Feb 2024 12:00:00 GMT") == 1'709'208'000);
  CHECK(http::parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == 1'483'228'800);
  CHECK(http::parse_http_date("Mon, 06 Nov 1994 08:49:37 GMT") == november_1994);  // it was Sunday
}

TEST_CASE("http date: two digits of a year are near the present", "[codec][http]") {
  auto const year_of = [](std::string const& digits, std::optional<std::int64_t> now) {
    auto const at = http::parse_http_date("Friday, 01-Jan-" + digits + " 00:00:00 GMT", now);
    return at ? 1970 + static_cast<int>((*at + 86'400) / 31'556'952) : 0;
  };
  CHECK(year_of("94", january_2026) == 1994);
  CHECK(year_of("26", january_2026) == 2026);
  CHECK(year_of("75", january_2026) == 2075);
  CHECK(year_of("78", january_2026) == 1978);
  CHECK(year_of("69", std::nullopt) == 2069);
  CHECK(year_of("70", std::nullopt) == 1970);
  for (std::int64_t const wild :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    CHECK_FALSE(http::parse_http_date("Friday, 01-Jan-26 00:00:00 GMT", wild));
  }
}

TEST_CASE("http date: anything else is none", "[codec][http]") {
  for (std::string_view const text : {
           "",
           "S",
           "Sun",
           "Sun,",
           "Sun ",
           "sun, 06 Nov 1994 08:49:37 GMT",
           "Sun, 06 nov 1994 08:49:37 GMT",
           "Sun, 06 Nov 1994 08:49:37 gmt",
           "Sun, 06 Nov 1994 08:49:37 UTC",
           "Sun, 06 Nov 1994 08:49:37 GMT ",
           " Sun, 06 Nov 1994 08:49:37 GMT",
           "Sun, 06 Nov 1994 08:49:37",
           "Sun, 6 Nov 1994 08:49:37 GMT",
           "Sun,  06 Nov 1994 08:49:37 GMT",
           "Sun, 06 Nov 94 08:49:37 GMT",
           "Sun, 06-Nov-1994 08:49:37 GMT",
           "Sunday, 06 Nov 1994 08:49:37 GMT",
           "Sun, 31 Nov 1994 08:49:37 GMT",
           "Sun, 00 Nov 1994 08:49:37 GMT",
           "Sun, 29 Feb 2023 08:49:37 GMT",
           "Sun, 06 Nov 1994 24:00:00 GMT",
           "Sun, 06 Nov 1994 08:60:37 GMT",
           "Sun, 06 Nov 1994 08:49:61 GMT",
           "Sun, 06 Nov 1994 8:49:37 GMT",
           "Sun, 06 Nov -994 08:49:37 GMT",
           "Sun Nov 6 08:49:37 1994",
           "Sun Nov  6 08:49:37 1994 GMT",
           "Sun Nov  6 08:49:37 94",
           "Son, 06 Nov 1994 08:49:37 GMT",
           "1994-11-06T08:49:37Z",
           "784111777",
       }) {
    CAPTURE(text);
    CHECK_FALSE(http::parse_http_date(text));
  }
  std::string_view const whole = "Sun, 06 Nov 1994 08:49:37 GMT";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(http::parse_http_date(whole.substr(0, size)));
  }
}

TEST_CASE("http date: cookies have it in any order", "[codec][http]") {
  for (std::string_view const text : {
           "Sun, 06 Nov 1994 08:49:37 GMT",
           "Sunday, 06-Nov-94 08:49:37 GMT",
           "Sun Nov  6 08:49:37 1994",
           "Sun, 06-Nov-1994 08:49:37 GMT",
           "1994 november 6th 8:49:37",
           "08:49:37Z (6) NOV;94",
           "6/Nov/1994/8:49:37",
       }) {
    CAPTURE(text);
    CHECK(http::parse_cookie_date(text) == november_1994);
  }
  CHECK(http::parse_cookie_date("1 Jan 70 0:0:0") == 0);
  CHECK(http::parse_cookie_date("1 Jan 69 0:0:0") == 3'124'224'000);
  for (std::string_view const text : {
           "",
           ";;; ",
           "Session",
           "6 Nov 1994",
           "Nov 1994 08:49:37",
           "6 08:49:37 1994",
           "6 Nov 08:49:37",
           "31 Nov 1994 08:49:37",
           "6 Nov 1600 08:49:37",
           "6 Nov 1994 24:49:37",
           "6 Nov 1994 08:49:60",
           "6 Nov 19945 08:49:37",
           "6 Nov 1994 08:49",
           "6 Nov 1994 008:49:37",
       }) {
    CAPTURE(text);
    CHECK_FALSE(http::parse_cookie_date(text));
  }
}
