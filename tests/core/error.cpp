#include <hawser/core/error.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace hawser;

namespace {

bool exists(int value) {
  return std::string(describe(static_cast<errc>(value))) != describe(errc{});
}

// Every enumerator: each group begins at a round number and has no gaps.
std::vector<errc> all() {
  std::vector<errc> found;
  for (int value = 1; value < 1'000; ++value) {
    if (exists(value)) found.push_back(static_cast<errc>(value));
  }
  return found;
}

}  // namespace

TEST_CASE("error: every code has a text of its own", "[core][error]") {
  std::set<std::string> texts;
  for (errc const code : all()) {
    std::string const text = make_error_code(code).message();
    CHECK_FALSE(text.empty());
    CHECK(text.size() <= 123);  // it may be sent as a close reason
    CHECK(texts.insert(text).second);
  }
  CHECK(texts.size() == all().size());
}

TEST_CASE("error: the groups have no gaps", "[core][error]") {
  int const last[] = {
      static_cast<int>(errc::namespace_not_joined), static_cast<int>(errc::offline_replaced),
      static_cast<int>(errc::redirect_refused), static_cast<int>(errc::disconnected),
      static_cast<int>(errc::journal_io)};
  int const first[] = {1, 40, 80, 140, 180};
  std::size_t count = 0;
  for (int group = 0; group < 5; ++group) {
    for (int value = first[group]; value <= last[group]; ++value) {
      CAPTURE(value);
      CHECK(exists(value));
      ++count;
    }
  }
  CHECK(all().size() == count);
}

TEST_CASE("error: each code compares equal to its condition and no other", "[core][error]") {
  auto const expected = [](errc code) {
    if (code >= errc::not_open) return condition::misuse;
    if (code >= errc::end_of_stream) return condition::peer_gone;
    if (code >= errc::bad_request_line) return condition::handshake_failed;
    if (code >= errc::message_too_big) return condition::limit_reached;
    return condition::protocol_violation;
  };
  for (errc const code : all()) {
    std::error_code const error = code;
    for (condition const one :
         {condition::protocol_violation, condition::limit_reached, condition::handshake_failed,
          condition::peer_gone, condition::misuse}) {
      CAPTURE(error.message());
      CHECK((error == one) == (one == expected(code)));
    }
  }
  CHECK(make_error_code(std::errc::timed_out) != condition::peer_gone);
}

TEST_CASE("error: conditions have names", "[core][error]") {
  std::set<std::string> texts;
  for (int value = 1; value <= 5; ++value) {
    auto const one = make_error_condition(static_cast<condition>(value));
    CHECK(one.message() != "unknown");
    CHECK(texts.insert(one.message()).second);
    CHECK(one.category() == condition_category());
  }
  CHECK(condition_category().message(99) == "unknown");
  CHECK(std::string(condition_category().name()) == "hawser.condition");
}

TEST_CASE("error: codes convert, compare and name their category", "[core][error]") {
  std::error_code const error = errc::not_open;
  CHECK(error == errc::not_open);
  CHECK(error != errc::dropped);
  CHECK(error);
  CHECK(std::string(error.category().name()) == "hawser");
  CHECK(error_category().message(999) == "unknown hawser error");
}

TEST_CASE("result: a value or the reason why there is none", "[core][error]") {
  result<std::string> good = std::string("value");
  REQUIRE(good);
  CHECK(*good == "value");
  CHECK(good->size() == 5);
  CHECK_FALSE(good.error());

  result<std::string> const bad = errc::bad_url;
  CHECK_FALSE(bad.has_value());
  CHECK(bad.error() == errc::bad_url);
  result<std::string> const other = make_error_code(std::errc::io_error);
  CHECK(other.error() == std::errc::io_error);
}

TEST_CASE("result: holds what can only be moved", "[core][error]") {
  result<std::unique_ptr<int>> made = std::make_unique<int>(3);
  REQUIRE(made);
  auto const taken = std::move(*made);
  CHECK(*taken == 3);
}
