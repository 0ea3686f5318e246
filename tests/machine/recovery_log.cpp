#include <hawser/machine/recovery_log.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

using strings = std::vector<std::string>;
using views = std::vector<std::string_view>;

constexpr std::uint64_t epoch = 0x0123'4567'89ab'cdef;

struct fixture {
  block_pool pool;
  time_point now{1000s};

  packet_part part(std::string_view bytes, message_kind kind = message_kind::text) {
    packet_part made{kind, payload::make(bytes.size(), &pool)};
    if (!bytes.empty()) std::memcpy(made.bytes.data(), bytes.data(), bytes.size());
    return made;
  }
  void append(recovery_log& log, std::string_view text, views const& rooms = {},
              views const& except = {}) {
    packet_part const only = part(text);
    log.append(now, std::span(&only, 1), rooms, except);
  }
  // The texts of what was missed; nothing for a gap.
  std::optional<strings> missed(recovery_log const& log, std::uint64_t from,
                                strings const& rooms = {}) const {
    auto const found = log.missed(from, rooms, now);
    if (!found) return std::nullopt;
    strings texts;
    for (auto const parts : *found) {
      std::string text;
      for (auto const& one : parts) {
        text +=
            (one.kind == message_kind::text ? "" : "|") + std::string(as_text(one.bytes.view()));
      }
      texts.push_back(text);
    }
    return texts;
  }
};

std::string offset(recovery_log const& log, std::uint64_t number) {
  std::array<char, recovery_log::max_offset_size> text;
  return {text.data(), log.write_offset(number, text.data())};
}

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

}  // namespace

TEST_CASE_METHOD(fixture, "recovery log: gives what came after a number, in order",
                 "[machine][recovery]") {
  recovery_log log({}, epoch);
  CHECK(log.next() == 1);
  CHECK(log.oldest() == 1);
  CHECK(missed(log, 0) == strings{});
  append(log, "one");
  append(log, "two");
  append(log, "three");
  CHECK(log.next() == 4);
  CHECK(log.oldest() == 1);
  CHECK(missed(log, 0) == strings{"one", "two", "three"});
  CHECK(missed(log, 1) == strings{"two", "three"});
  CHECK(missed(log, 2) == strings{"three"});
  CHECK(missed(log, 3) == strings{});
}

TEST_CASE_METHOD(fixture, "recovery log: knows nothing of the future", "[machine][recovery]") {
  recovery_log log({}, epoch);
  CHECK_FALSE(missed(log, 1));
  append(log, "one");
  CHECK(missed(log, 1) == strings{});
  CHECK_FALSE(missed(log, 2));
  CHECK_FALSE(missed(log, largest));
  CHECK_FALSE(missed(log, largest - 1));
}

TEST_CASE_METHOD(fixture, "recovery log: gives an event once, to members of its rooms",
                 "[machine][recovery]") {
  recovery_log log({}, epoch);
  append(log, "all");
  append(log, "a", {"a"});
  append(log, "a or b", {"a", "b"});
  append(log, "a, not b", {"a"}, {"b"});
  append(log, "all, not b", {}, {"b"});
  append(log, "a twice, not b or c", {"a", "a"}, {"b", "c"});
  append(log, "to one", {"id-1"});
  append(log, "no name", {""});
  CHECK(missed(log, 0) == strings{"all", "all, not b"});
  CHECK(missed(log, 0, {"id-1"}) == strings{"all", "all, not b", "to one"});
  CHECK(missed(log, 0, {"id-2", "a"}) ==
        strings{"all", "a", "a or b", "a, not b", "all, not b", "a twice, not b or c"});
  CHECK(missed(log, 0, {"b", "a"}) == strings{"all", "a", "a or b"});
  CHECK(missed(log, 0, {"a", "c", "a"}) == strings{"all", "a", "a or b", "a, not b", "all, not b"});
  CHECK(missed(log, 0, {""}) == strings{"all", "all, not b", "no name"});
  CHECK(missed(log, 0, {"A", "a ", "unknown"}) == strings{"all", "all, not b"});
}

TEST_CASE_METHOD(fixture, "recovery log: attachments stay with their packet",
                 "[machine][recovery]") {
  recovery_log log({}, epoch);
  std::vector<packet_part> const parts{part("452-[]"), part("first", message_kind::binary),
                                       part("second", message_kind::binary)};
  log.append(now, parts, {}, {});
  append(log, "next");
  CHECK(missed(log, 0) == strings{"452-[]|first|second", "next"});
}

TEST_CASE_METHOD(fixture, "recovery log: offsets are read as they were written",
                 "[machine][recovery]") {
  for (std::uint64_t const at : {std::uint64_t{0}, std::uint64_t{35}, epoch, largest}) {
    recovery_log log({}, at);
    for (std::uint64_t const number : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{10},
                                       std::uint64_t{1'000'000'007}, largest - 1, largest}) {
      std::string const text = offset(log, number);
      CAPTURE(text);
      CHECK(text.size() <= recovery_log::max_offset_size);
      CHECK(text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-") == std::string::npos);
      CHECK(log.read_offset(text) == number);
    }
  }
  CHECK(offset(recovery_log({}, 0), 0) == "0-0");
  CHECK(offset(recovery_log({}, 36), 12) == "10-12");
  CHECK(offset(recovery_log({}, largest), largest) == "3w5e11264sgsf-18446744073709551615");
}

TEST_CASE_METHOD(fixture, "recovery log: takes only offsets of its own, exactly as written",
                 "[machine][recovery]") {
  recovery_log log({}, 36 * 36 + 11);  // "10b"
  REQUIRE(offset(log, 7) == "10b-7");
  CHECK(log.read_offset("10b-18446744073709551615") == largest);
  for (std::string_view const text : {"",
                                      "-",
                                      "7",
                                      "10b",
                                      "10b-",
                                      "10b--7",
                                      "10b-+7",
                                      "10b- 7",
                                      "10b-7 ",
                                      " 10b-7",
                                      "10b-07",
                                      "10b-00",
                                      "10b-7a",
                                      "10b-0x7",
                                      "10b-7-7",
                                      "10B-7",
                                      "010b-7",
                                      "10a-7",
                                      "10b7",
                                      "10b_7",
                                      "10b-18446744073709551616",
                                      "10b-99999999999999999999",
                                      "hello",
                                      "1700000000000-0"}) {
    CAPTURE(text);
    CHECK_FALSE(log.read_offset(text));
  }
  CHECK_FALSE(log.read_offset(std::string(1'000, '1')));
  CHECK_FALSE(log.read_offset("10b-" + std::string(1'000, '1')));
  CHECK_FALSE(log.read_offset(std::string("10b-7\0", 6)));
  CHECK_FALSE(recovery_log({}, 36 * 36 + 12).read_offset("10b-7"));
  CHECK_FALSE(recovery_log({}, 1).read_offset("10b-7"));  // a prefix of the epoch is another one
}

TEST_CASE_METHOD(fixture, "recovery log: packets outlast sessions by what goes unnoticed",
                 "[machine][recovery]") {
  recovery_log log({.window = 100s, .unnoticed = 20s}, epoch);
  append(log, "one");
  now += 1ms;
  append(log, "two");
  now += 120s - 1ms;
  CHECK(missed(log, 0) == strings{"one", "two"});
  log.prune(now);
  CHECK(log.oldest() == 1);
  now += duration{1};  // "one" is too old, whether it was pruned or not
  CHECK_FALSE(missed(log, 0));
  CHECK(missed(log, 1) == strings{"two"});
  log.prune(now);
  CHECK(log.oldest() == 2);
  CHECK_FALSE(missed(log, 0));
  CHECK(missed(log, 1) == strings{"two"});
  now += 1ms;
  CHECK_FALSE(missed(log, 1));
  CHECK(missed(log, 2) == strings{});  // it missed nothing, however long ago that was
  now += 1000s;
  append(log, "three");  // prunes too
  CHECK(log.oldest() == 3);
  CHECK_FALSE(missed(log, 1));
  CHECK(missed(log, 2) == strings{"three"});
  CHECK(missed(log, 3) == strings{});
}

TEST_CASE_METHOD(fixture, "recovery log: the longest and the shortest times",
                 "[machine][recovery]") {
  using std::chrono::milliseconds;
  for (auto const window : {milliseconds::max(), milliseconds::min(), milliseconds{-1}, 0ms}) {
    for (auto const unnoticed : {milliseconds::max(), milliseconds::min(), 0ms}) {
      recovery_options const options{.window = window, .unnoticed = unnoticed};
      CHECK(options.session_age() >= duration{0});
      CHECK(options.packet_age() >= options.session_age());
      recovery_log log(options, epoch);
      append(log, "one");
      CHECK(missed(log, 0) == strings{"one"});
      now += 10'000h;
      CHECK(missed(log, 0).has_value() ==
            (window == milliseconds::max() || unnoticed == milliseconds::max()));
    }
  }
}

TEST_CASE_METHOD(fixture, "recovery log: a session misses so many packets and no more",
                 "[machine][recovery]") {
  recovery_log log({.max_packets = 3}, epoch);
  for (int i = 0; i < 10; ++i) append(log, "other", {"other"});
  append(log, "1");
  append(log, "2");
  CHECK(missed(log, 0) == strings{"1", "2"});
  append(log, "3");
  CHECK(missed(log, 0) == strings{"1", "2", "3"});
  append(log, "other", {"other"});
  CHECK(missed(log, 0) == strings{"1", "2", "3"});
  append(log, "4");
  CHECK_FALSE(missed(log, 0));
  CHECK_FALSE(missed(log, 10));
  CHECK(missed(log, 11) == strings{"2", "3", "4"});
}

TEST_CASE_METHOD(fixture, "recovery log: a session misses so many bytes and no more",
                 "[machine][recovery]") {
  for (std::size_t const limit : {19u, 20u, 21u}) {
    recovery_log log({.max_packet_bytes = limit}, epoch);
    append(log, std::string(10, 'x'));
    append(log, std::string(1'000, 'x'), {"other"});
    std::vector<packet_part> const parts{part("12345"), part("abc", message_kind::binary)};
    log.append(now, parts, {}, {});  // 5 and, as base64, 1 + 4
    CHECK(missed(log, 0).has_value() == (limit >= 20));
    CHECK(missed(log, 1).has_value());
  }
  recovery_log none({.max_packet_bytes = 0}, epoch);
  append(none, "");
  CHECK(missed(none, 0) == strings{""});
  append(none, "x");
  CHECK_FALSE(missed(none, 0));
  recovery_log unbounded({.max_packet_bytes = static_cast<std::size_t>(-1)}, epoch);
  append(unbounded, "x");
  append(unbounded, "y");
  CHECK(missed(unbounded, 0) == strings{"x", "y"});
}

TEST_CASE_METHOD(fixture, "recovery log: the oldest go when memory is short",
                 "[machine][recovery]") {
  std::string const text(100, 'x');
  recovery_log measured({}, epoch);
  append(measured, text);
  std::size_t const one = measured.bytes();
  CHECK(one >= 100);
  append(measured, text);
  REQUIRE(measured.bytes() == 2 * one);
  for (std::size_t const limit : {3 * one - 1, 3 * one, 3 * one + 1}) {
    recovery_log log({.max_log_bytes = limit}, epoch);
    std::uint64_t const fit = limit / one;
    for (std::uint64_t i = 1; i <= 10; ++i) {
      append(log, text);
      CHECK(log.next() == i + 1);
      CHECK(log.oldest() == (i <= fit ? 1 : i - fit + 1));
      CHECK(log.bytes() == std::min(i, fit) * one);
      CHECK(missed(log, log.oldest() - 1)->size() == std::min(i, fit));
      if (log.oldest() > 1) CHECK_FALSE(missed(log, log.oldest() - 2));
    }
  }
}

TEST_CASE_METHOD(fixture, "recovery log: what does not fit at all is a gap",
                 "[machine][recovery]") {
  recovery_log log({.max_log_bytes = 1'000}, epoch);
  append(log, "small");
  append(log, std::string(1'000, 'x'), {"a room"}, {"another"});
  CHECK(log.next() == 3);
  CHECK(log.oldest() == 3);
  CHECK(log.bytes() == 0);
  CHECK_FALSE(missed(log, 0));
  CHECK_FALSE(missed(log, 1));
  CHECK(missed(log, 2) == strings{});
  append(log, "small");
  CHECK(missed(log, 2) == strings{"small"});
  recovery_log none({.max_log_bytes = 0}, epoch);
  append(none, "");
  CHECK_FALSE(missed(none, 0));
  CHECK(missed(none, 1) == strings{});
}

TEST_CASE_METHOD(fixture, "recovery log: gives back all that it held", "[machine][recovery]") {
  recovery_log log({}, epoch);
  strings names;
  for (int i = 0; i < 50; ++i)
    names.push_back("a room of some length, number " + std::to_string(i));
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < 200; ++i) {
      views const rooms{names[i % 50], names[i * 7 % 50], names[i * 3 % 50], "x"};
      append(log, "text", rooms, {names[i * 11 % 50]});
    }
    CHECK(log.bytes() > 200 * 4 + 50 * names.front().size());
    now += 1h;
    log.prune(now);
    CHECK(log.bytes() == 0);
    CHECK(log.oldest() == log.next());
    CHECK(missed(log, log.next() - 1, names) == strings{});
  }
}

TEST_CASE("recovery log: agrees with a list that is searched from its start",
          "[machine][recovery]") {
  struct event {
    time_point at;
    std::string text;
    views rooms, except;
  };
  static constexpr std::array<std::string_view, 6> all_rooms{
      "", "a", "b", "room c", "a name too long to lie in a string itself", "\xff"};
  std::size_t gaps = 0, answers = 0, packets = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    fixture at;
    recovery_options const options{.window = 1s,
                                   .max_packets = random.one_in(2) ? 15u : 1'000u,
                                   .max_packet_bytes = random.one_in(2) ? 300u : 100'000u,
                                   .max_log_bytes = random.one_in(2) ? 5'000u : 1'000'000u,
                                   .unnoticed = 200ms};
    bool const tight = options.max_log_bytes == 5'000;
    recovery_log log(options, random());
    std::vector<event> model;
    auto const some_rooms = [&](std::uint64_t most) {
      views chosen;
      for (std::uint64_t left = random.uniform(most + 1); left > 0; --left) {
        chosen.push_back(all_rooms[static_cast<std::size_t>(random.uniform(all_rooms.size()))]);
      }
      return chosen;
    };
    auto const meet = [](views const& some, strings const& others) {
      return std::any_of(some.begin(), some.end(), [&](std::string_view name) {
        return std::find(others.begin(), others.end(), name) != others.end();
      });
    };
    for (int step = 0; step < 400; ++step) {
      at.now += std::chrono::milliseconds{random.uniform(30)};
      if (random.one_in(60)) at.now += std::chrono::milliseconds{random.uniform(2'000)};
      if (random.one_in(10)) log.prune(at.now);
      if (!random.one_in(3)) {
        event made{at.now, std::to_string(step), some_rooms(3),
                   random.one_in(3) ? some_rooms(2) : views{}};
        made.text.resize(static_cast<std::size_t>(random.between(4, 60)), '.');
        at.append(log, made.text, made.rooms, made.except);
        model.push_back(std::move(made));
        continue;
      }
      std::uint64_t oldest = model.size() + 1;
      while (oldest > 1 && at.now - model[oldest - 2].at <= 1'200ms) --oldest;
      if (tight) oldest = std::max(oldest, log.oldest());
      REQUIRE(log.next() == model.size() + 1);
      REQUIRE(log.oldest() <= oldest);
      REQUIRE(log.bytes() <= options.max_log_bytes);

      auto const chosen = some_rooms(4);
      strings const mine(chosen.begin(), chosen.end());
      std::uint64_t const back = random.uniform(random.one_in(2) ? 20 : 120);
      std::uint64_t const from = model.size() + 1 - std::min<std::uint64_t>(back, model.size() + 1);
      std::optional<strings> expected;
      if (from + 1 >= oldest && from <= model.size()) {
        expected.emplace();
        std::size_t bytes = 0;
        for (std::size_t i = from; i < model.size(); ++i) {
          event const& one = model[i];
          if ((!one.rooms.empty() && !meet(one.rooms, mine)) || meet(one.except, mine)) continue;
          expected->push_back(one.text);
          bytes += one.text.size();
        }
        bool const too_much =
            expected->size() > options.max_packets || bytes > options.max_packet_bytes;
        if (too_much) expected.reset();
      }
      REQUIRE(at.missed(log, from, mine) == expected);
      ++(expected ? answers : gaps);
      if (expected) packets += expected->size();
    }
  }
  CHECK(gaps > 1'000);
  CHECK(answers > 1'000);
  CHECK(packets > 10'000);
}
