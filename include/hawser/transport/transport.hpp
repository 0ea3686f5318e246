// Transport: how bytes move, and on whose clock.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>

#include <asio/error.hpp>

#include <hawser/codec/http/url.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/transport/asio.hpp>

namespace hawser::inline HAWSER_ABI {

/// What a read or write did. `error` is zero, or `would_block()`, or `asio::error::eof`, or what
/// went wrong; bytes and an error never come together.
struct io_result {
  std::size_t bytes = 0;
  std::error_code error{};
};

/// The error of an operation that has to wait for readiness first.
inline std::error_code would_block() noexcept { return make_error_code(asio::error::would_block); }

inline bool is_would_block(std::error_code const& error) noexcept {
  return error == asio::error::would_block || error == asio::error::try_again;
}

/// Where to listen. A name or number and a port, or a path, as the transport understands it.
struct listen_address {
  std::string host{};      ///< empty: every address, IPv4 and IPv6; or a number, or a name
  std::uint16_t port = 0;  ///< 0: the system chooses, see `server::port()`
  std::string path{};      ///< a unix socket's path instead
  int backlog = 4096;
};

/// What stands in for a handler when concepts are checked.
struct wait_handler_archetype {
  void operator()(std::error_code) const noexcept;
};

/// A byte stream that never blocks.
///
/// *Semantics*: `read_some` and `write_some` do at once what is possible, else answer
/// `would_block()`. A read that fills less than `in` has taken everything that was there.
/// `wait_*` call their handler once, never inline, when the next attempt is worth making, or with
/// an error when the stream was closed. `handshake` prepares a stream that needs it, and answers
/// zero when done; while it answers `would_block()`, it is asked again after the wait it
/// `wants_write()` or not. `unsent` tells that bytes taken by `write_some` wait for
/// writability: call `write_some` with nothing. `shutdown` ends the sending direction, `close`
/// frees everything at once, `reset` too and tells the peer rudely.
template <class S>
concept byte_stream =
    std::movable<S> && requires(S s, S const c, mutable_bytes in, std::span<bytes_view const> out,
                                wait_handler_archetype handler) {
      { s.handshake() } -> std::same_as<std::error_code>;
      { c.wants_write() } noexcept -> std::same_as<bool>;
      { s.read_some(in) } -> std::same_as<io_result>;
      { s.write_some(out) } -> std::same_as<io_result>;
      { c.unsent() } noexcept -> std::same_as<bool>;
      s.wait_readable(handler);
      s.wait_writable(handler);
      { s.shutdown() } -> std::same_as<void>;
      { s.close() } noexcept -> std::same_as<void>;
      { s.reset() } noexcept -> std::same_as<void>;
      { c.remote_address() } -> std::same_as<std::string>;
      { c.secure() } noexcept -> std::same_as<bool>;
    };

/// Takes connections in. `accept` answers `would_block()` when none waits, any other error when
/// taking the next one failed; then `wait` before trying again.
template <class A, class Stream, class Context>
concept stream_acceptor =
    std::constructible_from<A, Context&> &&
    requires(A a, A const c, listen_address const& where, wait_handler_archetype handler) {
      { a.open(where) } -> std::same_as<std::error_code>;
      { a.accept() } -> std::same_as<result<Stream>>;
      a.wait(handler);
      { a.close() } noexcept -> std::same_as<void>;
      { c.port() } noexcept -> std::same_as<std::uint16_t>;
    };

/// A timer on the transport's clock. `wait_until` replaces the wait before, whose handler gets an
/// error.
template <class T, class Context>
concept transport_timer =
    std::constructible_from<T, Context&> &&
    requires(T t, T const c, time_point when, wait_handler_archetype handler) {
      { c.now() } noexcept -> std::same_as<time_point>;
      t.wait_until(when, handler);
      { t.cancel() } noexcept -> std::same_as<void>;
    };

/// What stands in for a connect handler.
template <class Stream>
struct connect_handler_archetype {
  void operator()(result<Stream>) const noexcept;
};

/// How bytes move. `T::context` is made from an executor, `T::options` and a role, once for each
/// server or client, and outlives everything made from it.
///
/// *Semantics*: everything runs on `T::executor_type`. `T::connector` reaches the peer that a URL
/// names, without the stream's own handshake, and calls back once. A context whose streams can't be
/// made from an Asio socket alone may have `adopted(socket_stream)`, for `server::adopt`.
/// *Exemplar*: the `counted_tcp` of examples/custom_policy.cpp. *Models*: `tcp`, `tls`,
/// `tcp_or_tls`, `unix_socket`, `epoll_tcp`, `memory`.
template <class T>
concept transport_policy =
    byte_stream<typename T::stream> &&
    std::constructible_from<typename T::context, typename T::executor_type,
                            typename T::options const&> &&
    stream_acceptor<typename T::acceptor, typename T::stream, typename T::context> &&
    transport_timer<typename T::timer, typename T::context> &&
    std::constructible_from<typename T::connector, typename T::context&> &&
    requires(typename T::context context, typename T::connector connector, http::url const& where,
             connect_handler_archetype<typename T::stream> handler) {
      { context.prepare_server() } -> std::same_as<std::error_code>;
      { context.prepare_client() } -> std::same_as<std::error_code>;
      { context.executor() } -> std::same_as<typename T::executor_type>;
      connector.connect(where, handler);
      { connector.cancel() } noexcept -> std::same_as<void>;
    };

}  // namespace hawser::inline HAWSER_ABI
