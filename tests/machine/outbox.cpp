#include <hawser/machine/outbox.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;

namespace {

payload pack(std::string_view text, block_pool& pool) {
  payload made = payload::make(text.size(), &pool);
  if (!text.empty()) std::memcpy(made.data(), text.data(), text.size());
  return made;
}

// All that is queued, as it would leave.
std::string content(outbox const& box) {
  std::array<bytes_view, 256> views;
  std::string all;
  std::size_t const count = box.gather(views);
  for (std::size_t i = 0; i < count; ++i) all += as_text(views[i]);
  return all;
}

struct fixture {
  block_pool pool;
  outbox box;
  ~fixture() { box.clear(pool); }

  void push(std::string_view text, message_key key = {}) { box.push(pack(text, pool), key, pool); }
  bool replace(std::uint64_t key, std::string_view text) {
    payload_slice bytes = pack(text, pool);
    return box.replace(key, bytes);
  }
};

}  // namespace

TEST_CASE_METHOD(fixture, "outbox: messages leave in order", "[machine][outbox]") {
  CHECK(box.empty());
  push("one ");
  push("two ");
  box.push_control(pack("three", pool), pool);
  CHECK_FALSE(box.empty());
  CHECK(content(box) == "one two three");
  CHECK(box.queued().bytes == 13);
  std::array<bytes_view, 2> few;
  CHECK(box.gather(few) == 2);
  CHECK(as_text(few[1]) == "two ");
}

TEST_CASE_METHOD(fixture, "outbox: may be consumed at every byte", "[machine][outbox]") {
  std::string const all = "firstsecondx" + std::string(100, 'y') + "end";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    for (auto const* text : {"first", "second", "x"}) push(text);
    push(std::string(100, 'y'));
    push("end");
    REQUIRE(content(box) == all);
    box.consume(cut, pool);
    REQUIRE(content(box) == all.substr(cut));
    REQUIRE(box.queued().bytes == all.size() - cut);
    REQUIRE(box.empty() == (cut == all.size()));
    box.consume(all.size() - cut, pool);
    REQUIRE(box.empty());
    REQUIRE(box.queued().messages == 0);
  }
}

TEST_CASE_METHOD(fixture, "outbox: byte by byte through many messages", "[machine][outbox]") {
  std::string all;
  for (int i = 0; i < 30; ++i) {
    push(std::to_string(i));
    all += std::to_string(i);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(content(box) == all.substr(i));
    box.consume(1, pool);
  }
  CHECK(box.empty());
}

TEST_CASE_METHOD(fixture, "outbox: a message of no bytes does not stay for ever",
                 "[machine][outbox]") {
  push("");
  push("a");
  push("");
  box.consume(1, pool);
  CHECK(box.empty());
  push("");
  box.consume(0, pool);
  CHECK(box.empty());
}

TEST_CASE_METHOD(fixture, "outbox: dropping never cuts a message", "[machine][outbox]") {
  push("first");
  push("second");
  push("third");
  box.consume(1, pool);
  CHECK(box.drop_oldest());
  CHECK(content(box) == "irstthird");
  CHECK(box.queued().bytes == 9);
  CHECK(box.drop_oldest());
  CHECK(content(box) == "irst");
  CHECK_FALSE(box.drop_oldest());
  CHECK(content(box) == "irst");
}

TEST_CASE_METHOD(fixture, "outbox: control frames and begun messages are not dropped",
                 "[machine][outbox]") {
  box.push_begun(pack("rest|", pool), pool);
  box.push_control(pack("ping|", pool), pool);
  push("message|");
  box.push_pong(pack("pong|", pool), pool);
  CHECK(box.drop_oldest());
  CHECK(content(box) == "rest|ping|pong|");
  CHECK_FALSE(box.drop_oldest());
}

TEST_CASE_METHOD(fixture, "outbox: what has begun may be put before everything",
                 "[machine][outbox]") {
  for (int i = 0; i < 20; ++i) {
    push("m");
    box.push_front_begun(pack("b", pool), pool);
  }
  CHECK(content(box) == std::string(20, 'b') + std::string(20, 'm'));
  CHECK(box.queued().bytes == 40);
  CHECK(box.drop_oldest());
  CHECK(content(box) == std::string(20, 'b') + std::string(19, 'm'));
}

TEST_CASE_METHOD(fixture, "outbox: a key replaces in place, unless it has begun to leave",
                 "[machine][outbox]") {
  push("a1|", 1);
  push("b1|", 2);
  push("c1|");
  CHECK(replace(1, "a2 is longer|"));
  CHECK(content(box) == "a2 is longer|b1|c1|");
  CHECK(box.queued().bytes == 19);
  CHECK_FALSE(replace(3, "x"));
  box.consume(1, pool);
  CHECK_FALSE(replace(1, "a3|"));
  CHECK(replace(2, "b2|"));
  CHECK(content(box) == "2 is longer|b2|c1|");
  push("a3|", 1);
  CHECK(replace(1, "a4|"));
  CHECK(content(box) == "2 is longer|b2|c1|a4|");
  push("zero|", 0);
  CHECK(replace(0, "nil|"));  // zero is a key like any other
}

TEST_CASE_METHOD(fixture, "outbox: at most sixteen pongs wait, the newest answers",
                 "[machine][outbox]") {
  push("message|");
  for (int i = 0; i < 100; ++i) {
    box.push_pong(pack("p" + std::to_string(i) + "|", pool), pool);
  }
  std::string expected = "message|";
  for (int i = 0; i < 15; ++i) expected += "p" + std::to_string(i) + "|";
  expected += "p99|";
  CHECK(content(box) == expected);
  CHECK(box.queued().bytes == expected.size());
  box.consume(8 + 3, pool);  // one pong has left: there is room for one
  box.push_pong(pack("new|", pool), pool);
  CHECK(content(box) == expected.substr(11) + "new|");
}

TEST_CASE_METHOD(fixture, "outbox: a pong that has begun to leave is not replaced",
                 "[machine][outbox]") {
  for (int i = 0; i < 16; ++i) box.push_pong(pack("pong", pool), pool);
  box.consume(15 * 4 + 1, pool);
  for (int i = 0; i < 15; ++i) box.push_pong(pack("new!", pool), pool);
  box.push_pong(pack("last", pool), pool);
  std::string expected = "ong";
  for (int i = 0; i < 14; ++i) expected += "new!";
  CHECK(content(box) == expected + "last");
}

TEST_CASE_METHOD(fixture, "outbox: gives its memory back when empty", "[machine][outbox]") {
  // A ring of four pieces comes from the pool's class of its size: it is free again each time.
  void* const sample = pool.allocate(256);
  pool.deallocate(sample, 256);
  for (int round = 0; round < 3; ++round) {
    push("x");
    push("y");
    box.consume(2, pool);
    void* const again = pool.allocate(256);
    CHECK(again == sample);
    pool.deallocate(again, 256);
  }
}

TEST_CASE_METHOD(fixture, "outbox: clear forgets everything", "[machine][outbox]") {
  for (int i = 0; i < 20; ++i) box.push_pong(pack("pong", pool), pool);
  for (int i = 0; i < 20; ++i) push("message");
  box.consume(3, pool);
  box.clear(pool);
  CHECK(box.empty());
  CHECK(box.queued().bytes == 0);
  push("whole");
  CHECK(content(box) == "whole");
  for (int i = 0; i < 16; ++i) box.push_pong(pack("p", pool), pool);
  CHECK(content(box) == "whole" + std::string(16, 'p'));
}

TEST_CASE_METHOD(fixture, "outbox: messages of a run are one piece, and are still told apart",
                 "[machine][outbox]") {
  payload_run run;
  auto const add = [&](std::string_view text) {
    box.push(run.append(as_bytes(text), {}, pool), {}, pool);
  };
  for (auto const* text : {"one ", "two ", "three ", "four"}) add(text);
  std::array<bytes_view, 4> views;
  CHECK(box.gather(views) == 1);
  CHECK(as_text(box.lone()) == "one two three four");
  CHECK(box.queued().messages == 4);
  CHECK(box.queued().bytes == 18);

  SECTION("drops") {
    CHECK(box.drop_oldest());
    CHECK(content(box) == "two three four");
    CHECK(box.queued().messages == 3);
    box.consume(4, pool);  // no message has begun to leave
    CHECK(box.drop_oldest());
    CHECK(content(box) == "four");
  }
  SECTION("what has begun to leave is finished") {
    box.consume(5, pool);
    CHECK(box.queued().messages == 3);
    CHECK(box.drop_oldest());
    CHECK(content(box) == "wo four");
    add(" five");
    CHECK(box.drop_oldest());
    CHECK(content(box) == "wo  five");
    CHECK(box.drop_oldest());
    CHECK_FALSE(box.drop_oldest());
    CHECK(content(box) == "wo ");
  }
  SECTION("something else in between") {
    push("alone ");
    add("five");
    CHECK(box.gather(views) == 3);
    CHECK(box.queued().messages == 6);
  }
  SECTION("a run that goes on for another queue") {
    (void)run.append(as_bytes(std::string_view("not for this one")), {}, pool);
    add("five");
    CHECK(box.gather(views) == 2);
  }
}

TEST_CASE("outbox: behaves as a list of messages, whatever is done to it", "[machine][outbox]") {
  enum class what { plain, keyed, control, pong, begun };
  struct item {
    what kind;
    std::uint64_t key;
    std::string text;
  };
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    fixture at;
    payload_run run;
    std::deque<item> model;
    std::size_t sent = 0;  // bytes of the first that have left
    auto const text = [&] {
      std::string made(static_cast<std::size_t>(random.between(1, 40)), '\0');
      for (char& c : made) c = static_cast<char>('a' + random.uniform(26));
      return made;
    };
    for (int step = 0; step < 1'000; ++step) {
      std::string const fresh = text();
      std::uint64_t const key = random.uniform(5);
      switch (random.uniform(10)) {
        case 8:
        case 9:
          at.box.push(run.append(as_bytes(fresh), {}, at.pool), {}, at.pool);
          model.push_back({what::plain, 0, fresh});
          break;
        case 0:
        case 1:
          at.push(fresh);
          model.push_back({what::plain, 0, fresh});
          break;
        case 2: {
          std::size_t i = model.size();
          while (i > 0 && !(model[i - 1].kind == what::keyed && model[i - 1].key == key &&
                            (i > 1 || sent == 0))) {
            --i;
          }
          REQUIRE(at.replace(key, fresh) == (i > 0));
          if (i > 0) {
            model[i - 1].text = fresh;
          } else {
            at.push(fresh, key);
            model.push_back({what::keyed, key, fresh});
          }
          break;
        }
        case 3:
          at.box.push_control(pack(fresh, at.pool), at.pool);
          model.push_back({what::control, 0, fresh});
          break;
        case 4: {
          at.box.push_pong(pack(fresh, at.pool), at.pool);
          auto const is_pong = [](item const& one) { return one.kind == what::pong; };
          if (std::count_if(model.begin(), model.end(), is_pong) < 16) {
            model.push_back({what::pong, 0, fresh});
          } else {
            std::find_if(model.rbegin(), model.rend(), is_pong)->text = fresh;
          }
          break;
        }
        case 5: {
          auto oldest = model.begin() + (sent > 0 ? 1 : 0);
          while (oldest != model.end() && oldest->kind != what::plain &&
                 oldest->kind != what::keyed) {
            ++oldest;
          }
          REQUIRE(at.box.drop_oldest() == (oldest != model.end()));
          if (oldest != model.end()) model.erase(oldest);
          break;
        }
        default: {
          std::size_t total = 0;
          for (auto const& one : model) total += one.text.size();
          total -= sent;
          auto count =
              static_cast<std::size_t>(random.uniform(std::min<std::size_t>(total, 60) + 1));
          if (random.one_in(20)) count = total;
          at.box.consume(count, at.pool);
          sent += count;
          while (!model.empty() && sent >= model.front().text.size()) {
            sent -= model.front().text.size();
            model.pop_front();
          }
        }
      }
      std::string expected;
      for (auto const& one : model) expected += one.text;
      expected.erase(0, sent);
      REQUIRE(content(at.box) == expected);
      REQUIRE(at.box.queued().bytes == expected.size());
      REQUIRE(at.box.queued().messages == model.size());
      REQUIRE(at.box.empty() == model.empty());
      auto const is_message = [](item const& one) {
        return one.kind != what::control && one.kind != what::pong;
      };
      REQUIRE(at.box.holds_messages() == std::any_of(model.begin(), model.end(), is_message));
    }
  }
}
