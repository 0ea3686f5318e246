// What a raw WebSocket client offers.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/endpoint/client_face.hpp>
#include <hawser/endpoint/remote.hpp>
#include <hawser/endpoint/websocket.hpp>
#include <hawser/endpoint/websocket_client_core.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Base of `basic_client` with a framing of raw messages. `send` leaves messages to the offline
/// queue while there is no connection: with `no_queue` it answers `not_open`.
template <class Policies>
class websocket_client_face : public client_face<websocket_client_core<Policies>>,
                              public sends_messages<websocket_client_face<Policies>> {
 public:
  // -- event handlers ----------------------------------------------------------------------------

  /// `void()`: there is a connection, the first one or a later one; what waited follows.
  template <std::invocable<> Handler>
  void on_open(Handler handler) {
    this->set(this->core_->on_open, std::move(handler));
  }
  /// `void(message const&)`. Without one, messages wait for `async_receive`.
  template <std::invocable<message const&> Handler>
  void on_message(Handler handler) {
    this->set(this->core_->on_message, std::move(handler));
  }
  /// `void(close_event const&)`: once for every connection that was open.
  template <std::invocable<close_event const&> Handler>
  void on_close(Handler handler) {
    this->set(this->core_->on_close, std::move(handler));
  }
  /// `void()`: what had to wait has been taken.
  template <std::invocable<> Handler>
  void on_drain(Handler handler) {
    this->set(this->core_->on_drain, std::move(handler));
  }
  /// `void(dropped_message const&)`: the offline queue gave a message up. Valid until the handler
  /// returns, or sends.
  template <std::invocable<dropped_message const&> Handler>
  void on_dropped(Handler handler) {
    this->set(this->core_->on_dropped, std::move(handler));
  }

  // -- verbs -------------------------------------------------------------------------------------

  /// The next message, oldest first; several may wait at once. Not beside `on_message`.
  /// *Signature*: `void(std::error_code, received_message)`. *Errors*: `not_open` after a closing
  /// handshake, what ended the connection else, `operation_aborted`. Called while the client
  /// reconnects, it waits.
  template <class Token>
  auto async_receive(Token&& token) {
    return initiate<std::error_code, received_message>(
        this->get_executor(), std::forward<Token>(token),
        [core = kept(*this->core_)](completion<std::error_code, received_message> done) {
          core->receive(std::move(done));
        });
  }

  /// Closes behind what is queued, and stays closed. *Signature*: `void(std::error_code)`, when the
  /// peer has answered or `close_timeout` is over. *Errors*: `not_open`, `bad_argument`,
  /// `close_timeout`, `operation_aborted`. A connect under way is given up, and answers
  /// `operation_aborted`.
  template <class Token>
  auto async_close(close_code code, std::string reason, Token&& token) {
    return initiate<std::error_code>(
        this->get_executor(), std::forward<Token>(token),
        [core = kept(*this->core_), code, reason = std::move(reason)](
            completion<std::error_code> done) { core->close(code, reason, std::move(done)); });
  }
  template <class Token>
  auto async_close(Token&& token) {
    return async_close(close_code::normal, {}, std::forward<Token>(token));
  }

  /// As `async_close`, without waiting for the end of it.
  std::error_code close(close_code code = close_code::normal, std::string_view reason = {});

  // -- state -------------------------------------------------------------------------------------

  bool is_open() const noexcept { return this->core_->is_open(); }
  /// What the offline queue holds.
  backlog waiting() const noexcept { return this->core_->offline_queue().size(); }
  /// The queue itself, to look at: the state of a journal, say. Valid while the client is.
  typename Policies::offline_queue const& offline_queue() const noexcept {
    return this->core_->offline_queue();
  }
  /// The connection as a handle, to send through and to keep: it does not become that of a later
  /// connection, and leaves nothing to the offline queue.
  hawser::websocket socket() const { return {this->core_->anchored(), this->core_->current()}; }
  /// For other threads.
  hawser::websocket_remote remote() const {
    return hawser::websocket_remote(&this->core_->anchored());
  }

 protected:
  using base = client_face<websocket_client_core<Policies>>;
  using base::base;

 private:
  friend class sends_messages<websocket_client_face>;

  std::error_code transmit(outgoing const& what, message_key const& key) const;
};

// Outside of the class, as in server_face.hpp.

template <class Policies>
std::error_code websocket_client_face<Policies>::close(close_code code, std::string_view reason) {
  return this->core_->close(code, reason);
}

template <class Policies>
std::error_code websocket_client_face<Policies>::transmit(outgoing const& what,
                                                          message_key const& key) const {
  return this->core_->send(what, key);
}

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
