// The client: one connection, on the caller's loop.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/endpoint/client_core.hpp>
#include <hawser/endpoint/remote.hpp>
#include <hawser/endpoint/websocket.hpp>
#include <hawser/policies.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A WebSocket client. The URL says at run time whether the connection is encrypted; certificates
/// and host names are verified unless an option named `insecure_...` says otherwise.
///
/// *Asynchronous operations* take any completion token (callback, future, awaitable, ...), complete
/// exactly once, posted and never inline; with `operation_aborted` if the client is destroyed.
/// *Threads*: one executor, so one thread at a time; other threads use `remote()`.
/// *Lifetime*: may be destroyed at any moment, from any handler, before or after the `io_context`;
/// no event handler runs after.
template <policy_set Policies = policies<>>
class basic_client : public sends_messages<basic_client<Policies>> {
 public:
  using policies = Policies;
  using executor_type = typename Policies::transport::executor_type;
  using options = client_options<Policies>;

  explicit basic_client(executor_type executor, options numbers = {})
      : core_(new core(std::move(executor), std::move(numbers))) {
    core_->retain();
  }
  template <class Context>
    requires requires(Context& context) {
      { context.get_executor() } -> std::convertible_to<executor_type>;
    }
  explicit basic_client(Context& context, options numbers = {})
      : basic_client(executor_type(context.get_executor()), std::move(numbers)) {}
  ~basic_client() {
    core_->shut();
    core_->release();
  }
  basic_client(basic_client const&) = delete;
  basic_client& operator=(basic_client const&) = delete;

  // -- event handlers ----------------------------------------------------------------------------

  /// `void(message const&)`. Without one, messages wait for `async_receive`.
  template <std::invocable<message const&> Handler>
  void on_message(Handler handler) {
    core_->replace(core_->on_message, callback<void(message const&)>(stable, std::move(handler)));
  }
  /// `void(close_event const&)`: once for every connection that was open.
  template <std::invocable<close_event const&> Handler>
  void on_close(Handler handler) {
    core_->replace(core_->on_close, callback<void(close_event const&)>(stable, std::move(handler)));
  }
  /// `void()`: what had to wait has been taken.
  template <std::invocable<> Handler>
  void on_drain(Handler handler) {
    core_->replace(core_->on_drain, callback<void()>(stable, std::move(handler)));
  }

  // -- verbs -------------------------------------------------------------------------------------

  /// Connects to a ws://, wss:// or ws+unix: URL.
  /// *Signature*: `void(std::error_code)`, when the connection is open or has failed.
  /// *Errors*: `bad_url`, `already_connected`, `handshake_timeout`, `unexpected_status` (see
  /// `status()`), every other `handshake_failed`, the system's and TLS's own, `operation_aborted`.
  template <class Token>
  auto async_connect(std::string url, Token&& token) {
    return initiate<std::error_code>(
        get_executor(), std::forward<Token>(token),
        [core = keep(core_), url = std::move(url)](completion<std::error_code> done) {
          core->connect(url, std::move(done));
        });
  }

  /// The next message, oldest first; several may wait at once. Not beside `on_message`.
  /// *Signature*: `void(std::error_code, received_message)`. *Errors*: `not_open` after a closing
  /// handshake, what ended the connection else, `operation_aborted`.
  template <class Token>
  auto async_receive(Token&& token) {
    return initiate<std::error_code, received_message>(
        get_executor(), std::forward<Token>(token),
        [core = keep(core_)](completion<std::error_code, received_message> done) {
          core->receive(std::move(done));
        });
  }

  /// Closes behind what is queued. *Signature*: `void(std::error_code)`, when the peer has answered
  /// or `close_timeout` is over. *Errors*: `not_open`, `bad_argument`, `close_timeout`,
  /// `operation_aborted`. A connect under way is given up, and answers `operation_aborted`.
  template <class Token>
  auto async_close(close_code code, std::string reason, Token&& token) {
    return initiate<std::error_code>(
        get_executor(), std::forward<Token>(token),
        [core = keep(core_), code, reason = std::move(reason)](completion<std::error_code> done) {
          core->close(code, reason, std::move(done));
        });
  }
  template <class Token>
  auto async_close(Token&& token) {
    return async_close(close_code::normal, {}, std::forward<Token>(token));
  }

  /// As `async_close`, without waiting for the end of it.
  std::error_code close(close_code code = close_code::normal, std::string_view reason = {}) {
    return core_->close(code, reason);
  }

  // -- state -------------------------------------------------------------------------------------

  bool is_open() const noexcept { return core_->is_open(); }
  bool is_connecting() const noexcept { return core_->is_connecting(); }
  /// The HTTP status of the last answer to a connect, 101 if it went well; 0: none came.
  int status() const noexcept { return core_->status(); }
  /// The connection as a handle, to send through and to keep.
  hawser::websocket socket() const { return {core_->anchored(), core_->current()}; }
  hawser::counters const& counters() const noexcept { return core_->counters(); }
  executor_type get_executor() const { return core_->executor(); }

  // -- the game loop -----------------------------------------------------------------------------

  /// As `basic_server::poll`.
  std::size_t poll(std::chrono::steady_clock::duration budget = std::chrono::milliseconds{2}) {
    return core_->poll(budget);
  }
  /// Sends at once what has been queued; else it leaves with the next turn of the loop.
  void flush() { core_->flush(); }
  /// For other threads.
  hawser::websocket_remote remote() const { return hawser::websocket_remote(&core_->anchored()); }

 private:
  friend class sends_messages<basic_client>;
  using core = client_core<Policies>;

  // Lazy tokens start their operation later, perhaps after the client has gone.
  class keep {
   public:
    explicit keep(core* at) noexcept : at_(at) { at_->retain(); }
    keep(keep const& other) noexcept : keep(other.at_) {}
    keep(keep&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
    keep& operator=(keep const&) = delete;
    ~keep() {
      if (at_) at_->release();
    }
    core* operator->() const noexcept { return at_; }

   private:
    core* at_;
  };

  std::error_code transmit(outgoing const& what, message_key key) const {
    return core_->send(what, key);
  }

  core* core_;
};

/// A client of raw WebSocket messages.
using websocket_client = basic_client<websocket_policies>;

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
