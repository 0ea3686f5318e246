// A Socket.IO server, as its user sees it.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include <hawser/endpoint/nsp.hpp>
#include <hawser/endpoint/remote.hpp>
#include <hawser/endpoint/server_face.hpp>
#include <hawser/endpoint/socketio_core.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// The handlers and verbs of `basic_server` with a framing of sessions. It stands for its main
/// namespace, "/": everything that a `nsp` can do, it does there.
///
/// *Promises*: one connect event gives exactly one disconnect event, with a reason; events of one
/// socket are handled in order, none after its disconnect event; events to one socket leave in
/// the order of the calls, through an upgrade too.
template <class Policies>
class socketio_face : public server_face<socketio_core<Policies>>,
                      public has_handlers<socketio_face<Policies>> {
 public:
  /// A namespace, made if there is none of that name. A name without a slash gets one; one that is
  /// longer than 128 bytes or has a comma in it gives a namespace that does nothing.
  nsp of(std::string_view name);

  /// A dynamic namespace: clients may connect to any name that `matches` says yes to, and each such
  /// name becomes a namespace of its own, with these handlers. `bool(std::string_view name,
  /// json const& auth)`. Emitting to it reaches all of its children.
  template <std::predicate<std::string_view, json const&> Matches>
  nsp of(Matches matches) {
    return of(callback<bool(std::string_view, json const&)>(std::move(matches)));
  }

  /// The accept step of an Engine.IO session, before there is one: `void(handshake const&,
  /// decision)`, with what HTTP tells. Most will want `authenticate`, which sees the CONNECT
  /// payload too.
  template <std::invocable<handshake const&, decision> Handler>
  void allow_request(Handler handler) {
    this->core_->replace(this->core_->authenticate,
                         callback<void(handshake const&, decision)>(stable, std::move(handler)));
  }

  /// `void(connection_error const&)`: a request opened no session, or was for none that it could
  /// be for.
  template <std::invocable<connection_error const&> Handler>
  void on_connection_error(Handler handler) {
    this->core_->replace(this->core_->on_connection_error,
                         callback<void(connection_error const&)>(stable, std::move(handler)));
  }

  /// For other threads.
  hawser::remote remote() const { return hawser::remote(&this->core_->anchored()); }

  nsp_ref reference() const {
    return {anchor_ref(&this->core_->anchored()), this->core_->root().number};
  }

 protected:
  using server_face<socketio_core<Policies>>::server_face;

 private:
  nsp of(callback<bool(std::string_view, json const&)> matches);

  template <class Made>
  nsp handle(Made* made) {
    if (!made) return {};
    return nsp(nsp_ref{anchor_ref(&this->core_->anchored()), made->number});
  }
};

// Outside of the class, as in server_face.hpp.

template <class Policies>
nsp socketio_face<Policies>::of(std::string_view name) {
  return handle(this->core_->of(name));
}

template <class Policies>
nsp socketio_face<Policies>::of(callback<bool(std::string_view, json const&)> matches) {
  return handle(this->core_->of(std::move(matches)));
}

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
