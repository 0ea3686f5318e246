#include <hawser/codec/json/parse.hpp>

#include <catch2/catch.hpp>

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

/// Parses and writes again. Both ways of padding have to agree; what lies behind the text has to
/// be of no account, and no byte behind the padding may be read.
struct there_and_back {
  json_parser parser;
  value_tape tape;

  std::string operator()(std::string_view text, value_limits const& limits = {},
                         errc expected = {}) {
    std::string first;
    for (std::string_view const junk : {"", "1", "\"", "]", "e9", " "}) {
      std::vector<char> all(text.begin(), text.end());
      for (std::size_t i = 0; i < json_parser::padding; ++i) {
        all.push_back(junk.empty() ? '\0' : junk[i % junk.size()]);
      }
      errc const got = parser.parse({all.data(), text.size()}, limits, tape, true);
      CHECK(got == expected);
      std::string const made = json_of([&](value_writer& out) { write_value(out, tape.root()); });
      if (junk.empty()) first = made;
      CHECK(made == first);
    }
    std::vector<char> const exact(text.begin(), text.end());
    errc const got = parser.parse({exact.data(), exact.size()}, limits, tape);
    CHECK(got == expected);
    CHECK(json_of([&](value_writer& out) { write_value(out, tape.root()); }) == first);
    if (expected != errc{}) {
      CHECK_FALSE(tape.root().exists());
      CHECK(tape.size() == 0);
    }
    return first;
  }

  void refuse(std::string_view text, errc why = errc::bad_json, value_limits const& limits = {}) {
    CAPTURE(text.substr(0, 100), static_cast<int>(why));
    (*this)(text, limits, why);
  }

  value read(std::string_view text) {
    CAPTURE(text);
    CHECK((*this)(text) != "");
    return tape.root();
  }
};

std::string times(std::size_t count, std::string_view what) {
  std::string made;
  for (std::size_t i = 0; i < count; ++i) made += what;
  return made;
}

}  // namespace

TEST_CASE("json: what JSON.stringify writes comes back the same", "[codec][json]") {
  there_and_back again;
  for (std::string_view const text :
       {"null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "\"\"",
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "{\"a\":{}}",
        R"(["event",1,-2,0.25,"x",null,true,{"a":[1,[2,[3]]],"b":{"c":{"d":"e"}}},[],{}])",
        R"({"a":1,"a":2,"":[]})",
        R"("\"\\\b\f\n\r\t\u0000\u001f")",
        "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "1e+300",
        "5e-324"}) {
    CAPTURE(text);
    CHECK(again(text) == text);
  }
  CHECK(again(" [ 1 ,\t\"a\\u0041\\/\" ,\r\n{ \"x\" : [ ] } ] ") == R"([1,"aA/",{"x":[]}])");
  CHECK(again(R"("\ud83d\ude00")") == "\"\xf0\x9f\x98\x80\"");
}

TEST_CASE("json: malformed text is refused, with an empty tape", "[codec][json]") {
  there_and_back again;
  for (std::string_view const text : {"",
                                      " ",
                                      "\n",
                                      "nul",
                                      "nulll",
                                      "True",
                                      "tru",
                                      "falsE",
                                      "undefined",
                                      "NaN",
                                      "Infinity",
                                      "-Infinity",
                                      "[",
                                      "]",
                                      "{",
                                      "}",
                                      "[1",
                                      "[1,",
                                      "[1,]",
                                      "[,1]",
                                      "[1 2]",
                                      "[1]]",
                                      "[]1",
                                      "1 1",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{1:1}",
                                      "{\"a\":1 \"b\":2}",
                                      "{,}",
                                      "[}",
                                      "{]",
                                      "\"",
                                      "\"a",
                                      "'a'",
                                      "\"\\\"",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"a\nb\"",
                                      "\"\t\"",
                                      "\"\x01\"",
                                      "01",
                                      "-01",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "-",
                                      "--1",
                                      "1e",
                                      "1e+",
                                      "1.e1",
                                      "0x1",
                                      "1_000",
                                      "1,",
                                      "[1e]",
                                      "/*x*/1",
                                      "1//",
                                      "\xef\xbb\xbf[]",
                                      "\xef\xbb\xbf",
                                      "\xff",
                                      "[\xc3]",
                                      "\"\xc3\"",
                                      "\"\xc0\xaf\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xf4\x90\x80\x80\"",
                                      "1\xc2\xa0",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\\ud800x\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\ud800\\ud800\"",
                                      "\"\\udc00\\ud800\"",
                                      "\"\\ud800\\ue000\"",
                                      "{\"\\ud800\":1}",
                                      "1e400",
                                      "-1e400",
                                      "[1e99999999]",
                                      "[12345678901234567890123,",
                                      "[12345678901234567890x]",
                                      "012345678901234567890123",
                                      "12345678901234567890123-",
                                      "--12345678901234567890123"}) {
    again.refuse(text);
  }
  again.refuse(std::string_view("1\0", 2));
  again.refuse(std::string_view("\0", 1));
  again.refuse(std::string_view("[1]\0", 4));
  again.refuse(std::string_view("\"\0\"", 3));
  CHECK(again("[1]") == "[1]");  // nothing stays behind
}

TEST_CASE("json: numbers at their edges", "[codec][json]") {
  there_and_back again;
  CHECK(again.read("0").kind() == value_kind::integer);
  CHECK(again.read("-0").integer() == 0);
  value const minus = again.read("-0.0");
  CHECK(minus.kind() == value_kind::number);
  CHECK(std::signbit(*minus.number()));
  CHECK(again.read("9007199254740992").integer() == 9007199254740992);
  CHECK(again.read("9007199254740993").integer() == 9007199254740993);
  CHECK(again.read("9223372036854775807").integer() == INT64_MAX);
  value const above = again.read("9223372036854775808");
  CHECK(above.kind() == value_kind::unsigned_integer);
  CHECK(above.unsigned_integer() == std::uint64_t{1} << 63);
  CHECK(again.read("18446744073709551615").unsigned_integer() == UINT64_MAX);
  value const beyond = again.read("18446744073709551616");
  CHECK(beyond.kind() == value_kind::number);
  CHECK(beyond.number() == 18446744073709551616.0);
  CHECK(again.read("-9223372036854775808").integer() == INT64_MIN);
  CHECK(again.read("-9223372036854775809").number() == -9223372036854775808.0);
  CHECK(again.read("100000000000000000000").number() == 1e20);
  CHECK(again.read("-100000000000000000000").number() == -1e20);
  CHECK(again.read("1e20").number() == 1e20);
  CHECK(again.read("1e-400").number() == 0);
  CHECK(again.read("1.7976931348623157e308").number() == 1.7976931348623157e308);
  CHECK(again.read("3.0").integer() == 3);
  CHECK(again.read("3e2").integer() == 300);
}

TEST_CASE("json: oversized integers become numbers, and nothing else changes", "[codec][json]") {
  there_and_back again;
  value const root = again.read(
      R"(["12345678901234567890123","\"18446744073709551616",100000000000000000000,)"
      R"(9007199254740993,18446744073709551615,{"99999999999999999999":-99999999999999999999},)"
      R"("\\",36893488147419103232,1.00000000000000000001,1e00000000000000000001])");
  CHECK(root.size() == 10);
  CHECK(root[0].string() == "12345678901234567890123");
  CHECK(root[1].string() == "\"18446744073709551616");
  CHECK(root[2].number() == 1e20);
  CHECK(root[3].integer() == 9007199254740993);
  CHECK(root[4].unsigned_integer() == UINT64_MAX);
  CHECK(root[5]["99999999999999999999"].number() == -1e20);
  CHECK(root[6].string() == "\\");
  CHECK(root[7].number() == 36893488147419103232.0);
  CHECK(root[8].number() == 1);
  CHECK(root[9].number() == 10);
  again.refuse("[100000000000000000000,1e400]");
  again.refuse("[100000000000000000000,]");

  // A long text of them takes time in proportion.
  std::string many = "[";
  for (int i = 0; i < 50'000; ++i) many += "100000000000000000000,";
  many += "1]";
  json_parser parser;
  value_tape tape;
  REQUIRE(parser.parse(many, {}, tape) == errc{});
  CHECK(tape.root().size() == 50'001);
  CHECK(tape.root()[49'999].number() == 1e20);
}

TEST_CASE("json: literals of max_number characters, and one more", "[codec][json]") {
  there_and_back again;
  for (std::size_t const max : {1u, 2u, 7u, 63u, 64u, 65u, 300u}) {
    value_limits const limits{.max_number = max};
    for (std::size_t const size : {max - 1, max, max + 1, 2 * max + 2}) {
      if (size == 0) continue;
      CAPTURE(max, size);
      std::string const integer(size, '7');
      std::string decimal = "0." + std::string(size, '1');
      decimal.resize(size);
      if (size == 2) decimal = "-1";
      for (std::size_t before = 0; before < 9; ++before) {
        for (auto const& literal : {integer, decimal}) {
          std::string const text =
              std::string(before, ' ') + "[\"" + std::string(before, 'e') + "\"," + literal + "]";
          bool const long_one = size > max;
          // As digits alone they may be beyond the range of double.
          if (!long_one && size > 300) continue;
          json_parser parser;
          value_tape tape;
          errc const got = parser.parse(text, limits, tape);
          CHECK(got == (long_one ? errc::number_too_long : errc{}));
        }
      }
    }
  }
  value_limits const none{.max_number = 0};
  CHECK(again("[true,false,null,\"e123\"]", none) == "[true,false,null,\"e123\"]");
  again.refuse("[1]", errc::number_too_long, none);
  std::string const digits(1000, '1');
  CHECK(again("[\"" + digits + "\",\"\\\"" + digits + "\",1]") ==
        "[\"" + digits + "\",\"\\\"" + digits + "\",1]");
  again.refuse("[\"" + digits + "\"," + digits + "]", errc::number_too_long);
  again.refuse("1e" + digits, errc::number_too_long);
  again.refuse("[0." + digits + "]", errc::number_too_long);
  value_limits const all{.max_number = SIZE_MAX};
  again.refuse("[" + digits + "]", errc::bad_json, all);
  CHECK(again("[0." + digits + "]", all) == "[0.1111111111111111]");
}

TEST_CASE("json: nesting of max_depth, and one more", "[codec][json]") {
  there_and_back again;
  for (std::size_t const max : {0u, 1u, 2u, 64u, 1023u, 1024u, 1025u, 3000u}) {
    value_limits const limits{.max_depth = max};
    CAPTURE(max);
    auto const arrays = [](std::size_t n) { return times(n, "[") + times(n, "]"); };
    auto const objects = [](std::size_t n) { return times(n, "{\"a\":") + "1" + times(n, "}"); };
    CHECK(again("1", limits) == "1");
    if (max > 1) CHECK(again(arrays(max - 1), limits) == arrays(max - 1));
    if (max > 0) {
      CHECK(again(arrays(max), limits) == arrays(max));
      CHECK(again(objects(max), limits) == objects(max));
    }
    again.refuse(arrays(max + 1), errc::too_deep, limits);
    again.refuse(objects(max + 1), errc::too_deep, limits);
    again.refuse("[" + arrays(max) + "]", errc::too_deep, limits);
  }
}

TEST_CASE("json: bombs of depth cost neither stack nor time", "[codec][json]") {
  there_and_back again;
  again.refuse(times(100'000, "["));
  again.refuse(times(100'000, "[") + times(100'000, "]"), errc::too_deep);
  again.refuse(times(100'000, "{\"a\":") + "1" + times(100'000, "}"), errc::too_deep);
  value_limits const endless{.max_depth = SIZE_MAX, .max_values = SIZE_MAX};
  again.refuse(times(100'000, "[") + times(100'000, "]"), errc::too_deep, endless);
  std::string const deep = times(60'000, "[") + times(60'000, "]");
  CHECK(again(deep, endless) == deep);
}

TEST_CASE("json: max_values, and one more", "[codec][json]") {
  there_and_back again;
  value_limits const limits{.max_values = 5};
  CHECK(again("[1,2,3]", limits) == "[1,2,3]");
  CHECK(again("[1,2,3,4]", limits) == "[1,2,3,4]");
  again.refuse("[1,2,3,4,5]", errc::too_many_values, limits);
  CHECK(again(R"({"a":1,"b":{"c":null},"d":""})", limits) == R"({"a":1,"b":{"c":null},"d":""})");
  again.refuse(R"({"a":1,"b":{"c":null},"d":"","e":1})", errc::too_many_values, limits);
  again.refuse("[[],[],[],[],[]]", errc::too_many_values, limits);
  again.refuse("1", errc::too_many_values, {.max_values = 0});
  CHECK(again("1", {.max_values = 1}) == "1");
}

TEST_CASE("json: placeholders become attachments", "[codec][json]") {
  json_parser parser;
  value_tape tape;
  std::string const bytes[] = {"zero", "", "two"};
  bytes_view const parts[] = {as_bytes(bytes[0]), as_bytes(bytes[1]), as_bytes(bytes[2])};
  auto const parse = [&](std::string_view text, std::size_t count,
                         value_limits const& limits = {}) {
    CAPTURE(text);
    std::span<bytes_view const> const given(parts, count);
    errc const copied = parser.parse(text, given, limits, tape);
    std::string padded(text);
    padded.append(json_parser::padding, '1');
    errc const in_place =
        parser.parse(std::string_view(padded).substr(0, text.size()), given, limits, tape, true);
    CHECK(copied == in_place);
    return in_place;
  };
  REQUIRE(parse(R"(["e",{"_placeholder":true,"num":2},{"a":[{"num":0,"_placeholder":true}]},)"
                R"({"_placeholder":true,"num":1},{"_placeholder":false,"num":7},{"num":9}])",
                3) == errc{});
  value const root = tape.root();
  CHECK(root.size() == 6);
  CHECK(as_text(*root[1].binary()) == "two");
  CHECK(root[1].binary()->data() == parts[2].data());
  CHECK(as_text(*root[2]["a"][0].binary()) == "zero");
  CHECK(root[3].binary()->empty());
  CHECK(root[4]["num"].integer() == 7);
  CHECK(root[5]["num"].integer() == 9);

  CHECK(parse(R"({"_placeholder":true,"num":0})", 1) == errc{});
  CHECK(tape.root().kind() == value_kind::binary);
  CHECK(parse("[]", 0) == errc{});
  for (std::string_view const text :
       {R"([])",                               // none used
        R"([{"_placeholder":true,"num":1}])",  // beyond
        R"([{"_placeholder":true,"num":-1}])",
        R"([{"_placeholder":true,"num":0.0}])",
        R"([{"_placeholder":true,"num":"0"}])",
        R"([{"_placeholder":true,"num":null}])",
        R"([{"_placeholder":true}])",
        R"([{"_placeholder":true,"num":0e0}])",
        R"([{"_placeholder":true,"num":18446744073709551615}])",
        R"([{"_placeholder":true,"num":100000000000000000000}])",
        R"([{"_placeholder":true,"num":9223372036854775807}])",
        R"([{"_placeholder":true,"num":[0]}])",
        R"([{"_placeholder":true,"num":true}])",
        R"([{"_placeholder":true,"num":0,"x":1}])",
        R"([{"_placeholder":true,"num":0,"num":0}])",
        R"([{"_placeholder":true,"_placeholder":true,"num":0}])",
        R"([{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}])",  // twice
        R"([{"_placeholder":false,"num":0}])",
        R"([{"_placeholder":1,"num":0}])",
        R"([{"_placeholder":true,"_placeholder":false,"num":0}])"}) {
    CHECK(parse(text, 1) == errc::bad_attachments);
    CHECK(tape.size() == 0);
  }
  CHECK(parse(R"([{"_placeholder":true,"num":0}])", 0) == errc::bad_attachments);
  CHECK(parse(R"([{"_placeholder":true,"num":0},{"_placeholder":true,"num":2}])", 3) ==
        errc::bad_attachments);
  // One value, in no depth.
  CHECK(parse(R"([{"_placeholder":true,"num":0}])", 1, {.max_depth = 1, .max_values = 2}) ==
        errc{});
  CHECK(parse(R"([{"_placeholder":true,"num":0}])", 1, {.max_depth = 1, .max_values = 1}) ==
        errc::too_many_values);
  // Without attachments to come a placeholder is an object like others.
  REQUIRE(parser.parse(R"([{"_placeholder":true,"num":0}])", {}, tape) == errc{});
  CHECK(tape.root()[0]["num"].integer() == 0);
}

TEST_CASE("json: sizes around a word, a block and the memory that is kept", "[codec][json]") {
  json_parser parser;
  value_tape tape;
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size < 300; ++size) sizes.push_back(size);
  for (std::size_t const about : {1024u, 4096u, 262'144u, 1'000'000u, 100u, 262'144u}) {
    for (std::size_t size = about - 4; size < about + 4; ++size) sizes.push_back(size);
  }
  for (std::size_t const size : sizes) {
    std::string const body(size, 'x');
    std::string const text = "[\"" + body + "\"]";
    REQUIRE(parser.parse(text, {}, tape) == errc{});
    REQUIRE(tape.root()[0].string() == body);
  }
}

TEST_CASE("json: nothing is allocated once sizes are known", "[codec][json]") {
  if (!allocations_counted) return;
  json_parser parser;
  value_tape tape;
  byte_buffer out;
  std::string const bytes = "bytes";
  bytes_view const parts[] = {as_bytes(bytes)};
  std::string const texts[] = {
      R"(["event",1,2.5,{"a":[1,2,{"b":null}],"c":"text of some length, longer than inline"}])",
      R"(["big",100000000000000000000,{"_placeholder":true,"num":0}])",
      "[\"" + std::string(900, 'x') + "\"]", "[1"};
  std::size_t before = 0;
  for (int round = 0; round < 20; ++round) {
    if (round == 2) before = allocations();
    for (auto const& text : texts) {
      for (bool const binary : {false, true}) {
        (void)(binary ? parser.parse(text, parts, {}, tape) : parser.parse(text, {}, tape));
        out.clear();
        value_writer writer(out, round % 2 ? value_format::json : value_format::msgpack);
        write_value(writer, tape.root());
      }
    }
  }
  CHECK(allocations() == before);
  CHECK(before > 0);
}

TEST_CASE("json: a large text's memory is given back at the next small one", "[codec][json]") {
  if (!allocations_counted) return;
  json_parser parser;
  value_tape tape;
  std::string large = "[";
  for (int i = 0; i < 50'000; ++i) large += "1234567,";
  large += "0]";
  auto const counted = [&](std::string_view text) {
    std::size_t const before = allocations();
    REQUIRE(parser.parse(text, {}, tape) == errc{});
    return allocations() - before;
  };
  counted("[1]");
  CHECK(counted("[1]") == 0);
  CHECK(counted(large) > 0);
  CHECK(counted(large) <= 20);  // the tape's own growth, not the parser's
  CHECK(counted("[1]") > 0);    // began again
  CHECK(counted("[1]") == 0);
}
