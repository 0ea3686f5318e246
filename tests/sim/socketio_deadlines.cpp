#include "sim/socketio_harness.hpp"

#include <array>

using namespace sim;

TEST_CASE("sim: a WebSocket session is pinged, and given up once without a pong",
          "[sim][socketio][deadlines]") {
  hall h;
  io_peer p(h);
  p.join();
  for (int i = 0; i < 5; ++i) {
    h.run(24'990ms);
    CHECK(p.packets().empty());
    h.run(20ms);
    CHECK(p.packets() == strings{"2"});
    h.run(19'900ms);
    CHECK(h.sockets[0].connected());
    p.say("3");  // from here on the interval counts
  }
  p.say("3");  // unasked: counts for nothing
  h.run(25'010ms);
  CHECK(p.packets() == strings{"2"});
  p.say("42[\"x\"]");  // neither does anything else
  p.send(wire(9, "ping"));
  h.run(19'900ms);
  CHECK(h.sockets[0].connected());
  h.run(200ms);
  CHECK(h.reasons == strings{"ping timeout"});
  CHECK(h.counters().heartbeat_timeouts == 1);
  CHECK(has(p.packets(), "close 1001"));
  h.run(2min);
  CHECK(h.reasons.size() == 1);
  CHECK(h.counters().heartbeat_timeouts == 1);
  CHECK(h.counters().objects == 0);
}

TEST_CASE("sim: a polling session is pinged by its polls", "[sim][socketio][deadlines]") {
  hall h;
  polling_peer p(h);
  p.join();
  for (int i = 0; i < 3; ++i) {
    p.poll();
    h.run(24'900ms);
    CHECK(p.polled() == 0);
    h.run(200ms);
    CHECK(p.polled() == 200);
    CHECK(p.body == "2");
    h.run(10s);
    CHECK(p.post("3") == 200);
  }
  h.run(25'100ms);  // no poll: the ping waits
  CHECK(h.sockets[0].connected());
  h.run(10s);
  CHECK(p.packets() == strings{"2"});
  CHECK(p.post("3") == 200);
  p.poll();
  h.run(46s);
  CHECK(p.polled() == 200);
  CHECK(p.body == "2");
  CHECK(h.reasons == strings{"ping timeout"});
  CHECK(p.post("3") == 400);
  h.run(1min);
  CHECK(h.reasons.size() == 1);
}

TEST_CASE("sim: a process that stalls loses nobody", "[sim][socketio][deadlines]") {
  for (int kind = 0; kind < 3; ++kind) {
    INFO("kind " << kind);
    hall h;
    std::vector<std::unique_ptr<io_peer>> peers;
    std::vector<std::unique_ptr<polling_peer>> pollers;
    for (int i = 0; i < 50; ++i) {
      peers.push_back(std::make_unique<io_peer>(h));
      peers.back()->join();
      pollers.push_back(std::make_unique<polling_peer>(h));
      pollers.back()->join();
      pollers.back()->poll();
    }
    h.run(25'100ms);
    CHECK(h.counters().pings_out == 100);
    // The pongs are sent, and nobody reads them for a minute.
    for (auto& one : peers) {
      if (kind == 1) one->send(text("42[\"x\",\"" + std::string(20'000, 'x') + "\"]"));
      one->send(text("3"));
    }
    for (auto& one : pollers) {
      CHECK(one->polled() == 200);
      CHECK(one->body == "2");
      one->posts() = http_peer(h);
      if (kind < 2) h.run();  // else it has to be accepted first
      one->posts().post(one->target(), "3", kind == 1 ? "Connection: close\r\n" : "");
    }
    h.net.stall(1min);
    h.run(1ms);
    CHECK(h.reasons.empty());
    CHECK(h.counters().heartbeat_timeouts == 0);
    h.run(50s);
    CHECK(h.reasons.size() == 100);
  }
}

TEST_CASE("sim: a stall before a ping is due delays it, no more", "[sim][socketio][deadlines]") {
  hall h;
  io_peer p(h);
  p.join();
  h.net.stall(10min);
  h.run(1ms);
  CHECK(p.packets() == strings{"2"});
  CHECK(h.reasons.empty());
  p.say("3");
  h.run(20s);
  CHECK(h.sockets[0].connected());
}

TEST_CASE("sim: a session in no namespace is closed after connect_timeout",
          "[sim][socketio][deadlines]") {
  hall h;
  h.server->of("/slow").authenticate(
      [](hawser::handshake const&, hawser::decision d) { d.reject("no"); });
  io_peer idle(h), joins(h), refused(h), leaves(h);
  polling_peer polls(h), never(h);
  polls.poll();
  h.run(9'900ms);
  joins.join();
  leaves.join();
  refused.say("40/unknown,");
  (void)idle.packets();
  h.run(200ms);
  CHECK(has(idle.packets(), "close 1000"));
  CHECK(has(refused.packets(), "close 1000"));
  CHECK(!has(joins.packets(), "close 1000"));
  CHECK(polls.polled() == 200);
  CHECK(polls.body == "1");
  CHECK(never.packets() == strings{"1"});
  leaves.say("41");
  (void)leaves.packets();
  h.run(9'900ms);
  CHECK(leaves.packets().empty());
  h.run(200ms);
  CHECK(has(leaves.packets(), "close 1000"));
  CHECK(h.reasons == strings{"client namespace disconnect"});
  CHECK(h.sockets[0].connected());
  CHECK(h.connects == 2);
}

TEST_CASE("sim: leaving one of two namespaces closes nothing", "[sim][socketio][deadlines]") {
  hall h;
  (void)h.server->of("/b");
  io_peer p(h);
  p.join();
  p.join("/b");
  p.say("41");
  h.run(20s);
  p.say("42/b,[\"x\"]");
  p.say("40");
  h.run(4s);
  CHECK(h.connects == 2);
  CHECK(p.packets().size() == 1);
  p.say("41/b,");
  p.say("41");
  h.run(9s);
  p.say("40");  // just in time
  h.run(10s);
  CHECK(h.sockets.back().connected());
}

TEST_CASE("sim: decisions that take too long are a no", "[sim][socketio][deadlines]") {
  hall h;
  std::vector<hawser::decision> open;
  int asked = 0;
  h.server->authenticate([&](hawser::handshake const&, hawser::decision d) {
    ++asked;
    if (asked == 1) return open.push_back(std::move(d));
    d.accept();
  });
  h.server->use([&](hawser::socket, hawser::decision d) { open.push_back(std::move(d)); });
  io_peer p(h);
  (void)p.packets();
  p.say("40");
  h.run(4'900ms);
  CHECK(p.packets().empty());
  h.run(200ms);
  CHECK(p.packets() == strings{"44{\"message\":\"timeout\"}"});
  open[0].accept();  // too late
  h.run();
  CHECK(h.connects == 0);
  p.say("40");
  h.run(4'900ms);
  open[1].accept();
  h.run();
  CHECK(h.connects == 1);
  CHECK(p.packets().size() == 1);
  h.run(10s);
  CHECK(h.sockets[0].connected());
}

TEST_CASE("sim: announced attachments have attachments_timeout to come",
          "[sim][socketio][deadlines]") {
  hall h;
  int got = 0;
  h.server->on("b", [&](hawser::bytes_view, hawser::bytes_view) { ++got; });
  std::string const head =
      "452-[\"b\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]";
  io_peer p(h);
  p.join();
  p.say(head);
  h.run(6s);
  p.say_binary("1");
  h.run(3'900ms);
  p.say_binary("2");
  CHECK(got == 1);
  h.run(11s);
  CHECK(h.sockets[0].connected());
  p.say(head);
  h.run(6s);
  p.say_binary("1");  // moves nothing
  h.run(3'900ms);
  CHECK(h.sockets[0].connected());
  h.run(200ms);
  CHECK(h.reasons == strings{"parse error"});
  CHECK(h.counters().limit_hits == 1);
  polling_peer q(h);
  q.join();
  CHECK(q.post(head) == 200);
  h.run(10'100ms);
  CHECK(h.reasons.size() == 2);
  CHECK(q.post("bAQID") == 400);
}

TEST_CASE("sim: a closed polling session waits for the poll that takes its last words",
          "[sim][socketio][deadlines]") {
  for (bool const queued : {false, true}) {
    for (bool const in_time : {true, false}) {
      INFO("queued " << queued << " in time " << in_time);
      hall h;
      polling_peer p(h);
      p.join();
      if (queued) (void)h.sockets[0].emit("bye", 1);
      CHECK(!h.sockets[0].close_connection());
      CHECK(h.reasons == strings{"forced close"});
      CHECK(h.server->size() == 0);
      h.run(in_time ? 29'900ms : 30'100ms);
      if (!in_time) {
        CHECK(p.packets().size() == 1);
        CHECK(p.status == 400);
        continue;
      }
      if (queued) CHECK(p.packets() == strings{"42[\"bye\",1]"});
      CHECK(p.packets() == strings{"1"});
      p.poll();
      CHECK(p.polled() == 400);
      CHECK(p.body == "{\"code\":1,\"message\":\"Session ID unknown\"}");
      CHECK(h.reasons.size() == 1);
    }
  }
}

TEST_CASE("sim: a poll that waits hears of the end at once", "[sim][socketio][deadlines]") {
  hall h;
  polling_peer p(h);
  p.join();
  p.poll();
  (void)h.sockets[0].emit("bye", 1);
  (void)h.sockets[0].disconnect(true);
  h.run();
  CHECK(p.polled() == 200);
  CHECK(split_payload(p.body) == strings{"42[\"bye\",1]", "41"});
  CHECK(p.packets() == strings{"1"});
}

TEST_CASE("sim: posts to a session that is closing are taken and mean nothing",
          "[sim][socketio][deadlines]") {
  hall h;
  int got = 0;
  h.server->on("x", [&] { ++got; });
  polling_peer p(h);
  p.join();
  (void)h.sockets[0].close_connection();
  CHECK(p.post("42[\"x\"]") == 200);
  CHECK(p.post("3\x1e"
               "1") == 200);
  CHECK(p.post("garbage") == 200);
  CHECK(got == 0);
  CHECK(p.packets() == strings{"1"});
  CHECK(h.reasons.size() == 1);
  h.run(1min);
  CHECK(h.counters().objects == 0);
}

TEST_CASE("sim: an acknowledgement is answered, timed out or disconnected, never two of them",
          "[sim][socketio][deadlines]") {
  constexpr int rounds = 50, peers_of_one = 50, asked_of_one = 4;
  std::array<int, 3> outcomes{};
  int asked = 0;
  for (int round = 0; round < rounds; ++round) {
    hawser::seeded_random chance(static_cast<std::uint64_t>(round));
    hall h;
    struct question {
      int told = 0;
      int outcome = 0;
    };
    std::vector<question> questions(peers_of_one * asked_of_one);
    std::vector<std::unique_ptr<peer>> peers;
    for (int i = 0; i < peers_of_one; ++i) {
      auto link = h.net.link();
      link.latency = std::chrono::milliseconds(chance.uniform(2));
      h.net.set_link(link);
      peers.push_back(std::make_unique<peer>(h, upgrade(engine_path + "websocket")));
      peers.back()->send(text("40"));
      h.run(8ms);
    }
    REQUIRE(h.sockets.size() == peers_of_one);
    auto const first = h.sockets[0];
    struct act {
      std::size_t at, of;
      int what;  // an answer's number; -1 to -5: an end
    };
    std::vector<act> plan;
    for (std::size_t i = 0; i < peers_of_one; ++i) {
      for (int k = 0; k < asked_of_one; ++k) {
        ++asked;
        auto& mine = questions[i * asked_of_one + static_cast<std::size_t>(k)];
        auto const heard = [&mine, &chance, first](std::error_code error, int n) {
          ++mine.told;
          mine.outcome = !error ? 0 : error == errc::ack_timeout ? 1 : 2;
          if (!error) CHECK(n == 5);
          if (error && error != errc::ack_timeout) CHECK(error == errc::disconnected);
          if (chance.one_in(400)) (void)first.disconnect(true);
        };
        h.sockets[i]
            .timeout(std::chrono::milliseconds(3 + chance.uniform(6)))
            .emit_with_ack("q", k, heard);
        plan.push_back({chance.uniform(9), i, static_cast<int>(i) * asked_of_one + k});
      }
      if (chance.one_in(2))
        plan.push_back({chance.uniform(9), i, -1 - static_cast<int>(chance.uniform(5))});
    }
    for (std::size_t ms = 0; ms < 30; ++ms) {
      for (act const& one : plan) {
        if (one.at != ms) continue;
        auto const s = h.sockets[one.of];
        switch (one.what) {
          case -1: (void)s.disconnect(); break;
          case -2: (void)s.disconnect(true); break;
          case -3: peers[one.of]->send(text("41")); break;
          case -4: peers[one.of]->reset(); break;
          case -5: peers[one.of]->send(text("1")); break;
          default: peers[one.of]->send(text("43" + std::to_string(one.what) + "[5]"));
        }
      }
      h.run(1ms);
    }
    for (auto const& one : questions) {
      CHECK(one.told == 1);
      ++outcomes[static_cast<std::size_t>(one.outcome)];
    }
    CHECK(h.counters().ack_timeouts <= questions.size());
  }
  CHECK(asked == 10'000);
  for (int const n : outcomes) CHECK(n > 500);
}
