#include "sim/harness.hpp"

using namespace sim;

namespace {
using texts = std::vector<std::string>;
}

TEST_CASE("sim: a broadcast reaches the union of rooms except others, each peer once", "[sim]") {
  house h;
  std::vector<std::unique_ptr<peer>> peers;
  for (int i = 0; i < 6; ++i) peers.push_back(std::make_unique<peer>(h));
  h.run();
  auto& s = h.sockets;
  REQUIRE(s.size() == 6);
  for (std::size_t i : {0u, 1u, 2u}) CHECK(s[i].join("a"));
  for (std::size_t i : {1u, 2u, 3u}) CHECK(s[i].join("b"));
  for (std::size_t i : {2u, 4u}) CHECK(s[i].join("c"));
  CHECK(!s[0].join("a"));
  auto const got = [&] {
    h.run();
    std::string who;
    for (std::size_t i = 0; i < peers.size(); ++i) {
      auto const some = peers[i]->texts();
      CHECK(some.size() <= 1);
      if (!some.empty()) who += std::to_string(i);
    }
    return who;
  };
  CHECK(h.server->to("a").to("b").send("x") == 4);
  CHECK(got() == "0123");
  CHECK(h.server->to("a").to("b").except("c").send("x") == 3);
  CHECK(got() == "013");
  CHECK(s[1].to("a").to("b").send("x") == 3);
  CHECK(got() == "023");
  CHECK(s[5].to("a").send("x") == 3);
  CHECK(got() == "012");
  CHECK(h.server->all().except("a").send("x") == 3);
  CHECK(got() == "345");
  CHECK(h.server->all().except(s[0]).except(s[1]).except(s[5]).send("x") == 3);
  CHECK(got() == "234");
  CHECK(s[0].broadcast().send("x") == 5);
  CHECK(got() == "12345");
  CHECK(h.server->to("nobody is here").send("x") == 0);
  CHECK(h.server->to("nobody").to("c").send("x") == 2);
  CHECK(got() == "24");
  CHECK(s[2].leave("c"));
  CHECK(!s[2].leave("c"));
  CHECK(h.server->to("c").send("x") == 1);
  CHECK(got() == "4");
}

TEST_CASE("sim: a connection is in its rooms during its close event and then in none", "[sim]") {
  house h;
  auto const lobby = h.server->room("lobby");
  std::size_t during = 0;
  h.server->on_close([&](hawser::websocket s, hawser::close_event const&) {
    during = lobby.size();
    CHECK(!s.join("another"));
    CHECK(s.to("lobby").send("one has left") == 1);
    CHECK(lobby.send("really") == 1);
    CHECK(s.send("to myself") == errc::not_open);
  });
  peer a(h), b(h);
  h.run();
  for (auto& s : h.sockets) CHECK(s.join("lobby"));
  CHECK(lobby.size() == 2);
  a.reset();
  h.run();
  CHECK(during == 2);
  CHECK(lobby.size() == 1);
  CHECK(b.texts() == texts{"one has left", "really"});
  CHECK(!h.sockets[0].leave("lobby"));
  CHECK(!h.sockets[0].join("lobby"));
}

TEST_CASE("sim: a room handle works on after its room was empty and another took its place",
          "[sim]") {
  house h;
  auto const first = h.server->room("first");
  peer a(h), b(h);
  h.run();
  for (int round = 0; round < 3; ++round) {
    CHECK(first.size() == 0);
    CHECK(first.send("nobody") == 0);
    CHECK(h.sockets[1].join("second " + std::to_string(round)));  // may reuse what "first" had
    CHECK(first.send("nobody") == 0);
    CHECK(h.sockets[0].join("first"));
    CHECK(first.size() == 1);
    CHECK(first.send("you") == 1);
    CHECK(first.except(h.sockets[0]).send("not you") == 0);
    CHECK(h.sockets[0].leave("first"));
  }
  h.run();
  CHECK(a.texts() == texts{"you", "you", "you"});
  CHECK(b.texts().empty());
}

TEST_CASE("sim: rooms may change while handlers of a broadcast's members run", "[sim]") {
  house h;
  h.echo = false;
  std::vector<std::unique_ptr<peer>> peers;
  for (int i = 0; i < 20; ++i) peers.push_back(std::make_unique<peer>(h));
  h.run();
  for (auto& s : h.sockets) CHECK(s.join("all"));
  h.then = [&](hawser::websocket s, hawser::message const& what) {
    s.to("all").send(what);
    (void)s.leave("all");
    (void)s.terminate();
  };
  for (auto& one : peers) one->send(text("bye"));
  h.run();
  CHECK(h.closes == 20);
  CHECK(h.server->room("all").size() == 0);
  CHECK(h.server->size() == 0);
}

TEST_CASE("sim: messages to one peer arrive in the order of the calls, byte for byte", "[sim]") {
  std::size_t const max_write = GENERATE(1u, 2u, 3u, 5u, 7u, 1000u, 100'000u);
  std::size_t const max_size = max_write < 10 ? 5'000 : 200'000;
  house h([](auto& numbers) {
    numbers.backpressure = {.max_bytes = 64 << 20, .max_messages = 100'000};
    numbers.limits.write_stall_timeout = 1h;
  });
  h.net.set_link({.buffer = 3000, .max_write = max_write});
  h.echo = false;
  peer a(h), b(h);
  h.run();
  for (auto& s : h.sockets) REQUIRE(s.join("both"));
  texts expected_a, expected_b;
  int serial = 0;
  hawser::seeded_random chance(max_write);
  auto const fresh = [&] {
    std::size_t size = chance.one_in(4) ? chance.between(1, max_size) : chance.between(1, 200);
    std::string made = std::to_string(serial++) + ":";
    made.resize(std::max(size, made.size()), static_cast<char>('a' + serial % 26));
    return made;
  };
  auto const emit = [&](int count) {
    for (; count > 0; --count) {
      auto const what = fresh();
      switch (chance.uniform(6)) {
        case 0: h.server->all().send(what); break;
        case 1: h.server->to("both").send(what); break;
        case 2:
          (void)h.sockets[0].send(what);
          expected_a.push_back(what);
          continue;
        case 3:
          (void)h.sockets[1].send(what);
          expected_b.push_back(what);
          continue;
        case 4:
          h.sockets[0].to("both").send(what);
          expected_b.push_back(what);
          continue;
        default: h.server->flush(); continue;
      }
      expected_a.push_back(what);
      expected_b.push_back(what);
    }
  };
  h.then = [&](hawser::websocket, hawser::message const&) { emit(8); };
  texts got_a, got_b;
  auto const collect = [&] {
    for (auto& one : a.texts()) got_a.push_back(std::move(one));
    for (auto& one : b.texts()) got_b.push_back(std::move(one));
  };
  for (int round = 0; round < 6; ++round) {
    a.pause_reading(round % 2 == 1);
    a.send(text("x") + text("y"));
    b.send(text("z"));
    if (round == 3) (void)h.server->poll(1s);
    emit(4);
    h.run(1ms);
    collect();
  }
  a.pause_reading(false);
  h.run(1min);
  collect();
  CHECK((got_a == expected_a));
  CHECK((got_b == expected_b));
  CHECK(h.closes == 0);
}
