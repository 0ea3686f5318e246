#include "sim/harness.hpp"

using namespace sim;

namespace {
void short_pings(house::options_type& numbers) {
  numbers.heartbeat = {.ping_after = 5s, .timeout = 5s};
}
bool got_ping(peer& p) {
  bool pinged = false;
  for (auto const& one : p.frames()) pinged = pinged || one.opcode == 9;
  return pinged;
}
}  // namespace

TEST_CASE("sim: a stall of 30 s disconnects nobody who has answered or sent in time", "[sim]") {
  house h(short_pings);
  h.net.set_link({.latency = 1ms});
  std::vector<std::unique_ptr<peer>> peers;
  for (int i = 0; i < 30; ++i) peers.push_back(std::make_unique<peer>(h));
  h.run(1s);
  REQUIRE(h.opens == 30);
  h.run(4500ms);  // all have been pinged
  for (std::size_t i = 0; i < peers.size(); ++i) {
    REQUIRE(got_ping(*peers[i]));
    if (i % 3 == 0) peers[i]->send(wire(10, ""));
    if (i % 3 == 1) peers[i]->send(text("alive"));
    if (i % 3 == 2) peers[i]->send(text("aliv").substr(0, 3));  // any byte counts
  }
  h.net.stall(30s);
  h.run(1s);
  CHECK(h.closes == 0);
  CHECK(h.server->size() == 30);
  CHECK(h.messages.size() == 10);
  CHECK(h.counters().heartbeat_timeouts == 0);
  // And who says nothing more is given up after all.
  h.run(30s);
  CHECK(h.closes == 30);
  CHECK(h.counters().heartbeat_timeouts == 30);
}

TEST_CASE("sim: stalls one after another disconnect nobody who keeps answering", "[sim]") {
  house h(short_pings);
  h.net.set_link({.latency = 1ms});
  peer p(h);
  h.run(10ms);
  for (int i = 0; i < 10; ++i) {
    p.send(wire(10, ""));
    h.net.stall(30s);
    h.run(10ms);
    CHECK(h.closes == 0);
  }
  CHECK(h.server->size() == 1);
}

TEST_CASE("sim: a peer that really is dead is given up, stall or not", "[sim]") {
  bool const stall = GENERATE(false, true);
  house h(short_pings);
  peer p(h), alive(h);
  h.run(10ms);
  p.connection().cut();
  h.run(6s);
  alive.send(wire(10, ""));
  if (stall) h.net.stall(30s);
  h.run(5s);
  REQUIRE(h.closes == 1);
  CHECK(h.endings[0].error == errc::heartbeat_timeout);
  CHECK(h.endings[0].error == hawser::condition::peer_gone);
  CHECK(h.endings[0].code == close_code::abnormal);
  CHECK(h.server->size() == 1);
  CHECK(h.counters().heartbeat_timeouts == 1);
}

TEST_CASE("sim: a request that came whole before a stall is answered after it", "[sim]") {
  house h;
  peer p(h, upgrade().substr(0, 40)), late(h, upgrade().substr(0, 40));
  h.run(9s);
  p.send(upgrade().substr(40));
  h.net.stall(30s);
  h.run(10ms);
  CHECK(p.is_open());
  CHECK(h.opens == 1);
  h.run(10s);
  CHECK(late.status() == 408);
  CHECK(h.counters().handshake_timeouts == 1);
}

TEST_CASE("sim: a decision that was made before a stall counts after it", "[sim]") {
  house h;
  std::optional<hawser::decision> made;
  h.server->authenticate(
      [&](hawser::handshake const&, hawser::decision d) { made.emplace(std::move(d)); });
  peer p(h);
  h.run(14s);
  REQUIRE(made);
  made->accept();
  h.net.stall(30s);
  h.run(10ms);
  CHECK(p.is_open());
}

TEST_CASE("sim: a message that was finished before a stall is delivered after it", "[sim]") {
  house h;
  peer p(h);
  p.send(wire(1, "first ", false));
  h.run(29s);
  p.send(wire(0, "second"));
  h.net.stall(30s);
  h.run(10ms);
  CHECK(h.messages == std::vector<std::string>{"first second"});
  CHECK(h.closes == 0);
}

TEST_CASE("sim: a Close that was answered before a stall is a clean end", "[sim]") {
  house h;
  peer p(h);
  h.run(10ms);
  REQUIRE(!h.sockets[0].close(close_code::going_away));
  h.run(4s);
  REQUIRE(p.closed_with() == 1001);
  p.send(goodbye(1001));
  h.net.stall(30s);
  h.run(10ms);
  REQUIRE(h.closes == 1);
  CHECK(!h.endings[0].error);
  CHECK(h.endings[0].code == close_code::going_away);
}

TEST_CASE("sim: a peer that took data before a stall is not called stalled after it", "[sim]") {
  house h;
  h.net.set_link({.buffer = 8 * 1024});
  peer p(h);
  h.run(10ms);
  p.pause_reading(true);
  REQUIRE(!h.sockets[0].send(std::string(100'000, 'x')));
  h.run(9s);
  p.pause_reading(false);
  h.net.stall(30s);
  h.run(10ms);
  CHECK(h.closes == 0);
  CHECK(h.counters().write_stalls == 0);
  CHECK(p.texts() == std::vector<std::string>{std::string(100'000, 'x')});
}

TEST_CASE("sim: a client that stalls keeps a server that answered in time", "[sim]") {
  world w;
  hawser::memory_host host(w.net, 80);
  auto numbers = w.options<client>();
  numbers.heartbeat = {.ping_after = 5s, .timeout = 5s};
  numbers.random = {[](void*, hawser::mutable_bytes out) {
                      for (auto& one : out) one = std::byte{0};
                    },
                    nullptr};
  client c(w.io, std::move(numbers));
  std::vector<ending> endings;
  c.on_close([&](hawser::close_event const& event) { endings.emplace_back(event); });
  std::error_code connected = error_of(errc::not_open);
  c.async_connect("ws://x/", [&](std::error_code error) { connected = error; });
  w.run();
  REQUIRE(host.size() == 1);
  std::string const accept = hawser::ws::accept_key("AAAAAAAAAAAAAAAAAAAAAA==");
  host[0].send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Accept: " + accept + "\r\n\r\n");
  w.run(6s);
  REQUIRE(!connected);
  host[0].send(wire(10, "", true, false));
  w.net.stall(30s);
  w.run(1s);
  CHECK(endings.empty());
  CHECK(c.is_open());
  w.run(20s);
  REQUIRE(endings.size() == 1);
  CHECK(endings[0].error == errc::heartbeat_timeout);
}
