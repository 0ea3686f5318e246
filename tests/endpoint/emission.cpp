// Events on their way to a parser.
#include <hawser/endpoint/emission.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/json/parse.hpp>
#include <hawser/codec/value/json.hpp>

using hawser::errc;
using hawser::event;
using hawser::event_view;
using hawser::json;
using hawser::latest_key;

namespace {

std::string text_of(hawser::payload_source what, std::string_view offset = {}) {
  hawser::byte_buffer bytes;
  hawser::value_writer out(bytes, hawser::value_format::json);
  what.write(what.self, out, offset);
  return std::string(hawser::as_text(bytes.view()));
}

template <class... Args>
std::string event_text(std::string_view name, Args const&... arguments) {
  return text_of(hawser::event_payload<Args...>(name, arguments...).source());
}
template <class... Args>
std::string ack_text(Args const&... arguments) {
  return text_of(hawser::ack_payload<Args...>(arguments...).source());
}

/// `["name", ...]` as it arrived.
struct arrived {
  explicit arrived(std::string_view text) { REQUIRE(parser.parse(text, {}, tape) == errc{}); }
  event_view view() const { return {*tape.root()[0].string(), tape.root()}; }
  hawser::json_parser parser;
  hawser::value_tape tape;
};

enum class colour { red, green };
constexpr event<"pos", std::uint32_t, double> position{.delivery = hawser::latest};
static_assert(position.name() == "pos" && position.delivery == hawser::latest);
static_assert(event<"", int>::name().empty());
static_assert(event<"a">{}.delivery == hawser::reliable);

static_assert(hawser::event_takes<std::remove_const_t<decltype(position)>, int, float>);
static_assert(!hawser::event_takes<std::remove_const_t<decltype(position)>, int>);
static_assert(hawser::event_takes<event<"pos", std::uint32_t, double>, std::uint32_t, double>);
static_assert(!hawser::event_takes<event<"pos", std::uint32_t>, std::string>);
static_assert(hawser::event_takes<event<"none">> && !hawser::event_takes<event<"none">, int>);

}  // namespace

TEST_CASE("emission: an event is the array of its name and arguments", "[endpoint][emission]") {
  CHECK(event_text("a") == R"(["a"])");
  CHECK(event_text("a", 1, true, "two", std::vector<int>{3}) == R"(["a",1,true,"two",[3]])");
  CHECK(event_text("\"quoted\"", nullptr) == R"(["\"quoted\"",null])");
  CHECK(ack_text() == "[]");
  CHECK(ack_text(1, "two") == R"([1,"two"])");
}

TEST_CASE("emission: an offset is the last element", "[endpoint][emission]") {
  int const number = 1;  // a payload only refers to its arguments
  hawser::event_payload<int> const one("a", number);
  CHECK(text_of(one.source(), "off") == R"(["a",1,"off"])");
  hawser::event_payload<> const none("a");
  CHECK(text_of(none.source(), "off") == R"(["a","off"])");
}

TEST_CASE("emission: the view of an event stands for its arguments", "[endpoint][emission]") {
  arrived const it(R"(["in",1,{"a":[2]},null])");
  CHECK(event_text("out", it.view()) == R"(["out",1,{"a":[2]},null])");
  CHECK(event_text("out", 0, it.view(), it.view(), "end") ==
        R"(["out",0,1,{"a":[2]},null,1,{"a":[2]},null,"end"])");
  CHECK(ack_text(it.view()) == R"([1,{"a":[2]},null])");
  arrived const none(R"(["in"])");
  CHECK(none.view().size() == 0);
  CHECK(event_text("out", none.view()) == R"(["out"])");
  CHECK(ack_text(none.view()) == "[]");

  hawser::byte_buffer bytes;
  hawser::value_writer packed(bytes, hawser::value_format::msgpack);
  event_view const seen = it.view();
  hawser::event_payload<event_view> const again("out", seen);
  again.source().write(again.source().self, packed, "off");
  CHECK(bytes.data()[0] == std::byte{0x95});  // all are counted: an array of five
}

TEST_CASE("emission: a whole value is an event", "[endpoint][emission]") {
  arrived const it(R"(["in",1,{"a":[2]}])");
  hawser::value_payload const again(it.tape.root());
  CHECK(text_of(again.source()) == R"(["in",1,{"a":[2]}])");
  CHECK(text_of(again.source(), "off") == R"(["in",1,{"a":[2]},"off"])");
}

TEST_CASE("emission: the key of latest is of the name and the first argument",
          "[endpoint][emission]") {
  CHECK(latest_key("a") == latest_key("a"));
  CHECK(latest_key("a", 1) == latest_key("a", 1, 2.5));
  CHECK(latest_key("a", std::string("x")) == latest_key("a", std::string_view("x"), 1));
  CHECK(latest_key("a", colour::green) == latest_key("a", 1));
  CHECK(latest_key("a", 1.5) == latest_key("a", 2.5));  // no key: one for all of the name

  std::set<std::uint64_t> keys;
  for (char const name : {'a', 'b', 'c'}) {
    keys.insert(latest_key(std::string_view(&name, 1)));
    for (std::uint32_t i = 0; i < 1'000; ++i) {
      keys.insert(latest_key(std::string_view(&name, 1), i));
      keys.insert(latest_key(std::string_view(&name, 1), std::to_string(i)));
    }
  }
  CHECK(keys.size() == 3 * 2'001);
}
