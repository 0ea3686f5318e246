#include <hawser/server.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <hawser/client.hpp>

#include "support/certificates.hpp"
#include "support/loopback.hpp"

using namespace hawser_test;
using hawser::errc;

namespace {

hawser::websocket_server::options certified(certificates const& own) {
  hawser::websocket_server::options made;
  made.transport.certificate_pem = own.certificate;
  made.transport.private_key_pem = own.key;
  return made;
}

hawser::websocket_client::options trusting(std::string const& ca) {
  hawser::websocket_client::options made;
  made.transport.ca_pem = ca;
  return made;
}

/// An echo server on 127.0.0.1 that remembers whom it let in.
struct echo {
  explicit echo(hawser::websocket_server::options numbers = {}) : server(io, std::move(numbers)) {
    server.authenticate([this](hawser::handshake const& h, hawser::decision d) {
      secure.push_back(h.secure());
      d.accept();
    });
    server.on_message([](hawser::websocket s, hawser::message const& m) { s.send(m); });
    server.on_close([this](hawser::websocket, hawser::close_event const&) { ++closed; });
    REQUIRE_FALSE(server.listen({.host = "127.0.0.1"}));
  }
  std::string url(std::string const& scheme, std::string const& host = "127.0.0.1") const {
    return scheme + "://" + host + ":" + std::to_string(server.port()) + "/";
  }
  asio::io_context io;
  hawser::websocket_server server;
  std::vector<bool> secure;
  int closed = 0;
};

std::error_code connect(asio::io_context& io, hawser::websocket_client& client, std::string const& url) {
  std::optional<std::error_code> outcome;
  client.async_connect(url, [&](std::error_code error) { outcome = error; });
  REQUIRE(run_until(io, [&] { return outcome.has_value(); }));
  return *outcome;
}

std::string say_and_hear(asio::io_context& io, hawser::websocket_client& client, std::string const& text) {
  std::string heard;
  client.on_message([&](hawser::message const& m) { heard = m.text(); });
  REQUIRE_FALSE(client.send(text));
  REQUIRE(run_until(io, [&] { return !heard.empty(); }));
  return heard;
}

}  // namespace

TEST_CASE("server: speaks TLS with clients that know its authority", "[server]") {
  auto const own = make_certificates();
  echo at(certified(own));
  hawser::websocket_client client(at.io, trusting(own.ca));
  REQUIRE_FALSE(connect(at.io, client, at.url("wss")));
  CHECK(say_and_hear(at.io, client, "hello") == "hello");
  std::string const large(300'000, 'x');
  CHECK(say_and_hear(at.io, client, large) == large);
  CHECK(at.secure == std::vector<bool>{true});

  std::optional<std::error_code> ended;
  client.async_close([&](std::error_code error) { ended = error; });
  REQUIRE(run_until(at.io, [&] { return ended.has_value(); }));
  CHECK_FALSE(*ended);
  CHECK(run_until(at.io, [&] { return at.closed == 1; }));
}

TEST_CASE("server: a client refuses authorities it doesn't know, and other hosts", "[server]") {
  auto const own = make_certificates({.hosts = {"game.example"}});
  echo at(certified(own));
  hawser::websocket_client::options numbers = trusting(own.ca);
  SECTION("an unknown authority") {
    numbers.transport.ca_pem = certificate_authority().issue().ca;
    CHECK(connect(at.io, *std::make_unique<hawser::websocket_client>(at.io, std::move(numbers)),
                  at.url("wss")));
  }
  SECTION("the system's authorities") {
    hawser::websocket_client client(at.io);
    CHECK(connect(at.io, client, at.url("wss")));
    CHECK_FALSE(client.is_open());
  }
  SECTION("a host that the certificate doesn't name") {
    hawser::websocket_client client(at.io, std::move(numbers));
    CHECK(connect(at.io, client, at.url("wss")));
    CHECK_FALSE(client.is_open());
  }
  SECTION("but not with insecure_skip_verify") {
    numbers.transport.insecure_skip_verify = true;
    hawser::websocket_client client(at.io, std::move(numbers));
    REQUIRE_FALSE(connect(at.io, client, at.url("wss")));
    CHECK(say_and_hear(at.io, client, "hello") == "hello");
    return;
  }
  CHECK(at.secure.empty());
  CHECK(at.server.size() == 0);
}

TEST_CASE("server: the same type speaks in the clear without a certificate", "[server]") {
  echo at;
  hawser::websocket_client client(at.io);
  REQUIRE_FALSE(connect(at.io, client, at.url("ws", "localhost")));
  CHECK(say_and_hear(at.io, client, "hello") == "hello");
  CHECK(at.secure == std::vector<bool>{false});
  hawser::websocket_client other(at.io);
  CHECK(connect(at.io, other, at.url("wss")));
}

TEST_CASE("server: a client without TLS gets nothing from one with it", "[server]") {
  auto const own = make_certificates();
  echo at(certified(own));
  hawser::websocket_client client(at.io);
  CHECK(connect(at.io, client, at.url("ws")));
  CHECK(at.secure.empty());
  CHECK(run_until(at.io, [&] { return at.server.counters().objects == 0; }));
  CHECK(at.server.counters().transport_failures == 1);
}

TEST_CASE("server: a certificate that can't be used is an error of listen", "[server]") {
  asio::io_context io;
  auto own = make_certificates();
  own.key = make_certificates().key;
  hawser::websocket_server server(io, certified(own));
  CHECK(server.listen({.host = "127.0.0.1"}) == errc::bad_certificate);
}

TEST_CASE("server: context, server and client go in any order, connections open", "[server]") {
  bool const tls = GENERATE(false, true);
  int const order = GENERATE(range(0, 6));
  bool const busy = GENERATE(false, true);
  CAPTURE(tls, order, busy);
  auto const own = make_certificates();
  auto io = std::make_unique<asio::io_context>();
  int answers = 0, events = 0;
  bool over = false;
  auto server =
      std::make_unique<hawser::websocket_server>(*io, tls ? certified(own) : hawser::websocket_server::options{});
  server->on_message([](hawser::websocket s, hawser::message const& m) { s.send(m); });
  server->on_close([&](hawser::websocket, hawser::close_event const&) { events += over; });
  REQUIRE_FALSE(server->listen({.host = "127.0.0.1"}));
  auto client = std::make_unique<hawser::websocket_client>(*io, trusting(own.ca));
  client->on_close([&](hawser::close_event const&) { events += over; });
  REQUIRE_FALSE(
      connect(*io, *client,
              (tls ? "wss://127.0.0.1:" : "ws://127.0.0.1:") + std::to_string(server->port())));
  hawser::websocket const handle = client->socket();
  if (busy) {
    (void)client->send(std::string(1'000'000, 'x'));
    client->async_receive([&](std::error_code, hawser::received_message) { ++answers; });
    client->async_close([&](std::error_code) { ++answers; });
    io->poll_one();
  }
  over = true;
  static constexpr int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (int const which : orders[order]) {
    if (which == 0) io.reset();
    if (which == 1) server.reset();
    if (which == 2) client.reset();
  }
  CHECK(events == 0);
  CHECK(answers <= 2);
  CHECK(handle.send("late") == errc::not_open);
}

TEST_CASE("server: a client that goes answers what was asked, once, with an abort", "[server]") {
  echo at;
  std::vector<std::error_code> seen;
  {
    hawser::websocket_client client(at.io);
    REQUIRE_FALSE(connect(at.io, client, at.url("ws")));
    client.async_receive([&](std::error_code e, hawser::received_message) { seen.push_back(e); });
    client.async_receive([&](std::error_code e, hawser::received_message) { seen.push_back(e); });
    client.async_close([&](std::error_code e) { seen.push_back(e); });
  }
  CHECK(seen.empty());
  REQUIRE(run_until(at.io, [&] { return seen.size() == 3 && at.closed == 1; }));
  std::error_code const aborted = asio::error::operation_aborted;
  CHECK(seen == std::vector<std::error_code>(3, aborted));
}
