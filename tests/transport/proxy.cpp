// Through an HTTP proxy, in the clear and with TLS; and proxies that say no, nonsense or nothing.
#include <hawser/transport/proxy.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <catch2/catch.hpp>

#include <hawser/transport/tcp.hpp>
#include <hawser/transport/tls.hpp>

#include "support/dialling.hpp"
#include "support/tunnel_proxy.hpp"

using namespace std::literals;
using hawser::errc;
using hawser::tcp_options;
using hawser_test::dialled;
using hawser_test::listener;
using hawser_test::loopback;
using hawser_test::open_sockets;
using hawser_test::run_to_end;
using hawser_test::run_until;
using hawser_test::tunnel_proxy;

namespace {

struct through_proxy {
  asio::io_context io;
  std::optional<tunnel_proxy> proxy{std::in_place, io};
  tcp_options options{.proxy = {.host = "127.0.0.1", .port = proxy->port()}};
  std::optional<hawser::tcp::context> context{};
  std::optional<hawser::tcp::connector> connector{};
  dialled outcome{};

  void start(hawser::http::url const& where) {
    context.emplace(io.get_executor(), options);
    connector.emplace(*context);
    connector->connect(where, outcome.handler());
  }
  std::error_code connect(hawser::http::url const& where) {
    start(where);
    REQUIRE(run_until(io, [&] { return outcome.calls > 0; }));
    REQUIRE(outcome.calls == 1);
    return outcome.error;
  }
  // Nothing is left that could keep the loop busy.
  void check_end() {
    outcome.stream.reset();
    proxy.reset();
    REQUIRE(run_to_end(io));
    CHECK(outcome.calls == 1);
  }
};

std::string read_all(asio::io_context& io, dialled::stream_type& from, std::size_t size) {
  std::string got;
  REQUIRE(run_until(io, [&] {
    char buffer[256];
    auto const read = from.read_some(std::as_writable_bytes(std::span(buffer)));
    got.append(buffer, read.bytes);
    return got.size() >= size || (read.error && !hawser::is_would_block(read.error));
  }));
  return got;
}

}  // namespace

TEST_CASE("proxy: a tunnel to the host of the URL", "[transport]") {
  std::size_t const piece = GENERATE(1u, 7u, 4096u);
  through_proxy it;
  it.proxy->piece = piece;
  listener peer(it.io);
  auto const target = "game.example.com:" + std::to_string(peer.port());
  REQUIRE(!it.connect(loopback(peer.port(), "game.example.com")));
  CHECK(it.proxy->asked == "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n");

  REQUIRE(run_until(it.io, [&] { return it.proxy->tunnels == 1; }));
  auto server = peer.acceptor().accept();
  auto const hello = hawser::as_bytes("hello"sv);
  CHECK(it.outcome.stream->write_some({&hello, 1}).bytes == 5);
  std::string heard(5, '\0');
  REQUIRE(run_until(it.io, [&] { return server.available() == 5; }));
  CHECK(server.receive(asio::buffer(heard)) == 5);
  CHECK(heard == "hello");
  server.send(asio::buffer("welcome", 7));
  CHECK(read_all(it.io, *it.outcome.stream, 7) == "welcome");
  server.close();
  it.check_end();
}

TEST_CASE("proxy: credentials, and an address in brackets", "[transport]") {
  through_proxy it;
  it.options.proxy.user = "Aladdin";
  it.options.proxy.password = "open sesame";
  auto const refused = it.connect(loopback(9, "[2001:db8::1]"));
  (void)refused;  // nobody need listen at port 9
  CHECK(it.proxy->asked ==
        "CONNECT [2001:db8::1]:9 HTTP/1.1\r\nHost: [2001:db8::1]:9\r\n"
        "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
  it.check_end();
}

TEST_CASE("proxy: its name is resolved, not the peer's", "[transport]") {
  through_proxy it;
  listener peer(it.io);
  it.options.proxy.host = "localhost";
  CHECK(!it.connect(loopback(peer.port(), "name.that.is.nowhere.invalid")));
  it.check_end();
}

TEST_CASE("proxy: what it says no with", "[transport]") {
  struct row {
    std::string_view answer;
    errc expected;
  };
  static std::string const long_field = "HTTP/1.1 200 OK\r\nX: " + std::string(9000, 'x');
  static std::string const long_head = [] {
    std::string text = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 50; ++i) text += "X: " + std::string(1000, 'x') + "\r\n";
    return text;
  }();
  static std::string const many_fields = [] {
    std::string text = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 101; ++i) text += "X: x\r\n";
    return text + "\r\n";
  }();
  auto const at = GENERATE(values<row>({
      {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n"
       "Content-Length: 3\r\n\r\nno!",
       errc::proxy_auth_required},
      {"HTTP/1.0 407 x\r\n\r\n", errc::proxy_auth_required},
      {"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", errc::proxy_refused},
      {"HTTP/1.1 502 Bad Gateway\r\n\r\n", errc::proxy_refused},
      {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", errc::proxy_refused},
      {"HTTP/1.1 101 Switching Protocols\r\n\r\n", errc::proxy_refused},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", errc::proxy_refused},
      {"SSH-2.0-OpenSSH_9.0\r\n", errc::proxy_refused},
      {"HTTP/2.0 200 OK\r\n\r\n", errc::proxy_refused},
      {"HTTP/1.1 200 OK\r\n a: b\r\n\r\n", errc::proxy_refused},
      {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", errc::proxy_refused},
      // Bytes that nobody can have sent through the tunnel yet.
      {"HTTP/1.1 200 OK\r\n\r\n\x15\x03\x01", errc::proxy_refused},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", errc::proxy_refused},
      {long_field, errc::field_too_large},
      {long_head, errc::head_too_large},
      {many_fields, errc::too_many_fields},
  }));
  CAPTURE(at.answer.substr(0, 80));
  through_proxy it;
  it.proxy->answer = at.answer;
  it.proxy->piece = at.answer.size();
  it.proxy->ends = true;
  CHECK(it.connect(loopback(9)) == at.expected);
  it.check_end();
}

TEST_CASE("proxy: an end before the answer is a refusal", "[transport]") {
  through_proxy it;
  std::string const answer = GENERATE("H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r");
  it.proxy->answer = answer;
  it.proxy->ends = true;
  CHECK(it.connect(loopback(9)) == errc::proxy_refused);
  it.check_end();
}

TEST_CASE("proxy: bytes that come after the answer, but before ours, are refused", "[transport]") {
  // As the connector does it, but sure of what has arrived when the answer is looked at.
  asio::io_context io;
  listener proxy(io);
  dialled::stream_type::socket dialling(io);
  dialling.connect(proxy.endpoint());
  auto answering = proxy.acceptor().accept();
  dialled::stream_type stream(std::move(dialling));
  bool const early = GENERATE(false, true);
  hawser::proxy_handshake handshake(*hawser::http::write_connect("h", 1), {});
  CHECK(handshake.wants_write());
  CHECK(handshake.advance(stream) == hawser::would_block());
  CHECK_FALSE(handshake.wants_write());
  // The head ends exactly where the handshake's buffer does.
  std::string answer = "HTTP/1.1 200 OK\r\nX: ";
  answer.append(1024 - answer.size() - 4, 'x').append("\r\n\r\n");
  if (early) answer += "early";
  answering.send(asio::buffer(answer));
  REQUIRE(run_until(io, [&] { return stream.next_layer().available() == answer.size(); }));
  CHECK(handshake.advance(stream) ==
        (early ? make_error_code(errc::proxy_refused) : std::error_code{}));
}

TEST_CASE("proxy: one that is silent is given up", "[transport]") {
  through_proxy it;
  it.proxy->answer.clear();
  it.options.proxy_timeout = 20ms;
  auto const before = open_sockets();
  CHECK(it.connect(loopback(9)) == errc::handshake_timeout);
  it.proxy.reset();
  REQUIRE(run_to_end(it.io));
  CHECK(open_sockets() == before - 1);  // the proxy's own listener
}

TEST_CASE("proxy: cancelled while it thinks", "[transport]") {
  bool const destroy = GENERATE(false, true);
  through_proxy it;
  it.proxy->answer.clear();
  auto const before = open_sockets();
  it.start(loopback(9));
  REQUIRE(run_until(it.io, [&] { return !it.proxy->asked.empty(); }));
  CHECK(it.outcome.calls == 0);
  destroy ? it.connector.reset() : it.connector->cancel();
  CHECK(it.outcome.calls == 0);
  it.proxy.reset();
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.calls == 1);
  CHECK(it.outcome.error == asio::error::operation_aborted);
  CHECK(open_sockets() == before - 1);
}

TEST_CASE("proxy: cancelled when the answer is there already", "[transport]") {
  through_proxy it;
  listener quick(it.io);
  it.options.proxy.port = quick.port();
  it.start(loopback(9));
  auto answering = quick.acceptor().accept();
  REQUIRE(run_until(it.io, [&] { return answering.available() > 0; }));
  answering.send(asio::buffer("HTTP/1.1 200 OK\r\n\r\n", 19));
  it.connector->cancel();
  it.connector->cancel();
  it.check_end();
  CHECK(it.outcome.error == asio::error::operation_aborted);
}

TEST_CASE("proxy: one that isn't there, and options that can't be", "[transport]") {
  through_proxy gone;
  gone.options.proxy.port = hawser_test::closed_port(gone.io);
  CHECK(gone.connect(loopback(9)) == asio::error::connection_refused);

  through_proxy it;
  SECTION("no port") { it.options.proxy.port = 0; }
  SECTION("a colon in the name") { it.options.proxy.user = "a:b"; }
  SECTION("a line break") { it.options.proxy.password = "a\r\nX: y"; }
  CHECK(it.connect(loopback(9)) == errc::bad_argument);
  CHECK(it.proxy->asked.empty());
  it.check_end();
}

#if HAWSER_WITH_TLS

#include "support/certificates.hpp"

// -- TLS through the tunnel ----------------------------------------------------------------------

namespace {

template <class Stream>
void shake(Stream& stream, std::optional<std::error_code>& outcome) {
  auto const error = stream.handshake();
  if (!hawser::is_would_block(error)) {
    outcome = error;
    return;
  }
  auto const again = [&](std::error_code failed) {
    if (failed) {
      outcome = failed;
    } else {
      shake(stream, outcome);
    }
  };
  stream.wants_write() ? stream.wait_writable(again) : stream.wait_readable(again);
}

}  // namespace

TEST_CASE("proxy: TLS is with the URL's host, which its certificate must name", "[transport]") {
  using transport = hawser::tls;
  auto const own = hawser_test::make_certificates({.hosts = {"game.example.com"}});
  std::string const host = GENERATE("game.example.com", "127.0.0.1");  // the proxy's is the latter
  bool const pinned = GENERATE(false, true);
  asio::io_context io;
  tunnel_proxy proxy(io);
  transport::context servers(io.get_executor(),
                             {.certificate_pem = own.certificate, .private_key_pem = own.key});
  hawser::tls_options options{.ca_pem = own.ca};
  options.tcp.proxy = {.host = "127.0.0.1", .port = proxy.port()};
  if (pinned) options.pinned_keys = {hawser_test::make_certificates().pin, own.pin};
  transport::context clients(io.get_executor(), options);
  REQUIRE(!servers.prepare_server());
  REQUIRE(!clients.prepare_client());
  transport::acceptor acceptor(servers);
  transport::connector connector(clients);
  REQUIRE(!acceptor.open({.host = "127.0.0.1"}));
  std::optional<transport::stream> server;
  std::optional<transport::stream> client;
  acceptor.wait([&](std::error_code) {
    if (auto taken = acceptor.accept()) server.emplace(std::move(*taken));
  });
  std::error_code failed;
  connector.connect(loopback(acceptor.port(), host, "wss"),
                    [&](hawser::result<transport::stream> made) {
                      failed = made.error();
                      if (made) client.emplace(std::move(*made));
                    });
  REQUIRE(run_until(io, [&] { return failed || (client && server); }));
  REQUIRE(!failed);
  CHECK(proxy.tunnels == 1);
  std::optional<std::error_code> at_server;
  std::optional<std::error_code> at_client;
  shake(*server, at_server);
  shake(*client, at_client);
  REQUIRE(run_until(io, [&] { return at_server && at_client; }));
  if (host == "127.0.0.1") {
    CHECK(at_client->category() == hawser::tls_verify_category());
    return;
  }
  CHECK(!*at_client);
  CHECK(!*at_server);
  CHECK(client->secure());
  CHECK(SSL_get_servername(server->native_handle(), TLSEXT_NAMETYPE_host_name) == host);
}

TEST_CASE("proxy: without TLS a certificate is not asked for, but a proxy is", "[transport]") {
  using transport = hawser::tcp_or_tls;
  asio::io_context io;
  tunnel_proxy proxy(io);
  listener peer(io);
  hawser::tls_options options;
  options.tcp.proxy = {.host = "127.0.0.1", .port = proxy.port()};
  transport::context clients(io.get_executor(), options);
  transport::connector connector(clients);
  std::optional<transport::stream> client;
  connector.connect(loopback(peer.port()), [&](hawser::result<transport::stream> made) {
    if (made) client.emplace(std::move(*made));
  });
  REQUIRE(run_until(io, [&] { return client.has_value(); }));
  CHECK(run_until(io, [&] { return proxy.tunnels == 1; }));
  CHECK_FALSE(client->secure());
}

TEST_CASE("proxy: a reload changes it for the next connection", "[transport]") {
  using transport = hawser::tcp_or_tls;
  asio::io_context io;
  tunnel_proxy proxy(io);
  listener peer(io);
  transport::context clients(io.get_executor(), {});
  transport::connector connector(clients);
  hawser::tls_options options;
  options.tcp.proxy = {.host = "127.0.0.1", .port = proxy.port()};
  REQUIRE(!clients.reload(options));
  bool reached = false;
  connector.connect(loopback(peer.port()), [&](hawser::result<transport::stream> made) {
    reached = made.has_value();
  });
  CHECK(run_until(io, [&] { return reached && proxy.tunnels == 1; }));
}

#endif
