// TCP and unix sockets as transports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <list>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>

#include <hawser/transport/socket_stream.hpp>
#include <hawser/transport/transport.hpp>

#include <sys/stat.h>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// What every transport over sockets shares: the executor, and nothing to prepare.
template <class Executor>
class socket_context {
 public:
  template <class Options>
  socket_context(Executor executor, Options const&) : executor_(std::move(executor)) {}
  Executor executor() const { return executor_; }
  std::error_code prepare_server() noexcept { return {}; }
  std::error_code prepare_client() noexcept { return {}; }

 private:
  Executor executor_;
};

/// Listens on TCP addresses or on a unix path. Every address of one `open` shares a port.
template <class Executor>
class address_acceptor {
 public:
  using stream = socket_stream<Executor>;

  template <class Context>
  explicit address_acceptor(Context& context) : executor_(context.executor()) {}
  ~address_acceptor() { close(); }
  address_acceptor(address_acceptor const&) = delete;
  address_acceptor& operator=(address_acceptor const&) = delete;

  std::error_code open(listen_address const& where) {
    if (!where.path.empty()) return open_path(where);
    if (where.host.empty()) {
      // One socket for both families; machines without IPv6 get IPv4 alone.
      asio::ip::tcp::endpoint const any(asio::ip::address_v6::any(), where.port);
      auto const error = add(any, where.backlog, false);
      if (error != asio::error::address_family_not_supported) return error;
      return add({asio::ip::address_v4::any(), where.port}, where.backlog, true);
    }
    std::error_code error;
    auto const number = asio::ip::make_address(where.host, error);
    if (!error) return add({number, where.port}, where.backlog, true);
    asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver(executor_);
    auto const found = resolver.resolve(where.host, std::to_string(where.port),
                                        asio::ip::resolver_base::passive, error);
    if (error) return error;
    std::uint16_t chosen = where.port;
    for (auto const& entry : found) {
      auto endpoint = entry.endpoint();
      endpoint.port(chosen);
      if (auto const failed = add(endpoint, where.backlog, true)) {
        error = failed;  // one family may be missing: an error only if none worked
        continue;
      }
      chosen = port();
    }
    return acceptors_.empty() ? error : std::error_code{};
  }

  /// Asks every socket in turn, so that a busy one can't starve the others.
  result<stream> accept() {
    std::error_code last = would_block();
    for (std::size_t i = 0; i < acceptors_.size(); ++i) {
      acceptors_.splice(acceptors_.end(), acceptors_, acceptors_.begin());
      auto taken = acceptors_.back().accept();
      if (taken || !is_would_block(taken.error())) return taken;
      last = taken.error();
    }
    return last;
  }

  template <class Handler>
  void wait(Handler handler) {
    for (auto& acceptor : acceptors_) acceptor.wait(handler);
  }

  void close() noexcept {
    acceptors_.clear();
    if (!path_.empty() && is_socket_file(path_)) std::remove(path_.c_str());
    path_.clear();
  }

  std::uint16_t port() const noexcept { return acceptors_.empty() ? 0 : acceptors_.front().port(); }

 private:
  std::error_code add(asio::ip::tcp::endpoint const& at, int backlog, bool v6_only) {
    acceptors_.emplace_back(executor_);
    auto const error = acceptors_.back().open(at, backlog, v6_only);
    if (error) acceptors_.pop_back();
    return error;
  }

  // Connecting to a file of another kind is refused too.
  static bool is_socket_file(std::string const& path) noexcept {
#if defined(S_ISSOCK)
    struct stat found;
    return ::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode);
#else
    return !path.empty();
#endif
  }

  // A socket file that nobody listens on is left over from a crash and replaced; one that is in
  // use, and any other kind of file, is left alone.
  std::error_code open_path(listen_address const& where) {
    asio::local::stream_protocol::endpoint endpoint;
    if (where.path.size() >= sizeof(sockaddr_un::sun_path))
      return make_error_code(errc::bad_argument);
    endpoint.path(where.path);
    acceptors_.emplace_back(executor_);
    auto error = acceptors_.back().open(endpoint, where.backlog, true);
    if (error == asio::error::address_in_use) {
      asio::basic_stream_socket<asio::local::stream_protocol, Executor> probe(executor_);
      std::error_code refused;
      probe.connect(endpoint, refused);
      if (refused != asio::error::connection_refused || !is_socket_file(where.path)) {
        error = make_error_code(errc::address_in_use_by_other);
      } else {
        std::remove(where.path.c_str());
        error = acceptors_.back().open(endpoint, where.backlog, true);
      }
    }
    if (error) {
      acceptors_.pop_back();
    } else {
      path_ = where.path;
    }
    return error;
  }

  Executor executor_;
  std::list<socket_acceptor<Executor>> acceptors_;
  std::string path_;
};

/// Connects to what a URL names: a number, a name (then Asio resolves it on a thread of its own),
/// or for `ws+unix:` a path. Addresses are tried in the resolver's order.
template <class Executor>
class socket_connector {
 public:
  using stream = socket_stream<Executor>;

  template <class Context>
  explicit socket_connector(Context& context)
      : executor_(context.executor()), resolver_(executor_) {}
  ~socket_connector() { cancel(); }

  template <class Handler>
  void connect(http::url const& where, Handler handler) {
    attempt_ = std::make_shared<attempt>(executor_);
    if (!where.unix_path.empty()) {
      if (where.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
        return fail(std::move(handler), make_error_code(errc::bad_url));
      }
      attempt_->endpoints.emplace_back(asio::local::stream_protocol::endpoint(where.unix_path));
      return next(attempt_, std::move(handler), {});
    }
    std::error_code error;
    auto const number = asio::ip::make_address(where.host, error);
    if (!error) {
      attempt_->endpoints.emplace_back(asio::ip::tcp::endpoint(number, where.port));
      return next(attempt_, std::move(handler), {});
    }
    resolver_.async_resolve(where.host, std::to_string(where.port),
                            asio::ip::resolver_base::numeric_service,
                            [trying = attempt_, handler = std::move(handler)](
                                std::error_code failed, auto const& found) mutable {
                              for (auto const& entry : found)
                                trying->endpoints.emplace_back(entry.endpoint());
                              next(std::move(trying), std::move(handler), failed);
                            });
  }

  /// The handler of a connect under way gets `operation_aborted`.
  void cancel() noexcept {
    if (!attempt_) return;
    attempt_->cancelled = true;
    std::error_code ignored;
    attempt_->socket.close(ignored);
    attempt_.reset();
    try {
      resolver_.cancel();
    } catch (std::system_error const&) {
    }
  }

 protected:
  template <class Handler>
  void fail(Handler handler, std::error_code error) {
    fail_from(executor_, std::move(handler), error);
  }

 private:
  struct attempt {
    explicit attempt(Executor const& executor) : socket(executor) {}
    typename stream::socket socket;
    std::vector<asio::generic::stream_protocol::endpoint> endpoints;
    std::size_t tried = 0;
    bool cancelled = false;
  };

  template <class Handler>
  static void next(std::shared_ptr<attempt> trying, Handler handler, std::error_code last) {
    if (trying->cancelled) last = make_error_code(asio::error::operation_aborted);
    if (trying->cancelled || trying->tried == trying->endpoints.size()) {
      return fail_from(trying->socket.get_executor(), std::move(handler), last);
    }
    auto const& endpoint = trying->endpoints[trying->tried++];
    std::error_code ignored;
    trying->socket.close(ignored);
    auto& socket = trying->socket;
    socket.async_connect(endpoint, [trying = std::move(trying),
                                    handler = std::move(handler)](std::error_code error) mutable {
      if (error || trying->cancelled) return next(std::move(trying), std::move(handler), error);
      handler(result<stream>(stream(std::move(trying->socket))));
    });
  }

  template <class Handler>
  static void fail_from(Executor const& executor, Handler handler, std::error_code error) {
    if (!error) error = make_error_code(asio::error::host_not_found);
    asio::post(executor,
               [handler = std::move(handler), error]() mutable { handler(result<stream>(error)); });
  }

  Executor executor_;
  asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver_;
  std::shared_ptr<attempt> attempt_;
};

/// Plain TCP; a unix path too, where an address or URL names one. `Executor` may be a strand's.
template <class Executor>
struct basic_tcp {
  using executor_type = Executor;
  struct options {};
  using context = socket_context<Executor>;
  using stream = socket_stream<Executor>;
  using acceptor = address_acceptor<Executor>;
  using connector = socket_connector<Executor>;
  using timer = steady_wait<Executor>;
};

using tcp = basic_tcp<asio::io_context::executor_type>;

static_assert(transport_policy<tcp>);

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
