#include "sim/socketio_harness.hpp"

#include <memory>
#include <string>

using namespace sim;

namespace {

// The text of a field of a CONNECT answer.
std::string field_of(strings const& packets, std::string const& name) {
  for (std::string const& one : packets) {
    auto const at = one.find("\"" + name + "\":\"");
    if (at == std::string::npos) continue;
    auto const begin = at + name.size() + 4;
    return one.substr(begin, one.find('"', begin) - begin);
  }
  return {};
}

void with_recovery(hall::options_type& numbers) { numbers.recovery.enabled = true; }

}  // namespace

TEST_CASE("sim: a pong may end its own session, by whoever waited for it", "[sim][socketio]") {
  hall h(with_recovery);
  io_peer a(h);
  auto const pid = field_of(a.join(), "pid");
  REQUIRE(!pid.empty());
  h.server->on_connect([&h](hawser::socket) { (void)h.sockets[0].disconnect(true); });
  io_peer b(h);
  (void)b.join({}, "{\"pid\":\"" + pid + "\"}");
  a.say("3");
  CHECK(h.server->size() == 1);
  CHECK(has(h.reasons, "server namespace disconnect"));
}

TEST_CASE("sim: a socket on its way out may take its whole session along", "[sim][socketio]") {
  hall h;
  auto chat = h.server->of("/chat");
  h.watch(chat);
  io_peer a(h);
  (void)a.join();
  (void)a.join("/chat");
  REQUIRE(h.sockets.size() == 2);
  h.server->on_room([&h](hawser::room_event const& what) {
    if (what.what == hawser::room_event::type::leave) (void)h.sockets[1].disconnect(true);
  });
  a.say("41");
  CHECK(h.server->size() == 0);
  CHECK(h.reasons.size() == 2);
}

TEST_CASE("sim: whoever decides about names may make namespaces", "[sim][socketio]") {
  hall h;
  int asked = 0;
  auto const matching = [&](std::string_view name, json const&) {
    if (++asked > 1) return name == "/late";
    for (int i = 0; i < 20; ++i) {
      (void)h.server->of([&](std::string_view other, json const&) { return other == "/late"; });
    }
    return false;
  };
  (void)h.server->of(matching);
  auto own = h.server->of([&](std::string_view name, json const&) {
    auto const made = h.server->of(name);  // the very one, as an ordinary one
    return static_cast<bool>(made) && name == "/own";
  });
  io_peer a(h);
  (void)a.join("/own");
  auto const there = h.server->of("/own");
  CHECK(there.name() == "/own");
  (void)there.emit("news", 1);
  h.run();
  CHECK(has(a.packets(), "42/own,[\"news\",1]"));
}

TEST_CASE("sim: a handler that is replaced while it runs keeps what it has captured",
          "[sim][socketio]") {
  // Captures that are small enough to lie where the next handler will.
  struct place : hall {
    int ran = 0;
    void check(std::shared_ptr<std::string> const& still) {
      REQUIRE(still);
      CHECK(*still == "kept");
      ++ran;
    }
  } h;
  auto kept = std::make_shared<std::string>("kept");  // not const: captures that move
  std::size_t one = 1, two = 2, three = 3;  // not const: captured by value, as ballast
  h.server->allow_request([kept, &h](hawser::handshake const&, hawser::decision d) {
    h.server->allow_request(
        [](hawser::handshake const&, hawser::decision other) { other.accept(); });
    d.accept();
    h.check(kept);
  });
  h.server->on_connect([kept, &h, one, two, three](hawser::socket s) {
    s.on_any([kept, &h](hawser::event_view const&) {
      h.sockets[0].on_any([](hawser::event_view const&) {});
      h.check(kept);
    });
    h.sockets.push_back(s);
    h.server->on_disconnect([kept, &h](hawser::socket, disconnect_reason) {
      h.server->on_disconnect([](hawser::socket, disconnect_reason) {});
      h.check(kept);
    });
    CHECK(one + two == three);
  });
  h.server->on_any([kept, &h](hawser::socket, hawser::event_view const&) {
    hawser::event_handlers fresh;
    fresh.on("e", [] {});
    h.server->handlers(std::move(fresh));
    h.server->on_any([](hawser::socket, hawser::event_view const&) {});
    h.check(kept);
  });
  h.server->may_send([kept, &h, one](hawser::socket, hawser::event_view const&) {
    h.server->may_send([kept, one](hawser::socket, hawser::event_view const&) { return one == 1; });
    h.check(kept);
    return one == 1;
  });
  io_peer a(h);
  (void)a.join();
  for (int i = 0; i < 3; ++i) a.say(event("[\"e\"]"));
  a.say("41");
  CHECK(h.ran == 5);
  CHECK(h.counters().events_refused == 0);
}

TEST_CASE("sim: a server may go while a request that breaks its session is refused",
          "[sim][socketio]") {
  int const kind = GENERATE(0, 1, 2, 3);
  auto h = std::make_unique<hall>([](auto& o) { o.framing.max_message_size = 1000; });
  polling_peer a(*h);
  (void)a.join();
  http_peer other(*h);
  h->server->on_disconnect([&](hawser::socket, disconnect_reason) { h->server.reset(); });
  INFO("kind " << kind);
  switch (kind) {
    case 0:
      a.poll();
      other.get(a.target());
      break;
    case 1: (void)a.post("x", "Content-Type: application/octet-stream\r\n"); break;
    case 2:
      a.posts().send("POST " + a.target() + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
      h->run();
      other.post(a.target(), "3");
      break;
    default: (void)a.post(std::string(2000, '4'));
  }
  h->run();
  if (kind == 1 && h->server) {
    // The field that stands first counts: by hand.
    other.send("POST " + a.target() +
               " HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
               "Content-Length: 1\r\n\r\n3");
    h->run();
  }
  CHECK(!h->server);
  a.polls().reset();
  a.posts().reset();
  other.reset();
  h->run(1min);
  CHECK(h->net.live_streams() == 0);
}

TEST_CASE("sim: sessions count as connections, also those that hold none", "[sim][socketio]") {
  hall h([](auto& o) { o.max_connections = 3; });
  http_peer one(h);
  for (int i = 0; i < 3; ++i) {
    one.get(engine_path + "polling");
    h.run();
    CHECK(one.answer().value().status == 200);
  }
  one.get(engine_path + "polling");
  h.run();
  auto const last = one.answer();
  REQUIRE(last);
  CHECK(last->status == 503);
  CHECK(!last->field("Retry-After").empty());
  CHECK(h.counters().rejected_full == 1);
  CHECK(h.server->size() == 3);
  h.run(1min);
  polling_peer later(h);
  CHECK(later.status == 200);
}

TEST_CASE("sim: a close never shares a poll's answer with what was sent before it",
          "[sim][socketio][polling]") {
  hall h;
  polling_peer a(h);
  (void)a.join();
  (void)h.sockets[0].emit("bye");
  (void)h.sockets[0].disconnect(true);
  h.run();
  CHECK(a.packets() == strings{event("[\"bye\"]"), "41"});
  CHECK(a.packets() == strings{"1"});
}

TEST_CASE("sim: a slow client that polls is given up once", "[sim][socketio][polling]") {
  hall h([](auto& o) { o.backpressure.max_messages = 2; });
  polling_peer a(h);
  (void)a.join();
  std::error_code last;
  for (int i = 0; i < 10; ++i) last = h.sockets[0].emit("news", i);
  CHECK(last);
  h.run();
  CHECK(h.counters().slow_closed == 1);
  CHECK(h.reasons == strings{"transport error"});
}

TEST_CASE("sim: an upgrade counts no message twice", "[sim][socketio][upgrade]") {
  hall h;
  polling_peer a(h);
  (void)a.join();
  auto const before = h.counters().messages_out;
  io_peer up(h, a.sid);
  up.say("2probe");
  for (int i = 0; i < 3; ++i) (void)h.sockets[0].emit("news", i);
  up.say("5");
  CHECK(up.packets().size() == 4);
  CHECK(h.counters().messages_out == before + 3);
}

TEST_CASE("sim: a refusal counts for one reason", "[sim][socketio]") {
  hall h;
  http_peer one(h);
  one.get(engine_path + "polling", "Origin: http://evil\r\n");
  h.run();
  CHECK(one.answer().value().status == 403);
  CHECK(h.counters().rejected_origin == 1);
  CHECK(h.counters().rejected_malformed == 0);
  h.server->allow_request([](hawser::handshake const&, hawser::decision d) { d.reject(); });
  one.get(engine_path + "polling");
  h.run();
  CHECK(one.answer().value().status == 403);
  CHECK(h.counters().rejected_refused == 1);
  CHECK(h.counters().rejected_malformed == 0);
}

TEST_CASE("sim: what a session left behind is let go when its time is over", "[sim][socketio]") {
  hall h(with_recovery);
  auto const data = std::make_shared<int>(1);
  {
    io_peer a(h);
    (void)a.join();
    (void)h.sockets[0].set_data(data);
    a.reset();
    h.run();
  }
  CHECK(data.use_count() == 2);
  h.run(1h);
  io_peer b(h);
  (void)b.join();
  b.reset();
  h.run();
  CHECK(data.use_count() == 1);
}

TEST_CASE("sim: what goes at the end of a turn may end others", "[sim][socketio]") {
  struct ending_another {
    explicit ending_another(hawser::socket one) : other(std::move(one)) {}
    ending_another(ending_another&&) = default;
    ~ending_another() { (void)other.disconnect(true); }
    hawser::socket other;
  };
  hall h;
  std::vector<std::unique_ptr<io_peer>> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(std::make_unique<io_peer>(h));
    (void)all.back()->join();
  }
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    (void)h.sockets[i].set_data(ending_another(h.sockets[i + 1]));
  }
  CHECK(h.server->size() == 40);
  all[0]->say("41");
  h.run();
  CHECK(h.reasons.size() == 40);
}

TEST_CASE("sim: names of internal events are refused from other threads too", "[sim][socketio]") {
  hall h;
  io_peer a(h);
  (void)a.join();
  auto const remote = h.server->remote();
  CHECK(remote.emit(h.server->all(), "disconnect") == errc::bad_event_name);
  h.run();
  CHECK(a.packets().empty());
}

TEST_CASE("sim: a guard for receiving is asked about many at a bearable price", "[sim][socketio]") {
  hall h;
  int asked = 0;
  h.server->may_receive([&](hawser::socket s) {
    if (++asked == 2) (void)h.sockets[0].disconnect();
    return s != h.sockets[2];
  });
  io_peer a(h), b(h), c(h);
  for (auto* one : {&a, &b, &c}) (void)one->join();
  CHECK(h.server->emit("news") == 1);
  h.run();
  CHECK(a.packets() == strings{"41"});
  CHECK(b.packets() == strings{event("[\"news\"]")});
  CHECK(c.packets().empty());
}

TEST_CASE("sim: message rates hold for polling as for a WebSocket", "[sim][socketio][polling]") {
  hall h([](auto& o) { o.limits.rates.messages = {.per_second = 10, .burst = 10}; });
  polling_peer a(h);
  (void)a.join();
  std::string body = event("[\"e\"]");
  for (int i = 1; i < 30; ++i) body += "\x1e" + event("[\"e\"]");

  // What is over the rate is taken, and its answer waits until it no longer is.
  CHECK(a.post(body) == 0);
  CHECK(h.counters().events_in == 30);
  h.run(1900ms);
  CHECK(!a.posts().answer());
  h.run(300ms);
  CHECK(a.posts().answer().value().status == 200);
  CHECK(h.server->size() == 1);

  // A second POST meanwhile is one too many.
  SECTION("overlapping") {
    CHECK(a.post(body) == 0);
    http_peer other(h);
    other.post(a.target(), event("[\"e\"]"));
    h.run();
    CHECK(other.answer().value().status == 400);
    CHECK(a.posts().answer().value().status == 200);
    CHECK(h.reasons == strings{"transport error"});
  }
  SECTION("its connection goes") {
    CHECK(a.post(body) == 0);
    a.posts().reset();
    h.run(10s);
    CHECK(h.reasons == strings{"transport error"});
  }
  SECTION("the server goes") {
    CHECK(a.post(body) == 0);
    h.server.reset();
    h.run(10s);
  }
  SECTION("an upgrade") {
    CHECK(a.post(body) == 0);
    io_peer up(h, a.sid);
    up.say("2probe");
    up.say("5");
    CHECK(a.posts().answer().value().status == 200);
    up.say(event("[\"e\"]"));
    CHECK(h.server->size() == 1);
    h.run(3s);
    CHECK(h.server->size() == 1);
  }
  SECTION("for ever") {
    for (int i = 0; i < 8 && h.server->size() == 1; ++i) {
      (void)a.post(body);
      h.run(3100ms);
      (void)a.posts().answer();
    }
    CHECK(h.server->size() == 0);
    CHECK(h.counters().limit_hits == 1);
  }
}

TEST_CASE("sim: packets that wait for attachments count as unfinished messages",
          "[sim][socketio]") {
  hall h([](auto& o) { o.limits.partial_message_budget = 1000; });
  io_peer a(h), b(h);
  polling_peer c(h);
  (void)a.join();
  (void)b.join();
  (void)c.join();
  std::string const two =
      "452-[\"e\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}";
  a.say(two + ",\"" + std::string(300, 'a') + "\"]");
  b.say(two + ",\"" + std::string(400, 'b') + "\"]");
  CHECK(h.counters().partial_bytes > 700);
  CHECK(h.server->size() == 3);
  CHECK(c.post(two + ",\"" + std::string(300, 'c') + "\"]") == 200);
  CHECK(h.server->size() == 2);
  CHECK(has(b.packets(), "close 1013"));
  CHECK(h.counters().limit_hits == 1);
  a.say_binary("x");
  a.say_binary("y");
  CHECK(h.counters().events_in == 1);
  (void)h.sockets[2].disconnect(true);
  CHECK(h.counters().partial_bytes == 0);
}

TEST_CASE("sim: one bad answer to a broadcast doesn't cost the others theirs", "[sim][socketio]") {
  hall h;
  io_peer a(h), b(h), c(h);
  for (auto* one : {&a, &b, &c}) (void)one->join();
  std::error_code outcome;
  std::vector<int> answers;
  h.server->emit_with_ack("q", [&](std::error_code error, std::vector<int> all) {
    outcome = error;
    answers = std::move(all);
  });
  h.run();
  a.say("430[1]");
  b.say("430[\"no number\"]");
  c.say("430[3]");
  h.run();
  CHECK(outcome == errc::argument_mismatch);
  CHECK(answers == std::vector<int>{1, 3});
}

TEST_CASE("sim: a handler may adopt a connection that has something to say", "[sim][socketio]") {
  hall h;
  hawser::memory_context context(h.io.get_executor(), {.network = &h.net});
  hawser::memory_acceptor acceptor(context);
  REQUIRE(!acceptor.open({.port = 90}));
  http_peer adopted(h, 90);
  h.run(1ms);
  polling_peer polling(h);
  (void)polling.join();
  strings heard;
  h.server->on_any([&](hawser::socket, hawser::event_view const& what) {
    if (what.name() != "outer") return;
    auto taken = acceptor.accept();
    REQUIRE(taken);
    std::string const body = event("[\"inner\",\"" + std::string(100, 'i') + "\"]");
    std::string const request =
        "POST " + polling.target() +
        " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
        body;
    h.server->adopt(std::move(*taken), hawser::as_bytes(request));
  });
  h.server->on("outer", [&](std::string_view text) { heard.emplace_back(text); });
  h.server->on("inner", [&](std::string_view text) { heard.emplace_back(text); });
  io_peer a(h);
  (void)a.join();
  a.say(event("[\"outer\",\"" + std::string(50, 'o') + "\"]"));
  h.run();
  CHECK(heard == strings{std::string(50, 'o'), std::string(100, 'i')});
  CHECK(adopted.answer().value().status == 200);
}

TEST_CASE("sim: a route's handler may add routes", "[sim][http]") {
  hall h;
  auto kept = std::make_shared<std::string>("kept");  // not const: captures that move
  h.server->get("/page", [kept, &h](hawser::http_request const&, hawser::http_reply reply) {
    for (int i = 0; i < 20; ++i) {
      h.server->get("/" + std::to_string(i),
                    [](hawser::http_request const&, hawser::http_reply) {});
    }
    REQUIRE(kept);
    reply.send(200, *kept);
  });
  http_peer one(h);
  one.get("/page");
  h.run();
  CHECK(one.answer().value().body == "kept");
}
