#include "sim/socketio_harness.hpp"

#include <map>
#include <stdexcept>

#include <asio/bind_executor.hpp>

using namespace sim;

namespace {

constexpr std::string_view places[] = {"allow_request",
                                       "connection_error",
                                       "authenticate",
                                       "use",
                                       "on_connect",
                                       "disconnecting",
                                       "on_disconnect",
                                       "event",
                                       "own event",
                                       "on_any",
                                       "own on_any",
                                       "on_any_outgoing",
                                       "own outgoing",
                                       "bad event",
                                       "ack",
                                       "ack timeout",
                                       "ack gone",

                                       "broadcast end",
                                       "on_room create",
                                       "on_room join",
                                       "on_room leave",
                                       "on_room remove",
                                       "may_join",
                                       "may_send",
                                       "may_receive",
                                       "own guard",
                                       "fetch",
                                       "matches",
                                       "on_child",
                                       "route",
                                       "visit",
                                       "async ack",
                                       "posted",
                                       "child connect",
                                       "child event",
                                       "drop of a handler"};

// Calls a function when it is destroyed, wherever that happens.
struct at_end {
  explicit at_end(std::function<void()> then) : then_(std::move(then)) {}
  at_end(at_end&& other) noexcept : then_(std::exchange(other.then_, nullptr)) {}
  ~at_end() {
    if (then_) then_();
  }
  std::function<void()> then_;
};

// Everything that happens to a server in one life; `at` is called at the place under test.
struct life : world {
  using server_type = hawser::basic_server<io_plain>;
  std::unique_ptr<server_type> server;
  std::string_view where;
  std::function<void()> at;
  bool gone = false;
  int after = 0;  // handlers that ran after the server had gone
  bool reached = false;
  std::vector<hawser::socket> sockets;
  std::map<std::uint64_t, int> connected, disconnected;  // by number of the socket
  std::vector<hawser::decision> late;                    // that outlive the server
  std::vector<hawser::ack<int>> late_acks;
  std::vector<hawser::broadcast_operator> operators;
  std::vector<hawser::room> rooms;
  std::vector<hawser::nsp> nsps;
  int async_done = 0;
  std::error_code async_error;

  explicit life(std::string_view place) : where(place) {
    auto numbers = options<server_type>();
    numbers.recovery.enabled = true;
    server = std::make_unique<server_type>(io, std::move(numbers));
    server->allow_request([this](hawser::handshake const&, hawser::decision d) {
      enter("allow_request");
      d.accept();
    });
    server->on_connection_error(
        [this](hawser::connection_error const&) { enter("connection_error"); });
    server->get("/page", [this](hawser::http_request const&, hawser::http_reply reply) {
      enter("route");
      reply.send(200, "late");
    });
    furnish(*server);
    server->on_connect([this](hawser::socket s) {
      ++connected[s.number().number()];
      sockets.push_back(s);
      operators.push_back(s.to("room"));
      rooms.push_back(server->room("room"));
      on_own(s);
      enter("on_connect");
      (void)s.join("room");
      (void)s.emit("welcome", 1);
    });
    auto dynamic = server->of([this](std::string_view name, json const&) {
      enter("matches");
      return name.starts_with("/child");
    });
    dynamic.on_child([this](hawser::nsp child) {
      nsps.push_back(child);
      enter("on_child");
    });
    dynamic.on_connect([this](hawser::socket s) {
      ++connected[s.number().number()];
      sockets.push_back(s);
      enter("child connect");
    });
    dynamic.on_disconnect(
        [this](hawser::socket s, disconnect_reason) { ++disconnected[s.number().number()]; });
    dynamic.on("do", [this](hawser::socket) { enter("child event"); });
    nsps.push_back(dynamic);
    REQUIRE(!server->listen({.port = 80}));
  }

  void furnish(server_type& in) {
    in.authenticate([this](hawser::handshake const&, hawser::decision d) {
      enter("authenticate");
      d.accept(7);
    });
    in.use([this](hawser::socket, hawser::decision d) {
      enter("use");
      d.accept();
    });
    in.on_disconnecting([this](hawser::socket, disconnect_reason) { enter("disconnecting"); });
    in.on_disconnect([this](hawser::socket s, disconnect_reason) {
      ++disconnected[s.number().number()];
      enter("on_disconnect");
    });
    in.on("do", [this](hawser::socket s, hawser::ack<int> done) {
      (void)s.emit("before", 1);
      enter("event");
      (void)s.emit("after", 1);
      late_acks.push_back(std::move(done));
    });
    in.on("do", [](hawser::socket s) { (void)s.emit("second", 1); });
    in.on("typed", [](int) {});
    in.on("keep", [drop = at_end([this] { enter("drop of a handler"); })](int) {});
    in.on_any([this](hawser::socket, hawser::event_view const&) { enter("on_any"); });
    in.on_any_outgoing(
        [this](hawser::socket, hawser::event_view const&) { enter("on_any_outgoing"); });
    in.on_bad_event(
        [this](hawser::socket, std::string_view, std::error_code) { enter("bad event"); });
    in.on_room([this](hawser::room_event const& what) {
      static constexpr std::string_view names[] = {"on_room create", "on_room join",
                                                   "on_room leave", "on_room remove"};
      enter(names[static_cast<std::size_t>(what.what)]);
    });
    in.may_join([this](hawser::socket, std::string_view) { return enter("may_join"), true; });
    in.may_send(
        [this](hawser::socket, hawser::event_view const&) { return enter("may_send"), true; });
    in.may_receive([this](hawser::socket) { return enter("may_receive"), true; });
  }

  void on_own(hawser::socket s) {
    s.on("do", [this](hawser::socket) { enter("own event"); });
    s.on_any([this](hawser::event_view const&) { enter("own on_any"); });
    s.on_any_outgoing([this](hawser::event_view const&) { enter("own outgoing"); });
    s.use([this](hawser::event_view const&) { return enter("own guard"), true; });
  }

  void enter(std::string_view here) {
    // What is no handler: a destructor, and an operation that ends because the server has gone.
    if (gone && here != "drop of a handler" && here != "async ack") ++after;
    if (here != where || !at) return;
    reached = true;
    std::exchange(at, {})();
  }

  // What is done between handlers is done only while there is a server.
  template <class Call>
  void with_server(Call&& call) {
    if (!gone && server) call(*server);
  }

  void act() {
    http_peer page(*this);
    page.get("/page");
    page.get("/socket.io/?EIO=9&transport=polling");
    io_peer a(*this);
    auto b = std::make_unique<polling_peer>(*this);
    a.say("40{\"token\":1}");
    (void)b->post("40");
    b->poll();
    a.say("40/child-1,");
    a.say("42/child-1,1[\"do\"]");
    a.say("421[\"do\"]");
    a.say("42[\"typed\",\"no number\"]");
    (void)b->post(
        "422[\"do\",1]\x1e"
        "42[\"do\"]");
    with_server([&](auto& s) { s.off("keep"); });
    run(1ms);
    with_server([&](auto& s) { s.to("room").emit("news", 1, hawser::as_bytes("bytes")); });
    run(1ms);
    with_server([&](auto& s) {
      s.timeout(100ms).emit_with_ack("all", [this, value = 1](std::error_code, std::vector<int>) {
        CHECK(value == 1);
        enter("broadcast end");
      });
    });
    if (!gone && !sockets.empty()) {
      for (int i = 0; i < 3; ++i) {
        sockets[0]
            .timeout(i == 1 ? 50ms : 1min)
            .emit_with_ack("ask", i, [this, i](std::error_code error, int) {
              if (!error) enter("ack");
              if (error == errc::ack_timeout) enter("ack timeout");
              if (error == errc::disconnected) enter("ack gone");
              CHECK(i < 3);
            });
      }
      sockets[0].async_emit_with_ack<int>("async", 1, [this](std::error_code error, int) {
        ++async_done;
        async_error = error;
        enter("async ack");
      });
    }
    run(1ms);
    // Numbers of acks are given out in order: 0 is the broadcast's, 1 to 3 are the questions'.
    a.say("430[5]");
    a.say("431[5]");
    if (where == "async ack") a.say("434[1]");
    a.say("43/child-1,9[]");
    run(200ms);
    with_server([&](auto& s) {
      s.fetch_sockets(
          [this](std::error_code, std::vector<hawser::socket_description>) { enter("fetch"); });
    });
    run(1ms);
    with_server([&](auto& s) { s.all().for_each([this](hawser::socket) { enter("visit"); }); });
    if (where == "posted") {
      with_server([&](auto& s) { (void)s.remote().post([this] { enter("posted"); }); });
    }
    with_server([&](auto& s) { s.sockets_leave("room"); });
    a.say("41");
    run(1ms);
    b.reset();
    a.reset();
    run(2min);
  }

  // Nothing that is kept does anything, or harm.
  void check_handles() {
    for (auto const& s : sockets) {
      CHECK(s.emit("x", 1) == errc::not_open);
      CHECK(s.unreliable().emit("x") == errc::not_open);
      CHECK(s.disconnect() == errc::not_open);
      CHECK(s.disconnect(true) == errc::not_open);
      CHECK(s.close_connection() == errc::not_open);
      CHECK(!s.connected());
      CHECK(s.id().empty());
      CHECK(s.nsp().empty());
      CHECK(s.transport().empty());
      CHECK(!s.handshake());
      CHECK(!s.recovered());
      CHECK(s.data<int>() == nullptr);
      CHECK(!s.set_data(1));
      CHECK(!s.join("room"));
      CHECK(!s.leave("room"));
      CHECK(s.rooms().empty());
      CHECK(s.queued().messages == 0);
      CHECK(!s.on("x", [](int) {}));
      CHECK(!s.off("x"));
      CHECK(s.to("room").emit("x") == 0);
      CHECK(s.everybody().emit("x") == 0);
      CHECK(s.broadcast().size() == 0);
      int called = 0;
      s.emit_with_ack("x", [&called](std::error_code) { ++called; });
      s.broadcast().fetch_sockets(
          [&called](std::error_code error, std::vector<hawser::socket_description> const& found) {
            ++called;
            CHECK(error == errc::not_open);
            CHECK(found.empty());
          });
      CHECK(called >= 1);
      s.broadcast().disconnect_sockets();
      s.broadcast().sockets_join("y");
      s.broadcast().for_each([](hawser::socket) { CHECK(false); });
    }
    for (auto const& to : operators) CHECK(to.emit("x") == 0);
    for (auto const& to : rooms) {
      CHECK(to.emit("x") == 0);
      CHECK(to.size() == 0);
    }
    for (auto& in : nsps) {
      CHECK(!in);
      CHECK(in.name().empty());
      CHECK(in.emit("x") == 0);
      in.on("x", [](int) {});
      in.on_connect([](hawser::socket) {});
      CHECK(!in.off("x"));
    }
    for (auto& done : late_acks) {
      bool const wanted = static_cast<bool>(done);
      CHECK(done(1) == errc::not_open);
      CHECK((!done || !wanted));
    }
    for (auto& one : late) one.accept();
  }
};

}  // namespace

TEST_CASE("sim: a Socket.IO server may be destroyed inside any of its handlers",
          "[sim][socketio][lifetime]") {
  for (auto const place : places) {
    INFO("place " << place);
    life s(place);
    s.at = [&] {
      s.server.reset();
      s.gone = true;
    };
    s.act();
    CHECK(s.reached);
    CHECK(s.after == 0);
    CHECK(s.async_done <= 1);
    CHECK(s.empty());
    s.check_handles();
  }
}

TEST_CASE("sim: a Socket.IO server may be stopped inside any of its handlers",
          "[sim][socketio][lifetime]") {
  for (auto const place : places) {
    INFO("place " << place);
    life s(place);
    s.at = [&] { s.server->stop(); };
    s.act();
    CHECK(s.reached);
    CHECK(s.server->size() == 0);
    CHECK(s.server->counters().objects == 0);
    CHECK(s.server->counters().opened == s.server->counters().closed);
    CHECK(s.net.live_listeners() == 0);
    CHECK(s.connected == s.disconnected);
    for (auto const& [id, times] : s.connected) CHECK(times == 1);
    s.server.reset();
    CHECK(s.empty());
  }
}

TEST_CASE("sim: a Socket.IO server may be drained inside any of its handlers",
          "[sim][socketio][lifetime]") {
  for (auto const place : places) {
    INFO("place " << place);
    life s(place);
    int drained = 0;
    s.at = [&] { s.server->drain({.window = 10ms, .deadline = 50ms}, [&] { ++drained; }); };
    s.act();
    CHECK(s.reached);
    CHECK(drained == 1);
    CHECK(s.server->size() == 0);
    CHECK(s.server->counters().opened == s.server->counters().closed);
    CHECK(s.connected == s.disconnected);
    CHECK(s.server->counters().objects == 0);
  }
}

TEST_CASE("sim: every socket may be disconnected inside any handler", "[sim][socketio][lifetime]") {
  for (int how = 0; how < 5; ++how) {
    for (auto const place : places) {
      INFO("place " << place << " how " << how);
      life s(place);
      s.at = [&] {
        auto const all = s.sockets;
        for (auto const& one : all) {
          if (how == 0) (void)one.disconnect();
          if (how == 1) (void)one.disconnect(true);
          if (how == 2) (void)one.close_connection();
        }
        if (how == 3) s.server->disconnect_sockets();
        if (how == 4) s.server->disconnect_sockets(true);
        s.server->flush();
      };
      s.act();
      CHECK(s.reached);
      CHECK(s.connected == s.disconnected);
      for (auto const& [id, times] : s.connected) CHECK(times == 1);
      CHECK(s.server->size() == 0);
      CHECK(s.server->counters().objects == 0);
    }
  }
}

TEST_CASE("socketio: any handler may replace all handlers, itself included",
          "[sim][socketio][lifetime]") {
  for (auto const place : places) {
    INFO("place " << place);
    life s(place);
    auto const alive = std::make_shared<int>(0);
    s.at = [&, alive, keep = std::string(100, 'k')] {
      auto const count = [alive](auto const&...) { ++*alive; };
      auto& in = *s.server;
      in.allow_request([alive](hawser::handshake const&, hawser::decision d) { d.accept(); });
      in.on_connection_error(count);
      in.authenticate([alive](hawser::handshake const&, hawser::decision d) { d.accept(); });
      in.on_connect(count);
      in.on_disconnecting(count);
      in.on_disconnect(count);
      in.on_room(count);
      in.on_any([alive](hawser::socket, hawser::event_view const&) {});
      in.on_any_outgoing([alive](hawser::socket, hawser::event_view const&) {});
      in.on_bad_event(count);
      in.may_join([alive](hawser::socket, std::string_view) { return true; });
      in.may_send([alive](hawser::socket, hawser::event_view const&) { return true; });
      in.may_receive([alive](hawser::socket) { return true; });
      in.off("do");
      hawser::event_handlers fresh;
      fresh.on("do", [alive](hawser::socket) { ++*alive; });
      in.handlers(std::move(fresh));
      for (auto const& one : s.sockets) {
        one.off("do");
        one.on_any([alive](hawser::event_view const&) {});
        one.on_any_outgoing([alive](hawser::event_view const&) {});
        one.use([alive](hawser::event_view const&) { return true; });
      }
      CHECK(keep == std::string(100, 'k'));
    };
    s.act();
    CHECK(s.reached);
    CHECK(s.server->size() == 0);
    s.server.reset();
    s.late_acks.clear();
    s.sockets.clear();
    CHECK(alive.use_count() == 1);
  }
}

TEST_CASE("sim: any handler may throw, and only its own client pays", "[sim][socketio][lifetime]") {
  for (auto const place : places) {
    if (place == "visit" || place == "drop of a handler") continue;  // runs in the caller's frame
    INFO("place " << place);
    life s(place);
    s.at = [] { throw std::runtime_error("thrown"); };
    if (place == "async ack") continue;  // on the loop itself
    s.act();
    CHECK(s.reached);
    CHECK(s.server->counters().handler_failures == 1);
    CHECK(s.connected.size() == s.disconnected.size());
    CHECK(s.server->size() == 0);
    CHECK(s.server->counters().objects == 0);
  }
}

TEST_CASE("sim: decisions and acknowledgements may outlive the server",
          "[sim][socketio][lifetime]") {
  std::vector<hawser::decision> decisions;
  std::vector<hawser::ack<int>> acks;
  hawser::socket kept;
  {
    hall h;
    h.server->of("/slow").authenticate(
        [&](hawser::handshake const&, hawser::decision d) { decisions.push_back(std::move(d)); });
    h.server->of("/slower").use(
        [&](hawser::socket, hawser::decision d) { decisions.push_back(std::move(d)); });
    h.server->on("ask", [&](hawser::ack<int> done) { acks.push_back(std::move(done)); });
    io_peer a(h);
    a.join();
    a.say("40/slow,");
    a.say("40/slower,");
    a.say("421[\"ask\"]");
    a.say("42[\"ask\"]");
    kept = h.sockets.at(0);
    REQUIRE(decisions.size() == 2);
    REQUIRE(acks.size() == 2);
    CHECK(acks[0]);
    CHECK(!acks[1]);
    h.server.reset();
    decisions[0].accept(1);
    CHECK(acks[0](1) == errc::not_open);
    h.run();
    CHECK(h.empty() == false);  // the peer is still there
  }
  decisions[1].reject("late");
  decisions.clear();
  CHECK(acks[1](1) == errc::not_open);
  CHECK(kept.emit("x") == errc::not_open);
}

TEST_CASE("sim: the io_context may go before a Socket.IO server", "[sim][socketio][lifetime]") {
  auto io = std::make_unique<asio::io_context>(1);
  hawser::memory_network net(*io);
  hawser::seeded_random random(7);
  using server_type = hawser::basic_server<io_plain>;
  server_type::options numbers;
  numbers.transport.network = &net;
  numbers.random = random.source();
  server_type server(*io, std::move(numbers));
  hawser::socket kept;
  int done = 0, disconnects = 0;
  server.on_connect([&](hawser::socket s) { kept = s; });
  server.on_disconnect([&](hawser::socket, disconnect_reason) { ++disconnects; });
  REQUIRE(!server.listen({.port = 80}));
  hawser::memory_peer a(net, 80);
  a.send(upgrade(engine_path + "websocket") + text("40"));
  hawser::memory_peer b(net, 80);
  b.send("GET " + engine_path + "polling HTTP/1.1\r\nHost: x\r\n\r\n");
  net.run_for(1ms);
  REQUIRE(kept.connected());
  kept.emit_with_ack("ask", [&](std::error_code) { ++done; });
  kept.async_emit_with_ack<int>("ask", [&](std::error_code, int) { ++done; });
  server.emit("more", 1);
  io.reset();
  CHECK(!kept.connected());
  CHECK(kept.emit("x") == errc::not_open);
  CHECK(server.size() == 0);
  CHECK(done == 0);
  CHECK(disconnects == 0);
  server.stop();
  server.on("x", [](int) {});
  CHECK(server.emit("x") == 0);
}

TEST_CASE("sim: an awaited acknowledgement ends with the server, once",
          "[sim][socketio][lifetime]") {
  hall h;
  io_peer a(h);
  a.join();
  std::vector<std::error_code> ended;
  int plain = 0;
  auto const s = h.sockets.at(0);
  s.async_emit_with_ack<int>("ask", 1, [&](std::error_code error, int) { ended.push_back(error); });
  s.timeout(1s).async_emit_with_ack<int>(
      "ask", 2, [&](std::error_code error, int) { ended.push_back(error); });
  s.emit_with_ack("ask", 3, [&](std::error_code, int) { ++plain; });
  h.run();
  h.server.reset();
  CHECK(ended.empty());  // never inline
  h.run(1min);
  REQUIRE(ended.size() == 2);
  CHECK(ended[0] == error_of(asio::error::operation_aborted));
  CHECK(ended[1] == error_of(asio::error::operation_aborted));
  CHECK(plain == 0);
  // Nobody's executor is left: the handler's own.
  s.async_emit_with_ack<int>("ask", 4, asio::bind_executor(h.io, [&](std::error_code error, int) {
                               ended.push_back(error);
                             }));
  CHECK(ended.size() == 2);
  h.run(1s);
  REQUIRE(ended.size() == 3);
  CHECK(ended[2] == errc::not_open);
}

TEST_CASE("sim: whatever a queue holds goes with the server", "[sim][socketio][lifetime]") {
  for (bool const upgrading : {false, true}) {
    hall h;
    polling_peer client(h);
    client.join();
    std::optional<io_peer> ws;
    if (upgrading) {
      ws.emplace(h, client.sid);
      ws->say("2probe");
    }
    for (int i = 0; i < 100; ++i) {
      (void)h.sockets[0].emit("x", std::string(1000, 'x'), hawser::as_bytes("bytes"));
    }
    client.poll();
    h.server.reset();
    h.run(1min);
  }
}

TEST_CASE("sim: a server may go while it tells of a session's end, however that ends",
          "[sim][socketio][lifetime]") {
  // Each ends one session; by polling `p`, by WebSocket `w`.
  using way = std::function<void(hall&, polling_peer & p, io_peer & w)>;
  way const ways[] = {
      [](hall& h, polling_peer& p, io_peer&) {  // two polls
        p.poll();
        http_peer second(h);
        second.get(p.target());
        h.run();
      },
      [](hall& h, polling_peer& p, io_peer&) {  // two posts
        p.posts().send("POST " + p.target() +
                       " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n42");
        h.run();
        http_peer second(h);
        second.post(p.target(), "42[\"x\"]");
        h.run();
      },
      [](hall& h, polling_peer& p, io_peer&) {  // a body that is too long
        p.posts().send("POST " + p.target() +
                       " HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\nx");
        h.run();
      },
      [](hall& h, polling_peer& p, io_peer&) {  // a body that is broken
        p.posts().send("POST " + p.target() +
                       " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
        h.run();
      },
      [](hall&, polling_peer& p, io_peer&) { (void)p.post("garbage"); },
      [](hall&, polling_peer& p, io_peer&) { (void)p.post("1"); },
      [](hall&, polling_peer& p, io_peer&) {
        p.poll();
        (void)p.post("1");
      },
      [](hall&, polling_peer& p, io_peer&) { (void)p.post("2"); },
      [](hall&, polling_peer& p, io_peer&) {
        (void)p.post(
            "41\x1e"
            "40\x1e"
            "42[\"x\"]");
      },
      [](hall& h, polling_peer& p, io_peer&) {
        p.poll();
        p.polls().reset();
        h.run();
      },
      [](hall&, polling_peer& p, io_peer&) {
        p.poll();
        (void)p.post(
            "42[\"end\"]\x1e"
            "42[\"end\"]");
      },
      [](hall& h, polling_peer& p, io_peer&) {  // in the middle of an upgrade
        io_peer probe(h, p.sid);
        probe.say("2probe");
        p.poll();
        (void)p.post("47");
      },
      [](hall& h, polling_peer& p, io_peer&) {
        io_peer probe(h, p.sid);
        probe.send(text("2probe") + text("5") + text("47"));
        h.run();
      },
      [](hall&, polling_peer&, io_peer& w) { w.say("41"); },
      [](hall&, polling_peer&, io_peer& w) { w.say("1"); },
      [](hall&, polling_peer&, io_peer& w) { w.say("47"); },
      [](hall&, polling_peer&, io_peer& w) { w.say("42/other,[]"); },
      [](hall& h, polling_peer&, io_peer& w) {
        w.send(text("42[\"end\"]") + text("42[\"end\"]") + goodbye());
        h.run();
      },
      [](hall&, polling_peer&, io_peer& w) { w.send(wire(3, "x")); },
      [](hall&, polling_peer&, io_peer& w) { w.send(goodbye()); },
      [](hall&, polling_peer&, io_peer& w) { w.shutdown(); },
      [](hall&, polling_peer&, io_peer& w) { w.reset(); },
      [](hall& h, polling_peer&, io_peer&) { h.run(1min); },  // no pongs
      [](hall& h, polling_peer&, io_peer& w) {
        w.say("451-[\"x\",{\"_placeholder\":true,\"num\":0}]");
        h.run(11s);
      },
      [](hall& h, polling_peer&, io_peer&) { (void)h.sockets[0].disconnect(); },
      [](hall& h, polling_peer&, io_peer&) { (void)h.sockets[1].disconnect(true); },
      [](hall& h, polling_peer&, io_peer&) { (void)h.sockets[0].close_connection(); },
      [](hall& h, polling_peer&, io_peer&) { h.server->disconnect_sockets(true); },
      [](hall& h, polling_peer&, io_peer&) { h.server->stop(); },
      [](hall& h, polling_peer&, io_peer&) { h.server->drain({.window = 0ms, .deadline = 0ms}); },
      [](hall& h, polling_peer&, io_peer& w) {  // what it is sent no longer fits
        w.pause_reading(true);
        for (int i = 0; i < 50; ++i) h.server->emit("x", std::string(100'000, 'x'));
        h.run(5s);
      },
  };
  for (int when = 0; when < 3; ++when) {
    for (int how = 0; how < 5; ++how) {
      for (way const& one : ways) {
        INFO("way " << &one - ways << " when " << when << " how " << how);
        hall h;
        int after = 0, before = 0;
        auto const act = [&] {
          if (++before > 1 && how < 2) return;
          if (how == 0) h.server->stop();
          if (how == 1) h.server->drain({.window = 0ms, .deadline = 0ms});
          if (how == 2) h.server->disconnect_sockets(true);
          if (how == 3) (void)h.server->emit("x", 1);
          if (how == 4 && !h.server) ++after;
          if (how == 4) h.server.reset();
        };
        polling_peer p(h);
        io_peer w(h);
        p.join();
        w.join();
        REQUIRE(h.sockets.size() == 2);
        (void)h.sockets[0].join("room");
        if (when == 0) {
          h.server->on_disconnecting([&](hawser::socket, disconnect_reason) { act(); });
        } else if (when == 1) {
          h.server->on_disconnect([&](hawser::socket, disconnect_reason) { act(); });
        } else {
          h.server->on_room([&](hawser::room_event const& what) {
            if (what.what == hawser::room_event::type::leave) act();
          });
        }
        h.server->on("end", [](hawser::socket s) { (void)s.disconnect(true); });
        one(h, p, w);
        h.run(10ms);
        CHECK(before >= 1);
        CHECK(after == 0);
        h.run(2min);
        if (h.server) {
          CHECK(h.counters().opened == h.counters().closed);
          CHECK(h.counters().objects == 0);
        }
      }
    }
  }
}
