#include "sim/harness.hpp"

using namespace sim;

TEST_CASE("sim: a request head that never ends is answered 408 in the end", "[sim]") {
  house h;
  peer p(h, upgrade().substr(0, 50)), silent(h, "");
  h.run(9900ms);
  CHECK(p.status() == 0);
  CHECK(!p.is_over());
  h.run(200ms);
  CHECK(p.status() == 408);
  CHECK(h.counters().handshake_timeouts == 2);
  h.run(5s);
  CHECK(p.is_over());
  CHECK(silent.eof());
  CHECK(h.counters().objects == 0);
}

TEST_CASE("sim: a byte per second does not stretch the time for a request head", "[sim]") {
  house h;
  peer p(h, "");
  std::string const request = upgrade();
  for (std::size_t i = 0; i < 20; ++i) {
    p.send(request.substr(i, 1));
    h.run(1s);
    if (i < 9) CHECK(p.status() == 0);
  }
  CHECK(p.status() == 408);
  CHECK(h.opens == 0);
  h.run(5s);
  CHECK(h.counters().objects == 0);
}

TEST_CASE("sim: a body that trickles in is answered 408 too", "[sim]") {
  house h;
  h.server->post("/up", [](hawser::http_request const&, hawser::http_reply reply) {
    reply.send(200, "ok");
  });
  peer p(h, "POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
  for (int i = 0; i < 15; ++i) {
    p.send("x");
    h.run(1s);
  }
  CHECK(p.status() == 408);
}

TEST_CASE("sim: a decision that never comes is 503, a dropped one 403", "[sim]") {
  house h;
  std::vector<hawser::decision> kept;
  h.server->authenticate([&](hawser::handshake const& asked, hawser::decision d) {
    if (asked.path() == "/later") kept.push_back(std::move(d));
    if (asked.path() == "/no") d.reject(401, "who are you");
  });
  peer later(h, upgrade("/later")), dropped(h, upgrade("/dropped")), no(h, upgrade("/no"));
  h.run(10ms);
  CHECK(dropped.status() == 403);
  CHECK(no.status() == 401);
  CHECK(h.counters().rejected_refused == 2);
  h.run(14900ms);
  CHECK(later.status() == 0);
  h.run(200ms);
  CHECK(later.status() == 503);
  CHECK(h.counters().handshake_timeouts == 1);
  REQUIRE(kept.size() == 1);
  kept[0].accept();  // too late, and nobody minds
  kept.clear();
  h.run(10s);
  CHECK(later.status() == 503);
  CHECK(h.opens == 0);
  CHECK(h.counters().objects == 0);
}

TEST_CASE("sim: a decision may come later, from another handler, or too late", "[sim]") {
  house h;
  std::vector<hawser::decision> kept;
  h.server->authenticate([&](hawser::handshake const& asked, hawser::decision d) {
    if (asked.path() == "/wait") return kept.push_back(std::move(d));
    d.accept(std::string(asked.path()));
  });
  peer a(h, upgrade("/wait")), b(h, upgrade("/wait")), c(h, upgrade("/wait")), boss(h);
  h.run(5s);
  REQUIRE(kept.size() == 3);
  CHECK(h.opens == 1);
  kept[0].accept(std::string("a"));  // between polls
  h.run(10ms);
  CHECK(a.is_open());
  h.then = [&](hawser::websocket s, hawser::message const& what) {
    if (what.text() != "let b in") return;
    kept[1].accept(std::string("b"));
    CHECK(h.opens == 2);  // never inside another handler
    CHECK(*s.data<std::string>() == "/");
  };
  boss.send(text("let b in"));
  h.run(10ms);
  CHECK(b.is_open());
  CHECK(h.opens == 3);
  CHECK(*h.sockets[2].data<std::string>() == "b");
  c.reset();
  h.run(10ms);
  kept[2].accept(std::string("c"));
  h.run(10ms);
  CHECK(h.opens == 3);
  CHECK(h.counters().objects == 3);
}

TEST_CASE("sim: a silent peer is pinged, and given up when it stays silent", "[sim]") {
  house h([](auto& numbers) { numbers.heartbeat = {.ping_after = 20s, .timeout = 10s}; });
  peer p(h), half_open(h);
  h.run(10ms);
  half_open.connection().cut();
  for (int i = 0; i < 40; ++i) {
    h.run(5s);
    int pings = 0;
    for (auto const& one : p.frames()) pings += one.opcode == 9;
    CHECK(pings <= 1);
    for (; pings > 0; --pings) p.send(wire(10, ""));
  }
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].error == errc::heartbeat_timeout);
  CHECK(h.server->size() == 1);
  h.run(45s);
  CHECK(h.closes == 2);
  CHECK(p.was_reset());
  CHECK(h.counters().pings_out >= 5);
}

TEST_CASE("sim: a Close that nobody answers ends after close_timeout", "[sim]") {
  house h;
  peer p(h);
  h.run(10ms);
  REQUIRE(!h.sockets[0].close(close_code::going_away, "bye"));
  CHECK(h.sockets[0].close() == errc::not_open);
  CHECK(h.sockets[0].send("more") == errc::not_open);
  h.run(4900ms);
  CHECK(p.closed_with() == 1001);
  CHECK(h.closes == 0);
  h.run(200ms);
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].error == errc::close_timeout);
  CHECK(h.endings[0].code == close_code::abnormal);
  h.run(2s);
  CHECK(p.is_over());
  CHECK(h.counters().objects == 0);
}

TEST_CASE("sim: a message sent while closing is not delivered, the Close behind it is", "[sim]") {
  house h;
  peer p(h);
  h.run(10ms);
  REQUIRE(!h.sockets[0].close(static_cast<close_code>(4321), "ours"));
  p.send(text("late") + goodbye(4321));
  h.run(10ms);
  CHECK(h.messages.empty());
  REQUIRE(h.closes == 1);
  CHECK(!h.endings[0].error);
  CHECK(h.endings[0].code == static_cast<close_code>(4321));
  CHECK(h.endings[0].reason == "ours");
}

TEST_CASE("sim: who does not end TCP after Close is reset after linger_timeout", "[sim]") {
  house h;
  peer p(h);
  h.run(10ms);
  p.send(goodbye(1000));
  h.run(10ms);
  CHECK(h.closes == 1);
  CHECK(p.closed_with() == 1000);
  CHECK(p.eof());
  CHECK(h.counters().objects == 1);
  p.send(std::string(1000, 'x'));  // discarded
  h.run(900ms);
  CHECK(h.counters().objects == 1);
  h.run(200ms);
  CHECK(h.counters().objects == 0);

  peer flood(h);
  h.run(10ms);
  flood.send(goodbye(1000));
  for (int i = 0; i < 10; ++i) {
    flood.send(std::string(2 << 20, 'x'));
    h.run(10ms);
  }
  CHECK(h.counters().objects == 0);  // it is not listened to without end
}

TEST_CASE("sim: a message without progress is given up, one with progress is not", "[sim]") {
  house h([](auto& numbers) { numbers.framing.max_message_size = 4 << 20; });
  peer idle(h), slow(h), steady(h);
  std::string const big = wire(2, std::string(1 << 20, 'x'));
  std::size_t sent = 0;
  idle.send(wire(1, "begun", false));
  slow.send(big.substr(0, 10'000));
  h.run(10ms);
  for (int second = 0; second < 100; ++second) {
    slow.send("x");
    std::string const part = big.substr(sent, 11'000);
    steady.send(part);
    sent += part.size();
    if (second < 29) CHECK(h.closes == 0);
    if (second % 20 == 0) idle.send(wire(9, "pings are no progress"));
    h.run(1s);
  }
  CHECK(h.closes == 2);
  for (auto const& one : h.endings) CHECK(one.error == errc::message_timeout);
  CHECK(idle.closed_with() == 1008);
  CHECK(slow.closed_with() == 1008);
  CHECK(h.counters().messages_in == 1);
  CHECK(h.counters().limit_hits == 2);
  CHECK(h.counters().partial_bytes == 0);
  CHECK(steady.texts().size() == 1);
}

TEST_CASE("sim: a peer that takes no data is given up after write_stall_timeout", "[sim]") {
  house h;
  h.net.set_link({.buffer = 8 * 1024});
  peer p(h), slow(h);
  h.run(10ms);
  p.pause_reading(true);
  REQUIRE(!h.sockets[0].send(std::string(100'000, 'x')));
  REQUIRE(!h.sockets[1].send(std::string(100'000, 'x')));
  slow.pause_reading(true);
  for (int i = 0; i < 5; ++i) {
    h.run(5s);
    slow.pause_reading(false);  // takes a little
    slow.pause_reading(true);
    if (i == 0) CHECK(h.closes == 0);
  }
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].error == errc::write_stalled);
  CHECK(h.counters().write_stalls == 1);
}

TEST_CASE("sim: an idle keep-alive is closed without a word", "[sim]") {
  house h;
  h.server->get("/", [](hawser::http_request const&, hawser::http_reply r) { r.send(200, "hi"); });
  peer p(h, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  h.run(9s);
  CHECK(p.status() == 200);
  p.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  h.run(9s);
  CHECK(!p.is_over());
  h.run(2s);
  CHECK(p.eof());
  CHECK(p.take().find("408") == std::string::npos);
}
