// When a client dials again: delays, jitter, advice, limits, and what a crowd of them does.
#include <hawser/policy/reconnect.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using hawser::attempt_failure;
using hawser::close_code;
using hawser::exponential_backoff;
using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t middle = std::uint64_t{1} << 63;  // no jitter
constexpr std::uint64_t highest = ~std::uint64_t{0};

std::vector<std::int64_t> delays(exponential_backoff::options numbers, int count,
                                 std::uint64_t random, attempt_failure const& why = {}) {
  exponential_backoff policy(numbers);
  std::vector<std::int64_t> all;
  for (int i = 0; i < count; ++i) {
    auto const delay = policy.next(why, random);
    all.push_back(delay ? delay->count() : -1);
  }
  return all;
}

using list = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("delays double up to the cap", "[policy][reconnect]") {
  CHECK(delays({}, 6, middle) == list{1000, 2000, 4000, 5000, 5000, 5000});
  CHECK(delays({.factor = 0.25}, 3, middle) == list{1000, 1000, 1000});
  CHECK(delays({.first_delay = milliseconds(9'000)}, 2, middle) == list{5000, 5000});
}

TEST_CASE("jitter comes after the cap, both ways", "[policy][reconnect]") {
  CHECK(delays({}, 5, 0) == list{500, 1000, 2000, 2500, 2500});
  CHECK(delays({}, 5, highest) == list{1500, 3000, 6000, 7500, 7500});
  CHECK(delays({.jitter = 0}, 4, highest) == list{1000, 2000, 4000, 5000});
  CHECK(delays({.jitter = 7}, 1, 0) == list{0});
}

TEST_CASE("attempts are counted from the last connection", "[policy][reconnect]") {
  CHECK(delays({.attempts = 2}, 4, middle) == list{1000, 2000, -1, -1});
  CHECK(delays({.attempts = 0}, 1, middle) == list{-1});
  exponential_backoff policy({.attempts = 1});
  CHECK(policy.next({}, middle));
  CHECK_FALSE(policy.next({}, middle));
  policy.reset();
  CHECK(policy.next({}, middle) == milliseconds(1000));
}

TEST_CASE("a server that asks for time gets it", "[policy][reconnect]") {
  attempt_failure const busy{.status = 503, .retry_after = milliseconds(30'000)};
  CHECK(delays({}, 2, 0, busy) == list{30'000, 30'000});
  CHECK(delays({}, 1, highest, busy) == list{45'000});
  attempt_failure const greedy{.status = 503, .retry_after = milliseconds::max()};
  CHECK(delays({}, 1, 0, greedy) == list{300'000});
  attempt_failure const odd{.status = 503, .retry_after = milliseconds(-5)};
  CHECK(delays({}, 1, middle, odd) == list{1000});
}

TEST_CASE("numbers beyond reason overflow nothing", "[policy][reconnect]") {
  exponential_backoff::options const wild{.first_delay = milliseconds::max(),
                                          .factor = std::numeric_limits<double>::infinity(),
                                          .max_delay = milliseconds::max(),
                                          .jitter = 1};
  for (std::int64_t const one : delays(wild, 40, highest)) {
    CHECK(one >= 0);
    CHECK(one <= 2'000'000'000);
  }
  for (std::int64_t const one : delays({.first_delay = milliseconds::min()}, 5, highest)) {
    CHECK(one == 0);
  }
}

TEST_CASE("a drained crowd comes back as evenly as it was sent away", "[policy][reconnect]") {
  constexpr int clients = 5'000, seconds = 30;
  std::mt19937_64 random(7);
  std::vector<int> arrivals(seconds + 12);
  for (int i = 0; i < clients; ++i) {
    exponential_backoff policy({});
    auto const sent_away = milliseconds(seconds * 1000 * std::int64_t{i} / clients);
    auto const delay = policy.next({.code = close_code::service_restart}, random());
    ++arrivals[static_cast<std::size_t>((sent_away + *delay).count() / 1000)];
  }
  int const peak = *std::max_element(arrivals.begin(), arrivals.end());
  CHECK(peak <= clients / seconds * 3 / 2);
}

TEST_CASE("a crowd whose server was killed never comes in step", "[policy][reconnect]") {
  constexpr int clients = 5'000, away = 8;  // seconds without a server
  std::mt19937_64 random(11);
  std::vector<int> back(40);
  for (int i = 0; i < clients; ++i) {
    exponential_backoff policy({});
    std::int64_t at = 0;
    do at += policy.next({}, random())->count();
    while (at < away * 1000);
    ++back[static_cast<std::size_t>(at / 1000)];
  }
  int soon = 0;
  for (int second = away; second < away + 8; ++second) soon += back[std::size_t(second)];
  CHECK(soon >= clients * 95 / 100);
  for (int second = away + 1; second < 39; ++second) {
    CHECK(back[std::size_t(second)] <= clients / 4);
  }
}
