// What every server offers, whatever it speaks.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/core/buffer.hpp>
#include <hawser/core/callback.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/endpoint/routes.hpp>
#include <hawser/machine/drain.hpp>
#include <hawser/transport/socket_stream.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Base of `basic_server`: owns the core, which outlives it while operations are under way.
template <class Core>
class server_face {
 public:
  using policies = typename Core::policies;
  using executor_type = typename policies::transport::executor_type;
  using options = typename Core::options_type;

  server_face(server_face const&) = delete;
  server_face& operator=(server_face const&) = delete;

  /// `void(std::error_code, std::string_view where)`: trouble that belongs to no connection.
  template <std::invocable<std::error_code, std::string_view> Handler>
  void on_error(Handler handler) {
    core_->replace(core_->on_error,
                   callback<void(std::error_code, std::string_view)>(stable, std::move(handler)));
  }

  // -- HTTP on the same port ---------------------------------------------------------------------

  /// Answers GET (and HEAD) of exactly this path: `void(http_request const&, http_reply)`.
  template <std::invocable<http_request const&, http_reply> Handler>
  void get(std::string path, Handler handler) {
    core_->routes.add("GET", std::move(path), std::move(handler));
  }
  /// Answers POST of exactly this path, once its body is complete.
  template <std::invocable<http_request const&, http_reply> Handler>
  void post(std::string path, Handler handler) {
    core_->routes.add("POST", std::move(path), std::move(handler));
  }
  /// Answers GET (and HEAD) of every path that begins with `prefix`, exact paths aside. See
  /// `static_files` in endpoint/static_files.hpp.
  template <std::invocable<http_request const&, http_reply> Handler>
  void get_prefix(std::string prefix, Handler handler) {
    core_->routes.add_prefix("GET", std::move(prefix), std::move(handler));
  }

  // -- listening ---------------------------------------------------------------------------------

  /// Starts to accept connections; may be called for several addresses. Errors: the system's;
  /// `bad_certificate`, `no_tls`, `bad_argument`, `address_in_use_by_other`.
  std::error_code listen(listen_address const& where);

  /// The port of the first address, chosen by the system if it was 0.
  std::uint16_t port() const noexcept;

  /// Takes over a connection that the host program accepted: its stream, what was read of it and
  /// not used, and the request if the program has parsed it already.
  void adopt(typename policies::transport::stream stream, bytes_view already_read = {},
             std::optional<http::request> request = std::nullopt);

  /// Likewise, with any connected Asio stream socket; plain, also where new connections get TLS.
  /// Errors: the system's, and then nothing was taken.
  template <class Socket>
    requires requires(Socket socket) { socket.release(); }
  std::error_code adopt(Socket socket, bytes_view already_read = {},
                        std::optional<http::request> request = std::nullopt) {
    auto taken = socket_stream<executor_type>::take_over(get_executor(), std::move(socket));
    if (!taken) return taken.error();
    if constexpr (requires { core_->transport_context().adopted(std::move(*taken)); }) {
      auto stream = core_->transport_context().adopted(std::move(*taken));
      if (!stream) return stream.error();
      adopt(std::move(*stream), already_read, std::move(request));
    } else {
      adopt(typename policies::transport::stream(std::move(*taken)), already_read,
            std::move(request));
    }
    return {};
  }

  // -- the game loop -----------------------------------------------------------------------------

  /// Runs what is ready on the executor's context, for at most about `budget` (one read of one
  /// connection is not interrupted), then sends what it caused. Answers how many handlers ran.
  /// Refused from inside a handler, with an assertion in debug builds and 0 otherwise.
  std::size_t poll(std::chrono::steady_clock::duration budget = std::chrono::milliseconds{2});

  /// Sends at once what has been queued; else it leaves with the next turn of the loop.
  void flush();

  // -- the end -----------------------------------------------------------------------------------

  /// Newcomers get 503 with Retry-After; those who are here are closed with 1012, spread over the
  /// window; what is left at the deadline is cut. `done` is called when nobody is left.
  void drain(drain_plan const& plan = {}, callback<void()> done = {});
  /// Stops listening and closes every connection now, with 1001 where it still gets through.
  /// Delivers the close events before it returns.
  void stop();

  /// Open connections.
  std::size_t size() const noexcept { return core_->size(); }
  hawser::counters const& counters() const noexcept { return core_->counters(); }
  executor_type get_executor() const { return core_->executor(); }

 protected:
  server_face(executor_type executor, options numbers);
  ~server_face();

  Core* core_;
};

// Outside of the class, so that they are compiled where a program instantiates them explicitly, and
// nowhere else: see instances.hpp.

template <class Core>
server_face<Core>::server_face(executor_type executor, options numbers)
    : core_(new Core(std::move(executor), std::move(numbers))) {
  core_->retain();
}

template <class Core>
server_face<Core>::~server_face() {
  core_->shut();
  core_->release();
}

template <class Core>
std::error_code server_face<Core>::listen(listen_address const& where) {
  return core_->listen(where);
}

template <class Core>
std::uint16_t server_face<Core>::port() const noexcept {
  return core_->port();
}

template <class Core>
void server_face<Core>::adopt(typename policies::transport::stream stream, bytes_view already_read,
                              std::optional<http::request> request) {
  byte_buffer copy;
  copy.append(already_read);
  core_->adopt(std::move(stream), copy.mutable_view(), std::move(request));
}

template <class Core>
std::size_t server_face<Core>::poll(std::chrono::steady_clock::duration budget) {
  return core_->poll(budget);
}

template <class Core>
void server_face<Core>::flush() {
  core_->flush();
}

template <class Core>
void server_face<Core>::drain(drain_plan const& plan, callback<void()> done) {
  core_->drain(plan, std::move(done));
}

template <class Core>
void server_face<Core>::stop() {
  core_->stop();
}

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
