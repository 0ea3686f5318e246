// A namespace of a Socket.IO client, as its user holds it.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/endpoint/client_host.hpp>
#include <hawser/endpoint/emission.hpp>
#include <hawser/endpoint/emitter.hpp>
#include <hawser/endpoint/event_handler.hpp>

namespace hawser::inline HAWSER_ABI {

class client_socket;
using client_emitter = basic_emitter<client_socket>;

/// An event that was received for `async_receive`; owns what is in it.
struct received_event {
  std::string name{};
  json arguments{};         ///< an array, the name not among them
  hawser::ack<json> ack{};  ///< empty unless an acknowledgement is wanted
};

/// What a client's side of a namespace can do: `client_socket`, and `basic_client` for "/".
template <class Self>
class has_client_handlers : public emits_events<Self> {
 public:
  // -- events ------------------------------------------------------------------------------------

  /// Handles an event; see `basic_server::on`. Parameters may be `client_socket`, `event_view` and
  /// `ack<...>`, everything else is an argument in its place.
  template <class Handler>
  void on(std::string_view name, Handler handler) const {
    add(name, std::move(handler), false);
  }
  template <event_name Name, class... Args, class Handler>
  void on(event<Name, Args...> const& what, Handler handler) const {
    static_assert(handles<Handler, Args...>,
                  "the handler takes other arguments than the event has");
    add(what.name(), std::move(handler), false);
  }
  /// Likewise, once.
  template <class Handler>
  void once(std::string_view name, Handler handler) const {
    add(name, std::move(handler), true);
  }
  /// Removes the handlers of an event. False if there were none.
  bool off(std::string_view name) const {
    auto* const one = record();
    return one && one->handlers->remove(name);
  }
  /// `void(event_view const&)`: every event that arrives, before its handlers.
  template <std::invocable<event_view const&> Handler>
  void on_any(Handler handler) const {
    change([&](client_nsp& one) { replace(one.handlers->on_any, watching(std::move(handler))); });
  }
  /// Likewise, every event that is emitted, at once or later; acknowledgements are none.
  template <std::invocable<event_view const&> Handler>
  void on_any_outgoing(Handler handler) const {
    change([&](client_nsp& one) {
      replace(one.handlers->on_any_outgoing, watching(std::move(handler)));
    });
  }
  /// `void(std::string_view event, std::error_code)`: an event didn't fit its handler.
  template <std::invocable<std::string_view, std::error_code> Handler>
  void on_bad_event(Handler handler) const {
    change([&](client_nsp& one) { replace(one.on_bad_event, std::move(handler)); });
  }

  // -- coming and going --------------------------------------------------------------------------

  /// `void(client_socket)`: connected, the first time and after every reconnection; what waited has
  /// been sent before.
  template <class Handler, class Socket = client_socket>
    requires std::invocable<Handler&, Socket>
  void on_connect(Handler handler) const {
    change([&](client_nsp& one) {
      replace(one.on_connect, [handler = std::move(handler)](anchor& at, socket_id id) mutable {
        handler(Socket(at, id));
      });
    });
  }
  /// `void(connect_failure const&)`: it could not connect.
  template <std::invocable<connect_failure const&> Handler>
  void on_connect_error(Handler handler) const {
    change([&](client_nsp& one) { replace(one.on_connect_error, std::move(handler)); });
  }
  /// `void(disconnect_reason)`: one for each connect event. After `io_server_disconnect` and
  /// `io_client_disconnect` the namespace isn't connected again by itself.
  template <std::invocable<disconnect_reason> Handler>
  void on_disconnect(Handler handler) const {
    change([&](client_nsp& one) { replace(one.on_disconnect, std::move(handler)); });
  }
  /// `void(event_view const&, std::error_code)`: an event that had waited was given up:
  /// `offline_overflow`, `offline_expired`, `offline_replaced`, or `ack_timeout` after the last
  /// retry. Events with a handler for their acknowledgement tell that instead.
  template <std::invocable<event_view const&, std::error_code> Handler>
  void on_dropped(Handler handler) const {
    change([&](client_nsp& one) { replace(one.on_dropped, std::move(handler)); });
  }

  /// What CONNECT carries: an object, sent with every connection.
  void auth(json payload) const {
    change([&](client_nsp& one) {
      one.auth = std::move(payload);
      replace_with(one.authenticate, {});
    });
  }
  /// `void(auth_reply)`: is asked at every connection, and may answer later.
  template <std::invocable<auth_reply> Handler>
  void auth(Handler handler) const {
    change([&](client_nsp& one) { replace(one.authenticate, std::move(handler)); });
  }

  /// Connects the namespace again after it was left, or refused; while the client closes, behind
  /// that. Error: `not_open` for a client that was never given a URL: it connects when it is.
  std::error_code connect() const {
    auto* const at = host();
    return at ? at->connect_nsp(ref().number()) : make_error_code(errc::not_open);
  }
  /// Leaves the namespace; the connection goes with the last one. Error: `not_open`.
  std::error_code disconnect() const {
    auto* const at = host();
    return at ? at->disconnect(ref().number()) : make_error_code(errc::not_open);
  }

  // -- state -------------------------------------------------------------------------------------

  /// Its id in the protocol; empty while it isn't connected. Valid until the next turn.
  std::string_view id() const {
    auto* const one = known();
    return one ? std::string_view(one->id) : std::string_view();
  }
  bool connected() const {
    auto* const one = known();
    return one && one->is == client_nsp::stage::connected;
  }
  /// Whether it took up where the lost connection had left off, with the events missed.
  bool recovered() const {
    auto* const one = known();
    return one && one->recovered;
  }
  /// Whether it is connected, or will be by itself.
  bool active() const {
    auto* const one = known();
    return one && host()->is_active(one->at);
  }
  /// What waits for a connection, or for an acknowledgement.
  backlog waiting() const {
    auto* const one = known();
    return one ? host()->waiting(one->at) : backlog{};
  }

  // -- how the next event is sent ----------------------------------------------------------------

  /// Dropped if it can't leave now: JavaScript's `volatile`.
  [[nodiscard]] client_emitter unreliable() const;
  [[nodiscard]] client_emitter compress(bool yes) const;
  /// How long an acknowledgement is awaited.
  [[nodiscard]] client_emitter timeout(std::chrono::milliseconds time) const;

  // -- waiting -----------------------------------------------------------------------------------

  /// Emits, and completes with `void(std::error_code, Results...)`; see `socket`.
  template <class... Results, class... ArgsAndToken>
  auto async_emit_with_ack(std::string_view name, ArgsAndToken&&... all) const;
  /// The next event that has no handler, oldest first. From the first call on such events are
  /// kept, `max_received` of them; of what came beyond a later call tells `dropped`.
  /// *Signature*: `void(std::error_code, received_event)`. *Errors*: `dropped`,
  /// `disconnected` when the namespace goes, or isn't going to connect; `operation_aborted`.
  template <class Token>
  auto async_receive(Token&& token) const {
    return initiate<std::error_code, received_event>(
        executor(), std::forward<Token>(token),
        [self = ref()](completion<std::error_code, received_event> done) {
          auto* const at = client_host::of(self.anchored());
          if (!at) return done(make_error_code(asio::error::operation_aborted), {});
          at->receive(self.number(), std::move(done));
        });
  }

  emit_flags flags() const noexcept { return {}; }

 protected:
  asio::any_io_executor executor() const { return executor_of(host()); }

 private:
  friend class emits_events<Self>;

  // Naming "/" makes it; asking about it doesn't.
  decltype(auto) ref() const { return static_cast<Self const&>(*this).reference(); }
  client_nsp* known() const {
    auto const to = static_cast<Self const&>(*this).known_reference();
    auto* const at = client_host::of(to.anchored());
    return at ? at->find(to.number()) : nullptr;
  }
  client_host* host() const noexcept { return client_host::of(ref().anchored()); }
  client_nsp* record() const {
    auto* const at = host();
    return at ? at->find(ref().number()) : nullptr;
  }
  template <class Change>
  void change(Change&& what) const {
    if (auto* const one = record()) what(*one);
  }
  template <class Old, class Fresh>
  void replace(Old& old, Fresh fresh) const {
    replace_with(old, Old(stable, std::move(fresh)));
  }
  template <class Old>
  void replace_with(Old& old, Old fresh) const {
    Old before = std::exchange(old, std::move(fresh));
    if (before) host()->keep([before = std::move(before)]() mutable { before.reset(); });
  }
  template <class Handler>
  static auto watching(Handler handler) {
    return [handler = std::move(handler)](event_call& call) mutable {
      handler(std::as_const(call.what));
    };
  }
  template <class Handler>
  void add(std::string_view name, Handler handler, bool once) const {
    change([&](client_nsp& one) {
      one.handlers->add(name, erase_handler<client_socket>(std::move(handler)), once);
    });
  }

  std::error_code transmit(payload_source what, emit_flags const& how) const {
    auto* const at = host();
    return at ? at->emit(ref().number(), what, how) : make_error_code(errc::not_open);
  }
  template <ack_handler Handler>
  void transmit_with_ack(payload_source what, emit_flags const& how, Handler&& handler) const {
    auto* const at = host();
    if (at) emit_acknowledged(*at, ref().number(), what, how, std::forward<Handler>(handler));
  }
};

/// A client's part in one namespace. Copyable, safe to keep for ever: after the client has gone
/// every call is a no-op with `errc::not_open`.
///
/// Events that are emitted while it isn't connected wait in the offline queue; `emit` answers
/// `offline_queue_full` when that takes no more.
///
/// *Threads*: as `socket`.
class client_socket : public anchored_id<socket_id>, public has_client_handlers<client_socket> {
 public:
  using anchored_id::anchored_id;

  /// The namespace's name: "/" or "/chat".
  std::string_view nsp() const {
    auto* const at = client_host::of(anchor_);
    auto* const one = at ? at->find(id_) : nullptr;
    return one ? std::string_view(one->name) : std::string_view();
  }
  explicit operator bool() const { return connected(); }

  /// As `connect`, and waits for what comes of it. *Signature*: `void(std::error_code)`. *Errors*:
  /// `connect_refused`, `handshake_timeout`, `operation_aborted`; what the client's last attempt
  /// met when it gives up.
  template <class Token>
  auto async_connect(Token&& token) const {
    return initiate<std::error_code>(
        executor(), std::forward<Token>(token), [self = *this](completion<std::error_code> done) {
          auto* const at = client_host::of(self.anchored());
          if (!at) return done(make_error_code(asio::error::operation_aborted));
          at->connect_nsp(self.number(), std::move(done));
        });
  }

  // For the library.
  socket_id number() const noexcept { return id_; }
  client_socket const& reference() const noexcept { return *this; }
  client_socket const& known_reference() const noexcept { return *this; }
};

template <class Self>
client_emitter has_client_handlers<Self>::unreliable() const {
  return client_emitter(ref(), {.droppable = true});
}
template <class Self>
client_emitter has_client_handlers<Self>::compress(bool yes) const {
  return client_emitter(ref(), {.compress = yes});
}
template <class Self>
client_emitter has_client_handlers<Self>::timeout(std::chrono::milliseconds time) const {
  return client_emitter(ref(), {.timeout = time});
}
template <class Self>
template <class... Results, class... ArgsAndToken>
auto has_client_handlers<Self>::async_emit_with_ack(std::string_view name,
                                                    ArgsAndToken&&... all) const {
  return client_emitter(ref(), {}).template async_emit_with_ack<Results...>(
      name, std::forward<ArgsAndToken>(all)...);
}

}  // namespace hawser::inline HAWSER_ABI

template <>
struct std::hash<hawser::client_socket> {
  std::size_t operator()(hawser::client_socket const& one) const noexcept {
    return std::hash<std::uint64_t>()(one.number().number()) ^ std::hash<void*>()(one.anchored());
  }
};
