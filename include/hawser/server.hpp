// The server: composed from policies, living on the caller's loop.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <hawser/endpoint/websocket_core.hpp>
#include <hawser/policies.hpp>
#include <hawser/transport/socket_stream.hpp>
#include <hawser/endpoint/remote.hpp>
#include <hawser/endpoint/websocket.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A WebSocket server. Starts no thread and blocks nowhere (looking up a host name in `listen`
/// aside); everything happens while the caller runs the executor's loop, or in `poll`.
///
/// *Promises*: one open event gives exactly one close event; messages of one peer are delivered in
/// order, none after its close event; messages to one peer leave in the order of the calls.
/// *Threads*: one executor, so one thread at a time; other threads use `remote()`.
/// *Lifetime*: may be destroyed at any moment, from any handler, and before or after the
/// `io_context`; no handler runs after.
template <policy_set Policies = policies<>>
class basic_server {
 public:
  using policies = Policies;
  using executor_type = typename Policies::transport::executor_type;
  using options = server_options<Policies>;

  explicit basic_server(executor_type executor, options numbers = {})
      : core_(new core(std::move(executor), std::move(numbers))) {
    core_->retain();
  }
  template <class Context>
    requires requires(Context& context) {
      { context.get_executor() } -> std::convertible_to<executor_type>;
    }
  explicit basic_server(Context& context, options numbers = {})
      : basic_server(executor_type(context.get_executor()), std::move(numbers)) {}
  ~basic_server() {
    core_->shut();
    core_->release();
  }
  basic_server(basic_server const&) = delete;
  basic_server& operator=(basic_server const&) = delete;

  // -- handlers: set them before listening; replacing them later is fine too ---------------------

  /// The accept step: `void(handshake const&, decision)`. Without one everybody is let in.
  template <std::invocable<handshake const&, decision> Handler>
  void authenticate(Handler handler) {
    core_->replace(core_->authenticate,
                   callback<void(handshake const&, decision)>(std::move(handler)));
  }
  /// `void(socket)`: a connection is open.
  template <std::invocable<websocket> Handler>
  void on_open(Handler handler) {
    core_->replace(core_->on_open,
                   callback<void(anchor&, connection_id)>(
                       [handler = std::move(handler)](anchor& at, connection_id id) mutable {
                         handler(websocket(at, id, websocket::borrow{}));
                       }));
  }
  /// `void(socket, message const&)`: a whole message has arrived.
  template <std::invocable<websocket, message const&> Handler>
  void on_message(Handler handler) {
    core_->replace(core_->on_message,
                   callback<void(anchor&, connection_id, message const&)>(
                       [handler = std::move(handler)](anchor& at, connection_id id,
                                                      message const& what) mutable {
                         handler(websocket(at, id, websocket::borrow{}), what);
                       }));
  }
  /// `void(socket, close_event const&)`: the connection is over. Its data and rooms are still
  /// there; it leaves the rooms when the handler returns.
  template <std::invocable<websocket, close_event const&> Handler>
  void on_close(Handler handler) {
    core_->replace(core_->on_close,
                   callback<void(anchor&, connection_id, close_event const&)>(
                       [handler = std::move(handler)](anchor& at, connection_id id,
                                                      close_event const& event) mutable {
                         handler(websocket(at, id, websocket::borrow{}), event);
                       }));
  }
  /// `void(socket)`: what had to wait for this peer has been taken.
  template <std::invocable<websocket> Handler>
  void on_drain(Handler handler) {
    core_->replace(core_->on_drain,
                   callback<void(anchor&, connection_id)>(
                       [handler = std::move(handler)](anchor& at, connection_id id) mutable {
                         handler(websocket(at, id, websocket::borrow{}));
                       }));
  }
  /// `void(std::error_code, std::string_view where)`: trouble that belongs to no connection.
  template <std::invocable<std::error_code, std::string_view> Handler>
  void on_error(Handler handler) {
    core_->replace(core_->on_error,
                   callback<void(std::error_code, std::string_view)>(std::move(handler)));
  }

  // -- HTTP on the same port ----------------------------------------------------------------------

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

  // -- listening ----------------------------------------------------------------------------------

  /// Starts to accept connections; may be called for several addresses. Errors: the system's;
  /// `bad_certificate`, `no_tls`, `bad_argument`, `address_in_use_by_other`.
  std::error_code listen(listen_address const& where) { return core_->listen(where); }

  /// The port of the first address, chosen by the system if it was 0.
  std::uint16_t port() const noexcept { return core_->port(); }

  /// Takes over a connection that the host program accepted: its stream, what was read of it and
  /// not used, and the request if the program has parsed it already.
  void adopt(typename Policies::transport::stream stream, bytes_view already_read = {},
             std::optional<http::request> request = std::nullopt) {
    byte_buffer copy;
    copy.append(already_read);
    core_->adopt(std::move(stream), copy.mutable_view(), std::move(request));
  }

  /// Likewise, with any connected Asio stream socket; plain, also where new connections get TLS.
  /// Errors: the system's, and then nothing was taken.
  template <class Socket>
    requires requires(Socket socket) { socket.release(); }
  std::error_code adopt(Socket socket, bytes_view already_read = {},
                        std::optional<http::request> request = std::nullopt) {
    auto taken = socket_stream<executor_type>::take_over(get_executor(), std::move(socket));
    if (!taken) return taken.error();
    adopt(typename Policies::transport::stream(std::move(*taken)), already_read,
          std::move(request));
    return {};
  }

  // -- sending ---------------------------------------------------------------------------------

  /// Everybody.
  websocket_audience all() const { return websocket_audience(&core_->anchored()); }
  /// The members of a room.
  websocket_audience to(std::string_view room) const { return all().to(room); }
  /// A room to keep.
  hawser::websocket_room room(std::string_view name) const { return {&core_->anchored(), name}; }
  /// Calls `void(socket)` for every open connection.
  template <std::invocable<websocket> Visit>
  void for_each(Visit visit) {
    core_->for_each(
        [&](connection_id id) { visit(websocket(core_->anchored(), id, websocket::borrow{})); });
  }

  // -- the game loop ---------------------------------------------------------------------------

  /// Runs what is ready on the executor's context, for at most about `budget` (one read of one
  /// connection is not interrupted), then sends what it caused. Answers how many handlers ran.
  /// Refused from inside a handler, with an assertion in debug builds and 0 otherwise.
  std::size_t poll(std::chrono::steady_clock::duration budget = std::chrono::milliseconds{2}) {
    return core_->poll(budget);
  }

  /// Sends at once what has been queued; else it leaves with the next turn of the loop.
  void flush() { core_->flush(); }

  /// For other threads.
  hawser::websocket_remote remote() const { return hawser::websocket_remote(&core_->anchored()); }

  // -- the end ---------------------------------------------------------------------------------

  /// Newcomers get 503 with Retry-After; those who are here are closed with 1012, spread over the
  /// window; what is left at the deadline is cut. `done` is called when nobody is left.
  void drain(drain_plan const& plan = {}, callback<void()> done = {}) {
    core_->drain(plan, std::move(done));
  }
  /// Stops listening and closes every connection now, with 1001 where it still gets through.
  /// Delivers the close events before it returns.
  void stop() { core_->stop(); }

  /// Open connections.
  std::size_t size() const noexcept { return core_->size(); }
  hawser::counters const& counters() const noexcept { return core_->counters(); }
  executor_type get_executor() const { return core_->executor(); }

 private:
  using core = websocket_core<Policies>;
  core* core_;
};

/// A server of raw WebSocket messages.
using websocket_server = basic_server<websocket_policies>;

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
