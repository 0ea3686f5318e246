#include <hawser/policy/heartbeat.hpp>

#include <catch2/catch.hpp>

#include <chrono>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

time_point const begin{1'000s};
using action = beat::action;

}  // namespace

TEST_CASE("websocket ping: pings a silent peer and gives it up", "[policy][heartbeat]") {
  websocket_ping::options const numbers{.ping_after = 20s, .timeout = 10s};
  websocket_ping heart;
  beat said = heart.start(numbers, begin);
  CHECK(said.what == action::wait);
  CHECK(said.next == begin + 10s);
  said = heart.poll(numbers, said.next);
  CHECK(said.what == action::wait);
  CHECK(said.next == begin + 20s);
  said = heart.poll(numbers, said.next);
  CHECK(said.what == action::ping);
  CHECK(said.next == begin + 30s);
  said = heart.poll(numbers, begin + 25s);  // asked too early: it waits on
  CHECK(said.what == action::wait);
  CHECK(said.next == begin + 30s);
  said = heart.poll(numbers, said.next);
  CHECK(said.what == action::expired);
  said = heart.poll(numbers, begin + 31s);
  CHECK(said.what == action::expired);
}

TEST_CASE("websocket ping: any byte counts as life, the last moment included",
          "[policy][heartbeat]") {
  websocket_ping::options const numbers{.ping_after = 20s, .timeout = 10s};
  websocket_ping heart;
  heart.start(numbers, begin);
  REQUIRE(heart.poll(numbers, begin + 20s).what == action::ping);
  heart.on_received();
  beat const said = heart.poll(numbers, begin + 30s);
  CHECK(said.what == action::wait);
  CHECK(said.next == begin + 40s);
  CHECK(heart.poll(numbers, begin + 50s).what == action::ping);
}

TEST_CASE("websocket ping: a busy peer is never pinged", "[policy][heartbeat]") {
  websocket_ping::options const numbers{};
  websocket_ping heart;
  beat said = heart.start(numbers, begin);
  for (int i = 0; i < 1'000; ++i) {
    heart.on_received();
    time_point const now = said.next;
    said = heart.poll(numbers, now);
    REQUIRE(said.what == action::wait);
    REQUIRE(said.next > now);
  }
}

TEST_CASE("websocket ping: silence is noticed within one and a half times ping_after",
          "[policy][heartbeat]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    seeded_random random(seed);
    websocket_ping::options const numbers{std::chrono::milliseconds{random.between(1, 60'000)},
                                          std::chrono::milliseconds{random.between(1, 60'000)}};
    websocket_ping heart;
    beat said = heart.start(numbers, begin);
    time_point const silent_since = begin + std::chrono::milliseconds{random.uniform(200'000)};
    time_point now = begin;
    time_point pinged{};
    for (;;) {
      time_point const asked = said.next;
      REQUIRE(asked >= now);
      if (asked < silent_since) heart.on_received();
      now = asked;
      said = heart.poll(numbers, now);
      if (said.what == action::expired) break;
      REQUIRE(said.next > now);
      if (said.what == action::ping) {
        REQUIRE(now >= silent_since);
        pinged = now;
      }
    }
    REQUIRE(pinged != time_point{});
    CHECK(pinged <= silent_since + 2 * numbers.ping_after);
    CHECK(now == pinged + numbers.timeout);
  }
}

TEST_CASE("websocket ping: a process that stalled pings first", "[policy][heartbeat]") {
  websocket_ping::options const numbers{.ping_after = 20s, .timeout = 10s};
  websocket_ping heart;
  heart.start(numbers, begin);
  CHECK(heart.poll(numbers, begin + 1h).what == action::ping);
}

TEST_CASE("no heartbeat: never asks and never judges", "[policy][heartbeat]") {
  no_heartbeat heart;
  no_heartbeat::options const numbers{};
  CHECK(heart.start(numbers, begin).next == time_point::max());
  heart.on_received();
  beat const said = heart.poll(numbers, begin + 24h);
  CHECK(said.what == action::wait);
  CHECK(said.next == time_point::max());
  static_assert(sizeof(no_heartbeat) == 1);
}
