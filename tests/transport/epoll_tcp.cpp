// The transport with an epoll set of its own: alone, and below whole servers and clients.
#include <hawser/transport/epoll_tcp.hpp>

#if defined(__linux__)
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <asio/strand.hpp>
#include <catch2/catch.hpp>

#include <hawser/client.hpp>
#include <hawser/server.hpp>

#include "support/loopback.hpp"

using namespace hawser_test;
using namespace std::literals;

namespace {

using executor = asio::io_context::executor_type;
using stream = hawser::epoll_stream<executor>;
using raw = hawser::websocket_policies::with_transport<hawser::epoll_tcp>;
using raw_server = hawser::basic_server<raw>;
using raw_client = hawser::basic_client<raw>;
using event_server = hawser::basic_server<hawser::policies<>::with_transport<hawser::epoll_tcp>>;
using event_client = hawser::basic_client<hawser::policies<>::with_transport<hawser::epoll_tcp>>;

/// A set, and any number of streams in it, each with its far end outside.
struct streams {
  explicit streams(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      asio::local::stream_protocol::socket here(io);
      asio::local::connect_pair(here, far.emplace_back(io));
      auto taken = hawser::socket_stream<executor>::take_over(io.get_executor(), std::move(here));
      REQUIRE(taken);
      auto made = context->adopted(std::move(*taken));
      REQUIRE(made);
      near.push_back(std::make_unique<stream>(std::move(*made)));
    }
  }
  void say(std::size_t which, std::string_view text) {
    far[which].send(asio::buffer(text.data(), text.size()));
  }
  auto remember(std::size_t which) {
    return [this, which](std::error_code error) { told.emplace_back(which, error); };
  }
  std::string hear(std::size_t which) {
    std::array<std::byte, 100> room;
    auto const got = near[which]->read_some(room);
    return got.error ? got.error.message()
                     : std::string(hawser::as_text(hawser::bytes_view(room).first(got.bytes)));
  }

  asio::io_context io;
  std::optional<hawser::epoll_context<executor>> context{std::in_place, io.get_executor(),
                                                         hawser::tcp_options{}};
  std::vector<asio::local::stream_protocol::socket> far;
  std::vector<std::unique_ptr<stream>> near;
  std::vector<std::pair<std::size_t, std::error_code>> told;
};

std::error_code connect(asio::io_context& io, raw_client& client, std::string const& url) {
  std::optional<std::error_code> outcome;
  client.async_connect(url, [&](std::error_code error) { outcome = error; });
  REQUIRE(run_until(io, [&] { return outcome.has_value(); }));
  return *outcome;
}

std::string url_of(raw_server const& server) {
  return "ws://127.0.0.1:" + std::to_string(server.port()) + "/";
}

}  // namespace

TEST_CASE("epoll: a wait ends once, never inside the call, and can be repeated", "[transport]") {
  streams two(2);
  two.say(0, "a");
  two.near[0]->wait_readable(two.remember(0));
  two.near[1]->wait_readable(two.remember(1));
  CHECK(two.told.empty());
  REQUIRE(run_until(two.io, [&] { return two.told.size() == 1; }));
  CHECK(two.told[0] == std::pair(std::size_t{0}, std::error_code()));
  CHECK(two.hear(0) == "a");
  two.say(0, "b");
  two.say(1, "c");
  two.near[0]->wait_readable(two.remember(0));
  REQUIRE(run_until(two.io, [&] { return two.told.size() == 3; }));
  CHECK(two.hear(0) == "b");
  CHECK(two.hear(1) == "c");
}

TEST_CASE("epoll: a loop with nothing to wait for ends", "[transport]") {
  streams two(2);
  CHECK(two.io.run() == 0);
  two.io.restart();
  two.near[0]->wait_readable(two.remember(0));
  two.near[0]->close();
  two.io.run();
  REQUIRE(two.told.size() == 1);
  CHECK(two.told[0].second == asio::error::operation_aborted);
  two.io.restart();
  two.say(1, "x");
  two.near[1]->wait_readable(two.remember(1));
  two.io.run();
  CHECK(two.told.size() == 2);
}

TEST_CASE("epoll: what arrives while nobody waits is neither lost nor spun on", "[transport]") {
  streams two(2);
  two.near[0]->wait_readable(two.remember(0));
  two.say(0, "a");
  REQUIRE(run_until(two.io, [&] { return two.told.size() == 1; }));
  two.near[1]->wait_readable(two.remember(1));  // the loop goes on, and 0 stays readable
  two.io.restart();
  for (int i = 0; i < 3; ++i) two.io.poll();
  CHECK(two.io.poll() == 0);
  two.near[0]->wait_readable(two.remember(0));
  REQUIRE(run_until(two.io, [&] { return two.told.size() == 2; }));
  CHECK(two.hear(0) == "a");
}

TEST_CASE("epoll: a peer that has gone is told, and not for ever", "[transport]") {
  streams two(2);
  two.near[1]->wait_readable(two.remember(1));
  two.near[0]->wait_readable(two.remember(0));
  two.far[0].close();
  REQUIRE(run_until(two.io, [&] { return two.told.size() == 1; }));
  for (int i = 0; i < 3; ++i) two.io.poll();
  CHECK(two.io.poll() == 0);
  two.near[0]->wait_readable(two.remember(0));
  REQUIRE(run_until(two.io, [&] { return two.told.size() == 2; }));
  CHECK(two.hear(0) == make_error_code(asio::error::eof).message());
  CHECK(two.near[0]->write_some(std::array{hawser::as_bytes("x"sv)}).error);
}

TEST_CASE("epoll: a peer that resets, and one that only ends its sending", "[transport]") {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  hawser::epoll_context<executor> context(io.get_executor(), {});
  for (bool const rude : {true, false}) {
    asio::ip::tcp::socket far(io);
    far.connect(acceptor.local_endpoint());
    auto taken = hawser::socket_stream<executor>::take_over(io.get_executor(), acceptor.accept());
    REQUIRE(taken);
    auto near = context.adopted(std::move(*taken));
    REQUIRE(near);
    CHECK(near->remote_address().starts_with("127.0.0.1:"));
    std::vector<std::error_code> told;
    near->wait_readable([&](std::error_code error) { told.push_back(error); });
    if (rude) {
      far.set_option(asio::socket_base::linger(true, 0));
      far.close();
    } else {
      far.shutdown(asio::socket_base::shutdown_send);
    }
    REQUIRE(run_until(io, [&] { return told.size() == 1; }));
    std::array<std::byte, 10> room;
    auto const got = near->read_some(room);
    CHECK(got.error == (rude ? asio::error::make_error_code(asio::error::connection_reset)
                             : asio::error::make_error_code(asio::error::eof)));
    if (rude) continue;
    CHECK(near->write_some(std::array{hawser::as_bytes("still heard"sv)}).bytes == 11);
    near->shutdown();
    std::array<char, 20> heard;
    std::error_code end;
    CHECK(asio::read(far, asio::buffer(heard), end) == 11);
    CHECK(end == asio::error::eof);
  }
}

TEST_CASE("epoll: writability is waited for beside reading", "[transport]") {
  streams one(1);
  std::string const much(1 << 20, 'x');
  std::size_t sent = 0;
  for (;;) {
    auto const wrote =
        one.near[0]->write_some(std::array{hawser::as_bytes(std::string_view(much))});
    if (wrote.error) {
      CHECK(hawser::is_would_block(wrote.error));
      break;
    }
    sent += wrote.bytes;
  }
  one.near[0]->wait_writable(one.remember(7));
  one.near[0]->wait_readable(one.remember(0));
  for (int i = 0; i < 3; ++i) one.io.poll();
  CHECK(one.told.empty());
  std::vector<char> sink(sent);
  asio::read(one.far[0], asio::buffer(sink));
  REQUIRE(run_until(one.io, [&] { return one.told.size() == 1; }));
  CHECK(one.told[0].first == 7);
  for (int i = 0; i < 3; ++i) one.io.poll();
  CHECK(one.io.poll() == 0);
  one.say(0, "y");
  REQUIRE(run_until(one.io, [&] { return one.told.size() == 2; }));
}

TEST_CASE("epoll: a handler closes others that are ready in the same turn", "[transport]") {
  streams many(50);
  int ran = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    many.say(i, "x");
    many.near[i]->wait_readable([&, i](std::error_code error) {
      if (error) return;
      ++ran;
      for (std::size_t other = 0; other < 50; ++other) {
        if (other != i) many.near[other]->close();
      }
      // Its place is taken by another at once, which isn't ready.
      asio::local::stream_protocol::socket here(many.io);
      asio::local::connect_pair(here, many.far.emplace_back(many.io));
      auto taken =
          hawser::socket_stream<executor>::take_over(many.io.get_executor(), std::move(here));
      auto made = many.context->adopted(std::move(*taken));
      many.near.push_back(std::make_unique<stream>(std::move(*made)));
      many.near.back()->wait_readable(many.remember(99));
    });
  }
  REQUIRE(run_until(many.io, [&] { return ran > 0; }));
  for (int i = 0; i < 5; ++i) many.io.poll();
  CHECK(ran == 1);
  CHECK(many.told.empty());
}

TEST_CASE("epoll: an exception of a handler leaves the loop and nothing behind", "[transport]") {
  streams three(3);
  for (std::size_t i = 0; i < 3; ++i) {
    three.say(i, "x");
    three.near[i]->wait_readable([&, i](std::error_code) {
      three.told.emplace_back(i, std::error_code());
      throw i;
    });
  }
  int thrown = 0;
  for (int i = 0; i < 20 && three.told.size() < 3; ++i) {
    try {
      three.io.restart();
      three.io.run_one_for(50ms);
    } catch (std::size_t) {
      ++thrown;
    }
  }
  CHECK(thrown == 3);
  CHECK(three.told.size() == 3);
}

TEST_CASE("epoll: the set goes inside a handler, or before its waits end", "[transport]") {
  auto kept = std::make_shared<int>(0);
  {
    streams two(2);
    two.say(0, "x");
    two.say(1, "x");
    for (std::size_t i = 0; i < 2; ++i) {
      two.near[i]->wait_readable([&, kept](std::error_code error) {
        if (error) return;
        two.near.clear();
        two.context.reset();
      });
    }
    two.io.run();
    CHECK(two.near.empty());
  }
  CHECK(kept.use_count() == 1);
  {
    streams two(2);
    two.near[0]->wait_readable([kept](std::error_code) {});
    two.near[1]->wait_writable([kept](std::error_code) {});
  }
  CHECK(kept.use_count() == 1);
}

TEST_CASE("epoll: a server and many clients on one loop", "[transport]") {
  asio::io_context io;
  raw_server server{io};
  int closed = 0;
  server.on_message([](hawser::websocket from, hawser::message const& m) { from.send(m); });
  server.on_close([&](hawser::websocket, hawser::close_event const&) { ++closed; });
  REQUIRE_FALSE(server.listen({.host = "127.0.0.1"}));
  std::vector<std::unique_ptr<raw_client>> clients;
  std::size_t heard = 0;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<raw_client>(io));
    raw_client& client = *clients.back();
    client.on_message([&](hawser::message const& m) { heard += m.data.size(); });
    client.async_connect(url_of(server), [&client](std::error_code error) {
      REQUIRE_FALSE(error);
      for (int k = 0; k < 10; ++k) REQUIRE_FALSE(client.send("twenty bytes of text"sv));
    });
  }
  REQUIRE(run_until(io, [&] { return heard == 200u * 10 * 20; }));
  std::string const large(300'000, 'x');
  heard = 0;
  REQUIRE_FALSE(clients[7]->send(std::string_view(large)));
  REQUIRE(run_until(io, [&] { return heard == large.size(); }));
  for (std::size_t i = 0; i < 100; ++i) clients[i].reset();
  REQUIRE(run_until(io, [&] { return closed == 100; }));
  server.all().send("everybody"sv);
  heard = 0;
  REQUIRE(run_until(io, [&] { return heard == 100u * 9; }));
  server.stop();
  clients.clear();
  io.restart();
  io.run();  // ends, as nothing is left
}

TEST_CASE("epoll: a peer that doesn't read holds nobody up, and is caught up with", "[transport]") {
  asio::io_context io;
  raw_server::options numbers;
  numbers.backpressure.max_bytes = 64 << 20;
  raw_server server{io, std::move(numbers)};
  std::optional<hawser::websocket> slow;
  int drained = 0;
  server.on_open([&](hawser::websocket s) { slow = s; });
  server.on_drain([&](hawser::websocket) { ++drained; });
  REQUIRE_FALSE(server.listen({.host = "127.0.0.1"}));
  plain_client peer(io, at("127.0.0.1", server.port()));
  REQUIRE(peer.upgrade());
  std::string const large(100'000, 'x');
  for (int i = 0; i < 200; ++i) (void)slow->send(std::string_view(large));
  for (int i = 0; i < 5; ++i) io.poll();
  CHECK(slow->queued().messages > 0);
  REQUIRE(run_until(io, [&] { return peer.heard().size() >= 200 * large.size(); }));
  REQUIRE(run_until(io, [&] { return drained == 1; }));
}

TEST_CASE("epoll: servers and clients go inside their own handlers", "[transport]") {
  for (int victim = 0; victim < 2; ++victim) {
    asio::io_context io;
    auto server = std::make_unique<raw_server>(io);
    auto client = std::make_unique<raw_client>(io);
    bool gone = false;
    server->on_message([&](hawser::websocket from, hawser::message const& m) {
      from.send(m);
      if (victim == 0) server.reset();
      gone = gone || victim == 0;
    });
    client->on_message([&](hawser::message const&) {
      client.reset();
      gone = true;
    });
    REQUIRE_FALSE(server->listen({.host = "127.0.0.1"}));
    REQUIRE_FALSE(connect(io, *client, url_of(*server)));
    REQUIRE_FALSE(client->send("x"sv));
    REQUIRE(run_until(io, [&] { return gone; }));
    client.reset();
    server.reset();
    io.restart();
    io.run();
  }
}

TEST_CASE("epoll: events both ways, and a client that comes back", "[transport]") {
  asio::io_context io;
  auto server = std::make_unique<event_server>(io);
  auto const serve = [&](std::uint16_t port) {
    server->on("sum", [](double a, double b) { return a + b; });
    return server->listen({.host = "127.0.0.1", .port = port});
  };
  REQUIRE_FALSE(serve(0));
  std::uint16_t const port = server->port();
  event_client client{io};
  int connected = 0;
  client.on_connect([&](hawser::client_socket) { ++connected; });
  client.connect("http://127.0.0.1:" + std::to_string(port));
  REQUIRE(run_until(io, [&] { return connected == 1; }));
  double sum = 0;
  client.emit_with_ack("sum", 1.5, 2.25, [&](std::error_code error, double all) {
    REQUIRE_FALSE(error);
    sum = all;
  });
  REQUIRE(run_until(io, [&] { return sum > 3; }));
  server.reset();
  for (int i = 0; i < 20; ++i) io.poll();
  server = std::make_unique<event_server>(io);
  REQUIRE_FALSE(serve(port));
  REQUIRE(run_until(io, [&] { return connected == 2; }));
}

TEST_CASE("epoll: a server adopts a socket that Asio accepted", "[transport]") {
  asio::io_context io;
  raw_server server{io};
  server.on_message([](hawser::websocket from, hawser::message const& m) { from.send(m); });
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  raw_client client{io};
  std::optional<std::error_code> outcome;
  client.async_connect("ws://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/",
                       [&](std::error_code error) { outcome = error; });
  REQUIRE_FALSE(server.adopt(acceptor.accept()));
  REQUIRE(run_until(io, [&] { return outcome.has_value(); }));
  CHECK_FALSE(*outcome);
}

TEST_CASE("epoll: handlers run on a strand, where that is the executor", "[transport]") {
  using strand = asio::strand<executor>;
  using transport = hawser::basic_epoll_tcp<strand>;
  asio::io_context io;
  strand const on = asio::make_strand(io);
  hawser::basic_server<hawser::websocket_policies::with_transport<transport>> server{on};
  bool inside = false;
  server.on_message(
      [&](hawser::websocket, hawser::message const&) { inside = on.running_in_this_thread(); });
  REQUIRE_FALSE(server.listen({.host = "127.0.0.1"}));
  plain_client peer(io, at("127.0.0.1", server.port()));
  REQUIRE(peer.upgrade());
  peer.say(std::string("\x82\x80\x00\x00\x00\x00", 6));
  REQUIRE(run_until(io, [&] { return inside; }));
}
#endif
