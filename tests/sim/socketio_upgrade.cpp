#include "sim/socketio_harness.hpp"

#include <cstdio>
#include <unordered_set>

using namespace sim;

namespace {

// The order of what can be seen, as one number.
struct trace {
  std::uint64_t hash = 0xcbf29ce484222325u;
  std::string seen;  // for the message of a failure
  void add(char what) {
    hash = (hash ^ static_cast<unsigned char>(what)) * 0x100000001b3u;
    seen += what;
  }
};

// A client as engine.io-client is one: packets are written while nothing else is being posted; a
// probe is answered by a pause of polling, and what is under way is waited for before the `5`.
class following_client {
 public:
  following_client(world& at, trace& seen, hawser::seeded_random& chance)
      : at_(at), seen_(seen), chance_(chance) {
    open_ = dial();
    open_->get(engine_path + "polling");
  }

  int received = 0;  // events 0, 1, 2... of the server
  int answered = 0;  // acknowledgements
  int sent = 0;      // events 0, 1, 2... to the server
  int upgraded = 0;
  bool failed = false;
  bool connected = false;
  bool is_websocket() const { return upgraded > 0; }

  void emit() {
    std::string const number = std::to_string(sent);
    if (chance_.one_in(4)) {
      write_.push_back("451-" + number + "[\"c\"," + number +
                       ",{\"_placeholder\":true,\"num\":0}]");
      write_.push_back("b\x01\x02" + number);
    } else {
      write_.push_back("42" + number + "[\"c\"," + number + "]");
    }
    ++sent;
    flush();
  }

  void probe() {
    auto link = at_.net.link();
    vary(link);
    at_.net.set_link(link);
    probe_ = std::make_unique<peer>(at_, upgrade(engine_path + "websocket&sid=" + sid_));
    seen_.add('W');
  }

  bool is_open() const { return !sid_.empty(); }

  // Called after each handler that ran: reacts to what has come.
  void pump() {
    if (open_) {
      auto const one = open_->answer();
      if (!one) return;
      sid_ = sid_of(one->body);
      open_.reset();
      poll();
      write_.push_back("40");
      flush();
    }
    if (get_busy_) {
      if (auto const one = get_->answer()) {
        get_busy_ = false;
        seen_.add('g');
        failed |= one->status != 200;
        for (auto& packet : split_payload(one->body)) take(packet);
        if (!pausing_) {
          poll();
        } else {
          step_upgrade();
        }
      }
    }
    if (post_busy_) {
      if (auto const one = post_->answer()) {
        post_busy_ = false;
        seen_.add('p');
        failed |= one->status != 200;
        if (pausing_ && !is_websocket()) step_upgrade();
        flush();
      }
    }
    if (!probe_ || !probe_->is_open()) return;
    if (!probed_) {
      probed_ = true;
      probe_->send(text("2probe"));
      seen_.add('2');
    }
    for (auto& one : probe_->frames()) {
      if (one.opcode == 8) failed = true;
      if (one.opcode == 2) {
        take("b" + one.payload);
      } else if (one.payload == "3probe") {
        seen_.add('3');
        pausing_ = true;
        step_upgrade();
      } else {
        failed |= !is_websocket();
        take(one.payload);
      }
    }
  }

  std::string problem;

 private:
  std::unique_ptr<http_peer> dial() {
    auto link = at_.net.link();
    vary(link);
    at_.net.set_link(link);
    return std::make_unique<http_peer>(at_);
  }
  void vary(hawser::memory_link& link) {
    static constexpr std::size_t sizes[] = {17, 64, 300, 5000, 5000, 5000};
    link.latency = std::chrono::milliseconds(chance_.uniform(6));
    link.max_read = chance_.one_in(60) ? 1 : sizes[chance_.uniform(6)];
    link.max_write = chance_.one_in(60) ? 1 : sizes[chance_.uniform(6)];
  }

  void poll() {
    if (!get_ || chance_.one_in(4)) get_ = dial();
    get_->get(engine_path + "polling&sid=" + sid_);
    get_busy_ = true;
    seen_.add('G');
  }

  void flush() {
    if (write_.empty() || sid_.empty()) return;
    if (is_websocket()) {
      for (auto const& packet : write_) {
        probe_->send(packet[0] == 'b' ? wire(2, packet.substr(1)) : text(packet));
      }
      write_.clear();
      return;
    }
    if (post_busy_ || pausing_) return;
    if (!post_ || chance_.one_in(4)) post_ = dial();
    std::string body;
    for (auto const& packet : write_) {
      if (!body.empty()) body += '\x1e';
      body += packet[0] == 'b'
                  ? "b" + hawser::codec::base64_encode(hawser::as_bytes(packet.substr(1)))
                  : packet;
    }
    write_.clear();
    post_->post(engine_path + "polling&sid=" + sid_, body);
    post_busy_ = true;
    seen_.add('P');
  }

  void step_upgrade() {
    if (get_busy_ || post_busy_ || is_websocket()) return;
    probe_->send(text("5"));
    seen_.add('5');
    ++upgraded;
    flush();
  }

  void expect(std::string const& got, std::string const& wanted) {
    if (got == wanted) return;
    failed = true;
    problem += "got " + got + ", wanted " + wanted + "; ";
  }

  void take(std::string const& packet) {
    if (awaits_binary_) {
      awaits_binary_ = false;
      seen_.add('b');
      return expect(packet, "b" + std::to_string(received - 1));
    }
    if (packet == "6") return seen_.add('6');
    if (packet == "2") {
      seen_.add('h');
      write_.push_back("3");
      return flush();
    }
    if (packet.starts_with("40")) {
      connected = true;
      return seen_.add('0');
    }
    if (packet.starts_with("43")) {
      seen_.add('a');
      expect(packet, "43" + std::to_string(answered) + "[" + std::to_string(answered) + "]");
      ++answered;
      return;
    }
    seen_.add('s');
    std::string const number = std::to_string(received++);
    if (packet.starts_with("451-")) {
      awaits_binary_ = true;
      return expect(packet, "451-[\"s\"," + number + ",{\"_placeholder\":true,\"num\":0}]");
    }
    expect(packet, "42[\"s\"," + number + "]");
  }

  world& at_;
  trace& seen_;
  hawser::seeded_random& chance_;
  std::string sid_;
  std::unique_ptr<http_peer> open_, get_, post_;
  std::unique_ptr<peer> probe_;
  std::vector<std::string> write_;
  bool get_busy_ = false;
  bool post_busy_ = false;
  bool probed_ = false;
  bool pausing_ = false;
  bool awaits_binary_ = false;
};

// A server whose events are numbered, whatever sends them.
struct numbered : hall {
  trace* seen = nullptr;
  int sent = 0;
  int received = 0;
  bool in_order = true;
  hawser::socket to;

  numbered() : hall([](auto& numbers) { numbers.heartbeat.ping_interval = 9ms; }) {
    server->on_connect([this](hawser::socket s) {
      to = s;
      say(0);
    });
    server->on("c", [this](hawser::socket, int number, std::optional<hawser::bytes_view> bytes) {
      seen->add(bytes ? 'B' : 'c');
      in_order = in_order && number == received++;
      if (bytes) {
        in_order = in_order && hawser::as_text(*bytes) == "\x01\x02" + std::to_string(number);
      }
      if (number % 3 == 0) say(static_cast<std::uint64_t>(number));
      return number;
    });
  }
  void say(std::uint64_t how) {
    seen->add('S');
    switch (how % 4) {
      case 0: (void)to.emit("s", sent++); return;
      case 1: server->emit("s", sent++); return;
      case 2: server->to(to.id()).emit("s", sent++); return;
      default: break;
    }
    std::string const bytes = std::to_string(sent);
    (void)to.emit("s", sent++, hawser::as_bytes(bytes));
  }
};

}  // namespace

TEST_CASE("sim: no interleaving of an upgrade loses, doubles or reorders a packet",
          "[sim][socketio][upgrade]") {
  std::unordered_set<std::uint64_t> orders;
  constexpr std::uint64_t runs = 10'000;
  std::unique_ptr<numbered> h;
  for (std::uint64_t seed = 0; seed < runs; ++seed) {
    if (seed % 50 == 0) h = std::make_unique<numbered>();
    hawser::seeded_random chance(seed);
    trace seen;
    h->seen = &seen;
    h->sent = h->received = 0;
    h->to = {};
    following_client client(*h, seen, chance);
    h->net.run_until([&] { return client.pump(), client.is_open(); }, 10s);
    // Things to do in the course of 24 ms, while packets are under way in both directions.
    bool probes = false;
    for (int ms = 0; ms < 24; ms += static_cast<int>(1 + chance.uniform(4))) {
      auto const until = std::chrono::milliseconds(1 + chance.uniform(4));
      h->net.run_until([&] { return client.pump(), false; }, until);
      if (!probes && chance.one_in(3)) {
        probes = true;
        client.probe();
      }
      if (client.connected && chance.one_in(3)) client.emit();
      if (h->to && chance.one_in(3)) h->say(chance());
    }
    if (!probes) client.probe();
    auto const settled = [&] {
      client.pump();
      return client.is_websocket() && client.answered == client.sent &&
             client.received == h->sent && h->received == client.sent;
    };
    bool done = h->net.run_until(settled, 10s);
    // By WebSocket, afterwards.
    client.emit();
    h->say(seed);
    done = done && h->net.run_until(settled, 10s) && h->to.transport() == "websocket";
    if (!done || client.failed || !h->in_order) {
      INFO("seed " << seed << " order " << seen.seen << " problem " << client.problem);
      INFO("client got " << client.received << " of " << h->sent << ", server " << h->received
                         << " of " << client.sent);
      CHECK(done);
      CHECK(!client.failed);
      REQUIRE(h->in_order);
      break;
    }
    orders.insert(seen.hash);
    h->seen = &seen;
    (void)h->to.disconnect(true);
    h->run();
  }
  std::printf("upgrade: %zu distinct interleavings in %llu runs\n", orders.size(),
              static_cast<unsigned long long>(runs));
  CHECK(orders.size() >= 500);
}

namespace {

// A polling session with a socket, about to be upgraded.
struct upgrading : hall {
  std::vector<int> got;
  std::optional<polling_peer> client;

  explicit upgrading(std::function<void(options_type&)> const& change = {}) : hall(change) {
    server->on("c", [this](int number) {
      got.push_back(number);
      return number;
    });
    server->on("bytes",
               [this](hawser::bytes_view bytes) { got.push_back(static_cast<int>(bytes.size())); });
    client.emplace(*this);
    auto const joined = client->join();
    REQUIRE(sockets.size() == 1);
    REQUIRE(has(joined, "40{\"sid\":\"" + std::string(sockets[0].id()) + "\"}"));
  }
  // Both directions work by polling.
  void check_polling() {
    got.clear();
    CHECK(client->post("42[\"c\",1]") == 200);
    CHECK(got == std::vector<int>{1});
    (void)sockets[0].emit("still", 1);
    CHECK(has(client->packets(), "42[\"still\",1]"));
    CHECK(sockets[0].transport() == "polling");
    CHECK(reasons.empty());
  }
  void finish_upgrade(io_peer& ws) {
    ws.say("2probe");
    CHECK(ws.packets() == strings{"3probe"});
    ws.say("5");
    CHECK(sockets[0].transport() == "websocket");
    (void)sockets[0].emit("now", 2);
    run();
    CHECK(ws.packets() == strings{"42[\"now\",2]"});
  }
};

}  // namespace

TEST_CASE("sim: what is no probe ends the WebSocket, and polling goes on",
          "[sim][socketio][upgrade]") {
  for (auto const* const said : {"5", "2", "2other", "42[\"c\",9]", "6", "1", "3probe", "9", ""}) {
    INFO("said " << said);
    upgrading h;
    io_peer ws(h, h.client->sid);
    REQUIRE(ws.is_open());
    ws.say(said);
    CHECK(ws.packets() == strings{"close 1000"});
    h.check_polling();
    io_peer again(h, h.client->sid);
    h.finish_upgrade(again);
  }
  upgrading h;
  io_peer ws(h, h.client->sid);
  ws.say_binary("2probe");
  CHECK(ws.packets() == strings{"close 1000"});
  h.check_polling();
}

TEST_CASE("sim: a second probe ends the WebSocket", "[sim][socketio][upgrade]") {
  upgrading h;
  io_peer ws(h, h.client->sid);
  ws.say("2probe");
  ws.say("2probe");
  CHECK(ws.packets() == strings{"3probe", "close 1000"});
  ws.say("5");
  h.check_polling();
}

TEST_CASE("sim: a probe that sends anything but the upgrade is let go",
          "[sim][socketio][upgrade]") {
  for (auto const* const said : {"42[\"c\",9]", "3", "2", "1", "6"}) {
    upgrading h;
    io_peer ws(h, h.client->sid);
    ws.say("2probe");
    ws.say(said);
    CHECK(ws.packets() == strings{"3probe", "close 1000"});
    CHECK(h.got.empty());
    h.check_polling();
  }
}

TEST_CASE("sim: one WebSocket at a time may want a session", "[sim][socketio][upgrade]") {
  upgrading h;
  int refused = 0;
  h.server->on_connection_error([&](hawser::connection_error const& error) {
    ++refused;
    CHECK(error.code ==
          (refused < 3 ? hawser::eio::refusal::bad_request : hawser::eio::refusal::sid_unknown));
  });
  io_peer first(h, h.client->sid), second(h, h.client->sid);
  CHECK(first.is_open());
  CHECK(second.status() == 400);
  CHECK(second.is_over());
  h.finish_upgrade(first);
  io_peer third(h, h.client->sid);
  CHECK(third.status() == 400);
  CHECK(refused == 2);
  first.say("42[\"c\",3]");
  CHECK(h.got == std::vector<int>{3});
  io_peer nobody(h, std::string(24, 'x'));
  CHECK(nobody.status() == 400);
}

TEST_CASE("sim: a probe that never finishes is dropped after upgrade_timeout",
          "[sim][socketio][upgrade]") {
  for (bool const answered : {false, true}) {
    upgrading h;
    io_peer ws(h, h.client->sid);
    if (answered) {
      ws.say("2probe");
      CHECK(ws.packets() == strings{"3probe"});
    }
    h.run(9900ms);
    CHECK(ws.packets().empty());
    h.check_polling();
    h.run(200ms);
    CHECK(ws.packets() == strings{"close 1000"});
    h.check_polling();
    io_peer again(h, h.client->sid);
    h.finish_upgrade(again);
    h.run(11s);  // nothing of the first probe's is left
    CHECK(h.sockets[0].transport() == "websocket");
  }
}

TEST_CASE("sim: polling after the upgrade is refused", "[sim][socketio][upgrade]") {
  upgrading h;
  io_peer ws(h, h.client->sid);
  h.finish_upgrade(ws);
  h.client->poll();
  CHECK(h.client->polled() == 400);
  CHECK(h.client->body == "{\"code\":3,\"message\":\"Bad request\"}");
  CHECK(h.client->post("42[\"c\",9]") == 400);
  CHECK(h.got.empty());
  ws.say("42[\"c\",4]");
  CHECK(h.got == std::vector<int>{4});
  CHECK(h.reasons.empty());
}

TEST_CASE("sim: a WebSocket that dies while probing leaves polling as it was",
          "[sim][socketio][upgrade]") {
  for (int stage = 0; stage < 3; ++stage) {
    for (int how = 0; how < 4; ++how) {
      INFO("stage " << stage << " how " << how);
      upgrading h;
      {
        io_peer ws(h, h.client->sid);
        if (stage > 0) ws.say("2probe");
        if (stage > 1) {
          h.client->poll();  // answered 100 ms later
          h.run(150ms);
          CHECK(h.client->polled() == 200);
          CHECK(h.client->body == "6");
        }
        if (how == 0) ws.reset();
        if (how == 1) ws.shutdown();
        if (how == 2) ws.send(goodbye());
        if (how == 3) ws.send(wire(3, "no such opcode"));
        h.run(10ms);
        h.check_polling();
      }
      h.run(10ms);
      io_peer again(h, h.client->sid);
      h.finish_upgrade(again);
    }
  }
}

TEST_CASE("sim: a packet may be begun by polling and finished by WebSocket",
          "[sim][socketio][upgrade]") {
  upgrading h;
  CHECK(h.client->post("452-[\"bytes\",{\"_placeholder\":true,\"num\":0},"
                       "{\"_placeholder\":true,\"num\":1}]\x1e"
                       "bAQID") == 200);
  io_peer ws(h, h.client->sid);
  ws.say("2probe");
  ws.say("5");
  ws.say_binary("4 by");
  CHECK(h.got == std::vector<int>{3});
  ws.say("42[\"c\",8]");
  CHECK(h.got == std::vector<int>{3, 8});
}

TEST_CASE("sim: what was queued by polling leaves by WebSocket, in order and whole",
          "[sim][socketio][upgrade]") {
  upgrading h;
  std::string const bytes(1000, '\xff');
  io_peer ws(h, h.client->sid);
  ws.say("2probe");
  (void)h.sockets[0].emit("a", 1);
  (void)h.sockets[0].emit("b", hawser::as_bytes(bytes), hawser::as_bytes(bytes));
  h.server->emit("c", 3);
  ws.say("5");
  (void)h.sockets[0].emit("d", 4);
  h.run();
  CHECK(ws.packets() ==
        strings{"3probe", "42[\"a\",1]",
                "452-[\"b\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]",
                "b" + bytes, "b" + bytes, "42[\"c\",3]", "42[\"d\",4]"});
}

TEST_CASE("sim: a client that upgrades without waiting loses its poll and post, no more",
          "[sim][socketio][upgrade]") {
  upgrading h;
  io_peer ws(h, h.client->sid);
  ws.say("2probe");
  h.client->poll();
  h.client->posts().send("POST " + h.client->target() +
                         " HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n42[\"");
  h.run();
  ws.say("5");
  CHECK(h.client->polled() == 200);
  CHECK(h.client->body == "6");
  h.client->posts().send("c\",1]");
  h.run();
  auto const late = h.client->posts().answer();
  REQUIRE(late);
  CHECK(late->status == 400);
  CHECK(h.got.empty());
  ws.say("42[\"c\",2]");
  CHECK(h.got == std::vector<int>{2});
  CHECK(h.reasons.empty());
}

TEST_CASE("sim: a session that ends while it is probed takes the probe along",
          "[sim][socketio][upgrade]") {
  for (int how = 0; how < 5; ++how) {
    INFO("how " << how);
    upgrading h;
    io_peer ws(h, h.client->sid);
    ws.say("2probe");
    CHECK(ws.packets() == strings{"3probe"});
    if (how == 0) CHECK(!h.sockets[0].disconnect(true));
    if (how == 1) CHECK(!h.sockets[0].close_connection());
    if (how == 2) CHECK(h.client->post("1") == 200);
    if (how == 3) CHECK(h.client->post("47") == 200);
    if (how == 4) h.server->stop();
    h.run();
    CHECK(has(ws.packets(), "close 1000"));
    CHECK(h.reasons.size() == 1);
    ws.say("5");
    ws.say("42[\"c\",2]");
    CHECK(h.got.empty());
    h.run(1min);
    CHECK(h.counters().opened == h.counters().closed);
    CHECK(h.counters().objects == 0);
  }
}

TEST_CASE("sim: upgrades that are not allowed are refused", "[sim][socketio][upgrade]") {
  hall h([](auto& numbers) { numbers.engine.allow_upgrades = false; });
  polling_peer client(h);
  CHECK(client.body.find("\"upgrades\":[]") != std::string::npos);
  io_peer ws(h, client.sid);
  CHECK(ws.status() == 400);
  client.join();
  CHECK(h.connects == 1);
}
