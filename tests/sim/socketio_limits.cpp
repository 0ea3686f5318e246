#include "sim/socketio_harness.hpp"

using namespace sim;

namespace {

// What one more than allowed did.
struct taken {
  hall h;
  std::optional<io_peer> ws;
  std::optional<polling_peer> poll;
  int events = 0;

  explicit taken(std::function<void(hall::options_type&)> const& change = {}) : h(change) {
    h.server->on_any([this](hawser::socket, hawser::event_view const&) { ++events; });
    ws.emplace(h);
    ws->join();
    poll.emplace(h);
    poll->join();
  }
};

// An event of exactly this many bytes as a WebSocket message.
std::string sized(std::size_t size) {
  std::string const frame = "42[\"e\",\"\"]";
  return "42[\"e\",\"" + std::string(size - frame.size(), 'x') + "\"]";
}
std::string repeated(std::string_view what, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += what;
  return all;
}
// An event with this many attachments, and how many messages they are.
std::string attached(std::size_t count) {
  std::string packet = "45" + std::to_string(count) + "-[\"e\"";
  for (std::size_t i = 0; i < count; ++i) {
    packet += ",{\"_placeholder\":true,\"num\":" + std::to_string(i) + "}";
  }
  return packet + "]";
}

}  // namespace

TEST_CASE("sim: a packet at a limit is taken, one beyond it ends the session",
          "[sim][socketio][limits]") {
  struct limit {
    std::string_view name;
    std::function<void(hall::options_type&)> change;
    std::function<std::string(std::size_t)> packet;  // how many are over
    bool is_limit = true;                            // and no violation of the protocol
  };
  limit const limits[] = {
      {"max_event_name", [](auto& n) { n.framing.max_event_name = 20; },
       [](std::size_t over) { return "42[\"" + std::string(20 + over, 'n') + "\"]"; }, false},
      {"max_depth", [](auto& n) { n.framing.values.max_depth = 5; },
       [](std::size_t over) {
         return "42[\"e\"," + repeated("[", 4 + over) + repeated("]", 4 + over) + "]";
       }},
      {"max_values", [](auto& n) { n.framing.values.max_values = 10; },
       [](std::size_t over) { return "42[\"e\"" + repeated(",1", 8 + over) + "]"; }},
      {"max_number", [](auto& n) { n.framing.values.max_number = 20; },
       [](std::size_t over) { return "42[\"e\",0." + repeated("1", 18 + over) + "]"; }},
  };
  for (limit const& one : limits) {
    for (bool const polling : {false, true}) {
      INFO(one.name << " polling " << polling);
      taken t(one.change);
      auto const say = [&](std::string const& packet) {
        polling ? (void)t.poll->post(packet) : t.ws->say(packet);
      };
      say(one.packet(0));
      CHECK(t.events == 1);
      CHECK(t.h.reasons.empty());
      say(one.packet(1));
      CHECK(t.events == 1);
      CHECK(t.h.reasons == strings{"parse error"});
      CHECK((one.is_limit ? t.h.counters().limit_hits : t.h.counters().violations) == 1);
    }
  }
}

TEST_CASE("sim: max_message_size bounds messages, bodies and packets with attachments",
          "[sim][socketio][limits]") {
  constexpr std::size_t most = 5000;
  auto const change = [](auto& numbers) { numbers.framing.max_message_size = most; };
  {
    taken t(change);
    t.ws->say(sized(most));
    CHECK(t.events == 1);
    t.ws->say(sized(most + 1));
    CHECK(t.events == 1);
    CHECK(has(t.ws->packets(), "close 1009"));
    CHECK(t.h.reasons == strings{"transport error"});
    CHECK(t.h.counters().limit_hits == 1);
  }
  {
    taken t(change);
    CHECK(t.poll->body.find("maxPayload") == std::string::npos);
    CHECK(t.poll->post(sized(most)) == 200);
    CHECK(t.events == 1);
    CHECK(t.poll->post(sized(most + 1)) == 413);
    CHECK(t.events == 1);
    CHECK(t.h.reasons == strings{"transport error"});
  }
  {
    taken t(change);  // chunked, so that no length tells
    t.poll->posts() = http_peer(t.h);
    t.poll->posts().send("POST " + t.poll->target() +
                         " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n" +
                         std::string(0x1000, 'x') + "\r\n1000\r\n" + std::string(0x1000, 'x'));
    t.h.run();
    CHECK(t.poll->posts().answer().value_or(response{}).status == 413);
    CHECK(t.h.reasons == strings{"transport error"});
  }
  {
    taken t(change);  // of one packet, its text included
    auto const head = attached(2);
    t.ws->say(head);
    t.ws->say_binary(std::string(4000, 'x'));
    t.ws->say_binary(std::string(1000 - head.size() + 1, 'x'));  // the 4 of the message is no part
    CHECK(t.events == 1);
    t.ws->say(head);
    t.ws->say_binary(std::string(4000, 'x'));
    t.ws->say_binary(std::string(1000 - head.size() + 2, 'x'));
    CHECK(t.events == 1);
    CHECK(t.h.reasons == strings{"parse error"});
    CHECK(t.h.counters().limit_hits == 1);
  }
}

TEST_CASE("sim: max_attachments and max_packets", "[sim][socketio][limits]") {
  taken t;
  t.ws->say(attached(10));
  for (int i = 0; i < 10; ++i) t.ws->say_binary("x");
  CHECK(t.events == 1);
  t.ws->say(attached(11));
  CHECK(t.h.reasons == strings{"parse error"});
  CHECK(t.h.counters().limit_hits == 1);
  CHECK(t.poll->post("42[\"e\"]" + repeated("\x1e"
                                            "42[\"e\"]",
                                            9'999)) == 200);
  CHECK(t.events == 10'001);
  CHECK(t.poll->post("42[\"e\"]" + repeated("\x1e"
                                            "42[\"e\"]",
                                            10'000)) == 200);
  CHECK(t.events == 20'001);
  CHECK(t.h.reasons.size() == 2);
  CHECK(t.h.counters().limit_hits == 2);
}

TEST_CASE("sim: a flood of namespaces", "[sim][socketio][limits]") {
  hall h;
  auto many = h.server->of([](std::string_view name, json const&) { return name[1] == 'n'; });
  int connects = 0;
  many.on_connect([&](hawser::socket) { ++connects; });
  io_peer p(h);
  for (int i = 0; i < 16; ++i) p.say("40/n" + std::to_string(i) + ",");
  CHECK(connects == 16);
  p.say("41/n0,");
  p.say("40/n16,");
  CHECK(connects == 17);
  CHECK(h.counters().limit_hits == 0);
  p.say("40/n17,");
  CHECK(connects == 17);
  CHECK(h.counters().limit_hits == 1);
  h.run(1min);
  CHECK(h.server->size() == 0);
  CHECK(many.emit("x") == 0);
}

TEST_CASE("sim: max_child_namespaces bounds what clients can make", "[sim][socketio][limits]") {
  for (bool const clean : {true, false}) {
    hall h([&](auto& numbers) {
      numbers.sockets.max_child_namespaces = 3;
      numbers.sockets.cleanup_empty_children = clean;
    });
    (void)h.server->of([](std::string_view, json const&) { return true; });
    io_peer p(h);
    (void)p.packets();
    for (int i = 0; i < 3; ++i) p.say("40/n" + std::to_string(i) + ",");
    CHECK(h.counters().sockets_connected == 3);
    (void)p.packets();
    p.say("40/n3,");
    CHECK(p.packets() == strings{"44/n3,{\"message\":\"Invalid namespace\"}"});
    p.say("41/n0,");
    p.say("40/n3,");
    CHECK(h.counters().sockets_connected == (clean ? 4 : 3));
    CHECK(h.counters().sockets_refused == (clean ? 1 : 2));
  }
}

TEST_CASE("sim: connect errors are counted for a session", "[sim][socketio][limits]") {
  hall h;
  io_peer p(h);
  (void)p.packets();
  for (int i = 0; i < 10; ++i) p.say("40/unknown,");
  CHECK(p.packets().size() == 10);
  p.say("40");
  CHECK(h.connects == 1);
  (void)p.packets();
  p.say("40/unknown,");
  auto const last = p.packets();
  REQUIRE(!last.empty());
  CHECK(last.back().starts_with("close"));
  CHECK(h.reasons.size() == 1);
  CHECK(h.counters().sockets_refused == 11);
  CHECK(h.counters().limit_hits == 1);
}

TEST_CASE("sim: max_pending bounds the sockets that wait for a decision",
          "[sim][socketio][limits]") {
  hall h([](auto& numbers) { numbers.sockets.max_pending = 2; });
  std::vector<hawser::decision> open;
  h.server->authenticate(
      [&](hawser::handshake const&, hawser::decision d) { open.push_back(std::move(d)); });
  io_peer a(h), b(h), c(h);
  (void)c.packets();
  a.say("40");
  b.say("40");
  c.say("40");
  CHECK(open.size() == 2);
  CHECK(c.packets() == strings{"44{\"message\":\"Server is busy\"}"});
  open[0].accept();
  h.run();
  c.say("40");
  CHECK(open.size() == 3);
  // Refusals, disconnects and time-outs give their places back.
  open[1].reject("no");
  h.run();
  c.say("41");
  b.say("40");
  a.say("41");
  a.say("40");
  CHECK(open.size() == 5);
  h.run(6s);
  b.say("40");
  a.say("40");
  CHECK(open.size() == 7);
}

TEST_CASE("sim: a flood of rooms", "[sim][socketio][limits]") {
  hall h;
  io_peer p(h);
  p.join();
  auto const s = h.sockets[0];
  for (int i = 0; i < 255; ++i) CHECK(s.join("room" + std::to_string(i)));
  CHECK(!s.join("one more"));
  CHECK(s.rooms().size() == 256);
  CHECK(s.leave("room0"));
  CHECK(!s.join(std::string(256, 'x')));
  CHECK(s.join(std::string(255, 'x')));
  CHECK(s.connected());
  CHECK(h.server->to(std::string(255, 'x')).size() == 1);
}

TEST_CASE("sim: acknowledgements that nobody awaits", "[sim][socketio][limits]") {
  hall h;
  io_peer p(h);
  p.join();
  for (int i = 0; i < 100; ++i) p.say("43" + std::to_string(i) + "[]");
  CHECK(h.sockets[0].connected());
  h.run(10s);
  for (int i = 0; i < 100; ++i) p.say("43" + std::to_string(i) + "[]");
  CHECK(h.sockets[0].connected());
  p.say("439[]");
  CHECK(h.reasons == strings{"forced close"});
  CHECK(h.counters().unknown_acks == 201);
  CHECK(h.counters().limit_hits == 1);
}

TEST_CASE("sim: max_acks awaited from one socket", "[sim][socketio][limits]") {
  hall h([](auto& numbers) { numbers.sockets.max_acks = 3; });
  io_peer p(h), q(h);
  p.join();
  q.join();
  std::vector<std::error_code> told;
  auto const ask = [&] {
    h.sockets[0].emit_with_ack("q", [&](std::error_code error) { told.push_back(error); });
  };
  for (int i = 0; i < 3; ++i) ask();
  CHECK(told.empty());
  ask();
  REQUIRE(told.size() == 1);
  CHECK(told[0] == errc::too_many_acks);
  std::error_code broadcast;
  std::size_t answers = 0;
  h.server->emit_with_ack("q", [&](std::error_code error, std::vector<int> const& all) {
    broadcast = error;
    answers = all.size();
  });
  h.run();
  (void)p.packets();
  q.say("434[1]");
  CHECK(broadcast == errc::too_many_acks);
  CHECK(answers == 1);
  p.say("430[]");
  CHECK(told.size() == 2);
  ask();
  CHECK(told.size() == 2);
  h.run(11s);
  CHECK(told.size() == 5);
  CHECK(h.counters().ack_timeouts == 3);
}

TEST_CASE("sim: max_connections counts connections, and turns away with 503",
          "[sim][socketio][limits]") {
  hall h([](auto& numbers) { numbers.max_connections = 3; });
  io_peer a(h), b(h);
  http_peer c(h);
  h.run();
  io_peer d(h);
  CHECK(d.status() == 503);
  http_peer e(h);
  e.get(engine_path + "polling");
  h.run();
  auto const refused = e.answer();
  REQUIRE(refused);
  CHECK(refused->status == 503);
  CHECK(!refused->field("Retry-After").empty());
  CHECK(h.counters().rejected_full == 2);
  CHECK(h.server->size() == 2);
}

TEST_CASE("sim: a draining server takes no new sessions, and lets those that are there go on",
          "[sim][socketio][limits]") {
  hall h;
  polling_peer p(h);
  p.join();
  h.server->drain({.window = 10s, .deadline = 20s});
  http_peer fresh(h);
  fresh.get(engine_path + "polling");
  io_peer ws(h);
  h.run();
  CHECK(fresh.answer().value_or(response{}).status == 503);
  CHECK(ws.status() == 503);
  if (h.sockets[0].connected()) CHECK(p.post("42[\"x\"]") == 200);
  h.run(25s);
  CHECK(h.reasons == strings{"server shutting down"});
  CHECK(h.counters().objects == 0);
}

TEST_CASE("sim: transports that are switched off are unknown", "[sim][socketio][limits]") {
  auto const answer = [](hall& h, std::string const& target) {
    http_peer p(h);
    p.get(target);
    h.run();
    return p.answer().value_or(response{});
  };
  {
    hall h([](auto& numbers) { numbers.engine.polling = false; });
    auto const refused = answer(h, engine_path + "polling");
    CHECK(refused.status == 400);
    CHECK(refused.body == "{\"code\":0,\"message\":\"Transport unknown\"}");
    io_peer ws(h);
    CHECK(ws.is_open());
  }
  {
    hall h([](auto& numbers) { numbers.engine.websocket = false; });
    polling_peer p(h);
    CHECK(p.body.find("\"upgrades\":[]") != std::string::npos);
    io_peer ws(h), probe(h, p.sid);
    CHECK(ws.status() == 400);
    CHECK(probe.status() == 400);
  }
  {
    hall h([](auto& numbers) { numbers.engine.path = "/other"; });
    CHECK(answer(h, engine_path + "polling").status == 404);
    CHECK(answer(h, "/other/?EIO=4&transport=polling").status == 200);
  }
  hall h;
  CHECK(answer(h, "/socket.io/?EIO=3&transport=polling").body ==
        "{\"code\":5,\"message\":\"Unsupported protocol version\"}");
  CHECK(answer(h, "/socket.io/?EIO=4&transport=websocket").body ==
        "{\"code\":3,\"message\":\"Bad request\"}");
  CHECK(answer(h, engine_path + "polling&sid=" + std::string(24, 'x')).body ==
        "{\"code\":1,\"message\":\"Session ID unknown\"}");
  http_peer poster(h);
  poster.post(engine_path + "polling", "40");
  h.run();
  CHECK(poster.answer().value_or(response{}).body ==
        "{\"code\":2,\"message\":\"Bad handshake method\"}");
  h.server->allow_request([](hawser::handshake const&, hawser::decision d) { d.reject("never"); });
  auto const never = answer(h, engine_path + "polling");
  CHECK(never.status == 403);
  CHECK(never.body == "{\"code\":4,\"message\":\"never\"}");
  CHECK(h.counters().rejected_malformed == 4);
  CHECK(h.counters().rejected_refused == 1);
}

TEST_CASE("sim: long answers to polls are compressed for who takes it", "[sim][socketio][limits]") {
  for (bool const wanted : {true, false}) {
    for (std::size_t const size : {1000u, 2000u}) {
      for (bool const compress : {true, false}) {
        hall h;
        polling_peer p(h);
        p.join();
        (void)h.sockets[0].compress(compress).emit("e", std::string(size, 'x'));
        p.poll(wanted ? "Accept-Encoding: gzip\r\n" : "");
        REQUIRE(p.polled() == 200);
        bool const gzip = p.head.find("Content-Encoding: gzip") != std::string::npos;
        CHECK(gzip == (wanted && compress && size > 1024));
        if (!gzip) CHECK(p.body.size() == size + 10);
      }
    }
  }
}

TEST_CASE("sim: who is let in after a drain began opens no session", "[sim][socketio][limits]") {
  for (bool const websocket : {false, true}) {
    INFO("websocket " << websocket);
    hall h;
    std::vector<hawser::decision> open;
    h.server->allow_request(
        [&](hawser::handshake const&, hawser::decision d) { open.push_back(std::move(d)); });
    http_peer p(h);
    peer w(h, websocket ? upgrade(engine_path + "websocket") : std::string());
    if (!websocket) p.get(engine_path + "polling");
    h.run();
    REQUIRE(open.size() == 1);
    int drained = 0;
    h.server->drain({.window = 1s, .deadline = 2s}, [&] { ++drained; });
    open[0].accept();
    h.run();
    CHECK((websocket ? w.status() : p.answer().value_or(response{}).status) == 503);
    CHECK(h.server->size() == 0);
    CHECK(h.counters().opened == 0);
    CHECK(h.counters().rejected_full == 1);
    h.run(1s);
    CHECK(drained == 1);
    h.run(15s);  // an idle connection has its own time
    CHECK(h.counters().objects == 0);
  }
}

TEST_CASE("sim: pages of other origins need to be named", "[sim][socketio][limits]") {
  hall h([](auto& numbers) {
    numbers.engine.cors.origins = {"https://a.example"};
    numbers.engine.cors.credentials = true;
    numbers.engine.cors.headers = {"X-Mine"};
    numbers.engine.cookie.name = "io";
  });
  http_peer p(h);
  auto const ask = [&](std::string const& method, std::string const& origin) {
    p.send(method + " " + engine_path + "polling HTTP/1.1\r\nHost: x\r\n" + origin + "\r\n");
    h.run();
    return p.answer().value_or(response{});
  };
  auto const good = ask("GET", "Origin: https://a.example\r\n");
  CHECK(good.status == 200);
  CHECK(good.field("Access-Control-Allow-Origin") == "https://a.example");
  CHECK(good.field("Access-Control-Allow-Credentials") == "true");
  CHECK(good.field("Set-Cookie") == "io=" + sid_of(good.body) + "; Path=/; HttpOnly; SameSite=Lax");
  auto const preflight = ask("OPTIONS", "Origin: https://a.example\r\n");
  CHECK(preflight.status == 204);
  CHECK(preflight.field("Access-Control-Allow-Methods") == "GET, POST");
  CHECK(preflight.field("Access-Control-Allow-Headers") == "Content-Type, X-Mine");
  auto const bad = ask("GET", "Origin: https://b.example\r\n");
  CHECK(bad.status == 403);
  CHECK(bad.field("Access-Control-Allow-Origin").empty());
  CHECK(ask("OPTIONS", "Origin: https://b.example\r\n")
            .field("Access-Control-Allow-Methods")
            .empty());
  CHECK(ask("GET", "").status == 200);
  CHECK(ask("GET", "Origin: http://x\r\n").status == 200);  // the same
  CHECK(h.counters().rejected_origin == 1);
  io_peer ws(h, {}, "Origin: https://b.example\r\n");
  CHECK(ws.status() == 400);
  io_peer fine(h, {}, "Origin: https://a.example\r\n");
  CHECK(fine.is_open());
}

TEST_CASE("sim: requests behind a poll wait for it, as far as they fit",
          "[sim][socketio][limits]") {
  hall h;
  int got = 0;
  h.server->on("x", [&](hawser::socket s) {
    ++got;
    (void)s.emit("y");
  });
  polling_peer p(h);
  p.join();
  p.poll();
  p.polls().post(p.target(), "42[\"x\"]");
  p.polls().get(p.target());
  h.run(1s);
  CHECK(got == 0);
  (void)h.sockets[0].emit("first");
  h.run();
  CHECK(got == 1);
  CHECK(p.polled() == 200);
  CHECK(p.body == "42[\"first\"]");
  CHECK(p.polls().answer().value_or(response{}).body == "ok");
  CHECK(p.polls().answer().value_or(response{}).body == "42[\"y\"]");
  p.poll();
  p.polls().post(p.target(), std::string(20'000, 'x'));  // over max_early_bytes
  h.run();
  CHECK(p.polls().answer().value_or(response{}).status == 400);
  CHECK(h.reasons == strings{"transport error"});
  h.run(1min);
  CHECK(h.counters().objects == 0);
}
