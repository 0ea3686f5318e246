#include "sim/harness.hpp"

#include <asio/post.hpp>

using namespace sim;

TEST_CASE("sim: what is emitted after poll leaves with flush, not one tick later", "[sim]") {
  house h;
  peer p(h);
  h.run();
  h.server->poll();
  auto const waiting = [&] { return p.connection().unread(memory_end::dialler); };
  hawser::websocket_room const lobby = h.server->room("lobby");
  REQUIRE(h.sockets[0].join("lobby"));
  REQUIRE(waiting() == 0);
  CHECK(lobby.send("tick") == 1);
  CHECK(!h.sockets[0].send("tock"));
  CHECK(waiting() == 0);
  h.server->flush();
  CHECK(waiting() == 2 * 6);  // without running any handler
  h.server->poll();
  CHECK(p.texts() == std::vector<std::string>{"tick", "tock"});
}

TEST_CASE("sim: poll sends what its handlers emitted to others before it returns", "[sim]") {
  house h;
  h.echo = false;
  peer a(h), b(h);
  h.run();
  h.then = [&](hawser::websocket s, hawser::message const& what) {
    s.broadcast().send(what);
  };
  a.send(text("hi"));
  h.server->poll(1s);
  CHECK(a.texts().empty());
  CHECK(b.connection().unread(memory_end::dialler) + b.texts().size() > 0);
}

TEST_CASE("sim: poll goes back to its caller when its budget is spent", "[sim]") {
  house h;
  int ran = 0;
  for (int i = 0; i < 200; ++i) {
    asio::post(h.io, [&] {
      ++ran;
      auto const end = std::chrono::steady_clock::now() + 1ms;
      while (std::chrono::steady_clock::now() < end) {
      }
    });
  }
  CHECK(h.server->poll(5ms) >= 1);
  CHECK(ran >= 1);
  CHECK(ran <= 6);
  while (h.server->poll(50ms) > 0) {
  }
  CHECK(ran == 200);
}

TEST_CASE("sim: poll runs at least one handler, and works after the context was stopped", "[sim]") {
  house h;
  int ran = 0;
  asio::post(h.io, [&] { ++ran; });
  h.io.stop();
  CHECK(h.server->poll(0ms) == 1);
  CHECK(ran == 1);
  CHECK(h.server->poll(1s) == 0);
}

#ifdef NDEBUG
TEST_CASE("sim: poll from inside a handler is refused", "[sim]") {
  house h;
  std::vector<std::size_t> answers;
  h.then = [&](hawser::websocket, hawser::message const&) {
    asio::post(h.io, [] {});
    answers.push_back(h.server->poll());
  };
  peer p(h);
  p.send(text("now"));
  h.run();
  CHECK(answers == std::vector<std::size_t>{0});
  CHECK(p.texts().size() == 1);
}
#endif

TEST_CASE("sim: flush from inside a handler keeps the order of messages", "[sim]") {
  house h;
  h.echo = false;
  h.then = [&](hawser::websocket s, hawser::message const&) {
    (void)s.send("1");
    h.server->all().send("2");
    h.server->flush();
    (void)s.send("3");
    h.server->all().send("4");
    h.server->flush();
    (void)s.send("5");
  };
  peer p(h);
  p.send(text("go") + text("go"));
  h.run();
  CHECK(p.texts() == std::vector<std::string>{"1", "2", "3", "4", "5", "1", "2", "3", "4", "5"});
}

TEST_CASE("sim: a message at once leaves with what is queued before it, and nothing else",
          "[sim]") {
  house h;
  h.echo = false;
  peer a(h), b(h);
  h.run();
  auto const waiting = [](peer& at) { return at.connection().unread(memory_end::dialler); };
  CHECK(h.server->all().send("event") == 2);
  CHECK(!h.sockets[0].send("view", {.at_once = true}));
  CHECK(waiting(a) == 7 + 6);
  CHECK(waiting(b) == 0);
  CHECK(!h.sockets[0].send("next", {.at_once = true}));  // with nothing queued
  CHECK(waiting(a) == 7 + 6 + 6);
  CHECK(!h.sockets[0].send("last"));
  h.sockets[1].flush();
  CHECK(waiting(b) == 7);
  CHECK(waiting(a) == 7 + 6 + 6);
  h.server->flush();
  h.run();
  CHECK(a.texts() == std::vector<std::string>{"event", "view", "next", "last"});
  CHECK(b.texts() == std::vector<std::string>{"event"});
}

TEST_CASE("sim: at once means behind the others while messages are read", "[sim]") {
  house h;
  h.echo = false;
  h.then = [&](hawser::websocket s, hawser::message const&) {
    (void)s.send("1");
    (void)s.send("2", {.at_once = true});
    s.flush();
    h.server->all().send("3");
    (void)h.sockets[1].send("4", {.at_once = true});
    (void)s.send("4", {.at_once = true});
  };
  peer a(h), b(h);
  h.run();
  a.send(text("go"));
  h.run();
  CHECK(a.texts() == std::vector<std::string>{"1", "2", "3", "4"});
  CHECK(b.texts() == std::vector<std::string>{"3", "4"});
}

TEST_CASE("sim: what fails at once ends the connection with the next flush", "[sim]") {
  house h;
  h.echo = false;
  peer a(h);
  h.run();
  a.reset();
  (void)h.sockets[0].send("view", {.at_once = true});
  (void)h.sockets[0].send("view");
  h.sockets[0].flush();
  CHECK(h.closes == 0);  // not under the caller's feet
  h.run();
  CHECK(h.closes == 1);
  CHECK(h.sockets[0].send("view", {.at_once = true}) == errc::not_open);
  h.sockets[0].flush();
}
