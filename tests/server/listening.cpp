#include <hawser/server.hpp>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <catch2/catch.hpp>

#include "support/loopback.hpp"

using namespace hawser_test;
using hawser::errc;
using tcp_server = hawser::basic_server<hawser::websocket_policies::with_transport<hawser::tcp>>;

namespace {

/// A server that remembers the addresses of those who came.
struct listening {
  listening() {
    server.on_open([this](hawser::websocket s) { addresses.push_back(s.remote_address()); });
    server.on_error([this](std::error_code error, std::string_view) { errors.push_back(error); });
  }
  bool lets_in(plain_client::endpoint const& to) {
    plain_client client(io, to);
    return !client.error() && client.upgrade();
  }
  asio::io_context io;
  tcp_server server{io};
  std::vector<std::string> addresses;
  std::vector<std::error_code> errors;
};

bool has_ipv6() {
  asio::io_context io;
  asio::ip::tcp::acceptor probe(io);
  std::error_code error;
  probe.open(asio::ip::tcp::v6(), error);
  if (!error) probe.bind({asio::ip::make_address("::1"), 0}, error);
  return !error;
}

/// A path in a folder of its own, which goes with it.
struct temporary {
  temporary() {
    std::string name = (std::filesystem::temp_directory_path() / "hawser-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    path = folder + "/socket";
  }
  ~temporary() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  bool is_socket() const { return std::filesystem::is_socket(path); }
  plain_client::endpoint endpoint() const { return asio::local::stream_protocol::endpoint(path); }
  std::string folder;
  std::string path;
};

}  // namespace

TEST_CASE("server: listens on an IPv4 number", "[server]") {
  listening at_four;
  REQUIRE_FALSE(at_four.server.listen({.host = "127.0.0.1"}));
  REQUIRE(at_four.server.port() != 0);
  REQUIRE(at_four.lets_in(at("127.0.0.1", at_four.server.port())));
  REQUIRE(at_four.addresses.size() == 1);
  CHECK(at_four.addresses[0].starts_with("127.0.0.1:"));
}

TEST_CASE("server: listens on an IPv6 number, and then on nothing else", "[server]") {
  if (!has_ipv6()) return;
  listening at_six;
  REQUIRE_FALSE(at_six.server.listen({.host = "::1"}));
  REQUIRE(at_six.lets_in(at("::1", at_six.server.port())));
  CHECK(at_six.addresses.at(0).starts_with("[::1]:"));
  plain_client other(at_six.io, at("127.0.0.1", at_six.server.port()));
  CHECK(other.error() == asio::error::connection_refused);
}

TEST_CASE("server: without a host both families come in, IPv4 under its own name", "[server]") {
  listening both;
  REQUIRE_FALSE(both.server.listen({}));
  REQUIRE(both.lets_in(at("127.0.0.1", both.server.port())));
  CHECK(both.addresses.at(0).starts_with("127.0.0.1:"));
  if (!has_ipv6()) return;
  REQUIRE(both.lets_in(at("::1", both.server.port())));
  CHECK(both.addresses.at(1).starts_with("[::1]:"));
}

TEST_CASE("server: listens on several addresses at once", "[server]") {
  listening many;
  temporary const place;
  REQUIRE_FALSE(many.server.listen({.host = "127.0.0.1"}));
  std::uint16_t const first = many.server.port();
  REQUIRE_FALSE(many.server.listen({.host = "127.0.0.2", .port = first}));
  REQUIRE_FALSE(many.server.listen({.path = place.path}));
  CHECK(many.server.port() == first);
  REQUIRE(many.lets_in(at("127.0.0.1", first)));
  REQUIRE(many.lets_in(at("127.0.0.2", first)));
  REQUIRE(many.lets_in(place.endpoint()));
  CHECK(many.addresses.at(2) == "unix");
  many.server.stop();
  plain_client late(many.io, at("127.0.0.1", first));
  CHECK(late.error() == asio::error::connection_refused);
}

TEST_CASE("server: listens on a name, on one port for all its addresses", "[server]") {
  listening named;
  REQUIRE_FALSE(named.server.listen({.host = "localhost"}));
  std::uint16_t const port = named.server.port();
  bool const four = named.lets_in(at("127.0.0.1", port));
  bool const six = has_ipv6() && named.lets_in(at("::1", port));
  CHECK((four || six));
}

TEST_CASE("server: a port in use, a foreign address and an unknown name are errors", "[server]") {
  listening first, second;
  REQUIRE_FALSE(first.server.listen({.host = "127.0.0.1"}));
  CHECK(second.server.listen({.host = "127.0.0.1", .port = first.server.port()}) ==
        asio::error::address_in_use);
  CHECK(second.server.listen({.host = "192.0.2.1"}));
  CHECK(second.server.listen({.host = "no such name"}));
  CHECK(second.server.port() == 0);
  REQUIRE_FALSE(second.server.listen({.host = "127.0.0.1"}));
  CHECK(second.lets_in(at("127.0.0.1", second.server.port())));
}

TEST_CASE("server: a unix path is there while it listens", "[server]") {
  temporary const place;
  {
    listening local;
    REQUIRE_FALSE(local.server.listen({.path = place.path}));
    CHECK(place.is_socket());
    CHECK(local.server.port() == 0);
    REQUIRE(local.lets_in(place.endpoint()));
    CHECK(local.addresses.at(0) == "unix");
  }
  CHECK_FALSE(std::filesystem::exists(place.path));
}

TEST_CASE("server: a dead unix socket is replaced, a live one and other files are not",
          "[server]") {
  temporary const place;
  {
    asio::io_context io;
    asio::local::stream_protocol::acceptor crashed(
        io, asio::local::stream_protocol::endpoint(place.path));
  }
  REQUIRE(place.is_socket());
  {
    listening first, second;
    REQUIRE_FALSE(first.server.listen({.path = place.path}));
    CHECK(first.lets_in(place.endpoint()));
    CHECK(second.server.listen({.path = place.path}) == errc::address_in_use_by_other);
    CHECK(first.lets_in(place.endpoint()));
  }
  std::string const text = place.folder + "/text";
  std::ofstream(text) << "precious";
  {
    listening other;
    CHECK(other.server.listen({.path = text}) == errc::address_in_use_by_other);
    CHECK(other.server.listen({.path = place.folder}) == errc::address_in_use_by_other);
    CHECK(other.server.listen({.path = std::string(200, 'x')}) == errc::bad_argument);
  }
  std::string kept;
  std::ifstream(text) >> kept;
  CHECK(kept == "precious");
}

TEST_CASE("server: without descriptors it waits, and goes on when there are some", "[server]") {
  listening tight;
  REQUIRE_FALSE(tight.server.listen({.host = "127.0.0.1"}));
  auto const port = tight.server.port();
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);

  // Clients first, while there are descriptors: the backlog takes them.
  std::vector<std::unique_ptr<plain_client>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<plain_client>(tight.io, at("127.0.0.1", port)));
    REQUIRE_FALSE(clients.back()->error());
  }
  int const next = ::dup(0);
  REQUIRE(next > 0);
  ::close(next);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(next) + 10;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  auto const until = std::chrono::steady_clock::now() + std::chrono::milliseconds(600);
  std::size_t handlers = 0;
  while (std::chrono::steady_clock::now() < until) {
    handlers += tight.io.run_one_until(until);
  }
  auto const failures = tight.server.counters().accept_failures;
  ::setrlimit(RLIMIT_NOFILE, &before);

  // A failure, then pauses of 50, 100, 200 ms: not one failure for each turn of the loop.
  CHECK(failures >= 2);
  CHECK(failures <= 8);
  CHECK(tight.errors.size() == failures);
  CHECK(handlers < 200);
  CHECK(tight.server.counters().accepted <= 10);

  clients.erase(clients.begin(), clients.begin() + 100);
  CHECK(run_until(tight.io, [&] { return tight.server.counters().accepted >= 150; }));
  CHECK(tight.lets_in(at("127.0.0.1", port)));
}

TEST_CASE("server: may be stopped or destroyed when accepting fails", "[server]") {
  asio::io_context io;
  std::optional<tcp_server> server(std::in_place, io);
  bool const destroy = GENERATE(false, true);
  int told = 0;
  server->on_error([&](std::error_code, std::string_view) {
    ++told;
    destroy ? server.reset() : server->stop();
  });
  REQUIRE_FALSE(server->listen({.host = "127.0.0.1"}));
  plain_client client(io, at("127.0.0.1", server->port()));
  int const next = ::dup(0);
  ::close(next);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(next);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  bool const asked = run_until(io, [&] { return told > 0; });
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(asked);
  io.restart();
  io.poll();
  CHECK(told == 1);
}

TEST_CASE("server: takes over a connection that the program accepted", "[server]") {
  asio::io_context io;
  tcp_server server(io);
  std::vector<std::string> said;
  server.on_message([&](hawser::websocket s, hawser::message const& m) {
    said.emplace_back(m.text());
    s.send(m);
  });
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  plain_client client(io, acceptor.local_endpoint());
  asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type> accepted(io);
  acceptor.accept(accepted);
  std::string const hello("\x81\x85\0\0\0\0hello", 11);

  SECTION("with nothing read yet") {
    server.adopt(hawser::tcp::stream(std::move(accepted)));
    REQUIRE(client.upgrade());
    client.say(hello);
  }
  SECTION("with a part of the request") {
    server.adopt(hawser::tcp::stream(std::move(accepted)),
                 hawser::as_bytes(upgrade_request.substr(0, 40)));
    client.say(upgrade_request.substr(40));
    client.say(hello);
  }
  SECTION("with the request and a message behind it") {
    server.adopt(hawser::tcp::stream(std::move(accepted)),
                 hawser::as_bytes(std::string(upgrade_request) + hello));
  }
  SECTION("with a request that the program has parsed") {
    hawser::http::request_parser parser;
    auto const got = parser.parse(upgrade_request);
    REQUIRE(got.done);
    server.adopt(hawser::tcp::stream(std::move(accepted)), hawser::as_bytes(hello), parser.take());
  }
  REQUIRE(client.hears("HTTP/1.1 101 "));
  REQUIRE(client.hears("\x81\x05hello"));
  CHECK(said == std::vector<std::string>{"hello"});
  CHECK(server.size() == 1);
  client.close();
  CHECK(run_until(io, [&] { return server.size() == 0; }));
}
