// A namespace of a Socket.IO server, as its user sees it.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/endpoint/event_handler.hpp>
#include <hawser/endpoint/nsp_record.hpp>

namespace hawser::inline HAWSER_ABI {

/// Event handlers that were prepared apart, to be put in place as a whole.
class event_handlers {
 public:
  /// As `nsp::on`.
  template <class Handler>
  event_handlers& on(std::string_view name, Handler handler) {
    table_->add(name, erase_handler(std::move(handler)));
    return *this;
  }
  template <event_name Name, class... Args, class Handler>
  event_handlers& on(event<Name, Args...> const& what, Handler handler) {
    static_assert(handles<Handler, Args...>,
                  "the handler takes other arguments than the event has");
    return on(what.name(), std::move(handler));
  }

 private:
  template <class>
  friend class has_handlers;
  std::unique_ptr<handler_table> table_ = std::make_unique<handler_table>();
};

/// The handlers and verbs of a namespace; `Self` is a `nsp`, or a server, which stands for "/".
/// Handlers may be set, replaced and removed at any time, from handlers too.
template <class Self>
class has_handlers : public emits_events<Self> {
 public:
  // -- who comes and goes ------------------------------------------------------------------------

  /// The accept step of a socket, before everything else: `void(handshake const&, decision)`.
  /// `handshake::auth()` is what its client sent with CONNECT. What is given to `decision::accept`
  /// is the socket's data; `decision::reject` becomes CONNECT_ERROR. It may answer later, from any
  /// thread; one that takes longer than `decision_timeout` is a no.
  template <std::invocable<handshake const&, decision> Handler>
  void authenticate(Handler handler) {
    change(
        [&](socketio_host&, nsp_rules& rules) { replace(rules.authenticate, std::move(handler)); });
  }
  /// Adds a step behind it: `void(socket, decision)`, in the order of the calls. A socket takes the
  /// steps that there were when it came.
  template <std::invocable<socket, decision> Handler>
  void use(Handler handler) {
    change([&](socketio_host&, nsp_rules& rules) {
      rules.middlewares.push_back(std::make_shared<nsp_rules::middleware>(
          [handler = std::move(handler)](anchor& at, socket_id id, decision d) mutable {
            handler(socket(at, id, socket::borrow{}), std::move(d));
          }));
    });
  }
  /// `void(socket)`: a socket is connected.
  template <std::invocable<socket> Handler>
  void on_connect(Handler handler) {
    change([&](socketio_host&, nsp_rules& rules) {
      replace(rules.on_connect, [handler = std::move(handler)](anchor& at, socket_id id) mutable {
        handler(socket(at, id, socket::borrow{}));
      });
    });
  }
  /// `void(socket, disconnect_reason)`: it goes; its rooms and data are still there.
  template <std::invocable<socket, disconnect_reason> Handler>
  void on_disconnecting(Handler handler) {
    change([&](socketio_host&, nsp_rules& rules) {
      replace(rules.on_disconnecting, leaving(std::move(handler)));
    });
  }
  /// `void(socket, disconnect_reason)`: it has left its rooms; its data are still there. One
  /// connect event gives exactly one of these.
  template <std::invocable<socket, disconnect_reason> Handler>
  void on_disconnect(Handler handler) {
    change([&](socketio_host&, nsp_rules& rules) {
      replace(rules.on_disconnect, leaving(std::move(handler)));
    });
  }
  /// `void(room_event const&)`: rooms come, go, are entered and left.
  template <std::invocable<room_event const&> Handler>
  void on_room(Handler handler) {
    change([&](socketio_host&, nsp_rules& rules) { replace(rules.on_room, std::move(handler)); });
  }

  // -- events ------------------------------------------------------------------------------------

  /// Handles an event. The parameters are the schema: `socket` and `ack<...>` are given, everything
  /// else is read from what arrives, in its place. The handler is called when all fits, and not
  /// at all otherwise; see `on_bad_event`. Missing arguments fit std::optional, and arguments
  /// beyond the last are not looked at. What the handler returns is the acknowledgement, if one is
  /// wanted. Views are valid until it returns.
  template <class Handler>
  void on(std::string_view name, Handler handler) {
    add(name, std::move(handler), false);
  }
  template <event_name Name, class... Args, class Handler>
  void on(event<Name, Args...> const& what, Handler handler) {
    static_assert(handles<Handler, Args...>,
                  "the handler takes other arguments than the event has");
    add(what.name(), std::move(handler), false);
  }
  /// Likewise, for one event of any socket.
  template <class Handler>
  void once(std::string_view name, Handler handler) {
    add(name, std::move(handler), true);
  }
  /// Removes the handlers of an event. False if there were none.
  bool off(std::string_view name) {
    bool any = false;
    change([&](socketio_host&, nsp_rules& rules) { any = rules.handlers->remove(name); });
    return any;
  }
  /// Puts other handlers of events in the place of all there are.
  void handlers(event_handlers fresh) {
    change([&](socketio_host& at, nsp_rules& rules) {
      std::swap(rules.handlers, fresh.table_);
      rules.handlers->on_any = std::move(fresh.table_->on_any);
      rules.handlers->on_any_outgoing = std::move(fresh.table_->on_any_outgoing);
      at.keep([old = std::move(fresh.table_)]() mutable { old.reset(); });
    });
  }
  /// `void(socket, event_view const&)`: every event that arrives, before its handlers.
  template <std::invocable<socket, event_view const&> Handler>
  void on_any(Handler handler) {
    change([&](socketio_host&, nsp_rules& rules) {
      replace(rules.handlers->on_any, watching(std::move(handler)));
    });
  }
  /// Likewise, every event on its way to a socket; acknowledgements are none. Costs each of them a
  /// second encoding.
  template <std::invocable<socket, event_view const&> Handler>
  void on_any_outgoing(Handler handler) {
    change([&](socketio_host&, nsp_rules& rules) {
      replace(rules.handlers->on_any_outgoing, watching(std::move(handler)));
    });
  }
  /// `void(socket, std::string_view event, std::error_code)`: an event didn't fit its handler.
  template <std::invocable<socket, std::string_view, std::error_code> Handler>
  void on_bad_event(Handler handler) {
    change([&](socketio_host&, nsp_rules& rules) {
      replace(rules.on_bad_event,
              [handler = std::move(handler)](anchor& at, socket_id id, std::string_view name,
                                             std::error_code why) mutable {
                handler(socket(at, id, socket::borrow{}), name, why);
              });
    });
  }

  // -- guards: what they refuse is counted; one that throws says no ------------------------------

  /// `bool(socket, std::string_view room)`: whether it may enter.
  template <std::predicate<socket, std::string_view> Guard>
  void may_join(Guard guard) {
    change([&](socketio_host&, nsp_rules& rules) {
      replace(rules.may_join,
              [guard = std::move(guard)](anchor& at, socket_id id, std::string_view room) mutable {
                return guard(socket(at, id, socket::borrow{}), room);
              });
    });
  }
  /// `bool(socket, event_view const&)`: whether what it sends reaches handlers. If an
  /// acknowledgement is wanted, a refusal is answered with `{"error": "not allowed"}`.
  template <std::predicate<socket, event_view const&> Guard>
  void may_send(Guard guard) {
    change([&](socketio_host&, nsp_rules& rules) {
      replace(rules.may_send,
              [guard = std::move(guard)](anchor& at, socket_id id, event_view const& what) mutable {
                return guard(socket(at, id, socket::borrow{}), what);
              });
    });
  }
  /// `bool(socket)`: whether a broadcast reaches it.
  template <std::predicate<socket> Guard>
  void may_receive(Guard guard) {
    change([&](socketio_host&, nsp_rules& rules) {
      replace(rules.may_receive, [guard = std::move(guard)](anchor& at, socket_id id) mutable {
        return guard(socket(at, id, socket::borrow{}));
      });
    });
  }

  // -- whom to reach -----------------------------------------------------------------------------

  /// Everybody in the namespace.
  broadcast_operator all() const { return broadcast_operator(ref()); }
  broadcast_operator to(std::string_view room) const { return all().to(room); }
  broadcast_operator in(std::string_view room) const { return all().to(room); }
  broadcast_operator except(std::string_view room) const { return all().except(room); }
  broadcast_operator local() const { return all().local(); }
  broadcast_operator unreliable() const { return all().unreliable(); }
  broadcast_operator compress(bool yes) const { return all().compress(yes); }
  broadcast_operator timeout(std::chrono::milliseconds time) const { return all().timeout(time); }
  /// A room to keep.
  hawser::room room(std::string_view name) const { return {ref(), name}; }

  void sockets_join(std::string_view room) const { all().sockets_join(room); }
  void sockets_leave(std::string_view room) const { all().sockets_leave(room); }
  void disconnect_sockets(bool close = false) const { all().disconnect_sockets(close); }
  void fetch_sockets(callback<void(std::error_code, std::vector<socket_description>)> told) const {
    all().fetch_sockets(std::move(told));
  }

  // -- other servers of the cluster --------------------------------------------------------------

  /// Sends an event to the other servers; none reaches this one.
  template <writable... Args>
  std::error_code server_side_emit(std::string_view name, Args const&... arguments) const {
    auto const in = ref();
    auto* const nsp = in.find();
    if (!nsp) return make_error_code(errc::not_open);
    event_payload<Args...> const what(name, arguments...);
    return in.host()->server_side_emit(*nsp, what.source());
  }
  /// Handles what other servers emit so; parameters as of `on`, without socket and ack.
  template <class Handler>
  void on_server_event(std::string_view name, Handler handler) {
    change([&](socketio_host&, nsp_rules& rules) {
      rules.server_events->add(name, erase_handler(std::move(handler)));
    });
  }

  emit_flags flags() const noexcept { return {}; }

 private:
  friend class emits_events<Self>;

  nsp_ref ref() const { return static_cast<Self const&>(*this).reference(); }

  std::size_t transmit(payload_source what, emit_flags const& how) const {
    auto const in = ref();
    auto* const nsp = in.find();
    return nsp ? in.host()->broadcast(*nsp, {}, what, how) : 0;
  }
  template <ack_handler Handler>
  void transmit_with_ack(payload_source what, emit_flags const& how, Handler&& handler) const {
    all().transmit_with_ack(what, how, std::forward<Handler>(handler));
  }

  template <class Change>
  void change(Change&& what) {
    auto const in = ref();
    if (auto* const nsp = in.find()) {
      auto const rules = nsp->rules;
      what(*in.host(), *rules);
    }
  }

  template <class Old, class Fresh>
  void replace(Old& old, Fresh fresh) {
    Old before = std::exchange(old, Old(stable, std::move(fresh)));
    if (!before) return;
    // It may be running.
    ref().host()->keep([before = std::move(before)]() mutable { before.reset(); });
  }

  template <class Handler>
  void add(std::string_view name, Handler handler, bool once) {
    change([&](socketio_host&, nsp_rules& rules) {
      rules.handlers->add(name, erase_handler(std::move(handler)), once);
    });
  }

  template <class Handler>
  static auto leaving(Handler handler) {
    return [handler = std::move(handler)](anchor& at, socket_id id, disconnect_reason why) mutable {
      handler(socket(at, id, socket::borrow{}), why);
    };
  }
  template <class Handler>
  static auto watching(Handler handler) {
    return [handler = std::move(handler)](event_call& call) mutable {
      handler(socket(call.at, call.from, socket::borrow{}), std::as_const(call.what));
    };
  }
};

/// A namespace. Copyable, safe to keep: on a server that has gone every call is a no-op.
class nsp : public has_handlers<nsp> {
 public:
  nsp() noexcept = default;
  explicit nsp(nsp_ref at) noexcept : at_(std::move(at)) {}

  /// "/" or "/chat"; empty if it is gone.
  std::string_view name() const {
    auto* const one = at_.find();
    return one ? std::string_view(one->name) : std::string_view();
  }
  explicit operator bool() const { return at_.find() != nullptr; }

  /// Of a dynamic namespace: `void(nsp)`, a child was made. Its handlers are those of its parent.
  template <std::invocable<nsp> Handler>
  void on_child(Handler handler) {
    auto* const one = at_.find();
    if (!one) return;
    auto made = [handler = std::move(handler)](anchor& at, std::uint64_t number) mutable {
      handler(nsp(nsp_ref{anchor_ref(&at), number}));
    };
    using erased = callback<void(anchor&, std::uint64_t)>;
    auto old = std::exchange(one->rules->on_child, erased(stable, std::move(made)));
    if (old) at_.host()->keep([old = std::move(old)]() mutable { old.reset(); });
  }

  nsp_ref const& reference() const noexcept { return at_; }

 private:
  nsp_ref at_;
};

}  // namespace hawser::inline HAWSER_ABI
