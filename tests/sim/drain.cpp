#include "sim/harness.hpp"

#include <algorithm>

using namespace sim;

TEST_CASE("sim: drain closes everybody with 1012, spread evenly over the window", "[sim]") {
  house h;
  std::vector<std::unique_ptr<peer>> peers;
  for (int i = 0; i < 1000; ++i) peers.push_back(std::make_unique<peer>(h));
  h.run();
  REQUIRE(h.opens == 1000);
  int done = 0;
  h.server->drain({.window = 10s, .deadline = 30s}, [&] { ++done; });
  int told = 0;
  for (int second = 0; second < 10; ++second) {
    int now = 0;
    for (int step = 0; step < 10; ++step) {
      h.run(100ms);
      for (auto& one : peers) {
        if (one->closed_with() != 1012) continue;
        ++now;
        one->send(goodbye(1012));
      }
    }
    CHECK(now >= 90);
    CHECK(now <= 110);
    told += now;
    if (second == 5) {
      peer newcomer(h), reader(h, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      h.run(1ms);
      CHECK(newcomer.status() == 503);
      CHECK(newcomer.head().find("Retry-After: ") != std::string::npos);
      CHECK(reader.status() == 503);
      CHECK(h.counters().rejected_full == 2);
    }
  }
  CHECK(told == 1000);
  h.run(100ms);
  CHECK(done == 1);
  CHECK(h.closes == 1000);
  for (auto const& one : h.endings) {
    if (one.code != close_code::service_restart || one.error) FAIL("not a clean end");
  }
  h.run(1min);
  CHECK(done == 1);
}

TEST_CASE("sim: drain cuts at its deadline who does not leave", "[sim]") {
  house h([](auto& numbers) { numbers.limits.close_timeout = 5min; });
  peer stubborn(h), other(h);
  h.run();
  int done = 0;
  h.server->drain({.window = 1s, .deadline = 10s}, [&] { ++done; });
  h.run(5s);
  CHECK(stubborn.closed_with() == 1012);
  other.send(goodbye(1012));
  h.run(4900ms);
  CHECK(h.closes == 1);
  CHECK(done == 0);
  h.run(200ms);
  CHECK(h.closes == 2);
  CHECK(done == 1);
  CHECK(stubborn.is_over());
  h.run(10s);
  CHECK(h.counters().objects == 0);
  CHECK(done == 1);
}

TEST_CASE("sim: drain of an empty server is done at once, but not under the caller's feet",
          "[sim]") {
  house h;
  bool inside = true;
  int done = 0;
  h.server->drain({}, [&] {
    CHECK(!inside);
    ++done;
    h.server.reset();
  });
  inside = false;
  CHECK(done == 0);
  h.run();
  CHECK(done == 1);
}

TEST_CASE("sim: who was being let in when drain began does not stay", "[sim]") {
  house h;
  std::vector<hawser::decision> waiting;
  h.server->authenticate(
      [&](hawser::handshake const&, hawser::decision d) { waiting.push_back(std::move(d)); });
  peer early(h), member(h);
  h.run();
  waiting[1].accept();
  h.run();
  int done = 0;
  h.server->drain({.window = 2s, .deadline = 1h}, [&] { ++done; });
  h.run(1s);
  waiting[0].accept();
  h.run(5s);
  member.send(goodbye(1012));
  h.run(10s);
  CHECK(done == 1);
  CHECK(h.server->size() == 0);
  CHECK((early.status() == 503 || early.closed_with() == 1012));
}

TEST_CASE("sim: stop says 1001 where it gets through and delivers all close events", "[sim]") {
  house h;
  h.net.set_link({.buffer = 2000});
  peer good(h), stalled(h), asking(h, "GET / HT");
  h.run();
  stalled.pause_reading(true);
  REQUIRE(!h.sockets[1].send(std::string(10'000, 'x')));
  h.run();
  h.server->stop();
  CHECK(h.closes == 2);
  for (auto const& one : h.endings) CHECK(one.error == error_of(asio::error::operation_aborted));
  h.run();
  CHECK(h.counters().objects == 0);
  CHECK(h.net.live_listeners() == 0);
  CHECK(good.is_over());
  CHECK(asking.is_over());
  peer late(h);
  h.run();
  CHECK(late.error() == error_of(asio::error::connection_refused));
}

TEST_CASE("sim: over max_connections newcomers get 503 with Retry-After", "[sim]") {
  house h([](auto& numbers) { numbers.max_connections = 10; });
  std::vector<std::unique_ptr<peer>> peers;
  for (int i = 0; i < 15; ++i) peers.push_back(std::make_unique<peer>(h));
  h.run();
  int in = 0, out = 0;
  for (auto& one : peers) {
    in += one->is_open();
    out += one->status() == 503 && one->head().find("Retry-After: ") != std::string::npos;
  }
  CHECK(in == 10);
  CHECK(out == 5);
  CHECK(h.counters().rejected_full == 5);
  for (auto& one : peers) {
    if (one->status() == 503) one->close();
  }
  h.run(5s);
  CHECK(h.counters().objects == 10);
  peers[0]->reset();
  h.run();
  peer next(h);
  h.run();
  CHECK(next.is_open());
  // Being told costs something too: many more than that are just closed.
  std::vector<std::unique_ptr<peer>> flood;
  for (int i = 0; i < 1500; ++i) flood.push_back(std::make_unique<peer>(h, "GET / HT"));
  h.run();
  CHECK(h.counters().objects <= 1010);
  CHECK(h.counters().rejected_full >= 495);
  flood.clear();
  h.run(20s);
  CHECK(h.counters().objects == 10);
}
