#include <hawser/transport/tls_engine.hpp>

#if HAWSER_WITH_TLS

#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "support/certificates.hpp"

namespace {

using hawser::as_bytes;
using hawser::condition;
using hawser::errc;
using hawser::tls_options;
using hawser_test::make_certificates;
using role = hawser::tls_settings::role;

tls_options server_options(hawser_test::certificates const& own) {
  return {.certificate_pem = own.certificate, .private_key_pem = own.key};
}

tls_options client_options(std::string ca) { return {.ca_pem = std::move(ca)}; }

// A client and a server whose ciphertext travels in pieces of `step` bytes.
struct engine_pair {
  hawser::tls_engine_maker servers;
  hawser::tls_engine_maker clients;
  std::shared_ptr<hawser::tls_engine> server;
  std::shared_ptr<hawser::tls_engine> client;
  std::size_t step = 1 << 20;

  engine_pair(tls_options server_side, tls_options client_side, std::string host = "localhost")
      : servers(std::move(server_side)), clients(std::move(client_side)) {
    REQUIRE(servers.settings().prepare(role::server) == std::error_code{});
    REQUIRE(clients.settings().prepare(role::client) == std::error_code{});
    server = *servers.server();
    client = *clients.client(std::move(host));
  }
  engine_pair() : engine_pair(server_options(own()), client_options(own().ca)) {}

  static hawser_test::certificates const& own() {
    static auto const made = make_certificates();
    return made;
  }

  static std::string take_output(hawser::tls_engine& from) {
    std::string const text(hawser::as_text(from.outgoing()));
    from.sent(text.size());
    return text;
  }

  // Shakes hands until nothing moves any more.
  void shake() {
    std::error_code at_client = client->handshake();
    std::error_code at_server = hawser::would_block();
    for (bool moved = true; moved;) {
      moved = false;
      for (auto* from : {client.get(), server.get()}) {
        auto* const to = from == client.get() ? server.get() : client.get();
        auto& outcome = from == client.get() ? at_server : at_client;
        std::string const bytes = take_output(*from);
        for (std::size_t at = 0; at < bytes.size(); at += step) {
          moved = true;
          to->feed(as_bytes(std::string_view(bytes).substr(at, step)));
          if (hawser::is_would_block(outcome)) outcome = to->handshake();
          to->keep();
        }
      }
    }
    client_error = at_client;
    server_error = at_server;
  }

  // What `to` reads of everything that `from` wrote.
  std::string carry(hawser::tls_engine& from, hawser::tls_engine& to, std::size_t in_size = 1024) {
    std::string got;
    std::vector<std::byte> in(in_size);
    std::string const bytes = take_output(from);
    for (std::size_t at = 0; at <= bytes.size(); at += step) {
      to.feed(as_bytes(std::string_view(bytes).substr(at, step)));
      do {
        std::size_t done = 0;
        last = to.read(in, done);
        got += hawser::as_text({in.data(), done});
      } while (!last);
      to.keep();
      if (!hawser::is_would_block(last)) break;
    }
    return got;
  }

  std::error_code client_error{};
  std::error_code server_error{};
  std::error_code last{};
};

int reason(std::error_code error) {
  REQUIRE(error.category() == hawser::tls_category());
  return ERR_GET_REASON(static_cast<unsigned long>(error.value()));
}

}  // namespace

TEST_CASE("tls engine: a handshake and data pass in pieces of any size", "[transport][tls]") {
  std::size_t const step = GENERATE(1u, 2u, 3u, 5u, 6u, 7u, 100u, 1000u, 1u << 20);
  int const version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  engine_pair pair;
  pair.step = step;
  SSL_set_max_proto_version(pair.client->native_handle(), version);
  pair.shake();
  REQUIRE(pair.client_error == std::error_code{});
  REQUIRE(pair.server_error == std::error_code{});
  REQUIRE(pair.client->established());
  REQUIRE(SSL_version(pair.server->native_handle()) == version);

  std::string const text(20'000, 'x');
  REQUIRE(!pair.client->write(as_bytes(text).first(16'384)));
  REQUIRE(!pair.client->write(as_bytes(text).subspan(16'384)));
  REQUIRE(pair.carry(*pair.client, *pair.server) == text);
  REQUIRE(!pair.server->write(as_bytes("y")));
  REQUIRE(pair.carry(*pair.server, *pair.client, 1) == "y");

  pair.client->close_notify();
  REQUIRE(pair.carry(*pair.client, *pair.server).empty());
  REQUIRE(pair.last == asio::error::eof);
  REQUIRE(!pair.server->write(as_bytes("z")));  // the other direction is still open
  REQUIRE(pair.carry(*pair.server, *pair.client) == "z");
}

TEST_CASE("tls engine: input behind a full buffer is kept", "[transport][tls]") {
  engine_pair pair;
  pair.shake();
  for (int i = 0; i < 3; ++i) REQUIRE(!pair.client->write(as_bytes("abcdef")));
  std::string const wire = engine_pair::take_output(*pair.client);
  std::vector<std::byte> in(4);
  std::string got;
  pair.server->feed(as_bytes(wire));
  for (int reads = 1;; ++reads) {
    std::size_t done = 0;
    auto const error = pair.server->read(in, done);
    pair.server->keep();
    got += hawser::as_text({in.data(), done});
    if (error) break;
    REQUIRE(pair.server->holds_input() == (got.size() < 18));
    REQUIRE(reads < 6);
  }
  REQUIRE(got == "abcdefabcdefabcdef");
  REQUIRE_FALSE(pair.server->holds_input());
}

TEST_CASE("tls engine: a certificate must be valid for the host", "[transport][tls]") {
  struct row {
    char const* host;
    std::vector<std::string> names;
    int expected;
  };
  auto const at = GENERATE(values<row>({
      {"localhost", {"localhost"}, X509_V_OK},
      {"localhost.", {"localhost"}, X509_V_OK},
      {"a.example.org", {"*.example.org"}, X509_V_OK},
      {"a.b.example.org", {"*.example.org"}, X509_V_ERR_HOSTNAME_MISMATCH},
      {"ab.example.org", {"a*.example.org"}, X509_V_ERR_HOSTNAME_MISMATCH},
      {"localhost", {"example.org"}, X509_V_ERR_HOSTNAME_MISMATCH},
      {"localhost", {}, X509_V_ERR_HOSTNAME_MISMATCH},
      {"127.0.0.1", {"localhost", "127.0.0.1"}, X509_V_OK},
      {"::1", {"::1"}, X509_V_OK},
      {"127.0.0.1", {"127.0.0.2", "localhost"}, X509_V_ERR_IP_ADDRESS_MISMATCH},
      {"::1", {"::2"}, X509_V_ERR_IP_ADDRESS_MISMATCH},
  }));
  CAPTURE(at.host, at.names);
  auto const own = make_certificates({.hosts = at.names});
  engine_pair pair(server_options(own), client_options(own.ca), at.host);
  pair.shake();
  if (at.expected == X509_V_OK) {
    REQUIRE(!pair.client_error);
    bool const number = std::string_view(at.host).find_first_not_of("0123456789.:") ==
                        std::string_view::npos;
    char const* const name = SSL_get_servername(pair.server->native_handle(),
                                                TLSEXT_NAMETYPE_host_name);
    REQUIRE((name == nullptr) == number);  // RFC 6066 section 3
    return;
  }
  REQUIRE(pair.client_error.category() == hawser::tls_verify_category());
  REQUIRE(pair.client_error.value() == at.expected);
  REQUIRE(pair.client_error == condition::handshake_failed);
  REQUIRE(pair.client_error.message().find("mismatch") != std::string::npos);
  REQUIRE(reason(pair.server_error) == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE);
}

TEST_CASE("tls engine: a certificate must be current and of a trusted authority",
          "[transport][tls]") {
  using std::chrono::hours;
  SECTION("expired") {
    auto const own = make_certificates({.not_after = -hours(1)});
    engine_pair pair(server_options(own), client_options(own.ca));
    pair.shake();
    REQUIRE(pair.client_error.category() == hawser::tls_verify_category());
    REQUIRE(pair.client_error.value() == X509_V_ERR_CERT_HAS_EXPIRED);
    REQUIRE(reason(pair.server_error) == SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED);
  }
  SECTION("not yet valid") {
    auto const own = make_certificates({.not_before = hours(1)});
    engine_pair pair(server_options(own), client_options(own.ca));
    pair.shake();
    REQUIRE(pair.client_error.value() == X509_V_ERR_CERT_NOT_YET_VALID);
  }
  SECTION("another authority") {
    hawser_test::certificate_authority other;
    engine_pair pair(server_options(other.issue()), client_options(engine_pair::own().ca));
    pair.shake();
    REQUIRE(pair.client_error.category() == hawser::tls_verify_category());
  }
  SECTION("the system's authorities don't know ours") {
    engine_pair pair(server_options(engine_pair::own()), {});
    pair.shake();
    REQUIRE(pair.client_error.category() == hawser::tls_verify_category());
    REQUIRE(pair.client_error.value() == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  }
  SECTION("insecure_skip_verify accepts all that") {
    hawser_test::certificate_authority other;
    auto const own = other.issue({.hosts = {"example.org"}, .not_after = -hours(1)});
    engine_pair pair(server_options(own), {.insecure_skip_verify = true});
    pair.shake();
    REQUIRE(!pair.client_error);
    REQUIRE(!pair.server_error);
  }
}

TEST_CASE("tls engine: one of the pinned keys is demanded, verified or not", "[transport][tls]") {
  bool const skip = GENERATE(false, true);
  auto const own = make_certificates();
  auto const old = make_certificates();
  auto const other = make_certificates();
  auto options = client_options(own.ca);
  options.insecure_skip_verify = skip;
  auto const shake_with = [&](std::vector<std::string> pins) {
    options.pinned_keys = std::move(pins);
    engine_pair pair(server_options(own), options);
    pair.shake();
    return pair.client_error;
  };
  REQUIRE(!shake_with({own.pin}));
  REQUIRE(!shake_with({old.pin, own.pin}));
  REQUIRE(!shake_with({own.pin, old.pin}));
  REQUIRE(shake_with({other.pin}) == errc::pin_mismatch);
  REQUIRE(shake_with({old.pin, other.pin}) == errc::pin_mismatch);
}

TEST_CASE("tls engine: a pinned key does not make up for a certificate", "[transport][tls]") {
  hawser_test::certificate_authority other;
  auto const own = make_certificates();
  engine_pair pair(server_options(own), {.ca_pem = other.issue().ca, .pinned_keys = {own.pin}});
  pair.shake();
  REQUIRE(pair.client_error.category() == hawser::tls_verify_category());
}

TEST_CASE("tls engine: client certificates", "[transport][tls]") {
  auto const own = make_certificates();
  auto server = server_options(own);
  server.ca_pem = own.ca;
  server.require_client_certificate = true;
  auto client = client_options(own.ca);
  SECTION("one of the authority is accepted") {
    client.certificate_pem = own.certificate + own.key;
    engine_pair pair(server, client);
    pair.shake();
    REQUIRE(!pair.server_error);
    REQUIRE(!pair.client_error);
  }
  SECTION("none is refused") {
    engine_pair pair(server, client);
    pair.shake();
    REQUIRE(reason(pair.server_error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE);
  }
  SECTION("one of another authority is refused") {
    hawser_test::certificate_authority authority;
    auto const other = authority.issue();
    client.certificate_pem = other.certificate;
    client.private_key_pem = other.key;
    engine_pair pair(server, client);
    pair.shake();
    REQUIRE(pair.server_error.category() == hawser::tls_verify_category());
  }
}

TEST_CASE("tls engine: ALPN selects ours, and refuses an offer without it", "[transport][tls]") {
  engine_pair pair;
  SSL* const client = pair.client->native_handle();
  auto const offer = [&](std::string_view wire) {
    SSL_set_alpn_protos(client, reinterpret_cast<unsigned char const*>(wire.data()),
                        static_cast<unsigned>(wire.size()));
    pair.shake();
  };
  SECTION("overlap") {
    offer("\x02h2\x08http/1.1");
    REQUIRE(!pair.client_error);
    unsigned char const* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client, &chosen, &size);
    REQUIRE(std::string_view(reinterpret_cast<char const*>(chosen), size) == "http/1.1");
  }
  SECTION("no overlap") {
    offer("\x04imap");
    REQUIRE(reason(pair.server_error) == SSL_R_NO_APPLICATION_PROTOCOL);
    REQUIRE(reason(pair.client_error) == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
  }
  SECTION("no ALPN at all is all right") {
    offer("");
    REQUIRE(!pair.client_error);
    REQUIRE(!pair.server_error);
  }
}

TEST_CASE("tls engine: TLS 1.1 and weak ciphers are refused", "[transport][tls]") {
  engine_pair pair;
  bool const old_server = GENERATE(false, true);
  SSL* const old = (old_server ? pair.server : pair.client)->native_handle();
  SECTION("version") {
    SSL_set_security_level(old, 0);
    SSL_set_cipher_list(old, "ALL:@SECLEVEL=0");
    SSL_set_min_proto_version(old, TLS1_VERSION);
    SSL_set_max_proto_version(old, TLS1_1_VERSION);
    pair.shake();
    REQUIRE(reason(old_server ? pair.client_error : pair.server_error) ==
            (old_server ? SSL_R_TLSV1_ALERT_PROTOCOL_VERSION : SSL_R_UNSUPPORTED_PROTOCOL));
  }
  SECTION("cipher") {
    SSL_set_max_proto_version(old, TLS1_2_VERSION);
    SSL_set_cipher_list(old, "ECDHE-ECDSA-AES128-SHA256");  // CBC
    pair.shake();
    REQUIRE(pair.client_error);
    REQUIRE(reason(pair.server_error) == SSL_R_NO_SHARED_CIPHER);
  }
  REQUIRE_FALSE(pair.client->established());
  REQUIRE_FALSE(pair.server->established());
}

TEST_CASE("tls engine: renegotiation is refused", "[transport][tls]") {
  engine_pair pair;
  SSL* const client = pair.client->native_handle();
  SSL_set_max_proto_version(client, TLS1_2_VERSION);
  SSL_clear_options(client, SSL_OP_NO_RENEGOTIATION);
  pair.shake();
  REQUIRE(!pair.client_error);
  REQUIRE(SSL_renegotiate(client) == 1);
  SSL_do_handshake(client);
  REQUIRE(pair.carry(*pair.client, *pair.server).empty());
  pair.carry(*pair.server, *pair.client);
  REQUIRE(reason(pair.last) == SSL_R_NO_RENEGOTIATION);
}

TEST_CASE("tls engine: a few key updates are served, a flood ends the connection",
          "[transport][tls]") {
  engine_pair pair;
  pair.shake();
  SSL* const client = pair.client->native_handle();
  auto const update = [&] {
    REQUIRE(SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED) == 1);
    REQUIRE(SSL_do_handshake(client) == 1);
  };
  for (int i = 0; i < 10; ++i) {
    update();
    REQUIRE(!pair.client->write(as_bytes("a")));
    REQUIRE(pair.carry(*pair.client, *pair.server) == "a");
    REQUIRE(!pair.server->write(as_bytes("b")));
    REQUIRE(pair.carry(*pair.server, *pair.client) == "b");
  }
  for (std::uint32_t i = 0; i <= hawser::tls_engine::max_control_messages; ++i) update();
  pair.carry(*pair.client, *pair.server);
  REQUIRE(pair.last == errc::control_flood);
}

TEST_CASE("tls engine: damaged ciphertext ends the connection", "[transport][tls]") {
  engine_pair pair;
  pair.shake();
  REQUIRE(!pair.client->write(as_bytes("hello")));
  std::string wire = engine_pair::take_output(*pair.client);
  wire.back() = static_cast<char>(wire.back() ^ 1);
  pair.server->feed(as_bytes(wire));
  std::vector<std::byte> in(64);
  std::size_t done = 0;
  auto const error = pair.server->read(in, done);
  REQUIRE(done == 0);
  REQUIRE(reason(error) == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
  REQUIRE(pair.server->read(in, done) == error);
  REQUIRE_FALSE(pair.server->outgoing().empty());  // the alert
}

TEST_CASE("tls settings: what can't be used is explained", "[transport][tls]") {
  auto const own = make_certificates();
  auto const other = make_certificates();
  struct row {
    tls_options options;
    role as;
    errc expected;
    char const* problem;
  };
  auto const cut = own.certificate.substr(0, own.certificate.size() / 2);
  std::vector<row> const rows{
      {{}, role::server, errc::bad_certificate, "certificate_file: a TLS server needs one"},
      {{.certificate_file = "/nowhere/x.pem"}, role::server, errc::bad_certificate,
       "certificate_file /nowhere/x.pem: "},
      {{.certificate_pem = "rubbish"}, role::server, errc::bad_certificate,
       "certificate_pem: no start line"},
      {{.certificate_pem = cut}, role::server, errc::bad_certificate, "certificate_pem: "},
      {{.certificate_pem = own.certificate + cut, .private_key_pem = own.key}, role::server,
       errc::bad_certificate, "certificate_pem: "},
      {{.certificate_pem = own.certificate}, role::server, errc::bad_certificate,
       "private_key_pem: "},
      {{.certificate_pem = own.certificate, .private_key_file = "/nowhere/k.pem"}, role::server,
       errc::bad_certificate, "private_key_file /nowhere/k.pem: "},
      {{.certificate_pem = own.certificate, .private_key_pem = other.key}, role::server,
       errc::bad_certificate, "private_key_pem: key values mismatch"},
      {{.certificate_pem = own.certificate,
        .private_key_pem = own.key,
        .require_client_certificate = true},
       role::server, errc::bad_certificate, "require_client_certificate: needs ca_file"},
      {{.ca_pem = "rubbish"}, role::client, errc::bad_certificate, "ca_pem: no start line"},
      {{.ca_file = "/nowhere/ca.pem"}, role::client, errc::bad_certificate,
       "ca_file /nowhere/ca.pem: "},
      {{.pinned_keys = {"abc"}}, role::client, errc::bad_argument, "pinned_keys: not SHA-256"},
      {{.pinned_keys = {own.pin, own.pin + "="}},
       role::client,
       errc::bad_argument,
       "pinned_keys: not SHA-256"},
      {{.alpn = {""}}, role::client, errc::bad_argument, "alpn: "},
  };
  for (auto const& at : rows) {
    CAPTURE(at.problem);
    hawser::tls_settings settings(at.options);
    REQUIRE(settings.prepare(at.as) == at.expected);
    CAPTURE(settings.problem());
    REQUIRE(settings.problem().starts_with(at.problem));
    REQUIRE(settings.context(at.as) == nullptr);
    REQUIRE(ERR_peek_error() == 0);
  }
}

TEST_CASE("tls settings: a reload serves new connections, a bad one changes nothing",
          "[transport][tls]") {
  auto const first = make_certificates();
  auto const second = make_certificates();
  engine_pair pair(server_options(first), {.ca_pem = first.ca, .pinned_keys = {first.pin}});
  auto& settings = pair.servers.settings();
  auto const shake_with = [&](std::string const& pin) {
    REQUIRE(!pair.clients.settings().reload({.ca_pem = first.ca, .pinned_keys = {pin}}));
    pair.client = *pair.clients.client("localhost");
    pair.server = *pair.servers.server();
    pair.shake();
    return !pair.client_error;
  };
  // `pair.server` was made before and keeps the old certificate.
  REQUIRE(!settings.reload(server_options(second)));
  pair.shake();
  REQUIRE(!pair.client_error);
  REQUIRE_FALSE(shake_with(first.pin));
  REQUIRE(shake_with(second.pin));

  REQUIRE(settings.reload({.certificate_pem = "rubbish"}) == errc::bad_certificate);
  REQUIRE(settings.problem() == "certificate_pem: no start line");
  REQUIRE(shake_with(second.pin));
  REQUIRE(!settings.reload());
  REQUIRE(shake_with(second.pin));
}

TEST_CASE("tls engine: hosts that can't be are refused, and none is made unprepared",
          "[transport][tls]") {
  hawser::tls_engine_maker maker(tls_options{});
  REQUIRE(maker.client("localhost").error() == errc::no_tls);
  REQUIRE(maker.server().error() == errc::no_tls);
  REQUIRE(!maker.settings().prepare(role::client));
  REQUIRE(maker.client("").error() == errc::bad_url);
  REQUIRE(maker.client(std::string(300, 'a')).error() == errc::bad_url);
  REQUIRE(maker.client("localhost"));
}

#endif
