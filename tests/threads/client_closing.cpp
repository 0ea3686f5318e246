// Clients that end on their own thread, inside whatever they call, while others hammer them.
#include <catch2/catch.hpp>

#include <asio/io_context.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include <threads/running.hpp>

using namespace threads_test;
using namespace std::chrono_literals;
using hawser::errc;
using hawser::json;

namespace {

using sessions = hawser::policies<>::with_transport<hawser::tcp>;
using io_server = hawser::basic_server<sessions>;
using io_client = hawser::basic_client<sessions>;
using raw_client = hawser::basic_client<
    plain::with_reconnect<hawser::exponential_backoff>::with_offline_queue<hawser::bounded_queue>>;

std::string http_url(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port); }

// Counts completions that were given out and called.
struct tally {
  std::atomic<int> given{0};
  std::atomic<int> called{0};
  std::atomic<int> twice{0};

  auto once(std::function<void()> then = {}) {
    ++given;
    return [this, then = std::move(then), before = std::make_shared<bool>(false)](std::error_code,
                                                                                  auto const&...) {
      if (std::exchange(*before, true)) ++twice;
      ++called;
      if (then) then();
    };
  }
};

// A server on its own thread, whose clients may be sent away.
struct host_thread {
  loop at;
  std::unique_ptr<io_server> server;
  std::uint16_t port = 0;
  std::uint16_t closed_port = 0;  // nobody listens there

  host_thread() {
    port = at.on_thread([this] {
      {
        io_server other(at.io);
        if (other.listen({.host = "127.0.0.1"})) std::terminate();
        closed_port = other.port();
      }
      io_server::options numbers;
      numbers.heartbeat = {.ping_interval = 50ms, .ping_timeout = 20s};
      server = std::make_unique<io_server>(at.io, std::move(numbers));
      server->on("ask", [](int n, hawser::ack<int> reply) { (void)reply(n); });
      server->on("go", [](hawser::socket s) { (void)s.emit("do", 1); });
      server->on("drop", [](hawser::socket s) { (void)s.close_connection(); });
      if (server->listen({.host = "127.0.0.1"})) std::terminate();
      return server->port();
    });
  }
  ~host_thread() {
    at.on_thread([this] { server.reset(); });
  }
};

constexpr std::string_view places[] = {
    "on_state", "on_open",          "auth",          "on_connect",           "on_upgrade",
    "on",       "on_any",           "ack",           "on_any_outgoing",      "on_ping",
    "on_close", "on_disconnect",    "posted",        "on_reconnect_attempt", "on_reconnect",
    "on_error", "on_connect_error", "async_connect", "async_emit_with_ack",  "async_receive"};

// A client on its own thread; `act` runs at the place under test.
struct guest_thread {
  loop at;
  std::unique_ptr<io_client> c;
  std::string_view where;
  std::function<void()> act;
  std::promise<void> reached;
  tally done;
  std::atomic<bool> gone{false};
  std::atomic<int> after{0};

  void enter(std::string_view here) {
    if (gone && !here.starts_with("async")) ++after;
    if (here != where || !act) return;
    std::exchange(act, {})();
    reached.set_value();
  }

  // On its thread.
  void make() {
    io_client::options numbers;
    numbers.reconnect = {.first_delay = 5ms, .max_delay = 20ms};
    numbers.mailbox_limit = {.max_messages = 500};
    c = std::make_unique<io_client>(at.io, std::move(numbers));
    using hawser::client_socket;
    using hawser::event_view;
    c->on_state([this](hawser::client_state) { enter("on_state"); });
    c->on_open([this] { enter("on_open"); });
    c->on_upgrade([this] { enter("on_upgrade"); });
    c->on_ping([this] { enter("on_ping"); });
    c->on_close([this](hawser::disconnect_reason, std::error_code) { enter("on_close"); });
    c->on_error([this](hawser::attempt_failure const&) { enter("on_error"); });
    c->on_reconnect_attempt([this](std::uint32_t) { enter("on_reconnect_attempt"); });
    c->on_reconnect([this](std::uint32_t) { enter("on_reconnect"); });
    c->on_connect_error([this](hawser::connect_failure const&) { enter("on_connect_error"); });
    c->on_disconnect([this](hawser::disconnect_reason) { enter("on_disconnect"); });
    c->on_any([this](event_view const&) { enter("on_any"); });
    c->on_any_outgoing([this](event_view const&) { enter("on_any_outgoing"); });
    c->auth([this](hawser::auth_reply reply) {
      enter("auth");
      reply(json::object());
    });
    c->on_connect([this](client_socket) {
      enter("on_connect");
      if (gone || !c) return;
      c->emit_with_ack("ask", 1, [this](std::error_code, int) { enter("ack"); });
      if (gone || !c) return;
      c->async_emit_with_ack<int>("ask", 1, done.once([this] { enter("async_emit_with_ack"); }));
      if (gone || !c) return;
      (void)c->emit("go");
      if (gone || !c) return;
      bool const drops = where == "on_close" || where == "on_disconnect" ||
                         where == "on_reconnect_attempt" || where == "on_reconnect";
      if (drops) (void)c->emit("drop");
    });
    if (where != "async_receive") c->on("do", [this](int) { enter("on"); });
  }
  void connect(host_thread const& to) {
    if (where == "async_receive") {
      c->async_receive(done.once([this] { enter("async_receive"); }));
    }
    bool const fails = where == "on_error" || where == "on_connect_error";
    c->async_connect(http_url(fails ? to.closed_port : to.port),
                     done.once([this] { enter("async_connect"); }));
    if (where == "posted") post_to_itself();
  }
  void post_to_itself() {
    if (c && c->remote().post([this] { enter("posted"); }) == errc::mailbox_full) {
      asio::post(at.io, [this] { post_to_itself(); });
    }
  }
};

// Threads that emit, post, and copy handles, until the client has gone or they are told.
class hammers {
 public:
  hammers(hawser::client_remote far, hawser::client_socket target) {
    for (int who = 0; who < 3; ++who) {
      all_.emplace_back([this, who, far, target] {
        std::unordered_set<hawser::client_socket> seen;
        for (int i = 0; !stop_; ++i) {
          hawser::client_socket const copy = target;
          seen.insert(copy);
          hawser::client_remote const mine = far;
          auto const error = who == 0 ? mine.post([copy] { (void)copy.connected(); })
                                      : mine.emit(copy, "event", who, i, "text");
          ++calls;
          if (error == errc::not_open) break;
          if (error) std::this_thread::yield();
        }
        if (seen.size() > 1) std::terminate();
      });
    }
  }
  ~hammers() { join(); }
  void stop() { stop_ = true; }
  void join() {
    for (auto& one : all_) one.join();
    all_.clear();
  }

  std::atomic<int> calls{0};

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> all_;
};

}  // namespace

TEST_CASE("client closing: destroyed or closed inside all that it calls, while others emit",
          "[threads][client]") {
  host_thread host;
  for (int how = 0; how < 2; ++how) {
    for (auto const place : places) {
      INFO("place " << place << " how " << how);
      guest_thread guest;
      guest.where = place;
      guest.act = [&guest, how] {
        if (how == 1) return guest.c->close();
        guest.c.reset();
        guest.gone = true;
      };
      auto reached = guest.reached.get_future();
      auto [far, target] = guest.at.on_thread([&] {
        guest.make();
        return std::pair(guest.c->remote(), guest.c->socket());
      });
      hammers others(far, target);
      while (others.calls < 20) std::this_thread::yield();
      asio::post(guest.at.io, [&] {
        if (guest.c) guest.connect(host);
      });
      REQUIRE(reached.wait_for(60s) == std::future_status::ready);
      if (how == 1) {
        while (others.calls < 50) std::this_thread::yield();
        others.stop();
        guest.at.on_thread([&] { guest.c.reset(); });
        guest.gone = true;
      }
      others.join();
      guest.at.on_thread([] {});
      guest.at.on_thread([] {});
      CHECK(far.emit(target, "late") == errc::not_open);
      CHECK(guest.after == 0);
      CHECK(guest.done.twice == 0);
      CHECK(guest.done.called == guest.done.given);
    }
  }
}

TEST_CASE("client closing: destroyed by a post at any moment, again and again",
          "[threads][client]") {
  host_thread host;
  for (int round = 0; round < 40; ++round) {
    guest_thread guest;
    auto [far, target] = guest.at.on_thread([&] {
      guest.make();
      guest.connect(host);
      return std::pair(guest.c->remote(), guest.c->socket());
    });
    hammers others(far, target);
    while (others.calls < round * 20) std::this_thread::yield();
    switch (round % 3) {
      case 0: asio::post(guest.at.io, [&] { guest.c.reset(); }); break;
      case 1:
        while (far.post([&guest] { guest.c.reset(); }) == errc::mailbox_full) {
          std::this_thread::yield();
        }
        break;
      default:
        guest.at.on_thread([&] { guest.c->async_close(guest.done.once()); });
        guest.at.on_thread([&] { guest.c.reset(); });
    }
    others.join();
    guest.at.on_thread([] {});
    guest.at.on_thread([] {});
    CHECK(guest.done.twice == 0);
    CHECK(guest.done.called == guest.done.given);
  }
}

TEST_CASE("client closing: the loop ends before the client, while others emit",
          "[threads][client]") {
  host_thread host;
  for (int round = 0; round < 20; ++round) {
    auto guest_loop = std::make_unique<loop>();
    std::unique_ptr<io_client> c;
    std::unique_ptr<raw_client> raw;
    std::atomic<bool> gone{false};
    std::atomic<int> after{0};
    auto [far, target, raw_far, raw_target] = guest_loop->on_thread([&] {
      c = std::make_unique<io_client>(guest_loop->io);
      raw = std::make_unique<raw_client>(guest_loop->io);
      auto const called = [&gone, &after](auto const&...) { after += gone ? 1 : 0; };
      c->on_state(called);
      c->on_disconnect(called);
      raw->on_close(called);
      c->async_connect(http_url(host.port), called);
      raw->async_connect(url_of(host.port) + "/socket.io/?EIO=4&transport=websocket", called);
      return std::tuple(c->remote(), c->socket(), raw->remote(), raw->socket());
    });
    hammers others(far, target);
    std::thread raw_hammer([raw_far, raw_target] {
      while (raw_far.send(raw_target, "text") != errc::not_open) {
        hawser::websocket const copy = raw_target;
        (void)raw_far.post([copy] { (void)copy.is_open(); });
      }
    });
    while (others.calls < round * 50) std::this_thread::yield();
    guest_loop.reset();
    gone = true;
    others.join();
    raw_hammer.join();
    CHECK(after == 0);
    CHECK(target.emit("x") == errc::not_open);
    CHECK(raw_target.send("x") == errc::not_open);
    if (round % 2 == 0) c->close();
    c.reset();
    raw.reset();
    CHECK(after == 0);
  }
}

TEST_CASE("client closing: a raw client ends inside all that it calls, while others send",
          "[threads][client]") {
  loop server_loop;
  std::unique_ptr<plain_server> server;
  auto const port = server_loop.on_thread([&] {
    server = std::make_unique<plain_server>(server_loop.io);
    server->on_message([](hawser::websocket s, hawser::message const& what) {
      if (what.text() == "drop") (void)s.terminate();
      (void)s.send(what);
    });
    if (server->listen({.host = "127.0.0.1"})) std::terminate();
    return server->port();
  });
  for (auto const* place : {"on_state", "on_open", "on_message", "on_close", "async_connect",
                            "on_reconnect_attempt", "on_reconnect", "posted"}) {
    for (int how = 0; how < 3; ++how) {
      INFO("place " << place << " how " << how);
      loop at;
      std::unique_ptr<raw_client> c;
      tally done;
      std::promise<void> reached;
      auto ready = reached.get_future();
      std::function<void()> act = [&] {
        if (how == 0) c.reset();
        if (how == 1) (void)c->close();
        if (how == 2) (void)c->socket().terminate();
      };
      auto const enter = [&](std::string_view here) {
        if (here != place || !act) return;
        std::exchange(act, {})();
        reached.set_value();
      };
      auto [far, target] = at.on_thread([&] {
        raw_client::options numbers;
        numbers.reconnect = {.first_delay = 5ms, .max_delay = 20ms};
        c = std::make_unique<raw_client>(at.io, std::move(numbers));
        return std::pair(c->remote(), c->socket());
      });
      std::atomic<bool> stop{false};
      std::vector<std::thread> others;
      for (int who = 0; who < 3; ++who) {
        others.emplace_back([&stop, far, target] {
          while (!stop && far.send(target, "text") != errc::not_open) {
            hawser::websocket const copy = target;
            if (far.post([copy] { (void)copy.is_open(); })) std::this_thread::yield();
          }
        });
      }
      std::function<void()> const post_to_itself = [&] {
        if (c && c->remote().post([&] { enter("posted"); }) == errc::mailbox_full) {
          asio::post(at.io, post_to_itself);
        }
      };
      at.on_thread([&] {
        c->on_state([&](hawser::client_state) { enter("on_state"); });
        c->on_open([&] {
          enter("on_open");
          if (c) (void)c->send(place == std::string_view("on_message") ? "hello" : "drop");
        });
        c->on_message([&](hawser::message const&) { enter("on_message"); });
        c->on_close([&](hawser::close_event const&) { enter("on_close"); });
        c->on_reconnect_attempt([&](std::uint32_t) { enter("on_reconnect_attempt"); });
        c->on_reconnect([&](std::uint32_t) { enter("on_reconnect"); });
        c->async_connect(url_of(port), done.once([&] { enter("async_connect"); }));
        post_to_itself();
      });
      REQUIRE(ready.wait_for(60s) == std::future_status::ready);
      at.on_thread([&] {
        if (c) c->async_close(done.once());
      });
      at.on_thread([&] { c.reset(); });
      for (auto& one : others) one.join();
      stop = true;
      at.on_thread([] {});
      at.on_thread([] {});
      CHECK(done.twice == 0);
      CHECK(done.called == done.given);
    }
  }
  server_loop.on_thread([&] { server.reset(); });
}
