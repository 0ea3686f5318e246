// Acknowledgements that are awaited: once each, bounded, gone with their owner; against a model.
#include <hawser/machine/ack_table.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t kind = 3;

struct ledger {
  std::vector<int> told;
  ack_callback callback_of(int number) {
    return [this, number](std::error_code, value const&) { told.push_back(number); };
  }
  ack_table::entry* add(ack_table& to, std::uint64_t owner, std::uint64_t id, int number) {
    auto callback = callback_of(number);
    auto* const added = to.add(owner, id, callback);
    CHECK(static_cast<bool>(callback) == !added);  // untouched when refused
    return added;
  }
};

}  // namespace

TEST_CASE("acks: each is taken once, by owner and id", "[machine][ack]") {
  ack_table table(kind, 10);
  ledger all;
  auto* const first = all.add(table, 1, 0, 10);
  REQUIRE(first);
  CHECK(first->kind() == kind);
  REQUIRE(all.add(table, 1, 1, 11));
  REQUIRE(all.add(table, 2, 0, 20));
  CHECK(table.size() == 3);

  CHECK_FALSE(table.take(3, 0));
  CHECK_FALSE(table.take(2, 1));
  auto told = table.take(1, 0);
  REQUIRE(told);
  told({}, value());
  CHECK(all.told == std::vector<int>{10});
  CHECK_FALSE(table.take(1, 0));
  CHECK(table.size() == 2);
  CHECK(table.take(2, 0));
  CHECK(table.take(1, 1));
  CHECK(table.size() == 0);
  CHECK_FALSE(table.take(1, 1));
}

TEST_CASE("acks: a number that is awaited already is refused, and free again afterwards",
          "[machine][ack]") {
  ack_table table(kind, 10);
  ledger all;
  REQUIRE(all.add(table, 1, 5, 0));
  CHECK_FALSE(all.add(table, 1, 5, 1));
  CHECK(table.size() == 1);
  CHECK(all.add(table, 2, 5, 2));
  CHECK(table.take(1, 5));
  CHECK(all.add(table, 1, 5, 3));
}

TEST_CASE("acks: an owner has no more than it may, others don't count", "[machine][ack]") {
  for (std::size_t const most : {0u, 1u, 2u, 100u}) {
    ack_table table(kind, most);
    ledger all;
    for (std::size_t i = 0; i < most; ++i) REQUIRE(all.add(table, 1, i, 0));
    CHECK_FALSE(all.add(table, 1, most, 0));
    CHECK(table.size() == most);
    if (most == 0) continue;
    CHECK(all.add(table, 2, 0, 0));
    CHECK(table.take(1, most / 2));
    CHECK(all.add(table, 1, most, 0));
    CHECK_FALSE(all.add(table, 1, most + 1, 0));
  }
}

TEST_CASE("acks: an owner that goes takes all of its own and nothing else", "[machine][ack]") {
  ack_table table(kind, 10);
  ledger all;
  for (std::uint64_t id = 0; id < 5; ++id) {
    REQUIRE(all.add(table, 1, id, static_cast<int>(id)));
    REQUIRE(all.add(table, 2, id, 100 + static_cast<int>(id)));
  }
  CHECK(table.take_all(3).empty());
  auto taken = table.take_all(1);
  CHECK(taken.size() == 5);
  CHECK(table.size() == 5);
  for (auto& one : taken) one(std::make_error_code(std::errc::timed_out), value());
  std::sort(all.told.begin(), all.told.end());
  CHECK(all.told == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(table.take_all(1).empty());
  CHECK_FALSE(table.take(1, 0));
  CHECK(table.take(2, 4));
}

TEST_CASE("acks: deadlines of a wheel, which forgets what was taken", "[machine][ack]") {
  time_point const begin{5'000s};
  timing_wheel wheel(begin);
  ack_table table(kind, 100);
  ledger all;
  for (int i = 0; i < 20; ++i) {
    auto* const added =
        all.add(table, static_cast<std::uint64_t>(i % 4), static_cast<std::uint64_t>(i), i);
    REQUIRE(added);
    wheel.schedule(*added, begin + 100ms * (20 - i));
  }
  CHECK(table.take(3, 7));               // answered
  CHECK(table.take_all(1).size() == 5);  // disconnected
  wheel.advance(begin + 5s, [&](wheel_entry& entry) {
    CHECK(entry.kind() == kind);
    auto told = table.take(static_cast<ack_table::entry&>(entry));
    REQUIRE(told);
    told(std::make_error_code(std::errc::timed_out), value());
  });
  CHECK(all.told == std::vector<int>{19, 18, 16, 15, 14, 12, 11, 10, 8, 6, 4, 3, 2, 0});
  CHECK(table.size() == 0);
  CHECK_FALSE(wheel.next());
}

TEST_CASE("acks: a callback may use the table", "[machine][ack]") {
  ack_table table(kind, 2);
  int asked = 0;
  ack_callback again = [&](std::error_code, value const&) {
    ++asked;
    ack_callback next = [&](std::error_code, value const&) { ++asked; };
    CHECK(table.add(1, 0, next));
  };
  REQUIRE(table.add(1, 0, again));
  table.take(1, 0)({}, value());
  CHECK(table.size() == 1);
  table.take(1, 0)({}, value());
  CHECK(asked == 2);
}

TEST_CASE("acks: callbacks that are never called are destroyed with the table", "[machine][ack]") {
  auto const kept = std::make_shared<int>(0);
  {
    ack_table table(kind, 1'000);
    for (std::uint64_t id = 0; id < 1'000; ++id) {
      ack_callback one = [kept](std::error_code, value const&) {};
      REQUIRE(table.add(id % 3, id, one));
    }
    CHECK(kept.use_count() == 1'001);
    CHECK(table.take(0, 999));
    CHECK(kept.use_count() == 1'000);
    table = ack_table(kind, 0);
    CHECK(kept.use_count() == 1);
    CHECK(table.size() == 0);
  }
}

TEST_CASE("acks: whatever happens, as a map would have it", "[machine][ack]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    seeded_random random(seed);
    ack_table table(kind, 8);
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::pair<int, ack_table::entry*>> model;
    ledger all;
    int number = 0;
    for (int i = 0; i < 3'000; ++i) {
      std::uint64_t const owner = random.uniform(6);
      std::uint64_t const id = random.uniform(12);
      auto const of_owner = static_cast<std::size_t>(std::count_if(
          model.begin(), model.end(), [&](auto const& one) { return one.first.first == owner; }));
      auto const found = model.find({owner, id});
      switch (random.uniform(8)) {
        default: {
          auto* const added = all.add(table, owner, id, number);
          REQUIRE((added != nullptr) == (found == model.end() && of_owner < 8));
          if (added) model[{owner, id}] = {number, added};
          ++number;
          break;
        }
        case 4:
        case 5: {
          auto told = table.take(owner, id);
          REQUIRE(static_cast<bool>(told) == (found != model.end()));
          if (!told) break;
          told({}, value());
          REQUIRE(all.told.back() == found->second.first);
          model.erase(found);
          break;
        }
        case 6:
          if (found == model.end()) break;
          table.take (*found->second.second)({}, value());
          REQUIRE(all.told.back() == found->second.first);
          model.erase(found);
          break;
        case 7:
          if (!random.one_in(8)) break;
          REQUIRE(table.take_all(owner).size() == of_owner);
          std::erase_if(model, [&](auto const& one) { return one.first.first == owner; });
      }
      REQUIRE(table.size() == model.size());
    }
  }
}
