#include "sim/harness.hpp"

using namespace sim;

TEST_CASE("sim: over the common budget for unfinished messages the largest has to go",
          "[sim][limits]") {
  house h([](auto& numbers) { numbers.limits.partial_message_budget = 300'000; });
  std::vector<std::unique_ptr<peer>> peers;
  for (int i = 0; i < 5; ++i) peers.push_back(std::make_unique<peer>(h));
  h.run();
  // 50,000 each of messages of 100,000; the fourth sends 120,000 of a larger one.
  auto const whole = wire(2, std::string(100'000, 'x'));
  auto const larger = wire(2, std::string(200'000, 'x'));
  for (std::size_t i = 0; i < 5; ++i) {
    peers[i]->send(i == 3 ? larger.substr(0, 120'000) : whole.substr(0, 50'000));
    h.run();
  }
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].error == errc::partial_budget_exceeded);
  CHECK(peers[3]->closed_with() == 1013);
  CHECK(h.counters().limit_hits == 1);
  CHECK(h.counters().partial_bytes <= 300'000);
  CHECK(h.counters().partial_bytes >= 190'000);
  for (std::size_t i : {0u, 1u, 2u, 4u}) {
    peers[i]->send(whole.substr(50'000));
    h.run();
  }
  CHECK(h.counters().messages_in == 4);
  CHECK(h.counters().partial_bytes == 0);
}

TEST_CASE("sim: the budget holds when many push at once", "[sim][limits]") {
  house h([](auto& numbers) { numbers.limits.partial_message_budget = 200'000; });
  std::vector<std::unique_ptr<peer>> peers;
  for (int i = 0; i < 40; ++i) peers.push_back(std::make_unique<peer>(h));
  h.run();
  for (int round = 0; round < 10; ++round) {
    for (auto& one : peers) {
      one->send(wire(round ? 0 : 2, std::string(3'000, 'x'), false));
      h.run();
      CHECK(h.counters().partial_bytes <= 200'000);
    }
  }
  CHECK(h.closes > 0);
  CHECK(h.server->size() >= 5);
  for (auto const& one : h.endings) CHECK(one.error == errc::partial_budget_exceeded);
  peers.clear();
  h.run(1min);
  CHECK(h.counters().partial_bytes == 0);
  CHECK(h.counters().objects == 0);
}

TEST_CASE("sim: a flood of control frames is throttled, then closed with 1008",
          "[sim][limits]") {
  house h;
  peer p(h), calm(h);
  h.run();
  std::string pings;
  for (int i = 0; i < 200; ++i) pings += wire(9, "x");
  p.send(pings);
  h.run();
  CHECK(p.frames().size() == 200);  // a burst is fine
  CHECK(h.counters().pings_in == 200);
  for (int i = 0; i < 10; ++i) p.send(pings);
  h.run(100ms);
  CHECK(h.counters().pings_in <= 210);
  h.run(20s);
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].error == errc::control_flood);
  CHECK(p.closed_with() == 1008);
  CHECK(h.counters().limit_hits == 1);
  calm.send(text("x"));
  h.run();
  CHECK(calm.texts().size() == 1);
}

TEST_CASE("sim: a steady few control frames are never too many", "[sim][limits]") {
  house h;
  peer p(h);
  for (int i = 0; i < 3000; ++i) {
    p.send(wire(i % 2 ? 9 : 10, "x"));
    h.run(110ms);
  }
  CHECK(h.closes == 0);
  CHECK(h.counters().pings_in == 1500);
}

TEST_CASE("sim: message and byte rates are off until set", "[sim][limits]") {
  house h;
  h.echo = false;
  peer p(h);
  std::string many;
  for (int i = 0; i < 50'000; ++i) many += text("x");
  p.send(many);
  h.run();
  CHECK(h.messages.size() == 50'000);
  CHECK(h.closes == 0);
}

TEST_CASE("sim: a burst over the message rate is slowed down and loses nothing",
          "[sim][limits]") {
  house h([](auto& numbers) { numbers.limits.rates.messages = {.per_second = 10, .burst = 20}; });
  peer p(h);
  std::string many;
  for (int i = 0; i < 70; ++i) many += text(std::to_string(i));
  p.send(many);
  h.run();
  CHECK(h.messages.size() >= 20);
  CHECK(h.messages.size() <= 22);
  h.run(1s);
  CHECK(h.messages.size() >= 29);
  CHECK(h.messages.size() <= 33);
  h.run(5s);
  REQUIRE(h.messages.size() == 70);
  for (std::size_t i = 0; i < 70; ++i) CHECK(h.messages[i] == std::to_string(i));
  CHECK(p.texts().size() == 70);
  CHECK(h.closes == 0);
}

TEST_CASE("sim: who goes on over a rate for longer than patience is closed with 1008",
          "[sim][limits]") {
  bool const by_bytes = GENERATE(false, true);
  house h([&](auto& numbers) {
    auto& rates = numbers.limits.rates;
    (by_bytes ? rates.bytes : rates.messages) =
        by_bytes ? hawser::rate_limit{.per_second = 1000, .burst = 2000}
                 : hawser::rate_limit{.per_second = 10, .burst = 20};
  });
  peer p(h), calm(h);
  h.run();
  std::string const what(by_bytes ? 500 : 1, 'x');
  for (int i = 0; i < 200; ++i) {
    for (int k = 0; k < 5; ++k) p.send(text(what));
    if (i % 10 == 0) calm.send(text(std::string(500, 'y')));
    h.run(100ms);
    if (i < 90) CHECK(h.closes == 0);
  }
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].error == errc::message_flood);
  CHECK(p.closed_with() == 1008);
  CHECK(h.counters().limit_hits == 1);
  CHECK(h.server->size() == 1);
}

TEST_CASE("sim: a throttled peer's silence is not held against it", "[sim][limits]") {
  house h([](auto& numbers) {
    numbers.limits.rates.bytes = {.per_second = 100, .burst = 100};
    numbers.limits.rates.patience = 1h;
    numbers.heartbeat = {.ping_after = 1s, .timeout = 1s};
  });
  peer p(h);
  std::string many;
  for (int i = 0; i < 100; ++i) many += text(std::string(500, 'x'));
  p.send(many);
  h.run(90s);
  CHECK(h.closes == 0);
  CHECK(h.messages.size() >= 17);
  CHECK(h.messages.size() <= 20);
}

TEST_CASE("sim: a message over the limit is 1009 and nothing behind it is delivered",
          "[sim][limits]") {
  house h([](auto& numbers) { numbers.framing.max_message_size = 1000; });
  peer p(h);
  p.send(text("before") + wire(2, std::string(1001, 'x')).substr(0, 4) + text("after"));
  h.run();
  CHECK(h.messages == std::vector<std::string>{"before"});
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].error == errc::message_too_big);
  CHECK(p.closed_with() == 1009);
  CHECK(h.counters().limit_hits == 1);
  CHECK(h.counters().violations == 0);
  peer bad(h);
  bad.send(wire(1, "unmasked", true, false) + text("after"));
  h.run();
  CHECK(bad.closed_with() == 1002);
  CHECK(h.counters().violations == 1);
  CHECK(h.messages.size() == 1);
}

TEST_CASE("sim: a paused peer is not blamed for the message that nobody reads", "[sim][limits]") {
  basic_house<plain::with_backpressure<hawser::pause_reading>> h([](auto& numbers) {
    numbers.backpressure = {.max_bytes = 4'000, .max_messages = 100};
    numbers.limits.message_timeout = 5s;
    numbers.limits.write_stall_timeout = 1min;
  });
  h.net.set_link({.buffer = 2000});
  peer p(h);
  h.run();
  p.send(wire(1, "begun ", false));
  h.run();
  p.pause_reading(true);
  for (int i = 0; i < 2; ++i) CHECK(!h.sockets[0].send(std::string(3'000, 'x')));
  h.run();
  p.send(wire(0, "and ended"));
  h.run(20s);  // the server reads nothing meanwhile
  CHECK(h.closes == 0);
  p.pause_reading(false);
  h.run(1s);
  CHECK(h.messages == std::vector<std::string>{"begun and ended"});
  CHECK(h.closes == 0);
}
