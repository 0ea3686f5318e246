// Whole Socket.IO clients opposite a whole server.
#include "sim/socketio_harness.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>

using namespace sim;
using hawser::client_socket;
using hawser::client_state;

namespace {

enum class way { polling, websocket, upgrade };

std::function<void(guest::options_type&)> by(way which) {
  return [which](guest::options_type& numbers) {
    if (which == way::polling) only(numbers, by_polling);
    if (which == way::websocket) only(numbers, by_websocket);
  };
}

// A server with something to say, and a client of it.
struct pair : hall {
  strings events;
  guest g;

  explicit pair(way which, std::function<void(guest::options_type&)> const& change = {},
                std::function<void(options_type&)> const& of_server = {}, bool watches = true)
      : hall(of_server),
        g(
            *this,
            [&](auto& numbers) {
              by(which)(numbers);
              if (change) change(numbers);
            },
            watches) {
    listen(*server);
  }
  template <class Nsp>
  void listen(Nsp& in) {
    in.on_any([this](hawser::socket, hawser::event_view const& what) {
      events.emplace_back(what.name());
    });
    in.on("double", [](int n) { return 2 * n; });
    in.on("silence", [](hawser::ack<int> never) { (void)never; });
  }
  void open() {
    g.connect();
    run(1s);
    REQUIRE(g->connected());
    g.log.clear();
  }
  void cut() {
    for (auto& one : net.connections()) one.reset();
    run();
  }
  void keep_silent() {
    for (auto& one : net.connections()) one.cut();
  }
  hawser::socket& server_side() { return sockets.back(); }
  bool comes_back(hawser::duration within = 1min) {
    return net.run_until([&] { return g->connected(); }, within);
  }
};

}  // namespace

// -- transports ----------------------------------------------------------------------------------

TEST_CASE("sim: client and server talk by polling, by WebSocket, and across the upgrade",
          "[sim][client][socketio]") {
  way const which = GENERATE(way::polling, way::websocket, way::upgrade);
  bool const slow = GENERATE(false, true);
  pair p(which);
  if (slow) p.net.set_link({.latency = 30ms, .bandwidth = 200'000, .max_read = 100});
  std::vector<int> up, down;
  std::string last_binary;
  p.server->on("n", [&](int n) { up.push_back(n); });
  p.server->on("binary", [&](int, std::string name, hawser::json rest) {
    return hawser::json::array({std::move(rest), name});
  });
  p.g->on("n", [&](int n) { down.push_back(n); });
  p.g->on("sum", [](int a, int b) { return a + b; });
  p.g.connect();
  int sent = 0;
  // All the while the upgrade takes place both sides talk.
  for (; sent < 400; ++sent) {
    REQUIRE(!p.g->emit("n", sent));
    if (!p.sockets.empty()) {
      REQUIRE(!p.server_side().emit("n", static_cast<int>(sent)));
    } else {
      down.push_back(sent);  // it is not there yet
    }
    p.run(5ms);
  }
  p.run(5s);
  REQUIRE(up.size() == 400);
  REQUIRE(down.size() == 400);
  for (int i = 0; i < sent; ++i) {
    REQUIRE(up[static_cast<std::size_t>(i)] == i);
    REQUIRE(down[static_cast<std::size_t>(i)] == i);
  }
  CHECK(p.g->transport() == (which == way::polling ? "polling" : "websocket"));
  CHECK(p.server_side().transport() == p.g->transport());
  CHECK(count(p.g.log, "upgrade") == (which == way::upgrade ? 1 : 0));
  int asked = 0;
  p.g->emit_with_ack("double", 21, [&](std::error_code error, int twice) {
    CHECK(!error);
    CHECK(twice == 42);
    ++asked;
  });
  p.server_side().emit_with_ack("sum", 1, 2, [&](std::error_code error, int sum) {
    CHECK(!error);
    CHECK(sum == 3);
    ++asked;
  });
  p.run(5s);
  CHECK(asked == 2);
  p.run(10min);  // many heartbeats
  CHECK(p.g->connected());
  CHECK(!has(p.g.log, "reconnecting"));
  p.g->close();
  p.run(5s);
  CHECK(p.reasons == strings{"client namespace disconnect"});
  CHECK(p.g->counters().objects == 0);
  CHECK(p.counters().objects == 0);
  CHECK(p.counters().violations == 0);
}

TEST_CASE("sim: attachments travel both ways by every transport", "[sim][client][socketio]") {
  way const which = GENERATE(way::polling, way::websocket, way::upgrade);
  pair p(which);
  std::vector<std::byte> big(100'000);
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<std::byte>(i * 7);
  int came = 0;
  p.server->on("two", [&](std::vector<std::byte> a, int between, std::vector<std::byte> b) {
    CHECK(a == big);
    CHECK(between == 1);
    CHECK(b.empty());
    ++came;
    return a;
  });
  p.g->on("back", [&](std::vector<std::byte> a) {
    CHECK(a == big);
    ++came;
  });
  p.g.connect();
  p.g->emit_with_ack("two", big, 1, std::vector<std::byte>(),
                     [&](std::error_code error, std::vector<std::byte> a) {
                       CHECK(!error);
                       CHECK(a == big);
                       ++came;
                     });
  p.run(5s);
  CHECK(!p.server_side().emit("back", big));
  p.run(5s);
  CHECK(came == 3);
  CHECK(!p.g.connected.at(0));
}

TEST_CASE("sim: an upgrade that fails leaves polling as it is", "[sim][client][socketio]") {
  int const how = GENERATE(0, 1, 2, 3, 4);
  pair p(way::upgrade);
  p.net.set_link({.latency = 10ms});
  int opened = 0;
  std::uint64_t probe = ~std::uint64_t{0};
  p.g->on_open([&] {
    ++opened;
    // The connection that is dialled next is the probe.
    probe = p.net.dialled();
    if (how == 0) {  // it can't be made
      p.net.on_operation([failed = false](hawser::memory_call const& call) mutable {
        bool const it = call.what == hawser::memory_operation::connect && !failed;
        failed = failed || it;
        return it ? error_of(asio::error::connection_refused) : std::error_code{};
      });
    }
  });
  std::vector<int> got;
  p.server->on("n", [&](int n) { got.push_back(n); });
  p.g.connect();
  REQUIRE(p.net.run_until([&] { return opened == 1; }, 1s));
  int sent = 0;
  bool done = false;
  for (; sent < 300; ++sent) {
    CHECK(!p.g->emit("n", sent));
    p.run(50ms);
    auto one = p.net.connection(probe);
    if (done || how == 0 || !one.exists()) continue;
    if (how == 1) one.reset();  // sooner or later
    if (how == 2) one.cut();    // never answered, never refused
    if (how == 3) one.hold();
    if (how == 4 && one.unread(hawser::memory_end::dialler) == 0) one.reset();
    done = true;
  }
  p.run(20s);
  REQUIRE(got.size() == 300);
  for (int i = 0; i < sent; ++i) REQUIRE(got[static_cast<std::size_t>(i)] == i);
  CHECK(p.g->connected());
  CHECK(p.connects == 1);
  CHECK(!has(p.g.log, "reconnecting"));
  CHECK(!has(p.g.log, "error"));
  if (how < 4) CHECK(p.g->transport() == (has(p.g.log, "upgrade") ? "websocket" : "polling"));
  if (how == 0 || how == 2 || how == 3) CHECK(p.g->transport() == "polling");
  int asked = 0;
  p.g->emit_with_ack("double", 4, [&](std::error_code error, int n) { asked += !error && n == 8; });
  p.run(1s);
  CHECK(asked == 1);
  p.run(10min);
  CHECK(p.g->connected());
  CHECK(p.connects == 1);
}

TEST_CASE("sim: an upgrade that is cut at any byte loses nothing, or the session",
          "[sim][client][socketio]") {
  // After the probe's n-th operation its connection is reset: the session goes on by polling, or it
  // had switched, and then the client comes back and recovers.
  int kept = 0;
  for (std::uint64_t nth = 1; nth < 200; ++nth) {
    INFO(nth);
    pair p(way::upgrade, {}, [](auto& numbers) { numbers.recovery.enabled = true; });
    std::uint64_t probe = 0;
    p.g->on_open([&] {
      if (probe == 0) probe = p.net.dialled();
    });
    std::uint64_t seen = 0;
    p.net.on_operation([&](hawser::memory_call const& call) {
      if (probe == 0 || call.connection != probe || ++seen != nth) return std::error_code{};
      return error_of(asio::error::connection_reset);
    });
    std::vector<int> down;
    p.g->on("n", [&](int n) { down.push_back(n); });
    p.g.connect();
    int sent = 0;
    for (int i = 0; i < 20; ++i) {
      p.run(20ms);
      if (!p.sockets.empty()) (void)p.server->emit("n", sent++);
    }
    p.run(20s);
    CHECK(p.g->connected());
    CHECK(count(p.g.log, "connect") == 1);  // never as somebody new
    REQUIRE(down.size() == static_cast<std::size_t>(sent));
    for (int i = 0; i < sent; ++i) REQUIRE(down[static_cast<std::size_t>(i)] == i);
    kept += !has(p.g.log, "reconnecting");
    if (seen < nth) break;
  }
  CHECK(kept > 5);
}

// -- namespaces and auth -------------------------------------------------------------------------

TEST_CASE("sim: namespaces share a connection, and come and go by themselves",
          "[sim][client][socketio]") {
  way const which = GENERATE(way::polling, way::websocket, way::upgrade);
  pair p(which, {}, {}, false);
  auto news = p.server->of("/news");
  auto chat_server = p.server->of("chat");
  p.watch(news);
  p.watch(chat_server);
  p.listen(chat_server);
  auto chat = p.g->socket("chat");
  CHECK(chat.nsp() == "/chat");
  CHECK(chat == p.g->socket("/chat"));
  p.g.watch(chat, "/chat");
  p.g.connect();
  p.run(1s);
  REQUIRE(chat.connected());
  CHECK(!p.g->connected());  // nobody has named "/"
  CHECK(p.connects == 1);
  CHECK(!p.g.connected.at(0));
  // Another one by the same connection.
  auto const before = p.net.dialled();
  auto more = p.g->socket("/news");
  p.g.watch(more, "/news");
  p.run(1s);
  CHECK(more.connected());
  CHECK(p.net.dialled() == before);
  CHECK(more.id() != chat.id());
  // One is left, and connected again.
  p.g.log.clear();
  CHECK(!chat.disconnect());
  CHECK(chat.disconnect() == errc::not_open);
  p.run(1s);
  CHECK(p.g.told() == strings{"/chat disconnect io client disconnect"});
  CHECK(p.reasons == strings{"client namespace disconnect"});
  CHECK(!chat.active());
  CHECK(more.active());
  CHECK(!chat.emit("waits"));
  p.run(10s);
  CHECK(p.events.empty());
  std::vector<std::error_code> joined;
  chat.async_connect([&](std::error_code error) { joined.push_back(error); });
  p.run(1s);
  CHECK(joined == std::vector{std::error_code{}});
  CHECK(p.g.told() == strings{"/chat connect"});
  CHECK(p.events == strings{"waits"});
  // The server shows one out; the other one stays.
  CHECK(!p.sockets.back().disconnect());
  p.run(1s);
  CHECK(p.g.told() == strings{"/chat disconnect io server disconnect"});
  CHECK(more.connected());
  p.cut();
  REQUIRE(p.net.run_until([&] { return more.connected(); }, 1min));
  CHECK(!chat.connected());  // it wasn't to come back
  // With the last one the connection goes.
  CHECK(!more.disconnect());
  p.run(10s);
  CHECK(p.g->state() == client_state::disconnected);
  CHECK(p.server->size() == 0);
  CHECK(p.counters().violations == 0);
  p.run(1h);
  CHECK(p.g->state() == client_state::disconnected);
}

TEST_CASE("sim: the server's disconnect of the last namespace closes the connection for good",
          "[sim][client][socketio]") {
  way const which = GENERATE(way::polling, way::websocket, way::upgrade);
  bool const all = GENERATE(false, true);
  pair p(which);
  p.open();
  std::vector<std::error_code> received;
  p.g->async_receive(
      [&](std::error_code error, hawser::received_event) { received.push_back(error); });
  CHECK(!p.server_side().disconnect(all));
  p.run(10s);
  CHECK(p.g.log.front() == "disconnect io server disconnect");
  CHECK(received == std::vector{error_of(errc::disconnected)});
  CHECK(p.server->size() == 0);
  CHECK(p.g->counters().objects == 0);
  if (!all) {
    CHECK(p.g->state() == client_state::disconnected);
    p.run(1h);
    CHECK(p.connects == 1);
    // The user wants it back.
    CHECK(!p.g->connect());
    CHECK(p.comes_back());
  }
}

TEST_CASE("sim: auth is asked for at every connection, and may be answered late",
          "[sim][client][socketio]") {
  pair p(way::websocket);
  strings seen;
  p.server->authenticate([&](hawser::handshake const& who, hawser::decision d) {
    seen.emplace_back(who.auth()["token"].string().value_or("none"));
    d.accept();
  });
  int asked = 0;
  std::vector<hawser::auth_reply> waiting;
  p.g->auth([&](hawser::auth_reply reply) {
    ++asked;
    waiting.push_back(std::move(reply));
  });
  p.g.connect();
  p.run(5s);
  CHECK(asked == 1);
  CHECK(!p.g->connected());
  CHECK(p.g.connected.empty());
  waiting[0](json::object({{"token", "late"}}));
  waiting[0](json::object({{"token", "twice"}}));  // only the first counts
  p.run();
  CHECK(p.g->connected());
  CHECK(seen == strings{"late"});
  p.cut();
  waiting[0](json::object({{"token", "too late"}}));
  REQUIRE(p.net.run_until([&] { return asked == 2; }, 1min));
  waiting[0](json::object({{"token", "of another connection"}}));
  p.run();
  CHECK(!p.g->connected());
  waiting[1](json::object({{"token", "second"}}));
  p.run();
  CHECK(p.g->connected());
  CHECK(seen == strings{"late", "second"});
  // A value instead of a function.
  p.g->auth(json::object({{"token", "fixed"}}));
  p.cut();
  REQUIRE(p.comes_back());
  CHECK(seen.back() == "fixed");
  CHECK(asked == 2);
  // A namespace that is named while there is a connection has time to say what it carries.
  auto chat_server = p.server->of("/chat");
  chat_server.authenticate([&](hawser::handshake const& who, hawser::decision d) {
    seen.emplace_back(who.auth()["token"].string().value_or("none"));
    d.accept();
  });
  auto chat = p.g->socket("/chat");
  chat.auth(json::object({{"token", "of chat"}}));
  p.run(1s);
  CHECK(chat.connected());
  CHECK(seen.back() == "of chat");
}

TEST_CASE("sim: auth that is never answered ends at connect_timeout, and hinders no other one",
          "[sim][client][socketio]") {
  pair p(way::websocket, [](auto& numbers) { numbers.sockets.connect_timeout = 5s; });
  p.server->of("/chat");
  auto chat = p.g->socket("/chat");
  std::vector<hawser::auth_reply> kept;
  chat.auth([&](hawser::auth_reply reply) { kept.push_back(std::move(reply)); });
  p.g.watch(chat, "/chat");
  p.g.connect();
  p.run(4900ms);
  CHECK(p.g->connected());
  CHECK(p.g.connected.empty());
  p.run(200ms);
  CHECK(p.g.connected == std::vector{error_of(errc::handshake_timeout)});
  CHECK(count(p.g.log, "/chat connect error") == 1);
  CHECK(!chat.active());
  kept.at(0)(json::object());  // too late
  p.run(1min);
  CHECK(!chat.connected());
  CHECK(p.g->connected());
  // Left while it is asked: nothing is said about it.
  CHECK(!chat.connect());
  p.run(1s);
  CHECK(kept.size() == 2);
  CHECK(!chat.disconnect());
  kept.at(1)(json::object());
  p.run(1min);
  CHECK(p.g->connected());
  CHECK(!chat.connected());
  CHECK(p.counters().violations == 0);
}

TEST_CASE("sim: a namespace that is left before the server let it in is left there, too",
          "[sim][client][socketio]") {
  pair p(way::websocket);
  auto slow = p.server->of("/slow");
  std::vector<hawser::decision> pending;
  slow.use([&](hawser::socket, hawser::decision d) { pending.push_back(std::move(d)); });
  int came = 0;
  int went = 0;
  slow.on_connect([&](hawser::socket) { ++came; });
  slow.on_disconnect([&](hawser::socket, disconnect_reason) { ++went; });
  p.open();
  auto in = p.g->socket("/slow");
  p.run(1s);
  REQUIRE(pending.size() == 1);
  CHECK(!in.disconnect());
  p.run(1s);
  pending[0].accept();
  p.run(1s);
  CHECK(came == 1);
  CHECK(went == 1);
  CHECK(!in.connected());
  CHECK(p.g->connected());
  CHECK(p.counters().violations == 0);
}

TEST_CASE("sim: connect_error carries what the server said, and isn't tried again",
          "[sim][client][socketio]") {
  way const which = GENERATE(way::polling, way::websocket, way::upgrade);
  pair p(which, {}, {}, false);
  bool yes = false;
  p.server->authenticate([&](hawser::handshake const&, hawser::decision d) {
    yes ? d.accept() : d.reject("who are you?");
  });
  std::string message;
  bool active = true;
  int errors = 0;
  p.g->on_connect_error([&](hawser::connect_failure const& why) {
    ++errors;
    CHECK(why.error == errc::connect_refused);
    message = why.message;
    active = why.active;
  });
  std::vector<std::error_code> received;
  p.g->async_receive(
      [&](std::error_code error, hawser::received_event) { received.push_back(error); });
  p.g.connect();
  p.run(1min);
  CHECK(errors == 1);
  CHECK(message == "who are you?");
  CHECK(!active);
  CHECK(p.g.connected == std::vector{error_of(errc::connect_refused)});
  CHECK(received == std::vector{error_of(errc::disconnected)});
  CHECK(p.g->state() == client_state::disconnected);  // nothing else kept it
  CHECK(p.server->size() == 0);
  // Unless the user does.
  yes = true;
  p.g.connect();
  p.run(1s);
  CHECK(!p.g.connected.at(1));
  CHECK(p.g->connected());
  // A namespace that there isn't.
  auto nowhere = p.g->socket("/nowhere");
  std::string said;
  nowhere.on_connect_error(
      [&](hawser::connect_failure const& why) { said = std::string(why.message); });
  p.run(1s);
  CHECK(said == "Invalid namespace");
  CHECK(p.g->connected());
}

// -- recovery ------------------------------------------------------------------------------------

TEST_CASE("sim: a client that comes back in time gets what it missed, once and in order",
          "[sim][client][socketio]") {
  way const which = GENERATE(way::polling, way::websocket, way::upgrade);
  pair p(which, {}, [](auto& numbers) { numbers.recovery.enabled = true; });
  std::vector<int> got;
  bool in_connect = false;
  std::size_t before_connect = 0;
  p.g->on("n", [&](int n) {
    CHECK(!in_connect);
    got.push_back(n);
  });
  p.open();
  std::string const id(p.g->id());
  p.g.then = [&](std::string const& what) {
    if (what == "recovered") before_connect = got.size();
  };
  int sent = 0;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 3; ++i) (void)p.server->emit("n", sent++);
    p.run(100ms);
    for (int i = 0; i < 3; ++i) (void)p.server->emit("n", sent++);  // on their way when it is cut
    p.cut();
    for (int i = 0; i < 3; ++i) (void)p.server->emit("n", sent++);
    CHECK(!p.g->emit("meanwhile"));
    REQUIRE(p.comes_back());
    CHECK(p.g->recovered());
    CHECK(p.g->id() == id);
    CHECK(got.size() == static_cast<std::size_t>(sent));
    CHECK(before_connect == got.size());  // they come first
    p.run(1s);
    for (int i = 0; i < 3; ++i) (void)p.server->emit("n", sent++);
    p.run(1s);
  }
  REQUIRE(got.size() == static_cast<std::size_t>(sent));
  for (int i = 0; i < sent; ++i) CHECK(got[static_cast<std::size_t>(i)] == i);
  CHECK(p.counters().sockets_recovered == 5);
  CHECK(count(p.events, "meanwhile") == 5);
  // After its own leave there is nothing to recover.
  p.g->close();
  p.run(1s);
  p.open();
  CHECK(!p.g->recovered());
  CHECK(p.g->id() != id);
}

TEST_CASE("sim: a client that comes back too late is a new one", "[sim][client][socketio]") {
  pair p(
      way::websocket,
      [](auto& numbers) {
        numbers.reconnect.first_delay = 40s;
        numbers.reconnect.max_delay = 40s;
      },
      [](auto& numbers) {
        numbers.recovery.enabled = true;
        numbers.recovery.window = 10s;
      });
  std::vector<int> got;
  p.g->on("n", [&](int n) { got.push_back(n); });
  p.open();
  std::string const id(p.g->id());
  (void)p.server->emit("n", 1);
  p.run(1s);
  p.cut();
  (void)p.server->emit("n", 2);
  REQUIRE(p.comes_back(2min));
  CHECK(!p.g->recovered());
  CHECK(p.g->id() != id);
  (void)p.server->emit("n", 3);
  p.run(1s);
  CHECK(got == std::vector{1, 3});
  // What is recovered next is the new one.
  std::string const second(p.g->id());
  p.cut();
  CHECK(!p.g->connect("ws://x/"));
  REQUIRE(p.comes_back());
  CHECK(p.g->recovered());
  CHECK(p.g->id() == second);
}

// -- how it ends ---------------------------------------------------------------------------------

TEST_CASE("sim: clients tell the reasons of the reference, and come back where it does",
          "[sim][client][socketio]") {
  struct row {
    std::string reason;
    bool back;
    std::function<void(pair&)> end;
  };
  auto const rows = std::vector<row>{
      {"io server disconnect", false, [](pair& p) { (void)p.server_side().disconnect(); }},
      {"io client disconnect", false, [](pair& p) { (void)p.g->disconnect(); }},
      {"io client disconnect", false, [](pair& p) { p.g->close(); }},
      {"transport close", true, [](pair& p) { (void)p.server_side().close_connection(); }},
      {"transport error", true, [](pair& p) { p.cut(); }},
      {"ping timeout", true, [](pair& p) { p.keep_silent(); }},
  };
  way const which = GENERATE(way::polling, way::websocket, way::upgrade);
  for (auto const& one : rows) {
    INFO(one.reason << " " << static_cast<int>(which));
    pair p(which);
    p.open();
    bool was_active = false;
    p.g.then = [&](std::string const& what) {
      if (what == "disconnect " + one.reason) was_active = p.g->active();
    };
    one.end(p);
    REQUIRE(p.net.run_until([&] { return !p.g->connected(); }, 2min));
    p.run();
    CHECK(count(p.g.log, "disconnect " + one.reason) == 1);
    CHECK(was_active == one.back);
    p.run(10min);
    CHECK(p.g->connected() == one.back);
    CHECK(std::count_if(p.g.log.begin(), p.g.log.end(),
                        [](auto const& what) { return what.starts_with("disconnect "); }) == 1);
  }
}

TEST_CASE("sim: what is no packet is a parse error", "[sim][client][socketio]") {
  world w;
  hawser::memory_host host(w.net, 80);
  guest g(w, [](auto& numbers) {
    only(numbers, by_polling);
    numbers.reconnect.first_delay = 1h;
    numbers.reconnect.max_delay = 1h;
  });
  auto const answer = [&](std::string const& body) {
    host[0].take();
    host[0].send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                 body);
    w.run();
  };
  g.connect();
  answer("0{\"sid\":\"abc\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}");
  answer("40{\"sid\":\"def\"}");
  REQUIRE(g->connected());
  std::string const bad =
      GENERATE("x", "49", "42{}", "42[]", "42[\"connect\"]", "43[]", "451-[\"e\"]", "40", "0{}");
  INFO(bad);
  answer(bad);
  if (bad == "43[]") {  // no id: to nobody
    CHECK(g->connected());
    return;
  }
  CHECK(!g->connected());
  CHECK(has(g.log, "disconnect parse error"));
  CHECK(g->state() == client_state::reconnecting);
}

TEST_CASE("sim: a server that goes silent is noticed at its ping deadline, and not before",
          "[sim][client][socketio]") {
  way const which = GENERATE(way::polling, way::websocket, way::upgrade);
  pair p(which, {}, [](auto& numbers) {
    numbers.heartbeat.ping_interval = 8s;
    numbers.heartbeat.ping_timeout = 5s;
  });
  p.net.set_link({.latency = 10ms});
  hawser::time_point last{};
  p.g->on_ping([&] { last = p.net.now(); });
  p.g.connect();
  p.run(1min);
  REQUIRE(p.g->connected());
  REQUIRE(last != hawser::time_point{});
  p.run(last + 9s > p.net.now() ? last + 3s - p.net.now() : 0ms);
  p.keep_silent();
  auto const deadline = last + 13s;
  p.run(deadline - p.net.now() - 1ms);
  CHECK(p.g->connected());
  p.run(100ms);
  CHECK(!p.g->connected());
  CHECK(has(p.g.log, "disconnect ping timeout"));
  REQUIRE(p.comes_back());
}

TEST_CASE("sim: a client that was stalled doesn't blame the server", "[sim][client][socketio]") {
  bool const polls = GENERATE(false, true);
  bool const pinged = GENERATE(false, true);
  world w;
  w.net.set_link({.latency = 1s});
  hawser::memory_host host(w.net, 80);
  guest g(w, [&](auto& numbers) {
    only(numbers, polls ? by_polling : by_websocket);
    numbers.random = {[](void*, hawser::mutable_bytes out) {
                        for (auto& one : out) one = std::byte{0};
                      },
                      nullptr};
  });
  auto const say = [&](std::string const& body) {
    host[0].send(polls ? "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                             "\r\n\r\n" + body
                       : wire(1, body, true, false));
  };
  g.connect();
  w.run(3s);
  REQUIRE(host.size() == 1);
  if (!polls) {
    host[0].send(
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        hawser::ws::accept_key("AAAAAAAAAAAAAAAAAAAAAA==") + "\r\n\r\n");
  }
  say("0{\"sid\":\"abc\",\"upgrades\":[],\"pingInterval\":8000,\"pingTimeout\":5000}");
  w.run(4s);
  if (polls) host[1].send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  say("40{\"sid\":\"def\"}");
  w.run(3s);
  REQUIRE(g->connected());
  if (pinged) say("2");  // it arrives while the client doesn't run
  w.net.stall(1min);
  w.run();
  CHECK(g->connected() == pinged);
  CHECK(has(g.log, "disconnect ping timeout") == !pinged);
  w.run(12s);
  CHECK(g->connected() == pinged);  // from that ping on it waits as long as ever
  w.run(2s);
  CHECK(!g->connected());
}

TEST_CASE("sim: a server that drains lets clients go, who come back", "[sim][client][socketio]") {
  way const which = GENERATE(way::polling, way::websocket, way::upgrade);
  pair p(which);
  p.open();
  bool drained = false;
  p.server->drain({.window = 2s, .deadline = 20s}, [&] { drained = true; });
  p.run(5s);
  CHECK(has(p.g.log, "disconnect transport close"));
  CHECK(has(p.g.log, "reconnecting"));
  CHECK(drained);
  CHECK(p.reasons == strings{"server shutting down"});
  p.run(1min);  // 503 with Retry-After meanwhile
  CHECK(!p.g->connected());
  CHECK(p.g->state() == client_state::reconnecting);
  p.restart();
  p.listen(*p.server);
  CHECK(p.comes_back(10min));
}

// -- acknowledgements and retries ----------------------------------------------------------------

TEST_CASE("sim: every acknowledgement is told once: answer, time-out, or the end",
          "[sim][client][socketio]") {
  way const which = GENERATE(way::polling, way::websocket, way::upgrade);
  pair p(which, [](auto& numbers) { numbers.sockets.ack_timeout = 10s; });
  hawser::ack<int> late;
  p.server->on("late", [&](hawser::ack<int> reply) { late = std::move(reply); });
  p.open();
  std::vector<std::pair<std::string, std::error_code>> told;
  auto const ask = [&](std::string const& name, std::chrono::milliseconds timeout) {
    p.g->timeout(timeout).emit_with_ack(
        name, 1, [&told, name](std::error_code error, int) { told.emplace_back(name, error); });
  };
  ask("double", 1s);
  ask("late", 2s);
  ask("silence", 3s);
  ask("late", 0s);  // as the options say
  p.run(1s);
  REQUIRE(told.size() == 1);
  CHECK(told[0] == std::pair{std::string("double"), std::error_code{}});
  p.run(1500ms);
  REQUIRE(told.size() == 2);
  CHECK(told[1] == std::pair{std::string("late"), error_of(errc::ack_timeout)});
  p.run(1s);
  REQUIRE(told.size() == 3);
  CHECK(told[2] == std::pair{std::string("silence"), error_of(errc::ack_timeout)});
  CHECK(!late(7));  // of the second one
  p.run(1s);
  REQUIRE(told.size() == 4);
  CHECK(!told[3].second);
  // The connection's end: what was sent fails behind the disconnect event, what waits goes on.
  told.clear();
  ask("silence", 1h);
  p.run(1s);
  bool first = false;
  p.g.then = [&](std::string const& what) {
    if (!what.starts_with("disconnect ")) return;
    first = told.empty();
    ask("double", 1h);  // waits
  };
  p.cut();
  CHECK(first);
  REQUIRE(told.size() == 1);
  CHECK(told[0] == std::pair{std::string("silence"), error_of(errc::disconnected)});
  REQUIRE(p.comes_back());
  p.run(1s);
  REQUIRE(told.size() == 2);
  CHECK(told[1] == std::pair{std::string("double"), std::error_code{}});
  p.g.then = {};
  // An answer that doesn't fit.
  int misfits = 0;
  p.g->emit_with_ack("double", 1, [&](std::error_code error, std::string const&) {
    CHECK(error == errc::argument_mismatch);
    ++misfits;
  });
  p.run(1s);
  CHECK(misfits == 1);
  // The user's own close.
  told.clear();
  ask("silence", 1h);
  p.run(1s);
  p.g->close();
  p.run(1h);
  REQUIRE(told.size() == 1);
  CHECK(told[0].second == errc::disconnected);
}

TEST_CASE("sim: events that are retried go one by one, with one id for all their tries",
          "[sim][client][socketio]") {
  way const which = GENERATE(way::polling, way::websocket);
  pair p(which, [](auto& numbers) {
    numbers.sockets.retries = 2;
    numbers.sockets.ack_timeout = 1s;
    numbers.sockets.delivery_ids = true;
  });
  struct came {
    int n;
    std::string id;
  };
  std::vector<came> all;
  std::vector<hawser::ack<bool>> pending;
  int answers_from = 0;  // how many tries of each are ignored
  std::vector<int> tries(10);
  p.server->on("n", [&](int n, std::string id, hawser::ack<bool> reply) {
    all.push_back({n, std::move(id)});
    if (tries.at(static_cast<std::size_t>(n))++ >= answers_from) {
      (void)reply(true);
    } else {
      pending.push_back(std::move(reply));
    }
  });
  for (int i = 0; i < 3; ++i) CHECK(!p.g->emit("n", i));
  p.g.connect();
  p.run(500ms);
  REQUIRE(all.size() == 3);
  std::set<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    CHECK(all[static_cast<std::size_t>(i)].n == i);
    ids.insert(all[static_cast<std::size_t>(i)].id);
  }
  CHECK(ids.size() == 3);
  CHECK(p.g->waiting().messages == 0);
  // The third try gets an answer.
  all.clear();
  answers_from = 2;
  std::vector<std::error_code> told;
  p.g->emit_with_ack("n", 3, [&](std::error_code error, bool) { told.push_back(error); });
  CHECK(!p.g->emit("n", 4));
  p.run(500ms);
  CHECK(all.size() == 1);  // one in flight
  CHECK(p.g->waiting().messages == 2);
  p.run(10s);
  REQUIRE(all.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(all[i].n == (i < 3 ? 3 : 4));
    CHECK(all[i].id == all[i < 3 ? 0 : 3].id);
  }
  CHECK(told == std::vector{std::error_code{}});
  // None does: it is given up, and its owner told; the next one goes.
  all.clear();
  answers_from = 3;
  CHECK(!p.g->emit("n", 5));
  p.g->timeout(3s).emit_with_ack("n", 6, [&](std::error_code e, bool) { told.push_back(e); });
  p.g.log.clear();
  p.run(3500ms);
  CHECK(count(p.g.log, "dropped n: " + make_error_code(errc::ack_timeout).message()) == 1);
  CHECK(told.size() == 1);
  p.run(8s);
  CHECK(told.size() == 1);  // three tries of 3 s each
  p.run(2s);
  CHECK(told == std::vector{std::error_code{}, error_of(errc::ack_timeout)});
  CHECK(all.size() == 6);
  // A connection that is lost costs no try.
  all.clear();
  CHECK(!p.g->emit("n", 7));
  for (int i = 0; i < 4; ++i) {
    p.run(500ms);
    p.cut();
    REQUIRE(p.comes_back());
  }
  p.run(10s);
  CHECK(all.size() >= 4);
  for (auto const& one : all) CHECK(one.id == all[0].id);
  CHECK(p.g->waiting().messages == 0);
  CHECK(p.g->unreliable().emit("n", 8) == std::error_code{});  // these go past all that
}

TEST_CASE(
    "sim: retries survive a server that goes, each event is handled at least once and in order",
    "[sim][client][socketio]") {
  pair p(way::websocket, [](auto& numbers) {
    numbers.sockets.retries = 100;
    numbers.sockets.ack_timeout = 2s;
  });
  p.net.set_link({.latency = 20ms});
  std::vector<int> handled;
  int next = 0;
  auto const handle = [&] {
    p.server->on("n", [&](int n) {
      if (n == next) handled.push_back(next++);
      CHECK(n >= next - 1);  // an old one comes again at most once more, right away
      return true;
    });
  };
  handle();
  p.g.connect();
  for (int i = 0; i < 200; ++i) {
    REQUIRE(!p.g->emit("n", i));
    p.run(35ms);
    if (i % 50 == 25) {
      p.server.reset();
      p.run(1s);
      p.restart();
      handle();
    }
    if (i % 50 == 49) p.cut();
  }
  p.run(1min);
  REQUIRE(handled.size() == 200);
  CHECK(p.g->waiting().messages == 0);
}

// -- what comes early, or is waited for ----------------------------------------------------------

namespace {

// A client of a scripted server, by WebSocket.
struct script : world {
  hawser::memory_host host{net, 80};
  guest g;
  explicit script(std::function<void(guest::options_type&)> const& change = {})
      : g(*this, [&](auto& numbers) {
          only(numbers, by_websocket);
          numbers.random = {[](void*, hawser::mutable_bytes out) {
                              for (auto& one : out) one = std::byte{0};
                            },
                            nullptr};
          if (change) change(numbers);
        }) {
    g.connect();
    REQUIRE(host.size() == 1);
    host[0].send(
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        hawser::ws::accept_key("AAAAAAAAAAAAAAAAAAAAAA==") + "\r\n\r\n");
    say("0{\"sid\":\"abc\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}");
  }
  void say(std::string_view what) {
    host[0].send(wire(1, what, true, false));
    run();
  }
  strings heard() {
    std::string bytes = host[0].take();
    if (bytes.starts_with("GET")) bytes.erase(0, bytes.find("\r\n\r\n") + 4);
    strings all;
    for (auto& one : take_frames(bytes)) {
      all.push_back(one.opcode == 8 ? "close " + std::to_string(code_of(one)) : one.payload);
    }
    return all;
  }
};

}  // namespace

TEST_CASE("sim: events that come before CONNECT is answered are delivered before on_connect",
          "[sim][client][socketio]") {
  script s;
  s.g->on_any([&](hawser::event_view const& what) { s.g.note(std::string(what.name())); });
  s.g->on("ask", [](int n) { return n + 1; });
  s.g.log.clear();
  s.say("42[\"early\"]");
  s.say("421[\"ask\",1]");
  s.say("42/elsewhere,[\"other\"]");  // a namespace that this client doesn't have
  CHECK(s.g.log.empty());
  CHECK(s.heard() == strings{"40"});
  s.say("40{\"sid\":\"def\"}");
  CHECK(s.g.told() == strings{"early", "ask", "connect"});
  CHECK(s.heard() == strings{"431[2]"});
  // What the connection took with it isn't early for the next one.
  s.host[0].reset();
  s.run();
  CHECK(s.g.told().front() == "disconnect transport error");
}

TEST_CASE("sim: early events have a limit", "[sim][client][socketio]") {
  script s([](auto& numbers) { numbers.sockets.max_early_bytes = 1'000; });
  for (int i = 0; i < 20; ++i) s.say("42[\"early\",\"" + std::string(100, 'x') + "\"]");
  CHECK(s.heard().back() == "close 1009");
  CHECK(s.g->state() == client_state::reconnecting);
  CHECK(s.g->counters().limit_hits + s.g->counters().violations == 1);
}

TEST_CASE("sim: async_receive hands out what has no handler, and tells of what it had to drop",
          "[sim][client][socketio]") {
  script s([](auto& numbers) { numbers.max_received = 3; });
  s.say("40{\"sid\":\"def\"}");
  s.heard();
  strings got;
  auto const receive = [&] {
    s.g->async_receive([&](std::error_code error, hawser::received_event what) {
      got.push_back(error ? error.message() : what.name);
      if (what.ack) (void)what.ack(json("answer"));
    });
  };
  s.g->on("handled", [] {});
  s.say("42[\"before the first call\"]");
  receive();
  receive();
  s.say("42[\"handled\"]");
  s.say("42[\"1\",[1,2]]");
  s.say("427[\"2\"]");
  CHECK(got == strings{"1", "2"});
  CHECK(s.heard() == strings{"437[\"answer\"]"});
  for (char const n : {'3', '4', '5', '6', '7'}) s.say(std::string("42[\"") + n + "\"]");
  CHECK(s.g->counters().messages_dropped == 2);
  for (int i = 0; i < 5; ++i) receive();
  s.run();
  std::string const dropped = make_error_code(errc::dropped).message();
  CHECK(got == strings{"1", "2", "3", "4", "5", dropped});
  s.say("42[\"8\"]");
  CHECK(got.back() == "8");
  receive();
  s.say("41");
  CHECK(got.back() == make_error_code(errc::disconnected).message());
  receive();
  s.run();
  CHECK(got.size() == 9);
}

#ifdef ASIO_HAS_CO_AWAIT
TEST_CASE("sim: a coroutine connects, asks, receives and closes", "[sim][client][socketio]") {
  pair p(way::upgrade);
  strings steps;
  auto const talk = [&]() -> asio::awaitable<void> {
    co_await p.g->async_connect("ws://x/", asio::use_awaitable);
    steps.push_back("connected");
    int const twice = co_await p.g->async_emit_with_ack<int>("double", 4, asio::use_awaitable);
    steps.push_back(std::to_string(twice));
    try {
      co_await p.g->timeout(1s).async_emit_with_ack<int>("silence", asio::use_awaitable);
    } catch (std::system_error const& failure) {
      steps.push_back(failure.code().message());
    }
    auto const event = co_await p.g->async_receive(asio::use_awaitable);
    steps.push_back(event.name);
    co_await p.g->async_close(asio::use_awaitable);
    steps.push_back("closed");
  };
  asio::co_spawn(p.io, talk, asio::detached);
  p.run(5s);
  CHECK(!p.server_side().emit("news", 1));
  p.run(5s);
  CHECK(steps ==
        strings{"connected", "8", make_error_code(errc::ack_timeout).message(), "news", "closed"});
}
#endif
