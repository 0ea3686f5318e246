// Turns tls_options into OpenSSL's SSL_CTX, and says what is wrong with them.
#pragma once

#include <hawser/transport/tls_error.hpp>

#if HAWSER_WITH_TLS

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <hawser/codec/base64.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/transport/tls_options.hpp>

namespace hawser::inline HAWSER_ABI {

/// Owns an object of OpenSSL.
template <class T>
class tls_ptr {
 public:
  tls_ptr() noexcept = default;
  explicit tls_ptr(T* it) noexcept : it_(it) {}
  tls_ptr(tls_ptr&& other) noexcept : it_(std::exchange(other.it_, nullptr)) {}
  tls_ptr& operator=(tls_ptr&& other) noexcept {
    std::swap(it_, other.it_);
    return *this;
  }
  ~tls_ptr() {
    if (it_) free(it_);
  }

  T* get() const noexcept { return it_; }
  explicit operator bool() const noexcept { return it_ != nullptr; }

 private:
  static void free(BIO* it) noexcept { BIO_free(it); }
  static void free(BIO_METHOD* it) noexcept { BIO_meth_free(it); }
  static void free(EVP_PKEY* it) noexcept { EVP_PKEY_free(it); }
  static void free(SSL* it) noexcept { SSL_free(it); }
  static void free(SSL_CTX* it) noexcept { SSL_CTX_free(it); }
  static void free(X509* it) noexcept { X509_free(it); }

  T* it_ = nullptr;
};

/// The settings of one server or client. Connections that exist keep the SSL_CTX that they were
/// made with; this object must outlive them all.
class tls_settings {
 public:
  enum class role { server, client };

  /// The verdict on a server whose key is not pinned; nothing else leads to it.
  static constexpr int wrong_key = X509_V_ERR_APPLICATION_VERIFICATION;

  explicit tls_settings(tls_options options) : options_(std::move(options)) {}
  tls_settings(tls_settings const&) = delete;
  tls_settings& operator=(tls_settings const&) = delete;

  tls_options const& options() const noexcept { return options_; }

  bool has_certificate() const noexcept {
    return !options_.certificate_file.empty() || !options_.certificate_pem.empty();
  }

  /// Null until prepared.
  SSL_CTX* context(role as) const noexcept {
    return as == role::server ? server_.get() : client_.get();
  }

  /// Loads everything. Errors: `errc::bad_certificate` and `errc::bad_argument`, explained by
  /// `problem()`.
  std::error_code prepare(role as) {
    if (auto const error = decode()) return error;
    return build(as, as == role::server ? server_ : client_);
  }

  /// Loads everything again, for new connections. After an error everything is as before.
  std::error_code reload(tls_options options) {
    std::swap(options_, options);
    tls_ptr<SSL_CTX> server;
    tls_ptr<SSL_CTX> client;
    std::error_code error = decode();
    if (!error && server_) error = build(role::server, server);
    if (!error && client_) error = build(role::client, client);
    if (error) {
      std::string why = std::move(problem_);
      options_ = std::move(options);
      static_cast<void>(decode());
      problem_ = std::move(why);
      return error;
    }
    if (server) server_ = std::move(server);
    if (client) client_ = std::move(client);
    return {};
  }

  std::error_code reload() { return reload(options_); }

  /// What the last `prepare` or `reload` found wrong, for a log: "certificate_file /x.pem: ...".
  std::string const& problem() const noexcept { return problem_; }

  /// Was this protocol offered? Any is fine when none was.
  bool offered(std::string_view protocol) const noexcept {
    return options_.alpn.empty() ||
           std::find(options_.alpn.begin(), options_.alpn.end(), protocol) != options_.alpn.end();
  }

 private:
  // The options that aren't for OpenSSL to read.
  std::error_code decode() {
    problem_.clear();
    alpn_.clear();
    for (auto const& protocol : options_.alpn) {
      if (protocol.empty() || protocol.size() > 255) return fail(errc::bad_argument, "alpn", "");
      alpn_ += static_cast<char>(protocol.size());
      alpn_ += protocol;
    }
    pins_.clear();
    for (auto const& key : options_.pinned_keys) {
      auto pin = codec::base64_decode(key);
      if (!pin || pin->size() != 32) {
        return fail(errc::bad_argument, "pinned_keys", "", "not SHA-256 in base64");
      }
      pins_.push_back(std::move(*pin));
    }
    return {};
  }

  std::error_code build(role as, tls_ptr<SSL_CTX>& into) {
    ERR_clear_error();
    bool const server = as == role::server;
    tls_ptr<SSL_CTX> made(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
    SSL_CTX* const ctx = made.get();
    // Of the TLS 1.2 suites only those; the ones of TLS 1.3 are all of that kind.
    if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) {
      return fail(errc::no_tls, "OpenSSL", "");
    }
    SSL_CTX_set_options(
        ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Idle connections give their buffers back: about 34 KB each.
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    // Tickets need no cache, and clients here don't resume.
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (server) {
      static constexpr unsigned char name[] = "hawser";  // asked for when clients are verified
      SSL_CTX_set_session_id_context(ctx, name, sizeof name - 1);
      SSL_CTX_set_num_tickets(ctx, 1);
      SSL_CTX_set_max_early_data(ctx, 0);
    }
    if (has_certificate()) {
      if (auto const error = load_certificate(ctx)) return error;
    } else if (server) {
      return fail(errc::bad_certificate, "certificate_file", "", "a TLS server needs one");
    }
    if (auto const error = load_trust(ctx, server)) return error;
    if (!alpn_.empty()) {
      if (server) {
        SSL_CTX_set_alpn_select_cb(ctx, &select_alpn, this);
      } else if (SSL_CTX_set_alpn_protos(ctx, bytes_of(alpn_), length_of(alpn_)) != 0) {
        return fail(errc::bad_argument, "alpn", "");
      }
    }
    into = std::move(made);
    return {};
  }

  std::error_code load_certificate(SSL_CTX* ctx) {
    auto const& file = options_.certificate_file;
    auto const& text = options_.certificate_pem;
    char const* const option = text.empty() ? "certificate_file" : "certificate_pem";
    tls_ptr<BIO> source = open(file, text);
    // The empty password keeps OpenSSL from asking on the terminal.
    tls_ptr<X509> leaf(source ? PEM_read_bio_X509_AUX(source.get(), nullptr, nullptr, no_password())
                              : nullptr);
    if (!leaf || SSL_CTX_use_certificate(ctx, leaf.get()) != 1) {
      return fail(errc::bad_certificate, option, text.empty() ? file : "");
    }
    while (tls_ptr<X509> next{PEM_read_bio_X509(source.get(), nullptr, nullptr, no_password())}) {
      if (SSL_CTX_add1_chain_cert(ctx, next.get()) != 1) {
        return fail(errc::bad_certificate, option, text.empty() ? file : "");
      }
    }
    // The end of the file is an error to the PEM reader; a damaged certificate is one to us.
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
      return fail(errc::bad_certificate, option, text.empty() ? file : "");
    }
    ERR_clear_error();
    bool const apart = !options_.private_key_file.empty() || !options_.private_key_pem.empty();
    return load_key(ctx, apart ? options_.private_key_file : file,
                    apart ? options_.private_key_pem : text);
  }

  std::error_code load_key(SSL_CTX* ctx, std::string const& file, std::string const& text) {
    char const* const option = text.empty() ? "private_key_file" : "private_key_pem";
    tls_ptr<BIO> const source = open(file, text);
    auto* const password = const_cast<char*>(options_.private_key_password.c_str());
    tls_ptr<EVP_PKEY> const key(
        source ? PEM_read_bio_PrivateKey(source.get(), nullptr, nullptr, password) : nullptr);
    if (!key || SSL_CTX_use_PrivateKey(ctx, key.get()) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1) {
      return fail(errc::bad_certificate, option, text.empty() ? file : "");
    }
    return {};
  }

  std::error_code load_trust(SSL_CTX* ctx, bool server) {
    bool const own = !options_.ca_file.empty() || !options_.ca_pem.empty();
    if (server) {
      if (!options_.require_client_certificate) return {};
      if (!own) {
        return fail(errc::bad_certificate, "require_client_certificate", "",
                    "needs ca_file or ca_pem");
      }
      SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      return load_authorities(ctx, true);
    }
    if (options_.insecure_skip_verify && pins_.empty()) {
      SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, nullptr);
      return {};
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(ctx, &verify_server, this);
    if (own) return load_authorities(ctx, false);
    if (SSL_CTX_set_default_verify_paths(ctx) != 1) {
      return fail(errc::bad_certificate, "the system's authorities", "");
    }
    return {};
  }

  std::error_code load_authorities(SSL_CTX* ctx, bool announce) {
    auto const& file = options_.ca_file;
    auto const& text = options_.ca_pem;
    char const* const option = text.empty() ? "ca_file" : "ca_pem";
    tls_ptr<BIO> const source = open(file, text);
    bool any = false;
    while (source) {
      tls_ptr<X509> const next(
          PEM_read_bio_X509_AUX(source.get(), nullptr, nullptr, no_password()));
      if (!next) break;
      if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), next.get()) != 1 ||
          (announce && SSL_CTX_add_client_CA(ctx, next.get()) != 1)) {
        return fail(errc::bad_certificate, option, text.empty() ? file : "");
      }
      any = true;
    }
    if (!any || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
      return fail(errc::bad_certificate, option, text.empty() ? file : "");
    }
    ERR_clear_error();
    return {};
  }

  static void* no_password() noexcept { return const_cast<char*>(""); }

  static tls_ptr<BIO> open(std::string const& file, std::string const& text) {
    if (text.empty()) return tls_ptr<BIO>(BIO_new_file(file.c_str(), "r"));
    if (text.size() > std::numeric_limits<int>::max()) return {};
    return tls_ptr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  }

  std::error_code fail(errc code, std::string_view option, std::string_view file,
                       std::string_view why = {}) {
    problem_ = option;
    if (!file.empty()) (problem_ += ' ') += file;
    problem_ += ": ";
    auto const error = make_error_code(code);
    unsigned long const reason = ERR_peek_error();
    if (!why.empty()) {
      problem_ += why;
    } else {
      problem_ += reason != 0 ? tls_error(reason).message() : error.message();
    }
    ERR_clear_error();
    return error;
  }

  static unsigned char const* bytes_of(std::string const& text) noexcept {
    return reinterpret_cast<unsigned char const*>(text.data());
  }
  static unsigned length_of(std::string const& text) noexcept {
    return static_cast<unsigned>(text.size());
  }

  static int select_alpn(SSL*, unsigned char const** chosen, unsigned char* size,
                         unsigned char const* offer, unsigned offer_size, void* self) {
    auto const& ours = static_cast<tls_settings const*>(self)->alpn_;
    unsigned char* found = nullptr;
    int const outcome =
        SSL_select_next_proto(&found, size, bytes_of(ours), length_of(ours), offer, offer_size);
    *chosen = found;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  static int verify_server(X509_STORE_CTX* store, void* self) {
    auto const& settings = *static_cast<tls_settings const*>(self);
    bool good = X509_verify_cert(store) == 1;
    if (!good && settings.options_.insecure_skip_verify) {
      X509_STORE_CTX_set_error(store, X509_V_OK);
      good = true;
    }
    if (good && !settings.is_pinned(X509_STORE_CTX_get0_cert(store))) {
      X509_STORE_CTX_set_error(store, wrong_key);
      good = false;
    }
    return good ? 1 : 0;
  }

  bool is_pinned(X509 const* certificate) const {
    return pins_.empty() ||
           std::find(pins_.begin(), pins_.end(), spki_sha256(certificate)) != pins_.end();
  }

  static std::string spki_sha256(X509 const* certificate) {
    unsigned char* der = nullptr;
    int const size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    if (size > 0) {
      EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), &length, EVP_sha256(),
                 nullptr);
      OPENSSL_free(der);
    }
    return {reinterpret_cast<char const*>(digest.data()), length};
  }

  tls_options options_;
  std::string alpn_;               // as on the wire
  std::vector<std::string> pins_;  // 32 octets each
  std::string problem_;
  tls_ptr<SSL_CTX> server_;
  tls_ptr<SSL_CTX> client_;
};

}  // namespace hawser::inline HAWSER_ABI

#endif
