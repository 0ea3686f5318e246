#include <hawser/core/timing_wheel.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

time_point const origin{std::chrono::hours{100}};

struct timer : wheel_entry {
  time_point deadline{};
  std::size_t index = 0;
};

}  // namespace

TEST_CASE("timing wheel: nothing scheduled, nothing to wait for", "[core][timing_wheel]") {
  timing_wheel wheel(origin);
  CHECK_FALSE(wheel.next());
  wheel.advance(origin + 24h, [](wheel_entry&) { FAIL("nothing was scheduled"); });
  wheel.advance(origin - 1h, [](wheel_entry&) { FAIL("nothing was scheduled"); });
  wheel_entry entry;
  CHECK_FALSE(entry.scheduled());
  wheel.cancel(entry);
  wheel.schedule(entry, origin + 25h);
  CHECK(entry.scheduled());
  wheel.cancel(entry);
  CHECK_FALSE(entry.scheduled());
  CHECK_FALSE(wheel.next());
}

TEST_CASE("timing wheel: never early and at most one tick late", "[core][timing_wheel]") {
  // Every distance whose slot lies at an edge of a level, and its neighbours.
  std::vector<std::int64_t> ticks{0, 1, 2};
  for (int level = 1; level <= 5; ++level) {
    std::int64_t const edge = std::int64_t{1} << (6 * level);
    for (std::int64_t const by : {-65, -64, -63, -2, -1, 0, 1, 2, 63, 64, 65}) {
      if (edge + by > 0) ticks.push_back(edge + by);
    }
  }
  for (auto const start : {0, 1, 63, 64, 4'095, 4'096, 5'000}) {
    for (std::int64_t const distance : ticks) {
      for (auto const fraction : {0ns, 1ns, 3'999'999ns}) {
        timing_wheel wheel(origin);
        time_point now = origin + start * timing_wheel::tick;
        wheel.advance(now, [](wheel_entry&) {});
        wheel_entry entry;
        time_point const deadline = now + distance * timing_wheel::tick + fraction;
        wheel.schedule(entry, deadline);
        std::optional<time_point> fired;
        int rounds = 0;
        while (!fired && ++rounds < 100) {
          auto const next = wheel.next();
          REQUIRE(next);
          REQUIRE(*next > now);
          REQUIRE(*next <= deadline + timing_wheel::tick);
          now = *next;
          wheel.advance(now, [&](wheel_entry& got) {
            CHECK(&got == &entry);
            CHECK_FALSE(got.scheduled());
            fired = now;
          });
        }
        REQUIRE(fired);
        CHECK(*fired >= deadline);
        CHECK(*fired <= deadline + timing_wheel::tick);
        CHECK_FALSE(wheel.next());
      }
    }
  }
}

TEST_CASE("timing wheel: deadlines in the past come with the next tick", "[core][timing_wheel]") {
  timing_wheel wheel(origin);
  wheel.advance(origin + 1s, [](wheel_entry&) {});
  wheel_entry entry;
  wheel.schedule(entry, origin - 1h);
  int fired = 0;
  wheel.advance(origin + 1s, [&](wheel_entry&) { ++fired; });
  CHECK(fired == 0);
  CHECK(wheel.next() == origin + 1s + timing_wheel::tick);
  wheel.advance(origin + 1s + timing_wheel::tick, [&](wheel_entry&) { ++fired; });
  CHECK(fired == 1);
}

TEST_CASE("timing wheel: one jump over everything calls in order of ticks",
          "[core][timing_wheel]") {
  timing_wheel wheel(origin);
  seeded_random random(3);
  std::vector<std::unique_ptr<timer>> timers;
  for (int i = 0; i < 500; ++i) {
    auto one = std::make_unique<timer>();
    auto const ticks = 1 + random.uniform(std::uint64_t{1} << random.uniform(30));
    one->deadline = origin + ticks * timing_wheel::tick;
    wheel.schedule(*one, one->deadline);
    timers.push_back(std::move(one));
  }
  time_point last{};
  std::size_t count = 0;
  wheel.advance(origin + std::chrono::hours{24 * 365}, [&](wheel_entry& entry) {
    auto const& one = static_cast<timer&>(entry);
    CHECK(one.deadline >= last);
    last = one.deadline;
    ++count;
  });
  CHECK(count == timers.size());
}

TEST_CASE("timing wheel: a year of silence is passed in a moment", "[core][timing_wheel]") {
  timing_wheel wheel(origin);
  wheel_entry far;
  int fired = 0;
  for (int year = 1; year <= 50; ++year) {
    wheel.schedule(far, origin + year * std::chrono::hours{24 * 365});
    wheel.advance(origin + year * std::chrono::hours{24 * 365}, [&](wheel_entry&) { ++fired; });
    CHECK(fired == year);
  }
}

TEST_CASE("timing wheel: an entry that goes takes its deadline along", "[core][timing_wheel]") {
  timing_wheel wheel(origin);
  {
    wheel_entry brief;
    wheel.schedule(brief, origin + 1s);
  }
  CHECK_FALSE(wheel.next());
}

TEST_CASE("timing wheel: entries may outlive the wheel", "[core][timing_wheel]") {
  wheel_entry near;
  wheel_entry far;
  {
    timing_wheel wheel(origin);
    wheel.schedule(near, origin + 8ms);
    wheel.schedule(far, origin + 100h);
  }
  CHECK_FALSE(near.scheduled());
  CHECK_FALSE(far.scheduled());
}

TEST_CASE("timing wheel: callbacks may destroy, cancel and schedule any entry",
          "[core][timing_wheel]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    seeded_random random(seed);
    timing_wheel wheel(origin);
    std::vector<std::unique_ptr<timer>> timers(200);
    auto const make = [&](std::size_t i, time_point deadline) {
      timers[i] = std::make_unique<timer>();
      timers[i]->index = i;
      timers[i]->deadline = deadline;
      wheel.schedule(*timers[i], deadline);
    };
    for (std::size_t i = 0; i < timers.size(); ++i) {
      make(i, origin + std::chrono::milliseconds{random.uniform(2'000)});
    }
    std::size_t fired = 0;
    time_point now = origin;
    while (now < origin + 5s) {
      now += std::chrono::milliseconds{random.uniform(300)};
      wheel.advance(now, [&](wheel_entry& entry) {
        auto& one = static_cast<timer&>(entry);
        REQUIRE(one.deadline <= now);
        ++fired;
        std::size_t const own = one.index;
        auto const victim = static_cast<std::size_t>(random.uniform(timers.size()));
        switch (random.uniform(4)) {
          case 0: timers[own].reset(); break;
          case 1: timers[victim].reset(); break;
          case 2:
            if (timers[victim]) wheel.cancel(*timers[victim]);
            break;
          default: make(victim, now + std::chrono::milliseconds{random.uniform(1'000)});
        }
      });
    }
    CHECK(fired > 0);
  }
}

TEST_CASE("timing wheel: agrees with a sorted map, whatever is done to it",
          "[core][timing_wheel]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    timing_wheel wheel(origin);
    std::multimap<time_point, timer*> model;
    std::vector<std::unique_ptr<timer>> timers;
    for (int i = 0; i < 64; ++i) timers.push_back(std::make_unique<timer>());
    auto const forget = [&](timer& one) {
      auto const [from, to] = model.equal_range(one.deadline);
      for (auto at = from; at != to; ++at) {
        if (at->second != &one) continue;
        model.erase(at);
        return;
      }
    };
    time_point now = origin;
    for (int step = 0; step < 1'500; ++step) {
      timer& one = *timers[static_cast<std::size_t>(random.uniform(timers.size()))];
      switch (random.uniform(4)) {
        case 0:
        case 1: {  // schedules, or moves
          if (one.scheduled()) forget(one);
          auto const reach = std::uint64_t{1} << random.uniform(38);
          one.deadline = now + std::chrono::microseconds{random.uniform(reach)};
          wheel.schedule(one, one.deadline);
          model.emplace(one.deadline, &one);
          break;
        }
        case 2:
          if (one.scheduled()) forget(one);
          wheel.cancel(one);
          break;
        default: {
          auto const reach = std::uint64_t{1} << random.uniform(37);
          now += std::chrono::microseconds{random.uniform(reach)};
          wheel.advance(now, [&](wheel_entry& entry) {
            auto& due = static_cast<timer&>(entry);
            REQUIRE(due.deadline <= now);
            forget(due);
          });
          // At most one tick late: what is left is due later than a tick ago.
          if (!model.empty()) REQUIRE(model.begin()->first > now - timing_wheel::tick);
        }
      }
      auto const next = wheel.next();
      REQUIRE(next.has_value() == !model.empty());
      if (next) {
        REQUIRE(*next <= std::max(model.begin()->first, now) + timing_wheel::tick);
        REQUIRE(*next > now - timing_wheel::tick);
      }
      for (auto const& each : timers) {
        bool known = false;
        auto const [from, to] = model.equal_range(each->deadline);
        for (auto at = from; at != to; ++at) known = known || at->second == each.get();
        if (each->scheduled() != known) FAIL("scheduled() disagrees");
      }
    }
  }
}
