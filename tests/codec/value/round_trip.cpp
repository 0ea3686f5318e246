// C++ values through each format and back.
#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include <hawser/codec/json/parse.hpp>
#include <hawser/codec/msgpack/parse.hpp>
#include <hawser/codec/value/fields.hpp>
#include <hawser/codec/value/json.hpp>

#include "allocations.hpp"
#include "written.hpp"

using namespace hawser;
using namespace hawser_test;

namespace fleet {

enum class rank : std::uint8_t { sailor, mate, captain };
enum class wind { north = 1, south };

struct point {
  double x = 0, y = 0;
  bool operator==(point const&) const = default;
};
HAWSER_FIELDS(point, x, y)

struct sailor {
  std::string name;
  rank what = rank::sailor;
  std::optional<std::string> nickname;
  bool operator==(sailor const&) const = default;
};
HAWSER_FIELDS(sailor, name, what, nickname)

struct vessel {
  std::uint64_t id = 0;
  std::vector<sailor> crew;
  std::map<std::string, std::vector<point>> routes;
  std::variant<std::monostate, int, std::string, point> cargo;
  std::tuple<bool, float, wind> weather{false, 0.0f, wind::north};
  std::vector<std::byte> log;
  std::array<std::optional<int>, 3> slots;
  std::pair<std::int8_t, std::uint16_t> tonnage{};
  json notes;
  bool operator==(vessel const&) const = default;
};
HAWSER_FIELDS(vessel, id, crew, routes, cargo, weather, log, slots, tonnage, notes)

}  // namespace fleet

template <>
struct hawser::enum_names<fleet::wind> {
  static constexpr std::array list{std::pair{fleet::wind::north, std::string_view("north")},
                                   std::pair{fleet::wind::south, std::string_view("south")}};
};

namespace {

/// One format's way out and in, in memory that is used again.
struct line {
  explicit line(value_format given) : format(given) {}

  template <class T>
  void send(T const& from) {
    out.clear();
    value_writer writer(out, format);
    write_value(writer, from);
    errc const error = format == value_format::json
                           ? parser.parse(as_text(out.view()), writer.attachments(), {}, tape)
                           : parse_msgpack(out.view(), {}, tape);
    REQUIRE(error == errc{});
  }

  value_format format;
  byte_buffer out;
  json_parser parser;
  value_tape tape;
};

template <class T>
void survives(T const& from) {
  for (value_format const format : {value_format::json, value_format::msgpack}) {
    line way(format);
    way.send(from);
    T to{};
    CAPTURE(static_cast<int>(format));
    CHECK(read_value(way.tape.root(), to));
    CHECK(to == from);
  }
}

/// Whether a JSON text fits a type.
template <class T>
bool fits(std::string_view text) {
  json_parser parser;
  value_tape tape;
  REQUIRE(parser.parse(text, {}, tape) == errc{});
  T to{};
  return read_value(tape.root(), to);
}

std::vector<std::byte> bytes(std::string_view text) {
  auto const view = as_bytes(text);
  return {view.begin(), view.end()};
}

fleet::vessel argo() {
  fleet::vessel made;
  made.id = UINT64_MAX;
  made.crew = {{"Jason", fleet::rank::captain, "J"}, {"Orpheus", fleet::rank::mate, {}}};
  made.routes = {{"", {}}, {"\"quoted\"\n", {{1.5, -2}, {0, 1e300}}}};
  made.cargo = fleet::point{3, 4};
  made.weather = {true, 0.1f, fleet::wind::south};
  made.log = bytes(std::string_view("\0\xff\x80log", 6));
  made.slots = {1, std::nullopt, -3};
  made.tonnage = {-128, 65'535};
  made.notes = json::object({{"a", json::array({1, nullptr, "x"})}, {"b", json(as_bytes("raw"))}});
  return made;
}

}  // namespace

TEST_CASE("round trip: every built-in kind, by JSON and by MessagePack", "[codec][value]") {
  survives(true);
  survives(false);
  survives(std::numeric_limits<std::int8_t>::min());
  survives(std::numeric_limits<std::int8_t>::max());
  survives(std::numeric_limits<std::uint8_t>::max());
  survives(std::numeric_limits<std::int16_t>::min());
  survives(std::numeric_limits<std::uint16_t>::max());
  survives(std::numeric_limits<std::int32_t>::min());
  survives(std::numeric_limits<std::uint32_t>::max());
  survives(std::numeric_limits<std::int64_t>::min());
  survives(std::numeric_limits<std::int64_t>::max());
  survives(std::numeric_limits<std::uint64_t>::max());
  survives(std::numeric_limits<long>::min());
  survives(std::numeric_limits<unsigned long long>::max());
  for (double const each :
       {0.0, -0.0, 1.0, 0.1, 1.0 / 3, 5e-324, 1e20, 1e22, 18446744073709551616.0,
        9223372036854775808.0, -9223372036854775808.0, 9007199254740993.0,
        std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest()}) {
    CAPTURE(each);
    survives(each);
  }
  for (float const each :
       {0.0f, 0.1f, 1.0f / 3, 16777216.0f, 1e-45f, std::numeric_limits<float>::max(),
        std::numeric_limits<float>::lowest()}) {
    CAPTURE(each);
    survives(each);
  }
  survives(std::string());
  survives(std::string("\0\x01\"\\ gr\xc3\xbc\xc3\x9f", 11));
  survives(std::string(100'000, '"'));
  survives(std::vector<std::byte>());
  survives(bytes("binary \xff"));
  survives(std::vector<std::byte>(70'000));
  survives(std::optional<int>());
  survives(std::optional<int>(7));
  survives(std::variant<int, std::string>(7));
  survives(std::variant<int, std::string>("seven"));
  survives(std::variant<std::monostate, bool>());
  survives(std::vector<int>());
  survives(std::vector<int>{1, -2, 3});
  survives(std::vector<bool>{true, false, true});
  survives(std::vector<std::vector<std::string>>{{}, {"a"}, {"b", "c"}});
  survives(std::vector<std::uint8_t>{0, 255});
  survives(std::vector<std::vector<std::byte>>{bytes("a"), {}, bytes("b")});
  survives(std::array<int, 0>());
  survives(std::array<std::string, 2>{"x", "y"});
  survives(std::map<std::string, int>{{"", 0}, {"a", 1}, {"b", 2}});
  survives(std::unordered_map<std::string, std::map<std::string, bool>>{{"a", {{"b", true}}}});
  survives(std::tuple<>());
  survives(std::tuple<int, std::string, double>(1, "x", 2.5));
  survives(std::pair<std::string, std::vector<int>>("x", {1}));
  survives(fleet::rank::captain);
  survives(fleet::wind::south);
  survives(std::byte{200});
  survives(nullptr);
  survives(std::monostate());
  survives(json::object({{"a", json::array({1, 2.5, "x", nullptr, true, UINT64_MAX})}}));
  survives(argo());
  survives(std::vector<fleet::vessel>{argo(), {}, argo()});
  survives(std::map<std::string, std::optional<fleet::vessel>>{{"a", argo()}, {"b", {}}});
}

TEST_CASE("round trip: NaN and infinities are null in JSON, themselves in MessagePack",
          "[codec][value]") {
  line text(value_format::json), packed(value_format::msgpack);
  for (double const each : {std::nan(""), std::numeric_limits<double>::infinity(),
                            -std::numeric_limits<double>::infinity()}) {
    text.send(each);
    CHECK(text.tape.root().is_null());
    packed.send(each);
    double wide = 0;
    REQUIRE(read_value(packed.tape.root(), wide));
    CHECK((std::isnan(each) ? std::isnan(wide) : wide == each));
    packed.send(static_cast<float>(each));
    float narrow = 0;
    REQUIRE(read_value(packed.tape.root(), narrow));
    CHECK((std::isnan(each) ? std::isnan(narrow) : static_cast<double>(narrow) == each));
  }
}

TEST_CASE("round trip: views are of what was parsed", "[codec][value]") {
  for (value_format const format : {value_format::json, value_format::msgpack}) {
    line way(format);
    auto const raw = bytes("raw");
    auto const sent = std::tuple(std::string("text"), raw, std::vector{1, 2});
    way.send(sent);
    std::tuple<std::string_view, bytes_view, value> views;
    REQUIRE(read_value(way.tape.root(), views));
    CHECK(std::get<0>(views) == "text");
    CHECK(as_text(std::get<1>(views)) == "raw");
    CHECK(std::get<2>(views)[1].integer() == 2);
    line other(format == value_format::json ? value_format::msgpack : value_format::json);
    other.send(views);  // and on from there
    CHECK(other.tape.root()[0].string() == "text");
    CHECK(as_text(*other.tape.root()[1].binary()) == "raw");
    CHECK(other.tape.root()[2].size() == 2);
  }
}

TEST_CASE("round trip: what does not fit is refused", "[codec][value]") {
  CHECK(fits<std::int8_t>("127"));
  CHECK(fits<std::int8_t>("-128"));
  CHECK_FALSE(fits<std::int8_t>("128"));
  CHECK_FALSE(fits<std::int8_t>("-129"));
  CHECK_FALSE(fits<std::uint8_t>("256"));
  CHECK_FALSE(fits<std::uint8_t>("-1"));
  CHECK_FALSE(fits<std::uint32_t>("4294967296"));
  CHECK_FALSE(fits<std::int64_t>("9223372036854775808"));
  CHECK_FALSE(fits<std::uint64_t>("18446744073709551616"));
  CHECK_FALSE(fits<std::uint64_t>("-1"));
  CHECK(fits<int>("3.0"));
  CHECK(fits<int>("1e3"));
  CHECK_FALSE(fits<int>("3.5"));
  CHECK_FALSE(fits<int>("\"3\""));
  CHECK_FALSE(fits<int>("true"));
  CHECK_FALSE(fits<int>("null"));
  CHECK_FALSE(fits<bool>("1"));
  CHECK_FALSE(fits<double>("\"1\""));
  CHECK_FALSE(fits<double>("null"));
  CHECK(fits<float>("3.4e38"));
  CHECK(fits<float>("3.4028235e38"));
  CHECK(fits<float>("3.40282356e38"));  // rounds to the largest
  CHECK_FALSE(fits<float>("3.40282357e38"));
  CHECK_FALSE(fits<float>("3.5e38"));
  CHECK_FALSE(fits<float>("-1e300"));
  CHECK_FALSE(fits<std::string>("1"));
  CHECK_FALSE(fits<std::string_view>("[]"));
  CHECK_FALSE(fits<std::vector<std::byte>>("\"x\""));
  CHECK_FALSE(fits<std::vector<std::byte>>("[1]"));
  CHECK_FALSE(fits<bytes_view>("[]"));
  CHECK(fits<std::optional<int>>("null"));
  CHECK_FALSE(fits<std::optional<int>>("\"x\""));
  CHECK_FALSE(fits<std::variant<int, bool>>("\"x\""));
  CHECK_FALSE(fits<std::vector<int>>("{}"));
  CHECK_FALSE(fits<std::vector<int>>("[1,null]"));
  CHECK_FALSE(fits<std::vector<bool>>("[true,1]"));
  CHECK((fits<std::array<int, 2>>("[1,2]")));
  CHECK_FALSE((fits<std::array<int, 2>>("[1]")));
  CHECK_FALSE((fits<std::array<int, 2>>("[1,2,3]")));
  CHECK_FALSE((fits<std::array<int, 0>>("[1]")));
  CHECK((fits<std::tuple<int, std::string>>("[1,\"x\"]")));
  CHECK_FALSE((fits<std::tuple<int, std::string>>("[1]")));
  CHECK_FALSE((fits<std::tuple<int, std::string>>("[1,\"x\",2]")));
  CHECK_FALSE((fits<std::tuple<int, std::string>>("[\"x\",1]")));
  CHECK_FALSE((fits<std::pair<int, int>>("{}")));
  CHECK_FALSE((fits<std::map<std::string, int>>("[]")));
  CHECK_FALSE((fits<std::map<std::string, int>>(R"({"a":"x"})")));
  CHECK(fits<fleet::rank>("200"));  // no enumerator, and in range
  CHECK_FALSE(fits<fleet::rank>("256"));
  CHECK_FALSE(fits<fleet::rank>("\"mate\""));
  CHECK(fits<fleet::wind>("\"north\""));
  CHECK_FALSE(fits<fleet::wind>("\"east\""));
  CHECK_FALSE(fits<fleet::wind>("1"));
  CHECK_FALSE(fits<std::nullptr_t>("0"));
  CHECK_FALSE(fits<std::monostate>("{}"));
  CHECK(fits<json>("[]"));
  CHECK(fits<fleet::point>(R"({"x":1,"y":2,"z":3})"));
  CHECK_FALSE(fits<fleet::point>(R"({"x":1})"));
  CHECK_FALSE(fits<fleet::point>(R"({"x":1,"y":null})"));
  CHECK_FALSE(fits<fleet::point>("[1,2]"));
}

TEST_CASE("round trip: the first alternative that reads is taken", "[codec][value]") {
  json_parser parser;
  value_tape tape;
  using any = std::variant<std::monostate, bool, int, double, std::string, std::vector<int>, json>;
  std::pair<char const*, std::size_t> const cases[] = {
      {"null", 0}, {"true", 1},  {"1", 2},   {"1.0", 2},     {"1.5", 3},
      {"1e20", 3}, {"\"x\"", 4}, {"[1]", 5}, {"[\"x\"]", 6}, {"{}", 6}};
  for (auto const& [text, index] : cases) {
    CAPTURE(text);
    REQUIRE(parser.parse(text, {}, tape) == errc{});
    any to;
    REQUIRE(read_value(tape.root(), to));
    CHECK(to.index() == index);
  }
}

TEST_CASE("round trip: of doubled keys the last counts in maps", "[codec][value]") {
  json_parser parser;
  value_tape tape;
  REQUIRE(parser.parse(R"({"a":1,"b":2,"a":3})", {}, tape) == errc{});
  std::map<std::string, int> to{{"old", 1}};
  REQUIRE(read_value(tape.root(), to));
  CHECK(to == std::map<std::string, int>{{"a", 3}, {"b", 2}});
}

TEST_CASE("round trip: nothing is allocated once memory is there", "[codec][value]") {
  if (!allocations_counted) return;
  line text(value_format::json), packed(value_format::msgpack);
  using message = std::tuple<std::string, std::vector<fleet::point>, std::optional<fleet::sailor>,
                             std::vector<std::byte>>;
  message const from{"a text that is longer than what a string holds in place",
                     {{1, 2}, {3, 4}},
                     fleet::sailor{"another text that is longer than that", {}, {}},
                     bytes("some bytes")};
  message to[2];
  std::size_t before = 0;
  for (int round = 0; round < 10; ++round) {
    if (round == 2) before = allocations();
    text.out.clear();
    {
      value_writer writer(text.out, value_format::json);
      write_value(writer, from);
      (void)text.parser.parse(as_text(text.out.view()), writer.attachments(), {}, text.tape);
    }
    packed.out.clear();
    value_writer writer(packed.out, value_format::msgpack);
    write_value(writer, from);
    (void)parse_msgpack(packed.out.view(), {}, packed.tape);
    if (!read_value(text.tape.root(), to[0]) || !read_value(packed.tape.root(), to[1])) break;
  }
  CHECK(allocations() == before);
  CHECK(to[0] == from);
  CHECK(to[1] == from);
}
