#include "sim/socketio_harness.hpp"

using namespace sim;

namespace {

template <class Policy>
using hall_with = basic_hall<io_plain::with_backpressure<Policy>>;

constexpr hawser::event<"pos", int, int> pos{.delivery = hawser::latest};

// A server with short queues, and one client that takes nothing for now.
template <class Policy>
struct slow : hall_with<Policy> {
  std::optional<io_peer> ws;
  std::optional<polling_peer> poll;

  slow(bool polling, std::size_t messages, std::size_t bytes)
      : hall_with<Policy>([=](auto& numbers) {
          numbers.backpressure.max_messages = messages;
          numbers.backpressure.max_bytes = bytes;
        }) {
    this->net.set_link({.buffer = 1000});
    if (polling) {
      poll.emplace(*this);
      poll->join();
    } else {
      ws.emplace(*this);
      ws->join();
      ws->pause_reading(true);
      // Fills the stream, so that what follows is queued.
      (void)client().emit("fill", std::string(1500, 'f'));
      this->run();
    }
    before = client().queued();
  }
  hawser::socket client() const { return this->sockets.at(0); }
  hawser::backlog before;

  // Everything that it was sent, once it takes it; without what filled the stream.
  strings all() {
    strings got;
    if (ws) {
      ws->pause_reading(false);
      this->run(100ms);
      got = ws->packets();
      std::erase_if(got, [](auto const& one) { return one.starts_with("42[\"fill\""); });
      return got;
    }
    for (int i = 0; i < 5; ++i) {
      for (auto& one : poll->packets()) got.push_back(std::move(one));
    }
    return got;
  }
};

std::string item(int n) { return "42[\"e\"," + std::to_string(n) + "]"; }
std::string const attached =
    "452-[\"b\",{\"_placeholder\":true,\"num\":0},"
    "{\"_placeholder\":true,\"num\":1}]";

// Every packet with attachments is whole: they follow it, and stand nowhere else.
bool is_whole(strings const& got) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i].starts_with("b")) return false;
    if (!got[i].starts_with("452-")) continue;
    if (i + 2 >= got.size() || !got[i + 1].starts_with("b1") || !got[i + 2].starts_with("b2")) {
      return false;
    }
    i += 2;
  }
  return true;
}

}  // namespace

TEST_CASE("sim: disconnect_slow gives up who doesn't take its events",
          "[sim][socketio][backpressure]") {
  for (bool const polling : {false, true}) {
    INFO("polling " << polling);
    slow<hawser::disconnect_slow> h(polling, 10, 100'000);
    io_peer other(h);
    other.join();
    auto const s = h.client();
    std::size_t const room = 10 - h.before.messages;
    for (std::size_t i = 0; i < room; ++i) CHECK(!s.emit("e", static_cast<int>(i)));
    CHECK(h.counters().slow_closed == 0);
    CHECK(s.emit("e", 99) == errc::send_queue_full);
    CHECK(h.counters().slow_closed == 1);
    CHECK(h.server->emit("news") >= 1);
    CHECK(h.reasons.empty());  // not under the feet of whoever sends
    h.run(3s);
    REQUIRE(h.reasons.size() == 1);
    CHECK(h.reasons[0] == "transport error");
    CHECK(has(other.packets(), "42[\"news\"]"));
    if (polling) {
      h.poll->poll();
      CHECK(h.poll->polled() == 400);
    }
    other.reset();
    h.run(1min);
    CHECK(h.server->size() == 0);
  }
}

TEST_CASE("sim: drop_newest refuses what no longer fits", "[sim][socketio][backpressure]") {
  for (bool const polling : {false, true}) {
    INFO("polling " << polling);
    slow<hawser::drop_newest> h(polling, 10, 100'000);
    auto const s = h.client();
    int const room = static_cast<int>(10 - h.before.messages);
    strings expected;
    for (int i = 0; i < 20; ++i) {
      CHECK((s.emit("e", i) == errc::dropped) == (i >= room));
      if (i < room) expected.push_back(item(i));
    }
    CHECK(s.emit("b", hawser::as_bytes("1"), hawser::as_bytes("2")) == errc::dropped);
    CHECK(h.counters().messages_dropped == static_cast<std::uint64_t>(21 - room));
    CHECK(h.all() == expected);
    CHECK(s.connected());
    CHECK(!s.emit("e", 5));
  }
}

TEST_CASE("sim: drop_oldest keeps what is new", "[sim][socketio][backpressure]") {
  for (bool const polling : {false, true}) {
    INFO("polling " << polling);
    slow<hawser::drop_oldest> h(polling, 10, 100'000);
    auto const s = h.client();
    for (int i = 0; i < 50; ++i) CHECK(!s.emit("e", i));
    auto const got = h.all();
    REQUIRE(got.size() >= 9);
    CHECK(got.size() <= 10);
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK(got[i] == item(static_cast<int>(50 - got.size() + i)));
    }
    CHECK(h.counters().messages_dropped >= 40);
    CHECK(s.connected());
  }
}

TEST_CASE("sim: a packet is dropped with its attachments or not at all",
          "[sim][socketio][backpressure]") {
  for (bool const polling : {false, true}) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      INFO("polling " << polling << " seed " << seed);
      hawser::seeded_random chance(seed);
      slow<hawser::drop_oldest> h(polling, 4 + chance.uniform(10), 2'000 + chance.uniform(3'000));
      for (int i = 0; i < 40; ++i) {
        std::string const bytes(1 + chance.uniform(300), 'x');
        if (chance.one_in(2)) {
          std::string const one = "1" + bytes, two = "2" + bytes;
          chance.one_in(2)
              ? (void)h.client().emit("b", hawser::as_bytes(one), hawser::as_bytes(two))
              : (void)h.server->emit("b", hawser::as_bytes(one), hawser::as_bytes(two));
        } else {
          (void)h.client().emit("e", bytes);
        }
        if (chance.one_in(10)) h.run();
      }
      auto const got = h.all();
      CHECK(!got.empty());
      CHECK(is_whole(got));
      CHECK(h.client().connected());
    }
  }
}

TEST_CASE("sim: latest_by_key keeps one of each key, in its place",
          "[sim][socketio][backpressure]") {
  for (bool const polling : {false, true}) {
    INFO("polling " << polling);
    slow<hawser::latest_by_key> h(polling, 10, 100'000);
    auto const s = h.client();
    (void)s.emit(pos, 1, 10);
    (void)s.emit("e", 0);
    (void)s.emit(pos, 2, 20);
    for (int i = 0; i < 100; ++i) {
      (void)s.emit(pos, 1, 100 + i);
      (void)h.server->emit(pos, 2, 200 + i);
    }
    CHECK(h.counters().messages_replaced == 200);
    CHECK(h.counters().messages_dropped == 0);
    CHECK(h.all() == strings{"42[\"pos\",1,199]", item(0), "42[\"pos\",2,299]"});
  }
}

TEST_CASE("sim: pause_reading slows a WebSocket down and gives it up at twice the limits",
          "[sim][socketio][backpressure]") {
  slow<hawser::pause_reading> h(false, 10, 1'000'000);
  int asked = 0;
  h.server->on("ask", [&](hawser::socket s) {
    ++asked;
    (void)s.emit("e", asked);
  });
  std::string questions;
  for (int i = 0; i < 60; ++i) questions += text("42[\"ask\"]");
  h.ws->send(questions);
  h.run(1s);
  CHECK(asked < 60);
  CHECK(h.client().connected());
  h.ws->pause_reading(false);
  h.run(1s);
  CHECK(asked == 60);
  CHECK(h.reasons.empty());
  h.ws->pause_reading(true);
  (void)h.client().emit("fill", std::string(1500, 'f'));
  h.run();
  for (int i = 0; i < 30; ++i) (void)h.client().emit("e", i);
  h.run(3s);
  CHECK(h.reasons.size() == 1);
  CHECK(h.counters().slow_closed == 1);
}

TEST_CASE("sim: a slow polling client gets everything that its queue holds, in order",
          "[sim][socketio][backpressure]") {
  slow<hawser::disconnect_slow> h(true, 4'000, 1'000'000);
  strings got;
  int sent = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) CHECK(!h.client().emit("e", sent++));
    h.run(1s);
    for (auto& one : h.poll->packets()) got.push_back(std::move(one));
    h.run(1s);
  }
  for (auto& one : h.all()) got.push_back(std::move(one));
  std::erase(got, "2");
  REQUIRE(got.size() == static_cast<std::size_t>(sent));
  for (int i = 0; i < sent; ++i) CHECK(got[static_cast<std::size_t>(i)] == item(i));
}

TEST_CASE("sim: one event larger than the queue goes to a client that takes it",
          "[sim][socketio][backpressure]") {
  for (bool const polling : {false, true}) {
    hall_with<hawser::disconnect_slow> h(
        [](auto& numbers) { numbers.backpressure.max_bytes = 1'000; });
    std::string const large(50'000, 'x');
    std::string const packet = "42[\"e\",\"" + large + "\"]";
    if (polling) {
      polling_peer p(h);
      p.join();
      CHECK(!h.sockets[0].emit("e", large));
      CHECK(h.sockets[0].emit("e", 1) == errc::send_queue_full);
    } else {
      io_peer p(h);
      p.join();
      CHECK(!h.sockets[0].emit("e", large));
      h.run(1ms);
      CHECK(p.packets() == strings{packet});
      CHECK(!h.sockets[0].emit("e", large));
    }
  }
}

TEST_CASE("sim: an acknowledgement that is dropped is told at once",
          "[sim][socketio][backpressure]") {
  slow<hawser::drop_newest> h(true, 3, 100'000);
  for (int i = 0; i < 3; ++i) CHECK(!h.client().emit("e", i));
  std::error_code told;
  h.client().emit_with_ack("q", [&](std::error_code error, int) { told = error; });
  CHECK(told == errc::dropped);
  h.run(1min);
  CHECK(h.counters().ack_timeouts == 0);
}

TEST_CASE("sim: a poll that waits takes what no longer fits the queue",
          "[sim][socketio][backpressure]") {
  slow<hawser::drop_newest> h(true, 3, 100'000);
  h.poll->poll();
  int taken = 0;
  for (int i = 0; i < 10; ++i) taken += h.client().emit("e", i) ? 0 : 1;
  CHECK(taken == 6);
  h.run();
  CHECK(h.poll->polled() == 200);
  CHECK(split_payload(h.poll->body) == strings{item(0), item(1), item(2)});
  h.poll->poll();
  CHECK(h.poll->polled() == 200);
  CHECK(split_payload(h.poll->body) == strings{item(3), item(4), item(5)});
}

TEST_CASE("sim: an upgrade with a full queue tears nothing apart",
          "[sim][socketio][backpressure]") {
  slow<hawser::drop_oldest> h(true, 6, 100'000);
  for (int i = 0; i < 20; ++i) {
    (void)h.client().emit("e", i);
    (void)h.client().emit("b", hawser::as_bytes("1"), hawser::as_bytes("2"));
  }
  io_peer ws(h, h.poll->sid);
  ws.say("2probe");
  ws.say("5");
  CHECK(ws.packets() == strings{"3probe", item(17), attached, "b1", "b2", item(18), attached, "b1",
                                "b2", item(19), attached, "b1", "b2"});
}
