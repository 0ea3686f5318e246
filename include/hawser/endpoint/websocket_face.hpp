// A server of raw WebSocket messages, as its user sees it.
#pragma once

#include <concepts>
#include <string_view>
#include <utility>

#include <hawser/endpoint/remote.hpp>
#include <hawser/endpoint/server_face.hpp>
#include <hawser/endpoint/websocket.hpp>
#include <hawser/endpoint/websocket_core.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// The handlers and verbs of `basic_server` with a framing of raw messages.
///
/// *Promises*: one open event gives exactly one close event; messages of one peer are delivered in
/// order, none after its close event; messages to one peer leave in the order of the calls.
template <class Policies>
class websocket_face : public server_face<websocket_core<Policies>> {
 public:
  // -- handlers: set them before listening; replacing them later is fine too ---------------------

  /// The accept step: `void(handshake const&, decision)`. Without one everybody is let in.
  template <std::invocable<handshake const&, decision> Handler>
  void authenticate(Handler handler) {
    this->core_->replace(this->core_->authenticate,
                         callback<void(handshake const&, decision)>(stable, std::move(handler)));
  }
  /// `void(socket)`: a connection is open.
  template <std::invocable<websocket> Handler>
  void on_open(Handler handler) {
    this->core_->replace(
        this->core_->on_open,
        callback<void(anchor&, connection_id)>(
            stable, [handler = std::move(handler)](anchor& at, connection_id id) mutable {
              handler(websocket(at, id, websocket::borrow{}));
            }));
  }
  /// `void(socket, message const&)`: a whole message has arrived.
  template <std::invocable<websocket, message const&> Handler>
  void on_message(Handler handler) {
    this->core_->replace(this->core_->on_message,
                         callback<void(anchor&, connection_id, message const&)>(
                             stable, [handler = std::move(handler)](anchor& at, connection_id id,
                                                                    message const& what) mutable {
                               handler(websocket(at, id, websocket::borrow{}), what);
                             }));
  }
  /// `void(socket, close_event const&)`: the connection is over. Its data and rooms are still
  /// there; it leaves the rooms when the handler returns.
  template <std::invocable<websocket, close_event const&> Handler>
  void on_close(Handler handler) {
    this->core_->replace(
        this->core_->on_close,
        callback<void(anchor&, connection_id, close_event const&)>(
            stable, [handler = std::move(handler)](anchor& at, connection_id id,
                                                   close_event const& event) mutable {
              handler(websocket(at, id, websocket::borrow{}), event);
            }));
  }
  /// `void(socket)`: what had to wait for this peer has been taken.
  template <std::invocable<websocket> Handler>
  void on_drain(Handler handler) {
    this->core_->replace(
        this->core_->on_drain,
        callback<void(anchor&, connection_id)>(
            stable, [handler = std::move(handler)](anchor& at, connection_id id) mutable {
              handler(websocket(at, id, websocket::borrow{}));
            }));
  }
  // -- sending -----------------------------------------------------------------------------------

  /// Everybody.
  websocket_audience all() const { return websocket_audience(&this->core_->anchored()); }
  /// The members of a room.
  websocket_audience to(std::string_view room) const { return all().to(room); }
  /// A room to keep.
  hawser::websocket_room room(std::string_view name) const {
    return {&this->core_->anchored(), name};
  }
  /// Calls `void(socket)` for every open connection.
  template <std::invocable<websocket> Visit>
  void for_each(Visit visit) {
    this->core_->for_each([&](connection_id id) {
      visit(websocket(this->core_->anchored(), id, websocket::borrow{}));
    });
  }

  /// For other threads.
  websocket_remote remote() const { return websocket_remote(&this->core_->anchored()); }

 protected:
  using server_face<websocket_core<Policies>>::server_face;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
