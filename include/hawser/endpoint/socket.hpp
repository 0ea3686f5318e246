// A Socket.IO socket as handlers hold it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/endpoint/broadcast.hpp>
#include <hawser/endpoint/emission.hpp>
#include <hawser/endpoint/emitter.hpp>
#include <hawser/endpoint/handshake.hpp>
#include <hawser/endpoint/nsp_record.hpp>
#include <hawser/endpoint/socketio_host.hpp>

namespace hawser::inline HAWSER_ABI {

class socket;
using socket_emitter = basic_emitter<socket>;

/// One client's part in one namespace. Copyable, safe to keep for ever: on a socket that has gone,
/// and after the server has, every call is a no-op with `errc::not_open`.
///
/// *Threads*: copies may be made and destroyed anywhere, compared and hashed too; everything else
/// on the server's thread only, from handlers or between polls. Other threads use `remote`.
class socket : public anchored_id<socket_id>, public emits_events<socket> {
 public:
  using anchored_id::anchored_id;

  // -- who it is ---------------------------------------------------------------------------------

  /// Its id in the protocol: 20 characters, random, also the name of a room with it alone. Empty if
  /// gone, valid while the socket is.
  std::string_view id() const {
    auto* const one = record();
    return one ? one->id() : std::string_view();
  }
  /// The namespace's name: "/" or "/chat".
  std::string_view nsp() const {
    auto* const one = record();
    return one ? std::string_view(one->nsp->name) : std::string_view();
  }
  /// Whether events can be sent.
  bool connected() const {
    auto* const one = record();
    return one && one->state == socket_record::stage::connected;
  }
  explicit operator bool() const { return connected(); }
  /// Whether it took up where a lost connection had left off: rooms, data and missed events.
  bool recovered() const {
    auto* const one = record();
    return one && one->recovered;
  }
  /// "polling", "websocket"; empty if gone.
  std::string_view transport() const {
    auto* const at = host();
    return at ? at->transport_of(id_) : std::string_view();
  }
  /// How its session began, and its CONNECT payload; nothing if gone. Valid while the socket is.
  std::optional<hawser::handshake> handshake() const {
    auto* const one = record();
    if (!one) return std::nullopt;
    return one->asked();
  }
  /// What waits to be sent to its client, in bytes and messages.
  backlog queued() const {
    auto* const at = host();
    return at ? at->queued(id_) : backlog{};
  }

  /// Sends at once what is queued for its client, where the rest waits for the server's flush:
  /// behind the last event of a tick, while its bytes are still in the processor's caches.
  void flush() const {
    if (auto* const at = host()) at->flush_one(id_);
  }

  /// The value given to `decision::accept` or `set_data`; null if there is none or it is of another
  /// type. There in disconnect handlers too.
  template <class T>
  T* data() const {
    auto* const one = record();
    return one ? one->data.template get<T>() : nullptr;
  }
  template <class T>
  bool set_data(T value) const {
    auto* const one = record();
    if (one) one->data = user_data(std::move(value));
    return one != nullptr;
  }

  // -- rooms -------------------------------------------------------------------------------------

  /// Enters a room. False if it is in it already, over a limit, refused by a guard, or gone.
  bool join(std::string_view room) const {
    auto* const at = host();
    return at && at->join(id_, room);
  }
  bool leave(std::string_view room) const {
    auto* const at = host();
    return at && at->leave(id_, room);
  }
  /// Its own id among them.
  std::vector<std::string> rooms() const {
    auto* const at = host();
    return at ? at->rooms_of(id_) : std::vector<std::string>();
  }

  // -- others ------------------------------------------------------------------------------------

  /// The members of a room but this one.
  broadcast_operator to(std::string_view room) const { return broadcast().to(room); }
  broadcast_operator in(std::string_view room) const { return to(room); }
  broadcast_operator except(std::string_view room) const { return broadcast().except(room); }
  /// Everybody in the namespace but this one.
  broadcast_operator broadcast() const {
    auto* const one = record();
    return broadcast_operator({anchor_ref(anchor_), one ? one->nsp->number : 0}, {}, id_);
  }

  /// Everybody in the namespace, this one too: JavaScript's `socket.nsp`.
  broadcast_operator everybody() const {
    auto* const one = record();
    return broadcast_operator({anchor_ref(anchor_), one ? one->nsp->number : 0});
  }

  // -- how the next event is sent ----------------------------------------------------------------

  /// Dropped if its client can't take it now: JavaScript's `volatile`.
  [[nodiscard]] socket_emitter unreliable() const;
  [[nodiscard]] socket_emitter compress(bool yes) const;
  /// How long an acknowledgement is awaited.
  [[nodiscard]] socket_emitter timeout(std::chrono::milliseconds time) const;

  // -- handlers of its own: the namespace's own cost nothing per socket --------------------------

  /// As on the server; called behind those of the namespace. False if gone.
  template <class Handler>
  bool on(std::string_view name, Handler handler) const;
  template <class Handler>
  bool once(std::string_view name, Handler handler) const;
  bool off(std::string_view name) const;
  /// Before its handlers, for every event: answers whether the event may pass. What is refused is
  /// counted.
  template <std::predicate<event_view const&> Guard>
  bool use(Guard guard) const;
  template <std::invocable<event_view const&> Handler>
  bool on_any(Handler handler) const;
  template <std::invocable<event_view const&> Handler>
  bool on_any_outgoing(Handler handler) const;

  // -- the end -----------------------------------------------------------------------------------

  /// Leaves the namespace ("server namespace disconnect"); with `close`, all namespaces of this
  /// client, and the connection. Error: `not_open`.
  std::error_code disconnect(bool close = false) const {
    auto* const at = host();
    return at ? at->disconnect(id_, close) : make_error_code(errc::not_open);
  }

  /// Closes the connection of its client, of all its namespaces ("forced close"): the client may
  /// come back, and recover. Error: `not_open`.
  std::error_code close_connection() const {
    auto* const at = host();
    return at ? at->close_connection(id_) : make_error_code(errc::not_open);
  }

  // -- waiting for an acknowledgement ------------------------------------------------------------

  /// Emits, and completes with `void(std::error_code, Results...)` for any completion token, which
  /// is the last argument: `co_await s.async_emit_with_ack<bool>("ask", 1, asio::use_awaitable)`.
  /// Errors: `ack_timeout`, `disconnected`, `argument_mismatch`, `not_open`, and
  /// `operation_aborted` once the server has gone.
  template <class... Results, class... ArgsAndToken>
  auto async_emit_with_ack(std::string_view name, ArgsAndToken&&... all) const;

  // For the library.
  socket_id number() const noexcept { return id_; }
  emit_flags flags() const noexcept { return {}; }

 private:
  friend class emits_events<socket>;

  socketio_host* host() const noexcept { return socketio_host::of(anchor_); }
  socket_record* record() const {
    auto* const at = host();
    return at ? at->find(id_) : nullptr;
  }
  std::error_code transmit(payload_source what, emit_flags const& how) const {
    auto* const at = host();
    return at ? at->emit(id_, what, how) : make_error_code(errc::not_open);
  }
  template <ack_handler Handler>
  void transmit_with_ack(payload_source what, emit_flags const& how, Handler&& handler) const {
    auto* const at = host();
    if (at) emit_acknowledged(*at, id_, what, how, std::forward<Handler>(handler));
  }
  template <class Change>
  bool change_own(Change&& change) const;
  // What is being replaced may be running.
  template <class Old>
  void keep(Old old) const {
    if (old) host()->keep([old = std::move(old)]() mutable { old.reset(); });
  }
};

inline socket_emitter socket::unreliable() const {
  return socket_emitter(*this, {.droppable = true});
}
inline socket_emitter socket::compress(bool yes) const {
  return socket_emitter(*this, {.compress = yes});
}
inline socket_emitter socket::timeout(std::chrono::milliseconds time) const {
  return socket_emitter(*this, {.timeout = time});
}
template <class... Results, class... ArgsAndToken>
auto socket::async_emit_with_ack(std::string_view name, ArgsAndToken&&... all) const {
  return socket_emitter(*this, {}).template async_emit_with_ack<Results...>(
      name, std::forward<ArgsAndToken>(all)...);
}

inline broadcast_operator broadcast_operator::except(socket const& one) const {
  broadcast_operator copy(*this);
  if (!copy.except_socket_) {
    copy.except_socket_ = one.number();
    return copy;
  }
  return std::move(copy).except(one.id());
}

template <std::invocable<socket> Visit>
void broadcast_operator::for_each(Visit visit) const {
  with_target([&](socketio_host& at, nsp_record& in, broadcast_target const& who) {
    at.visit(in, who,
             [&](socket_record& one) { visit(socket(*in_.at.get(), one.at, socket::borrow{})); });
  });
}

}  // namespace hawser::inline HAWSER_ABI

template <>
struct std::hash<hawser::socket> {
  std::size_t operator()(hawser::socket const& one) const noexcept {
    return std::hash<std::uint64_t>()(one.number().number()) ^ std::hash<void*>()(one.anchored());
  }
};
