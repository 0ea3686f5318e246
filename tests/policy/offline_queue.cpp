#include <hawser/policy/offline_queue.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{};

auto push(bounded_queue& queue, std::string_view text, message_key key = {},
          time_point now = start) {
  return queue.push(message_kind::text, as_bytes(text), key, now);
}

std::string drain(bounded_queue& queue, time_point now = start) {
  std::string all;
  while (auto const* first = queue.front(now)) {
    all += std::to_string(first->id) + ":" + std::string(as_text(first->data)) + " ";
    CHECK(queue.remove(first->id));
  }
  return all;
}

std::string losses(bounded_queue& queue) {
  std::string all;
  while (auto const lost = queue.dropped()) {
    all += std::to_string(lost->id) + ":" + std::string(as_text(lost->data)) +
           (lost->why == errc::offline_overflow   ? " overflow "
            : lost->why == errc::offline_expired  ? " expired "
            : lost->why == errc::offline_replaced ? " replaced "
                                                  : " ? ");
  }
  return all;
}

}  // namespace

TEST_CASE("offline queue: messages come out in the order they went in", "[policy][queue]") {
  bounded_queue queue({});
  CHECK(!queue.front(start));
  CHECK(*push(queue, "a") == 1);
  CHECK(*push(queue, "b") == 2);
  CHECK(*push(queue, "c", 7) == 3);
  CHECK(queue.size().messages == 3);
  CHECK(queue.size().bytes == 3 * (1 + queued_entries::overhead));
  CHECK(queue.remove(2));
  CHECK(!queue.remove(2));
  CHECK(!queue.remove(0));
  CHECK(!queue.remove(4));
  CHECK(drain(queue) == "1:a 3:c ");
  CHECK(queue.size().bytes == 0);
  CHECK(*push(queue, "d") == 4);
  CHECK(!queue.dropped());
}

TEST_CASE("offline queue: no queue refuses everything", "[policy][queue]") {
  no_queue queue({});
  CHECK(queue.push(message_kind::text, {}, {}, start).error() == errc::not_open);
  CHECK(!queue.front(start));
  CHECK(!queue.remove(1));
  CHECK(!queue.dropped());
  CHECK(queue.size().messages == 0);
}

TEST_CASE("offline queue: limits hold exactly, whatever the rule", "[policy][queue]") {
  std::size_t const two = 2 * (queued_entries::overhead + 3);
  for (auto const rule :
       {overflow_rule::refuse, overflow_rule::drop_oldest, overflow_rule::replace_by_key}) {
    bounded_queue queue({.max_bytes = two, .overflow = rule});
    CHECK(push(queue, "abc"));
    CHECK(push(queue, "abc"));
    CHECK(queue.size().bytes == two);
    CHECK(bool(push(queue, "")) == (rule != overflow_rule::refuse));
    CHECK(push(queue, std::string(two - queued_entries::overhead + 1, 'x')).error() ==
          errc::offline_queue_full);
    CHECK(queue.size().messages == 2);
  }
  bounded_queue none({.max_messages = 0, .overflow = overflow_rule::drop_oldest});
  CHECK(push(none, "").error() == errc::offline_queue_full);
}

TEST_CASE("offline queue: the oldest go first, and are told", "[policy][queue]") {
  bounded_queue queue({.max_messages = 2, .overflow = overflow_rule::drop_oldest});
  for (auto const* text : {"a", "b", "c", "d"}) CHECK(push(queue, text));
  CHECK(losses(queue) == "1:a overflow 2:b overflow ");
  CHECK(drain(queue) == "3:c 4:d ");
  CHECK(!queue.dropped());
}

TEST_CASE("offline queue: the newest of a key takes the place of the one before",
          "[policy][queue]") {
  bounded_queue queue({.max_messages = 3, .overflow = overflow_rule::replace_by_key});
  CHECK(push(queue, "a", 5));
  CHECK(push(queue, "b"));
  CHECK(push(queue, "c", 6));
  CHECK(*push(queue, "d", 5) == 4);
  CHECK(losses(queue) == "1:a replaced ");
  CHECK(push(queue, "e"));
  CHECK(losses(queue) == "4:d overflow ");
  CHECK(*push(queue, "f", 5) == 6);
  CHECK(losses(queue) == "2:b overflow ");
  CHECK(drain(queue) == "3:c 5:e 6:f ");
}

TEST_CASE("offline queue: what is too old is dropped on the way", "[policy][queue]") {
  bounded_queue queue({.max_messages = 2, .max_age = 10s});
  CHECK(push(queue, "a", {}, start));
  CHECK(push(queue, "b", {}, start + 5s));
  CHECK(queue.front(start + 9999ms)->id == 1);
  CHECK(queue.front(start + 10s)->id == 2);
  CHECK(losses(queue) == "1:a expired ");
  CHECK(push(queue, "c", {}, start + 10s));
  CHECK(push(queue, "d", {}, start + 15s));
  CHECK(losses(queue) == "2:b expired ");
  CHECK(drain(queue, start + 24h).empty());

  bounded_queue endless({.max_age = 0s});
  CHECK(push(endless, "a"));
  CHECK(endless.front(start + 24h * 365));
}

TEST_CASE("offline queue: against a plain list, at random", "[policy][queue]") {
  std::uint64_t state = 1;
  auto const random = [&](std::uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
  };
  bounded_queue queue({.max_messages = 20, .overflow = overflow_rule::replace_by_key});
  std::vector<std::pair<std::uint64_t, message_key>> list;
  std::uint64_t last = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (random(3) != 0) {
      message_key const key = random(2) ? message_key(random(30)) : message_key();
      REQUIRE(*push(queue, "x", key) == ++last);
      auto const same = std::find_if(list.begin(), list.end(),
                                     [&](auto const& each) { return key && each.second == key; });
      if (same != list.end()) {
        *same = {last, key};
      } else {
        if (list.size() == 20) list.erase(list.begin());
        list.emplace_back(last, key);
      }
    } else {
      std::uint64_t const id = last - random(std::min<std::uint64_t>(last + 1, 60));
      auto const there = std::find_if(list.begin(), list.end(),
                                      [&](auto const& each) { return each.first == id; });
      REQUIRE(queue.remove(id) == (there != list.end()));
      if (there != list.end()) list.erase(there);
    }
    if (random(4) == 0)
      while (queue.dropped()) {
      }
    REQUIRE(queue.size().messages == list.size());
    auto const* first = queue.front(start);
    REQUIRE((first ? first->id : 0) == (list.empty() ? 0 : list.front().first));
  }
  std::string expected;
  for (auto const& [id, key] : list) expected += std::to_string(id) + ":x ";
  CHECK(drain(queue) == expected);
}
