#include "sim/harness.hpp"

#include <stdexcept>

#include <asio/post.hpp>

using namespace sim;

namespace {

enum class place { accept, open, message, close, drain, route, error, posted, last };

// Everything that happens to a server in one life; `at` is called at the place under test.
struct scene : house {
  std::function<void()> at;
  place where;
  int after = 0;  // handlers that ran after the server had gone
  bool gone = false;

  explicit scene(place here) : where(here) {
    net.set_link({.buffer = 2000});
    server->authenticate([this](hawser::handshake const&, hawser::decision d) {
      enter(place::accept);
      d.accept();
    });
    server->on_open([this](hawser::websocket s) {
      sockets.push_back(s);
      enter(place::open);
    });
    server->on_message([this](hawser::websocket s, hawser::message const& what) {
      (void)s.send(std::string(10'000, 'x'));
      enter(place::message);
      (void)s.send(what);
    });
    server->on_close([this](hawser::websocket, hawser::close_event const&) { enter(place::close); });
    server->on_drain([this](hawser::websocket) { enter(place::drain); });
    server->on_error([this](std::error_code, std::string_view) { enter(place::error); });
    server->get("/", [this](hawser::http_request const&, hawser::http_reply reply) {
      enter(place::route);
      reply.send(200, "late");
    });
  }

  void enter(place here) {
    if (gone) ++after;
    if (here == where && at) std::exchange(at, {})();
  }

  void act() {
    peer browser(*this, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    peer a(*this), b(*this);
    a.send(text("one") + text("two") + wire(9, "ping"));
    b.send(text("three"));
    run(1ms);
    if (where == place::error) {
      net.fail_at(1, error_of(asio::error::no_descriptors));
      peer unlucky(*this);
      run(1ms);
    }
    if (where == place::posted) enter(place::posted);
    a.send(goodbye());
    run(1s);
    b.reset();
    run(1min);
  }
};

}  // namespace

TEST_CASE("sim: a server may be destroyed inside any of its handlers", "[sim]") {
  for (int i = 0; i < static_cast<int>(place::last); ++i) {
    INFO("place " << i);
    scene s(static_cast<place>(i));
    s.at = [&] {
      s.server.reset();
      s.gone = true;
    };
    s.act();
    CHECK(s.gone);
    CHECK(s.after == 0);
    CHECK(s.empty());
    for (auto const& one : s.sockets) {
      CHECK(one.send("x") == errc::not_open);
      CHECK(one.close() == errc::not_open);
      CHECK(one.terminate() == errc::not_open);
      CHECK(!one.is_open());
      CHECK(!one.join("room"));
      CHECK(one.data<int>() == nullptr);
      CHECK(one.to("room").send("x") == 0);
      CHECK(one.remote_address().empty());
    }
  }
}

TEST_CASE("sim: a server may be stopped inside any of its handlers", "[sim]") {
  for (int i = 0; i < static_cast<int>(place::last); ++i) {
    INFO("place " << i);
    scene s(static_cast<place>(i));
    s.at = [&] {
      s.server->stop();
      s.gone = true;
    };
    s.act();
    CHECK(s.gone);
    CHECK(s.server->size() == 0);
    CHECK(s.counters().objects == 0);
    CHECK(s.counters().opened == s.counters().closed);
    CHECK(s.net.live_listeners() == 0);
  }
}

TEST_CASE("sim: every connection may be terminated inside any handler", "[sim]") {
  for (int i = 0; i < static_cast<int>(place::last); ++i) {
    INFO("place " << i);
    scene s(static_cast<place>(i));
    s.at = [&] {
      for (auto const& one : s.sockets) (void)one.terminate();
      s.server->flush();
    };
    s.act();
    CHECK(s.server->size() == 0);
    CHECK(s.counters().objects == 0);
    CHECK(s.counters().opened == s.counters().closed);
  }
}

TEST_CASE("sim: any handler may replace all handlers, itself included", "[sim]") {
  for (int i = 0; i < static_cast<int>(place::last); ++i) {
    scene s(static_cast<place>(i));
    auto const life = std::make_shared<int>(0);
    s.at = [&, keep = std::string(100, 'k')] {
      auto const count = [life](auto const&...) { ++*life; };
      s.server->authenticate([life](hawser::handshake const&, hawser::decision d) { d.accept(); });
      s.server->on_open(count);
      s.server->on_message(count);
      s.server->on_close(count);
      s.server->on_drain(count);
      s.server->on_error(count);
      CHECK(keep == std::string(100, 'k'));
    };
    s.act();
    CHECK(life.use_count() > 4);
    s.server.reset();
    CHECK(life.use_count() == 1);
  }
}

TEST_CASE("sim: the context may go before server, clients and handles", "[sim]") {
  auto io = std::make_unique<asio::io_context>(1);
  auto net = std::make_unique<hawser::memory_network>(*io);
  server::options numbers;
  numbers.transport.network = net.get();
  auto s = std::make_unique<server>(*io, std::move(numbers));
  int closes = 0, completions = 0;
  hawser::websocket kept;
  std::vector<hawser::decision> undecided;
  s->authenticate([&](hawser::handshake const& asked, hawser::decision d) {
    if (asked.path() == "/wait") return undecided.push_back(std::move(d));
    d.accept();
  });
  s->on_open([&](hawser::websocket one) { kept = one; });
  s->on_close([&](hawser::websocket, hawser::close_event const&) { ++closes; });
  REQUIRE(!s->listen({.port = 80}));
  std::vector<std::unique_ptr<client>> clients;
  for (auto const* path : {"ws://x/", "ws://x/wait"}) {
    client::options mine;
    mine.transport.network = net.get();
    clients.push_back(std::make_unique<client>(*io, std::move(mine)));
    clients.back()->on_close([&](hawser::close_event const&) { ++closes; });
    clients.back()->async_connect(path, [&](std::error_code) { ++completions; });
    net->run_ready();
    clients.back()->async_receive(
        [&](std::error_code, hawser::received_message) { ++completions; });
  }
  CHECK(kept.is_open());
  auto const remote = s->remote();
  int const order = GENERATE(0, 1, 2);
  if (order == 0) s.reset();
  if (order == 1) clients.clear();
  if (order == 2) net.reset();
  int const seen = completions;
  io.reset();
  CHECK(closes == 0);
  CHECK(completions == seen);  // as Asio does: what was pending is destroyed
  CHECK(kept.send("x") == errc::not_open);
  CHECK(remote.post([] {}) == errc::not_open);
  undecided.clear();
  if (s) {
    CHECK(s->listen({.port = 81}));
    s->stop();
    s->flush();
    CHECK(s->all().send("x") == 0);
  }
  clients.clear();
  s.reset();
  CHECK(kept.close() == errc::not_open);
}

TEST_CASE("sim: pending operations of a client that goes complete once, aborted", "[sim]") {
  bool const connected = GENERATE(true, false);
  house h;
  h.server->authenticate([&](hawser::handshake const&, hawser::decision d) {
    if (connected) return d.accept();
    static std::vector<hawser::decision> undecided;
    undecided.clear();
    undecided.push_back(std::move(d));
  });
  std::vector<std::error_code> done;
  bool inside = false;
  auto c = std::make_unique<client>(h.io, h.options<client>());
  auto const note = [&](std::error_code error, auto const&...) {
    CHECK(!inside);
    done.push_back(error);
  };
  c->on_close([&](hawser::close_event const&) { FAIL("no event after the client"); });
  c->async_connect("ws://x/", note);
  h.run();
  if (connected) {
    REQUIRE(done.size() == 1);
    done.clear();
    c->async_receive(note);
    c->async_receive(note);
    c->async_close(note);
    c->async_close(note);
  }
  inside = true;
  c.reset();
  inside = false;
  CHECK(done.empty());
  h.run();
  CHECK(done.size() == (connected ? 4u : 1u));
  for (auto const error : done) CHECK(error == error_of(asio::error::operation_aborted));
}

TEST_CASE("sim: a client may be destroyed inside any of its handlers", "[sim]") {
  int const where = GENERATE(0, 1, 2, 3, 4);
  house h;
  h.net.set_link({.buffer = 2000});
  auto c = std::make_unique<client>(h.io, h.options<client>());
  int after = 0;
  bool gone = false;
  auto const at = [&](int here) {
    after += gone;
    if (here != where) return;
    c.reset();
    gone = true;
  };
  c->on_message([&](hawser::message const&) { at(1); });
  c->on_close([&](hawser::close_event const&) { at(2); });
  c->on_drain([&] { at(3); });
  c->async_connect("ws://x/", [&](std::error_code) {
    (void)c->send(std::string(10'000, 'x'));
    at(0);
  });
  h.run(1s);
  if (c) c->async_close([&](std::error_code) { at(4); });
  h.run(10s);
  CHECK(gone);
  CHECK(after == (where == 2 ? 1 : 0));  // the completion of async_close, not an event
  CHECK(h.opens == h.closes);
  CHECK(h.counters().objects == 0);
}

TEST_CASE("sim: what a handler throws ends its connection with 1011, and no other", "[sim]") {
  house h;
  std::vector<std::unique_ptr<peer>> peers;
  for (int i = 0; i < 3; ++i) peers.push_back(std::make_unique<peer>(h));
  h.run();
  h.then = [](hawser::websocket, hawser::message const& what) {
    if (what.text() == "bad") throw std::runtime_error("bad");
    if (what.text() == "worse") throw 42;
  };
  peers[0]->send(text("bad") + text("never delivered"));
  peers[1]->send(text("worse"));
  peers[2]->send(text("good"));
  h.run();
  CHECK(peers[0]->closed_with() == 1011);
  CHECK(peers[1]->closed_with() == 1011);
  CHECK(peers[2]->texts().size() == 1);
  CHECK(h.counters().handler_failures == 2);
  CHECK(h.messages.size() == 3);
  for (int i = 0; i < 2; ++i) peers[static_cast<std::size_t>(i)]->send(goodbye(1011));
  h.run();
  REQUIRE(h.closes == 2);
  CHECK(h.endings[0].code == close_code::internal_error);

  h.server->on_open([](hawser::websocket) { throw std::runtime_error("open"); });
  h.server->on_close([&](hawser::websocket, hawser::close_event const&) {
    ++h.closes;
    throw std::runtime_error("close");
  });
  h.server->get("/", [](hawser::http_request const&, hawser::http_reply) {
    throw std::runtime_error("route");
  });
  peer opening(h), route(h, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  h.run();
  CHECK(opening.closed_with() == 1011);
  CHECK(route.status() == 500);
  opening.reset();
  h.run();
  CHECK(h.closes == 3);
  h.server->authenticate([](hawser::handshake const&, hawser::decision) { throw 1; });
  peer refused(h);
  h.run();
  CHECK(refused.status() == 403);
  CHECK(h.counters().handler_failures == 6);
  CHECK(h.server->size() == 1);
}

TEST_CASE("sim: with rethrow, what a handler throws leaves the loop, and all goes on", "[sim]") {
  house h([](auto& numbers) { numbers.handler_failure = hawser::on_handler_failure::rethrow; });
  peer a(h), b(h);
  h.run();
  h.then = [](hawser::websocket, hawser::message const& what) {
    if (what.text() == "bad") throw std::runtime_error("bad");
  };
  a.send(text("bad") + text("next"));
  CHECK_THROWS_AS(h.run(), std::runtime_error);
  b.send(text("from b"));
  a.send(text("and then"));
  h.run();
  CHECK(h.messages == std::vector<std::string>{"bad", "next", "from b", "and then"});
  CHECK(a.texts() == std::vector<std::string>{"bad", "next", "and then"});
  CHECK(b.texts() == std::vector<std::string>{"from b"});
  CHECK(h.counters().handler_failures == 1);
}
