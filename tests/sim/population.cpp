#include "sim/harness.hpp"

#include <asio/bind_executor.hpp>

using namespace sim;

TEST_CASE("sim: 2,000 connections end cleanly, by reset or half-closed, each once", "[sim]") {
  house h;
  {
    std::vector<std::unique_ptr<peer>> peers;
    for (int i = 0; i < 2000; ++i) peers.push_back(std::make_unique<peer>(h));
    h.run();
    CHECK(h.opens == 2000);
    CHECK(h.server->size() == 2000);
    CHECK(h.counters().objects == 2000);
    for (auto& one : peers) one->send(text("hello"));
    h.run();
    int answered = 0;
    for (auto& one : peers) answered += one->texts() == std::vector<std::string>{"hello"};
    CHECK(answered == 2000);
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (i % 3 == 0) peers[i]->send(goodbye());
      if (i % 3 == 1) peers[i]->reset();
      if (i % 3 == 2) peers[i]->shutdown();
    }
    h.run();
    CHECK(h.closes == 2000);
    int clean = 0, reset = 0, half = 0;
    for (auto const& one : h.endings) {
      clean += one.code == close_code::normal && !one.error && one.by_peer;
      reset += one.error == error_of(asio::error::connection_reset);
      half += one.error == error_of(errc::end_of_stream);
    }
    CHECK(clean == 667);
    CHECK(reset == 667);
    CHECK(half == 666);
    h.run(1min);
    int over = 0;
    for (std::size_t i = 0; i < peers.size(); ++i) over += i % 3 == 1 || peers[i]->is_over();
    CHECK(over == 2000);
    for (std::size_t i = 0; i < peers.size(); i += 3) {
      if (peers[i]->closed_with() != 1000) FAIL("no answer to Close at " << i);
    }
  }
  h.run(1min);
  CHECK(h.opens == 2000);
  CHECK(h.closes == 2000);
  CHECK(h.server->size() == 0);
  CHECK(h.counters().objects == 0);
  CHECK(h.counters().partial_bytes == 0);
  CHECK(h.net.live_streams() == 0);
  CHECK(h.net.live_connections() == 0);
  h.server.reset();
  h.run();
  CHECK(h.empty());
}

TEST_CASE("sim: 600 clients of our own come and go, and nothing stays", "[sim]") {
  house h;
  int connected = 0, closes = 0, closed = 0;
  {
    std::vector<std::unique_ptr<client>> clients;
    for (int i = 0; i < 600; ++i) {
      auto& one = *clients.emplace_back(std::make_unique<client>(h.io, h.options<client>()));
      one.on_message([](hawser::message const&) {});
      one.on_close([&](hawser::close_event const&) { ++closes; });
      one.async_connect("ws://x/", [&](std::error_code error) { connected += !error; });
    }
    h.run();
    CHECK(connected == 600);
    CHECK(h.opens == 600);
    for (auto& one : clients) REQUIRE(!one->send(std::string_view("hello")));
    h.run();
    CHECK(h.messages.size() == 600);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (i % 3 == 0) {
        clients[i]->async_close([&](std::error_code error) { closed += !error; });
      } else if (i % 3 == 1) {
        REQUIRE(!clients[i]->socket().terminate());
      } else {
        clients[i].reset();  // no event of its own any more
      }
    }
    h.run(1min);
    CHECK(closed == 200);
    CHECK(closes == 400);
    CHECK(h.closes == 600);
    for (auto& one : clients) {
      if (one && one->counters().objects != 0) FAIL("a connection stays");
    }
  }
  h.run();
  CHECK(h.counters().objects == 0);
  CHECK(h.net.live_streams() == 0);
  CHECK(h.net.live_connections() == 0);
  h.server.reset();
  h.run();
  CHECK(h.empty());
}
