#include <hawser/codec/value/mapping.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "written.hpp"

using namespace hawser;
using namespace hawser_test;

namespace {

enum class plain : std::int8_t { low = -3, high = 100 };
enum class unsigned_enum : std::uint64_t { top = UINT64_MAX };
enum class colour { red = 1, green = 2 };
struct unmapped {};
struct unmade {
  explicit unmade(int) {}
};

}  // namespace

template <>
struct hawser::enum_names<colour> {
  static constexpr std::pair<colour, std::string_view> list[] = {{colour::red, "red"},
                                                                 {colour::green, "green"}};
};

template <>
struct hawser::mapping<unmade> {
  static void write(value_writer& out, unmade const&) { out.null(); }
  static bool read(value const& from, unmade&) { return from.is_null(); }
};

static_assert(writable<int> && readable<int>);
static_assert(readable<unmade> && writable<std::vector<unmade>>);
static_assert(!readable<std::vector<unmade>> && !readable<std::optional<unmade>>);
static_assert(!readable<std::map<std::string, unmade>> && !readable<std::variant<int, unmade>>);
static_assert(readable<std::tuple<int, unmade>>);  // made by who asks
static_assert(!writable<char> && !readable<char> && !writable<wchar_t> && !writable<char8_t>);
static_assert(writable<char const*> && !readable<char const*>);
static_assert(writable<char const (&)[4]> && !readable<char[4]>);
static_assert(writable<std::string_view> && readable<std::string_view&>);
static_assert(writable<bytes_view> && readable<bytes_view>);
static_assert(!writable<unmapped> && !readable<unmapped> && !writable<unmapped*>);
static_assert(!writable<std::vector<unmapped>> && !readable<std::optional<unmapped>>);
static_assert(!writable<std::tuple<int, unmapped>> && !readable<std::map<std::string, unmapped>>);
static_assert(!writable<std::map<int, int>>);  // keys are texts
static_assert(readable<value> && writable<value const&>);
static_assert(readable<std::vector<std::optional<std::map<std::string, std::vector<bool>>>>>);

TEST_CASE("mapping: every built-in kind is written", "[codec][value]") {
  CHECK(as_json(true) == "true");
  CHECK(as_json(std::int8_t{-128}) == "-128");
  CHECK(as_json(std::uint8_t{255}) == "255");
  CHECK(as_json(UINT64_MAX) == "18446744073709551615");
  CHECK(as_json(1.5f) == "1.5");
  CHECK(as_json(0.25) == "0.25");
  CHECK(as_json(std::string("a\"b")) == R"("a\"b")");
  CHECK(as_json(std::string_view("sv")) == R"("sv")");
  CHECK(as_json("literal") == R"("literal")");
  char const* text = "pointer";
  CHECK(as_json(text) == R"("pointer")");
  text = nullptr;
  CHECK(as_json(text) == R"("")");
  char const buffer[8] = {'a', 'b'};
  CHECK(as_json(buffer) == R"("ab")");
  char const full[2] = {'a', 'b'};
  CHECK(as_json(full) == R"("ab")");
  CHECK(as_json(std::vector<std::byte>(2)) == R"({"_placeholder":true,"num":0})");
  CHECK(as_msgpack(std::vector<std::byte>(2)) == "c4020000");
  CHECK(as_msgpack(as_bytes("ab")) == "c4026162");
  CHECK(as_json(std::optional<int>()) == "null");
  CHECK(as_json(std::optional<int>(4)) == "4");
  CHECK(as_json(std::variant<int, std::string>("x")) == R"("x")");
  CHECK(as_json(std::vector<int>{1, 2}) == "[1,2]");
  CHECK(as_json(std::vector<bool>{true, false}) == "[true,false]");
  CHECK(as_json(std::array<double, 2>{1, 2.5}) == "[1,2.5]");
  CHECK(as_json(std::array<int, 0>{}) == "[]");
  CHECK(as_json(std::map<std::string, int>{{"a", 1}, {"b", 2}}) == R"({"a":1,"b":2})");
  CHECK(as_json(std::unordered_map<std::string, int>{{"a", 1}}) == R"({"a":1})");
  CHECK(as_json(std::tuple(1, "x", std::vector{2.5})) == R"([1,"x",[2.5]])");
  CHECK(as_json(std::tuple<>()) == "[]");
  CHECK(as_json(std::pair(1, false)) == "[1,false]");
  CHECK(as_json(plain::low) == "-3");
  CHECK(as_json(unsigned_enum::top) == "18446744073709551615");
  CHECK(as_json(colour::green) == R"("green")");
  CHECK(as_json(colour{7}) == "7");
  CHECK(as_json(nullptr) == "null");
  CHECK(as_json(std::monostate()) == "null");
  CHECK(as_json(value()) == "null");
}
