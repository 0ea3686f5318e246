#include "sim/harness.hpp"

using namespace sim;

namespace {

template <class Model>
using house_with = basic_house<plain::with_backpressure<Model>>;

// Small buffers, small limits: 4 KiB on the way, then 10 messages or 10 KB queued.
template <class House>
void tight(House& h) {
  h.net.set_link({.buffer = 4096});
  h.echo = false;
}
auto const limits = [](auto& numbers) {
  numbers.backpressure = {.max_bytes = 10'000, .max_messages = 10};
};

std::string numbered(int i, std::size_t size = 500) {
  std::string made = std::to_string(i) + " ";
  made.resize(size, '.');
  return made;
}
int number(std::string const& what) { return std::stoi(what); }

// Sends a message that fills the link and blocks, so that what follows is queued.
template <class House>
void block(House& h, hawser::websocket const& s) {
  REQUIRE(!s.send(std::string(6000, '#')));
  h.run(1ms);
}

}  // namespace

TEST_CASE("sim: disconnect_slow gives up a peer that does not read, and nobody else", "[sim]") {
  house_with<hawser::disconnect_slow> h(limits);
  tight(h);
  peer slow(h), good(h);
  h.run(1ms);
  slow.pause_reading(true);
  block(h, h.sockets[0]);
  int taken = 0;
  std::error_code last;
  for (int i = 0; i < 30 && !last; ++i) {
    last = h.sockets[0].send(numbered(i));
    taken += !last;
  }
  CHECK(last == errc::send_queue_full);
  CHECK(taken == 9);  // beside what has begun to leave
  CHECK(h.closes == 0);  // not under the caller's feet
  CHECK(h.sockets[0].send("x") == errc::not_open);
  CHECK(!h.sockets[0].is_open());
  CHECK(h.counters().queued_bytes_peak <= 10'000);
  CHECK(h.counters().slow_closed == 1);
  CHECK(h.sockets[0].queued().bytes < 2500);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(!h.sockets[1].send(numbered(i)));
    h.run(1ms);
  }
  CHECK(good.texts().size() == 50);
  h.run(2s);
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].code == close_code::try_again_later);
  CHECK(h.endings[0].error == errc::send_queue_full);
  slow.pause_reading(false);
  h.run(1ms);
  CHECK(slow.was_reset());
  CHECK(h.server->size() == 1);
}

TEST_CASE("sim: a slow peer that reads on after all gets Close 1013", "[sim]") {
  house_with<hawser::disconnect_slow> h(limits);
  tight(h);
  peer slow(h);
  h.run(1ms);
  slow.pause_reading(true);
  block(h, h.sockets[0]);
  for (int i = 0; i < 100 && !h.sockets[0].send(numbered(0)); ++i) {
  }
  slow.pause_reading(false);
  h.run(100ms);
  auto const frames = slow.frames();
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].payload == std::string(6000, '#'));  // begun, so it was not cut
  CHECK(code_of(frames[1]) == 1013);
  slow.send(goodbye(1013));
  h.run(100ms);
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].error == errc::send_queue_full);
}

TEST_CASE("sim: drop_newest refuses what does not fit", "[sim]") {
  house_with<hawser::drop_newest> h(limits);
  tight(h);
  peer p(h);
  h.run(1ms);
  p.pause_reading(true);
  block(h, h.sockets[0]);
  int refused = 0;
  for (int i = 0; i < 30; ++i) refused += h.sockets[0].send(numbered(i)) == errc::dropped;
  CHECK(refused == 21);
  CHECK(h.counters().messages_dropped == 21);
  p.pause_reading(false);
  h.run(10ms);
  auto const got = p.texts();
  REQUIRE(got.size() == 10);
  for (int i = 0; i < 9; ++i) CHECK(number(got[static_cast<std::size_t>(i) + 1]) == i);
  CHECK(h.drains == 1);
}

TEST_CASE("sim: drop_oldest throws away what waits longest, never what has begun", "[sim]") {
  house_with<hawser::drop_oldest> h(limits);
  tight(h);
  peer p(h);
  h.run(1ms);
  p.pause_reading(true);
  block(h, h.sockets[0]);
  for (int i = 0; i < 30; ++i) CHECK(!h.sockets[0].send(numbered(i)));
  CHECK(h.counters().messages_dropped == 21);
  p.send(wire(9, "still there?"));  // pongs are not dropped
  h.run(1ms);
  p.pause_reading(false);
  h.run(10ms);
  auto const frames = p.frames();
  REQUIRE(frames.size() == 11);
  CHECK(frames[0].payload == std::string(6000, '#'));
  for (int i = 0; i < 9; ++i) {
    CHECK(number(frames[static_cast<std::size_t>(i) + 1].payload) == 21 + i);
  }
  CHECK(frames[10].opcode == 10);
  CHECK(h.drains == 1);
  CHECK(h.closes == 0);
}

TEST_CASE("sim: latest_by_key keeps the newest of each key in the place of the first", "[sim]") {
  house_with<hawser::latest_by_key> h(limits);
  tight(h);
  peer p(h);
  h.run(1ms);
  p.pause_reading(true);
  REQUIRE(!h.sockets[0].send(numbered(1000, 6000), {.key = 1}));
  h.run(1ms);
  for (int i = 0; i < 60; ++i) {
    auto const key = static_cast<std::uint64_t>(i % 3);
    if (i % 2) {
      CHECK(!h.sockets[0].send(numbered(i), {.key = key}));
    } else {
      CHECK(h.server->all().send(numbered(i), {.key = key}) == 1);
    }
  }
  CHECK(h.counters().messages_replaced == 57);
  CHECK(h.counters().messages_dropped == 0);
  p.pause_reading(false);
  h.run(10ms);
  auto const got = p.texts();
  REQUIRE(got.size() == 4);
  CHECK(got[0] == numbered(1000, 6000));  // begun: not replaced, not cut
  CHECK(number(got[1]) == 57);
  CHECK(number(got[2]) == 58);
  CHECK(number(got[3]) == 59);
}

TEST_CASE("sim: pause_reading stops reading a peer that takes no answers", "[sim]") {
  house_with<hawser::pause_reading> h(limits);
  tight(h);
  h.echo = true;
  peer p(h);
  h.run(1ms);
  p.pause_reading(true);
  for (int i = 0; i < 100; ++i) {
    p.send(text(numbered(i)));
    h.run(1ms);
  }
  auto const before = h.messages.size();
  CHECK(before < 40);
  CHECK(p.unsent() > 0);  // TCP slows it down
  CHECK(h.counters().queued_bytes_peak < 20'000);
  p.pause_reading(false);
  h.run(100ms);
  CHECK(h.messages.size() == 100);
  auto const got = p.texts();
  REQUIRE(got.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(got[static_cast<std::size_t>(i)] == numbered(i));
  CHECK(h.closes == 0);
}

TEST_CASE("sim: pause_reading reads on when half of the queue has left", "[sim]") {
  house_with<hawser::pause_reading> h([](auto& numbers) {
    numbers.backpressure = {.max_bytes = 10'000, .max_messages = 1000};
  });
  tight(h);
  h.net.set_link({.bandwidth = 1000, .buffer = 1000});  // takes about 1,000 bytes a second
  peer p(h);
  h.run(1s);
  do REQUIRE(!h.sockets[0].send(numbered(1, 200)));
  while (h.sockets[0].queued().bytes <= 10'000);
  p.send(text("go") + text("next"));
  h.run(2s);
  REQUIRE(h.messages.empty());
  std::size_t left = 0;
  h.net.run_until(
      [&] {
        if (h.messages.empty()) left = h.sockets[0].queued().bytes;
        return h.messages.size() == 2;
      },
      60s);
  REQUIRE(h.messages.size() == 2);
  CHECK(left > 3'000);
  CHECK(left < 7'000);
}

TEST_CASE("sim: pause_reading ends as well when all that was queued leaves at once", "[sim]") {
  house_with<hawser::pause_reading> h(limits);
  h.echo = false;
  peer p(h);
  h.run(1ms);
  int emitted = 0;
  h.then = [&](hawser::websocket, hawser::message const& what) {
    if (what.text() == "go") {
      for (int i = 0; i < 15; ++i) emitted += static_cast<int>(h.server->all().send("x"));
    }
  };
  for (int i = 0; i < 20; ++i) {
    p.send(text("go") + text("next"));
    h.run(1ms);
  }
  CHECK(h.messages.size() == 40);
  CHECK(p.texts().size() == 300);
  CHECK(h.closes == 0);
  // Also in one read: no recursion, however much there is.
  std::string many;
  for (int i = 0; i < 5000; ++i) many += text("go");
  p.send(many);
  h.run(1s);
  CHECK(h.messages.size() == 5040);
  CHECK(emitted == 15 * 5020);
  CHECK(p.texts().size() == 15 * 5000);
}

TEST_CASE("sim: a paused peer that is given up is heard to the end", "[sim]") {
  house_with<hawser::pause_reading> h(limits);
  tight(h);
  peer p(h);
  h.run(1ms);
  p.pause_reading(true);
  h.then = [&](hawser::websocket s, hawser::message const& what) {
    if (what.text() != "go") return;
    for (int i = 0; i < 9; ++i) CHECK(!s.send(std::string(700, '#')));
  };
  block(h, h.sockets[0]);
  p.send(text("go") + text("held back").substr(0, 8));
  h.run(1ms);
  CHECK(h.sockets[0].queued().messages == 10);
  p.send(text("held back").substr(8));
  h.run(1ms);
  for (int i = 0; i < 20 && h.sockets[0].is_open(); ++i) (void)h.sockets[0].send("y");
  CHECK(!h.sockets[0].is_open());
  p.send(goodbye(1013));
  p.pause_reading(false);
  h.run(100ms);
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].error == errc::send_queue_full);
  CHECK(h.counters().violations == 0);
  CHECK(p.closed_with() == 1013);
}

TEST_CASE("sim: what others send to a paused peer is bounded at twice the limits", "[sim]") {
  house_with<hawser::pause_reading> h(limits);
  tight(h);
  peer p(h);
  h.run(1ms);
  p.pause_reading(true);
  block(h, h.sockets[0]);
  int taken = 0;
  while (taken < 100 && !h.sockets[0].send(numbered(0))) ++taken;
  CHECK(taken == 19);
  h.run(5s);
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].error == errc::send_queue_full);
}

TEST_CASE("sim: one stalled peer among 1,000 costs the others nothing", "[sim]") {
  house_with<hawser::disconnect_slow> h(limits);
  tight(h);
  std::vector<std::unique_ptr<peer>> peers;
  for (int i = 0; i < 1000; ++i) peers.push_back(std::make_unique<peer>(h));
  h.run(1ms);
  peers[500]->pause_reading(true);
  std::size_t reached = 0;
  for (int i = 0; i < 40; ++i) {
    reached += h.server->all().send(numbered(i));
    h.run(10ms);
  }
  CHECK(reached >= 40 * 999);
  CHECK(reached < 40 * 1000);
  int complete = 0;
  for (auto& one : peers) complete += one->texts().size() == 40;
  CHECK(complete == 999);
  CHECK(h.counters().slow_closed == 1);
  CHECK(h.counters().queued_bytes_peak <= 10'000);
  h.run(5s);
  CHECK(h.closes == 1);
}

TEST_CASE("sim: a drain event tells when a blocked peer has taken everything", "[sim]") {
  house h;
  h.net.set_link({.buffer = 4096});
  peer p(h);
  h.run(1ms);
  REQUIRE(!h.sockets[0].send("small"));
  h.run(1ms);
  CHECK(h.drains == 0);  // nothing had to wait
  p.pause_reading(true);
  REQUIRE(!h.sockets[0].send(std::string(20'000, 'x')));
  h.run(1ms);
  CHECK(h.drains == 0);
  CHECK(h.sockets[0].queued().bytes > 15'000);
  p.pause_reading(false);
  h.run(1ms);
  CHECK(h.drains == 1);
  CHECK(h.sockets[0].queued().bytes == 0);
  CHECK(h.sockets[0].queued().messages == 0);
}

TEST_CASE("sim: latest_by_key keeps the newest of what was to leave at once", "[sim]") {
  house_with<hawser::latest_by_key> h(limits);
  tight(h);
  peer slow(h);
  h.run(1ms);
  slow.pause_reading(true);
  for (int i = 0; i < 40; ++i) {
    REQUIRE(!h.sockets[0].send(numbered(i), {.key = 1, .at_once = true}));
  }
  CHECK(h.sockets[0].queued().messages <= 2);  // one that has begun to leave, and the newest
  slow.pause_reading(false);
  h.run(1s);
  auto const heard = slow.texts();
  REQUIRE(!heard.empty());
  CHECK(number(heard.back()) == 39);
  for (std::size_t i = 1; i < heard.size(); ++i) CHECK(number(heard[i - 1]) < number(heard[i]));
}
