// TLS without a socket: ciphertext in, plaintext out, and the other way round.
#pragma once

#include <hawser/transport/tls_settings.hpp>

#if HAWSER_WITH_TLS

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <openssl/ssl3.h>
#include <openssl/x509v3.h>

#include <hawser/core/buffer.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI {

/// Memory that the connections of one server or client use in turns: nothing stays in it between
/// two calls, so that a connection needs none of its own.
class tls_scratch {
 public:
  static constexpr std::size_t input_size = std::size_t{64} * 1024;
  static constexpr std::size_t record_size = SSL3_RT_MAX_PLAIN_LENGTH;
  static constexpr std::size_t records_per_send = 4;

  /// For ciphertext that arrives.
  mutable_bytes input() { return {allocated(), input_size}; }
  /// For what goes into one record.
  mutable_bytes record() { return {allocated() + input_size, record_size}; }

  byte_buffer output;  ///< ciphertext to send

 private:
  std::byte* allocated() {
    if (!memory_) {
      memory_.reset(new std::byte[input_size + record_size]);
      output.prepare(records_per_send * (record_size + SSL3_RT_MAX_ENCRYPTED_OVERHEAD));
    }
    return memory_.get();
  }

  std::unique_ptr<std::byte[]> memory_;
};

/// The BIO through which OpenSSL reads from and writes into an engine. One for each context; must
/// outlive its engines.
class tls_bio_method;

/// One side of one TLS connection. Each step reads the ciphertext it was fed and appends what is
/// to be sent to the scratch's output; the caller does both transfers. Not movable: OpenSSL holds
/// its address.
class tls_engine {
 public:
  /// Session tickets, key updates, refused renegotiations: a connection that has seen more of them
  /// than this is attacked. An honest one has a handful in a day.
  static constexpr std::uint32_t max_control_messages = 1024;

  /// `ssl` is fresh and knows its role.
  tls_engine(tls_ptr<SSL> ssl, tls_bio_method const& method, tls_scratch& scratch,
             tls_settings const& settings) noexcept;
  tls_engine(tls_engine const&) = delete;
  tls_engine& operator=(tls_engine const&) = delete;

  /// The next ciphertext. The view must live until `keep()`.
  void feed(bytes_view ciphertext) noexcept { input_ = ciphertext; }

  /// Saves fed bytes that were not wanted yet.
  void keep() {
    kept_.append(std::exchange(input_, {}));
    if (kept_.empty()) kept_.release();
  }

  /// Can the next `read` do something without being fed?
  bool holds_input() const noexcept {
    return failure_ || !kept_.empty() || SSL_pending(ssl_.get()) > 0;
  }

  /// Zero when done, `would_block()` when it needs more input.
  std::error_code handshake() {
    if (established_ || failure_) return failure_;
    ERR_clear_error();
    int const outcome = SSL_do_handshake(ssl_.get());
    if (outcome != 1) return explain(outcome);
    unsigned char const* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
    if (size > 0 && !settings_.offered({reinterpret_cast<char const*>(protocol), size})) {
      return failure_ = tls_reason(SSL_R_BAD_EXTENSION);
    }
    established_ = true;
    return {};
  }

  /// Decrypts into `in` from `done` on, which it moves. Zero when `in` is full, `would_block()`
  /// when all input is used up, `asio::error::eof` after the peer's close_notify.
  std::error_code read(mutable_bytes in, std::size_t& done) {
    while (!failure_ && done < in.size()) {
      ERR_clear_error();
      std::size_t bytes = 0;
      int const outcome = SSL_read_ex(ssl_.get(), in.data() + done, in.size() - done, &bytes);
      done += bytes;
      if (control_messages_ > max_control_messages) {
        failure_ = make_error_code(errc::control_flood);
      } else if (outcome != 1) {
        return explain(outcome);
      }
    }
    return failure_;
  }

  /// Encrypts one record's worth of plaintext.
  std::error_code write(bytes_view plaintext) {
    if (!established_) return make_error_code(errc::not_open);
    ERR_clear_error();
    std::size_t bytes = 0;
    int const outcome = SSL_write_ex(ssl_.get(), plaintext.data(), plaintext.size(), &bytes);
    if (outcome == 1) return {};
    auto const error = explain(outcome);
    // The peer began a message of the handshake and keeps the rest back.
    return is_would_block(error) ? failure_ = tls_reason(SSL_R_UNEXPECTED_MESSAGE) : error;
  }

  /// Says that nothing more will be sent.
  void close_notify() {
    if (!established_ || fatal_) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  /// Remembers for its stream that the sending direction ends with what is `outgoing()`, and gives
  /// that back once.
  void end_when_sent() noexcept { ends_ = true; }
  bool takes_end() noexcept { return std::exchange(ends_, false); }

  /// The stream failed outside of TLS; from now on every read answers so.
  std::error_code fail(std::error_code error) noexcept { return failure_ = error; }

  /// What is to be sent, the oldest first.
  bytes_view outgoing() {
    byte_buffer& output = scratch_.output;
    if (unsent_.empty()) return output.view();
    unsent_.append(output.view());
    output.clear();
    return unsent_.view();
  }

  /// The first `count` bytes of `outgoing()` left; the rest is kept.
  void sent(std::size_t count) {
    byte_buffer& output = scratch_.output;
    if (unsent_.empty()) {
      output.consume(count);
      unsent_.append(output.view());
      output.clear();
    } else {
      unsent_.consume(count);
      if (unsent_.empty()) unsent_.release();
    }
  }

  /// Nothing can be sent any more, also not later: records would be missing in between.
  std::error_code fail_sending(std::error_code error) noexcept {
    scratch_.output.clear();
    unsent_.release();
    return sending_failure_ = error;
  }

  std::error_code sending_failure() const noexcept { return sending_failure_; }
  bool has_output() const noexcept { return !scratch_.output.empty(); }

  bool unsent() const noexcept { return !unsent_.empty(); }
  bool established() const noexcept { return established_; }
  tls_scratch& scratch() const noexcept { return scratch_; }
  SSL* native_handle() const noexcept { return ssl_.get(); }

 private:
  friend class tls_bio_method;

  std::error_code explain(int outcome) {
    switch (SSL_get_error(ssl_.get(), outcome)) {
      case SSL_ERROR_WANT_READ: return would_block();
      case SSL_ERROR_ZERO_RETURN: return failure_ = make_error_code(asio::error::eof);
      default: break;
    }
    fatal_ = true;
    unsigned long const last = ERR_peek_last_error();
    long const verdict = SSL_get_verify_result(ssl_.get());
    bool const refused =
        ERR_GET_LIB(last) == ERR_LIB_SSL && ERR_GET_REASON(last) == SSL_R_CERTIFICATE_VERIFY_FAILED;
    ERR_clear_error();
    if (!refused || verdict == X509_V_OK) return failure_ = tls_error(last);
    if (verdict == tls_settings::wrong_key) return failure_ = make_error_code(errc::pin_mismatch);
    return failure_ = {static_cast<int>(verdict), tls_verify_category()};
  }

  static void count_message(int sending, int, int type, void const*, std::size_t, SSL*,
                            void* self) {
    auto* const engine = static_cast<tls_engine*>(self);
    if (!engine->established_) return;
    bool const refusal = sending != 0 && type == SSL3_RT_ALERT;
    bool const received = sending == 0 && type == SSL3_RT_HANDSHAKE;
    if (refusal || received) ++engine->control_messages_;
  }

  std::size_t take(std::byte* to, std::size_t most) noexcept {
    bytes_view const from = kept_.empty() ? input_ : bytes_view(kept_.view());
    std::size_t const count = std::min(most, from.size());
    if (count == 0) return 0;
    std::memcpy(to, from.data(), count);
    kept_.empty() ? void(input_ = input_.subspan(count)) : kept_.consume(count);
    return count;
  }

  tls_ptr<SSL> ssl_;
  tls_scratch& scratch_;
  tls_settings const& settings_;
  bytes_view input_{};
  byte_buffer kept_;    // ciphertext that arrived behind what filled the reader's buffer
  byte_buffer unsent_;  // ciphertext that the socket did not take
  std::error_code failure_{};
  std::error_code sending_failure_{};
  std::uint32_t control_messages_ = 0;
  bool established_ = false;
  bool fatal_ = false;
  bool ends_ = false;
};

class tls_bio_method {
 public:
  tls_bio_method() : method_(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "hawser")) {
    if (!method_) return;
    BIO_meth_set_read(method_.get(), [](BIO* bio, char* to, int most) -> int {
      BIO_clear_retry_flags(bio);
      if (most <= 0) return 0;
      std::size_t const count =
          engine_of(bio).take(reinterpret_cast<std::byte*>(to), static_cast<std::size_t>(most));
      if (count > 0) return static_cast<int>(count);
      BIO_set_retry_read(bio);
      return -1;
    });
    BIO_meth_set_write(method_.get(), [](BIO* bio, char const* from, int count) -> int {
      BIO_clear_retry_flags(bio);
      if (count <= 0) return 0;
      try {  // no exception may cross OpenSSL's frames
        auto const* const bytes = reinterpret_cast<std::byte const*>(from);
        engine_of(bio).scratch_.output.append({bytes, static_cast<std::size_t>(count)});
        return count;
      } catch (std::exception const&) {
        return -1;
      }
    });
    BIO_meth_set_ctrl(method_.get(), [](BIO*, int command, long, void*) -> long {
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    BIO_meth_set_create(method_.get(), [](BIO* bio) -> int {
      BIO_set_init(bio, 1);
      return 1;
    });
  }

  BIO_METHOD const* get() const noexcept { return method_.get(); }

 private:
  static tls_engine& engine_of(BIO* bio) noexcept {
    return *static_cast<tls_engine*>(BIO_get_data(bio));
  }

  tls_ptr<BIO_METHOD> method_;
};

inline tls_engine::tls_engine(tls_ptr<SSL> ssl, tls_bio_method const& method, tls_scratch& scratch,
                              tls_settings const& settings) noexcept
    : ssl_(std::move(ssl)), scratch_(scratch), settings_(settings) {
  BIO* const bio = BIO_new(method.get());
  if (bio) BIO_set_data(bio, this);
  SSL_set_bio(ssl_.get(), bio, bio);  // takes the reference; without a BIO all steps fail
  SSL_set_msg_callback(ssl_.get(), &count_message);
  SSL_set_msg_callback_arg(ssl_.get(), this);
}

/// Makes the engines of one server or client, and owns what they share; must outlive them.
class tls_engine_maker {
 public:
  explicit tls_engine_maker(tls_options options) : settings_(std::move(options)) {}

  tls_settings& settings() noexcept { return settings_; }
  tls_settings const& settings() const noexcept { return settings_; }

  /// `errc::no_tls` unless the settings are prepared.
  result<std::shared_ptr<tls_engine>> server() {
    tls_ptr<SSL> ssl = make(tls_settings::role::server);
    if (!ssl) return errc::no_tls;
    SSL_set_accept_state(ssl.get());
    return wrap(std::move(ssl));
  }

  /// For a connection to `host`, a name or an IP address without brackets. `errc::no_tls` unless
  /// the settings are prepared, `errc::bad_url` for what can't be a host.
  result<std::shared_ptr<tls_engine>> client(std::string host) {
    tls_ptr<SSL> ssl = make(tls_settings::role::client);
    if (!ssl) return errc::no_tls;
    if (host.ends_with('.')) host.pop_back();  // certificates and SNI have names without it
    if (host.empty()) return errc::bad_url;
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ERR_clear_error();
    bool const number = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) == 1;
    if (!number && (SSL_set1_host(ssl.get(), host.c_str()) != 1 ||
                    SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1)) {
      ERR_clear_error();
      return errc::bad_url;
    }
    ERR_clear_error();
    SSL_set_connect_state(ssl.get());
    return wrap(std::move(ssl));
  }

 private:
  tls_ptr<SSL> make(tls_settings::role as) {
    SSL_CTX* const context = settings_.context(as);
    return tls_ptr<SSL>(context ? SSL_new(context) : nullptr);
  }

  result<std::shared_ptr<tls_engine>> wrap(tls_ptr<SSL> ssl) {
    return std::make_shared<tls_engine>(std::move(ssl), method_, scratch_, settings_);
  }

  tls_settings settings_;
  tls_bio_method method_;
  tls_scratch scratch_;
};

}  // namespace hawser::inline HAWSER_ABI

#endif
