#include <hawser/codec/value/fields.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "written.hpp"

using namespace hawser_test;
using hawser::value_tape;

struct fields_vec2 {
  float x, y;
  bool operator==(fields_vec2 const&) const = default;
};
HAWSER_FIELDS(fields_vec2, x, y);

namespace game::units {

enum class side : std::uint8_t { left, right };

struct ship {
  struct engine {
    int power = 0;
    bool operator==(engine const&) const = default;
  };
  std::string name;
  fields_vec2 at{};
  std::optional<int> crew;
  std::vector<engine> engines;
  std::map<std::string, side> guns;
  bool operator==(ship const&) const = default;
};
HAWSER_FIELDS(ship::engine, power)
HAWSER_FIELDS(ship, name, at, crew, engines, guns)

struct flagship : ship {};

struct tree {
  int here = 0;
  std::vector<tree> kids;
};
HAWSER_FIELDS(tree, here, kids)

struct fields_64 {
  int a0 = 0, a1 = 1, a2 = 2, a3 = 3, a4 = 4, a5 = 5, a6 = 6, a7 = 7;
  int b0 = 0, b1 = 1, b2 = 2, b3 = 3, b4 = 4, b5 = 5, b6 = 6, b7 = 7;
  int c0 = 0, c1 = 1, c2 = 2, c3 = 3, c4 = 4, c5 = 5, c6 = 6, c7 = 7;
  int d0 = 0, d1 = 1, d2 = 2, d3 = 3, d4 = 4, d5 = 5, d6 = 6, d7 = 7;
  int e0 = 0, e1 = 1, e2 = 2, e3 = 3, e4 = 4, e5 = 5, e6 = 6, e7 = 7;
  int f0 = 0, f1 = 1, f2 = 2, f3 = 3, f4 = 4, f5 = 5, f6 = 6, f7 = 7;
  int g0 = 0, g1 = 1, g2 = 2, g3 = 3, g4 = 4, g5 = 5, g6 = 6, g7 = 7;
  int h0 = 0, h1 = 1, h2 = 2, h3 = 3, h4 = 4, h5 = 5, h6 = 6, h7 = 7;
};
HAWSER_FIELDS(fields_64, a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2,
              c3, c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7,
              f0, f1, f2, f3, f4, f5, f6, f7, g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4,
              h5, h6, h7)

}  // namespace game::units

namespace {

struct hidden {
  bool yes = false;
};
HAWSER_FIELDS(hidden, yes)

}  // namespace

using game::units::ship;

static_assert(hawser::writable<fields_vec2> && hawser::readable<fields_vec2>);
static_assert(hawser::writable<ship> && hawser::readable<ship>);
static_assert(hawser::writable<std::vector<ship>> && hawser::readable<std::optional<ship>>);
static_assert(!hawser::writable<game::units::flagship>);  // would lose what it adds

TEST_CASE("fields: a struct is written as an object", "[codec][value]") {
  CHECK(as_json(fields_vec2{0.1f, -2}) == R"({"x":0.1,"y":-2})");
  CHECK(as_msgpack(fields_vec2{1.5f, -2}) == "82a178ca3fc00000a179cac0000000");
  ship const made{"Argo", {1, 2}, {}, {{7}, {8}}, {{"bow", game::units::side::right}}};
  CHECK(as_json(made) ==
        R"({"name":"Argo","at":{"x":1,"y":2},"crew":null,"engines":[{"power":7},{"power":8}],)"
        R"("guns":{"bow":1}})");
}

TEST_CASE("fields: members come in any order, unknown ones are passed over", "[codec][value]") {
  value_tape tape;
  tape.begin_object();
  tape.key("y");
  tape.integer(2);
  tape.key("colour");
  tape.begin_array();
  tape.end();
  tape.key("x");
  tape.number(0.5);
  tape.end();
  fields_vec2 read{};
  CHECK(hawser::read_value(tape.root(), read));
  CHECK(read == fields_vec2{0.5f, 2});
}

TEST_CASE("fields: a missing member fails, unless it is optional", "[codec][value]") {
  value_tape tape;
  tape.begin_object();
  tape.key("x");
  tape.integer(1);
  tape.end();
  fields_vec2 at{};
  CHECK_FALSE(hawser::read_value(tape.root(), at));

  tape.clear();
  tape.begin_object();
  for (char const* const key : {"name", "at", "engines", "guns"}) {
    tape.key(key);
    if (std::string_view(key) == "name") {
      tape.string("Argo");
    } else if (std::string_view(key) == "engines") {
      tape.begin_array();
      tape.end();
    } else {
      tape.begin_object();
      for (char const* const axis : {"x", "y"}) {
        tape.key(axis);
        tape.integer(1);
      }
      tape.end();
    }
  }
  tape.end();
  ship read;
  read.crew = 9;
  REQUIRE(hawser::read_value(tape.root(), read));
  CHECK(read == ship{"Argo",
                     {1, 1},
                     {},
                     {},
                     {{"x", game::units::side::right}, {"y", game::units::side::right}}});
}

TEST_CASE("fields: of doubled members the last counts, whatever the first is", "[codec][value]") {
  value_tape tape;
  tape.begin_object();
  tape.key("x");
  tape.string("no number");
  tape.key("y");
  tape.integer(1);
  tape.key("x");
  tape.integer(3);
  tape.end();
  fields_vec2 read{};
  CHECK(hawser::read_value(tape.root(), read));
  CHECK(read == fields_vec2{3, 1});

  tape.clear();
  tape.begin_object();
  tape.key("yes");
  tape.boolean(true);
  tape.key("yes");
  tape.null();
  tape.end();
  hidden no;
  CHECK_FALSE(hawser::read_value(tape.root(), no));
}

TEST_CASE("fields: what is no object fails", "[codec][value]") {
  value_tape tape;
  tape.begin_array();
  tape.integer(1);
  tape.integer(2);
  tape.end();
  fields_vec2 read{};
  CHECK_FALSE(hawser::read_value(tape.root(), read));
  CHECK_FALSE(hawser::read_value(hawser::value(), read));
}

TEST_CASE("fields: 64 of them", "[codec][value]") {
  game::units::fields_64 const made;
  std::string const text = as_json(made);
  CHECK(text.substr(0, 16) == R"({"a0":0,"a1":1,")");
  CHECK(text.substr(text.size() - 15) == R"(,"h6":6,"h7":7})");
  value_tape tape;
  tape.begin_object();
  std::string names[64];
  for (int i = 63; i >= 0; --i) {  // the worst order
    auto& name = names[i];
    name = {static_cast<char>('a' + i / 8), static_cast<char>('0' + i % 8)};
    tape.key(name);
    tape.integer(100 + i);
  }
  tape.end();
  game::units::fields_64 read;
  REQUIRE(hawser::read_value(tape.root(), read));
  CHECK(read.a0 == 100);
  CHECK(read.e3 == 135);
  CHECK(read.h7 == 163);
}

TEST_CASE("fields: a type may hold itself", "[codec][value]") {
  game::units::tree made{1, {{2, {}}, {3, {{4, {}}}}}};
  CHECK(as_json(made) ==
        R"({"here":1,"kids":[{"here":2,"kids":[]},{"here":3,"kids":[{"here":4,"kids":[]}]}]})");
}
