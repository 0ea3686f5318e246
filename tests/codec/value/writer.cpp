#include <hawser/codec/value/writer.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "written.hpp"

using namespace hawser;
using namespace hawser_test;

namespace {

using writer = value_writer;

std::string json_text(std::string_view text) {
  return json_of([&](writer& out) { out.string(text); });
}

std::string msgpack_hex(auto write) { return hex(msgpack_of(write)); }

}  // namespace

TEST_CASE("writer: JSON is compact, with commas where they belong", "[codec][value]") {
  CHECK(json_of([](writer& out) {
          out.begin_array(6);
          out.string("e");
          out.begin_object(3);
          out.key("a");
          out.begin_array(0);
          out.end_array();
          out.key("b");
          out.begin_object(0);
          out.end_object();
          out.key("c");
          out.null();
          out.end_object();
          out.boolean(true);
          out.boolean(false);
          out.integer(-5);
          out.unsigned_integer(UINT64_MAX);
          out.end_array();
        }) == R"(["e",{"a":[],"b":{},"c":null},true,false,-5,18446744073709551615])");
}

TEST_CASE("writer: values beside each other are separated in JSON", "[codec][value]") {
  CHECK(json_of([](writer& out) {
          out.integer(1);
          out.begin_array(0);
          out.end_array();
          out.string("x");
        }) == R"(1,[],"x")");
}

TEST_CASE("writer: JSON numbers are the shortest that read back the same", "[codec][value]") {
  auto const text = [](auto what) { return json_of([&](writer& out) { out.number(what); }); };
  CHECK(text(0.1) == "0.1");
  CHECK(text(0.1f) == "0.1");
  CHECK(text(1.5) == "1.5");
  CHECK(text(5.0) == "5");
  CHECK(text(100'000.0) == "100000");
  CHECK(text(100'000.0f) == "100000");
  CHECK(text(-1e15f) == "-1e+15");
  CHECK(text(9007199254740991.0) == "9007199254740991");
  CHECK(text(0.9999999999999999) == "0.9999999999999999");
  CHECK(text(-0.0) == "0");
  CHECK(text(1e300) == "1e+300");
  CHECK(text(5e-324) == "5e-324");
  CHECK(text(std::numeric_limits<double>::max()) == "1.7976931348623157e+308");
  CHECK(text(std::nan("")) == "null");
  CHECK(text(std::numeric_limits<double>::infinity()) == "null");
  CHECK(text(-std::numeric_limits<float>::infinity()) == "null");
}

TEST_CASE("writer: JSON escapes what it must and nothing else", "[codec][value]") {
  CHECK(json_text("") == R"("")");
  CHECK(json_text("\"\\/\b\f\n\r\t") == R"("\"\\/\b\f\n\r\t")");
  CHECK(json_text(std::string_view("\0\x01\x1f\x7f", 4)) == "\"\\u0000\\u0001\\u001f\x7f\"");
  CHECK(json_text("gr\xc3\xbc\xc3\x9f \xe2\x80\xa8 \xf0\x9f\x98\x80") ==
        "\"gr\xc3\xbc\xc3\x9f \xe2\x80\xa8 \xf0\x9f\x98\x80\"");
  // Every byte at every place of a word and behind it.
  for (unsigned c = 0; c < 0x80; ++c) {
    std::string const one = json_text(std::string(1, static_cast<char>(c)));
    for (std::size_t at = 0; at < 20; ++at) {
      std::string text(20, '~');
      text[at] = static_cast<char>(c);
      std::string const expected = "\"" + std::string(at, '~') + one.substr(1, one.size() - 2) +
                                   std::string(19 - at, '~') + "\"";
      REQUIRE(json_text(text) == expected);
    }
  }
}

TEST_CASE("writer: what is not UTF-8 becomes U+FFFD, one for each maximal part", "[codec][value]") {
  std::string const bad = "\xef\xbf\xbd";
  std::pair<std::string, std::string> const cases[] = {
      {"\xff", bad},
      {"a\x80z", "a" + bad + "z"},
      {"\xc3", bad},
      {"\xe2\x82", bad},
      {"\xe2\x82x", bad + "x"},
      {"\xf0\x9f\x98", bad},
      {"\xc0\xaf", bad + bad},
      {"\xed\xa0\x80", bad + bad + bad},
      {"\xf4\x90\x80\x80", bad + bad + bad + bad},
      {"\xf0\x9f\xf0\x9f\x98\x80", bad + "\xf0\x9f\x98\x80"},
      {"\xc3\xbc\xfe\xc3\xbc", "\xc3\xbc" + bad + "\xc3\xbc"},
  };
  for (auto const& [text, expected] : cases) {
    CAPTURE(hex(text));
    CHECK(json_text(text) == "\"" + expected + "\"");
    CHECK(json_text(text + "\n") == "\"" + expected + "\\n\"");
    CHECK(msgpack_of([&](writer& out) { out.string(text); }) ==
          static_cast<char>(0xa0 + expected.size()) + expected);
  }
}

TEST_CASE("writer: binary in JSON is a placeholder and an attachment", "[codec][value]") {
  byte_buffer out;
  value_writer to(out, value_format::json);
  std::vector<std::string> const parts{"a", "bc", "def", "", "e", "f", "g"};
  to.begin_array(parts.size());
  for (auto const& part : parts) to.binary(as_bytes(part));
  to.end_array();
  std::string expected = "[";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    expected +=
        (i ? "," : "") + std::string(R"({"_placeholder":true,"num":)") + std::to_string(i) + "}";
  }
  CHECK(as_text(out.view()) == expected + "]");
  REQUIRE(to.attachments().size() == parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    CHECK(as_text(to.attachments()[i]) == parts[i]);
    CHECK(to.attachments()[i].data() == as_bytes(parts[i]).data());
  }
}

TEST_CASE("writer: MessagePack takes the smallest form", "[codec][value]") {
  auto const integer = [](std::int64_t what) {
    return msgpack_hex([&](writer& out) { out.integer(what); });
  };
  std::pair<std::int64_t, char const*> const integers[] = {
      {0, "00"},
      {127, "7f"},
      {128, "cc80"},
      {255, "ccff"},
      {256, "cd0100"},
      {65'535, "cdffff"},
      {65'536, "ce00010000"},
      {4'294'967'295, "ceffffffff"},
      {4'294'967'296, "cf0000000100000000"},
      {INT64_MAX, "cf7fffffffffffffff"},
      {-1, "ff"},
      {-32, "e0"},
      {-33, "d0df"},
      {-128, "d080"},
      {-129, "d1ff7f"},
      {-32'768, "d18000"},
      {-32'769, "d2ffff7fff"},
      {INT32_MIN, "d280000000"},
      {std::int64_t{INT32_MIN} - 1, "d3ffffffff7fffffff"},
      {INT64_MIN, "d38000000000000000"},
  };
  for (auto const& [what, bytes] : integers) {
    CAPTURE(what);
    CHECK(integer(what) == bytes);
  }
  CHECK(msgpack_hex([](writer& out) { out.unsigned_integer(UINT64_MAX); }) == "cfffffffffffffffff");
  CHECK(msgpack_hex([](writer& out) { out.null(); }) == "c0");
  CHECK(msgpack_hex([](writer& out) { out.boolean(false); }) == "c2");
  CHECK(msgpack_hex([](writer& out) { out.boolean(true); }) == "c3");
  CHECK(msgpack_hex([](writer& out) { out.number(1.5f); }) == "ca3fc00000");
  CHECK(msgpack_hex([](writer& out) { out.number(1.5); }) == "cb3ff8000000000000");
  CHECK(msgpack_hex([](writer& out) { out.number(std::nan("")); }).substr(0, 5) == "cb7ff");
}

TEST_CASE("writer: MessagePack lengths at their borders", "[codec][value]") {
  std::pair<std::size_t, char const*> const texts[] = {
      {0, "a0"},       {31, "bf"},         {32, "d920"},          {255, "d9ff"},
      {256, "da0100"}, {65'535, "daffff"}, {65'536, "db00010000"}};
  for (auto const& [size, head] : texts) {
    CAPTURE(size);
    std::string const text(size, 'x');
    CHECK(msgpack_of([&](writer& out) { out.string(text); }) == unhex(head) + text);
  }
  std::pair<std::size_t, char const*> const binaries[] = {
      {0, "c400"}, {255, "c4ff"}, {256, "c50100"}, {65'535, "c5ffff"}, {65'536, "c600010000"}};
  for (auto const& [size, head] : binaries) {
    CAPTURE(size);
    std::string const bytes(size, '\xff');
    CHECK(msgpack_of([&](writer& out) { out.binary(as_bytes(bytes)); }) == unhex(head) + bytes);
  }
  std::pair<std::size_t, char const*> const counts[] = {{0, "9080"},
                                                        {15, "9f8f"},
                                                        {16, "dc0010de0010"},
                                                        {65'535, "dcffffdeffff"},
                                                        {65'536, "dd00010000df00010000"}};
  for (auto const& [count, heads] : counts) {
    CAPTURE(count);
    CHECK(msgpack_hex([size = count](writer& out) {
            out.begin_array(size);
            out.begin_object(size);
          }) == heads);
  }
}

TEST_CASE("writer: a value on a tape is copied whole", "[codec][value]") {
  value_tape tape;
  tape.begin_object();
  tape.key("z");
  tape.begin_array();
  for (int i = 0; i < 3; ++i) {
    tape.begin_object();
    tape.key("i");
    tape.integer(i);
    tape.end();
  }
  tape.begin_array();
  tape.end();
  tape.end();
  tape.key("a");
  tape.number(0.5);
  tape.key("a");
  tape.null();
  tape.end();
  auto const root = tape.root();
  CHECK(json_of([&](writer& out) { write_value(out, root); }) ==
        R"({"z":[{"i":0},{"i":1},{"i":2},[]],"a":0.5,"a":null})");
  CHECK(json_of([&](writer& out) { write_value(out, root["z"]); }) ==
        R"([{"i":0},{"i":1},{"i":2},[]])");
  CHECK(json_of([&](writer& out) { write_value(out, root["z"][1]); }) == R"({"i":1})");
  CHECK(json_of([&](writer& out) { write_value(out, root["z"][3]); }) == "[]");
  CHECK(json_of([&](writer& out) { write_value(out, root["none"]); }) == "null");
  CHECK(msgpack_hex([&](writer& out) { write_value(out, root["z"]); }) ==
        "9481a1690081a1690181a1690290");
}

TEST_CASE("writer: copying a value deep down costs neither stack nor memory", "[codec][value]") {
  value_tape tape;
  for (int i = 0; i < 100'000; ++i) tape.begin_array();
  for (int i = 0; i < 100'000; ++i) tape.end();
  CHECK(json_of([&](writer& out) { write_value(out, tape.root()); }) ==
        std::string(100'000, '[') + std::string(100'000, ']'));
}
