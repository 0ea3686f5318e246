#include <hawser/machine/rate_guard.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

time_point const begin{5'000s};

// How much an obedient reader lets through in this time, when the peer always has more.
double taken(rate_limits const& limits, rate_kind kind, std::size_t bytes, duration time) {
  rate_guard guard(limits, begin);
  time_point now = begin;
  double count = 0;
  while (now < begin + time) {
    auto const said = guard.take(kind, bytes, now);
    REQUIRE(said != rate_verdict::exceeded);
    count += 1;
    if (said == rate_verdict::wait) {
      REQUIRE(guard.until() > now);
      now = guard.until();
    }
  }
  return count;
}

rate_limits messages(double per_second, double burst) {
  return {.messages = {per_second, burst}, .patience = 24h};
}

}  // namespace

TEST_CASE("rate guard: lets a burst pass at once and not one more", "[machine][rate_guard]") {
  for (double const burst : {1.0, 10.0, 500.0}) {
    rate_guard guard(messages(10, burst), begin);
    for (double i = 0; i < burst; ++i) {
      REQUIRE(guard.take(rate_kind::message, 1, begin) == rate_verdict::within);
    }
    CHECK(guard.take(rate_kind::message, 1, begin) == rate_verdict::wait);
    CHECK(guard.until() > begin);
  }
}

TEST_CASE("rate guard: sustains the rate within two per cent over a minute",
          "[machine][rate_guard]") {
  for (double const rate : {0.5, 1.0, 7.0, 30.0, 100.0, 999.0, 20'000.0}) {
    for (double const burst : {1.0, 10.0, 200.0}) {
      CAPTURE(rate, burst);
      double const count = taken(messages(rate, burst), rate_kind::message, 1, 60s);
      double const expected = burst + 60 * rate;
      CHECK(count >= expected * 0.98 - 2);
      CHECK(count <= expected * 1.02 + 2);
    }
  }
}

TEST_CASE("rate guard: limits bytes as it limits messages", "[machine][rate_guard]") {
  rate_limits const limits{.bytes = {100'000, 50'000}, .patience = 24h};
  for (std::size_t const size : {std::size_t{10}, std::size_t{1'000}, std::size_t{40'000}}) {
    CAPTURE(size);
    double const bytes = taken(limits, rate_kind::message, size, 60s) * static_cast<double>(size);
    double const expected = 50'000 + 60 * 100'000;
    CHECK(bytes >= expected * 0.98 - 2 * static_cast<double>(size));
    CHECK(bytes <= expected * 1.02 + 2 * static_cast<double>(size));
  }
}

TEST_CASE("rate guard: one large message is paid for before the next", "[machine][rate_guard]") {
  rate_guard guard({.bytes = {1'000, 1'000}, .patience = 24h}, begin);
  CHECK(guard.take(rate_kind::message, 21'000, begin) == rate_verdict::wait);
  CHECK(guard.until() >= begin + 20s);
  CHECK(guard.until() <= begin + 20s + 1ms);
}

TEST_CASE("rate guard: the stricter of two limits counts", "[machine][rate_guard]") {
  rate_limits const limits{.messages = {100, 1}, .bytes = {1'000, 1'000}, .patience = 24h};
  CHECK(taken(limits, rate_kind::message, 1, 60s) == Approx(6'000).epsilon(0.02));
  CHECK(taken(limits, rate_kind::message, 100, 60s) == Approx(610).epsilon(0.02));
}

TEST_CASE("rate guard: below the rate nobody is ever slowed down", "[machine][rate_guard]") {
  rate_guard guard(messages(10, 1), begin);
  for (int i = 0; i < 10'000; ++i) {
    REQUIRE(guard.take(rate_kind::message, 1, begin + i * 101ms) == rate_verdict::within);
  }
}

TEST_CASE("rate guard: a long silence saves up one burst", "[machine][rate_guard]") {
  rate_guard guard(messages(10, 5), begin);
  for (int i = 0; i < 5; ++i) guard.take(rate_kind::message, 1, begin);
  time_point const later = begin + 24h;
  for (int i = 0; i < 5; ++i) {
    CHECK(guard.take(rate_kind::message, 1, later) == rate_verdict::within);
  }
  CHECK(guard.take(rate_kind::message, 1, later) == rate_verdict::wait);
}

TEST_CASE("rate guard: what goes on for longer than patience is enough", "[machine][rate_guard]") {
  rate_limits limits = messages(10, 1);
  limits.patience = 10s;
  rate_guard guard(limits, begin);
  time_point now = begin;
  for (;;) {
    auto const said = guard.take(rate_kind::message, 1, now);
    if (said == rate_verdict::exceeded) break;
    if (said == rate_verdict::wait) now = guard.until();
    REQUIRE(now < begin + 20s);
  }
  CHECK(now >= begin + 10s);
  CHECK(now <= begin + 11s);
}

TEST_CASE("rate guard: a pause begins patience anew", "[machine][rate_guard]") {
  rate_limits limits = messages(10, 1);
  limits.patience = 10s;
  rate_guard guard(limits, begin);
  time_point now = begin;
  for (int round = 0; round < 5; ++round) {
    time_point const stop = now + 8s;
    while (now < stop) {
      auto const said = guard.take(rate_kind::message, 1, now);
      REQUIRE(said != rate_verdict::exceeded);
      if (said == rate_verdict::wait) now = guard.until();
    }
    now += 3s;
  }
}

TEST_CASE("rate guard: control frames over the rate are enough the third time",
          "[machine][rate_guard]") {
  rate_limits const limits{.control = {.per_second = 10, .burst = 200}};
  rate_guard guard(limits, begin);
  for (int i = 0; i < 200; ++i) {
    REQUIRE(guard.take(rate_kind::control, 0, begin) == rate_verdict::within);
  }
  CHECK(guard.take(rate_kind::control, 0, begin) == rate_verdict::wait);
  CHECK(guard.take(rate_kind::control, 0, begin) == rate_verdict::wait);
  CHECK(guard.take(rate_kind::control, 0, begin) == rate_verdict::exceeded);
}

TEST_CASE("rate guard: messages and control frames are counted apart", "[machine][rate_guard]") {
  rate_limits limits = messages(10, 3);
  limits.control = {.per_second = 10, .burst = 3};
  rate_guard guard(limits, begin);
  for (int i = 0; i < 3; ++i) {
    CHECK(guard.take(rate_kind::message, 1, begin) == rate_verdict::within);
    CHECK(guard.take(rate_kind::control, 1, begin) == rate_verdict::within);
  }
  CHECK(guard.take(rate_kind::message, 1, begin) == rate_verdict::wait);
}

TEST_CASE("rate guard: a rate of zero is no limit", "[machine][rate_guard]") {
  rate_guard guard({.control = {}}, begin);
  for (int i = 0; i < 100'000; ++i) {
    REQUIRE(guard.take(rate_kind::message, 1'000'000, begin) == rate_verdict::within);
    REQUIRE(guard.take(rate_kind::control, 0, begin) == rate_verdict::within);
  }
}
