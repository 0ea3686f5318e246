// Typed handlers: how their parameters are read from what arrives.
#include <hawser/endpoint/event_handler.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <hawser/codec/json/parse.hpp>
#include <hawser/codec/msgpack/parse.hpp>
#include <hawser/codec/value/fields.hpp>
#include <hawser/codec/value/json.hpp>

using hawser::ack;
using hawser::errc;
using hawser::event_view;
using hawser::json;

namespace {

struct place {
  double x = 0;
  std::optional<double> y{};
};
HAWSER_FIELDS(place, x, y);
enum class colour : std::uint8_t { red, green };

struct nobody final : hawser::endpoint_host {
  void answered(hawser::answer_route) override {}
};

struct outcome {
  bool called = false;
  errc error{};
  bool operator==(outcome const&) const = default;
};
constexpr outcome fits{true, {}};
constexpr outcome mismatch{false, errc::argument_mismatch};

/// An event that arrives, in either format, and a handler for it.
class event {
 public:
  explicit event(std::string_view text) {
    at_->detach();  // there is no server
    REQUIRE(parser_.parse(text, {}, tape_) == errc{});
    hawser::value_writer out(bytes_, hawser::value_format::msgpack);
    write_value(out, tape_.root());
    REQUIRE(parse_msgpack(bytes_.view(), {}, packed_) == errc{});
  }
  ~event() { at_->release(); }

  template <class Handler>
  outcome to(Handler handler, bool as_msgpack = false) {
    auto const whole = as_msgpack ? packed_.root() : tape_.root();
    bool called = false;
    hawser::event_call call{*at_, {}, {"e", whole}, number};
    auto erased = hawser::erase_handler(std::move(handler));
    calls_ = 0;
    erased(call);
    called = calls_ > 0;
    number = call.ack;
    return {called, call.error};
  }
  /// Of handlers, that they ran.
  void count() { ++calls_; }

  std::optional<std::uint64_t> number{};

 private:
  nobody host_;
  hawser::anchor* at_ = new hawser::anchor(host_);
  hawser::json_parser parser_;
  hawser::value_tape tape_;
  hawser::byte_buffer bytes_;
  hawser::value_tape packed_;
  int calls_ = 0;
};

/// What a handler with one parameter of type `T` gets of `["e",text]`; nothing: it isn't called.
template <class T>
std::optional<T> read(std::string const& text) {
  std::optional<T> got, packed;
  event it("[\"e\"" + (text.empty() ? "" : "," + text) + "]");
  auto const first = it.to([&](T what) { it.count(), got = std::move(what); });
  auto const second = it.to([&](T what) { it.count(), packed = std::move(what); }, true);
  CHECK(first == (got ? fits : mismatch));
  CHECK(first == second);
  CHECK(got == packed);
  return got;
}

}  // namespace

TEST_CASE("event handler: numbers fit by their value", "[endpoint][event_handler]") {
  CHECK(read<int>("7") == 7);
  CHECK(read<int>("-7") == -7);
  CHECK(read<int>("2147483647") == 2147483647);
  CHECK_FALSE(read<int>("2147483648"));
  CHECK_FALSE(read<int>("1.5"));
  CHECK_FALSE(read<int>("\"7\""));
  CHECK_FALSE(read<int>("true"));
  CHECK_FALSE(read<int>("null"));
  CHECK_FALSE(read<int>("[7]"));
  CHECK_FALSE(read<int>(""));
  CHECK(read<std::uint8_t>("255") == 255);
  CHECK_FALSE(read<std::uint8_t>("256"));
  CHECK_FALSE(read<std::uint8_t>("-1"));
  CHECK(read<std::uint64_t>("18446744073709551615") == UINT64_MAX);
  CHECK(read<std::int64_t>("-9223372036854775808") == INT64_MIN);
  CHECK(read<double>("1.5") == 1.5);
  CHECK(read<double>("7") == 7);
  CHECK(read<float>("0.25") == 0.25f);
  CHECK_FALSE(read<float>("1e300"));
  CHECK_FALSE(read<double>("\"1.5\""));
  CHECK(read<colour>("1") == colour::green);
}

TEST_CASE("event handler: booleans, texts and null", "[endpoint][event_handler]") {
  CHECK(read<bool>("true") == true);
  CHECK_FALSE(read<bool>("1"));
  CHECK_FALSE(read<bool>("\"true\""));
  CHECK(read<std::string>("\"a\\u00e9\"") == "a\xc3\xa9");
  CHECK(read<std::string>("\"\"") == "");
  CHECK_FALSE(read<std::string>("7"));
  CHECK_FALSE(read<std::string>("null"));
  CHECK(read<std::nullptr_t>("null"));
  CHECK_FALSE(read<std::nullptr_t>("0"));
}

TEST_CASE("event handler: lists, maps, structs and variants", "[endpoint][event_handler]") {
  CHECK(read<std::vector<int>>("[1,2,3]") == std::vector<int>{1, 2, 3});
  CHECK(read<std::vector<int>>("[]") == std::vector<int>{});
  CHECK_FALSE(read<std::vector<int>>("[1,\"2\"]"));
  CHECK_FALSE(read<std::vector<int>>("{}"));
  CHECK(read<std::array<int, 2>>("[1,2]") == std::array<int, 2>{1, 2});
  CHECK_FALSE((read<std::array<int, 2>>("[1]")));
  CHECK(read<std::tuple<int, std::string>>("[1,\"a\"]") == std::tuple(1, std::string("a")));
  CHECK(read<std::map<std::string, int>>("{\"a\":1}") == std::map<std::string, int>{{"a", 1}});
  CHECK(read<std::variant<int, std::string>>("\"a\"") ==
        std::variant<int, std::string>(std::string("a")));
  CHECK_FALSE((read<std::variant<int, std::string>>("[]")));
  CHECK(read<json>("{\"a\":[1,null]}")->dump() == "{\"a\":[1,null]}");
  CHECK_FALSE(read<json>(""));

  event it(R"(["e",{"x":1.5,"z":0}])");
  CHECK(it.to([&](place p) {
    it.count();
    CHECK((p.x == 1.5 && !p.y));
  }) == fits);
  event wrong(R"(["e",{"y":1.5}])");
  CHECK(wrong.to([&](place) { wrong.count(); }) == mismatch);
}

TEST_CASE("event handler: what is missing fits an optional", "[endpoint][event_handler]") {
  std::optional<std::optional<int>> const found_nothing(std::in_place);
  CHECK(read<std::optional<int>>("7") == std::optional<int>(7));
  CHECK(read<std::optional<int>>("null") == found_nothing);
  CHECK(read<std::optional<int>>("") == found_nothing);
  CHECK_FALSE(read<std::optional<int>>("\"7\""));

  event it(R"(["e",1])");
  CHECK(it.to([&](int a, std::optional<int> b, std::optional<std::string> c) {
    it.count();
    CHECK((a == 1 && !b && !c));
  }) == fits);
  CHECK(it.to([&](std::optional<int> a, int) { it.count(), (void)a; }) == mismatch);
}

TEST_CASE("event handler: arguments beyond the last parameter are not looked at",
          "[endpoint][event_handler]") {
  event it(R"(["e",1,"two",{"three":3}])");
  CHECK(it.to([&](int a) {
    it.count();
    CHECK(a == 1);
  }) == fits);
  CHECK(it.to([&] { it.count(); }) == fits);
  CHECK(it.to([&](int, int) { it.count(); }) == mismatch);
  CHECK(it.to([&](int, std::string) { it.count(); }) == fits);
  event none(R"(["e"])");
  CHECK(none.to([&] { none.count(); }) == fits);
  CHECK(none.to([&](int) { none.count(); }) == mismatch);
}

TEST_CASE("event handler: socket, event view and ack take no argument's place",
          "[endpoint][event_handler]") {
  event it(R"(["e",1,"two"])");
  CHECK(it.to([&](hawser::socket s, int a, event_view const& all, std::string_view b, ack<> done) {
    it.count();
    CHECK_FALSE(s.connected());
    CHECK((a == 1 && b == "two" && !done));
    CHECK(all.name() == "e");
    CHECK(all.size() == 2);
    CHECK(all[1].string() == "two");
    CHECK_FALSE(all[2].exists());
  }) == fits);
  CHECK(it.to([&](event_view all, hawser::socket const&) {
    it.count();
    CHECK(all.size() == 2);
  }) == fits);
}

TEST_CASE("event handler: parameters by value, by reference and to move from",
          "[endpoint][event_handler]") {
  event it(R"(["e","a text that is long enough to be on the heap",[1,2]])");
  CHECK(it.to([&](std::string const& a, std::vector<int>& b) {
    it.count();
    CHECK(a.size() > 30);
    CHECK(b.size() == 2);
  }) == fits);
  CHECK(it.to([&](std::string&& a, std::vector<int> b) {
    it.count();
    std::string const taken = std::move(a);
    CHECK(taken.size() > 30);
    CHECK(b.size() == 2);
  }) == fits);
}

TEST_CASE("event handler: views are of what arrived", "[endpoint][event_handler]") {
  event it(R"(["e","text",[1,"two"]])");
  CHECK(it.to([&](std::string_view text, hawser::value list) {
    it.count();
    CHECK(text == "text");
    CHECK(list[1].string() == "two");
  }) == fits);
  hawser::byte_buffer bytes;
  hawser::value_writer out(bytes, hawser::value_format::msgpack);
  out.begin_array(2);
  out.string("e");
  out.binary(hawser::as_bytes("bytes"));
  hawser::value_tape tape;
  REQUIRE(parse_msgpack(bytes.view(), {}, tape) == errc{});
  nobody host;
  auto* const at = new hawser::anchor(host);
  hawser::event_call call{*at, {}, {"e", tape.root()}, {}};
  int calls = 0;
  auto const is_inside = [&](hawser::bytes_view seen) {
    return bytes.data() <= seen.data() && seen.data() + seen.size() <= bytes.data() + bytes.size();
  };
  hawser::erase_handler([&](hawser::bytes_view seen) {
    ++calls;
    CHECK(hawser::as_text(seen) == "bytes");
    CHECK(is_inside(seen));
  })(call);
  hawser::erase_handler([&](std::vector<std::byte> copy) {
    ++calls;
    CHECK(copy.size() == 5);
  })(call);
  CHECK(calls == 2);
  hawser::erase_handler([&](std::string_view) { ++calls; })(call);
  CHECK(calls == 2);
  CHECK(call.error == errc::argument_mismatch);
  at->release();
}

TEST_CASE("event handler: whoever answers first has the acknowledgement",
          "[endpoint][event_handler]") {
  event it(R"(["e",1])");
  it.number = 7;
  std::optional<ack<int>> kept;
  CHECK(it.to([&](ack<int> done) { it.count(), kept = std::move(done); }) == fits);
  CHECK_FALSE(it.number);  // it is the handler's now
  REQUIRE(kept);
  CHECK(*kept);
  CHECK(it.to([&](ack<int> done) {
    it.count();
    CHECK_FALSE(done);
  }) == fits);
  ack<int> moved = std::move(*kept);
  CHECK(moved);
  CHECK_FALSE(*kept);

  // What doesn't fit leaves it to the next.
  it.number = 8;
  CHECK(it.to([&](std::string, ack<int>) { it.count(); }) == mismatch);
  CHECK(it.number == 8);
  // A result is an answer.
  CHECK(it.to([&](int a) { return it.count(), a; }).called);
  CHECK_FALSE(it.number);
}

TEST_CASE("event handler: a default acknowledgement does nothing", "[endpoint][event_handler]") {
  ack<int, std::string> none;
  CHECK_FALSE(none);
  CHECK(none(1, "a") == errc::not_open);
}

TEST_CASE("event handler: a handler fits an event of exactly its arguments",
          "[endpoint][event_handler]") {
  auto const takes = [](hawser::socket, int, std::string const&, ack<bool>) {};
  using handler = decltype(takes);
  CHECK(hawser::handles<handler, int, std::string>);
  CHECK_FALSE(hawser::handles<handler, int>);
  CHECK_FALSE(hawser::handles<handler, std::string, int>);
  CHECK_FALSE(hawser::handles<handler, int, std::string_view>);
  auto const generic = [](auto...) {};
  CHECK_FALSE(hawser::handles<decltype(generic), int>);
  CHECK_FALSE(hawser::typed_handler<decltype(generic)>);
  auto const raw = [](void*) {};
  CHECK_FALSE(hawser::typed_handler<decltype(raw)>);
}
