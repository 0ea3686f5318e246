// Plain stream sockets, TCP and unix: streams, acceptors, and a timer on the steady clock.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <asio/basic_socket_acceptor.hpp>
#include <asio/basic_stream_socket.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/buffer.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/local/stream_protocol.hpp>

#include <hawser/transport/direct_io.hpp>
#include <hawser/transport/transport.hpp>

#if defined(__linux__)
#include <netinet/tcp.h>
#endif

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// "192.0.2.1:80", "[2001:db8::1]:80", "unix", or empty for what is none of these.
inline std::string address_text(asio::generic::stream_protocol::endpoint const& remote) {
  auto const family = remote.protocol().family();
  if (family != ASIO_OS_DEF(AF_INET) && family != ASIO_OS_DEF(AF_INET6)) return "unix";
  asio::ip::tcp::endpoint endpoint;
  if (remote.size() > endpoint.capacity()) return {};
  std::memcpy(endpoint.data(), remote.data(), remote.size());
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  std::string const text = address.to_string();
  std::string const port = std::to_string(endpoint.port());
  return address.is_v6() ? "[" + text + "]:" + port : text + ":" + port;
}

/// A non-blocking stream socket of any family.
template <class Executor>
class socket_stream {
 public:
  using socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;

  /// Takes a connected socket and makes it non-blocking.
  explicit socket_stream(socket connected) : socket_(std::move(connected)) {
    std::error_code ignored;
    socket_.non_blocking(true, ignored);
    tune();
  }

  /// The same descriptor under this executor: takes over any connected Asio stream socket.
  template <class Socket>
  static result<socket_stream> take_over(Executor executor, Socket from) {
    std::error_code error;
    auto const local = from.local_endpoint(error);
    if (error) return error;
    auto const descriptor = from.release(error);
    if (error) return error;
    socket taken(std::move(executor));
    taken.assign({local.protocol().family(), local.protocol().protocol()}, descriptor, error);
    if (error) return error;
    return socket_stream(std::move(taken));
  }

  std::error_code handshake() noexcept { return {}; }
  bool wants_write() const noexcept { return false; }
  bool unsent() const noexcept { return false; }
  bool secure() const noexcept { return false; }

#if !defined(_WIN32)  // past Asio's own loops around the same calls, which cost as much again
  io_result read_some(mutable_bytes in) { return receive_now(socket_.native_handle(), in); }
  io_result write_some(std::span<bytes_view const> out) {
    return send_now(socket_.native_handle(), out);
  }
#else
  io_result read_some(mutable_bytes in) {
    std::error_code error;
    std::size_t const bytes = socket_.receive(asio::buffer(in.data(), in.size()), 0, error);
    return {error ? 0 : bytes, error};
  }

  io_result write_some(std::span<bytes_view const> out) {
    std::error_code error;
    std::size_t bytes = 0;
    if (out.size() == 1) {
      bytes = socket_.send(asio::buffer(out[0].data(), out[0].size()), 0, error);
    } else if (out.size() > 1) {
      constexpr std::size_t max_gather = 64;
      std::array<asio::const_buffer, max_gather> buffers;
      std::size_t const count = std::min(out.size(), max_gather);
      for (std::size_t i = 0; i < count; ++i) {
        buffers[i] = asio::const_buffer(out[i].data(), out[i].size());
      }
      std::span<asio::const_buffer const> const sequence(buffers.data(), count);
      bytes = socket_.send(sequence, 0, error);
    }
    return {error ? 0 : bytes, error};
  }
#endif

  template <class Handler>
  void wait_readable(Handler handler) {
    socket_.async_wait(asio::socket_base::wait_read, std::move(handler));
  }

  template <class Handler>
  void wait_writable(Handler handler) {
    socket_.async_wait(asio::socket_base::wait_write, std::move(handler));
  }

  void shutdown() {
    std::error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  }

  void close() noexcept {
    std::error_code ignored;
    socket_.close(ignored);
  }

  void reset() noexcept {
    std::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
  }

  /// "192.0.2.1:80", "[2001:db8::1]:80", or "unix".
  std::string remote_address() const {
    std::error_code error;
    auto const remote = socket_.remote_endpoint(error);
    return error ? std::string() : address_text(remote);
  }

  /// Gives the descriptor away, non-blocking and with its options set.
  result<typename socket::native_handle_type> release() {
    std::error_code error;
    auto const descriptor = socket_.release(error);
    if (error) return error;
    return descriptor;
  }

  socket& next_layer() noexcept { return socket_; }

 private:
  // Small messages leave at once; a peer whose machine died is noticed by TCP itself after 30 s
  // of unanswered data, or by keep-alive. Failures are harmless: unix sockets know none of it.
  void tune() {
    std::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
#if defined(__linux__)
    using asio::detail::socket_option::integer;
    socket_.set_option(integer<IPPROTO_TCP, TCP_KEEPIDLE>(60), ignored);
    socket_.set_option(integer<IPPROTO_TCP, TCP_KEEPINTVL>(10), ignored);
    socket_.set_option(integer<IPPROTO_TCP, TCP_KEEPCNT>(3), ignored);
    socket_.set_option(integer<IPPROTO_TCP, TCP_USER_TIMEOUT>(30'000), ignored);
#endif
  }

  socket socket_;
};

/// A timer on the steady clock.
template <class Executor>
class steady_wait {
 public:
  template <class Context>
  explicit steady_wait(Context& context) : timer_(context.executor()) {}

  time_point now() const noexcept { return std::chrono::steady_clock::now(); }

  template <class Handler>
  void wait_until(time_point when, Handler handler) {
    timer_.expires_at(when);
    timer_.async_wait(std::move(handler));
  }

  void cancel() noexcept {
    try {
      timer_.cancel();
    } catch (std::system_error const&) {  // Asio's timers don't fail here
    }
  }

 private:
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, Executor>
      timer_;
};

/// A listening socket of any family.
template <class Executor>
class socket_acceptor {
 public:
  using protocol = asio::generic::stream_protocol;
  using stream = socket_stream<Executor>;

  explicit socket_acceptor(Executor const& executor) : acceptor_(executor) {}

  /// Binds and listens. `v6_only` matters for IPv6 alone.
  std::error_code open(protocol::endpoint const& at, int backlog, bool v6_only) {
    std::error_code error;
    acceptor_.open(at.protocol(), error);
    if (error) return error;
    int const family = at.protocol().family();
    if (family == ASIO_OS_DEF(AF_INET6)) {
      acceptor_.set_option(asio::ip::v6_only(v6_only), error);
    }
#if !defined(_WIN32)  // on Windows the option would let another program take the port over
    if (!error && family != AF_UNIX) {
      acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    }
#endif
    if (!error) acceptor_.bind(at, error);
    if (!error) acceptor_.listen(backlog, error);
    if (!error) acceptor_.non_blocking(true, error);
    if (error) close();
    return error;
  }

  result<stream> accept() {
    typename stream::socket taken(acceptor_.get_executor());
    std::error_code error;
    acceptor_.accept(taken, error);
    if (error) return error;
    return stream(std::move(taken));
  }

  /// Does nothing while a wait is under way, since several sockets may share one handler.
  template <class Handler>
  void wait(Handler handler) {
    if (std::exchange(*waiting_, true)) return;
    acceptor_.async_wait(
        asio::socket_base::wait_read,
        [waiting = waiting_, handler = std::move(handler)](std::error_code error) mutable {
          *waiting = false;
          handler(error);
        });
  }

  void close() noexcept {
    std::error_code ignored;
    acceptor_.close(ignored);
  }

  /// 0 for unix sockets.
  std::uint16_t port() const noexcept {
    std::error_code error;
    auto const local = acceptor_.local_endpoint(error);
    auto const family = local.protocol().family();
    if (error || (family != ASIO_OS_DEF(AF_INET) && family != ASIO_OS_DEF(AF_INET6))) return 0;
    asio::ip::tcp::endpoint endpoint;
    std::memcpy(endpoint.data(), local.data(), std::min(local.size(), endpoint.capacity()));
    return endpoint.port();
  }

 private:
  asio::basic_socket_acceptor<protocol, Executor> acceptor_;
  std::shared_ptr<bool> waiting_ = std::make_shared<bool>(false);  // the handler may outlive this
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
