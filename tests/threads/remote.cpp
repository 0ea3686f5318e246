#include <hawser/endpoint/remote.hpp>

#include <catch2/catch.hpp>

#include <asio/io_context.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <threads/running.hpp>

using namespace hawser;
using namespace threads_test;
using namespace std::chrono_literals;

TEST_CASE("remote: messages of four threads arrive once and in each thread's order",
          "[threads][remote]") {
  constexpr int threads = 4;
  constexpr int each = 1'000;
  loop at;
  std::unique_ptr<plain_server> server;
  std::promise<hawser::websocket> opened;
  auto const port = at.on_thread([&] {
    server = std::make_unique<plain_server>(at.io);
    server->on_open([&](hawser::websocket s) {
      s.join("room");
      opened.set_value(s);
    });
    if (server->listen({.host = "127.0.0.1"})) std::terminate();
    return server->port();
  });

  asio::io_context io;
  plain_client client{io};
  std::array<int, threads> next{};
  int received = 0;
  bool ordered = true;
  client.on_message([&](message const& m) {
    auto const who = static_cast<std::size_t>(m.text()[0] - '0');
    ordered = ordered && m.text().substr(1) == std::to_string(next[who]++);
    if (++received == threads * each) io.stop();
  });
  client.async_connect(url_of(port), [](std::error_code error) { CHECK_FALSE(error); });
  auto opening = opened.get_future();
  while (opening.wait_for(0s) != std::future_status::ready) io.run_one_for(10ms);
  auto const target = opening.get();
  auto const far = at.on_thread([&] { return server->remote(); });
  auto const room = at.on_thread([&] { return server->room("room"); });

  std::vector<std::thread> senders;
  std::atomic<int> refused{0};
  for (int who = 0; who < threads; ++who) {
    senders.emplace_back([&, who, target, room, far] {
      for (int i = 0; i < each; ++i) {
        std::string const text = std::to_string(who) + std::to_string(i);
        auto const error = who % 2 == 0 ? far.send(target, text) : far.send(room, text);
        if (error) ++refused;
      }
    });
  }
  io.run_for(60s);
  for (auto& one : senders) one.join();
  CHECK(refused == 0);
  CHECK(received == threads * each);
  CHECK(ordered);
  at.on_thread([&] { server.reset(); });
  CHECK(far.send(target, "late") == errc::not_open);
}

TEST_CASE("remote: a server may be destroyed while four threads send", "[threads][remote]") {
  for (int round = 0; round < 20; ++round) {
    loop at;
    std::unique_ptr<plain_server> server;
    std::promise<hawser::websocket> opened;
    auto const port = at.on_thread([&] {
      server = std::make_unique<plain_server>(
          at.io, plain_server::options{.mailbox_limit = {.max_messages = 1'000}});
      server->on_open([&](hawser::websocket s) { opened.set_value(s); });
      if (server->listen({.host = "127.0.0.1"})) std::terminate();
      return server->port();
    });
    asio::io_context io;
    plain_client client{io};
    client.on_message([](message const&) {});
    client.async_connect(url_of(port), [](std::error_code) {});
    auto opening = opened.get_future();
    while (opening.wait_for(0s) != std::future_status::ready) io.run_one_for(10ms);
    auto target = opening.get();
    auto far = at.on_thread([&] { return server->remote(); });

    std::atomic<int> sent{0};
    std::atomic<bool> gone{false};
    std::atomic<int> after{0};
    std::vector<std::thread> senders;
    for (int who = 0; who < 4; ++who) {
      senders.emplace_back([&, target, far] {
        for (;;) {
          hawser::websocket const copy = target;  // handles come and go on other threads
          auto const error = far.send(copy, "message");
          ++sent;
          if (error == errc::not_open) return;
          (void)far.post([&gone, &after] {
            if (gone) ++after;
          });
        }
      });
    }
    target = {};
    while (sent < 200) io.run_one_for(1ms);
    at.on_thread([&] {
      server.reset();
      gone = true;
    });
    for (auto& one : senders) one.join();
    CHECK(after == 0);
    CHECK(far.post([] {}) == errc::not_open);
  }
}

TEST_CASE("remote: handles outlive server and loop on other threads", "[threads][remote]") {
  std::vector<hawser::websocket> kept;
  std::optional<websocket_remote> far;
  {
    loop at;
    std::unique_ptr<plain_server> server;
    std::promise<hawser::websocket> opened;
    auto const port = at.on_thread([&] {
      server = std::make_unique<plain_server>(at.io);
      server->on_open([&](hawser::websocket s) { opened.set_value(s); });
      if (server->listen({.host = "127.0.0.1"})) std::terminate();
      return server->port();
    });
    asio::io_context io;
    plain_client client{io};
    client.async_connect(url_of(port), [](std::error_code) {});
    auto opening = opened.get_future();
    while (opening.wait_for(0s) != std::future_status::ready) io.run_one_for(10ms);
    auto const target = opening.get();
    far = at.on_thread([&] { return server->remote(); });
    std::vector<std::thread> keepers;
    for (int who = 0; who < 4; ++who) {
      keepers.emplace_back([target] {
        std::vector<hawser::websocket> many(1'000, target);
        for (auto const& one : many) {
          if (!(one == target)) std::terminate();
        }
      });
    }
    kept.assign(10, target);
    at.on_thread([&] { server.reset(); });
    for (auto& one : keepers) one.join();
  }
  CHECK(kept.size() == 10);
  CHECK(far->send(kept[0], "nobody") == errc::not_open);
  CHECK(far->close(kept[0]) == errc::not_open);
  std::thread([last = std::move(kept)]() mutable { last.clear(); }).join();
}

TEST_CASE("remote: what a posted task throws is fenced, and the next one runs",
          "[threads][remote]") {
  loop at;
  std::unique_ptr<plain_server> server;
  auto const far = at.on_thread([&] {
    server = std::make_unique<plain_server>(at.io);
    return server->remote();
  });
  std::promise<void> ran;
  CHECK_FALSE(far.post([] { throw 1; }));
  CHECK_FALSE(far.post([&] { ran.set_value(); }));
  ran.get_future().get();
  CHECK(at.on_thread([&] { return server->counters().handler_failures; }) == 1);
  at.on_thread([&] { server.reset(); });
}
