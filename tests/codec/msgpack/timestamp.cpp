#include <hawser/codec/msgpack/timestamp.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <utility>

#include "codec/value/written.hpp"

using namespace hawser;
using namespace hawser_test;

TEST_CASE("timestamp: texts as Date.toISOString writes them", "[codec][msgpack]") {
  std::pair<std::int64_t, char const*> const cases[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {-1, "1969-12-31T23:59:59.999Z"},
      {1, "1970-01-01T00:00:00.001Z"},
      {951'782'400'000, "2000-02-29T00:00:00.000Z"},
      {951'868'799'999, "2000-02-29T23:59:59.999Z"},
      {951'868'800'000, "2000-03-01T00:00:00.000Z"},
      {4'107'542'399'999, "2100-02-28T23:59:59.999Z"},
      {4'107'542'400'000, "2100-03-01T00:00:00.000Z"},
      {1'577'934'245'678, "2020-01-02T03:04:05.678Z"},
      {-12'219'292'800'000, "1582-10-15T00:00:00.000Z"},
      {-62'135'596'800'000, "0001-01-01T00:00:00.000Z"},
      {-62'167'219'200'000, "0000-01-01T00:00:00.000Z"},
      {-62'167'219'200'001, "-000001-12-31T23:59:59.999Z"},
      {253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
      {253'402'300'800'000, "+010000-01-01T00:00:00.000Z"},
      {8'640'000'000'000'000, "+275760-09-13T00:00:00.000Z"},
      {-8'640'000'000'000'000, "-271821-04-20T00:00:00.000Z"},
      {8'640'000'000'000'001, ""},
      {-8'640'000'000'000'001, ""},
      {INT64_MAX, ""},
      {INT64_MIN, ""},
  };
  for (auto const& [milliseconds, text] : cases) {
    CAPTURE(milliseconds);
    CHECK(codec::to_iso(milliseconds).view() == text);
  }
}

TEST_CASE("timestamp: each day follows the one before", "[codec][msgpack]") {
  int year = 1595, month = 12, day = 31;
  auto const two = [](int what) { return std::to_string(100 + what).substr(1); };
  auto const start = codec::to_iso(-11'802'326'400'000);
  REQUIRE(start.view() == "1596-01-01T00:00:00.000Z");
  for (std::int64_t at = 0; at < 700 * 366; ++at) {
    bool const leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int const lengths[] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (++day > lengths[month - 1]) {
      day = 1;
      if (++month > 12) {
        month = 1;
        ++year;
      }
    }
    auto const made = codec::to_iso(-11'802'326'400'000 + at * 86'400'000 + 86'399'999);
    REQUIRE(made.view() ==
            std::to_string(year) + "-" + two(month) + "-" + two(day) + "T23:59:59.999Z");
  }
}

TEST_CASE("timestamp: the three sizes and their limits", "[codec][msgpack]") {
  std::pair<char const*, char const*> const cases[] = {
      {"00000000", "1970-01-01T00:00:00.000Z"},
      {"5e0d5da5", "2020-01-02T03:04:05.000Z"},
      {"ffffffff", "2106-02-07T06:28:15.000Z"},
      {"a1a5d6005e0d5da5", "2020-01-02T03:04:05.678Z"},
      {"ee6b27fc00000000", "1970-01-01T00:00:00.999Z"},  // 999,999,999 ns
      {"ee6b280000000000", ""},                          // 1,000,000,000 ns
      {"00000003ffffffff", "2514-05-30T01:53:03.000Z"},
      {"000f4240ffffffffed300880", "1960-01-01T00:00:00.001Z"},
      {"3b9ac9ffffffffffffffffff", "1969-12-31T23:59:59.999Z"},
      {"3b9aca000000000000000000", ""},
      {"00000000000007dba8218000", "+275760-09-13T00:00:00.000Z"},
      {"00000000000007dba8218001", ""},
      {"00000000fffff82457de8000", "-271821-04-20T00:00:00.000Z"},
      {"00000000fffff82457de7fff", ""},
      {"000000007fffffffffffffff", ""},
      {"000000008000000000000000", ""},
      {"", ""},
      {"000000", ""},
      {"0000000000", ""},
  };
  for (auto const& [bytes, text] : cases) {
    CAPTURE(bytes);
    std::string const in = unhex(bytes);
    CHECK(codec::timestamp_to_iso(as_bytes(in)).view() == text);
  }
}
