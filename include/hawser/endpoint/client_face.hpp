// What every client offers beside its messages: connecting, state, the game loop.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <hawser/core/callback.hpp>
#include <hawser/endpoint/completion.hpp>
#include <hawser/endpoint/kept.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/machine/redial.hpp>
#include <hawser/policy/reconnect.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Base of `websocket_client_face` and `socketio_client_face`.
template <class Core>
class client_face {
 public:
  using executor_type = typename Core::executor_type;

  client_face(client_face const&) = delete;
  client_face& operator=(client_face const&) = delete;

  // -- connecting --------------------------------------------------------------------------------

  /// Connects to a ws, wss, http, https or ws+unix URL, and again whenever the reconnection policy
  /// says so, until `close`. If an attempt waits for its time, it is made now.
  /// *Errors*: `bad_url`, `already_connected`, `bad_certificate`, `no_tls`. What comes of it is
  /// told by `on_state`, `on_error` and the other handlers.
  std::error_code connect(std::string_view url);

  /// Likewise, and waits for what comes of it. Lazy tokens may start it after the client has gone.
  /// *Signature*: `void(std::error_code)`, when it is connected, or when the reconnection policy
  /// gives up: then with what the last attempt met.
  /// *Errors*: as `connect`; `handshake_timeout`, `unexpected_status` (see `status()`), every other
  /// `handshake_failed`, the system's and TLS's own, `operation_aborted`. Cancelled, it gives the
  /// attempt up.
  template <class Token>
  auto async_connect(std::string url, Token&& token) {
    return initiate<std::error_code>(
        get_executor(), std::forward<Token>(token),
        [core = kept<Core>(*core_), url = std::move(url)](completion<std::error_code> done) {
          core->connect(url, std::move(done));
        });
  }

  // -- state -------------------------------------------------------------------------------------

  client_state state() const noexcept { return core_->state(); }
  /// Whether an attempt is under way, or waits for its time.
  bool is_connecting() const noexcept { return core_->is_connecting(); }
  /// The HTTP status of the last answer, 101 for a WebSocket; 0: none came.
  int status() const noexcept { return core_->status(); }
  hawser::counters const& counters() const noexcept { return core_->counters(); }
  executor_type get_executor() const { return core_->executor(); }

  /// `void(client_state)`: the state is another one.
  template <std::invocable<client_state> Handler>
  void on_state(Handler handler) {
    set(core_->on_state, std::move(handler));
  }
  /// `void(attempt_failure const&)`: an attempt has failed, the first one or a later one.
  template <std::invocable<attempt_failure const&> Handler>
  void on_error(Handler handler) {
    set(core_->on_error, std::move(handler));
  }
  /// `void(std::uint32_t)`: an attempt by itself begins; its number since the last connection.
  template <std::invocable<std::uint32_t> Handler>
  void on_reconnect_attempt(Handler handler) {
    set(core_->on_reconnect_attempt, std::move(handler));
  }
  /// `void(std::uint32_t)`: it has succeeded.
  template <std::invocable<std::uint32_t> Handler>
  void on_reconnect(Handler handler) {
    set(core_->on_reconnect, std::move(handler));
  }
  /// `void(attempt_failure const&)`: it has failed.
  template <std::invocable<attempt_failure const&> Handler>
  void on_reconnect_error(Handler handler) {
    set(core_->on_reconnect_error, std::move(handler));
  }
  /// `void()`: there won't be another one.
  template <std::invocable<> Handler>
  void on_reconnect_failed(Handler handler) {
    set(core_->on_reconnect_failed, std::move(handler));
  }

  // -- the game loop -----------------------------------------------------------------------------

  /// As `basic_server::poll`.
  std::size_t poll(std::chrono::steady_clock::duration budget = std::chrono::milliseconds{2});
  /// Sends at once what has been queued; else it leaves with the next turn of the loop.
  void flush();

 protected:
  client_face(executor_type executor, typename Core::options_type numbers);
  ~client_face();

  template <class Old, class Handler>
  void set(Old& old, Handler handler) {
    core_->replace(old, Old(stable, std::move(handler)));
  }

  Core* core_;
};

// Outside of the class, as in server_face.hpp.

template <class Core>
client_face<Core>::client_face(executor_type executor, typename Core::options_type numbers)
    : core_(new Core(std::move(executor), std::move(numbers))) {
  core_->retain();
}

template <class Core>
client_face<Core>::~client_face() {
  core_->shut();
  core_->release();
}

template <class Core>
std::error_code client_face<Core>::connect(std::string_view url) {
  return core_->connect(url);
}

template <class Core>
std::size_t client_face<Core>::poll(std::chrono::steady_clock::duration budget) {
  return core_->poll(budget);
}

template <class Core>
void client_face<Core>::flush() {
  core_->flush();
}

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
