#include <hawser/policy/rooms.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;

namespace {

std::vector<member_id> walk(hash_rooms& rooms, std::vector<room_id> const& in,
                            std::vector<room_id> const& except = {}) {
  std::vector<member_id> met;
  rooms.visit(in, except,
              {[](void* context, member_id member) {
                 static_cast<std::vector<member_id>*>(context)->push_back(member);
               },
               &met});
  return met;
}

std::string name_of(std::uint64_t number) { return "room:" + std::to_string(number); }

}  // namespace

TEST_CASE("rooms: join and leave answer whether anything changed", "[policy][rooms]") {
  hash_rooms rooms({}, 1);
  CHECK(rooms.join(3, "a"));
  CHECK_FALSE(rooms.join(3, "a"));
  CHECK(rooms.join(4, "a"));
  CHECK(rooms.size(rooms.find("a")) == 2);
  CHECK(rooms.leave(3, "a"));
  CHECK_FALSE(rooms.leave(3, "a"));
  CHECK_FALSE(rooms.leave(4, "b"));
  CHECK_FALSE(rooms.leave(77, "a"));
  CHECK(rooms.leave(4, "a"));
  CHECK(rooms.room_count() == 0);
  CHECK_FALSE(rooms.find("a"));
  rooms.leave_all(4);
  rooms.leave_all(1'000);
}

TEST_CASE("rooms: names are bytes, compared exactly", "[policy][rooms]") {
  hash_rooms rooms({}, 1);
  using namespace std::string_view_literals;
  std::vector<std::string_view> const names{""sv, "\0"sv, "\0\0"sv, "a"sv, "A"sv, "a "sv, "\xff"sv};
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(rooms.join(static_cast<member_id>(i), names[i]));
  }
  CHECK(rooms.room_count() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(walk(rooms, {rooms.find(names[i])}) == std::vector{static_cast<member_id>(i)});
  }
}

TEST_CASE("rooms: limits on their number for a member and on the name", "[policy][rooms]") {
  hash_rooms rooms({.max_rooms_per_member = 3, .max_room_name = 10}, 1);
  CHECK(rooms.join(0, "1234567890"));
  CHECK_FALSE(rooms.join(0, "12345678901"));
  CHECK(rooms.join(0, "b"));
  CHECK(rooms.join(0, "c"));
  CHECK_FALSE(rooms.join(0, "d"));
  CHECK_FALSE(rooms.find("d"));  // and no empty room is left behind
  CHECK(rooms.room_count() == 3);
  CHECK(rooms.join(1, "d"));
  CHECK(rooms.leave(0, "b"));
  CHECK(rooms.join(0, "d"));
  CHECK_FALSE(rooms.join(0, "b"));
  rooms.leave_all(0);
  CHECK(rooms.join(0, "b"));
}

TEST_CASE("rooms: an id never names a later room", "[policy][rooms]") {
  hash_rooms rooms({}, 1);
  std::vector<room_id> old;
  for (int i = 0; i < 100; ++i) {
    rooms.join(1, i % 2 == 0 ? "same" : name_of(static_cast<std::uint64_t>(i)));
    room_id const now = rooms.find(i % 2 == 0 ? "same" : name_of(static_cast<std::uint64_t>(i)));
    REQUIRE(now);
    CHECK(rooms.size(now) == 1);
    for (room_id const before : old) {
      CHECK(before != now);
      CHECK(rooms.size(before) == 0);
      CHECK(walk(rooms, {before}).empty());
    }
    CHECK(walk(rooms, {now}, old) == std::vector<member_id>{1});
    old.push_back(now);
    rooms.leave_all(1);
  }
  CHECK(rooms.size({}) == 0);
  CHECK(rooms.size({12'345, 0}) == 0);
}

TEST_CASE("rooms: a union meets each member once", "[policy][rooms]") {
  hash_rooms rooms({}, 1);
  for (member_id member = 0; member < 30; ++member) {
    if (member % 2 == 0) rooms.join(member, "even");
    if (member % 3 == 0) rooms.join(member, "third");
    if (member % 5 == 0) rooms.join(member, "fifth");
  }
  auto const even = rooms.find("even");
  auto const third = rooms.find("third");
  auto const fifth = rooms.find("fifth");
  auto met = walk(rooms, {even, third, even, third}, {fifth});
  std::sort(met.begin(), met.end());
  std::vector<member_id> expected;
  for (member_id member = 0; member < 30; ++member) {
    if ((member % 2 == 0 || member % 3 == 0) && member % 5 != 0) expected.push_back(member);
  }
  CHECK(met == expected);
  CHECK(walk(rooms, {}).empty());
  CHECK(walk(rooms, {even}, {even}).empty());
  CHECK(walk(rooms, {room_id{}, even}).size() == 15);
}

TEST_CASE("rooms: names and crowds of every size come and go", "[policy][rooms]") {
  hash_rooms rooms({}, 5);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> names;
    for (std::size_t size = 0; size <= 60; ++size) names.emplace_back(size, 'n');
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (member_id member = 0; member < i; ++member) REQUIRE(rooms.join(member, names[i]));
    }
    hash_rooms moved(std::move(rooms));
    rooms = std::move(moved);
    for (std::size_t i = 0; i < names.size(); ++i) {
      REQUIRE(rooms.size(rooms.find(names[i])) == i);
      std::vector<member_id> expected;
      for (member_id member = 0; member < i; ++member) expected.push_back(member);
      REQUIRE(walk(rooms, {rooms.find(names[i])}) == expected);
    }
    std::vector<std::string> mine;  // the latest first
    rooms.visit_rooms(57, {[](void* list, std::string_view name) {
                             static_cast<std::vector<std::string>*>(list)->emplace_back(name);
                           },
                           &mine});
    REQUIRE(mine == std::vector{names[60], names[59], names[58]});
    // The last takes the place of one that leaves.
    REQUIRE(rooms.leave(0, names[4]));
    REQUIRE(walk(rooms, {rooms.find(names[4])}) == std::vector<member_id>{3, 1, 2});
    for (member_id member = 0; member < 60; ++member) rooms.leave_all(member);
    REQUIRE(rooms.room_count() == 0);
  }
}

TEST_CASE("rooms: behave as a map of sets, whatever is done to them", "[policy][rooms]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    hash_rooms rooms({.max_rooms_per_member = 12, .max_room_name = 20}, random());
    std::map<std::string, std::set<member_id>> model;
    auto const rooms_of = [&](member_id member) {
      return std::count_if(model.begin(), model.end(),
                           [&](auto const& room) { return room.second.contains(member); });
    };
    for (int step = 0; step < 1'500; ++step) {
      auto const member = static_cast<member_id>(random.uniform(40));
      std::string const name = name_of(random.uniform(25));
      switch (random.uniform(5)) {
        case 0:
        case 1:
        case 2: {
          bool const changes = rooms_of(member) < 12 && !model[name].contains(member);
          if (changes) model[name].insert(member);
          REQUIRE(rooms.join(member, name) == changes);
          break;
        }
        case 3: REQUIRE(rooms.leave(member, name) == (model[name].erase(member) > 0)); break;
        default:
          if (!random.one_in(8)) break;
          rooms.leave_all(member);
          for (auto& [each, members] : model) members.erase(member);
      }
      std::erase_if(model, [](auto const& room) { return room.second.empty(); });
      REQUIRE(rooms.room_count() == model.size());
      if (step % 10 != 0) continue;
      std::vector<room_id> in;
      std::vector<room_id> except;
      std::set<member_id> expected;
      std::set<member_id> left_out;
      for (auto const& [each, members] : model) {
        room_id const found = rooms.find(each);
        REQUIRE(found);
        REQUIRE(rooms.size(found) == members.size());
        if (random.one_in(3)) {
          in.push_back(found);
          expected.insert(members.begin(), members.end());
        } else if (random.one_in(4)) {
          except.push_back(found);
          left_out.insert(members.begin(), members.end());
        }
      }
      for (member_id const one : left_out) expected.erase(one);
      auto const met = walk(rooms, in, except);
      REQUIRE(std::set<member_id>(met.begin(), met.end()) == expected);
      REQUIRE(met.size() == expected.size());
    }
  }
}

TEST_CASE("rooms: the same seed walks in the same order", "[policy][rooms]") {
  auto const order = [](std::uint64_t seed) {
    hash_rooms rooms({}, seed);
    seeded_random random(9);
    for (int i = 0; i < 500; ++i) {
      auto const member = static_cast<member_id>(random.uniform(60));
      auto const name = name_of(random.uniform(8));
      random.one_in(4) ? rooms.leave(member, name) : rooms.join(member, name);
    }
    std::vector<room_id> all;
    for (std::uint64_t i = 0; i < 8; ++i) all.push_back(rooms.find(name_of(i)));
    return walk(rooms, all);
  };
  CHECK(order(7) == order(7));
  CHECK(order(7).size() > 10);
}

TEST_CASE("rooms: twenty thousand names made to collide don't", "[policy][rooms]") {
  // Names that differ in few bits, at every place: what a weak or unseeded hash folds together.
  hash_rooms rooms({.max_rooms_per_member = 1'000'000}, 0x1234'5678'9abc'def0);
  std::size_t made = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    std::string name(16, 'a');
    for (std::size_t bit = 0; bit < 15; ++bit) {
      if (((i >> bit) & 1) != 0) name[bit] = static_cast<char>(name[bit] ^ (1 << (bit % 7)));
    }
    made += rooms.join(static_cast<member_id>(i), name) ? 1 : 0;
  }
  CHECK(made == 20'000);
  CHECK(rooms.room_count() == 20'000);
  for (member_id member = 0; member < 20'000; ++member) rooms.leave_all(member);
  CHECK(rooms.room_count() == 0);
}

TEST_CASE("no rooms: nobody is in any", "[policy][rooms]") {
  no_rooms rooms({}, 1);
  CHECK_FALSE(rooms.join(1, "a"));
  CHECK_FALSE(rooms.leave(1, "a"));
  CHECK_FALSE(rooms.find("a"));
  CHECK(rooms.size({0, 0}) == 0);
  rooms.leave_all(1);
  rooms.visit({}, {}, {[](void*, member_id) { FAIL("there is nobody"); }, nullptr});
}
