// What every offline queue has to do, wherever it keeps its messages.
#pragma once

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/policy/offline_queue.hpp>

namespace hawser_test {

inline constexpr hawser::time_point start{};

template <class Queue>
auto push(Queue& queue, std::string_view text, hawser::message_key key = {},
          hawser::time_point now = start) {
  return queue.push(hawser::message_kind::text, hawser::as_bytes(text), key, now);
}

template <class Queue>
std::string drain(Queue& queue, hawser::time_point now = start) {
  std::string all;
  while (auto const* first = queue.front(now)) {
    all += std::to_string(first->id) + ":" + std::string(hawser::as_text(first->data)) + " ";
    CHECK(queue.remove(first->id));
  }
  return all;
}

template <class Queue>
std::string losses(Queue& queue) {
  using hawser::errc;
  std::string all;
  while (auto const lost = queue.dropped()) {
    all += std::to_string(lost->id) + ":" + std::string(hawser::as_text(lost->data)) +
           (lost->why == errc::offline_overflow   ? " overflow "
            : lost->why == errc::offline_expired  ? " expired "
            : lost->why == errc::offline_replaced ? " replaced "
                                                  : " ? ");
  }
  return all;
}

/// `make(limits)` makes an empty queue.
template <class Make>
void test_offline_queue(Make make) {
  using namespace hawser;
  using namespace std::chrono_literals;

  SECTION("messages come out in the order they went in") {
    auto queue = make(offline_queue_limits{});
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

  SECTION("limits hold exactly, whatever the rule") {
    std::size_t const two = 2 * (queued_entries::overhead + 3);
    for (auto const rule :
         {overflow_rule::refuse, overflow_rule::drop_oldest, overflow_rule::replace_by_key}) {
      auto queue = make(offline_queue_limits{.max_bytes = two, .overflow = rule});
      CHECK(push(queue, "abc"));
      CHECK(push(queue, "abc"));
      CHECK(queue.size().bytes == two);
      CHECK(bool(push(queue, "")) == (rule != overflow_rule::refuse));
      CHECK(push(queue, std::string(two - queued_entries::overhead + 1, 'x')).error() ==
            errc::offline_queue_full);
      CHECK(queue.size().messages == 2);
    }
    auto none =
        make(offline_queue_limits{.max_messages = 0, .overflow = overflow_rule::drop_oldest});
    CHECK(push(none, "").error() == errc::offline_queue_full);
  }

  SECTION("the oldest go first, and are told") {
    auto queue =
        make(offline_queue_limits{.max_messages = 2, .overflow = overflow_rule::drop_oldest});
    for (auto const* text : {"a", "b", "c", "d"}) CHECK(push(queue, text));
    CHECK(losses(queue) == "1:a overflow 2:b overflow ");
    CHECK(drain(queue) == "3:c 4:d ");
    CHECK(!queue.dropped());
  }

  SECTION("the newest of a key takes the place of the one before") {
    auto queue =
        make(offline_queue_limits{.max_messages = 3, .overflow = overflow_rule::replace_by_key});
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

  SECTION("what is too old is dropped on the way") {
    auto queue = make(offline_queue_limits{.max_messages = 2, .max_age = 10s});
    CHECK(push(queue, "a", {}, start));
    CHECK(push(queue, "b", {}, start + 5s));
    CHECK(queue.front(start + 9999ms)->id == 1);
    CHECK(queue.front(start + 10s)->id == 2);
    CHECK(losses(queue) == "1:a expired ");
    CHECK(push(queue, "c", {}, start + 10s));
    CHECK(push(queue, "d", {}, start + 15s));
    CHECK(losses(queue) == "2:b expired ");
    CHECK(drain(queue, start + 24h).empty());

    auto endless = make(offline_queue_limits{.max_age = 0s});
    CHECK(push(endless, "a"));
    CHECK(endless.front(start + 24h * 365));
  }

  SECTION("against a plain list, at random") {
    std::uint64_t state = 1;
    auto const random = [&](std::uint64_t below) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return (state >> 33) % below;
    };
    auto queue =
        make(offline_queue_limits{.max_messages = 20, .overflow = overflow_rule::replace_by_key});
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
}

}  // namespace hawser_test
