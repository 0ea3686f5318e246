// TLS as a transport, and TCP with TLS where it is configured or asked for.
#pragma once

#include <hawser/transport/tls_stream.hpp>

#if HAWSER_WITH_TLS

#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <asio/io_context.hpp>

#include <hawser/transport/tcp.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// What the streams of one server or client share: the settings, and the buffers.
template <class Executor>
class tls_context {
 public:
  using stream = tls_stream<Executor>;

  tls_context(Executor executor, tls_options const& options)
      : tls_context(std::move(executor), options, false) {}
  tls_context(tls_context const&) = delete;
  tls_context& operator=(tls_context const&) = delete;

  Executor executor() const { return executor_; }
  tcp_options const& tcp() const noexcept { return engines_.settings().options().tcp; }

  /// Loads certificate and key. Errors: `errc::bad_certificate`, also when there is none where TLS
  /// is a must; `errc::bad_argument`. `problem()` explains them.
  std::error_code prepare_server() {
    if (plain_allowed_ && !settings().has_certificate()) return {};
    return settings().prepare(tls_settings::role::server);
  }

  /// Loads the authorities to trust. Errors as above.
  std::error_code prepare_client() { return settings().prepare(tls_settings::role::client); }

  /// Reads the files again, for new connections; the others keep what they have. After an error
  /// (as above) everything is as it was. Session tickets from before are of no use any more.
  std::error_code reload() { return settings().reload(); }

  /// The same with other options. A server without TLS stays one.
  std::error_code reload(tls_options options) { return settings().reload(std::move(options)); }

  /// What was wrong with the options, for people: "private_key_file /k.pem: key values mismatch".
  std::string const& problem() const noexcept { return engines_.settings().problem(); }

  /// Streams without TLS are all right: of a server without a certificate, to a ws:// URL.
  bool plain_allowed() const noexcept { return plain_allowed_; }

  result<stream> accepted(socket_stream<Executor> socket) {
    auto engine = engines_.server();
    if (engine) return stream(std::move(socket), std::move(*engine));
    if (plain_allowed_) return stream(std::move(socket), nullptr);
    return engine.error();
  }

  /// `host`: whose certificate to demand; empty: no TLS.
  result<stream> connected(socket_stream<Executor> socket, std::string const& host) {
    if (host.empty()) return stream(std::move(socket), nullptr);
    auto engine = engines_.client(host);
    if (!engine) return engine.error();
    return stream(std::move(socket), std::move(*engine));
  }

 protected:
  tls_context(Executor executor, tls_options const& options, bool plain_allowed)
      : executor_(std::move(executor)), engines_(options), plain_allowed_(plain_allowed) {}

 private:
  tls_settings& settings() noexcept { return engines_.settings(); }

  Executor executor_;
  tls_engine_maker engines_;
  bool plain_allowed_;
};

/// Takes connections in as `address_acceptor` does; each begins with the TLS handshake.
template <class Executor>
class tls_acceptor : private address_acceptor<Executor> {
  using base = address_acceptor<Executor>;

 public:
  explicit tls_acceptor(tls_context<Executor>& context) : base(context), context_(context) {}

  result<tls_stream<Executor>> accept() {
    auto taken = base::accept();
    if (!taken) return taken.error();
    return context_.accepted(std::move(*taken));
  }

  using base::close;
  using base::open;
  using base::port;
  using base::wait;

 private:
  tls_context<Executor>& context_;
};

/// Connects as `socket_connector` does; the stream to a wss:// URL begins with the TLS handshake.
/// `errc::bad_url` for ws:// where TLS is a must, `errc::no_tls` without `prepare_client`.
template <class Executor>
class tls_connector : private socket_connector<Executor> {
  using base = socket_connector<Executor>;
  using stream = tls_stream<Executor>;

 public:
  explicit tls_connector(tls_context<Executor>& context) : base(context), context_(context) {}

  template <class Handler>
  void connect(http::url const& where, Handler handler) {
    // Success is never reported after `cancel`, so that the context is still there.
    auto wrap = [&context = context_, host = where.secure ? where.host : std::string(),
                 handler = std::move(handler)](result<socket_stream<Executor>> reached) mutable {
      if (reached) return handler(context.connected(std::move(*reached), host));
      handler(result<stream>(reached.error()));
    };
    if (!where.secure && !context_.plain_allowed()) {
      return base::fail(std::move(wrap), make_error_code(errc::bad_url));
    }
    base::connect(where, std::move(wrap));
  }

  using base::cancel;

 private:
  tls_context<Executor>& context_;
};

/// TLS over TCP and nothing else: a server needs a certificate, a client a wss:// URL.
template <class Executor>
struct basic_tls {
  using executor_type = Executor;
  using options = tls_options;
  using context = tls_context<Executor>;
  using stream = tls_stream<Executor>;
  using acceptor = tls_acceptor<Executor>;
  using connector = tls_connector<Executor>;
  using timer = steady_wait<Executor>;
};

/// A server has TLS if its options name a certificate, a client's connection if the URL says so.
template <class Executor>
struct basic_tcp_or_tls : basic_tls<Executor> {
  class context : public tls_context<Executor> {
   public:
    context(Executor executor, tls_options const& options)
        : tls_context<Executor>(std::move(executor), options, true) {}
  };
};

using tls = basic_tls<asio::io_context::executor_type>;
using tcp_or_tls = basic_tcp_or_tls<asio::io_context::executor_type>;

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI

#endif
