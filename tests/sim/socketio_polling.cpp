// Polling sessions under a full queue, and what a handshake says afterwards.

#include <catch2/catch.hpp>

#include <string>

#include "sim/socketio_harness.hpp"

using namespace sim;

TEST_CASE("sim: a packet beyond the queue's limits leaves with the poll that waits",
          "[sim][socketio][polling]") {
  hall h([](auto& numbers) { numbers.backpressure.max_bytes = 100; });
  polling_peer client(h);
  client.join();
  CHECK(client.packets().empty());
  std::string const large(1000, 'x');
  CHECK(h.server->emit("large", large) == 1);
  h.run();
  CHECK(client.packets() == strings{"42[\"large\",\"" + large + "\"]"});
  CHECK(h.reasons.empty());
}

TEST_CASE("sim: with recovery a handshake's auth stays as it was sent",
          "[sim][socketio][recovery]") {
  hall h([](auto& numbers) { numbers.recovery.enabled = true; });
  io_peer client(h);
  client.join({}, "{\"token\":\"t\"}");
  REQUIRE(h.sockets.size() == 1);
  CHECK(h.sockets[0].handshake()->auth().dump() == "{\"token\":\"t\"}");
}
