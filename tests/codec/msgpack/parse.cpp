#include <hawser/codec/msgpack/parse.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/value/allocations.hpp"
#include "codec/value/written.hpp"

using namespace hawser;
using namespace hawser_test;

namespace {

/// Parses a copy of exactly that size, so that touching what is behind it is seen.
struct parsed {
  std::vector<char> bytes;
  value_tape tape;
  errc error;

  explicit parsed(std::string_view in, value_limits const& limits = {})
      : bytes(in.begin(), in.end()),
        error(parse_msgpack(as_bytes({bytes.data(), bytes.size()}), limits, tape)) {}
  value root() const { return tape.root(); }
  std::string text() const {
    return json_of([&](value_writer& out) { write_value(out, tape.root()); });
  }
};

errc error_of(std::string_view digits, value_limits const& limits = {}) {
  parsed const got(unhex(digits), limits);
  if (got.error != errc{}) CHECK(got.tape.size() == 0);
  return got.error;
}

std::string times(std::size_t count, std::string_view what) {
  std::string made;
  for (std::size_t i = 0; i < count; ++i) made += what;
  return made;
}

}  // namespace

TEST_CASE("msgpack: what Node's adapters send", "[codec][msgpack]") {
  std::string const head = R"(["jNtv5-",{"type":2,"data":[)";
  std::string const tail = R"(],"nsp":"/"},{"rooms":[],"except":[],"flags":{}}])";
  std::string const head_bytes = "93a66a4e7476352d83a47479706502a464617461";
  std::string const tail_bytes = "a36e7370a12f83a5726f6f6d7390a665786365707490a5666c61677380";
  std::pair<std::string, std::string> const cases[] = {
      {"93a66a4e7476352d83a47479706502a46461746192a16501a36e7370a12f83a5726f6f6d7391a27231a66578636"
       "5707492a27233a27a7aa5666c61677380",
       R"(["jNtv5-",{"type":2,"data":["e",1],"nsp":"/"},)"
       R"({"rooms":["r1"],"except":["r3","zz"],"flags":{}}])"},
      {head_bytes +
           "98a568656c6c6fa5776f726c6401cb3ff8000000000000fdc3c081a66e65737465649401a2c3a9a6e697a5e"
           "6"
           "9caca4f09f9880" +
           tail_bytes,
       head +
           "\"hello\",\"world\",1,1.5,-3,true,null,{\"nested\":[1,\"\xc3\xa9\","
           "\"\xe6\x97\xa5\xe6\x9c\xac\",\"\xf0\x9f\x98\x80\"]}" +
           tail},
      {head_bytes + "94a362696e81a16192c40101c4020203c40104c400" + tail_bytes,
       head +
           R"("bin",{"a":[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]},)"
           R"({"_placeholder":true,"num":2},{"_placeholder":true,"num":3})" +
           tail},
      {head_bytes +
           "dc0016a4696e7473007fcc80ccffcd0100cdffffce00010000ceffffffffcf0000000100000000cf001ffff"
           "f"
           "ffffffffffe0d0dfd080d1ff7fd18000d2ffff7fffd280000000d3ffffffff7fffffffd3ffe000000000000"
           "1"
           "cf0000000000000000" +
           tail_bytes,
       head +
           R"("ints",0,127,128,255,256,65535,65536,4294967295,4294967296,9007199254740991,-1,-32,)"
           R"(-33,-128,-129,-32768,-32769,-2147483648,-2147483649,-9007199254740991,0)" +
           tail},
      {head_bytes +
           "9aa473706563c081a16ec0cb7ff8000000000000cb7ff000000000000000d7ffa1a5d6005e0d5da5d6ff5e0"
           "d"
           "5da5c70cff000f4240ffffffffed300880c40101" +
           tail_bytes,
       head +
           R"("spec",null,{"n":null},null,null,0,"2020-01-02T03:04:05.678Z",)"
           R"("2020-01-02T03:04:05.000Z","1960-01-01T00:00:00.001Z",)"
           R"({"_placeholder":true,"num":0})" +
           tail},
      // Wider forms than are needed.
      {"dd00000003db000000067a7a7a7a7a7adf00000003a474797065cf0000000000000002a464617461dd00000002a"
       "1"
       "65d3ffffffffffffffffa36e7370a12fdf00000003a5726f6f6d73dd00000000a6657863657074dd00000000a5"
       "666c616773df00000000",
       R"(["zzzzzz",{"type":2,"data":["e",-1],"nsp":"/"},{"rooms":[],"except":[],"flags":{}}])"},
      {"93a67a7a7a7a7a7a83a474797065ca40000000a46461746192a165ca3fc00000a36e7370a12f83a5726f6f6d739"
       "0"
       "a665786365707490a5666c61677380",
       R"(["zzzzzz",{"type":2,"data":["e",1.5],"nsp":"/"},{"rooms":[],"except":[],"flags":{}}])"},
  };
  for (auto const& [digits, text] : cases) {
    std::string const bytes = unhex(digits);
    parsed const got(bytes);
    CHECK(got.error == errc{});
    CHECK(got.text() == text);
    // Not a byte less, not a byte more.
    for (std::size_t have = 0; have < bytes.size(); ++have) {
      CHECK(parsed(bytes.substr(0, have)).error == errc::bad_msgpack);
    }
    for (unsigned more = 0; more < 256; ++more) {
      CHECK(parsed(bytes + static_cast<char>(more)).error == errc::bad_msgpack);
    }
  }
  // A date of notepack.io 2 is no extension that is known here.
  CHECK(error_of("92d40000d7000000016f63b9a0ce") == errc::bad_msgpack);
}

TEST_CASE("msgpack: each form, and each cut short", "[codec][msgpack]") {
  std::pair<char const*, char const*> const cases[] = {
      {"c0", "null"},
      {"c2", "false"},
      {"c3", "true"},
      {"00", "0"},
      {"7f", "127"},
      {"e0", "-32"},
      {"ff", "-1"},
      {"cc00", "0"},
      {"ccff", "255"},
      {"cdffff", "65535"},
      {"ceffffffff", "4294967295"},
      {"cf7fffffffffffffff", "9223372036854775807"},
      {"cf8000000000000000", "9223372036854775808"},
      {"cfffffffffffffffff", "18446744073709551615"},
      {"d07f", "127"},
      {"d080", "-128"},
      {"d18000", "-32768"},
      {"d280000000", "-2147483648"},
      {"d38000000000000000", "-9223372036854775808"},
      {"ca3fc00000", "1.5"},
      {"ca7f7fffff", "3.4028234663852886e+38"},
      {"cb3ff8000000000000", "1.5"},
      {"cb7ff0000000000000", "null"},
      {"a0", "\"\""},
      {"a161", "\"a\""},
      {"bf61616161616161616161616161616161616161616161616161616161616161",
       "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
      {"d90161", "\"a\""},
      {"d900", "\"\""},
      {"da000161", "\"a\""},
      {"db0000000161", "\"a\""},
      {"c400", R"({"_placeholder":true,"num":0})"},
      {"c40161", R"({"_placeholder":true,"num":0})"},
      {"c5000161", R"({"_placeholder":true,"num":0})"},
      {"c60000000161", R"({"_placeholder":true,"num":0})"},
      {"90", "[]"},
      {"9101", "[1]"},
      {"dc0000", "[]"},
      {"dc000101", "[1]"},
      {"dd0000000101", "[1]"},
      {"80", "{}"},
      {"81a16101", R"({"a":1})"},
      {"81d9016101", R"({"a":1})"},
      {"81da00016101", R"({"a":1})"},
      {"81db000000016101", R"({"a":1})"},
      {"82a16101a16102", R"({"a":1,"a":2})"},
      {"de0001a16101", R"({"a":1})"},
      {"df00000001a16101", R"({"a":1})"},
      {"938081a1619080", R"([{},{"a":[]},{}])"},
      {"d40000", "null"},
      {"c7010000", "null"},
      {"d6ff5e0d5da5", R"("2020-01-02T03:04:05.000Z")"},
      {"c704ff5e0d5da5", R"("2020-01-02T03:04:05.000Z")"},
      {"c80004ff5e0d5da5", R"("2020-01-02T03:04:05.000Z")"},
      {"c900000004ff5e0d5da5", R"("2020-01-02T03:04:05.000Z")"},
      {"d7ff000000005e0d5da5", R"("2020-01-02T03:04:05.000Z")"},
      {"c70cff00000000000000005e0d5da5", R"("2020-01-02T03:04:05.000Z")"},
  };
  for (auto const& [digits, text] : cases) {
    CAPTURE(digits);
    std::string const bytes = unhex(digits);
    parsed const got(bytes);
    CHECK(got.error == errc{});
    CHECK(got.text() == text);
    for (std::size_t have = 0; have < bytes.size(); ++have) {
      CHECK(parsed(bytes.substr(0, have)).error == errc::bad_msgpack);
    }
    CHECK(parsed(bytes + '\0').error == errc::bad_msgpack);
  }
  parsed const nan(unhex("cb7ff8000000000000"));
  CHECK(std::isnan(*nan.root().number()));
  parsed const small(unhex("cf0000000000000001"));
  CHECK(small.root().kind() == value_kind::integer);
}

TEST_CASE("msgpack: what has no meaning is refused", "[codec][msgpack]") {
  for (char const* const digits :
       {"", "c1", "91c1", "c0c0",
        // keys that are no text
        "8101c0", "81c0c0", "81c40161c0", "8190c0", "8180c0", "81c3c0", "81d6ff5e0d5da5c0",
        // not UTF-8
        "a1ff", "a2c3", "a3eda080", "a4f4908080", "81a1ffc0", "d901c3", "92a1c3a1bc",
        // extensions
        "d40001", "d50000", "d5000000", "d4ff00", "d5ff0000", "d401ff", "d60000000000",
        "d7000000016f63b9a0ce", "d8ff00000000000000000000000000000000", "c700ff", "c70000",
        "c703ff000000", "c70002", "d7ffee6b280000000000", "c70cff3b9aca000000000000000000",
        "c70cff00000000000007dba8218001", "c70dff00000000000000000000000000", "c9ffffffffff00",
        // claims
        "dd7fffffff", "ddffffffff", "dfffffffff", "df7fffffff", "dcffff", "deffff", "dbffffffff61",
        "c6ffffffff61", "9f", "8f", "9201", "82a16101", "81a1", "81a161", "df80000000a16101"}) {
    CAPTURE(digits);
    CHECK(error_of(digits) == errc::bad_msgpack);
  }
}

TEST_CASE("msgpack: nesting of max_depth, and one more", "[codec][msgpack]") {
  for (std::size_t const max : {0u, 1u, 2u, 64u, 65u, 1000u}) {
    value_limits const limits{.max_depth = max};
    CAPTURE(max);
    auto const arrays = [](std::size_t n) { return n == 0 ? "c0" : times(n - 1, "91") + "90"; };
    auto const maps = [](std::size_t n) { return times(n, "81a161") + "c0"; };
    if (max > 0) CHECK(error_of(arrays(max - 1), limits) == errc{});
    CHECK(error_of(arrays(max), limits) == errc{});
    CHECK(error_of(maps(max), limits) == errc{});
    CHECK(error_of(arrays(max + 1), limits) == errc::too_deep);
    CHECK(error_of(maps(max + 1), limits) == errc::too_deep);
  }
}

TEST_CASE("msgpack: bombs of depth and of claims cost nothing", "[codec][msgpack]") {
  CHECK(parsed(std::string(100'000, '\x91')).error == errc::too_deep);
  CHECK(parsed(times(100'000,
                     "\x81\xa1"
                     "a"))
            .error == errc::too_deep);
  value_limits const endless{.max_depth = SIZE_MAX, .max_values = SIZE_MAX};
  CHECK(parsed(std::string(100'000, '\x91'), endless).error == errc::bad_msgpack);
  parsed const deep(std::string(100'000, '\x91') + '\xc0', endless);
  CHECK(deep.error == errc{});
  CHECK(deep.text() == times(100'000, "[") + "null" + times(100'000, "]"));
  // As many elements as there are bytes, again and again, each claim as large as it can be.
  std::string claims;
  for (std::size_t i = 0; i < 20'000; ++i) {
    auto const left = 5 * (20'000 - i) - 5;
    claims += '\xdd';
    for (int shift = 24; shift >= 0; shift -= 8) claims += static_cast<char>(left >> shift & 0xff);
  }
  CHECK(parsed(claims, {.max_depth = 30'000, .max_values = SIZE_MAX}).error == errc::bad_msgpack);
}

TEST_CASE("msgpack: max_values, and one more", "[codec][msgpack]") {
  value_limits const limits{.max_values = 5};
  CHECK(error_of("93010203", limits) == errc{});
  CHECK(error_of("9401020304", limits) == errc{});
  CHECK(error_of("950102030405", limits) == errc::too_many_values);
  CHECK(error_of("83a16101a16281a163c0a164a0", limits) == errc{});
  CHECK(error_of("84a16101a16281a163c0a164a0a16501", limits) == errc::too_many_values);
  CHECK(error_of("959090909090", limits) == errc::too_many_values);
  CHECK(error_of("9291909190", limits) == errc{});
  CHECK(error_of("929191909190", limits) == errc::too_many_values);
  CHECK(error_of("01", {.max_values = 0}) == errc::too_many_values);
  CHECK(error_of("01", {.max_values = 1}) == errc{});
  CHECK(error_of("90", {.max_values = 1}) == errc{});
  CHECK(error_of("9101", {.max_values = 1}) == errc::too_many_values);
}

TEST_CASE("msgpack: every short input is taken or refused, never touched beyond",
          "[codec][msgpack]") {
  std::string bytes;
  for (unsigned a = 0; a < 256; ++a) {
    bool sound = true;
    for (unsigned b = 0; b < 256; ++b) {
      for (unsigned const c : {0x00u, 0x01u, 0x61u, 0x90u, 0xa1u, 0xc1u, 0xffu}) {
        bytes = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
        for (std::size_t size = 1; size <= 3; ++size) {
          parsed const got(std::string_view(bytes).substr(0, size));
          bool const taken = got.error == errc{};
          sound =
              sound && (taken || got.error == errc::bad_msgpack) && got.root().exists() == taken;
        }
      }
    }
    CAPTURE(a);
    CHECK(sound);
  }
}

TEST_CASE("msgpack: nothing is allocated once sizes are known", "[codec][msgpack]") {
  if (!allocations_counted) return;
  value_tape tape;
  std::string const inputs[] = {
      unhex(
          "9aa473706563c081a16ec0cb7ff8000000000000cb7ff000000000000000d7ffa1a5d6005e0d5da5d6ff5e0d"
          "5da5c70cff000f4240ffffffffed300880c40101"),
      unhex("94a362696e81a16192c40101c4020203c40104c400"), unhex("9301")};
  std::size_t before = 0;
  for (int round = 0; round < 20; ++round) {
    if (round == 2) before = allocations();
    for (auto const& in : inputs) (void)parse_msgpack(as_bytes(in), {}, tape);
  }
  CHECK(allocations() == before);
  CHECK(before > 0);
}
