#include <hawser/client.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/deferred.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <catch2/catch.hpp>

#include <hawser/server.hpp>

#include "support/loopback.hpp"

using namespace hawser_test;
using hawser::errc;

namespace {

struct greeting {
  greeting() {
    server.on_open([](hawser::websocket s) {
      s.send("one");
      s.send("two");
    });
    server.on_message([](hawser::websocket s, hawser::message const& m) { s.send(m); });
    REQUIRE_FALSE(server.listen({.host = "127.0.0.1"}));
    url = "ws://127.0.0.1:" + std::to_string(server.port()) + "/";
  }
  asio::io_context io;
  hawser::websocket_server server{io};
  std::string url;
};

asio::awaitable<std::vector<std::string>> talk(hawser::websocket_client& client, std::string url) {
  std::vector<std::string> heard;
  co_await client.async_connect(url, asio::use_awaitable);
  client.send("three");
  for (int i = 0; i < 3; ++i) {
    auto const got = co_await client.async_receive(asio::use_awaitable);
    heard.push_back(got.data);
  }
  co_await client.async_close(asio::use_awaitable);
  co_return heard;
}

asio::awaitable<std::error_code> fail(hawser::websocket_client& client) {
  auto const [error] =
      co_await client.async_connect("not a url", asio::experimental::as_tuple(asio::use_awaitable));
  co_return error;
}

}  // namespace

TEST_CASE("client: connect, receive and close in a coroutine", "[client]") {
  greeting at;
  hawser::websocket_client client(at.io);
  std::optional<std::vector<std::string>> heard;
  std::exception_ptr thrown;
  asio::co_spawn(at.io, talk(client, at.url),
                 [&](std::exception_ptr failed, std::vector<std::string> all) {
                   thrown = failed;
                   heard = std::move(all);
                 });
  REQUIRE(run_until(at.io, [&] { return heard.has_value(); }));
  REQUIRE_FALSE(thrown);
  CHECK(*heard == std::vector<std::string>{"one", "two", "three"});
  CHECK_FALSE(client.is_open());
  CHECK(run_until(at.io, [&] { return at.server.size() == 0; }));
}

TEST_CASE("client: errors in a coroutine are exceptions, or values on demand", "[client]") {
  asio::io_context io;
  hawser::websocket_client client(io);
  std::optional<std::error_code> value;
  asio::co_spawn(io, fail(client), [&](std::exception_ptr, std::error_code e) { value = e; });
  REQUIRE(run_until(io, [&] { return value.has_value(); }));
  CHECK(*value == errc::bad_url);
  bool thrown = false;
  asio::co_spawn(io, talk(client, "not a url"),
                 [&](std::exception_ptr failed, auto&&) { thrown = failed != nullptr; });
  CHECK(run_until(io, [&] { return thrown; }));
}

TEST_CASE("client: a coroutine that waits ends when its client goes", "[client]") {
  greeting at;
  std::optional<hawser::websocket_client> client(std::in_place, at.io);
  bool thrown = false;
  int received = 0;
  auto wait_for_ever = [&]() -> asio::awaitable<void> {
    co_await client->async_connect(at.url, asio::use_awaitable);
    for (;; ++received) co_await client->async_receive(asio::use_awaitable);
  };
  asio::co_spawn(at.io, wait_for_ever, [&](std::exception_ptr failed) { thrown = bool(failed); });
  REQUIRE(run_until(at.io, [&] { return received == 2; }));
  client.reset();
  CHECK_FALSE(thrown);
  CHECK(run_until(at.io, [&] { return thrown; }));
}

TEST_CASE("client: futures", "[client]") {
  greeting at;
  hawser::websocket_client client(at.io);
  auto const ready = [](auto& future) {
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  };
  auto connected = client.async_connect(at.url, asio::use_future);
  REQUIRE(run_until(at.io, [&] { return ready(connected); }));
  CHECK_NOTHROW(connected.get());
  auto received = client.async_receive(asio::use_future);
  REQUIRE(run_until(at.io, [&] { return ready(received); }));
  CHECK(received.get().data == "one");
  auto closed = client.async_close(asio::use_future);
  REQUIRE(run_until(at.io, [&] { return ready(closed); }));
  CHECK_NOTHROW(closed.get());
  auto again = client.async_close(asio::use_future);
  REQUIRE(run_until(at.io, [&] { return ready(again); }));
  CHECK_THROWS_AS(again.get(), std::system_error);
}

TEST_CASE("client: callbacks are never called inline, also when they fail at once", "[client]") {
  asio::io_context io;
  hawser::websocket_client client(io);
  std::vector<std::error_code> seen;
  client.async_connect("not a url", [&](std::error_code e) { seen.push_back(e); });
  client.async_receive([&](std::error_code e, hawser::received_message) { seen.push_back(e); });
  client.async_close([&](std::error_code e) { seen.push_back(e); });
  CHECK(seen.empty());
  REQUIRE(run_until(io, [&] { return seen.size() == 3; }));
  CHECK(seen == std::vector<std::error_code>{errc::bad_url, errc::not_open, errc::not_open});
}

TEST_CASE("client: a lazy operation may be started after its client has gone", "[client]") {
  asio::io_context io;
  std::optional<hawser::websocket_client> client(std::in_place, io);
  std::error_code seen;
  auto later = client->async_connect("ws://127.0.0.1:1/", asio::experimental::deferred);
  client.reset();
  std::move(later)([&](std::error_code e) { seen = e; });
  CHECK(run_until(io, [&] { return bool(seen); }));
  CHECK(seen == asio::error::operation_aborted);
}
