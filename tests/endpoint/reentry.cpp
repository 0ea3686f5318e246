// Handlers of a Socket.IO server that end what they are told of, and questions to nobody.
#include <catch2/catch.hpp>

#include <optional>
#include <system_error>
#include <vector>

#include <sim/socketio_harness.hpp>

using namespace sim;

TEST_CASE("socketio: a disconnecting handler that disconnects is told once",
          "[endpoint][reentry]") {
  for (bool const close : {false, true}) {
    hall at;
    int disconnecting = 0, disconnects = 0;
    at.server->on_disconnecting([&](hawser::socket s, disconnect_reason) {
      ++disconnecting;
      (void)s.disconnect(close);
      CHECK(s.emit("late") == hawser::errc::not_open);
    });
    at.server->on_disconnect([&](hawser::socket, disconnect_reason) { ++disconnects; });
    io_peer one(at), two(at);
    REQUIRE(one.join().size() == 2);
    REQUIRE(two.join().size() == 2);
    one.say("41");
    CHECK((disconnecting == 1 && disconnects == 1));
    two.send(goodbye());
    at.run();
    CHECK((disconnecting == 2 && disconnects == 2));
    CHECK(at.server->all().size() == 0);
  }
}

TEST_CASE("socketio: servers, namespaces and kept rooms ask everybody", "[endpoint][reentry]") {
  hall at;
  io_peer one(at), two(at);
  one.join();
  two.join();
  for (auto const& s : at.sockets) s.join("room");
  std::vector<int> heard;
  auto const told = [&](std::error_code error, std::vector<int> answers) {
    CHECK_FALSE(error);
    heard = std::move(answers);
  };
  int number = 0;
  auto const answer = [&] {
    at.run();
    CHECK(one.packets() == strings{"42" + std::to_string(number) + "[\"ask\"]"});
    CHECK(two.packets() == strings{"42" + std::to_string(number) + "[\"ask\"]"});
    CHECK(heard.empty());
    one.say("43" + std::to_string(number) + "[1]");
    two.say("43" + std::to_string(number) + "[2]");
    CHECK(heard == std::vector{1, 2});
    heard.clear();
    ++number;
  };
  at.server->emit_with_ack("ask", told);
  answer();
  at.server->of("/").emit_with_ack("ask", told);
  answer();
  at.server->to("room").emit_with_ack("ask", told);
  answer();
  auto const room = at.server->room("room");
  room.emit_with_ack("ask", told);
  answer();
}

TEST_CASE("socketio: who asks a namespace that has gone is told", "[endpoint][reentry]") {
  hall at;
  auto many = at.server->of([](std::string_view name, json const&) { return name == "/child"; });
  hawser::nsp child;
  many.on_child([&](hawser::nsp made) { child = made; });
  io_peer one(at);
  one.join("/child");
  REQUIRE(child);
  std::optional<std::error_code> heard;
  auto const told = [&](std::error_code error, std::vector<int> answers) {
    CHECK(answers.empty());
    heard = error;
  };
  auto const room = child.room("room");
  one.say("41/child,");
  REQUIRE_FALSE(child);
  child.emit_with_ack("ask", told);
  CHECK(heard == hawser::errc::not_open);
  heard.reset();
  room.emit_with_ack("ask", told);
  CHECK(heard == hawser::errc::not_open);
}
