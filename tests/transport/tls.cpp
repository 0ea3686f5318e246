#include <hawser/transport/tls.hpp>

#if HAWSER_WITH_TLS

#include <algorithm>
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
#include <catch2/catch.hpp>

#include "support/certificates.hpp"

namespace {

using hawser::as_bytes;
using hawser::bytes_view;
using hawser::errc;
using hawser::is_would_block;
using hawser::tls_options;
using hawser_test::make_certificates;
using namespace std::literals;

hawser_test::certificates const& own() {
  static auto const made = make_certificates();
  return made;
}

tls_options server_options() {
  return {.certificate_pem = own().certificate, .private_key_pem = own().key};
}

tls_options client_options() { return {.ca_pem = own().ca}; }

template <class Predicate>
bool run_until(asio::io_context& io, Predicate done) {
  auto const deadline = std::chrono::steady_clock::now() + 20s;
  while (!done()) {
    auto const left = deadline - std::chrono::steady_clock::now();
    if (left <= 0s) return false;
    io.restart();
    if (io.run_one_for(left) == 0 && io.stopped() && !done()) return false;  // nothing pending
  }
  return true;
}

template <class Stream>
void shake(Stream& stream, std::optional<std::error_code>& outcome) {
  auto const error = stream.handshake();
  if (!is_would_block(error)) {
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

// Reads by readiness until the end, waiting after every read.
template <class Stream>
struct reader {
  Stream& stream;
  std::vector<std::byte> in;
  std::string got{};
  std::error_code end{};

  reader(Stream& from, std::size_t size) : stream(from), in(size) { wait(); }

  void wait() {
    stream.wait_readable([this](std::error_code failed) {
      auto const read = failed ? hawser::io_result{0, failed} : stream.read_some(in);
      got += hawser::as_text({in.data(), read.bytes});
      if (!read.error || is_would_block(read.error)) return wait();
      end = read.error;
    });
  }
};

// Writes a text as many views of uneven sizes, by readiness.
template <class Stream>
struct writer {
  Stream& stream;
  std::string_view left;
  std::size_t piece;
  std::error_code error{};
  bool done = false;

  void run() {
    while (!left.empty()) {
      std::vector<bytes_view> views;
      for (std::size_t at = 0; at < left.size() && views.size() < 200;) {
        auto const count = std::min(piece + views.size() % 3, left.size() - at);
        views.push_back(as_bytes(left.substr(at, count)));
        at += count;
      }
      auto const wrote = stream.write_some(views);
      left.remove_prefix(wrote.bytes);
      if (is_would_block(wrote.error)) return wait();
      if (wrote.error) {
        error = wrote.error;
        return;
      }
    }
    if (!stream.unsent()) {
      done = true;
      return;
    }
    auto const flushed = stream.write_some({});
    if (is_would_block(flushed.error)) return wait();
    error = flushed.error;
    done = true;
  }
  void wait() {
    stream.wait_writable([this](std::error_code failed) {
      error = failed;
      if (!failed) run();
    });
  }
};

template <class Transport = hawser::tls>
struct joined {
  using stream = typename Transport::stream;

  asio::io_context io;
  typename Transport::context servers;
  typename Transport::context clients;
  typename Transport::acceptor acceptor;
  typename Transport::connector connector;
  std::optional<stream> server{};
  std::optional<stream> client{};
  std::error_code connect_error{};
  std::optional<std::error_code> server_outcome{};
  std::optional<std::error_code> client_outcome{};

  explicit joined(tls_options server_side = server_options(),
                tls_options client_side = client_options())
      : servers(io.get_executor(), server_side),
        clients(io.get_executor(), client_side),
        acceptor(servers),
        connector(clients) {
    REQUIRE(!servers.prepare_server());
    REQUIRE(!clients.prepare_client());
    REQUIRE(!acceptor.open({.host = "127.0.0.1"}));
    REQUIRE(is_would_block(acceptor.accept().error()));
  }

  void connect(std::string const& scheme, std::string const& host = "127.0.0.1") {
    auto const url =
        hawser::http::parse_url(scheme + "://" + host + ":" + std::to_string(acceptor.port()));
    REQUIRE(url);
    acceptor.wait([this](std::error_code error) {
      if (error) return;
      auto taken = acceptor.accept();
      if (taken) server.emplace(std::move(*taken));
    });
    connector.connect(*url, [this](hawser::result<stream> made) {
      connect_error = made.error();
      if (made) client.emplace(std::move(*made));
    });
    REQUIRE(run_until(io, [&] { return connect_error || (client && server); }));
  }

  void handshake() {
    shake(*server, server_outcome);
    shake(*client, client_outcome);
    REQUIRE(run_until(io, [&] { return server_outcome && client_outcome; }));
  }

  void open(std::string const& scheme = "wss") {
    connect(scheme);
    REQUIRE(client);
    handshake();
    REQUIRE(*server_outcome == std::error_code{});
    REQUIRE(*client_outcome == std::error_code{});
  }

  // A peer without TLS says something to our server.
  void say_plainly(std::string_view text) {
    connect("wss");
    auto const bytes = as_bytes(text);
    REQUIRE(client->next_layer().write_some({&bytes, 1}).bytes == text.size());
    shake(*server, server_outcome);
    REQUIRE(run_until(io, [&] { return server_outcome.has_value(); }));
  }
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

}  // namespace

TEST_CASE("tls: the handshake makes a stream secure, by name and by number", "[transport][tls]") {
  std::string const host = GENERATE("127.0.0.1", "localhost");
  joined<> pair;
  pair.connect("wss", host);
  REQUIRE(pair.client);
  REQUIRE_FALSE(pair.client->secure());
  pair.handshake();
  REQUIRE(!*pair.server_outcome);
  REQUIRE(!*pair.client_outcome);
  REQUIRE(pair.client->secure());
  REQUIRE(pair.server->secure());
  REQUIRE(pair.server->remote_address().starts_with("127.0.0.1:"));
  REQUIRE(SSL_version(pair.client->native_handle()) == TLS1_3_VERSION);
  REQUIRE_FALSE(pair.client->unsent());
}

TEST_CASE("tls: bytes of any number arrive through small socket buffers", "[transport][tls]") {
  std::size_t const size = GENERATE(1u, 2u, 100u, 16'383u, 16'384u, 16'385u, 65'536u, 1u << 20);
  std::size_t const in = GENERATE(512u, 16'384u, 65'536u);
  std::size_t const piece = GENERATE(300u, 20'000u);
  joined<> pair;
  pair.open();
  for (auto* stream : {&*pair.client, &*pair.server}) {
    auto& socket = stream->next_layer().next_layer();
    socket.set_option(asio::socket_base::send_buffer_size(4096));
  }
  auto const text = pattern(size);
  reader at_server{*pair.server, in};
  reader at_client{*pair.client, in};
  writer up{*pair.client, text, piece};
  writer down{*pair.server, text, piece};
  up.run();
  down.run();
  REQUIRE(run_until(pair.io, [&] {
    return at_server.got.size() >= size && at_client.got.size() >= size && up.done && down.done;
  }));
  REQUIRE(at_server.got == text);
  REQUIRE(at_client.got == text);
  REQUIRE_FALSE(pair.client->unsent());

  pair.client->shutdown();
  writer rest{*pair.client, {}, 1};  // a buffer that small may be full until TCP acknowledges
  rest.run();
  REQUIRE(run_until(pair.io, [&] { return bool(at_server.end); }));
  REQUIRE(at_server.end == asio::error::eof);
  REQUIRE(at_server.got.size() == size);
  REQUIRE(rest.done);
}

TEST_CASE("tls: a full socket is waited for, and shutdown comes behind the data",
          "[transport][tls]") {
  joined<> pair;
  pair.open();
  std::string const chunk(100'000, 'c');
  auto const view = as_bytes(chunk);
  std::size_t taken = 0;
  for (;;) {
    auto const wrote = pair.client->write_some({&view, 1});
    REQUIRE((!wrote.error || is_would_block(wrote.error)));
    taken += wrote.bytes;
    if (wrote.error) break;
    REQUIRE(taken < (std::size_t{1} << 28));
  }
  REQUIRE(pair.client->unsent());
  REQUIRE(pair.client->wants_write());
  pair.client->shutdown();
  REQUIRE(pair.client->unsent());
  reader at_server{*pair.server, 65'536};
  writer rest{*pair.client, {}, 1};
  rest.run();
  REQUIRE(run_until(pair.io, [&] { return bool(at_server.end); }));
  REQUIRE(at_server.end == asio::error::eof);
  REQUIRE(at_server.got == std::string(taken, 'c'));
  REQUIRE(rest.done);
}

TEST_CASE("tls: what a full buffer left behind wakes the reader at once", "[transport][tls]") {
  joined<> pair;
  pair.open();
  // Three records of ten bytes, read four bytes at a time: the socket is empty after the first.
  for (int i = 0; i < 3; ++i) {
    auto const view = as_bytes("0123456789");
    REQUIRE(pair.client->write_some({&view, 1}).bytes == 10);
  }
  reader at_server{*pair.server, 4};
  REQUIRE(run_until(pair.io, [&] { return at_server.got.size() == 30; }));

  SECTION("and closing aborts that wait") {
    auto const view = as_bytes("0123456789");
    REQUIRE(pair.client->write_some({&view, 1}).bytes == 10);
    REQUIRE(run_until(pair.io, [&] { return at_server.got.size() > 30; }));
    REQUIRE(at_server.got.size() == 34);
    pair.server->close();
    REQUIRE(run_until(pair.io, [&] { return bool(at_server.end); }));
    REQUIRE(at_server.end == asio::error::operation_aborted);
    REQUIRE_FALSE(pair.server->secure());
  }
}

TEST_CASE("tls: streams can be moved between any two calls", "[transport][tls]") {
  joined<> pair;
  pair.connect("wss");
  auto client = std::move(*pair.client);
  std::error_code at_client = hawser::would_block();
  std::error_code at_server = hawser::would_block();
  REQUIRE(run_until(pair.io, [&] {
    auto moved = std::move(client);
    if (is_would_block(at_client)) at_client = moved.handshake();
    if (is_would_block(at_server)) at_server = pair.server->handshake();
    client = std::move(moved);
    asio::post(pair.io, [] {});
    return !is_would_block(at_client) && !is_would_block(at_server);
  }));
  REQUIRE(!at_client);
  REQUIRE(!at_server);
  auto moved = std::move(client);
  auto const view = as_bytes("moved");
  REQUIRE(moved.write_some({&view, 1}).bytes == 5);
  reader at_other{*pair.server, 64};
  REQUIRE(run_until(pair.io, [&] { return at_other.got == "moved"; }));
}

TEST_CASE("tls: an end without close_notify is a truncation", "[transport][tls]") {
  joined<> pair;
  pair.open();
  auto const view = as_bytes("half a message");
  REQUIRE(pair.client->write_some({&view, 1}).bytes == 14);
  reader at_server{*pair.server, 64};
  std::error_code expected;
  SECTION("FIN") {
    // The session ticket must be read before: closing with unread bytes would be a reset.
    bool ticket = false;
    pair.client->wait_readable([&](std::error_code) {
      std::vector<std::byte> in(64);
      ticket = is_would_block(pair.client->read_some(in).error);
    });
    REQUIRE(run_until(pair.io, [&] { return ticket; }));
    pair.client->close();
    expected = make_error_code(errc::stream_truncated);
  }
  SECTION("FIN of one direction") {
    pair.client->next_layer().shutdown();
    expected = make_error_code(errc::stream_truncated);
  }
  SECTION("close_notify") {
    pair.client->shutdown();
    expected = make_error_code(asio::error::eof);
  }
  REQUIRE(run_until(pair.io, [&] { return bool(at_server.end); }));
  REQUIRE(at_server.end == expected);
  REQUIRE(at_server.got == "half a message");
}

TEST_CASE("tls: a reset is neither an end nor a truncation", "[transport][tls]") {
  joined<> pair;
  pair.open();
  reader at_server{*pair.server, 64};
  pair.client->reset();
  REQUIRE(run_until(pair.io, [&] { return bool(at_server.end); }));
  REQUIRE(at_server.end == asio::error::connection_reset);
}

TEST_CASE("tls: after close_notify the other direction goes on", "[transport][tls]") {
  joined<> pair;
  pair.open();
  reader at_server{*pair.server, 64};
  reader at_client{*pair.client, 64};
  pair.client->shutdown();
  REQUIRE(run_until(pair.io, [&] { return bool(at_server.end); }));
  auto const view = as_bytes("still here");
  REQUIRE(pair.server->write_some({&view, 1}).bytes == 10);
  pair.server->shutdown();
  REQUIRE(run_until(pair.io, [&] { return bool(at_client.end); }));
  REQUIRE(at_client.got == "still here");
  REQUIRE(at_client.end == asio::error::eof);
  REQUIRE(pair.client->write_some({&view, 1}).error);
}

TEST_CASE("tls: a peer that doesn't speak TLS is refused", "[transport][tls]") {
  joined<> pair;
  SECTION("an HTTP client") {
    pair.say_plainly("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    REQUIRE(pair.server_outcome->category() == hawser::tls_category());
    REQUIRE(pair.server_outcome->message() == "http request");
  }
  SECTION("garbage") {
    pair.say_plainly(std::string(1000, '\xff'));
    REQUIRE(pair.server_outcome->category() == hawser::tls_category());
    REQUIRE(*pair.server_outcome == hawser::condition::handshake_failed);
  }
  REQUIRE_FALSE(pair.server->secure());
}

TEST_CASE("tls: a peer that goes away in the handshake", "[transport][tls]") {
  joined<> pair;
  pair.connect("wss");
  shake(*pair.server, pair.server_outcome);
  pair.client->close();
  REQUIRE(run_until(pair.io, [&] { return pair.server_outcome.has_value(); }));
  REQUIRE(*pair.server_outcome == errc::stream_truncated);
}

TEST_CASE("tls: a certificate for another host ends both handshakes", "[transport][tls]") {
  auto const wrong = make_certificates({.hosts = {"example.org"}});
  joined<> pair({.certificate_pem = wrong.certificate, .private_key_pem = wrong.key},
              {.ca_pem = wrong.ca});
  pair.connect("wss", "localhost");
  shake(*pair.client, pair.client_outcome);
  shake(*pair.server, pair.server_outcome);
  REQUIRE(run_until(pair.io, [&] { return pair.client_outcome.has_value(); }));
  REQUIRE(pair.client_outcome->category() == hawser::tls_verify_category());
  REQUIRE(pair.client_outcome->value() == X509_V_ERR_HOSTNAME_MISMATCH);
  // The alert was sent by the failing handshake itself.
  REQUIRE(run_until(pair.io, [&] { return pair.server_outcome.has_value(); }));
  REQUIRE(pair.server_outcome->category() == hawser::tls_category());
}

TEST_CASE("tls: a URL without TLS is refused, a server without certificate too",
          "[transport][tls]") {
  joined<> pair;
  pair.connect("ws");
  REQUIRE(pair.connect_error == errc::bad_url);
  REQUIRE_FALSE(pair.client);

  asio::io_context io;
  hawser::tls::context context(io.get_executor(), {});
  REQUIRE(context.prepare_server() == errc::bad_certificate);
  REQUIRE(context.problem() == "certificate_file: a TLS server needs one");
}

TEST_CASE("tls: cancelling a connect reports it once", "[transport][tls]") {
  joined<> pair;
  auto const url = hawser::http::parse_url("wss://127.0.0.1:" +
                                           std::to_string(pair.acceptor.port()));
  std::vector<std::error_code> outcomes;
  pair.connector.connect(*url, [&](auto made) { outcomes.push_back(made.error()); });
  pair.connector.cancel();
  REQUIRE(run_until(pair.io, [&] { return !outcomes.empty(); }));
  pair.io.restart();
  pair.io.poll();
  REQUIRE(outcomes.size() == 1);
  REQUIRE(outcomes[0] == asio::error::operation_aborted);
}

TEST_CASE("tls: a reload counts for the next connection", "[transport][tls]") {
  joined<> pair;
  pair.connect("wss");
  hawser_test::certificate_authority unknown;
  auto const other = unknown.issue();
  REQUIRE(!pair.servers.reload(
      {.certificate_pem = other.certificate, .private_key_pem = other.key}));
  pair.handshake();  // was accepted before
  REQUIRE(!*pair.server_outcome);
  REQUIRE(!*pair.client_outcome);

  pair.server.reset();
  pair.client.reset();
  pair.server_outcome.reset();
  pair.client_outcome.reset();
  pair.connect("wss");
  pair.handshake();
  REQUIRE(pair.client_outcome->category() == hawser::tls_verify_category());

  REQUIRE(pair.servers.reload({.certificate_pem = "rubbish"}) == errc::bad_certificate);
  REQUIRE(pair.servers.problem() == "certificate_pem: no start line");
}

TEST_CASE("tcp_or_tls: the URL and the certificate decide", "[transport][tls]") {
  SECTION("both without") {
    joined<hawser::tcp_or_tls> pair({}, client_options());
    pair.open("ws");
    REQUIRE_FALSE(pair.client->secure());
    REQUIRE_FALSE(pair.server->secure());
    REQUIRE(pair.client->native_handle() == nullptr);
    auto const text = pattern(100'000);
    reader at_server{*pair.server, 4096};
    writer up{*pair.client, text, 1000};
    up.run();
    REQUIRE(run_until(pair.io, [&] { return at_server.got.size() == text.size(); }));
    REQUIRE(at_server.got == text);
    pair.client->shutdown();
    REQUIRE(run_until(pair.io, [&] { return bool(at_server.end); }));
    REQUIRE(at_server.end == asio::error::eof);
  }
  SECTION("both with") {
    joined<hawser::tcp_or_tls> pair;
    pair.open("wss");
    REQUIRE(pair.client->secure());
    REQUIRE(pair.server->secure());
  }
  SECTION("a bad certificate is an error, not a server in the clear") {
    asio::io_context io;
    hawser::tcp_or_tls::context context(io.get_executor(), {.certificate_pem = "rubbish"});
    REQUIRE(context.prepare_server() == errc::bad_certificate);
  }
}

#endif
