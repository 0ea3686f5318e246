// TCP and unix sockets as transports: the listening side, and the policy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <list>
#include <string>
#include <system_error>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>

#include <hawser/transport/connector.hpp>
#include <hawser/transport/socket_stream.hpp>
#include <hawser/transport/tcp_options.hpp>
#include <hawser/transport/transport.hpp>

#include <sys/stat.h>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// What every transport over sockets shares: the executor, and nothing to prepare.
template <class Executor>
class socket_context {
 public:
  socket_context(Executor executor, tcp_options options)
      : executor_(std::move(executor)), options_(std::move(options)) {}
  Executor executor() const { return executor_; }
  tcp_options const& tcp() const noexcept { return options_; }
  std::error_code prepare_server() noexcept { return {}; }
  std::error_code prepare_client() noexcept { return {}; }

 private:
  Executor executor_;
  tcp_options options_;
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

/// Plain TCP; a unix path too, where an address or URL names one. `Executor` may be a strand's.
template <class Executor>
struct basic_tcp {
  using executor_type = Executor;
  using options = tcp_options;
  using context = socket_context<Executor>;
  using stream = socket_stream<Executor>;
  using acceptor = address_acceptor<Executor>;
  using connector = socket_connector<Executor>;
  using timer = steady_wait<Executor>;
};

using tcp = basic_tcp<asio::io_context::executor_type>;

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
