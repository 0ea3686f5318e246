// The lives of clients: destroyed, closed and connected from inside everything that they call, and
// thousands of lives by chance.
#include "sim/socketio_harness.hpp"

#include <algorithm>
#include <array>
#include <set>

using namespace sim;

namespace {

using io_client = hawser::basic_client<hawser::policies<>::with_transport<hawser::memory>>;
using raw_policies =
    plain::with_reconnect<hawser::exponential_backoff>::with_offline_queue<hawser::bounded_queue>;
using raw_client = hawser::basic_client<raw_policies>;
using hawser::client_socket;
using hawser::client_state;
using hawser::event_view;

// Calls a function when it is destroyed, wherever that happens.
struct at_end {
  explicit at_end(std::function<void()> then) : then_(std::move(then)) {}
  at_end(at_end&& other) noexcept : then_(std::exchange(other.then_, nullptr)) {}
  ~at_end() {
    if (then_) then_();
  }
  std::function<void()> then_;
};

// -- what has to happen exactly once --------------------------------------------------------------

// Completions given out, and what became of them.
struct ledger {
  int given = 0;
  int called = 0;
  int alive = 0;  // not destroyed yet
  int twice = 0;
  int aborted = 0;

  class ticket {
   public:
    ticket(ledger& in, std::function<void(std::error_code)> then)
        : state_(std::make_shared<state>(in, std::move(then))) {}
    void operator()(std::error_code error, auto const&...) const {
      auto const kept = state_;
      ledger& in = kept->in;
      in.twice += kept->called ? 1 : 0;
      in.called += kept->called ? 0 : 1;
      in.aborted += error == asio::error::operation_aborted ? 1 : 0;
      kept->called = true;
      if (kept->then) kept->then(error);
    }

   private:
    struct state {
      state(ledger& of, std::function<void(std::error_code)> call) : in(of), then(std::move(call)) {
        ++in.given;
        ++in.alive;
      }
      ~state() { --in.alive; }
      ledger& in;
      std::function<void(std::error_code)> then;
      bool called = false;
    };
    std::shared_ptr<state> state_;
  };

  ticket once(std::function<void(std::error_code)> then = {}) { return {*this, std::move(then)}; }
};

// -- one life of a Socket.IO client ---------------------------------------------------------------

enum class way { polling, websocket, upgrade };

constexpr std::string_view io_places[] = {"on_state",
                                          "on_open",
                                          "on_error",
                                          "on_close",
                                          "on_ping",
                                          "on_upgrade",
                                          "on_reconnect_attempt",
                                          "on_reconnect",
                                          "on_reconnect_error",
                                          "on_reconnect_failed",
                                          "on_connect",
                                          "on_connect_error",
                                          "on_disconnect",
                                          "on",
                                          "once",
                                          "on_any",
                                          "on_any_outgoing",
                                          "on_bad_event",
                                          "on_dropped",
                                          "auth",
                                          "ack",
                                          "ack timeout",
                                          "ack disconnected",
                                          "ack dropped",
                                          "ack refused",
                                          "chat on_connect",
                                          "chat on_disconnect",
                                          "async_connect",
                                          "async_connect failed",
                                          "async_connect of a namespace",
                                          "async_emit_with_ack",
                                          "async_receive",
                                          "async_close",
                                          "posted by remote",
                                          "drop of a handler",
                                          "drop of an ack"};

// Everything that happens to a client in one life; `at` is called at the place under test.
struct io_life : world {
  std::unique_ptr<hawser::basic_server<io_plain>> server;
  std::unique_ptr<io_client> c;
  client_socket chat, no;
  std::string_view where;
  way carrier;
  std::function<void()> at;
  int visit = 1;  // the how manieth visit of the place counts
  bool reached = false;
  bool gone = false;
  bool last = false;
  int after = 0;  // handlers that ran after the client had gone
  int connects = 0, disconnects = 0, opens = 0, closes = 0;
  int chat_connects = 0, chat_disconnects = 0;
  int acks = 0, acks_told = 0;
  ledger done;
  std::vector<hawser::ack<int>> unanswered;

  io_life(std::string_view place, way by) : where(place), carrier(by) {
    serve();
    auto numbers = options<io_client>();
    using hawser::eio::transport_kind;
    if (by == way::polling) numbers.engine.transports = {transport_kind::polling};
    if (by == way::websocket) numbers.engine.transports = {transport_kind::websocket};
    numbers.reconnect = {.first_delay = 100ms, .max_delay = 200ms, .jitter = 0, .attempts = 3};
    numbers.offline_queue = {.max_messages = 2, .overflow = hawser::overflow_rule::drop_oldest};
    numbers.sockets.max_acks = 6;
    numbers.sockets.ack_timeout = 1min;
    c = std::make_unique<io_client>(io, std::move(numbers));
    furnish();
  }

  void serve() {
    auto numbers = options<hawser::basic_server<io_plain>>();
    numbers.heartbeat = {.ping_interval = 5s, .ping_timeout = 3s};
    server = std::make_unique<hawser::basic_server<io_plain>>(io, std::move(numbers));
    auto const events = [this](auto& in) {
      in.on("ask", [](int n, hawser::ack<int> reply) { (void)reply(n); });
      in.on("mute",
            [this](int, hawser::ack<int> reply) { unanswered.push_back(std::move(reply)); });
      in.on("go", [](hawser::socket s) {
        (void)s.emit("do", 1);
        (void)s.emit("typed", "no number");
        (void)s.emit("free", "for whoever receives");
      });
    };
    events(*server);
    auto in_chat = server->of("/chat");
    events(in_chat);
    auto refused = server->of("/no");
    refused.authenticate([](hawser::handshake const&, hawser::decision d) { d.reject("not you"); });
    REQUIRE(!server->listen({.port = 80}));
  }

  void furnish() {
    c->on_state([this](client_state) { enter("on_state"); });
    c->on_open([this] { ++opens, enter("on_open"); });
    c->on_error([this](hawser::attempt_failure const&) { enter("on_error"); });
    c->on_close([this](disconnect_reason, std::error_code) { ++closes, enter("on_close"); });
    c->on_ping([this] { enter("on_ping"); });
    c->on_upgrade([this] { enter("on_upgrade"); });
    c->on_reconnect_attempt([this](std::uint32_t) { enter("on_reconnect_attempt"); });
    c->on_reconnect([this](std::uint32_t) { enter("on_reconnect"); });
    c->on_reconnect_error([this](hawser::attempt_failure const&) { enter("on_reconnect_error"); });
    c->on_reconnect_failed([this] { enter("on_reconnect_failed"); });
    c->on_connect([this](client_socket) { ++connects, enter("on_connect"); });
    c->on_connect_error([this](hawser::connect_failure const&) { enter("on_connect_error"); });
    c->on_disconnect([this](disconnect_reason) { ++disconnects, enter("on_disconnect"); });
    c->on("do", [this](client_socket s, int) {
      (void)s.emit("before");  // which may have been the end
      if (!gone) enter("on");
      (void)s.emit("behind");
    });
    c->once("do", [this](int) { enter("once"); });
    c->on("typed", [](int) {});
    c->on("keep", [drop = at_end([this] { enter("drop of a handler"); })] {});
    c->on_any([this](event_view const&) { enter("on_any"); });
    c->on_any_outgoing([this](event_view const&) { enter("on_any_outgoing"); });
    c->on_bad_event([this](std::string_view, std::error_code) { enter("on_bad_event"); });
    c->on_dropped([this](event_view const&, std::error_code) { enter("on_dropped"); });
    c->auth([this](hawser::auth_reply reply) {
      enter("auth");
      reply(json::object({{"token", 1}}));
    });
  }

  void enter(std::string_view here) {
    // What is no event handler: destructors, and operations that end because the client has gone.
    if (gone && !here.starts_with("drop") && !here.starts_with("async")) ++after;
    if (here != where || !at || --visit > 0) return;
    reached = true;
    std::exchange(at, {})();
  }

  template <class Call>
  void with_client(Call&& call) {
    if (c) call(*c);
  }
  auto once(std::string_view place, bool error_only = false) {
    return done.once([this, place, error_only](std::error_code error) {
      if (!error_only || error) enter(place);
    });
  }

  void ask(client_socket const& by, std::string_view what) {
    ++acks;
    by.timeout(what == "mute" ? 50ms : 1min)
        .emit_with_ack(
            what == "hang" ? "mute" : what, 1,
            [this, drop = at_end([this] { enter("drop of an ack"); })](std::error_code error, int) {
              ++acks_told;
              if (!error) enter("ack");
              if (error == errc::ack_timeout) enter("ack timeout");
              if (error == errc::disconnected) enter("ack disconnected");
              if (error == errc::offline_overflow) enter("ack dropped");
              if (error == errc::too_many_acks) enter("ack refused");
            });
  }

  void act() {
    // Nobody listens there.
    with_client(
        [&](auto& x) { x.async_connect("ws://x:81/", once("async_connect failed", true)); });
    run(5s);
    with_client([&](auto& x) { x.async_connect("ws://x/", once("async_connect")); });
    run(1s);
    with_client([&](auto& x) {
      chat = x.socket("/chat");
      chat.on_connect([this](client_socket) { ++chat_connects, enter("chat on_connect"); });
      chat.on_disconnect(
          [this](disconnect_reason) { ++chat_disconnects, enter("chat on_disconnect"); });
      chat.async_connect(once("async_connect of a namespace"));
    });
    with_client([&](auto& x) {
      no = x.socket("/no");
      no.on_connect_error([this](hawser::connect_failure const&) { enter("on_connect_error"); });
      no.async_connect(once("async_connect of a namespace"));
    });
    run(1s);
    with_client([&](auto& x) { x.async_receive(once("async_receive")); });
    with_client([&](auto& x) { x.async_receive(once("async_receive")); });
    with_client([&](auto& x) { (void)x.emit("go"); });
    run(100ms);
    with_client([&](auto& x) { x.off("keep"); });
    for (auto const what : {"ask", "mute", "hang"}) {
      with_client([&](auto& x) { ask(x.socket(), what); });
      with_client([&](auto&) { ask(chat, what); });
    }
    with_client([&](auto& x) {
      x.template async_emit_with_ack<int>("ask", 1, once("async_emit_with_ack"));
    });
    with_client([&](auto& x) {
      x.template async_emit_with_ack<int>("mute", 1, once("async_emit_with_ack"));
    });
    with_client([&](auto& x) {
      (void)x.remote().post([this] { enter("posted by remote"); });
      (void)x.remote().emit(x.socket(), "remote", 1);
    });
    run(200ms);
    for (int i = 0; i < 7; ++i) with_client([&](auto& x) { ask(x.socket(), "hang"); });
    run(12s);  // pings
    server.reset();
    run(50ms);
    for (int i = 0; i < 4; ++i) with_client([&](auto& x) { (void)x.emit("offline", i); });
    for (int i = 0; i < 3; ++i) with_client([&](auto&) { ask(chat, "ask"); });
    run(250ms);
    unanswered.clear();
    serve();
    run(8s);
    last = true;
    with_client([&](auto& x) { x.async_close(once("async_close")); });
    with_client([&](auto& x) { x.async_close(once("async_close")); });
    run(1min);
  }

  // Whatever was done: nothing is left, and everybody was told.
  void check() {
    CHECK(after == 0);
    CHECK(done.twice == 0);
    if (c) {
      c->close();
      run(1min);
      CHECK(c->state() == client_state::disconnected);
      CHECK(c->counters().objects == 0);
      CHECK(c->counters().opened == c->counters().closed);
      CHECK(opens == closes);
      CHECK(connects == disconnects);
      CHECK(chat_connects == chat_disconnects);
      CHECK(acks == acks_told);
      c.reset();
    }
    run(1s);
    CHECK(done.given == done.called);
    CHECK(done.alive == 0);
    server.reset();
    unanswered.clear();
    run(1s);
    CHECK(empty());
    for (auto const& one : {chat, no}) {
      CHECK(one.emit("x") == errc::not_open);
      CHECK(one.unreliable().emit("x") == errc::not_open);
      CHECK(one.connect() == errc::not_open);
      CHECK(one.disconnect() == errc::not_open);
      CHECK(!one.connected());
      CHECK(!one.active());
      CHECK(!one.recovered());
      CHECK(one.id().empty());
      CHECK(one.nsp().empty());
      CHECK(one.waiting().messages == 0);
      CHECK(!one.off("x"));
      one.on("x", [](int) {});
      one.on_connect([](client_socket) {});
      one.auth(json::object());
    }
  }

  bool is_reachable() const { return where != "on_upgrade" || carrier == way::upgrade; }
};

void live(std::function<void(io_life&)> const& act) {
  for (auto const place : io_places) {
    for (auto const by : {way::polling, way::websocket, way::upgrade}) {
      for (int visit = 1; visit < (place == "on_state" ? 6 : 3); ++visit) {
        io_life one(place, by);
        if (!one.is_reachable()) continue;
        INFO("place " << place << " carrier " << static_cast<int>(by) << " visit " << visit);
        one.visit = visit;
        one.at = [&] { act(one); };
        one.act();
        if (visit == 1) CHECK(one.reached);
        one.check();
      }
    }
  }
}

}  // namespace

TEST_CASE("sim: a Socket.IO client may be destroyed inside everything that it calls",
          "[sim][socketio][lifetime]") {
  live([](io_life& s) {
    s.c.reset();
    s.gone = true;
  });
}

TEST_CASE("sim: a Socket.IO client may be closed inside everything that it calls",
          "[sim][socketio][lifetime]") {
  live([](io_life& s) {
    if (!s.c) return;
    s.c->close();
    s.c->flush();
  });
}

TEST_CASE("sim: a Socket.IO client may be connected inside everything that it calls",
          "[sim][socketio][lifetime]") {
  bool const closes = GENERATE(false, true);
  live([closes](io_life& s) {
    if (!s.c) return;
    if (closes) s.c->close();
    s.c->async_connect("ws://x/", s.done.once());
    (void)s.c->connect("ws://x/");
    (void)s.c->socket("/new").connect();
  });
}

TEST_CASE("sim: a namespace may be left and joined inside everything that its client calls",
          "[sim][socketio][lifetime]") {
  bool const again = GENERATE(false, true);
  live([again](io_life& s) {
    if (!s.c) return;
    (void)s.c->disconnect();
    (void)s.chat.disconnect();
    (void)s.no.disconnect();
    if (!again) return;
    (void)s.c->socket().connect();
    s.c->socket().async_connect(s.done.once());
    (void)s.chat.connect();
  });
}

TEST_CASE("sim: everything that a client calls may emit, ask, receive and close",
          "[sim][socketio][lifetime]") {
  live([](io_life& s) {
    if (!s.c) return;
    for (int i = 0; i < 5; ++i) (void)s.c->emit("x", std::string(2000, 'x'));
    s.ask(s.c->socket(), "ask");
    s.ask(s.chat.anchored() ? s.chat : s.c->socket(), "mute");
    s.c->async_receive(s.done.once());
    s.c->flush();
    s.c->async_close(s.done.once());
    s.c->async_close(s.done.once());
  });
}

TEST_CASE("sim: everything that a client calls may replace all handlers, itself included",
          "[sim][socketio][lifetime]") {
  auto const life = std::make_shared<int>(0);
  live([life](io_life& s) {
    if (!s.c) return;
    auto const count = [life, keep = std::string(100, 'k')](auto const&...) { ++*life; };
    s.c->on_state(count);
    s.c->on_open([&s, life] { ++s.opens; });
    s.c->on_error(count);
    s.c->on_close([&s, life](disconnect_reason, std::error_code) { ++s.closes; });
    s.c->on_ping(count);
    s.c->on_upgrade(count);
    s.c->on_reconnect_attempt(count);
    s.c->on_reconnect(count);
    s.c->on_reconnect_error(count);
    s.c->on_reconnect_failed(count);
    s.c->on_connect([&s, life](client_socket) { ++s.connects; });
    s.c->on_connect_error(count);
    s.c->on_disconnect([&s, life](disconnect_reason) { ++s.disconnects; });
    s.c->off("do");
    s.c->on("do", [life](int) {});
    s.c->on_any([life](event_view const&) {});
    s.c->on_any_outgoing([life](event_view const&) {});
    s.c->on_bad_event(count);
    s.c->on_dropped(count);
    s.c->auth([life](hawser::auth_reply reply) { reply({}); });
  });
  CHECK(life.use_count() == 1);
}

TEST_CASE("sim: what everything that a client calls throws disturbs nobody",
          "[sim][socketio][lifetime]") {
  live([](io_life& s) {
    // A completion and a destructor are not the client's to fence.
    if (s.where.starts_with("async") || s.where.starts_with("drop")) return;
    throw 1;
  });
}

// -- one life of a raw client ---------------------------------------------------------------------

namespace {

constexpr std::string_view raw_places[] = {
    "on_state",    "on_error",           "on_reconnect_attempt", "on_reconnect",
    "on_open",     "on_reconnect_error", "on_reconnect_failed",  "on_message",
    "on_close",    "on_drain",           "on_dropped",           "async_connect",
    "async_close", "async_receive",      "posted by remote",     "drop of a handler"};

struct raw_life : world {
  std::unique_ptr<sim::server> server;
  std::unique_ptr<raw_client> c;
  std::vector<hawser::websocket> handles;
  std::string_view where;
  std::function<void()> at;
  int visit = 1;
  bool reached = false;
  bool gone = false;
  int after = 0;
  int opens = 0, closes = 0;
  ledger done;

  explicit raw_life(std::string_view place) : where(place) {
    net.set_link({.buffer = 2000});
    serve();
    auto numbers = options<raw_client>();
    numbers.reconnect = {.first_delay = 100ms, .max_delay = 200ms, .jitter = 0, .attempts = 3};
    numbers.offline_queue = {.max_messages = 2, .overflow = hawser::overflow_rule::drop_oldest};
    c = std::make_unique<raw_client>(io, std::move(numbers));
    c->on_state([this](client_state) { enter("on_state"); });
    c->on_error([this](hawser::attempt_failure const&) { enter("on_error"); });
    c->on_reconnect_attempt([this](std::uint32_t) { enter("on_reconnect_attempt"); });
    c->on_reconnect([this](std::uint32_t) { enter("on_reconnect"); });
    c->on_reconnect_error([this](hawser::attempt_failure const&) { enter("on_reconnect_error"); });
    c->on_reconnect_failed([this] { enter("on_reconnect_failed"); });
    c->on_open([this] {
      ++opens;
      handles.push_back(c->socket());
      enter("on_open");
    });
    c->on_close([this](hawser::close_event const&) { ++closes, enter("on_close"); });
    c->on_drain([this] { enter("on_drain"); });
    c->on_dropped([this](hawser::dropped_message const&) { enter("on_dropped"); });
    if (place != "async_receive") hear();
  }

  void hear() {
    c->on_message([this, drop = at_end([this] { enter("drop of a handler"); })](
                      hawser::message const&) { enter("on_message"); });
  }

  void serve() {
    server = std::make_unique<sim::server>(io, options<sim::server>());
    server->on_message(
        [](hawser::websocket s, hawser::message const& what) { (void)s.send(what); });
    REQUIRE(!server->listen({.port = 80}));
  }

  void enter(std::string_view here) {
    if (gone && !here.starts_with("drop") && !here.starts_with("async")) ++after;
    if (here != where || !at || --visit > 0) return;
    reached = true;
    std::exchange(at, {})();
  }
  template <class Call>
  void with_client(Call&& call) {
    if (c) call(*c);
  }
  auto once(std::string_view place) {
    return done.once([this, place](std::error_code) { enter(place); });
  }

  void act() {
    with_client([&](auto& x) { x.async_connect("ws://x:81/", once("async_connect")); });
    run(5s);
    with_client([&](auto& x) { x.async_connect("ws://x/", once("async_connect")); });
    run(1s);
    with_client([&](auto& x) { x.async_receive(once("async_receive")); });
    with_client([&](auto& x) { (void)x.send("a message"); });
    with_client([&](auto& x) {
      (void)x.remote().post([this] { enter("posted by remote"); });
      (void)x.remote().send(x.socket(), "from afar");
    });
    run(10ms);
    for (int i = 0; i < 20; ++i) with_client([&](auto& x) { (void)x.send(std::string(900, 'x')); });
    run(1s);
    if (where == "drop of a handler") with_client([&](auto&) { hear(); });
    with_client([&](auto& x) { x.async_receive(once("async_receive")); });
    server.reset();
    run(50ms);
    for (int i = 0; i < 4; ++i) with_client([&](auto& x) { (void)x.send("offline"); });
    run(250ms);
    serve();
    run(8s);
    with_client([&](auto& x) { x.async_close(once("async_close")); });
    with_client([&](auto& x) { x.async_close(once("async_close")); });
    run(1min);
  }

  void check() {
    CHECK(after == 0);
    CHECK(done.twice == 0);
    if (c) {
      (void)c->close();
      run(1min);
      CHECK(c->state() == client_state::disconnected);
      CHECK(c->counters().objects == 0);
      CHECK(c->counters().opened == c->counters().closed);
      CHECK(opens == closes);
      c.reset();
    }
    run(1s);
    CHECK(done.given == done.called);
    CHECK(done.alive == 0);
    server.reset();
    run(1s);
    CHECK(empty());
    for (auto const& one : handles) {
      CHECK(one.send("x") == errc::not_open);
      CHECK(one.close() == errc::not_open);
      CHECK(one.terminate() == errc::not_open);
      CHECK(!one.is_open());
      CHECK(one.data<int>() == nullptr);
    }
  }
};

void live_raw(std::function<void(raw_life&)> const& act) {
  for (auto const place : raw_places) {
    for (int visit = 1; visit < (place == "on_state" ? 8 : 3); ++visit) {
      INFO("place " << place << " visit " << visit);
      raw_life one(place);
      one.visit = visit;
      one.at = [&] { act(one); };
      one.act();
      if (visit == 1) CHECK(one.reached);
      one.check();
    }
  }
}

}  // namespace

TEST_CASE("sim: a raw client that reconnects may be destroyed inside everything that it calls",
          "[sim][lifetime]") {
  live_raw([](raw_life& s) {
    s.c.reset();
    s.gone = true;
  });
}

TEST_CASE("sim: everything that a raw client calls may close, terminate and connect it",
          "[sim][lifetime]") {
  int const how = GENERATE(0, 1, 2, 3, 4, 5, 6);
  INFO("how " << how);
  live_raw([how](raw_life& s) {
    if (!s.c) return;
    if (how == 0 || how == 3) (void)s.c->close();
    if (how == 1 || how == 4) (void)s.c->socket().terminate();
    if (how == 2) s.c->async_close(s.done.once());
    if (how >= 3 && how < 6) {
      s.c->async_connect("ws://x/", s.done.once());
      (void)s.c->connect("ws://x/");
    }
    if (how == 6) {
      for (int i = 0; i < 5; ++i) (void)s.c->send(std::string(900, 'x'));
      if (s.where != "on_message" && s.where == "async_receive") s.c->async_receive(s.done.once());
      s.c->flush();
      s.c->async_close(hawser::close_code::going_away, "bye", s.done.once());
      s.c->async_close(s.done.once());
    }
  });
}

TEST_CASE("sim: a raw client's poll may be where it is destroyed", "[sim][lifetime]") {
  world at;
  auto server = std::make_unique<sim::server>(at.io, at.options<sim::server>());
  REQUIRE(!server->listen({.port = 80}));
  auto c = std::make_unique<raw_client>(at.io, at.options<raw_client>());
  c->on_open([&] { c.reset(); });
  REQUIRE(!c->connect("ws://x/"));
  for (int i = 0; i < 100 && c; ++i) c->poll();
  CHECK(!c);
  server.reset();
  at.run(1s);
  CHECK(at.empty());
}

// -- the context first ----------------------------------------------------------------------------

namespace {

// A context and a network that may go before everything that lives on them.
struct short_world {
  std::unique_ptr<asio::io_context> io = std::make_unique<asio::io_context>(1);
  std::unique_ptr<hawser::memory_network> net = std::make_unique<hawser::memory_network>(*io);
  hawser::seeded_random random;

  explicit short_world(std::uint64_t seed = 7) : random(seed) {}
  template <class Endpoint>
  typename Endpoint::options options() {
    typename Endpoint::options made;
    made.transport.network = net.get();
    made.random = random.source();
    return made;
  }
  void run(hawser::duration time = 0ms) {
    if (net) net->run_for(time);
  }
};

}  // namespace

TEST_CASE("sim: the context may go before clients, whatever they are waiting for",
          "[sim][socketio][lifetime]") {
  for (int when = 0; when < 8; ++when) {
    for (int order = 0; order < 4; ++order) {
      for (auto const by : {way::polling, way::websocket, way::upgrade}) {
        INFO("when " << when << " order " << order << " carrier " << static_cast<int>(by));
        ledger done;
        short_world at;
        int told = 0;
        using server_type = hawser::basic_server<io_plain>;
        auto server = std::make_unique<server_type>(*at.io, at.options<server_type>());
        std::vector<hawser::ack<int>> kept;
        server->on("mute", [&](int, hawser::ack<int> reply) { kept.push_back(std::move(reply)); });
        REQUIRE(!server->listen({.port = 80}));
        auto numbers = at.options<io_client>();
        using hawser::eio::transport_kind;
        if (by == way::polling) numbers.engine.transports = {transport_kind::polling};
        if (by == way::websocket) numbers.engine.transports = {transport_kind::websocket};
        auto c = std::make_unique<io_client>(*at.io, std::move(numbers));
        auto r = std::make_unique<raw_client>(*at.io, at.options<raw_client>());
        c->on_close([&](disconnect_reason, std::error_code) { ++told; });
        c->on_disconnect([&](disconnect_reason) { ++told; });
        r->on_close([&](hawser::close_event const&) { ++told; });
        if (when == 0) at.net->silence(80);
        if (when == 1) at.net->set_link({.latency = 1s});
        if (when == 2) server.reset();
        c->async_connect("ws://x/", done.once());
        r->async_connect("ws://x/socket.io/?EIO=4&transport=websocket", done.once());
        auto const chat = c->socket("/chat");
        chat.async_connect(done.once());
        at.run(when == 1 ? 1500ms : 100ms);
        c->async_receive(done.once());
        r->async_receive(done.once());
        (void)c->emit("waits or leaves", 1);
        (void)r->send("waits or leaves");
        c->async_emit_with_ack<int>("mute", 1, done.once());
        c->emit_with_ack("mute", 1, [&](std::error_code, int) { ++told; });
        if (when == 3) at.run(1ms);
        if (when == 4) {
          at.net->last_connection().hold();
          c->async_close(done.once());
          r->async_close(done.once());
        }
        if (when == 5) {
          server.reset();
          at.run(10ms);
          told = 0;
        }
        if (when == 6) (void)c->disconnect();
        if (when == 7) (void)c->remote().emit(chat, "remote", 1);
        told = 0;
        auto const remote = c->remote();
        auto const raw_remote = r->remote();
        auto const handle = r->socket();
        int const called = done.called;
        if (order == 1) at.net.reset();
        if (order == 2) c.reset();
        if (order == 3) r.reset(), server.reset();
        at.io.reset();
        CHECK(done.called == called);  // as Asio does: what was pending is destroyed
        CHECK(told == 0);
        CHECK(chat.emit("x") == errc::not_open);
        CHECK(chat.connect() == errc::not_open);
        CHECK(handle.send("x") == errc::not_open);
        CHECK(remote.post([] {}) == errc::not_open);
        CHECK(raw_remote.post([] {}) == errc::not_open);
        if (c) {
          c->close();
          c->flush();
          CHECK(c->poll() == 0);
          CHECK(c->emit("x") == errc::not_open);
          CHECK(c->connect("ws://x/"));
          CHECK(!c->socket("/another").connected());
        }
        if (r) {
          CHECK(r->send("x"));
          CHECK(r->close());
          CHECK(r->connect("ws://x/"));
          r->flush();
        }
        kept.clear();
        c.reset();
        r.reset();
        server.reset();
        CHECK(done.called == called);
        CHECK(done.twice == 0);
        CHECK(done.alive == 0);
        CHECK(told == 0);
      }
    }
  }
}

// -- lives by chance ------------------------------------------------------------------------------

namespace {

struct dice {
  std::uint64_t state;
  std::uint64_t next() {
    state += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  unsigned below(unsigned limit) { return static_cast<unsigned>(next() % limit); }
};

// One life of a Socket.IO client in which anything may happen at any time, also from inside its
// handlers. What was wrong with it, or nothing.
class voyage {
 public:
  explicit voyage(std::uint64_t seed) : dice_{seed}, at_(seed) {
    if (dice_.below(3) == 0) at_.net->set_link({.latency = 5ms});
    if (dice_.below(4) == 0) at_.net->set_link({.buffer = 300, .max_read = 64});
    serve();
    launch();
  }

  std::string run() {
    unsigned const steps = 5 + dice_.below(25);
    for (unsigned i = 0; i < steps && at_.io; ++i) {
      step();
      if (depth_ != 0) return "depth";
      if (at_.io && c_ && connects_ - disconnects_ != (c_->connected() ? 1 : 0)) return "connects";
      if (at_.net && at_.net->stuck()) return "it spins";
    }
    switch (dice_.below(4)) {
      case 0: io_gone(); break;
      case 1: server_.reset(); break;
      case 2: destroy(); break;
      default: break;
    }
    if (at_.io && c_ && dice_.below(2) == 0) {
      quiet_ = true;  // a handler that connects would go on for ever
      c_->close();
      at_.run(2min);
      if (c_ && c_->state() != client_state::disconnected) return "it did not close";
      if (c_ && c_->counters().objects != 0) return "connections are left";
      if (c_ && connects_ != disconnects_) return "disconnects";
      if (c_ && !repeats_ && asked_ != told_) return "acks";
    }
    destroy();
    if (at_.io) at_.run(1s);
    if (at_.io && !context_went_ && done_.called != done_.given) return "completions";
    server_.reset();
    kept_.clear();
    if (at_.io && at_.net && dice_.below(2) == 0) {
      at_.run(2min);
      auto const& net = *at_.net;
      if (net.live_streams() + net.live_timers() + net.pending_waits() > 0) return "leftovers";
    }
    at_.net.reset();
    at_.io.reset();
    if (done_.alive != 0) return "completions leak";
    if (done_.twice != 0) return "completed twice";
    if (after_ != 0) return "a handler ran after its client";
    if (told_ > asked_) return "an ack came twice";
    return {};
  }

 private:
  void serve() {
    if (!at_.io || server_) return;
    using server_type = hawser::basic_server<io_plain>;
    auto numbers = at_.options<server_type>();
    numbers.heartbeat = {.ping_interval = 5s, .ping_timeout = 3s};
    numbers.recovery.enabled = dice_.below(2) == 0;
    server_ = std::make_unique<server_type>(*at_.io, std::move(numbers));
    server_->on("ask", [](int n, hawser::ack<int> reply) { (void)reply(n); });
    server_->on("mute", [this](int, hawser::ack<int> reply) { kept_.push_back(std::move(reply)); });
    server_->on("go", [](hawser::socket s, int n) { (void)s.emit("do", n); });
    server_->on("leave", [](hawser::socket s, bool close) { (void)s.disconnect(close); });
    (void)server_->listen({.port = 80});
  }

  void launch() {
    if (!at_.io) return;
    auto numbers = at_.options<io_client>();
    using hawser::eio::transport_kind;
    unsigned const by = dice_.below(4);
    if (by == 0) numbers.engine.transports = {transport_kind::polling};
    if (by == 1) numbers.engine.transports = {transport_kind::websocket};
    if (by == 2) numbers.engine.try_all = true;
    numbers.reconnect = {.first_delay = 50ms, .max_delay = 400ms};
    if (dice_.below(3) == 0) numbers.reconnect.attempts = 2;
    numbers.offline_queue.max_messages = 4;
    if (dice_.below(2) == 0) numbers.offline_queue.overflow = hawser::overflow_rule::drop_oldest;
    if (dice_.below(3) == 0) numbers.offline_queue.max_age = 300ms;
    repeats_ = dice_.below(3) == 0;
    if (repeats_) numbers.sockets.retries = 2;
    if (dice_.below(4) == 0) numbers.backpressure = {.max_bytes = 400, .max_messages = 4};
    numbers.sockets.ack_timeout = 2s;
    connects_ = disconnects_ = asked_ = told_ = 0;
    c_ = std::make_unique<io_client>(*at_.io, std::move(numbers));
    c_->on_state([this](client_state) { inside(); });
    c_->on_open([this] { inside(); });
    c_->on_error([this](hawser::attempt_failure const&) { inside(); });
    c_->on_close([this](disconnect_reason, std::error_code) { inside(); });
    c_->on_upgrade([this] { inside(); });
    c_->on_reconnect_attempt([this](std::uint32_t) { inside(); });
    c_->on_reconnect_failed([this] { inside(); });
    c_->on_connect([this](client_socket) { ++connects_, inside(); });
    c_->on_connect_error([this](hawser::connect_failure const&) { inside(); });
    c_->on_disconnect([this](disconnect_reason) { ++disconnects_, inside(); });
    c_->on("do", [this](int) { inside(); });
    c_->on_any_outgoing([this](event_view const&) { inside(); });
    c_->on_dropped([this](event_view const&, std::error_code) { inside(); });
    if (dice_.below(2) == 0) {
      c_->auth([this](hawser::auth_reply reply) {
        inside();
        if (dice_.below(4) > 0) reply(json::object({{"token", 1}}));
      });
    }
  }

  // A handler: sometimes it does something itself.
  void inside() {
    if (!c_) ++after_;
    if (quiet_ || depth_ >= 2 || dice_.below(6) != 0) return;
    ++depth_;
    verb();
    --depth_;
  }

  void destroy() {
    auto const gone = std::move(c_);
    chat_ = {};
  }
  void io_gone() {
    context_went_ = true;
    if (dice_.below(2) == 0) at_.net.reset();
    at_.io.reset();
  }
  auto once() {
    return done_.once([this](std::error_code) {
      if (c_) inside();
    });
  }

  void ask(client_socket const& by) {
    bool const main = by == c_->socket();
    if (main) ++asked_;
    by.timeout(dice_.below(2) == 0 ? 100ms : 0ms)
        .emit_with_ack(dice_.below(2) == 0 ? "ask" : "mute", 1,
                       [this, main, whose = c_.get()](std::error_code, int) {
                         if (!c_ || whose != c_.get()) return void(++after_);
                         if (main) ++told_;
                         inside();
                       });
  }

  // What a user does, also inside a handler.
  void verb() {
    if (!c_) return;
    switch (dice_.below(20)) {
      case 0:
      case 1: c_->async_connect("ws://x/", once()); break;
      case 2: (void)c_->connect(dice_.below(8) == 0 ? "ws://x:81/" : "ws://x/"); break;
      case 3:
      case 4: (void)c_->emit("go", 1); break;
      case 5: (void)c_->emit("large", std::string(dice_.below(1000), 'x')); break;
      case 6:
      case 7: ask(c_->socket()); break;
      case 8: c_->async_emit_with_ack<int>("ask", 1, once()); break;
      case 9: c_->async_receive(once()); break;
      case 10: c_->close(); break;
      case 11: c_->async_close(once()); break;
      case 12: (void)c_->disconnect(); break;
      case 13: (void)c_->socket().connect(); break;
      case 14: c_->socket().async_connect(once()); break;
      case 15: chat_ = c_->socket("/chat"); break;
      case 16: (void)(dice_.below(2) == 0 ? chat_.connect() : chat_.disconnect()); break;
      case 17: (void)c_->emit("leave", dice_.below(2) == 0); break;
      case 18: dice_.below(2) == 0 ? c_->flush() : void(c_->unreliable().emit("u")); break;
      default:
        if (dice_.below(3) == 0) destroy();
    }
  }

  void step() {
    switch (dice_.below(24)) {
      case 0: server_.reset(); break;
      case 1:
      case 2: serve(); break;
      case 3:
        if (at_.net->dialled() > 0) at_.net->last_connection().reset();
        break;
      case 4:
        if (at_.net->dialled() > 0) at_.net->last_connection().cut();
        break;
      case 5: at_.net->fail_at(1 + dice_.below(20), error_of(asio::error::connection_reset)); break;
      case 6:
      case 7:
      case 8: at_.run(std::chrono::milliseconds(dice_.below(100))); break;
      case 9: at_.run(std::chrono::milliseconds(dice_.below(12'000))); break;
      case 10: at_.net->stall(std::chrono::milliseconds(dice_.below(9'000))); break;
      case 11:
        if (dice_.below(8) == 0) return io_gone();
        break;
      case 12:
        if (!c_) launch();
        break;
      case 13:
        if (c_) (void)c_->remote().emit(c_->socket(), "go", 2);
        break;
      case 14:
        if (!kept_.empty()) {
          (void)kept_.back()(1);
          kept_.pop_back();
        }
        break;
      default: verb();
    }
    if (dice_.below(3) > 0) at_.run();
  }

  dice dice_;
  ledger done_;
  short_world at_;
  std::unique_ptr<hawser::basic_server<io_plain>> server_;
  std::unique_ptr<io_client> c_;
  client_socket chat_;
  std::vector<hawser::ack<int>> kept_;
  int connects_ = 0, disconnects_ = 0;
  int asked_ = 0, told_ = 0;
  int after_ = 0;
  int depth_ = 0;
  bool context_went_ = false;
  bool quiet_ = false;
  bool repeats_ = false;  // events wait until they are acknowledged
};

}  // namespace

TEST_CASE("sim: ten thousand lives of clients end well, whatever happens and in whatever order",
          "[sim][socketio][lifetime]") {
  constexpr std::uint64_t lives = 10'000;
  std::uint64_t well = 0;
  int shown = 0;
  for (std::uint64_t seed = 0; seed < lives; ++seed) {
    auto const wrong = voyage(seed).run();
    if (wrong.empty()) {
      ++well;
    } else if (++shown <= 5) {
      UNSCOPED_INFO("seed " << seed << ": " << wrong);
    }
  }
  CHECK(well == lives);
}
