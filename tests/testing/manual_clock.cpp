#include <hawser/testing/manual_clock.hpp>

#include <catch2/catch.hpp>

using namespace hawser;
using namespace std::chrono_literals;

TEST_CASE("manual clock: moves only when told to", "[testing][clock]") {
  manual_clock clock;
  auto const start = clock.now();
  CHECK(start != time_point{});
  CHECK(clock.now() == start);
  CHECK(clock.advance(5s) == start + 5s);
  clock.advance(1ms);
  CHECK(clock.elapsed() == 5001ms);
}
