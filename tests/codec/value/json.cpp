#include <hawser/codec/value/json.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <hawser/codec/json/parse.hpp>
#include <hawser/codec/value/fields.hpp>

#include "written.hpp"

using namespace hawser;
using namespace hawser_test;

namespace {

struct labelled {
  std::string label;
  json extra;
  std::optional<json> more;
};
HAWSER_FIELDS(labelled, label, extra, more)

json parsed(std::string_view text) {
  auto const made = json::parse(text);
  REQUIRE(made);
  return *made;
}

}  // namespace

static_assert(writable<json> && readable<json> && writable<std::vector<json>>);
static_assert(!std::is_constructible_v<json, char> && !std::is_constructible_v<json, int*>);
static_assert(!std::is_convertible_v<value, json>);

TEST_CASE("json tree: made of values and lists", "[codec][value]") {
  CHECK(json().is_null());
  CHECK(json(nullptr).dump() == "null");
  CHECK(json(true).dump() == "true");
  CHECK(json(-3).dump() == "-3");
  CHECK(json(std::uint8_t{7}).kind() == value_kind::integer);
  CHECK(json(UINT64_MAX).kind() == value_kind::unsigned_integer);
  CHECK(json(UINT64_MAX).dump() == "18446744073709551615");
  CHECK(json(0.5).dump() == "0.5");
  CHECK(json(0.5f).kind() == value_kind::number);
  CHECK(json("literal").string() == "literal");
  CHECK(json(std::string("text")).string() == "text");
  CHECK(json(std::string_view("view")).string() == "view");
  CHECK(json(static_cast<char const*>(nullptr)).string() == "");
  CHECK(json(as_bytes("ab")).dump() == R"({"type":"Buffer","data":[97,98]})");
  CHECK(json(std::vector<std::byte>(1)).binary()->size() == 1);
  CHECK(json::array().dump() == "[]");
  CHECK(json::object().dump() == "{}");
  CHECK(json::array({1, "x", nullptr, 2.5, json::array({true})}).dump() ==
        R"([1,"x",null,2.5,[true]])");
  CHECK(json::object({{"a", 1}, {"b", json::object({{"c", {}}})}}).dump() ==
        R"({"a":1,"b":{"c":null}})");
  CHECK(json::object({{"a", 1}, {"b", 2}, {"a", 3}}).dump() == R"({"a":3,"b":2})");
}

TEST_CASE("json tree: the wrong kind answers nothing or null", "[codec][value]") {
  json const j = parsed(R"({"a":[1,{"b":"c"}],"n":1.5})");
  CHECK(j["a"][0].integer() == 1);
  CHECK(j["a"][1]["b"].string() == "c");
  CHECK(j["none"]["deeper"][7].is_null());
  CHECK(j[0].is_null());
  CHECK(j["a"]["b"].is_null());
  CHECK(j["a"][2].is_null());
  CHECK_FALSE(j.boolean());
  CHECK_FALSE(j.integer());
  CHECK_FALSE(j.string());
  CHECK_FALSE(j.binary());
  CHECK_FALSE(j["n"].integer());
  CHECK(j["n"].number() == 1.5);
  CHECK(j["a"][0].unsigned_integer() == 1u);
  CHECK(j.contains("a"));
  CHECK_FALSE(j.contains("b"));
  CHECK(j.find("n") == &j["n"]);
  CHECK(j.find("m") == nullptr);
  CHECK(j.size() == 2);
  CHECK(j["a"].size() == 2);
  CHECK(j["n"].size() == 0);
  CHECK(j["n"].elements().empty());
  CHECK(j["a"].members().empty());
}

TEST_CASE("json tree: members and elements are put in where they are missing", "[codec][value]") {
  json j;
  j["at"]["x"] = 1.5;
  j["crew"].push_back("Jason");
  j["crew"].push_back(json::array());
  j["at"]["y"] = -2;
  j["at"]["x"] = "now a text";
  CHECK(j.dump() == R"({"at":{"x":"now a text","y":-2},"crew":["Jason",[]]})");
  for (json& element : j["crew"].elements()) element = 0;
  CHECK(j["crew"] == json::array({0, 0}));
  CHECK(j["crew"][0].integer() == 0);
  CHECK(j.erase("at"));
  CHECK_FALSE(j.erase("at"));
  CHECK(j.dump() == R"({"crew":[0,0]})");
  j["crew"]["key"] = true;  // no array any more
  CHECK(j.dump() == R"({"crew":{"key":true}})");
  j.push_back(1);
  CHECK(j.dump() == "[1]");
  json const copy = j;
  json const moved = std::move(j);
  CHECK(copy == moved);
}

TEST_CASE("json tree: equal is what is worth the same", "[codec][value]") {
  CHECK(json(1) == json(1.0));
  CHECK(json(1u) == json(1));
  CHECK(json(-1) != json(UINT64_MAX));
  CHECK(json(UINT64_MAX) == json(18446744073709551616.0));  // rounded: a double can't say
  CHECK(json(UINT64_MAX) != json(UINT64_MAX - 1));
  CHECK(json(9007199254740993) != json(9007199254740992.0));
  CHECK(json(std::nan("")) != json(std::nan("")));
  CHECK(json(1e300) == json(1e300));
  CHECK(json(1) != json(true));
  CHECK(json(0) != json());
  CHECK(json("1") != json(1));
  CHECK(json("a") != json(as_bytes("a")));
  CHECK(json::array({1, 2}) != json::array({2, 1}));
  CHECK(json::array() != json::object());
  CHECK(json::object({{"a", 1}, {"b", 2}}) == json::object({{"b", 2}, {"a", 1}}));
  CHECK(json::object({{"a", 1}, {"b", 2}}) != json::object({{"a", 1}, {"c", 2}}));
  CHECK(json::object({{"a", 1}}) != json::object({{"a", 1}, {"b", 2}}));
  CHECK(json::object({{"a", 1}}) != json::object({{"a", 2}}));
}

TEST_CASE("json tree: text there and back, order kept, last double counts", "[codec][value]") {
  for (std::string_view const text :
       {"null", "[]", "{}", R"({"z":1,"a":[true,null,-1.5,"x"],"m":{"y":{},"b":[]}})"}) {
    CHECK(parsed(text).dump() == text);
    CHECK(parsed(text) == parsed(text));
  }
  CHECK(parsed(R"({"a":1,"b":2,"a":{"x":1},"c":4,"b":5})").dump() ==
        R"({"a":{"x":1},"b":5,"c":4})");
  CHECK(json::parse("{").error() == errc::bad_json);
  CHECK(json::parse(std::string(65, '[') + std::string(65, ']')).error() == errc::too_deep);
}

TEST_CASE("json tree: a large object is made and compared in little time", "[codec][value]") {
  std::string text = "{", reversed = "{";
  for (int i = 0; i < 50'000; ++i) {
    text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
    reversed += "\"key" + std::to_string(49'999 - i) + "\":" + std::to_string(49'999 - i) + ",";
  }
  json const a = parsed(text + "\"key0\":0}"), b = parsed(reversed + "\"key1\":1}");
  CHECK(a.size() == 50'000);
  CHECK(a == b);
}

TEST_CASE("json tree: a member of a struct, and binary inside", "[codec][value]") {
  json_parser parser;
  value_tape tape;
  REQUIRE(parser.parse(R"({"label":"l","extra":{"any":[1]}})", {}, tape) == errc{});
  labelled made;
  REQUIRE(read_value(tape.root(), made));
  CHECK(made.extra == json::object({{"any", json::array({1})}}));
  CHECK_FALSE(made.more);
  REQUIRE(parser.parse(R"({"label":"l"})", {}, tape) == errc{});
  CHECK_FALSE(read_value(tape.root(), made));  // missing, and not optional

  json const bytes = json::array({json(as_bytes("ab"))});
  CHECK(as_json(bytes) == R"([{"_placeholder":true,"num":0}])");
  CHECK(as_msgpack(bytes) == "91c4026162");
}
