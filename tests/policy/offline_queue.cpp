#include <hawser/policy/offline_queue.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "support/offline_queues.hpp"

using namespace hawser;
using namespace hawser_test;

TEST_CASE("offline queue: in memory", "[policy][queue]") {
  test_offline_queue([](offline_queue_limits const& limits) { return bounded_queue(limits); });
}

TEST_CASE("offline queue: no queue refuses everything", "[policy][queue]") {
  no_queue queue({});
  CHECK(queue.push(message_kind::text, {}, {}, start).error() == errc::not_open);
  CHECK(!queue.front(start));
  CHECK(!queue.remove(1));
  CHECK(!queue.dropped());
  CHECK(queue.size().messages == 0);
}

TEST_CASE("offline queue: what is visited and restored is the same queue", "[policy][queue]") {
  using namespace std::chrono_literals;
  std::uint64_t state = 1;
  auto const random = [&](std::uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
  };
  offline_queue_limits const limits{.max_messages = 9, .overflow = overflow_rule::replace_by_key};
  queued_entries queue(limits);
  std::size_t out_of_order = 0;
  for (std::uint64_t id = 1; id < 2'000; ++id) {
    message_key const key = random(3) ? message_key(random(12)) : message_key();
    auto const text = std::to_string(id);
    auto const way = queue.admit(text.size(), key);
    std::vector<std::uint64_t> leaving;
    queue.visit_leaving(way, [&](std::uint64_t each) { leaving.push_back(each); });
    std::uint64_t const place = queue.replaced(way);
    REQUIRE((place == 0 || leaving.front() == place));
    queue.insert(way, {id, message_kind::text, as_bytes(text), key}, start + 1ms * id);
    for (auto const each : leaving) REQUIRE(!queue.remove(each));
    if (random(3) == 0) queue.remove(id - random(9));

    queued_entries copy(limits);
    std::uint64_t last = 0;
    queue.visit([&](queued_message const& each, time_point at, std::uint64_t before) {
      REQUIRE(each.id > last);
      REQUIRE(before < each.id);
      REQUIRE(at == start + 1ms * each.id);
      last = each.id;
      if (before != 0) ++out_of_order;
      copy.restore(each, at, before);
    });
    REQUIRE(copy.size().bytes == queue.size().bytes);
    if (id % 50 != 0) continue;
    while (auto const* first = queue.front()) {
      auto const* same = copy.front();
      REQUIRE(same);
      REQUIRE(same->id == first->id);
      REQUIRE(same->key == first->key);
      REQUIRE(as_text(same->data) == as_text(first->data));
      copy.remove(first->id);
      queue.remove(first->id);
    }
    REQUIRE(!copy.front());
  }
  CHECK(out_of_order > 100);
}
