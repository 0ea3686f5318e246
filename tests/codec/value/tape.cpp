#include <hawser/codec/value/tape.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>

using namespace hawser;

TEST_CASE("tape: a missing value answers every question with nothing", "[codec][value]") {
  value const none;
  CHECK(none.kind() == value_kind::missing);
  CHECK_FALSE(none.exists());
  CHECK_FALSE(none.is_null());
  CHECK_FALSE(none.boolean());
  CHECK_FALSE(none.integer());
  CHECK_FALSE(none.unsigned_integer());
  CHECK_FALSE(none.number());
  CHECK_FALSE(none.string());
  CHECK_FALSE(none.binary());
  CHECK(none.size() == 0);
  CHECK_FALSE(none[0].exists());
  CHECK_FALSE(none["a"].exists());
  for ([[maybe_unused]] value const element : none.elements()) FAIL();
  for ([[maybe_unused]] auto const member : none.members()) FAIL();
}

TEST_CASE("tape: nested containers are walked by index, key and range", "[codec][value]") {
  value_tape tape;
  tape.begin_array();
  tape.integer(1);
  tape.begin_array();
  tape.begin_array();
  tape.end();
  tape.boolean(true);
  tape.end();
  tape.begin_object();
  tape.key("a");
  tape.begin_object();
  tape.key("deep");
  tape.null();
  tape.end();
  tape.key("b");
  tape.string("text");
  tape.key("a");
  tape.binary(as_bytes("xyz"));
  tape.end();
  CHECK_FALSE(tape.root().exists());
  CHECK(tape.depth() == 1);
  tape.end();
  tape.end();  // one too many is nothing

  CHECK(tape.size() == 10);
  value const root = tape.root();
  REQUIRE(root.kind() == value_kind::array);
  REQUIRE(root.size() == 3);
  CHECK(root[0].integer() == 1);
  CHECK(root[1].size() == 2);
  CHECK(root[1][0].kind() == value_kind::array);
  CHECK(root[1][0].size() == 0);
  CHECK(root[1][1].boolean() == true);
  CHECK_FALSE(root[1][2].exists());
  CHECK_FALSE(root[3].exists());
  CHECK(root[2].size() == 3);
  CHECK(root[2]["b"].string() == "text");
  CHECK(as_text(*root[2]["a"].binary()) == "xyz");  // the last of two
  CHECK_FALSE(root[2]["c"].exists());
  CHECK_FALSE(root[2][0].exists());
  CHECK_FALSE(root["a"].exists());

  std::string keys;
  for (auto const [key, what] : root[2].members()) {
    keys += key;
    if (what.kind() == value_kind::object) CHECK(what["deep"].is_null());
  }
  CHECK(keys == "aba");
  std::size_t count = 0;
  for (value const element : root.elements()) count += element.exists() ? 1 : 0;
  CHECK(count == 3);
}

TEST_CASE("tape: whole numbers are found in every kind that holds them exactly", "[codec][value]") {
  value_tape tape;
  auto const made = [&](auto put) {
    tape.clear();
    put(tape);
    return tape.root();
  };
  auto const number = [&](double what) { return made([&](value_tape& t) { t.number(what); }); };
  CHECK(number(3).integer() == 3);
  CHECK(number(-3).integer() == -3);
  CHECK(number(-0.0).integer() == 0);
  CHECK(number(3).unsigned_integer() == 3u);
  CHECK_FALSE(number(-3).unsigned_integer());
  CHECK_FALSE(number(3.5).integer());
  CHECK_FALSE(number(-0.5).integer());
  CHECK(number(9007199254740992.0).integer() == 9007199254740992);
  CHECK(number(-9007199254740992.0).integer() == -9007199254740992);
  CHECK_FALSE(number(9007199254740994.0).integer());
  CHECK_FALSE(number(1e300).integer());
  CHECK_FALSE(number(std::numeric_limits<double>::infinity()).integer());
  CHECK_FALSE(number(std::nan("")).integer());
  CHECK_FALSE(number(std::nan("")).unsigned_integer());

  auto const whole = [&](std::uint64_t what) {
    return made([&](value_tape& t) { t.unsigned_integer(what); });
  };
  CHECK(whole(5).kind() == value_kind::integer);
  CHECK(whole(std::uint64_t{INT64_MAX}).kind() == value_kind::integer);
  CHECK(whole(std::uint64_t{INT64_MAX}).integer() == INT64_MAX);
  value const large = whole(std::uint64_t{1} << 63);
  CHECK(large.kind() == value_kind::unsigned_integer);
  CHECK_FALSE(large.integer());
  CHECK(large.unsigned_integer() == std::uint64_t{1} << 63);
  CHECK(large.number() == 9223372036854775808.0);
  value const negative = made([](value_tape& t) { t.integer(INT64_MIN); });
  CHECK(negative.integer() == INT64_MIN);
  CHECK_FALSE(negative.unsigned_integer());
  CHECK(negative.number() == -9223372036854775808.0);
}

TEST_CASE("tape: numbers beside open containers are the parser's own", "[codec][value]") {
  value_tape tape;
  tape.begin_array();
  tape.pending() = 7;
  tape.begin_object();
  CHECK(tape.in_object());
  CHECK(tape.pending() == 0);
  tape.pending() = 9;
  tape.end();
  CHECK_FALSE(tape.in_object());
  CHECK(tape.pending() == 7);
  tape.end();
  CHECK(tape.root().size() == 1);
}

TEST_CASE("tape: owned texts stay where they are while more come", "[codec][value]") {
  value_tape tape;
  for (int round = 0; round < 3; ++round) {
    tape.clear();
    tape.begin_array();
    for (int i = 0; i < 2000; ++i) {
      tape.string(tape.own(std::string(static_cast<std::size_t>(i), 'a') + std::to_string(i)));
    }
    tape.end();
    std::size_t i = 0;
    for (value const text : tape.root().elements()) {
      REQUIRE(text.string() == std::string(i, 'a') + std::to_string(i));
      ++i;
    }
  }
}
