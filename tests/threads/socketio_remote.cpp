// A Socket.IO server and other threads: events from them, decisions and answers made on them.
#include <catch2/catch.hpp>

#include <asio/io_context.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include <threads/running.hpp>

using namespace threads_test;
using namespace std::chrono_literals;
using hawser::errc;

namespace {

using sessions = hawser::policies<>::with_transport<hawser::tcp>;
using io_server = hawser::basic_server<sessions>;

std::unique_ptr<io_server> make_server(loop& at, io_server::options numbers = {}) {
  return std::make_unique<io_server>(at.io, std::move(numbers));
}

/// A client that joins the main namespace and keeps what comes.
class io_client {
 public:
  io_client(asio::io_context& io, std::uint16_t port) : client_(io) {
    client_.on_message([this](hawser::message const& m) {
      if (m.text().starts_with('0')) return void(client_.socket().send("40"));
      if (m.text().starts_with("40")) connected = true;
      if (m.text().starts_with("44")) refused = m.text();
      if (m.text().starts_with("41")) disconnected = true;
      if (on_event && (m.text().starts_with("42") || m.text().starts_with("43")))
        on_event(m.text());
    });
    client_.on_close([this](hawser::close_event const&) { closed = true; });
    client_.async_connect(url_of(port) + "/socket.io/?EIO=4&transport=websocket",
                          [this](std::error_code error) { closed = closed || error; });
  }
  void say(std::string_view packet) { (void)client_.socket().send(packet); }

  bool connected = false, disconnected = false, closed = false;
  std::string refused;
  std::function<void(std::string_view)> on_event;

 private:
  plain_client client_;
};

// Runs the loop of the clients until something holds; false after a minute.
bool run_until(asio::io_context& io, std::function<bool()> const& holds) {
  auto const end = std::chrono::steady_clock::now() + 60s;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    io.run_one_for(10ms);
    io.restart();
  }
  return true;
}

}  // namespace

TEST_CASE("socketio remote: events of four threads arrive once and in each thread's order",
          "[threads][remote]") {
  constexpr int threads = 4;
  constexpr int each = 500;
  loop at;
  std::unique_ptr<io_server> server;
  std::promise<hawser::socket> opened;
  auto const port = at.on_thread([&] {
    server = make_server(at);
    server->on_connect([&](hawser::socket s) {
      s.join("room");
      opened.set_value(s);
    });
    if (server->listen({.host = "127.0.0.1"})) std::terminate();
    return server->port();
  });

  asio::io_context io;
  io_client client(io, port);
  std::array<int, threads> next{};
  int received = 0;
  bool ordered = true;
  client.on_event = [&](std::string_view text) {
    // 42["n",who,i,"text"]
    auto const who = static_cast<std::size_t>(text[7] - '0');
    ordered = ordered && text.substr(9) == std::to_string(next[who]++) + ",\"text\"]";
    ++received;
  };
  REQUIRE(run_until(io, [&] { return client.connected; }));
  auto const target = opened.get_future().get();
  auto const far = at.on_thread([&] { return server->remote(); });
  auto const room = at.on_thread([&] { return server->room("room"); });
  auto const all = at.on_thread([&] { return server->to("room"); });

  std::vector<std::thread> senders;
  std::atomic<int> refused{0};
  for (int who = 0; who < threads; ++who) {
    senders.emplace_back([&, who, target, room, far, all] {
      for (int i = 0; i < each; ++i) {
        auto const error = who % 3 == 0   ? far.emit(target, "n", who, i, "text")
                           : who % 3 == 1 ? far.emit(room, "n", who, i, std::string("text"))
                                          : far.emit(all, "n", who, i, std::string_view("text"));
        if (error) ++refused;
      }
    });
  }
  CHECK(run_until(io, [&] { return received == threads * each; }));
  for (auto& one : senders) one.join();
  CHECK(refused == 0);
  CHECK(ordered);
  CHECK_FALSE(far.disconnect(target));
  CHECK(run_until(io, [&] { return client.disconnected; }));
  at.on_thread([&] { server.reset(); });
  CHECK(far.emit(target, "late") == errc::not_open);
  CHECK(far.disconnect(target) == errc::not_open);
}

TEST_CASE("socketio remote: a server may be destroyed while four threads emit",
          "[threads][remote]") {
  for (int round = 0; round < 10; ++round) {
    loop at;
    std::unique_ptr<io_server> server;
    std::promise<hawser::socket> opened;
    auto const port = at.on_thread([&] {
      server = make_server(at, {.mailbox_limit = {.max_messages = 1'000}});
      server->on_connect([&](hawser::socket s) { opened.set_value(s); });
      if (server->listen({.host = "127.0.0.1"})) std::terminate();
      return server->port();
    });
    asio::io_context io;
    io_client client(io, port);
    REQUIRE(run_until(io, [&] { return client.connected; }));
    auto target = opened.get_future().get();
    auto const far = at.on_thread([&] { return server->remote(); });
    auto const all = at.on_thread([&] { return server->all().except(target); });

    std::atomic<int> sent{0};
    std::vector<std::thread> senders;
    for (int who = 0; who < 4; ++who) {
      senders.emplace_back([&, who, target, far, all] {
        std::unordered_set<hawser::socket> seen;
        for (int i = 0;; ++i) {
          hawser::socket const copy = target;  // handles come and go on other threads
          seen.insert(copy);
          auto const error = who < 2 ? far.emit(copy, "event", i) : far.emit(all, "event", i);
          ++sent;
          if (error == errc::not_open) break;
        }
        if (seen.size() != 1) std::terminate();
      });
    }
    target = {};
    CHECK(run_until(io, [&] { return sent > 200; }));
    at.on_thread([&] { server.reset(); });
    for (auto& one : senders) one.join();
    CHECK(far.post([] {}) == errc::not_open);
  }
}

TEST_CASE("socketio remote: sockets are let in or refused by other threads", "[threads][remote]") {
  constexpr int clients = 40;
  loop at;
  std::unique_ptr<io_server> server;
  std::vector<std::thread> judges;  // of the server's thread
  int connects = 0;
  auto const port = at.on_thread([&] {
    server = make_server(at);
    server->authenticate([&](hawser::handshake const&, hawser::decision d) {
      judges.emplace_back([d = std::move(d), number = judges.size()]() mutable {
        if (number % 4 == 0) std::this_thread::yield();
        if (number % 4 == 3) return;  // dropped: that is a no
        if (number % 4 == 2) return d.reject("no", hawser::json::object({{"number", 2}}));
        d.accept(std::string("data"));
      });
    });
    server->use([&](hawser::socket s, hawser::decision d) {
      if (!s.data<std::string>()) std::terminate();
      judges.emplace_back([d = std::move(d), s]() mutable { d.accept(); });
    });
    server->on_connect([&](hawser::socket s) {
      if (!s.data<std::string>()) std::terminate();
      ++connects;
    });
    if (server->listen({.host = "127.0.0.1"})) std::terminate();
    return server->port();
  });

  asio::io_context io;
  std::vector<std::unique_ptr<io_client>> all;
  for (int i = 0; i < clients; ++i) all.push_back(std::make_unique<io_client>(io, port));
  CHECK(run_until(io, [&] {
    for (auto const& one : all) {
      if (!one->connected && one->refused.empty()) return false;
    }
    return true;
  }));
  int connected = 0;
  for (auto const& one : all) {
    CHECK(one->connected == one->refused.empty());
    connected += one->connected ? 1 : 0;
  }
  CHECK(at.on_thread([&] { return connects; }) == connected);
  CHECK(connected > 0);
  at.on_thread([&] { server.reset(); });
  for (auto& one : judges) one.join();
}

TEST_CASE("socketio remote: decisions may come after the server has gone", "[threads][remote]") {
  for (int round = 0; round < 10; ++round) {
    loop at;
    std::unique_ptr<io_server> server;
    std::promise<hawser::decision> asked;
    auto const port = at.on_thread([&] {
      server = make_server(at);
      server->use([&](hawser::socket, hawser::decision d) { asked.set_value(std::move(d)); });
      if (server->listen({.host = "127.0.0.1"})) std::terminate();
      return server->port();
    });
    asio::io_context io;
    io_client client(io, port);
    auto made = asked.get_future();
    REQUIRE(run_until(io, [&] { return made.wait_for(0s) == std::future_status::ready; }));
    std::thread judge([d = made.get(), round]() mutable {
      if (round % 2 == 0) std::this_thread::yield();
      d.accept(round);
    });
    at.on_thread([&] { server.reset(); });
    judge.join();
  }
}

TEST_CASE("socketio remote: what another thread works out is acknowledged by the server's",
          "[threads][remote]") {
  constexpr int questions = 200;
  loop at;
  std::unique_ptr<io_server> server;
  std::vector<std::thread> workers;
  auto const port = at.on_thread([&] {
    server = make_server(at);
    server->on("square", [&, far = server->remote()](int number, hawser::ack<int> done) {
      workers.emplace_back([far, number, done = std::move(done)]() mutable {
        int const square = number * number;
        (void)far.post([square, done = std::move(done)]() mutable { (void)done(square); });
      });
    });
    if (server->listen({.host = "127.0.0.1"})) std::terminate();
    return server->port();
  });
  asio::io_context io;
  io_client client(io, port);
  int right = 0;
  client.on_event = [&](std::string_view text) {
    auto const begin = text.find('[');
    int const number = std::stoi(std::string(text.substr(2, begin - 2)));
    if (text.substr(begin) == "[" + std::to_string(number * number) + "]") ++right;
  };
  REQUIRE(run_until(io, [&] { return client.connected; }));
  for (int i = 0; i < questions; ++i) {
    client.say("42" + std::to_string(i) + "[\"square\"," + std::to_string(i) + "]");
  }
  CHECK(run_until(io, [&] { return right == questions; }));
  at.on_thread([&] { server.reset(); });
  for (auto& one : workers) one.join();
}
