#include <hawser/machine/recovery.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{1000s};

saved_session session(std::string id) { return {std::move(id), {}, {}, 0}; }

// Its id, or nothing.
std::string take(saved_sessions& sessions, std::string_view pid, time_point now) {
  auto const taken = sessions.take(pid, now);
  return taken ? taken->id : "nothing";
}

// Does something when it is destroyed, as an application's data may.
struct last_will {
  std::function<void()> act;
  explicit last_will(std::function<void()> what) : act(std::move(what)) {}
  last_will(last_will&& other) noexcept : act(std::exchange(other.act, nullptr)) {}
  ~last_will() {
    if (act) act();
  }
};

}  // namespace

TEST_CASE("recovery: a session is given back as it was, once", "[machine][recovery]") {
  saved_sessions sessions({});
  saved_session saved{"id", {"id", "room"}, user_data(std::make_unique<int>(7)), 42};
  sessions.save("pid", std::move(saved), start);
  CHECK(sessions.size() == 1);
  CHECK(take(sessions, "id", start) == "nothing");
  CHECK(take(sessions, "pi", start) == "nothing");
  CHECK(take(sessions, "", start) == "nothing");
  auto const taken = sessions.take("pid", start + 1s);
  REQUIRE(taken);
  CHECK(taken->id == "id");
  CHECK(taken->rooms == std::vector<std::string>{"id", "room"});
  REQUIRE(taken->data.get<std::unique_ptr<int>>());
  CHECK(**taken->data.get<std::unique_ptr<int>>() == 7);
  CHECK(taken->first == 42);
  CHECK(sessions.size() == 0);
  CHECK(take(sessions, "pid", start + 1s) == "nothing");
}

TEST_CASE("recovery: a session waits as long as the window", "[machine][recovery]") {
  saved_sessions sessions({.window = 100s, .unnoticed = 50s});
  for (char const* const pid : {"a", "b", "c"}) sessions.save(pid, session(pid), start);
  CHECK(take(sessions, "a", start + 100s - duration{1}) == "a");
  CHECK(take(sessions, "b", start + 100s) == "b");
  CHECK(take(sessions, "c", start + 100s + duration{1}) == "nothing");
  CHECK(sessions.size() == 0);  // gone, though it was not given
}

TEST_CASE("recovery: pruning forgets those whose time is over", "[machine][recovery]") {
  saved_sessions sessions({.window = 100s});
  for (int i = 0; i < 10; ++i) {
    sessions.save(std::to_string(i), session(std::to_string(i)), start + i * 1s);
  }
  sessions.prune(start + 100s);
  CHECK(sessions.size() == 10);
  sessions.prune(start + 100s + duration{1});
  CHECK(sessions.size() == 9);
  sessions.prune(start + 105s);
  CHECK(sessions.size() == 5);
  CHECK(take(sessions, "4", start + 50s) == "nothing");
  CHECK(take(sessions, "5", start + 105s) == "5");
  sessions.prune(start + 10'000s);
  CHECK(sessions.size() == 0);
  sessions.prune(start + 10'000s);
}

TEST_CASE("recovery: so many sessions wait and no more, the oldest go", "[machine][recovery]") {
  for (std::size_t const count : {2u, 3u, 4u}) {
    saved_sessions sessions({.max_sessions = 3});
    for (std::size_t i = 0; i < count; ++i) {
      sessions.save(std::to_string(i), session(std::to_string(i)), start);
    }
    CHECK(sessions.size() == std::min<std::size_t>(count, 3));
    CHECK(take(sessions, "0", start) == (count <= 3 ? "0" : "nothing"));
    for (std::size_t i = 1; i < count; ++i) {
      CHECK(take(sessions, std::to_string(i), start) == std::to_string(i));
    }
  }
  saved_sessions none({.max_sessions = 0});
  none.save("pid", session("id"), start);
  CHECK(none.size() == 0);
  CHECK(take(none, "pid", start) == "nothing");
}

TEST_CASE("recovery: saving again replaces, and is the newest then", "[machine][recovery]") {
  saved_sessions sessions({.max_sessions = 2});
  sessions.save("a", session("first"), start);
  sessions.save("b", session("b"), start);
  sessions.save("a", session("second"), start);
  CHECK(sessions.size() == 2);
  sessions.save("c", session("c"), start);
  CHECK(take(sessions, "b", start) == "nothing");
  CHECK(take(sessions, "a", start) == "second");
  CHECK(take(sessions, "c", start) == "c");
}

TEST_CASE("recovery: the longest and the shortest window", "[machine][recovery]") {
  using std::chrono::milliseconds;
  for (auto const window : {milliseconds::max(), milliseconds::min(), 0ms}) {
    saved_sessions sessions({.window = window});
    sessions.save("a", session("a"), start);
    sessions.save("b", session("b"), start);
    CHECK(take(sessions, "a", start) == "a");
    sessions.prune(start + 10'000h);
    CHECK(sessions.size() == (window == milliseconds::max() ? 1 : 0));
  }
}

TEST_CASE("recovery: the application's data may save and take as it goes", "[machine][recovery]") {
  saved_sessions sessions({.window = 10s, .max_sessions = 2});
  int wills = 0;
  auto const with_will = [&](std::string id, time_point when) {
    return saved_session{id,
                         {},
                         user_data(last_will([&sessions, &wills, id, when] {
                           ++wills;
                           sessions.prune(when);
                           (void)sessions.take("nobody", when);
                           sessions.save("of " + id, session("of " + id), when);
                         })),
                         0};
  };
  sessions.save("a", with_will("a", start), start);
  sessions.save("b", with_will("b", start), start);
  sessions.save("c", session("c"), start);  // "a" goes, and so "b" for what "a" leaves
  CHECK(wills == 2);
  CHECK(sessions.size() == 2);
  sessions.save("d", with_will("d", start), start);
  sessions.save("d", with_will("d", start + 5s), start + 5s);
  CHECK(wills == 3);
  sessions.prune(start + 20s);
  CHECK(wills == 4);
}

TEST_CASE("recovery: a session goes on behind what has certainly arrived", "[machine][recovery]") {
  saved_session saved = session("id");
  saved.first = 10;
  CHECK(saved.start(std::nullopt) == 10);  // never got an event
  CHECK(saved.start(0) == 10);
  CHECK(saved.start(9) == 10);  // of a session before
  CHECK(saved.start(10) == 10);
  CHECK(saved.start(11) == 11);
}

TEST_CASE("recovery: a client that was idle for hours misses nothing", "[machine][recovery]") {
  recovery_options const options;
  recovery_log log(options, 1);
  saved_sessions sessions(options);
  packet_part const event{message_kind::text, payload::make(2, nullptr)};
  std::memcpy(payload(event.bytes).data(), "42", 2);
  auto const append = [&](std::string_view room, time_point now) {
    log.append(now, std::span(&event, 1), std::span(&room, 1), {});
  };
  time_point now = start;
  append("quiet", now);
  std::uint64_t const last_event = log.next() - 1;
  std::uint64_t answered = 0;
  for (int ping = 0; ping < 1'000; ++ping) {
    answered = log.next() - 1;
    now += 25s;
    append("busy", now);
  }
  // The connection dies; an event for it, then another that comes before the end is noticed.
  append("quiet", now += 20s);
  sessions.save("pid", {"id", {"id", "quiet"}, {}, answered}, now += 25s);
  append("quiet", now += 60s);
  now += 60s;
  auto const back = sessions.take("pid", now);
  REQUIRE(back);
  CHECK_FALSE(log.missed(last_event, back->rooms, now));
  auto const missed = log.missed(back->start(last_event), back->rooms, now);
  REQUIRE(missed);
  CHECK(missed->size() == 2);
}

TEST_CASE("recovery: behaves as a map with times", "[machine][recovery]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    saved_sessions sessions({.window = 100ms, .max_sessions = 8});
    struct item {
      std::string pid, id;
      time_point at;
    };
    std::vector<item> model;
    auto const find = [&](std::string const& pid) {
      return std::find_if(model.begin(), model.end(),
                          [&](item const& one) { return one.pid == pid; });
    };
    time_point now = start;
    for (int step = 0; step < 1'000; ++step) {
      now += std::chrono::milliseconds{random.uniform(15)};
      std::string const pid = "pid" + std::to_string(random.uniform(20));
      auto const found = find(pid);
      switch (random.uniform(3)) {
        case 0:
          sessions.save(pid, session(std::to_string(step)), now);
          if (found != model.end()) model.erase(found);
          if (model.size() == 8) model.erase(model.begin());
          model.push_back({pid, std::to_string(step), now});
          break;
        case 1: {
          bool const there = found != model.end() && now - found->at <= 100ms;
          REQUIRE(take(sessions, pid, now) == (there ? found->id : "nothing"));
          if (found != model.end()) model.erase(found);
          break;
        }
        default:
          if (!random.one_in(3)) break;
          sessions.prune(now);
          while (!model.empty() && now - model.front().at > 100ms) model.erase(model.begin());
      }
      REQUIRE(sessions.size() == model.size());
    }
  }
}
